"""Tables as labs hand them over: a clean one, and traits of real files that must not change what is read.

`check` writes the clean table with some traits and a task file, and loads it. Either the task is that of the clean
table, to the last bit of its digest, or the loader stops with one line that names the file, a place in it and a fix.
The clean task is made from typed columns, without the reader.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from bench.errors import BenchError
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.table import build_task
from bench.tasks.task_file import load_task_file

COLUMNS = ("id", "sequence", "chrom", "start", "end", "strand", "dna", "rep1", "rep2", "class", "note")
CLASSES = ("None", "NA", "nan", "promoter", "")
#: Columns of numbers that have gaps.
GAPS = ("dna", "rep2")


@dataclass
class Sheet:
    """A table about to be written. ``keys``, ``columns``: lines of the task file, of it and of [columns]. ``before``:
    lines above the header. ``stops``: a trait is there that must be refused."""

    header: list[str]
    rows: list[list[str]]
    random: random.Random
    kind: str = "tsv"
    keys: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    between: list[int] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)
    quote_all: bool = False
    packed: str = ""
    end: str = "\n"
    mark: bool = False
    last_end: bool = True
    hash_header: bool = False
    no_header: bool = False
    stops: bool = False

    def at(self, column: str) -> int:
        return self.header.index(self.named.get(column, column))

    def some(self) -> list[str]:
        return self.random.choice([row for row in self.rows if any(row)])


def clean_rows(n: int = 30) -> list[list[str]]:
    """Rows of the clean table: tiles on six chromosomes, a tenth of them controls without a place."""
    draw = random.Random(5)
    rows = []
    for i in range(n):
        bases = "".join(draw.choices("ACGT", k=60))
        placed = i % 10 != 9
        place = [f"chr{1 + i % 6}", str(1000 + 40 * (i // 6)), str(1060 + 40 * (i // 6)), "+-"[i % 2]]
        gap = [i % 7 == 3, i % 7 == 5]
        values = [
            "" if gap[0] else str(draw.randint(20, 2000)),
            repr(round(draw.gauss(0, 1), 12)),
            "" if gap[1] else "-0.25",
        ]
        values[2] = values[2] and repr(round(draw.gauss(0, 1), 4))
        rows.append(
            ["NA" if i == 4 else f"r{i}", bases, *(place if placed else [""] * 4), *values, CLASSES[i % 5], "tile"]
        )
    return rows


def clean_digest() -> str:
    frame = pd.DataFrame(clean_rows(), columns=COLUMNS, dtype=object).replace("", None)
    for column in ("start", "end", "dna", "rep1", "rep2"):
        frame[column] = np.array([np.nan if value is None else float(value) for value in frame[column]])
    spec = TaskSpec(
        name="t",
        targets={"y": TargetSpec(replicates=["rep1", "rep2"])},
        columns=ColumnsSpec(covariates={"dna": "dna"}, strata={"class": "class"}),
    )
    return build_task(spec, frame, source="clean").digest


# ---- traits ----------------------------------------------------------------------------------------------------------
def _rename(sheet: Sheet, column: str, names: Collection[str]) -> None:
    if column in sheet.header:
        new = sheet.random.choice(sorted(names))
        sheet.header[sheet.at(column)] = new
        sheet.named[column] = new


def chromosome_column(sheet: Sheet) -> None:
    _rename(sheet, "chrom", ["chr", "Chr", "chromosome", "seqnames", "CHROM", "contig"])


def end_column(sheet: Sheet) -> None:
    _rename(sheet, "end", ["stop", "chromEnd", "End", "txEnd", "chrom end"])


def start_column(sheet: Sheet) -> None:
    _rename(sheet, "start", ["chromStart", "begin", "START", "chrom.start"])


def sequence_column(sheet: Sheet) -> None:
    _rename(sheet, "sequence", ["seq", "Sequence", "oligo_sequence"])


def id_column(sheet: Sheet) -> None:
    _rename(sheet, "id", ["name", "ID", "oligo_id", "oligo"])


def misspelt_column(sheet: Sheet) -> None:
    if "chrom" in sheet.header:
        _rename(sheet, "chrom", ["chromosone", "chromosom"])
        sheet.stops = True


def no_end(sheet: Sheet) -> None:
    if "end" in sheet.header and 'coordinates = "1-based"' not in sheet.keys and not sheet.stops:
        at = sheet.at("end")
        for row in (sheet.header, *sheet.rows):
            del row[at]


def one_based(sheet: Sheet) -> None:
    for row in sheet.rows:
        if row[sheet.at("start")]:
            row[sheet.at("start")] = str(int(row[sheet.at("start")]) + 1)
    if ("end" not in sheet.header and "end" not in sheet.named) or sheet.random.random() < 0.6:
        sheet.keys.append('coordinates = "1-based"')
    else:
        sheet.stops = True


def strand_words(sheet: Sheet) -> None:
    words = sheet.random.choice([("fwd", "rev"), ("1", "-1"), ("forward", "reverse"), ("Plus", "Minus"), ("+", "−")])
    for row in sheet.rows:
        at = sheet.at("strand")
        row[at] = {"+": words[0], "-": words[1], "": sheet.random.choice(["", ".", "*", "NA"])}[row[at]]


def chromosome_names(sheet: Sheet) -> None:
    for row in sheet.rows[1:]:
        name = row[sheet.at("chrom")]
        if name:
            number = name.removeprefix("chr")
            ways = [name, number, f"Chr{number}", f"CHR{number}", f"{number}.0", f" {name} ", f"chromosome {number}"]
            row[sheet.at("chrom")] = sheet.random.choice(ways)
        else:
            row[sheet.at("chrom")] = sheet.random.choice(["", "NA", "."])


def missing_numbers(sheet: Sheet) -> None:
    for row in sheet.rows:
        for column in GAPS:
            if row[sheet.at(column)] == "":
                row[sheet.at(column)] = sheet.random.choice(["", "NA", "NaN", "nan", ".", "N/A", "#N/A", "null"])


def written_numbers(sheet: Sheet) -> None:
    for row in sheet.rows:
        for column in ("dna", "rep2", "start"):
            value = row[sheet.at(column)]
            if re.fullmatch(r"\d+", value):
                row[sheet.at(column)] = sheet.random.choice([value, f"{value}.0", f"+{value}", f"{value}e0"])
            elif re.fullmatch(r"\d+\.\d+", value):
                row[sheet.at(column)] = sheet.random.choice([value, f"+{value}", f"{value}0", value.removeprefix("0")])


def small_letters(sheet: Sheet) -> None:
    for row in sheet.rows:
        at = sheet.at("sequence")
        row[at] = sheet.random.choice([row[at], row[at].lower(), row[at].replace("T", "U")])


def other_order(sheet: Sheet) -> None:
    order = list(range(len(sheet.header)))
    sheet.random.shuffle(order)
    sheet.header = [sheet.header[i] for i in order]
    sheet.rows = [[row[i] for i in order] for row in sheet.rows]


def more_columns(sheet: Sheet) -> None:
    for name in ("GC%", "p.value", "µ"):
        sheet.header.append(name)
        for row in sheet.rows:
            row.append(sheet.random.choice(["", "0.5", "a b", "1,5", "#", "−"]))


def two_ids(sheet: Sheet) -> None:
    sheet.header.append("seq_id")
    for i, row in enumerate(sheet.rows):
        row.append(f"s{i}")
    sheet.stops = True


def long_field(sheet: Sheet) -> None:
    sheet.some()[sheet.at("note")] = "long " * 40_000


def lone_quote(sheet: Sheet) -> None:
    for _ in range(sheet.random.choice([1, 2])):
        sheet.some()[sheet.at("note")] = '"tile of 5"' if sheet.kind == "csv" else '"5 prime'


def blanks(sheet: Sheet) -> None:
    for row in (sheet.header, *sheet.rows):
        for at, value in enumerate(row):
            if sheet.random.random() < 0.2:
                row[at] = sheet.random.choice([" ", "  ", "\u00a0"]) * sheet.random.randint(0, 1) + value + " "


def empty_rows(sheet: Sheet) -> None:
    width = len(sheet.header)
    for _ in range(3):
        sheet.rows.insert(sheet.random.randint(1, len(sheet.rows)), [""] * width)
    sheet.rows += [[""] * width] * 30


def blank_lines(sheet: Sheet) -> None:
    sheet.between += [sheet.random.randint(0, len(sheet.rows)) for _ in range(3)]


def comments(sheet: Sheet) -> None:
    sheet.before += ["# made by pipeline 2.1", '#columns: "see header', "##x=1\t2"]


def hash_header(sheet: Sheet) -> None:
    sheet.hash_header = True


def title(sheet: Sheet) -> None:
    sheet.before.append("Supplementary Table 3. Activity of every oligo")
    if sheet.random.random() < 0.6:
        sheet.keys.append("skip_rows = 1")
    else:
        sheet.stops = True


def no_header(sheet: Sheet) -> None:
    sheet.no_header = True
    if sheet.random.random() < 0.6:
        sheet.keys.append("header = false")
    else:
        sheet.stops = True


def ragged(sheet: Sheet) -> None:
    row = sheet.some()
    if sheet.random.random() < 0.5:
        row.insert(sheet.random.randrange(len(row)), "7")
    else:
        del row[sheet.random.randrange(2, len(row))]
    sheet.stops = True


def decimal_commas(sheet: Sheet) -> None:
    for row in sheet.rows:
        row[sheet.at("rep1")] = row[sheet.at("rep1")].replace(".", ",")
    sheet.stops = True


def typeset_minus(sheet: Sheet) -> None:
    for row in sheet.rows:
        row[sheet.at("rep1")] = row[sheet.at("rep1")].replace("-", "\u2212")
    sheet.stops |= any("\u2212" in row[sheet.at("rep1")] for row in sheet.rows)


def thousands(sheet: Sheet) -> None:
    row = sheet.rows[0]
    row[sheet.at("start")] = f"{int(float(row[sheet.at('start')])):,}"
    sheet.stops = True


def twice(sheet: Sheet) -> None:
    sheet.rows.append(list(sheet.rows[2]))
    if sheet.random.random() < 0.6:
        sheet.keys.append('duplicates = "first"')
    else:
        sheet.stops = True


def other_class(sheet: Sheet) -> None:
    sheet.header.append("library")
    for row in sheet.rows:
        row.append("kept")
    spare = list(sheet.rows[0])
    spare[sheet.at("id")], spare[-1] = "spare", "left out"
    sheet.rows.insert(3, spare)
    sheet.keys.append('rows = { library = "kept" }')


def same_name(sheet: Sheet) -> None:
    sheet.header[sheet.at("note")] = "dna"
    sheet.stops = True


def na_bases(sheet: Sheet) -> None:
    sheet.rows[1][sheet.at("sequence")] = sheet.random.choice(["NA", "nan"])
    sheet.stops = True


def unseen(sheet: Sheet) -> None:
    for row in (sheet.header, *sheet.rows):
        for at, value in enumerate(row):
            if sheet.random.random() < 0.1:
                row[at] = value + sheet.random.choice(["\u200b", " \ufeff", "\u00ad"])


def units(sheet: Sheet) -> None:
    words = {"sequence": "nt", "start": "bp", "end": "bp", "dna": "reads", "rep1": "log2", "rep2": "log2"}
    names = [next((name for name, new in sheet.named.items() if new == head), head) for head in sheet.header]
    sheet.rows.insert(0, [words.get(name, "") for name in names])
    sheet.stops = True


def footer(sheet: Sheet) -> None:
    sheet.rows.append(["* p < 0.05 in both replicates"])
    sheet.stops |= sheet.kind != "xlsx"


#: Traits of the cells, in the order in which they are applied, and of the file.
CELLS: tuple[Callable[[Sheet], None], ...] = (
    na_bases, missing_numbers, one_based, no_end, typeset_minus, small_letters, strand_words, chromosome_names,
    written_numbers, decimal_commas, thousands, other_class, more_columns, two_ids, twice, chromosome_column,
    start_column, end_column, sequence_column, id_column, misspelt_column, long_field, lone_quote, same_name, units,
    other_order, unseen, blanks, empty_rows, ragged, footer,
)  # fmt: skip
FILES: tuple[Callable[[Sheet], None], ...] = (comments, title, blank_lines, hash_header, no_header)
KINDS = ("tsv", "tsv", "tsv", "csv", "csv", "xlsx", "txt")
WRITING = ("crlf", "cr", "mark", "no_last_end", "gz", "bgz", "quote_all")
#: Traits that leave no room for each other.
APART = (
    {"hash_header", "no_header"},
    {"title", "no_header"},
    {"misspelt_column", "chromosome_column"},
    {"quote_all", "lone_quote"},
)
NAMES = tuple(trait.__name__ for trait in (*CELLS, *FILES)) + WRITING


# ---- writing ---------------------------------------------------------------------------------------------------------
def _text(sheet: Sheet) -> bytes:
    separator = "," if sheet.kind == "csv" else "\t"
    width = len(sheet.header)
    out: list[str] = []

    def line(fields: list[str]) -> str:
        if separator == ",":
            stream = io.StringIO()
            quoting = csv.QUOTE_ALL if sheet.quote_all else csv.QUOTE_MINIMAL
            csv.writer(stream, lineterminator="", quoting=quoting).writerow(fields)
            return stream.getvalue()
        if sheet.quote_all:  # as R does: a missing field is NA without quotes
            return separator.join(f'"{value}"' if value else "NA" for value in fields)
        return separator.join(fields)

    for text in sheet.before:
        tail = separator * (width - 1) if sheet.random.random() < 0.5 and not text.startswith("#") else ""
        out.append(text + tail)
    if not sheet.no_header:
        out.append("#" * sheet.hash_header + line(sheet.header))
    for i, row in enumerate(sheet.rows):
        out += [""] * sheet.between.count(i)
        blank = not any(row)
        out.append(separator * (len(row) - 1) if blank else line(row))
    text = sheet.end.join(out) + sheet.end * sheet.last_end
    return b"\xef\xbb\xbf" * sheet.mark + text.encode()


def _excel(sheet: Sheet, path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    for text in sheet.before:
        page.append([text])
    if not sheet.no_header:
        page.append(["#" * sheet.hash_header + sheet.header[0], *sheet.header[1:]])
    for row in sheet.rows:
        page.append([_cell(value) for value in row])
    book.save(path)


def _cell(value: str) -> object:
    if re.fullmatch(r"-?\d{1,15}", value):
        return int(value)
    if re.fullmatch(r"-?\d+\.\d+", value):
        return float(value)
    return value or None


def write(folder: Path, traits: Collection[str], seed: int) -> tuple[Path, Sheet]:
    """The clean table with traits, and its task file's path."""
    draw = random.Random(seed)
    chosen = set(traits)
    for apart in APART:
        if len(chosen & apart) > 1:
            chosen -= set(sorted(chosen & apart)[1:])
    kind = draw.choice(KINDS)
    if kind == "xlsx":
        chosen -= {"long_field", "ragged", "blank_lines", *WRITING}
    sheet = Sheet(list(COLUMNS), clean_rows(), draw, kind)
    if "quote_all" in chosen and kind != "csv":
        chosen -= {"blanks", "empty_rows"}
    for trait in (*CELLS, *FILES):
        if trait.__name__ in chosen:
            trait(sheet)
    sheet.end = "\r\n" if "crlf" in chosen else "\r" if "cr" in chosen else "\n"
    sheet.mark, sheet.last_end = "mark" in chosen, "no_last_end" not in chosen
    sheet.quote_all = "quote_all" in chosen
    packed = ".gz" if "gz" in chosen else ".bgz" if "bgz" in chosen else ""
    path = folder / f"table.{kind}{packed}"
    if kind == "xlsx":
        _excel(sheet, path)
    else:
        content = _text(sheet)
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
    columns = [*sheet.columns]
    if "header = false" in sheet.keys:
        columns.append("names = [" + ", ".join(f"'{name.strip()}'" for name in sheet.header) + "]")
    task = folder / "task.toml"
    lines = ['name = "t"', f"table = '{path.name}'", *sheet.keys, "[columns]", *columns, 'strata = ["class"]']
    lines += ["covariates = { dna = 'dna' }", "[targets.y]", "replicates = ['rep1', 'rep2']", ""]
    task.write_text("\n".join(lines), encoding="utf-8")
    return task, sheet


def check(folder: Path, traits: Collection[str], seed: int, digest: str) -> None:
    """Write and load. The digest is the clean one; or it stops in words, which is passed on.

    Raises
    ------
    BenchError : the words.
    AssertionError : for another task, for words without file, place or fix, and for a trait that had to stop and did
        not.
    """
    task, sheet = write(folder, traits, seed)
    try:
        found = load_task_file(task)
    except BenchError as error:
        message = str(error)
        assert "table." in message.partition(": ")[0], f"no file: {message}"
        assert re.search(r"line \d+|row \d+|columns? '|rows \d+ and|coordinates|columns\.names", message), (
            f"no place: {message}"
        )
        assert message.count(". ") + message.count(": ") >= 2, f"no fix: {message}"
        raise
    assert found.digest == digest, "another task, silently"
    assert not sheet.stops, "accepted what cannot be read right"
