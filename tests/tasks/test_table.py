import gzip
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.table import build_task
from bench.tasks.task_file import load_task_file

SPEC = TaskSpec(name="t", targets={"y": TargetSpec(replicates=["r1", "r2"])})


def rows(**columns):
    base = {
        "id": ["a", "b", "c", "d"],
        "sequence": ["ACGT", "acgu", "GGNN", "TTTTT"],
        "r1": [1.0, 2.0, 3.0, 4.0],
        "r2": [1.5, np.nan, 3.5, 4.5],
    }
    return pd.DataFrame(base | columns)


def build(frame, spec=SPEC):
    return build_task(spec, frame, source="t.tsv")


def spec(**changes):
    return SPEC.model_copy(update=changes)


def test_a_table_becomes_a_task():
    task = build(rows(chrom=["chr1", "chr1", 2, None], start=[5, 8, 5, 5], end=[9, 12, 9, 10]))
    assert task.sequences.to_strings() == ["ACGT", "ACGT", "GGNN", "TTTTT"]
    assert task.row_id.tolist() == ["a", "b", "c", "d"]
    assert task.chrom.tolist() == ["chr1", "chr1", "chr2", "unplaced"]
    assert task.position.tolist() == [5, 8, 5, 5]
    assert task.locus.tolist() == [0, 0, 1, 2]
    target = task.targets["y"]
    np.testing.assert_allclose(replace(target, combine="mean").value, [1.25, 2.0, 3.25, 4.25])
    assert (np.diff(target.value) > 0).all()
    assert task.counts == {"rows without a chromosome": 1}
    assert str(task.split) == "locus-kfold[k=5]"


def test_rows_and_letters_are_counted():
    frame = rows(sequence=["ACRT", "acgu", "GGNN", "TTYKT"], r1=[1, 2, 3, None], r2=[1, 2, 4, None])
    task = build(frame)
    assert len(task) == 3
    assert task.counts == {"rows without a measured target": 1, "IUPAC letters read as N": 1}
    assert task.sequences.to_strings()[0] == "ACNT"


def test_minimum_drops_and_counts():
    few = spec(minimum={"dna": 10.0}, columns=ColumnsSpec(covariates={"dna": "plasmid"}))
    task = build(rows(plasmid=[9, 10, 11, np.nan]), few)
    assert task.row_id.tolist() == ["b", "c"]
    assert task.counts == {"rows with dna below 10": 2}
    assert task.sequences.covariates["dna"].tolist() == [10, 11]


def test_without_coordinates_equal_bases_share_a_locus():
    task = build(rows(sequence=["AACG", "CGTT", "GGGG", "AACG"]))
    assert task.locus.tolist() == [0, 0, 1, 0]


def test_a_locus_column_decides_and_gaps_are_alone():
    task = build(rows(locus=["x", None, "x", None], chrom=["1"] * 4, start=[1] * 4, end=[9] * 4))
    assert task.locus.tolist() == [0, 1, 0, 2]


def test_ids_strata_and_whole_numbers():
    task = build(
        rows(chrom=[1.0, 2.0, np.nan, 3.0], kind=["u", None, "v", "u"]).drop(columns="id"),
        spec(columns=ColumnsSpec(strata={"kind": "kind"})),
    )
    assert task.chrom.tolist() == ["1", "2", "unplaced", "3"]
    assert task.row_id.tolist() == ["row-1", "row-2", "row-3", "row-4"]
    assert task.strata["kind"].tolist() == ["u", "", "v", "u"]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (rows().drop(columns="r2"), "column 'r2' is missing. Did you mean 'r1'"),
        (rows().drop(columns="sequence"), "column 'sequence' is missing"),
        (rows().iloc[:0], "no rows"),
        (rows(r1=["1", "x7", "3", "4"]), r"row 2 \('b'\), column 'r1' must be a finite number or empty. Got 'x7'"),
        (rows(r1=[1, 2, np.inf, 4]), r"row 3 \('c'\), column 'r1' must be a finite number"),
        (rows(r1=[7.0] * 4, r2=[7.0] * 4), r"target 'y' .* has only the value 7"),
        (rows(r1=[np.nan] * 4, r2=[np.nan] * 4), "no row is left"),
        (rows(id=["a", "b", "a", "d"]), "rows 1 and 3 share the 'id' 'a'"),
        (rows(id=["a", None, "c", "d"]), "row 2 has no 'id'"),
        (rows(sequence=["ACGT", "", "A", "C"]), r"row 2 \('b'\) has an empty sequence"),
        (rows(sequence=["ACGT", None, "A", "C"]), r"row 2 \('b'\) has an empty sequence"),
        (rows(sequence=["ACGT", "AC", "AC*T", "C"]), r"row 3 \('c'\), column 'sequence' has '\*'"),
        (rows(sequence=["ACGT", "AC", "AC", "C4"]), r"row 4 \('d'\), column 'sequence' has '4'"),
        (rows(sequence=["ACGT", "AC", "AΩ", "C"]), "has 'Ω'"),
        (rows(chrom=["1"] * 4, start=[1, 2, 3, 4], end=[9, 9, 3, 9]), r"row 3 .*start must lie before end"),
        (rows(chrom=["1"] * 4, start=[1, 2, -3, 4], end=[9] * 4), "whole number from 0 up. Got -3"),
        (rows(chrom=["1"] * 4, start=[1, 2.5, 3, 4], end=[9] * 4), "whole number from 0 up. Got 2.5"),
        (rows(strand=["+", "-", "x", "."]), "column 'strand' must be"),
    ],
)
def test_bad_tables_name_row_column_and_mend(frame, said):
    with pytest.raises(BenchError, match=said) as caught:
        build(frame)
    assert str(caught.value).startswith("t.tsv: ")
    assert "\n" not in str(caught.value)


