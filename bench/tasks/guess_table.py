"""A table as it could be read by ``bench init``: its sheet, its header, and what its columns are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.files.excel import sheet_names
from bench.files.header import names_by_content
from bench.files.reading import open_text
from bench.files.tables import SEPARATORS, Layout, kind_of, read_table
from bench.tasks.aliases import ALIASES, candidates
from bench.tasks.columns import Columns
from bench.tasks.draft import Draft
from bench.tasks.spec import PARTS, Part

if TYPE_CHECKING:
    import pandas as pd

_BASES = re.compile(r"[ACGTUNacgtun]{8,}")
#: Lines above a header that are tried as a title.
_TITLE = 10
#: Rows that tell what a column holds.
_HEAD = 200


@dataclass(frozen=True, eq=False)
class Found:
    """A table as it could be read: its rows, and what the reader had to be told. ``sheets``: of a workbook, of which
    ``sheet`` was read and ``other_sheets`` could be."""

    path: Path
    frame: pd.DataFrame
    skip_rows: int = 0
    named: bool = True
    sheet: str | None = None
    sheets: tuple[str, ...] = ()
    other_sheets: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of its columns."""
        return [*map(str, self.frame.columns)]

    @property
    def columns(self) -> Columns:
        """Its columns."""
        return Columns.of(self.frame, str(self.path))

    def holds_bases(self, name: str) -> bool:
        """Whether a column holds sequences."""
        return all(map(_BASES.fullmatch, self.columns.text(name)[:_HEAD].tolist()))


def found_table(path: Path) -> Found:
    """A table, read with what its head needs: the sheet of a workbook that holds it, lines of a title skipped, or names
    for columns without a header.

    Raises
    ------
    BenchError : where it cannot be read in any of these ways.
    """
    if kind_of(path) not in ("xlsx", "xlsm"):
        return _of_sheet(path, None)
    sheets = tuple(sheet_names(path))
    if len(sheets) < 2:
        return _of_sheet(path, None)
    tables: list[Found] = []
    first: BenchError | None = None
    for sheet in sheets:
        try:
            tables.append(_of_sheet(path, sheet))
        except BenchError as error:
            first = first or error
    tables = [table for table in tables if len(table.names) > 1] or tables
    if not tables:
        assert first is not None
        raise first
    best = next((table for table in tables if any(map(table.holds_bases, table.names))), None)
    best = best or max(tables, key=lambda table: len(table.frame))
    others = tuple(str(table.sheet) for table in tables if table is not best and len(table.frame) > len(best.frame) / 2)
    return Found(best.path, best.frame, best.skip_rows, best.named, best.sheet, sheets, others)


def _of_sheet(path: Path, sheet: str | None) -> Found:
    try:
        return Found(path, read_table(path, Layout(sheet=sheet)).frame, sheet=sheet)
    except BenchError as error:
        first = error
    for skip in range(1, _TITLE + 1) if "title" in str(first) else ():
        try:
            return Found(path, read_table(path, Layout(skip, sheet=sheet)).frame, skip_rows=skip, sheet=sheet)
        except BenchError:
            continue
    if "header = false" in str(first) and sheet is None and kind_of(path) in SEPARATORS:
        names = tuple(_names_by_content(path))
        return Found(path, read_table(path, Layout(names=names)).frame, named=False)
    raise first


def _names_by_content(path: Path) -> list[str]:
    """Names of the columns of a table without a header, by what its first lines hold."""
    rows: list[list[str]] = []
    with open_text(path) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                rows.append([field.strip() for field in line.rstrip("\r\n").split(SEPARATORS[kind_of(path)])])
            if len(rows) > _HEAD:
                break
    return names_by_content([row for row in rows if len(row) == len(rows[0])])


def parts_of(draft: Draft, table: Found) -> dict[Part, str]:
    """Part -> the column that plays it: the first of its aliases, one that has an alias as its first or last word, and
    for the bases a column that holds them. What the reader would not find by itself is added to the draft."""
    parts: dict[Part, str] = {}
    for part in PARTS:
        found = [name for name in candidates(part, table.names) if name not in parts.values()]
        if found:
            parts[part] = found[0]
        if len(found) > 1:
            draft.add(f"columns.{part}", found[0], "by its name", f"Which column is {part} ({', '.join(found)})")
        elif found and found[0] != part:
            draft.add(f"columns.{part}", found[0], "by its name" if part != "sequence" else "holds bases")
    if "sequence" not in parts:
        name = next((name for name in table.names if name not in parts.values() and table.holds_bases(name)), None)
        if name is not None:
            parts["sequence"] = name
            draft.add("columns.sequence", name, "holds bases")
    places: tuple[Part, ...] = ("chrom", "start", "end", "strand")
    for part in places:
        free = [name for name in table.names if name not in parts.values()]
        name = next((name for name in free if part not in parts and _has_word(name, part)), None)
        if name is not None and _can_be(table, name, part):
            parts[part] = name
            draft.add(f"columns.{part}", name, "by a word of its name", f"Which column is {part}")
    if {"sequence", "start", "end"} <= parts.keys():
        _origin(draft, table, parts)
    return parts


def _has_word(name: str, part: Part) -> bool:
    words = [word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)]
    return bool(words) and bool({words[0], words[-1]} & {alias.casefold() for alias in ALIASES[part]})


def _can_be(table: Found, name: str, part: Part) -> bool:
    """Whether a column holds what a part needs: whole numbers, signs, or words."""
    values = [value for value in table.columns.text(name)[:_HEAD].tolist() if value]
    if part in ("start", "end"):
        return bool(values) and all(map(str.isdecimal, values))
    return bool(values) and (part != "strand" or set(values) <= {"+", "-", ".", "1", "-1", "0"})


def _origin(draft: Draft, table: Found, parts: dict[Part, str]) -> None:
    """How coordinates count, where the bases of the table tell."""
    head = table.frame.head(_HEAD)
    rows = Columns.of(head, str(table.path))
    try:
        span = rows.numbers(parts["end"]) - rows.numbers(parts["start"])
    except BenchError:
        return
    beyond = np.array([len(bases) for bases in rows.text(parts["sequence"]).tolist()]) - span
    if (beyond == 1).mean() > 0.9:
        draft.add("coordinates", "1-based", "end - start is one less than the bases of the sequence")
