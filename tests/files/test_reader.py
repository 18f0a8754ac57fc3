"""What real files do to readers: each table here was once misread in silence, or refused without words that help."""

import gzip
import random

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.files.fasta import is_fasta, read_fasta
from bench.files.numbers import fix_of, parse_numbers
from bench.files.tables import Layout, read_table, read_tsv

ROWS = [["a", "ACGTACGTAC", "1.5"], ["b", "GGGTTTACCA", "-2"], ["c", "TTTTACACAC", ""]]


def text(rows=ROWS, sep="\t", end="\n", head=("id", "sequence", "y")):
    return end.join(sep.join(row) for row in ([list(head)] if head else []) + rows) + end


def read(folder, content, name="t.tsv", **layout):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, Layout(**layout))


def cells(table):
    return table.frame.fillna("").to_numpy().tolist()


def refused(folder, content, name="t.tsv", **layout):
    with pytest.raises(BenchError) as caught:
        read(folder, content, name, **layout)
    assert str(caught.value).startswith(f"{folder / name}: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.tsv", text()),
        ("t.csv", text(sep=",")),
        ("t.tab", text(end="\r\n")),
        ("t.txt", text(end="\r")),
        ("t.tsv", b"\xef\xbb\xbf" + text().encode()),
        ("t.tsv", text()[:-1]),
        ("t.tsv", "# made by pipeline 2.1\n#\tx\n" + text()),
        ("t.tsv", "#" + text()),
        ("t.csv", "# made by\n# " + text(sep=",")),
        ("t.tsv", text([[f" {value}\u00a0" for value in row] for row in ROWS])),
        ("t.tsv.gz", gzip.compress(text().encode())),
        ("t.tsv.bgz", gzip.compress(text()[:20].encode()) + gzip.compress(text()[20:].encode())),
        ("t.csv", text([[f'"{value}"' for value in row] for row in ROWS], sep=",")),
        ("t.tsv", text([[f'"{value}"' if value else "NA" for value in row] for row in ROWS])),
    ],
)
def test_one_table_in_many_ways_of_writing(tmp_path, name, content):
    table = read(tmp_path, content, name)
    assert table.frame.columns.tolist() == ["id", "sequence", "y"]
    assert cells(table) == ROWS


def test_quotes_of_a_tsv_are_characters(tmp_path):
    rows = [["a", "ACGTACGTAC", '"5 prime'], ["b", "GGGTTTACCA", "tile"], ["c", "TTTTACACAC", '"" of it']]
    assert cells(read(tmp_path, text(rows))) == rows


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([["a", "ACGTACGTAC", '"5 prime'], ["b", "GGG", "tile"], ["c", "TTT", '"" of it']], 2),
        ([["a", "ACGTACGTAC", "x"], ["b", "GGG", '"tile'], ["c", "TTT", "1"]], 3),
        ([["a", "ACGTACGTAC", "x"], ["b", "GGG", "x"], ["c", "TTT", 'a 5" end']], 4),
    ],
)
def test_a_lone_quote_of_a_csv_swallows_no_row(tmp_path, rows, line):
    message = refused(tmp_path, text(rows, sep=","), "t.csv")
    assert f"line {line} has a quote" in message
    assert "save the table as tab-separated" in message


def test_quoted_fields_of_a_csv_hold_anything(tmp_path):
    content = 'id,"the\nnote",y\na,"x, ""y""\nz",1\nb,,2\n'
    table = read(tmp_path, content, "t.csv")
    assert table.frame.columns.tolist() == ["id", "the note", "y"]
    assert cells(table) == [["a", 'x, "y"\nz', "1"], ["b", "", "2"]]
    assert table.frame.index.tolist() == [3, 5]


def test_only_empty_fields_are_missing(tmp_path):
    rows = [["NA", "None", "nan"], ["null", ".", ""]]
    table = read(tmp_path, text(rows))
    assert cells(table) == rows
    assert table.frame.isna().to_numpy().tolist() == [[False] * 3, [False, False, True]]