def test_a_named_column_must_exist_and_targets_are_no_filter():
    with pytest.raises(BenchError, match="column 'oligo' is missing"):
        build(rows(), spec(columns=ColumnsSpec(id="oligo")))
    with pytest.raises(BenchError, match="filters on a target"):
        build(rows(), spec(minimum={"r1": 2.0}))
    with pytest.raises(BenchError, match="not 0 and 1"):
        build(rows(), spec(targets={"y": TargetSpec(replicates=["r1"], kind="binary")}))
    frame = rows()
    frame.columns = ["id", "sequence", "r1", "r1"]
    with pytest.raises(BenchError, match="two columns are called 'r1'"):
        build(frame)


@pytest.mark.parametrize(
    "changed",
    [
        {"sequence": ["ACGA", "acgu", "GGNN", "TTTTT"]},
        {"sequence": ["ACG", "Tacgu", "GGNN", "TTTTT"]},
        {"r2": [1.5, 2.0, 3.5, 4.5]},
        {"id": ["a", "b", "c", "e"]},
        {"chrom": ["1", "2", "3", "5"]},
        {"start": [1, 2, 3, 5]},
        {"locus": ["u", "u", "w", "z"]},
        {"dna": [1, 2, 3, 5]},
        {"kind": ["u", "v", "u", "u"]},
    ],
)
def test_the_digest_sees_every_change(changed):
    base = {
        "chrom": ["1", "2", "3", "4"],
        "start": [1, 2, 3, 4],
        "end": [9] * 4,
        "locus": ["u", "v", "w", "z"],
        "dna": [1, 2, 3, 4],
        "kind": ["u", "v", "u", "v"],
    }
    columns = spec(columns=ColumnsSpec(covariates={"dna": "dna"}, strata={"kind": "kind"}))
    digest = build(rows(**base), columns).digest
    assert build(rows(**base), columns).digest == digest
    assert build(rows(**base | changed), columns).digest != digest


CELLS = st.one_of(
    st.none(), st.text(max_size=6), st.integers(-5, 9), st.floats(), st.sampled_from(["ACGT", "chr1", "-"])
)
TABLES = st.integers(0, 6).flatmap(
    lambda n: st.dictionaries(
        st.sampled_from(["id", "sequence", "r1", "r2", "chrom", "start", "end", "strand", "locus", "dna"]),
        st.lists(CELLS, min_size=n, max_size=n),
    )
)


@settings(deadline=None, max_examples=150)
@given(TABLES)
def test_only_bench_errors_come_out_of_garbage(columns):
    try:
        task = build(pd.DataFrame(columns, dtype=object), spec(minimum={"dna": 1.0} if "dna" in columns else {}))
    except BenchError:
        return
    assert len(task) == len(task.sequences) == len(task.locus) == len(task.targets["y"].value)
    assert len(set(task.row_id.tolist())) == len(task)


# ---- files -----------------------------------------------------------------------------------------------------------
TOML = 'name = "t"\ntable = "{}"\n[columns]\nid = "{}"\n[targets.y]\nreplicates = ["{}"]\n'


def load(folder, table, id_column="id", replicate="r1"):
    (folder / "t.toml").write_text(TOML.format(table, id_column, replicate))
    return load_task_file(folder / "t.toml")


def test_every_kind_of_file_is_the_same_task(tmp_path):
    frame = rows(chrom=["1", "2", "3", "4"])
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv.gz", sep="\t", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    assert len({load(tmp_path, f"t.{kind}").digest for kind in ("tsv", "csv", "tsv.gz", "parquet")}) == 1


def test_bad_files(tmp_path):
    with pytest.raises(BenchError, match=r"t.tsv: no such table"):
        load(tmp_path, "t.tsv")
    whole = gzip.compress(rows().to_csv(sep="\t", index=False).encode() * 50)
    (tmp_path / "cut.tsv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BenchError, match=r"cut.tsv.gz: the gzip file is cut short"):
        load(tmp_path, "cut.tsv.gz")
    (tmp_path / "not.tsv.gz").write_bytes(b"id\tsequence\n")
    with pytest.raises(BenchError, match=r"is not gzipped\. Call it not\.tsv"):
        load(tmp_path, "not.tsv.gz")
    (tmp_path / "t.ods").write_bytes(b"")
    with pytest.raises(BenchError, match=r"a table must be .* Save the sheet as \.xlsx"):
        load(tmp_path, "t.ods")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(BenchError, match="the table has no rows"):
        load(tmp_path, "empty.csv")


def test_the_example_of_the_readme_loads(pytestconfig):
    from bench.tasks.folds import make_folds

    task = load_task_file(pytestconfig.rootpath / "examples" / "my_assay" / "my_assay.toml")
    assert task.card.name == "my-assay"
    assert str(task.split) == "chromosome-kfold[k=4]"
    assert set(task.sequences.covariates) == {"dna_count", "barcodes"}
    assert len(make_folds(task)) == 4


@pytest.mark.parametrize("words", [["1", "0"], ["True", "False"], ["yes", "no"], ["control", ""], ["TRUE", "x"]])
def test_a_column_of_controls_is_read_however_it_says_yes(words):
    found = rows(flag=[words[i % 2] for i in range(len(rows()))])
    task = build(found, spec(columns=ColumnsSpec(control="flag")))
    np.testing.assert_array_equal(task.control, np.arange(len(found)) % 2 == 0)


def test_a_column_that_marks_no_control_is_refused():
    with pytest.raises(BenchError, match=r"marks no row: none is 1, true, yes, control. There is: '0'"):
        build(rows(flag=["0"] * len(rows())), spec(columns=ColumnsSpec(control="flag")))
