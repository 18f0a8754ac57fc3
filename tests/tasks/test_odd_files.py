"""Files as labs have them, with one oddity each: the clean table's digest, a line of what is wrong, or a line that says
what was read. Nothing is different in silence. (`tests/support/traits.py` mixes another thirty.)"""

import gzip
import json
import random
from decimal import Decimal

import pandas as pd
import pytest

from bench.errors import BenchError
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, VALID
from bench.tasks.task_file import load_task_file

HEAD = ["id", "sequence", "chrom", "start", "end", "strand", "dna", "rep1", "rep2", "class"]
COLUMNS = "covariates = { dna_count = 'dna' }\nstrata = ['class']"
TARGET = "replicates = ['rep1', 'rep2']"


def _rows():
    draw = random.Random(3)
    rows = []
    for i in range(60):
        place = [f"chr{1 + i % 6}", str(1000 + 300 * i), str(1120 + 300 * i), "+-"[i % 2]]
        values = [str(draw.randint(5, 2000)), f"{draw.gauss(0, 1):.4f}", f"{draw.gauss(0, 1):.4f}"]
        rows.append([f"r{i}", "".join(draw.choices("ACGT", k=120)), *place, *values, ("prom", "enh")[i % 2]])
    return rows


ROWS = _rows()
FASTA = "".join(f">{row[0]}\n{row[1]}\n" for row in ROWS)


def text(rows, head=HEAD, sep="\t", end="\n"):
    return end.join(sep.join(row) for row in [*([head] if head else []), *rows]) + end


def each(column, change, where=lambda i: True):
    """The table with a change in one column of some rows."""
    at = HEAD.index(column)
    return text([[*row[:at], change(row[at]), *row[at + 1 :]] if where(i) else row for i, row in enumerate(ROWS)])


def one(column, value):
    return each(column, lambda _: value, lambda i: i == 3)


def with_column(name, value):
    return text([[*row, value(i)] for i, row in enumerate(ROWS)], [*HEAD, name])


def named(**names):
    return [names.get(name, name) for name in HEAD]


def load(folder, content, name="t.tsv", keys="", columns=COLUMNS, target=TARGET):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / "task.toml"
    path.write_text(f'name = "t"\ntable = "{name}"\n{keys}\n[columns]\n{columns}\n[targets.y]\n{target}\n')
    return load_task_file(path)


