"""Text between separators, read strictly: every row has the header's number of fields, nothing is repaired.

Arrow's parser does the work; what it would take in silence is looked for here. Every field is text, blanks around it
stripped, and only the empty field is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.header import Header, Names, find_header
from bench.files.reading import UNSEEN, bare

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes that Arrow parses at a time; where a row is longer they are doubled.
_BLOCK = 4 << 20
#: Bytes that are searched at a time, so that the masks of a large file stay small.
_SCAN = 16 << 20
#: Blanks other than those of ASCII, and what nobody sees, begin with these bytes in UTF-8.
_FOREIGN_BLANK = (0xC2, 0xE2, 0xE3, 0xEF)


@dataclass(frozen=True, eq=False)
class Fields:
    """The rows of a table. ``columns``: strings, null where empty. ``lines``: number of every row's line in the file,
    from 1, int64 (n,). ``empty``: rows that were wholly empty and are left out. ``notes``: for people."""

    names: list[str]
    columns: list[pa.ChunkedArray]
    lines: NDArray[np.int64]
    empty: int
    notes: tuple[str, ...] = ()


def read_fields(
    data: Any,
    separator: str,
    *,
    quotes: bool,
    source: str,
    skip_rows: int = 0,
    names: Names = (),
    marks: tuple[str, ...] = ("#",),
) -> Fields:
    """The fields of a text table.

    Parameters
    ----------
    data : bytes, or a mapped file.
    quotes : whether a quote encloses a field (CSV) or is a character like any other (TSV).
    skip_rows, names, marks : as for ``find_header``.

    Raises
    ------
    BenchError : for rows of another number of fields, a quote that does not enclose a field, and what ``find_header``
        refuses. UnicodeDecodeError : for text that is not UTF-8.
    """
    data = _plain(data)
    _refuse_nul(data, source)
    quote = _positions(data, b'"', _below_comments(data, marks)) if quotes else np.zeros(0, np.int64)
    quoted = len(quote) > 0
    if quoted:
        _check_quotes(data, quote, separator, source)
    lines = _Lines.of(data, quote)

    def split(text: str) -> list[str]:
        return split_fields(text, separator, quoted)

    header = find_header(
        lines.texts(), split, source=source, separator=separator, skip_rows=skip_rows, names=names, marks=marks
    )
    rows = lines.some(slice(header.body, None))
    rows, empty = rows.some(~rows.blank), int(rows.blank.sum())
    width = len(header.names)
    if not len(rows.start):
        return Fields(header.names, [_no_rows()] * width, rows.number, empty)
    table, wrong = _arrow(memoryview(data)[int(rows.start[0]) :], width, separator, quoted)
    if wrong:
        rows, dropped = _without_ragged(rows, split, header, source, marks, quotes=quotes)
        empty += dropped
    columns = table.columns
    if _has_blanks(data, separator):
        columns = [_stripped(column) for column in columns]
    names, notes = header.names, []
    if not quotes and _holds(data, b'"'):
        names = [_unquoted_name(name) for name in names]
        bare = [_unquoted(column) for column in columns]
        taken = [name for name, column in zip(names, bare, strict=True) if column is not None]
        columns = [column if off is None else off for column, off in zip(columns, bare, strict=True)]
        if taken:
            notes = [f"quotes around every field taken off: {', '.join(taken[:4])}{', ...' if len(taken) > 4 else ''}"]
    filled = _filled(columns)
    if filled is not None:
        columns = [column.filter(filled) for column in columns]
        mask = filled.to_numpy()
        rows, empty = rows.some(mask), empty + int((~mask).sum())
    return Fields(names, columns, rows.number, empty, tuple(notes))


def split_fields(text: str, separator: str, quoted: bool) -> list[str]:
    """The fields of one line, stripped; ``quoted`` where quotes enclose some."""
    if not quoted or '"' not in text:
        return [bare(field) for field in text.split(separator)]
    fields, at = [], 0
    while True:
        if text[at : at + 1] == '"':
            stop = at + 1
            while (stop := text.find('"', stop)) >= 0 and text[stop + 1 : stop + 2] == '"':
                stop += 2
            stop = len(text) if stop < 0 else stop
            fields.append(text[at + 1 : stop].replace('""', '"'))
            at = stop + 1
        else:
            stop = text.find(separator, at)
            stop = len(text) if stop < 0 else stop
            fields.append(text[at:stop])
            at = stop
        if at >= len(text):
            return [bare(field) for field in fields]
        at += 1


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines of a text, a quoted field with line ends in it being part of one line. ``start``, ``stop``: positions,
    int64 (m,), the line end left out. ``number``: of the line, from 1, int64 (m,)."""

    data: Any
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    number: NDArray[np.int64]

    @classmethod
    def of(cls, data: Any, quote: NDArray[np.int64]) -> _Lines:
        ends = _positions(data, b"\n")
        number = np.arange(1, len(ends) + 2)
        if len(quote):
            outside = np.searchsorted(quote, ends) % 2 == 0
            number = number[np.concatenate([[True], outside])]
            ends = ends[outside]
        start = np.concatenate([[0], ends + 1])
        stop = np.append(ends, len(data))
        last = len(start) - (int(start[-1]) == len(data))  # nothing follows the last line end
        return cls(data, start[:last], stop[:last], number[:last])

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Lines without any character, bool (m,)."""
        return self.stop == self.start

    def some(self, which: Any) -> _Lines:
        """The lines of a slice or a mask."""
        return _Lines(self.data, self.start[which], self.stop[which], self.number[which])

    def texts(self) -> Iterator[tuple[int, str]]:
        """Number and text of every line."""
        for row in range(len(self.start)):
            yield int(self.number[row]), str(bytes(self.data[self.start[row] : self.stop[row]]), "utf-8")


def _plain(data: Any) -> Any:
    """The text with line ends as ``\\n`` and without byte order mark; the same object where that is so already."""
    if _holds(data, b"\r"):
        data = bytes(data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    while data[:3] == b"\xef\xbb\xbf":  # twice where a program wrote its own before that of its input
        data = data[3:]
    return data


def _refuse_nul(data: Any, source: str) -> None:
    """Text has no NUL bytes: UTF-16 has, and files that a full disk or a crash left behind."""
    if _holds(data, b"\0"):
        line = int(np.searchsorted(_positions(data, b"\n"), int(_positions(data, b"\0")[0]))) + 1
        raise BenchError(
            f"{source}: line {line} is not UTF-8 text: it has a NUL byte. Save the table as plain UTF-8 text, not as"
            " UTF-16 or a spreadsheet, and check that the file is whole."
        )


def _positions(data: Any, byte: bytes, first: int = 0) -> NDArray[np.int64]:
    """Where a byte stands, from ``first`` on, int64."""
    raw = np.frombuffer(data, np.uint8)
    found = [np.flatnonzero(raw[at : at + _SCAN] == byte[0]) + at for at in range(first, len(raw), _SCAN)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _below_comments(data: Any, marks: tuple[str, ...]) -> int:
    """Where the first line begins that is no comment: in a comment a quote is a character like any other."""
    at = 0
    while any(data[at : at + len(mark)] == mark.encode() for mark in marks):
        end = data.find(b"\n", at)
        if end < 0:
            return len(data)
        at = end + 1
    return at


def _check_quotes(data: Any, quote: NDArray[np.int64], separator: str, source: str) -> None:
    """Quotes come in pairs that enclose a whole field, those within it doubled. One that does not would swallow rows
    up to the next."""
    raw = np.frombuffer(data, np.uint8)
    edge = np.isin(np.arange(256), [ord(separator), ord("\n"), ord('"')])
    opens, closes = quote[::2], quote[1::2]
    astray = opens[(opens > 0) & ~edge[raw[np.maximum(opens - 1, 0)]]]
    ended = (closes + 1 == len(raw)) | edge[raw[np.minimum(closes + 1, len(raw) - 1)]]
    left_open = opens[: len(closes)][~ended]
    first = [*astray[:1].tolist(), *left_open[:1].tolist()]
    if len(opens) > len(closes):  # the last field that a quote opens goes on to the end
        first.append(int(opens[(opens == 0) | (raw[np.maximum(opens - 1, 0)] != ord('"'))][-1]))
    if first:
        line = int(np.searchsorted(_positions(data, b"\n"), min(first))) + 1
        raise BenchError(
            f'{source}: line {line} has a quote (") that does not enclose a field. In CSV a quote within a field is'
            " doubled and the field enclosed in quotes: correct it, or save the table as tab-separated .tsv, where"
            " quotes are characters like any other."
        )


def _arrow(body: Any, width: int, separator: str, quoted: bool) -> tuple[pa.Table, int]:
    """The rows that have ``width`` fields, as strings, null where empty; and how many have not."""
    import pyarrow as pa
    from pyarrow import csv

    keys = [str(i) for i in range(width)]
    wrong = 0

    def count(row: Any) -> str:
        nonlocal wrong
        wrong += 1
        return "skip"

    block = _BLOCK
    while True:
        try:
            table = csv.read_csv(
                pa.BufferReader(body),
                csv.ReadOptions(column_names=keys, block_size=block),
                csv.ParseOptions(
                    delimiter=separator,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
                    invalid_row_handler=count,
                ),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string()), null_values=[""], strings_can_be_null=True
                ),
            )
        except pa.ArrowInvalid as error:
            if "UTF8" in str(error):
                str(bytes(body), "utf-8")  # says where
            if "straddl" not in str(error) or block > len(body):
                raise
            block, wrong = 4 * block, 0
        else:
            return table, wrong


def _without_ragged(
    rows: _Lines,
    split: Callable[[str], list[str]],
    header: Header,
    source: str,
    marks: tuple[str, ...],
    *,
    quotes: bool,
) -> tuple[_Lines, int]:
    """The rows with the header's number of fields; the others must be empty, and are counted."""
    width = len(header.names)
    keep = np.ones(len(rows.start), np.bool_)
    found: list[tuple[int, int, str]] = []
    for row, (number, text) in enumerate(rows.texts()):
        fields = split(text)
        if len(fields) != width:
            keep[row] = False
            if any(fields):
                found.append((number, len(fields), text))
    if found:
        number, count, text = found[0]
        such = f" ({len(found):,} such rows)" if len(found) > 1 else ""
        fix = _ragged_fix(text, count, width, marks, quotes=quotes)
        names = f"the header {width} names" if header.number else f"columns.names {width} names"
        raise BenchError(f"{source}: line {number} has {fields_of(count)}, {names}{such}. {fix}")
    return rows.some(keep), int((~keep).sum())


