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
    with pytest.raises(BenchError, match=r"is not gzipped. Call it design.fa"):
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


# ---- what other tools write ------------------------------------------------------------------------------------------
def experiment(no_bc=False, older=False):
    rng = np.random.default_rng(0)
    names = [f"o{i}" for i in range(30)] + ["no_BC"] * no_bc
    rows = [
        {
            "replicate": replicate,
            "oligo_name": name,
            "dna_counts": int(rng.integers(1, 99)),
            "rna_counts": int(rng.integers(1, 99)),
            "log2FoldChange": round(float(rng.normal()), 4),
            "n_bc": int(rng.integers(1, 30)),
        }
        for name in names
        for replicate in (1, 2)
    ]
    frame = pd.DataFrame(rows)
    older_names = {"oligo_name": "name", "log2FoldChange": "log2", "n_bc": "n_obs_bc", "dna_counts": "dna_count"}
    return frame.rename(columns=older_names) if older else frame


def load(tmp_path, layout, frame, design, extra="", name="t.tsv", header=True):
    frame.to_csv(tmp_path / name, sep="\t", index=False, header=header)
    (tmp_path / "d.fa").write_text(design)
    path = tmp_path / "t.toml"
    path.write_text(f'name = "t"\nformat = "igvf-{layout}"\ntable = "{name}"\ndesign = "d.fa"\n{extra}')
    return load_task_file(path)


def oligos(n=30, header="{}"):
    rng = np.random.default_rng(1)
    bases = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(n)]
    return "".join(f">{header.format(f'o{i}')}\n{each}\n" for i, each in enumerate(bases))


@pytest.mark.parametrize("older", [False, True])
def test_barcodes_of_no_oligo_and_older_names(tmp_path, older):
    clean = load(tmp_path, "experiment", experiment(), oligos())
    assert len(clean) == 30
    again = load(tmp_path, "experiment", experiment(no_bc=True, older=older), oligos(header="{} hg38 chr1 tile"))
    assert again.digest == clean.digest
    assert again.counts == {"rows of no_BC (assigned to no oligo) left out": 2}


def test_barcodes_of_older_versions(tmp_path):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"barcode": [f"b{i}" for i in range(90)], "oligo_name": [f"o{i // 3}" for i in range(90)]}
        | {f"{kind}_count_{r}": rng.integers(0, 50, 90) for r in (1, 2) for kind in ("dna", "rna")}
    )
    clean = load(tmp_path, "barcode", frame, oligos())
    extra = frame.head(20).assign(oligo_name="no_BC", barcode=[f"n{i}" for i in range(20)])
    more = pd.concat([frame, extra]).rename(columns={"barcode": "Barcode", "oligo_name": "name"})
    again = load(tmp_path, "barcode", more, oligos())
    assert again.digest == clean.digest
    assert again.counts == {"rows of no_BC (assigned to no oligo) left out": 20}


def test_elements_have_no_replicates(tmp_path):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "oligo_name": [f"o{i}" for i in range(30)],
            "log2FoldChange": rng.normal(size=30).round(4),
            "inputCount": rng.random(30).round(4),
            "outputCount": rng.random(30).round(4),
            "minusLog10PValue": 0.5,
            "minusLog10QValue": 0.0,
        }
    )
    task = load(tmp_path, "element", frame, oligos())
    assert task.targets["activity"].replicates[:, 0].tolist() == frame["log2FoldChange"].tolist()
    assert task.sequences.covariates["dna_count"].tolist() == frame["inputCount"].tolist()
    assert task.card.note == "No replicates: no noise ceiling."


