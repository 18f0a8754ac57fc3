import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.igvf import canonical
from bench.tasks.oligos import read_design
from bench.tasks.task_file import load_task_file

DESIGN = pd.DataFrame({"id": ["o1", "o2", "o3"], "sequence": ["ACGT", "GGCC", "TTTT"]})
BARCODES = pd.DataFrame(
    {
        "barcode": ["b1", "b2", "b3", "b4"],
        "oligo_name": ["o1", "o1", "o2", "o2"],
        "dna_count_A": [3, 5, 2, np.nan],
        "rna_count_A": [6, 10, 1, np.nan],
        "dna_count_B": [np.nan, 4, 1, 1],
        "rna_count_B": [np.nan, 4, 0, 3],
    }
)


def test_barcodes_are_summed_and_normalised():
    table = canonical("igvf-barcode", BARCODES, DESIGN, "t").frame.set_index("id")
    assert table.index.tolist() == ["o1", "o2"]
    # Replicate A: DNA 8 and 2, RNA 16 and 1; log2 ((16+1)/(17+2)) / ((8+1)/(10+2))
    assert table.loc["o1", "replicate A"] == pytest.approx(np.log2((17 / 19) / (9 / 12)))
    assert table.loc["o2", "replicate B"] == pytest.approx(np.log2((4 / 9) / (3 / 8)))
    assert table["dna_count"].tolist() == [12, 4]
    assert table["barcodes"].tolist() == [1.5, 1.5]


def test_says_what_is_wrong():
    with pytest.raises(BenchError, match="column 'rna_count_B' is missing"):
        canonical("igvf-barcode", BARCODES.drop(columns="rna_count_B"), DESIGN, "t")
    with pytest.raises(BenchError, match="column 'replicate' is missing"):
        canonical("igvf-experiment", BARCODES, DESIGN, "t")
    with pytest.raises(BenchError, match="oligo 'o2' is not in the design"):
        canonical("igvf-barcode", BARCODES, DESIGN.iloc[:1], "t")
    with pytest.raises(BenchError, match=r"row 1, column 'dna_count_A' must be a finite number or empty\. Got 'many'"):
        canonical("igvf-barcode", BARCODES.assign(dna_count_A="many"), DESIGN, "t")
    with pytest.raises(BenchError, match="row 1, column 'rna_count_A' must be a count, 0 or more"):
        canonical("igvf-barcode", BARCODES.assign(rna_count_A=-1), DESIGN, "t")
    long = pd.DataFrame({"replicate": [1, 1], "oligo_name": "o1", "dna_counts": 3, "log2FoldChange": 0.1, "n_bc": 2})
    with pytest.raises(BenchError, match="oligo 'o1' stands twice in replicate 1"):
        canonical("igvf-experiment", long, DESIGN, "t")


def test_a_design_table_brings_coordinates(tmp_path):
    path = tmp_path / "design.tsv"
    path.write_text(
        "name\tsequence\tclass\tchr\tstart\tend\tstrand\n"
        "o1\tACGT\telement\tchr1\t5\t9\t+\no2\tGGCC\tcontrol\tNA\tNA\tNA\tNA\n"
    )
    design = read_design(path)
    assert design["chrom"].tolist()[0] == "chr1"
    assert design["start"].isna().tolist() == [False, True]
    with pytest.raises(BenchError, match=r"no.fa: no such design"):
        read_design(tmp_path / "no.fa")


def test_a_design_that_is_none(tmp_path):
    path = tmp_path / "design.tsv"
    path.write_text("oligo_name\tlog2FoldChange\no1\t0.5\n")
    with pytest.raises(BenchError, match=r"column 'name' is missing .*The design is a FASTA .* or a reporter_sequence"):
        read_design(path)
    (tmp_path / "design.fa.gz").write_bytes(b">o1\nACGT\n")
    with pytest.raises(BenchError, match=r"not a readable FASTA: .* Check the file"):
        read_design(tmp_path / "design.fa.gz")


@pytest.mark.data
def test_both_layouts_of_one_experiment_agree(data_dir, tmp_path):
    """The experiment table was made from the barcode table by the field's own tool."""
    folder = data_dir / "igvf_example"
    tasks = []
    for kind, table in (("experiment", "reporter_experiment"), ("barcode", "reporter_experiment_barcode.input")):
        path = tmp_path / f"{kind}.toml"
        path.write_text(
            f'name = "x"\nformat = "igvf-{kind}"\ntable = "{folder}/{table}.tsv.gz"\ndesign = "{folder}/design.fa"\n'
        )
        tasks.append(load_task_file(path))
    experiment, barcode = tasks
    assert experiment.row_id.tolist() == barcode.row_id.tolist()
    values = [task.targets["activity"].replicates for task in tasks]
    assert values[0].shape[1] == 3
    np.testing.assert_allclose(values[0], values[1], atol=1e-4)
    np.testing.assert_array_equal(
        experiment.sequences.covariates["dna_count"], barcode.sequences.covariates["dna_count"]
    )


def test_a_table_without_any_count_is_refused():
    empty = BARCODES.assign(**{column: np.nan for column in BARCODES if "_count_" in str(column)})
    with pytest.raises(BenchError, match="no oligo was measured in any replicate"):
        canonical("igvf-barcode", empty, DESIGN, "t")