def _ragged_fix(text: str, count: int, width: int, marks: tuple[str, ...], *, quotes: bool) -> str:
    """What to do about a row of another number of fields."""
    if text.startswith(marks):
        return "Comments stand above the table: delete it."
    if count > width and not quotes and '"' in text:
        return "In TSV quotes hold no field together: take the tab out of the field, or save the table as .csv."
    if count > width:
        return "Name every column (R: write.table with row.names=FALSE), and end no line with a separator."
    if count == 1:
        return "A note or footer: delete it. Where cells are missing, leave them empty between their separators."
    return "A cell is missing: leave it empty, between its separators."


def fields_of(count: int) -> str:
    """``1 field``, ``8 fields``."""
    return f"{count} field{'' if count == 1 else 's'}"


def _has_blanks(data: Any, separator: str) -> bool:
    """Whether a blank may stand beside a separator, a quote or a line end."""
    blank, edge = np.zeros((2, 256), np.bool_)
    blank[list(b" \t\v\f")] = True
    blank[ord(separator)] = False
    edge[list(b'\n"' + separator.encode())] = True
    raw = np.frombuffer(data, np.uint8)
    for at in range(0, len(raw), _SCAN):
        block = raw[at : at + _SCAN]
        if any((block == byte).any() for byte in _FOREIGN_BLANK):
            return True
        for byte in np.flatnonzero(blank):
            place = np.flatnonzero(block == byte) + at
            beside = edge[raw[np.maximum(place - 1, 0)]] | edge[raw[np.minimum(place + 1, len(raw) - 1)]]
            if (beside | (place == 0) | (place == len(raw) - 1)).any():
                return True
    return False