def genomic(n=30):
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "chrom": [f"chr{1 + i % 3}" for i in range(n)],
            "start": [100 * (i // 3) for i in range(n)],
            "end": [100 * (i // 3) + 40 for i in range(n)],
            "name": [f"o{i}" for i in range(n)],
            "score": 100,
            "strand": ["+", "-"] * (n // 2),
            "log2FoldChange": rng.normal(size=n).round(4),
        }
        | {name: rng.random(n).round(4) for name in ("in", "out", "p", "q")}
    )


def test_genomic_elements_from_a_design_or_a_genome(tmp_path):
    frame = genomic()
    by_design = load(tmp_path, "genomic-element", frame, oligos(), name="t.bed", header=False)
    assert by_design.targets["activity"].replicates[:, 0].tolist() == frame["log2FoldChange"].tolist()
    assert by_design.position.tolist() == frame["start"].tolist()
    assert by_design.chrom.tolist() == frame["chrom"].tolist()
    assert by_design.card.note == "No replicates: no noise ceiling."
    rng = np.random.default_rng(5)
    genome = {f"chr{i}": "".join(rng.choice(list("ACGT"), 1100)) for i in (1, 2, 3)}
    (tmp_path / "g.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    path = tmp_path / "g.toml"
    path.write_text('name = "t"\nformat = "igvf-genomic-element"\ntable = "t.bed"\nfasta = "g.fa"\n')
    task = load_task_file(path)
    swap = str.maketrans("ACGT", "TGCA")
    for row, (chrom, start, end, strand) in enumerate(
        zip(frame["chrom"], frame["start"], frame["end"], frame["strand"], strict=True)
    ):
        bases = genome[chrom][start:end]
        assert task.sequences.to_strings()[row] == (bases[::-1].translate(swap) if strand == "-" else bases)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('format = "igvf-element"\ntable = "t.tsv"\n', "needs design"),
        ('format = "igvf-genomic-element"\ntable = "t.bed"\n', "needs design"),
        (
            'format = "igvf-element"\ntable = "t.tsv"\ndesign = "d.fa"\nbarcodes = { outliers = 3 }\n',
            "for format 'igvf-bar",
        ),
    ],
)
def test_keys_of_elements(tmp_path, text, said):
    (tmp_path / "t.toml").write_text('name = "t"\n' + text)
    with pytest.raises(BenchError, match=said):
        load_task_file(tmp_path / "t.toml")


# ---- the field's own example -----------------------------------------------------------------------------------------
def example(data_dir, tmp_path, layout, table, design):
    folder = data_dir / "igvf_example"
    path = tmp_path / f"{layout}.toml"
    path.write_text(f'name = "x"\nformat = "igvf-{layout}"\ntable = "{folder}/{table}"\ndesign = "{folder}/{design}"\n')
    return load_task_file(path)


@pytest.mark.data
def test_counts_become_what_mpralib_made_of_them(data_dir, tmp_path):
    """``reporter_experiment`` was made by MPRAlib of the barcode table: log2FoldChange of every oligo, replicate, and
    counts of DNA and barcodes."""
    task = example(data_dir, tmp_path, "barcode", "reporter_experiment_barcode.input.tsv.gz", "design.fa")
    made = pd.read_csv(data_dir / "igvf_example" / "reporter_experiment.tsv.gz", sep="\t")
    row = {name: i for i, name in enumerate(task.row_id.tolist())}
    assert len(made) == int(np.isfinite(task.targets["activity"].replicates).sum()) == 6746
    at = made["oligo_name"].map(row).to_numpy(), made["replicate"].to_numpy() - 1
    assert abs(task.targets["activity"].replicates[at] - made["log2FoldChange"]).max() < 1e-4
    dna = made.groupby("oligo_name")["dna_counts"].sum()
    assert task.sequences.covariates["dna_count"].tolist() == dna.loc[task.row_id].tolist()
    barcodes = made.groupby("oligo_name")["n_bc"].mean()
    np.testing.assert_allclose(task.sequences.covariates["barcodes"], barcodes.loc[task.row_id])


@pytest.mark.data
@pytest.mark.parametrize(
    ("layout", "table"),
    [("element", "reporter_element.example.tsv.gz"), ("genomic-element", "reporter_genomic_element.example.bed.gz")],
)
def test_elements_of_the_example(data_dir, tmp_path, layout, table):
    """``log2FoldChange`` and ``inputCount`` of every oligo; of genomic elements the place too."""
    from bench.tasks.igvf import GENOMIC_ELEMENT

    bed = layout == "genomic-element"
    raw = pd.read_csv(data_dir / "igvf_example" / table, sep="\t", **({"names": GENOMIC_ELEMENT} if bed else {}))
    name = "name" if bed else "oligo_name"
    rng = np.random.default_rng(0)
    design = "".join(f">{each}\n{''.join(rng.choice(list('ACGT'), 200))}\n" for each in raw[name])
    (tmp_path / "d.fa").write_text(design)
    path = tmp_path / "t.toml"
    path.write_text(
        f'name = "x"\nformat = "igvf-{layout}"\ntable = "{data_dir / "igvf_example" / table}"\ndesign = "d.fa"\n'
    )
    task = load_task_file(path)
    raw = raw.set_index(name).loc[task.row_id]
    assert len(task) == 100
    np.testing.assert_allclose(task.targets["activity"].replicates[:, 0], raw["log2FoldChange"], atol=1e-12)
    np.testing.assert_allclose(task.sequences.covariates["dna_count"], raw["inputCount"], atol=1e-12)
    if bed:
        assert task.position.tolist() == raw["start"].tolist()
        assert task.chrom.tolist() == raw["chrom"].tolist()
