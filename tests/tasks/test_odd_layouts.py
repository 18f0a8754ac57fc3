"""Oddities of FASTA and BED, counts and barcodes, long tables, splits and task files: as in ``test_odd_files.py``."""

import json
import random

import pytest
from odd_tables import FASTA, HEAD, ROWS, load, named, refused, text, with_column

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, VALID
from bench.tasks.task_file import load_task_file


# ---- FASTA and BED ---------------------------------------------------------------------------------------------------
def by_id(tmp_path, fasta, ids=lambda name: name):
    (tmp_path / "s.fa").write_text(fasta)
    rows = [[ids(row[0]), *row[7:9]] for row in ROWS]
    return load(tmp_path, text(rows, ["id", "rep1", "rep2"]), keys='sequences = "s.fa"', columns="")


@pytest.mark.parametrize(
    ("fasta", "said"),
    [
        ("ACGTACGT\n" + FASTA, "s.fa: line 1 has bases above the first record"),
        (FASTA + ">\nACGT\n", "s.fa: line 121 begins a record without a name"),
        (FASTA + ">r1\nACGT\n", "s.fa: two records are called 'r1'. Rename one."),
        (FASTA.replace(">r", ">oligo r"), "The name is the first word of a header: write _ for blanks"),
        (FASTA[:-200], "'r59' is not in s.fa"),
    ],
)
def test_fasta_refused_in_words(tmp_path, fasta, said):
    with pytest.raises(BenchError) as caught:
        by_id(tmp_path, fasta)
    assert said in str(caught.value)


def test_fasta_with_bars_comments_and_more_records(tmp_path):
    task = by_id(
        tmp_path, "; made by hand\n" + FASTA.replace(">r", ">gi|9|r") + ">x\nAC\n", lambda name: "gi|9|" + name
    )
    assert task.sequences.to_strings() == [row[1] for row in ROWS]
    assert "1 records have no row" in "; ".join(task.notes)


def genome(tmp_path):
    draw = random.Random(5)
    (tmp_path / "g.fa").write_text(
        "".join(f">chr{c}\n{''.join(draw.choices('ACGT', k=20_000))}\n" for c in range(1, 7))
    )
    return 'fasta = "g.fa"'


BED = [[row[2], row[3], row[4], row[0], "0", row[5], *row[7:9]] for row in ROWS]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("#" + text(BED, None), "line 1 begins with #, as comments do, and holds data like the rows below"),
        (text(BED, ["chrom", "start", "end", "name", "score", "strand", "a", "b"]), "line 1 is no row"),
        (text(BED[:30], None) + "track name=x\n" + text(BED[30:], None), "line 31 has 1 field"),
        (text([[*row[:3], ".", *row[4:]] for row in BED], None), "'name' names no rows: write id = false"),
    ],
)
def test_bed_refused_in_words(tmp_path, content, said):
    target = "replicates = ['column7', 'column8']"
    assert said in refused(tmp_path, content, "p.bed", genome(tmp_path), "", target)


def test_rows_that_begin_with_a_hash_are_not_lost(tmp_path):
    options = {"keys": "header = false", "columns": f"names = {json.dumps(HEAD)}"}
    first = "#" + text(ROWS, None)
    assert "line 1 begins with #" in refused(tmp_path, first, **options)
    assert "Every line begins with #" in refused(tmp_path, text([["#" + r[0], *r[1:]] for r in ROWS], None), **options)


def test_a_genome_beside_other_bases_or_an_unnamed_strand(tmp_path):
    keys = genome(tmp_path)
    assert "the bases in column 'sequence' are not those of the genome" in refused(tmp_path, text(ROWS), keys=keys)
    assert len(load(tmp_path, text(ROWS), keys=keys, columns="sequence = false")) == 60
    other = text(ROWS, named(sequence="bases", strand="orientation"))
    assert "column 'orientation' holds + and -: write strand = \"orientation\"" in refused(tmp_path, other, keys=keys)
    assert len(load(tmp_path, other, keys=keys, columns="strand = 'orientation'")) == 60


