"""Files as labs have them, with one oddity each: the clean table's digest, a line of what is wrong, or a line that says
what was read. Nothing is different in silence. (`tests/support/traits.py` mixes another thirty.)"""

import gzip
from decimal import Decimal

import pandas as pd
import pytest
from odd_tables import HEAD, ROWS, each, load, one, refused, text, with_column


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
