"""Sheets of an Excel file, as rows of text."""

from __future__ import annotations

import datetime
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, nearest
from bench.files.reading import bare


@dataclass(frozen=True)
class Sheet:
    """Rows of a sheet.

    rows : texts, stripped, "" where empty, all of one length. Numbers are written as Python does, whole ones without a
        point. notes : for people. hollow : rows, from 1, with a cell that shows a value in Excel and has none in the
        file -> what to do about it.
    """

    rows: list[list[str]]
    notes: tuple[str, ...]
    hollow: dict[int, str]


def read_sheet(path: Path, sheet: str | None) -> Sheet:
    """A sheet, by default the first that is not hidden.

    Raises
    ------
    BenchError : where the library is not installed, or there is no such sheet.
    """
    book = _book(path, read_only=True, data_only=True)
    try:
        name = _name_of(book, sheet, path)
        rows = list(book[name].iter_rows(values_only=True))
        notes = _of_several(book, name) if sheet is None else []
    finally:
        book.close()
    if any(isinstance(value, datetime.date | datetime.time) for row in rows for value in row):
        notes.append("Excel holds dates in this sheet: names such as SEPT2 may have become dates")
    hollow, hidden = _beyond_values(path, name)
    if hidden:
        notes.append(f"rows that are hidden in Excel are read as well: {hidden:,}")
    texts = [[_text(value) for value in row] for row in rows]
    width = max((_width(row) for row in texts), default=0)
    return Sheet([(row + [""] * width)[:width] for row in texts], tuple(notes), hollow)


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets that are not hidden. Errors as for ``read_sheet``."""
    book = _book(path, read_only=True)
    try:
        return [page.title for page in _visible(book)]
    finally:
        book.close()


def _book(path: Path, **options: bool) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise BenchError(
            f"{path}: reading Excel needs openpyxl: install the extra excel (pip install 'bench-gc[excel]'), or save"
            " the sheet as .csv."
        ) from None
    return openpyxl.load_workbook(path, **options)


def _visible(book: Any) -> list[Any]:
    pages = list(book.worksheets)
    return [page for page in pages if page.sheet_state == "visible"] or pages


def _name_of(book: Any, sheet: str | None, path: Path) -> str:
    if sheet is None:
        return str(_visible(book)[0].title)
    names = [page.title for page in book.worksheets]
    if sheet not in names:
        raise BenchError(f"{path}: sheet {sheet!r} is missing.{nearest(sheet, names)}")
    return sheet


def _of_several(book: Any, name: str) -> list[str]:
    others = [page.title for page in book.worksheets if page.title != name]
    if not others:
        return []
    listed = ", ".join(map(repr, others[:6])) + (", ..." if len(others) > 6 else "")
    return [f'sheet {name!r} is read, of {1 + len(others)}; another one ({listed}) with sheet = "its name"']


def _beyond_values(path: Path, name: str) -> tuple[dict[int, str], int]:
    """Rows of a sheet with cells that hold less than Excel shows, and how many rows are hidden. The whole workbook is
    read for it, which takes memory, where anything in it says that this may be so."""
    with zipfile.ZipFile(path) as parts:
        pages = [parts.read(part) for part in parts.namelist() if part.startswith("xl/worksheets/")]
    has_formulas = any(b"<f>" in page or b"<f " in page for page in pages)
    if not has_formulas and not any(b"<mergeCell " in page or b' hidden="1"' in page for page in pages):
        return {}, 0
    page = _book(path)[name]
    hollow: dict[int, str] = {}
    for merged in page.merged_cells.ranges:
        for row in range(merged.min_row + 1, merged.max_row + 1):
            hollow[row] = (
                f"cells {merged.coord} are merged, and only the first has a value. Unmerge them and fill in all"
            )
    if has_formulas:
        values = _book(path, data_only=True)[name]
        for cells in page.iter_rows():
            for cell in cells:
                stored = values.cell(cell.row, cell.column)
                if cell.data_type == "f" and stored.value is None and stored.data_type != "str":
                    hollow[cell.row] = (
                        f"cell {cell.coordinate} has a formula whose result is not in the file. Open the file in Excel"
                        " and save it"
                    )
    return hollow, sum(each.hidden for each in page.row_dimensions.values())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return bare(str(value))


def _width(row: list[str]) -> int:
    return next((i for i in range(len(row), 0, -1) if row[i - 1]), 0)