# ---- counts, barcodes, long tables -----------------------------------------------------------------------------------
COUNTS = "rna = ['rna1', 'rna2']\ndna = ['d1', 'd2']"


def counts(change=lambda value: value):
    draw = random.Random(1)
    rows = [[*row[:2], *(str(change(draw.randint(1, 500))) for _ in range(4))] for row in ROWS]
    return text(rows, ["id", "sequence", "rna1", "rna2", "d1", "d2"])


def test_counts_refused_in_words(tmp_path):
    def said(content, target=COUNTS, **options):
        return refused(tmp_path, content, columns="", target=target, **options)

    assert "must be a whole number, a raw count" in said(counts(lambda value: value + 0.5))
    assert "must be a whole number, written in full" in said(counts(lambda value: f"{value * 1000:.2E}"))
    crossed = said(counts(), target="rna = ['rna1', 'rna2']\ndna = ['d2', 'd1']")
    assert "'rna1' would be divided by 'd2'. Name both in the same order" in crossed
    assert "would make fractions of the counts in 'rna1'" in said(counts(), keys='duplicates = "mean"')
    leak = refused(tmp_path, text(ROWS), columns="covariates = { dna_count = 'rep1' }")
    assert "column 'rep1' is measured on a target" in leak


BARCODES = ["barcode", "oligo_name", "dna_count_1", "rna_count_1", "dna_count_2", "rna_count_2"]


def igvf(tmp_path, layout, content):
    (tmp_path / "d.fa").write_text(FASTA)
    (tmp_path / "x.tsv").write_text(content)
    path = tmp_path / "task.toml"
    path.write_text(f'name = "t"\ntable = "x.tsv"\nformat = "{layout}"\ndesign = "d.fa"\n')
    return load_task_file(path)


def barcodes(change=lambda i, row: row, head=BARCODES):
    draw = random.Random(2)
    rows = []
    for i, row in enumerate(ROWS):
        for _ in range(3):
            bases = "".join(draw.choices("ACGT", k=15))
            rows.append(change(i, [bases, row[0], *(str(draw.randint(1, 60)) for _ in range(4))]))
    return text(rows, head)


def test_barcode_tables(tmp_path):
    whole = igvf(tmp_path, "igvf-barcode", barcodes())
    capital = igvf(
        tmp_path,
        "igvf-barcode",
        barcodes(head=[*BARCODES[:2], *map(str.upper, BARCODES[2:])]).replace("DNA_COUNT", "DNA_count"),
    )
    assert capital.digest == whole.digest

    def said(content):
        with pytest.raises(BenchError) as caught:
            igvf(tmp_path, "igvf-barcode", content)
        return str(caught.value)

    assert "column 'dna_count_2' is missing" in said(barcodes(head=[*BARCODES[:4], "dna_cnt_2", "rna_count_2"]))
    assert "must be a whole number" in said(barcodes(lambda i, row: [*row[:2], row[2] + ".5", *row[3:]]))
    assert "(line 3): barcode 'ACGT' of oligo 'r0' stands there before" in said(
        barcodes(lambda i, row: ["ACGT", *row[1:]])
    )
    assert "(line 11) oligo 'q' is not in the design" in said(
        barcodes(lambda i, row: [row[0], "q", *row[2:]] if i == 3 else row)
    )
    assert "(line 11) has no 'oligo_name'" in said(barcodes(lambda i, row: [row[0], "", *row[2:]] if i == 3 else row))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (("1", "2", "01", "2"), "has '01' and '1'. If they are one replicate"),
        (("rep1", "rep2", "Rep_1", "rep2"), "has 'Rep_1' and 'rep1'"),
        (("1", "2", "", "2"), "has no 'replicate'"),
    ],
)
def test_replicates_under_two_names(tmp_path, labels, said):
    rows = [[r[0], r[1], labels[2 * (i % 2) + k], r[7 + k], "5", "8"] for i, r in enumerate(ROWS) for k in (0, 1)]
    head = ["id", "sequence", "replicate", "log2"]
    long = {"keys": 'format = "long"', "columns": "replicate = 'replicate'", "target": "replicates = ['log2']"}
    assert said in refused(tmp_path, text([row[:4] for row in rows], head), **long)
    columns = ["oligo_name", "sequence", "replicate", "log2FoldChange", "dna_counts", "n_bc"]
    with pytest.raises(BenchError) as caught:
        igvf(tmp_path, "igvf-experiment", text(rows, columns))
    assert said in str(caught.value)


