"""Sheets of an Excel file, as rows of text."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from bench.errors import BenchError, nearest


def read_sheet(path: Path, sheet: str | None) -> tuple[list[list[str]], bool]:
    """All rows of a sheet (the first by default) as texts, stripped, "" where empty, all of one length; and whether a
    cell is a date. Numbers are written as Python does, whole ones without a point.

    Raises
    ------
    BenchError : where the library is not installed, or there is no such sheet.
    """
    try:
        import openpyxl
    except ImportError:
        raise BenchError(
            f"{path}: reading Excel needs openpyxl: install the extra excel (pip install 'bench-gc[excel]'), or save"
            " the sheet as .csv."
        ) from None
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise BenchError(f"{path}: sheet {sheet!r} is missing.{nearest(sheet, book.sheetnames)}")
        place = book[sheet] if sheet is not None else book.worksheets[0]
        rows = list(place.iter_rows(values_only=True))
    finally:
        book.close()
    dates = any(isinstance(value, datetime.date | datetime.time) for row in rows for value in row)
    texts = [[_text(value) for value in row] for row in rows]
    width = max((_width(row) for row in texts), default=0)
    return [(row + [""] * width)[:width] for row in texts], dates


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()


def _width(row: list[str]) -> int:
    return next((i for i in range(len(row), 0, -1) if row[i - 1]), 0)
