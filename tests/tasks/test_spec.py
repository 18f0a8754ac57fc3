import pytest

from bench.errors import BenchError
from bench.files.toml import validated
from bench.tasks.spec import TaskFile, TaskSpec
from bench.tasks.task_file import load_task_file

GOOD = {"name": "mine", "table": "t.tsv", "targets": {"y": {"replicates": ["a", "b"]}}}


def fails(content, said, model=TaskFile):
    with pytest.raises(BenchError, match=said) as caught:
        validated(model, content, "mine.toml")
    assert str(caught.value).startswith("mine.toml: ")
    assert "\n" not in str(caught.value)


def test_a_full_file():
    spec = validated(TaskFile, GOOD | {"columns": {"covariates": ["dna_count"], "strata": {"kind": "class"}}}, "x")
    assert spec.columns.covariates == {"dna_count": "dna_count"}
    assert spec.columns.strata == {"kind": "class"}
    assert spec.card.title == "mine"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GOOD | {"tabel": "t"}, "unknown key 'tabel'. Did you mean 'table'?"),
        (GOOD | {"columns": {"sequnce": "s"}}, r"unknown key 'sequnce' in \[columns\]. Did you mean 'sequence'"),
        (GOOD | {"targets": {"y": {"replicate": ["a"]}}}, r"'replicate' in \[targets.y\]. Did you mean 'replicates'"),
        ({"name": "mine", "targets": GOOD["targets"]}, "key 'table' is missing"),
        (GOOD | {"targets": {}}, r"\[targets.NAME\] is missing"),
        (GOOD | {"targets": {"y": {"replicates": []}}}, "replicates"),
        (GOOD | {"targets": {"y": {"replicates": "a"}}}, "valid list"),
        (GOOD | {"targets": {"a/b": {"replicates": ["a"]}}}, "a name must be letters"),
        (GOOD | {"targets": {"y": {"replicates": ["a"], "halves": ["h"]}}}, "two columns or none"),
        (GOOD | {"targets": {"y": {"replicates": ["a"], "kind": "ordinal"}}}, "regression"),
        (GOOD | {"name": "../mine"}, "a name must be letters"),
        (GOOD | {"orientation": "both"}, "stranded"),
        (GOOD | {"minimum": {"dna_count": "many"}}, "valid number"),
        (GOOD | {"fasta": "g.fa", "columns": {"sequence": "s"}}, "not both"),
        (GOOD | {"design": "d.fa"}, "formats long and igvf"),
        (GOOD | {"format": "igvf-barcode", "design": "d.fa"}, "leave those keys out"),
        ({"name": "mine", "table": "t", "format": "igvf-barcode"}, "needs design"),
        (GOOD | {"format": "vcf"}, "igvf-experiment"),
        (GOOD | {"split": "kfold"}, "unknown split 'kfold'. Did you mean 'locus-kfold'?"),
        (GOOD | {"split": "holdout[val=chr1]"}, "split holdout has no parameter 'val'. Did you mean 'valid'?"),
        (GOOD | {"split": 5}, r"'split' must be text, such as .chromosome-kfold\[k=5\].. Got 5"),
    ],
)
def test_says_key_and_mend(content, said):
    fails(content, said)


def test_a_spec_without_files_has_no_table_key():
    fails(GOOD, "unknown key 'table'", TaskSpec)


def test_missing_or_broken_files(tmp_path):
    with pytest.raises(BenchError, match=r"nowhere.toml: no such task file"):
        load_task_file(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [")
    with pytest.raises(BenchError, match=r"broken.toml: not a readable TOML file"):
        load_task_file(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BenchError, match="not a readable TOML file"):
        load_task_file(broken)