def refused(*arguments, **options):
    with pytest.raises(BenchError) as caught:
        load(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return load(tmp_path_factory.mktemp("clean"), text(ROWS)).digest


SAME = {
    "column called #": text([[str(i), *row] for i, row in enumerate(ROWS)], ["#", *HEAD]),
    "unseen characters": each("chrom", lambda v: v + "\u200b", lambda i: i % 4 == 0),
    "two byte order marks": b"\xef\xbb\xbf" * 2 + text(ROWS).encode(),
    "soft-masked": each("sequence", lambda v: v[:40].lower() + v[40:]),
    "RNA in part": each("sequence", lambda v: v.replace("T", "U", 3)),
    "strand in numbers": each("strand", lambda v: {"+": "1", "-": "-1"}[v]),
    "capital prefix": each("chrom", str.upper, lambda i: i % 2 == 1),
    "a length that disagrees": with_column("length", lambda i: "77"),
    "a line end of its own in each half": text(ROWS[:30], end="\r") + text(ROWS[30:], None, end="\r\n"),
    "footer without measurement": text([*ROWS, ["* p < 0.05", *[""] * 9]]),
}


@pytest.mark.parametrize("oddity", SAME)
def test_read_as_the_clean_table(tmp_path, oddity, clean):
    assert load(tmp_path, SAME[oddity]).digest == clean


@pytest.mark.parametrize("tail", [b"\0" * 10, b""])
def test_gzip_in_pieces(tmp_path, tail, clean):
    packed = gzip.compress(text(ROWS[:30]).encode()) + gzip.compress(text(ROWS[30:], None).encode())
    assert load(tmp_path, packed + tail, "t.tsv.gz").digest == clean


REFUSED = {
    # numbers
    "date": (one("rep1", "1-Mar"), "row 4 ('r3', line 5), column 'rep1'", "A spreadsheet made a date of it"),
    "exponent with a comma": (one("rep1", "1,5E-03"), "line 5", "decimal comma"),
    "infinite": (one("rep1", "1e400"), "line 5", "finite number"),
    "thousands points": (
        each("dna", lambda v: "1.230" if int(v) > 999 else str(int(v) % 1000)),
        "column 'dna'",
        "Its point divides thousands",
    ),
    "rounded positions": (
        each("start", lambda v: f"{int(v) * 1000:.2E}").replace("end", "stop", 1),
        "column 'start'",
        "rounded it to three digits",
    ),
    "flat replicate": (each("rep2", lambda v: "0"), "replicate 'rep2'", "one value in all rows. Leave it out"),
    # rows and headers
    "footer": (text(ROWS) + "* p < 0.05\n", "line 62 has 1 field", "A note or footer: delete it"),
    "comment below the header": (text([["# log2"], *ROWS]), "line 2", "Comments stand above the table"),
    "totals": (text([*ROWS, ["Total", *[""] * 6, "1.5", "2.5", ""]]), "line 62", "empty sequence"),
    "units": (
        text([["", "nt", "", "bp", "bp", "", "reads", "log2", "log2", ""], *ROWS]),
        "line 2 is no row (it has 'nt'",
        "Make one line of names",
    ),
    "two lines of names": (
        text([["", *[""] * 6, "rep1", "rep2", ""], *ROWS], [*HEAD[:7], "HepG2", "", "class"]),
        "line 2 is no row (it has 'rep1'",
        "Is line 1 a header",
    ),
    "header again": (text(ROWS[:30]) + text(ROWS[30:]), "line 32", "finite number"),
    "tab in quotes": (each("class", lambda v: '"a\tb"', lambda i: i == 4), "line 6 has 11", "take the tab out"),
    "NUL": (one("id", "r\0"), "line 5", "NUL byte"),
    "UTF-16": (text(ROWS).encode("utf-16"), "line 1", "not as UTF-16"),
    "gzip without the ending": (gzip.compress(text(ROWS).encode()), "is gzipped", "Call it t.tsv.gz"),
    "workbook": (b"PK\x03\x04" + bytes(900), "Excel workbook", "Call a workbook .xlsx"),
    "semicolons": (text(ROWS, sep=";"), "single column", "this one has semicolons. Export it with tabs"),
    "commas": (text(ROWS, sep=","), "single column", "Call it .csv"),
    # bases
    "NA for bases": (one("sequence", "NA"), "line 5", "empty sequence"),
    "nan for bases": (one("sequence", "nan"), "line 5", "empty sequence"),
    "gap": (each("sequence", lambda v: v[:9] + "-" + v[10:], lambda i: i == 3), "line 5", "no base"),
    # places
    "other alphabet": (each("chrom", lambda v: "\u0441" + v[1:], lambda i: i == 3), "line 5", "beyond ASCII"),
    "accessions": (
        each("chrom", lambda v: f"NC_00000{v[3:]}.11", lambda i: i % 4 == 0),
        "'NC_000001.11'",
        "Write one name for each",
    ),
    "place as chromosome": (each("chrom", lambda v: v + ":5-9"), "line 2", "divide it into columns"),
    "place as locus": (
        text([[*row[:2], f"{row[2]}:{row[3]}-{row[4]}", *row[5:]] for row in ROWS], [*HEAD[:2], "locus", *HEAD[5:]]),
        "'chr1:1000-1120'",
        "Divide it into columns chrom, start and end",
    ),
    "1-based, one row in seven by itself": (
        text([[*row[:3], str(int(row[3]) + 1 - 3 * (i % 7 == 0)), *row[4:]] for i, row in enumerate(ROWS)]),
        "coordinates look 1-based",
        'write coordinates = "1-based"',
    ),
    "start twice": (with_column("chromStart", lambda i: "1"), "'start' and 'chromStart'", "Name one"),
    "two sequences": (with_column("seq", lambda i: "ACGT"), "could each be sequence", "Name one"),
}  # fmt: skip


@pytest.mark.parametrize("oddity", REFUSED)
def test_refused_in_words(tmp_path, oddity):
    content, place, fix = REFUSED[oddity]
    said = refused(tmp_path, content)
    assert "t.tsv" in said
    assert place in said
    assert fix in said
    assert "2 problems" not in said or oddity == "header again"


SAID = {
    "dates for ids": (one("id", "2-Sep"), "1 id looks like a date, such as '2-Sep'"),
    "sentinel": (each("rep1", lambda v: "-999", lambda i: i % 9 == 3), "column 'rep1' is -999 in 7 rows"),
    "two ways to count": (
        text([[*row[:3], str(int(row[3]) + i % 2), *row[4:]] for i, row in enumerate(ROWS)]),
        "is the length of the sequence in 30 rows and a base off in 30",
    ),
    "species": (with_column("species", lambda i: ("human", "mouse")[i % 2]), "column 'species' has 2 values"),
    "places in ids": (
        text([[f"{r[2]}:{r[3]}-{r[4]}", r[1], *r[6:]] for r in ROWS], ["id", "sequence", *HEAD[6:]]),
        "ids look like places, such as 'chr1:1000-1120'",
    ),
    "replicates in rows": (
        text([[r[1], *r[6:]] for r in ROWS for _ in "ab"], ["sequence", *HEAD[6:]]),
        "120 rows have 60 different sequences",
    ),
    "chromosome letters": (
        each("chrom", lambda v: v + "A" if v == "chr1" else v[3:] + "A").replace("2A", "1A", 1),
        "1A is read as chr1A",
    ),
}  # fmt: skip


@pytest.mark.parametrize("oddity", SAID)
def test_said_in_the_first_lines(tmp_path, oddity):
    content, note = SAID[oddity]
    task = load(tmp_path, content)
    assert any(note in line for line in task.notes)


def test_nothing_but_n_is_counted(tmp_path):
    assert load(tmp_path, one("sequence", "N" * 120)).counts["rows of nothing but N"] == 1


@pytest.mark.parametrize("name", ["n/a", "null", "#N/A", "<NA>"])
def test_rows_of_no_chromosome(tmp_path, name):
    task = load(tmp_path, each("chrom", lambda v: name, lambda i: i > 40))
    assert task.counts["rows without a chromosome"] == 19


def test_a_prefix_that_some_names_have(tmp_path):
    names = {0: "GL000220.1", 6: "chrGL000220.1"}
    rows = [[*row[:2], names.get(i % 12, row[2]), *row[3:]] for i, row in enumerate(ROWS)]
    assert "chrGL000220.1" not in load(tmp_path, text(rows)).chrom


# ---- packed, Parquet, Excel ------------------------------------------------------------------------------------------
def test_files_that_are_not_packed_as_their_names_say(tmp_path):
    packed = gzip.compress(text(ROWS).encode())
    assert "is not gzipped. Call it t.tsv." in refused(tmp_path, text(ROWS), "t.tsv.gz")
    assert "something else stands behind the gzipped text" in refused(tmp_path, packed + b"more", "t.tsv.gz")
    assert "cut short" in refused(tmp_path, packed[:-30], "t.tsv.gz")


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.set_index("id"),
        lambda frame: frame.assign(chrom=frame["chrom"].astype("category"), id=frame["id"] + " "),
        lambda frame: frame.assign(rep1=[Decimal(str(value)) for value in frame["rep1"]]),
        lambda frame: frame.set_index(pd.Index(range(100, 160))),
    ],
)
def test_parquet_as_pandas_writes_it(tmp_path, change, clean):
    frame = pd.DataFrame(ROWS, columns=HEAD)
    frame = frame.assign(**{name: pd.to_numeric(frame[name]) for name in ("start", "end", "dna", "rep1", "rep2")})
    change(frame).to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path, (tmp_path / "t.parquet").read_bytes(), "t.parquet").digest == clean


