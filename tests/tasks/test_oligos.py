import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.task_file import load_task_file

N = 40
RNG = np.random.default_rng(0)
BASES = ["".join(RNG.choice(list("ACGT"), 40)) for _ in range(N)]
NAMES = [f"o{i}" for i in range(N)]


def load(tmp_path, columns, records, extra=""):
    pd.DataFrame({"y": np.arange(N) / 7} | columns).to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    (tmp_path / "x.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in records))
    (tmp_path / "t.toml").write_text(
        f'name = "t"\ntable = "t.tsv"\nsequences = "x.fa"\n{extra}[targets.y]\nreplicates = ["y"]\n'
    )
    return load_task_file(tmp_path / "t.toml")


def test_sequences_by_id(tmp_path):
    order = RNG.permutation(N)
    records = [(f"{NAMES[i]} tile of chr1", BASES[i]) for i in order] + [("spare", "ACGTACGT")]
    task = load(tmp_path, {"oligo": NAMES}, records)
    assert task.sequences.to_strings() == BASES
    assert task.row_id.tolist() == NAMES
    assert any("by 'oligo'; 1 records have no row" in note for note in task.notes)


def test_sequences_by_order(tmp_path):
    """As DeepSTARR's: a FASTA of the fragments, a table of activities."""
    records = [(f"chr2L_{i}_+", bases) for i, bases in enumerate(BASES)]
    task = load(tmp_path, {}, records)
    assert task.sequences.to_strings() == BASES
    assert any("by order" in note for note in task.notes)
    declined = load(tmp_path, {"id": NAMES}, records, "columns = { id = false }\n")
    assert declined.sequences.to_strings() == BASES


@pytest.mark.parametrize(
    ("columns", "records", "said"),
    [
        ({}, list(zip(NAMES, BASES, strict=True))[1:], r"39 records for the 40 rows of t.tsv, which has no ids"),
        ({"id": NAMES}, list(zip(NAMES, BASES, strict=True))[1:], r"row 1 .*'o0' is not in x.fa \(1 rows are not\)"),
        ({"id": NAMES}, [(f"c{i}", b) for i, b in enumerate(BASES)], r"both have 40. If they stand .* id = false"),
    ],
)
def test_says_what_does_not_match(tmp_path, columns, records, said):
    with pytest.raises(BenchError, match=said):
        load(tmp_path, columns, records)


def test_a_headerless_table_is_told_how_to_be_read(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("".join(f"{bases}\t{i / 7:.3f}\n" for i, bases in enumerate(BASES)))
    task = tmp_path / "t.toml"
    task.write_text('name = "t"\ntable = "t.txt"\n[targets.y]\nreplicates = ["expression"]\n')
    with pytest.raises(BenchError, match=r'header = false .*\[columns\] names = \["sequence", "activity"\]'):
        load_task_file(task)
    task.write_text(
        'name = "t"\ntable = "t.txt"\nheader = false\n[columns]\nnames = ["sequence", "expression"]\n'
        '[targets.y]\nreplicates = ["expression"]\n'
    )
    assert load_task_file(task).sequences.to_strings() == BASES


# ---- AnnData ---------------------------------------------------------------------------------------------------------
def write_h5ad(path, **layers):
    """An .h5ad as MPRAlib writes it: replicates by barcodes."""
    anndata = pytest.importorskip("anndata", reason="the extra anndata is not installed")
    # anndata writes no strings of Arrow, which pandas makes of names unless it is told not to.
    oligo = pd.Categorical.from_codes(np.arange(120) // 3, pd.Index(np.array(NAMES[:40], object), dtype=object))
    var = pd.DataFrame({"oligo": oligo}, index=pd.Index([f"b{i:03d}" for i in range(120)], dtype=object))
    obs = pd.DataFrame(index=pd.Index(["1", "2"], dtype=object))
    anndata.AnnData(np.zeros((2, 120)), obs=obs, var=var, layers=layers).write_h5ad(path)


@pytest.fixture
def written(tmp_path):
    rng = np.random.default_rng(1)
    dna, rna = rng.integers(0, 20, (2, 120)), rng.integers(0, 20, (2, 120))
    write_h5ad(tmp_path / "t.h5ad", dna=dna, rna=rna)
    return dna, rna


def test_an_h5ad_is_the_table_of_its_barcodes(tmp_path, written):
    dna, rna = written
    unseen = (dna == 0) & (rna == 0)
    columns = {
        f"{kind}_count_{r + 1}": np.where(unseen[r], np.nan, layer[r])
        for r in (0, 1)
        for kind, layer in (("dna", dna), ("rna", rna))
    }
    frame = pd.DataFrame({"barcode": range(120), "oligo_name": [NAMES[i // 3] for i in range(120)], **columns})
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    (tmp_path / "x.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in zip(NAMES, BASES, strict=True)))
    digests = set()
    for table in ("t.tsv", "t.h5ad"):
        (tmp_path / "t.toml").write_text(f'name = "t"\nformat = "igvf-barcode"\ntable = "{table}"\ndesign = "x.fa"\n')
        digests.add(load_task_file(tmp_path / "t.toml").digest)
    assert len(digests) == 1


def test_an_h5ad_without_its_layers_or_with_fractions(tmp_path, written):
    (tmp_path / "x.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in zip(NAMES, BASES, strict=True)))
    (tmp_path / "t.toml").write_text('name = "t"\nformat = "igvf-barcode"\ntable = "t.h5ad"\ndesign = "x.fa"\n')
    dna, rna = written
    write_h5ad(tmp_path / "t.h5ad", dna=dna + 0.5, rna=rna)
    with pytest.raises(BenchError, match=r"column 'dna_count_1' must be a whole number, a raw count"):
        load_task_file(tmp_path / "t.toml")
    write_h5ad(tmp_path / "t.h5ad", rna=rna)
    with pytest.raises(BenchError, match=r"t\.h5ad: layer 'dna' is missing\. An \.h5ad needs the layers dna and rna"):
        load_task_file(tmp_path / "t.toml")


def test_an_h5ad_without_the_library(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "anndata", None)
    (tmp_path / "t.h5ad").write_bytes(b"")
    (tmp_path / "t.toml").write_text('name = "t"\nformat = "igvf-barcode"\ntable = "t.h5ad"\ndesign = "x.fa"\n')
    with pytest.raises(BenchError, match=r"reading .h5ad needs anndata: install the extra anndata"):
        load_task_file(tmp_path / "t.toml")