def test_wholly_empty_rows_are_dropped_and_counted(tmp_path):
    content = "id,sequence,y\na,ACGT,1\n,,\n\nb,GG,2\n" + ",,\n" * 29 + ",,,,\n"
    table = read(tmp_path, content, "t.csv")
    assert cells(table) == [["a", "ACGT", "1"], ["b", "GG", "2"]]
    assert table.notes == ("wholly empty rows left out: 32",)
    assert table.frame.index.tolist() == [2, 5]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (text([*ROWS, ["d", "ACG"]]), "line 5 has 2 fields, the header 3 names. A cell is missing"),
        (text([["d", "1"], *ROWS, ["d"]]), "line 2 has 2 fields, the header 3 names (2 such rows)"),
        (text([["1", *row] for row in ROWS]), "line 2 has 4 fields, the header 3 names (3 such rows). Name every"),
        ("Table S3. Activity\t\t\n" + text(), "line 1 ('Table S3. Activity') looks like a title"),
        ("Table S3, of all\n\n" + text(), "set skip_rows = 2."),
        (text(head=None), "line 1 is data, not a header (it has 'ACGTACGTAC')"),
        (text(head=("id", "y", "y")), "line 1: two columns are called 'y'. Rename one"),
        (text(sep=","), "A .tsv file needs tabs between the columns"),
        (text().replace("GGG", "\xe9").encode("latin-1"), "line 3 is not UTF-8. Save the table as plain UTF-8"),
        ("", "the table has no rows"),
        ("\n\n", "the table has no rows"),
        ("# only comments\n", "the table has no rows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_right_is_refused_in_words(tmp_path, content, said):
    assert said in refused(tmp_path, content)


def test_semicolons_with_decimal_commas_are_no_title(tmp_path):
    message = refused(tmp_path, "id;sequence;y\na;ACGT;1,5\nb;GG;2,5\n", "t.csv")
    assert "A .csv file needs commas between the columns" in message


@pytest.mark.parametrize("skip", [1, 2])
def test_a_title_is_skipped_with_or_without_the_blank_line_below(tmp_path, skip):
    assert cells(read(tmp_path, "# comment\nTable S3, of all\n\n" + text(), skip_rows=skip)) == ROWS


def test_names_by_position(tmp_path):
    table = read(tmp_path, "# a comment\n" + text(head=None), names=("id", "sequence", "y"))
    assert table.frame.columns.tolist() == ["id", "sequence", "y"]
    assert cells(table) == ROWS
    assert "line 1 has 3 fields, columns.names 2 names" in refused(tmp_path, text(head=None), names=("id", "y"))


def test_no_limit_on_a_field(tmp_path):
    rows = [[*ROWS[0][:2], "x" * 9_000_000], *ROWS[1:]]
    assert [len(value) for value in read(tmp_path, text(rows)).frame["y"].fillna("")] == [9_000_000, 2, 0]


def test_bed_and_narrow_peak(tmp_path):
    bed = read(tmp_path, "browser x\n#chrom\tstart\nchr1\t1\t5\t007\nchr2\t2\t6\tNA\n", "t.BED")
    assert bed.frame.columns.tolist() == ["chrom", "start", "end", "name"]
    assert cells(bed) == [["chr1", "1", "5", "007"], ["chr2", "2", "6", "NA"]]
    fields = ["chr1", "1", "5", "p", "0", ".", "2.5", "1", "1", "3"]
    peak = read(tmp_path, "\t".join(fields) + "\n", "t.narrowPeak")
    assert peak.frame.columns.tolist()[6:] == ["signalValue", "pValue", "qValue", "peak"]
    assert "line 2 has 4 fields" in refused(tmp_path, "chr1\t1\t5\nchr1\t2\t6\tx\n", "t.bed")
    assert "Got 2 columns" in refused(tmp_path, "chr1\t1\n", "t.bed")


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Supplementary Table 3"])
    book.active.append([])
    for row in (["id", "sequence", "y"], ["NA", "ACGT", 1.5], [7, "GG", 2], [None, None, None], ["x", "T", None]):
        book.active.append(row)
    other = book.create_sheet("Table S4")
    other.append(["id", "y"])
    other.append(["a", 3])
    path = tmp_path / "t.xlsx"
    book.save(path)
    table = read_table(path, Layout(skip_rows=2))
    assert cells(table) == [["NA", "ACGT", "1.5"], ["7", "GG", "2"], ["x", "T", ""]]
    said = "sheet 'Sheet' is read, of 2; another one ('Table S4') with sheet = \"its name\""
    assert table.notes == ("wholly empty rows left out: 1", said)
    assert table.frame.index.tolist() == [4, 5, 7]
    assert cells(read_table(path, Layout(sheet="Table S4"))) == [["a", "3"]]
    with pytest.raises(BenchError, match=r"line 1 \('Supplementary Table 3'\) looks like a title.*skip_rows = 2"):
        read_table(path)
    with pytest.raises(BenchError, match=r"sheet 'Table S5' is missing. Did you mean 'Table S4'"):
        read_table(path, Layout(sheet="Table S5"))


def test_numbers_are_the_nearest_doubles():
    draw = random.Random(0)
    values = [draw.gauss(0, 1) * 10 ** draw.randint(-12, 12) for _ in range(3000)]
    numbers, wrong = parse_numbers(pd.Series([repr(value) for value in values], dtype="str"))
    assert numbers.tolist() == values
    assert not wrong.any()


@pytest.mark.parametrize("extra", [[], ["x"]])
def test_what_is_a_number_and_what_is_missing(extra):
    said = ["1", "+1.5", "-.5", "5.", "1e3", "1E-2", "NA", "NaN", "nan", ".", None, "N/A", "null", *extra]
    numbers, wrong = parse_numbers(pd.Series(said, dtype="str"))
    np.testing.assert_array_equal(numbers[:13], [1, 1.5, -0.5, 5, 1000, 0.01, *[np.nan] * 7])
    assert wrong.tolist() == [False] * 13 + [True] * len(extra)
    for other in ("0x10", "1_000", "٣", "1 2", "--1", "1e", "True", "na", "-"):
        assert parse_numbers(pd.Series([other], dtype="str"))[1].tolist() == [True], other


@pytest.mark.parametrize(
    ("field", "fix"),
    [
        ("0,25", "decimal comma"),
        ("-12,5", "decimal comma"),
        ("1.234,5", "decimal comma"),
        ("1,234.5", "thousands"),
        ("1,234", "decimal comma or a thousands separator"),
        ("12 345", "thousands"),
        ("12\u202f345", "thousands"),
        ("\u22120.5", "typeset minus"),
        ("\u20130.5", "typeset minus"),
        ("5 %", "percent"),
        ("<0.1", "leave it empty"),
        ("#DIV/0!", "formula"),
        ("many", ""),
    ],
)
def test_the_fix_for_a_field_that_is_no_number(field, fix):
    assert fix in fix_of(field)
    assert bool(fix) == bool(fix_of(field))


def test_published_tables_are_typed(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("name\tcount\tratio\tlabel\tvoid\nNone\t1\t0.5\t007\t\nNA\t2\tNA\tx\t\n")
    frame = read_tsv(path)
    assert frame["name"].tolist() == ["None", "NA"]
    assert frame["count"].dtype == np.int64
    assert frame["label"].tolist() == ["007", "x"]
    np.testing.assert_array_equal(frame["ratio"], [0.5, np.nan])
    assert frame["void"].dtype == np.float64


def test_a_fasta_record_is_called_by_its_first_word(tmp_path):
    path = tmp_path / "d.fna.bgz"
    path.write_bytes(gzip.compress(b">oligo_0 hg38 chr1 tile\r\nAC\r\nGT\r\n>\tx\nA\n"))
    assert is_fasta(path)
    assert read_fasta(path) == {"oligo_0": "ACGT", "x": "A"}