def _cell(value):
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return value


def workbook(tmp_path, change=lambda book: None, first=(), shift=0, rows=ROWS):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in first:
        book.active.append(line)
    for row in [HEAD, *rows]:
        book.active.append([None] * shift + [_cell(value) for value in row])
    change(book)
    book.save(tmp_path / "t.xlsx")
    return (tmp_path / "t.xlsx").read_bytes()


def _readme_first(book):
    book.create_sheet("README", 0).append(["x"])
    book["README"].sheet_state = "hidden"
    book.active = 1


def _hide_rows(book):
    for row in range(5, 20):
        book.active.row_dimensions[row].hidden = True


def test_workbooks_read_as_the_clean_table(tmp_path, clean):
    def read(**options):
        task = load(tmp_path, workbook(tmp_path, **options), "t.xlsx")
        assert task.digest == clean
        return "; ".join(task.notes)

    assert "sheet" not in read()
    assert "sheet" not in read(first=[[None]], shift=1)
    assert "sheet 'Sheet' is read, of 2; another one ('Other')" in read(change=lambda book: book.create_sheet("Other"))
    assert "sheet 'Sheet' is read, of 2; another one ('README')" in read(change=_readme_first)
    assert "rows that are hidden in Excel are read as well: 15" in read(change=_hide_rows)


def test_workbooks_refused_in_words(tmp_path):
    def said(change=lambda book: None, **options):
        return refused(tmp_path, workbook(tmp_path, change, **options), "t.xlsx")

    assert "row 5: cell H5 has a formula whose result is not in the file" in said(
        lambda book: book.active.__setitem__("H5", "=G5/2")
    )
    assert "row 3: cells J2:J7 are merged" in said(lambda book: book.active.merge_cells("J2:J7"))
    titled = said(first=[[None, "Supplementary Table 2"]], shift=1)
    assert "line 1 ('Supplementary Table 2') looks like a title: delete it or set skip_rows = 1" in titled


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
