"""The header of a text table: below comments and titles, or what stands in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.errors import BenchError

#: Lines below a header that are looked at to tell whether it is one.
_LOOK = 50
_WORDS = {"\t": "tabs", ",": "commas"}
_OTHERS = {"\t": "tabs", ";": "semicolons", ",": "commas", "|": "bars"}
_BASES = re.compile(r"[ACGTUN]{8,}", re.IGNORECASE)
_CHROM = re.compile(r"chr[0-9A-Za-z_.]+|\d{1,2}|[XYM]|MT")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


#: Names of all columns of a table without a header; a function of how many there are.
Names = Sequence[str] | Callable[[int], list[str]]


@dataclass(frozen=True)
class Line:
    """A line of a table: its number from 1 (of its first line, where a quoted field spans several) and its fields,
    stripped. ``row`` is its place among the lines that were handed over."""

    number: int
    fields: list[str]
    row: int

    @property
    def filled(self) -> int:
        """Fields that are not empty."""
        return sum(field != "" for field in self.fields)


@dataclass(frozen=True)
class Header:
    """Names of the columns, stripped, "" for a column without one; the line that the header stands in (0: none does);
    the first line of the rows, as a place among the lines that were handed over."""

    names: list[str]
    number: int
    body: int


def find_header(
    lines: Iterator[tuple[int, str]],
    split: Callable[[str], list[str]],
    *,
    source: str,
    separator: str = "",
    skip_rows: int = 0,
    names: Names = (),
    marks: tuple[str, ...] = ("#",),
) -> Header:
    """The header of a table: its first line below comments and titles, or the last of the comments.

    Parameters
    ----------
    lines : number and text of every line. split : a line to its fields, stripped.
    separator : between the fields; "" where there is none, as in a sheet.
    skip_rows : lines above the header that are no comments. names : of all columns, where the table has no header.
    marks : what comments begin with.

    Raises
    ------
    BenchError : for a table without rows, a title or data in place of the header, a name that is there twice.
    """
    below: list[Line] = []
    comment: Line | None = None
    left = skip_rows
    for row, (number, text) in enumerate(lines):
        commented = text.startswith(marks)
        if commented and not below:
            comment = Line(number, split(text.lstrip("#")), row)
        elif left:
            left, comment = left - 1, None
        else:
            line = Line(number, split(text), row)
            if line.filled:
                below.append(line)
        if len(below) > _LOOK:
            break
    if not below and (comment is None or names or comment.filled < 2):
        hidden = f" Every line begins with {marks[0]}, as comments do." if comment is not None else ""
        raise BenchError(
            f"{source}: the table has no rows. It needs a header and one row per measured element.{hidden}"
        )
    if names:
        found = _by_position(names, below[0], source)
        _refuse_hidden_row(comment, below, source)
        _refuse_second_header(below, source, "It looks like a header: delete it, or begin it with #.")
        return found
    if comment is not None and (not below or _heads(comment, below)):
        return _checked(comment, below[0].row if below else comment.row + 1, source)
    header = below.pop(0)
    _refuse_title(header, below, source, skip_rows, separator)
    _refuse_data(header, below, source)
    _refuse_second_header(
        below,
        source,
        f"Is line {header.number} a header and this one more names, or units? Make one line of names of the two.",
    )
    if len(header.fields) == 1 and separator and any(other in header.fields[0] for other in ",;\t "):
        mark, there = next((each for each in _OTHERS.items() if each[0] in header.fields[0]), (" ", "blanks"))
        renamed = {"\t": " Call it .tsv.", ",": " Call it .csv."}.get(mark)
        exported = f" Export it with {_WORDS[separator]}, and with decimal points."
        raise BenchError(
            f"{source}: the header {header.fields[0][:60]!r} is a single column. A {source[source.rfind('.') :]} file"
            f" needs {_WORDS[separator]} between the columns, and this one has {there}.{renamed or exported}"
        )
    return _checked(header, header.row + 1, source)


def _by_position(names: Names, first: Line, source: str) -> Header:
    names = names(len(first.fields)) if callable(names) else names
    if len(names) != len(first.fields):
        raise BenchError(
            f"{source}: line {first.number} has {len(first.fields)} fields, columns.names {len(names)} names. Name"
            " every column, in order."
        )
    return _checked(Line(0, list(names), first.row), first.row, source)


def _heads(comment: Line, below: list[Line]) -> bool:
    """Whether the last comment is the header: it names as many columns as the rows have, and the line below it is no
    header itself."""
    missing = len(comment.fields) - comment.filled - (comment.fields[0] == "")  # a column called "#"
    if len(comment.fields) < 2 or len(comment.fields) != len(below[0].fields) or missing:
        return False
    return not _names(below[0], below[1:])


def _names(line: Line, below: list[Line]) -> bool:
    """Whether a line can be a header of the rows below: where they hold numbers or bases, it has neither."""
    rows = [row.fields for row in below if len(row.fields) == len(line.fields)]
    kinds = [_kind(values) for values in zip(*rows, strict=True)]
    return any(kinds) and not any(kind and kind.fullmatch(name) for name, kind in zip(line.fields, kinds, strict=False))


def _kind(values: Sequence[str]) -> re.Pattern[str] | None:
    """What the values of a column look like: bases, numbers, or neither."""
    filled = [value for value in values if value not in ("", "NA", "NaN", "nan", ".")]
    return next((kind for kind in (_BASES, _NUMBER) if filled and all(map(kind.fullmatch, filled))), None)


def _refuse_title(header: Line, below: list[Line], source: str, skipped: int, separator: str) -> None:
    """A title fills one field, or half as many as the header below it at most."""
    table = next((line for line in below if line.filled >= 2 * header.filled), None)
    if table is None or (not header.fields[0] and header.filled > 1):
        return
    if len(header.fields) == 1 and separator == "," and ";" in header.fields[0]:
        return  # semicolons in place of commas: the commas below are decimal
    skip = table.row - header.row + skipped
    title = next(field for field in header.fields if field)
    raise BenchError(
        f"{source}: line {header.number} ({title[:60]!r}) looks like a title: delete it or set skip_rows = {skip}."
    )


def _refuse_data(header: Line, below: list[Line], source: str) -> None:
    """Bases, or a number with a point, above more of the same: the table has no header."""
    rows = [row.fields for row in below if len(row.fields) == len(header.fields)]
    for name, values in zip(header.fields, zip(*rows, strict=True), strict=False):
        kind = _kind(values)
        if kind is not None and kind.fullmatch(name) and (kind is _BASES or not name.isdecimal()):
            raise BenchError(
                f"{source}: line {header.number} is data, not a header (it has {name[:40]!r}). Add a line with the"
                " names of the columns, or set header = false and name all of them in order, such as [columns] names ="
                f" {json.dumps(names_by_content([header.fields, *rows]))}."
            )


def _refuse_second_header(below: list[Line], source: str, fix: str) -> None:
    """A line above the rows in which words stand where all of them have numbers or bases: more names, or units."""
    if len(below) < 2:
        return
    first, rows = below[0], [row.fields for row in below[1:] if len(row.fields) == len(below[0].fields)]
    kinds = [_kind(values) for values in zip(*rows, strict=True)]
    filled = [(field, kind) for field, kind in zip(first.fields, kinds, strict=False) if kind and field]
    words = [field for field, kind in filled if not kind.fullmatch(field) and re.match(r"[(\[]?[A-Za-z]", field)]
    if len(words) > 1 and len(words) == len(filled):
        raise BenchError(
            f"{source}: line {first.number} is no row (it has {words[0][:40]!r} where the rows below have numbers or"
            f" bases). {fix}"
        )


def _refuse_hidden_row(comment: Line | None, below: list[Line], source: str) -> None:
    """A row that begins with ``#``, as comments do, in a table without a header: it would be lost."""
    if comment is None or len(comment.fields) != len(below[0].fields):
        return
    kinds = [
        _kind(values)
        for values in zip(*(row.fields for row in below if len(row.fields) == len(comment.fields)), strict=True)
    ]
    filled = [(field, kind) for field, kind in zip(comment.fields, kinds, strict=True) if kind and field]
    if filled and all(kind.fullmatch(field) for field, kind in filled):
        raise BenchError(
            f"{source}: line {comment.number} begins with #, as comments do, and holds data like the rows below. Take"
            " the # away, or delete the line."
        )


