"""`bench init`: from a lab's own files to a board, whatever their shape."""

import tomllib

import numpy as np
import pytest
from calls import call, refused
from lab_files import SHAPES, assay, excel, fasta, headerless, lines, supplement, tab
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.cli import init
from bench.cli.main import app
from bench.tasks.task_file import load_task_file

ASSAY = assay()
#: Shape -> what init is not sure of: none may be guessed in silence.
ASKED = {
    "bed-and-genome": "Which columns are the replicates of one measurement",
    "fasta-and-activities": "order of the rows",
    "headerless": "no header",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_from_files_to_a_board_in_two_commands(shape, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = SHAPES[shape](ASSAY, tmp_path)
    if shape in ASKED:
        assert ASKED[shape] in refused("init", *files)
        assert not list(tmp_path.glob("*.toml"))
    status, printed, error = call("init", *files, *(["--yes"] if shape in ASKED else []), "--out", "mine.toml")
    assert status == 0, (printed, error)
    assert "next: bench run --task mine.toml" in printed
    assert "audit: " in printed
    status, printed, error = call(
        "run", "--task", "mine.toml", "-f", "gc", "-m", "ridge", "--quick", "-o", "board", "--workers", "0"
    )
    assert status == 0, (printed, error)
    assert "`gc` + `ridge`" in (tmp_path / "board" / "leaderboard.md").read_text()


@pytest.mark.parametrize("shape", SHAPES)
def test_what_was_measured_is_read(shape, tmp_path, monkeypatch):
    """The activities, the sequences and the number of replicates are those that the files were made of."""
    monkeypatch.chdir(tmp_path)
    status, printed, _ = call("init", *SHAPES[shape](ASSAY, tmp_path), "--yes", "--out", "mine.toml")
    assert status == 0, printed
    task = load_task_file("mine.toml")
    assert task.sequences.to_strings() == ASSAY.sequences
    (target,) = task.targets.values()
    single = shape in ("fasta-and-activities", "headerless")
    assert target.replicates.shape == (240, 1 if single else 2)
    counted = shape in ("igvf-barcode", "mprasnakeflow", "excel")
    dna = ASSAY.dna if shape != "excel" else ASSAY.dna[:, :1]
    want = np.log2((ASSAY.rna + 1) / (dna + 1)) if counted else ASSAY.activity
    for replicate, values in enumerate(target.replicates.T):
        off = values - want[:, replicate]  # counts: apart from a constant of the library
        np.testing.assert_allclose(off - (off.mean() if counted else 0), 0, atol=6e-5)
    if shape in ("supplement", "bed-and-genome"):
        assert task.position.tolist() == [start for _, start, _ in ASSAY.places]
        assert str(task.split) == "chromosome-kfold[k=5]"
    if shape in ("igvf-barcode", "mprasnakeflow"):
        assert task.sequences.covariates["dna_count"].tolist() == ASSAY.dna.sum(axis=1).tolist()
        assert set(task.sequences.covariates["barcodes"].tolist()) == {4.0}
    if shape in ("supplement", "excel"):
        assert task.sequences.covariates["dna_count"].tolist() == ASSAY.dna[:, 0].tolist()


def test_nothing_is_overwritten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (table,) = supplement(ASSAY, tmp_path)
    (tmp_path / "supplement.toml").write_text("mine")
    assert "supplement.toml exists and is not overwritten" in refused("init", table)
    assert (tmp_path / "supplement.toml").read_text() == "mine"


def test_paths_are_relative_to_the_task_file(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "tasks").mkdir()
    files = SHAPES["bed-and-genome"](ASSAY, tmp_path / "data")
    status, printed, _ = call("init", *files, "--yes", "--out", tmp_path / "tasks" / "mine.toml")
    assert status == 0, printed
    said = tomllib.loads((tmp_path / "tasks" / "mine.toml").read_text())
    assert (said["table"], said["fasta"]) == ("../data/peaks.bed", "../data/genome.fa")


def test_what_is_not_sure_is_asked(tmp_path, monkeypatch):
    """Two cell lines or two replicates: no name tells."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "on_terminal", lambda: True)
    rows = [tab(ASSAY.names[row], ASSAY.sequences[row], *ASSAY.activity[row]) for row in range(240)]
    (tmp_path / "two.tsv").write_text(lines(tab("id", "sequence", "K562_log2FC", "HepG2_log2FC"), *rows))
    answered = CliRunner().invoke(app, ["init", "two.tsv"], input="K562_log2FC\n")
    assert answered.exit_code == 0, answered.output
    assert "Which are replicates of one measurement" in answered.output
    assert tomllib.loads((tmp_path / "two.toml").read_text())["targets"]["activity"]["replicates"] == ["K562_log2FC"]
    again = CliRunner().invoke(app, ["init", "two.tsv", "--out", "again.toml"], input="\n")
    assert again.exit_code == 0, again.output
    assert load_task_file("again.toml").targets["activity"].replicates.shape == (240, 2)


def test_names_of_a_headerless_table_can_be_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(init, "on_terminal", lambda: True)
    headerless(ASSAY, tmp_path)
    answered = CliRunner().invoke(app, ["init", "expression.txt"], input="sequence, activity\n")
    assert answered.exit_code == 0, answered.output
    assert len(load_task_file("expression.toml")) == 240


def test_the_split_of_the_table_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        tab(name, bases, f"{values[0]:.3f}", 1 + row % 10, "fwd")
        for row, (name, bases, values) in enumerate(zip(ASSAY.names, ASSAY.sequences, ASSAY.activity, strict=True))
    ]
    (tmp_path / "legnet.tsv").write_text(lines(tab("seq_id", "seq", "mean_value", "fold_num", "rev"), *rows))
    status, printed, _ = call("init", "legnet.tsv")
    assert status == 0, printed
    assert str(load_task_file("legnet.toml").split) == "column[name=fold_num]"


def test_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.tsv").write_text(lines(tab("id", "rep1", "rep2"), *(tab(f"o{i}", i / 7, i / 9) for i in range(60))))
    assert "no column holds sequences. Give the FASTA" in refused("init", "t.tsv")
    assert "no such file" in refused("init", "u.tsv")
    (tmp_path / "a.fa").write_text(fasta({"x": "ACGT"}))
    assert "takes one table of measurements" in refused("init", "a.fa")
    (tmp_path / "s.tsv").write_text(lines(tab("id", "sequence"), *(tab(f"o{i}", "ACGTACGTACGT") for i in range(60))))
    assert "no column holds activities, or counts of both RNA and DNA" in refused("init", "s.tsv")
    assert "called something.toml" in refused("init", "t.tsv", "a.fa", "--out", "t.json")


def test_a_design_is_asked_for(tmp_path):
    table, _ = SHAPES["igvf-barcode"](ASSAY, tmp_path)
    assert "holds no sequences. Give its design too" in refused("init", table)


def test_counts_of_a_workbook_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    excel(ASSAY, tmp_path)
    status, printed, _ = call("init", "counts.xlsx")
    assert status == 0, printed
    said = tomllib.loads((tmp_path / "counts.toml").read_text())
    assert said["targets"]["activity"] == {"rna": ["RNA_1", "RNA_2"], "dna": ["plasmid"]}


# ---- what labs also have ---------------------------------------------------------------------------------------------
def drafted(tmp_path, monkeypatch, name, content, *more, asked=()):
    """The keys that init writes for a file, which must load; ``asked``: what it must not guess in silence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(content)
    for question in asked:
        assert question in refused("init", name, *more, "--out", "mine.toml")
    status, printed, error = call("init", name, *more, *(["--yes"] if asked else []), "--out", "mine.toml")
    assert status == 0, (printed, error)
    return tomllib.loads((tmp_path / "mine.toml").read_text())


def table(head, row):
    return lines(tab(*head), *(tab(*row(i)) for i in range(240)))


def values(i):
    return [f"{value:.3f}" for value in ASSAY.activity[i]]


def test_the_sheet_that_holds_the_table(tmp_path, monkeypatch):
    openpyxl = pytest.importorskip("openpyxl")
    monkeypatch.chdir(tmp_path)
    excel(ASSAY, tmp_path)
    book = openpyxl.load_workbook("counts.xlsx")
    notes = book.create_sheet("README", 0)
    for line in (["What is in this file"], ["sheet", "content"], ["Sheet", "counts"]):
        notes.append(line)
    book.save("counts.xlsx")
    status, printed, error = call("init", "counts.xlsx")
    assert status == 0, (printed, error)
    assert tomllib.loads((tmp_path / "counts.toml").read_text())["sheet"] == "Sheet"
    assert "# of the sheets README, Sheet" in printed
    again = book.copy_worksheet(book["Sheet"])
    again.title = "K562"
    book.save("counts.xlsx")
    assert "Which sheet holds the measurements? Guessed Sheet." in refused("init", "counts.xlsx", "--out", "other.toml")


def test_conditions_of_a_long_table_are_targets(tmp_path, monkeypatch):
    rows = [
        tab(name, ASSAY.sequences[i], cell, r + 1, f"{ASSAY.activity[i, r] + (cell == 'K562'):.3f}")
        for i, name in enumerate(ASSAY.names)
        for r in (0, 1)
        for cell in ("HepG2", "K562")
    ]
    content = lines(tab("id", "sequence", "cell_type", "bio_rep", "log2_ratio"), *rows)
    said = drafted(tmp_path, monkeypatch, "long.tsv", content)
    assert said["targets"]["K562"] == {"replicates": ["log2_ratio"], "rows": {"cell_type": "K562"}}
    assert load_task_file("mine.toml").targets["HepG2"].replicates.shape == (240, 2)


def test_a_running_number_is_no_activity(tmp_path, monkeypatch):
    content = lines(*(tab(i, f"s{i}", ASSAY.sequences[i], *values(i)) for i in range(240)))
    said = drafted(tmp_path, monkeypatch, "t.txt", content, asked=["no header"])
    assert said["columns"]["names"] == ["column1", "id", "sequence", "activity_1", "activity_2"]
    assert said["targets"]["activity"]["replicates"] == ["activity_1", "activity_2"]


def test_names_that_name_no_rows(tmp_path, monkeypatch):
    (tmp_path / "genome.fa").write_text(fasta(ASSAY.genome))
    content = lines(*(tab(*ASSAY.places[i], "." if i % 3 else f"p{i}", 0, "+", values(i)[0]) for i in range(240)))
    said = drafted(
        tmp_path, monkeypatch, "peaks.bed", content, "genome.fa", asked=["Which column holds the activities"]
    )
    assert said["columns"]["id"] is False
    assert load_task_file("mine.toml").sequences.to_strings() == ASSAY.sequences


def test_input_and_starr_are_counts(tmp_path, monkeypatch):
    def row(i):
        return [ASSAY.sequences[i], *ASSAY.dna[i], *ASSAY.rna[i]]

    head = ["seq", "input_rep1", "input_rep2", "STARR_rep1", "STARR_rep2"]
    said = drafted(tmp_path, monkeypatch, "s.tsv", table(head, row))
    assert said["targets"]["activity"] == {"rna": head[3:], "dna": head[1:3]}
    head = ["seq", "input_rep1", "input_rep2", "sorted_rep1", "sorted_rep2"]
    (tmp_path / "mine.toml").unlink()
    said = drafted(tmp_path, monkeypatch, "s.tsv", table(head, row), asked=["Which columns are RNA counts"])
    assert said["targets"]["activity"] == {"rna": head[3:], "dna": head[1:3]}


def test_ratios_and_normalised_counts(tmp_path, monkeypatch):
    def row(i):
        return [ASSAY.sequences[i], ASSAY.dna[i, 0], ASSAY.rna[i, 0], f"{ASSAY.rna[i, 0] / ASSAY.dna[i, 0]:.3f}"]

    said = drafted(tmp_path, monkeypatch, "r.tsv", table(["sequence", "DNA", "RNA", "RNA/DNA"], row))
    assert said["targets"]["activity"]["replicates"] == ["RNA/DNA"]
    (tmp_path / "n.tsv").write_text(
        table(["sequence", "DNA_rpm", "RNA_rpm"], lambda i: [ASSAY.sequences[i], 0.5 + ASSAY.dna[i, 0], row(i)[3]])
    )
    assert "'RNA_rpm' has fractions, so that RNA and DNA are not raw counts" in refused("init", "n.tsv")


def test_places_by_a_word_of_a_name_and_from_one(tmp_path, monkeypatch):
    def row(i):
        chrom, start, end = ASSAY.places[i]
        return [ASSAY.sequences[i], chrom, start + 1, end, ("human", "mouse")[i % 2], *values(i)]

    head = ["sequence", "chr (hg38)", "Start hg38", "End hg38", "species", "log2FC_1", "log2FC_2"]
    said = drafted(tmp_path, monkeypatch, "p.tsv", table(head, row), asked=["Which column is start"])
    assert said["columns"] == {
        "chrom": "chr (hg38)", "start": "Start hg38", "end": "End hg38", "species": "species"
    }  # fmt: skip
    assert said["coordinates"] == "1-based"
    assert load_task_file("mine.toml").position.tolist() == [start for _, start, _ in ASSAY.places]


def test_a_genome_is_not_used_beside_sequences(tmp_path, monkeypatch):
    (tmp_path / "genome.fa").write_text(fasta({name: bases[::-1] for name, bases in ASSAY.genome.items()}))
    content = table(
        ["sequence", "chrom", "start", "end", "log2FC"],
        lambda i: [ASSAY.sequences[i], *ASSAY.places[i], values(i)[0]],
    )
    said = drafted(tmp_path, monkeypatch, "p.tsv", content, "genome.fa")
    assert "fasta" not in said
    assert "The table has sequences: genome.fa is not used." in (tmp_path / "mine.toml").read_text()


def test_a_split_without_validation_and_two_columns_of_ids(tmp_path, monkeypatch):
    head = ["id", "oligo", "sequence", "set", "expression"]
    content = table(head, lambda i: [i, ASSAY.names[i], ASSAY.sequences[i], "train" if i % 5 else "test", values(i)[0]])
    said = drafted(tmp_path, monkeypatch, "t.tsv", content, asked=["Which column is id (id, oligo)"])
    assert said["split"] == "column[name=set]"
    assert "of its train rows, one locus in five validates" in (tmp_path / "mine.toml").read_text()


def test_files_of_intervals_become_strata(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_small_task(tmp_path)
    (tmp_path / "my states.bed").write_text("1\t0\t90000\tEnh\n1\t100000\t200000\tTss\n")
    (tmp_path / "genes.gtf").write_text('chr2\tx\ttranscript\t900\t5000\t.\t+\t.\tgene_id "g";\n')
    said = CliRunner().invoke(app, ["init", "small.tsv", "my states.bed", "genes.gtf", "--yes", "--out", "new.toml"])
    assert said.exit_code == 0, said.output
    task = load_task_file(tmp_path / "new.toml")
    assert set(task.strata["my-states"].tolist()) == {"Enh", "Tss", "elsewhere"}
    assert "inside" in task.strata["genes"].tolist()


def test_labels_make_a_binary_target(tmp_path, monkeypatch):
    rows = "".join(f"e{i}\t{ASSAY.sequences[i]}\t{['weak', 'active'][i % 3 > 0]}\n" for i in range(60))
    asked = ["Which label of 'call' is positive"]
    task = drafted(tmp_path, monkeypatch, "labels.tsv", f"name\tseq\tcall\n{rows}", asked=asked)
    assert task["targets"] == {"call": {"replicates": ["call"], "positive": "active"}}
    found = load_task_file("mine.toml").targets["call"]
    assert found.value.tolist() == [float(i % 3 > 0) for i in range(60)]


def test_columns_of_0_and_1_make_a_binary_target(tmp_path, monkeypatch):
    rows = "".join(f"e{i}\t{ASSAY.sequences[i]}\t{i % 2}\t{int(i % 5 > 1)}\n" for i in range(60))
    asked = ["Which columns are the replicates"]
    task = drafted(tmp_path, monkeypatch, "classes.tsv", f"name\tseq\tactive_rep1\tactive_rep2\n{rows}", asked=asked)
    (target,) = task["targets"].values()
    assert target == {"replicates": ["active_rep1", "active_rep2"], "kind": "binary"}
    assert load_task_file("mine.toml").targets.popitem()[1].kind == "binary"