def test_bases_that_differ_between_rows_of_an_element(tmp_path):
    rows = [
        [r[0], "A" + r[1][1:] if (i, k) == (3, 1) else r[1], str(k), r[7 + k]]
        for i, r in enumerate(ROWS)
        for k in (0, 1)
    ]
    long = {"keys": 'format = "long"', "columns": "replicate = 'replicate'", "target": "replicates = ['log2']"}
    said = refused(tmp_path, text(rows, ["id", "sequence", "replicate", "log2"]), **long)
    assert "column 'sequence' differs between rows of 'r3'" in said


# ---- splits, controls, task files ------------------------------------------------------------------------------------
def folds(tmp_path, split, values):
    return make_folds(load(tmp_path, with_column("sp", lambda i: values[i % len(values)]), keys=f'split = "{split}"'))


def test_groups_under_two_names(tmp_path):
    assert len(folds(tmp_path, "leave-one-out[by=sp]", ["human", "mouse", "human ", "rat"])) == 3
    with pytest.raises(BenchError, match="has 'Human' and 'human', which would be groups of their own"):
        folds(tmp_path, "leave-one-out[by=sp]", ["human", "mouse", "Human", "rat"])


def test_a_published_split_without_validation(tmp_path):
    made = folds(tmp_path, "column[name=sp]", ["Train", "TEST", "train", "train"])
    assert (made.part == TEST).sum() == 15
    assert (made.part == VALID).sum() == 9
    assert ((made.part == TEST) == [i % 4 == 1 for i in range(60)]).all()


@pytest.mark.parametrize("words", [("yes", "no"), ("1", "0"), ("TRUE", "FALSE"), ("true", "")])
def test_a_column_of_controls(tmp_path, words):
    task = load(tmp_path, with_column("ctl", lambda i: words[i % 3 != 0]), columns="control = 'ctl'")
    assert task.control.sum() == 20
    said = refused(tmp_path, with_column("ctl", lambda i: "x"), columns="control = 'ctl'")
    assert "[columns.control] column 'ctl' marks no row: none is 1, true, yes, control. There is: 'x'." in said


def test_a_path_with_backslashes(tmp_path):
    path = tmp_path / "task.toml"
    path.write_text('name = "t"\ntable = "data\\table.tsv"\n[targets.y]\nreplicates = ["rep1"]\n')
    with pytest.raises(BenchError, match=r"a backslash begins an escape\. Write / between folders"):
        load_task_file(path)


def test_names_by_position_that_look_alike_are_two_of_one_name(tmp_path):
    (tmp_path / "t.tsv").write_text("ACGT\tchr1\t1\t2\nACGA\tchr2\t2\t3\n")
    task = tmp_path / "t.toml"
    task.write_text(
        "name = 't'\ntable = 't.tsv'\nheader = false\n[columns]\n"
        "names = ['sequence', 'chrom', 'rep', 'rep\u200b']\n[targets.y]\nreplicates = ['rep']\n",
        encoding="utf-8",
    )
    with pytest.raises(BenchError, match="two columns are called 'rep'"):
        load_task_file(task)