def names_by_content(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names for the columns of a table without a header, guessed from some of its rows: bases are the sequence, numbers
    with fractions the activities (whole ones where there are none, but for a running number), the first text the id; a
    chromosome and two whole numbers a place."""
    columns = [[value for value in values if value] for values in zip(*rows, strict=False)]
    numbers = [bool(values) and all(map(_NUMBER.fullmatch, values)) for values in columns]
    whole = [is_number and all(map(str.isdecimal, values)) for values, is_number in zip(columns, numbers, strict=True)]
    measured = [at for at in range(len(columns)) if numbers[at] and not whole[at]]
    names = {at: f"activity_{place}" for place, at in enumerate(measured, 1)}
    if len(measured) == 1:
        names = {measured[0]: "activity"}
    for at, values in enumerate(columns):
        rest = {"sequence", "id", "chrom", "strand", "activity"} - set(names.values())
        if not values or at in names:
            continue
        if "sequence" in rest and all(map(_BASES.fullmatch, values)):
            names[at] = "sequence"
        elif "chrom" in rest and whole[at + 1 : at + 3] == [True, True] and all(map(_CHROM.fullmatch, values)):
            names |= {at: "chrom", at + 1: "start", at + 2: "end"}
        elif "strand" in rest and set(values) <= {"+", "-", "."}:
            names[at] = "strand"
        elif "id" in rest and not numbers[at] and len(set(values)) == len(values):
            names[at] = "id"
        elif not measured and "activity" in rest and whole[at] and not _running(values):
            names[at] = "activity"
    return [names.get(at, f"column{at + 1}") for at in range(len(columns))]


def _running(values: Sequence[str]) -> bool:
    """Whether whole numbers count the rows."""
    return [int(value) - int(values[0]) for value in values] == list(range(len(values)))


def _checked(header: Line, body: int, source: str) -> Header:
    names = [re.sub(r"\s*\n\s*", " ", name) for name in header.fields]  # sheets break long names into lines
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        where = f"line {header.number}: " if header.number else "columns.names: "
        raise BenchError(f"{source}: {where}two columns are called {twice!r}. Rename one.")
    return Header(names, header.number, body)