def _holds(data: Any, byte: bytes) -> bool:
    """Whether a byte stands anywhere. (A mapped file's own ``find`` takes ten times as long.)"""
    raw = np.frombuffer(data, np.uint8)
    return any((raw[at : at + _SCAN] == byte[0]).any() for at in range(0, len(raw), _SCAN))


def _stripped(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Strings without blanks around them, null where nothing is left."""
    import pyarrow as pa
    from pyarrow import compute

    trimmed = compute.utf8_trim_whitespace(column)
    if compute.any(compute.match_substring_regex(trimmed, f"^[{UNSEEN}]|[{UNSEEN}]$")).as_py():
        trimmed = compute.utf8_trim_whitespace(compute.utf8_trim(trimmed, characters=UNSEEN))
    return compute.if_else(compute.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _unquoted_name(name: str) -> str:
    """A name of a TSV's column without the quotes that R and spreadsheets put around it."""
    return name[1:-1].replace('""', '"') if len(name) > 1 and name[0] == name[-1] == '"' else name


def _unquoted(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """A column of a TSV in which every field stands in quotes, without them; None for another. R, which writes so,
    leaves a missing field as NA without quotes."""
    import pyarrow as pa
    from pyarrow import compute

    held = compute.and_(compute.starts_with(column, '"'), compute.ends_with(column, '"'))
    held = compute.and_(held, compute.greater(compute.binary_length(column), 1))
    missing = compute.equal(column, "NA")
    if not compute.any(held).as_py() or not compute.all(compute.or_(held, missing)).as_py():
        return None
    inner = compute.replace_substring(compute.utf8_slice_codeunits(column, 1, -1), '""', '"')
    return _stripped(compute.if_else(missing, pa.scalar(None, pa.string()), inner))


def _filled(columns: list[pa.ChunkedArray]) -> pa.ChunkedArray | None:
    """Rows with any field that is not empty, bool (n,); None where all have one."""
    from pyarrow import compute

    filled = None
    for column in columns:
        if column.null_count == 0:
            return None
        filled = compute.is_valid(column) if filled is None else compute.or_(filled, compute.is_valid(column))
    return None if filled is None or compute.all(filled).as_py() else filled


def _no_rows() -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([], pa.string())
