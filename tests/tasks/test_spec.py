import re

import pytest

from bench.errors import BenchError
from bench.files.toml import validated
from bench.tasks.aliases import ALIASES
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskFile, TaskSpec
from bench.tasks.stratum_spec import StratumSpec
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


def test_the_page_names_every_key_and_alias(pytestconfig):
    page = (pytestconfig.rootpath / "docs" / "task-file.md").read_text(encoding="utf-8")
    for model in (TaskFile, ColumnsSpec, TargetSpec, StratumSpec):
        for key in model.model_fields:
            assert f"`{key}`" in page or f"[{key}]" in page or key in ("targets", "columns"), key
    for part, aliases in ALIASES.items():
        [line] = [line for line in page.split("\n") if line.startswith(f"| `{part}` | `")]
        assert re.findall(r"`([^`]+)`", line.split("|")[2]) == list(aliases)


def test_all_that_is_wrong_is_said_at_once():
    content = GOOD | {"tabel": "t", "strata": ["class"], "columns": {"end": 3, "split": "x"}, "orientation": "both"}
    with pytest.raises(BenchError) as caught:
        validated(TaskFile, content, "mine.toml")
    said = str(caught.value)
    assert said.startswith("mine.toml: 5 problems. (1) unknown key")
    assert "'strata' at the top of the file is for tables [strata.NAME]" in said
    assert "A list of columns belongs under [columns]" in said
    assert "unknown key 'split' in [columns]. It belongs at the top of the file" in said
    assert "unknown key 'tabel'. Did you mean 'table'?" in said
    assert "'end' in [columns]: must be the name of a column, or false" in said
