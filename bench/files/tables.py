"""Reading tables: TSV, CSV, BED, Excel or Parquet, with errors that name the file and the fix."""

from __future__ import annotations

import gzip
import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError, nearest
from bench.files.delimited import Fields, read_fields
from bench.files.excel import read_sheet
from bench.files.header import find_header
from bench.files.numbers import parse_numbers
from bench.files.reading import FETCH, OTHER, RELATIVE, gzipped, readable, refuse_packing

if TYPE_CHECKING:
    import pandas as pd

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")
NARROW_PEAK_COLUMNS = (*BED_COLUMNS, "signalValue", "pValue", "qValue", "peak")
_BED_HEAD = ("#", "track", "browser")
#: What stands between the columns of a text table, by the ending of its name.
SEPARATORS = {"tsv": "\t", "txt": "\t", "tab": "\t", "csv": ","}
#: Rows that tell most columns of text.
_HEAD = 64
#: Name of the index of a frame whose rows know their line in the file.
LINE = "line"


@dataclass(frozen=True)
class Layout:
    """What cannot be seen from a table itself. ``skip_rows``: lines above the header that are no comments. ``names``:
    of all columns by position, where it has no header. ``sheet``: of an Excel file."""

    skip_rows: int = 0
    names: tuple[str, ...] = ()
    sheet: str | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was read.

    frame : every column as strings, NaN where empty (Parquet: as stored). Its index is called ``LINE`` and holds the
        number of every row's line in the file (text and Excel).
    notes : what was passed over, for people.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()


def kind_of(path: Path) -> str:
    """The ending of a table's name in small letters, without .gz or .bgz: "tsv", "narrowpeak" ..."""
    name = path.name.lower()
    return name.removesuffix(".gz").removesuffix(".bgz").rpartition(".")[2]


def read_table(path: Path, layout: Layout = Layout(), *, missing: str = RELATIVE) -> Table:
    """A table that a person made, by its name: TSV (.tsv, .txt, .tab), CSV, BED, narrowPeak, Excel, AnnData or Parquet;
    text may be gzipped. ``missing``: the fix where there is no such file.

    Raises
    ------
    BenchError : for a file that is missing, of an unknown kind, cut short, or not such a table.
    """
    kind = kind_of(path)
    if path.is_dir():
        raise BenchError(f"{path}: a folder, not a table. Name the file in it.")
    with readable(path, "table", missing=missing):
        if kind in SEPARATORS:
            return _table(_read_text(path, SEPARATORS[kind], layout))
        if kind in ("bed", "narrowpeak"):
            return _table(_read_bed(path, NARROW_PEAK_COLUMNS if kind == "narrowpeak" else BED_COLUMNS, layout))
        if kind in ("xlsx", "xlsm"):
            return _read_excel(path, layout)
        if kind == "h5ad":
            from bench.files.h5ad import read_h5ad

            return Table(read_h5ad(path))
        if kind == "parquet":
            import pandas as pd

            frame = pd.read_parquet(path)
            named = [name for name in frame.index.names if name is not None]  # pandas keeps such columns apart
            return Table(frame.reset_index(named).reset_index(drop=True))
    sheet = " Save the sheet as .xlsx or .csv." if kind in ("xls", "ods", "numbers") else ""
    raise BenchError(
        f"{path}: a table must be .tsv, .txt, .csv, .bed, .narrowPeak, .xlsx, .h5ad or .parquet (text optionally .gz)."
        f"{sheet}"
    )


def read_tsv(
    path: Path,
    columns: Sequence[str] = (),
    *,
    fix: str = FETCH,
    lacking: str = OTHER,
) -> pd.DataFrame:
    """A tab-separated file, gzipped or plain, cut to ``columns`` (all by default), which its header must hold. Columns
    of numbers are int64 or float64, the others strings; missing fields NaN.

    Parameters
    ----------
    fix, lacking : what messages end with where the file is missing or broken, and where it lacks a column.

    Raises
    ------
    BenchError : for a file that is missing, cut short, unreadable, or lacks a column.
    """
    with readable(path, "table", missing=fix, fix=fix):
        frame = _table(_read_text(path, "\t", Layout())).frame.reset_index(drop=True)
    require_columns(frame, columns, str(path), lacking)
    return typed(frame[list(columns)] if columns else frame)


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of strings with its columns of numbers as int64 or, with gaps or fractions, float64."""
    return frame.assign(**{name: _typed(frame[name]) for name in frame.columns})


def require_columns(frame: pd.DataFrame, columns: Iterable[str], source: str, fix: str = "") -> None:
    """Check that a table has columns.

    Raises
    ------
    BenchError : for those that are missing, ending with ``fix``, or by default with the nearest name there is.
    """
    missing = [column for column in dict.fromkeys(columns) if column not in frame.columns]
    if missing:
        end = f" {fix}" if fix else nearest(missing[0], map(str, frame.columns))
        more = f" (and {', '.join(map(repr, missing[1:]))})" if missing[1:] else ""
        raise BenchError(f"{source}: column {missing[0]!r} is missing{more}.{end}")


# ---- kinds of files --------------------------------------------------------------------------------------------------
def _read_text(path: Path, separator: str, layout: Layout) -> Fields:
    return read_fields(
        _content(path),
        separator,
        quotes=separator == ",",
        source=str(path),
        skip_rows=layout.skip_rows,
        names=layout.names,
    )


def _read_bed(path: Path, known: Sequence[str], layout: Layout) -> Fields:
    def names(width: int) -> list[str]:
        if width < 3:
            raise BenchError(
                f"{path}: a BED file has chrom, start and end, with tabs between them. Got {width}"
                f" column{'s' if width > 1 else ''}."
            )
        return [known[i] if i < len(known) else f"column{i + 1}" for i in range(width)]

    return read_fields(
        _content(path),
        "\t",
        quotes=False,
        source=str(path),
        skip_rows=layout.skip_rows,
        names=layout.names or names,
        marks=_BED_HEAD,
    )


def _read_excel(path: Path, layout: Layout) -> Table:
    import pyarrow as pa

    sheet = read_sheet(path, layout.sheet)
    rows = sheet.rows
    if not rows:
        raise BenchError(f"{path}: the sheet is empty. It needs a header and one row per measured element.")
    header = find_header(
        ((number, "\x1f".join(row)) for number, row in enumerate(rows, 1)),
        lambda text: text.split("\x1f"),
        source=str(path),
        skip_rows=layout.skip_rows,
        names=layout.names,
    )
    kept = [(number, row) for number, row in enumerate(rows[header.body :], header.body + 1) if any(row)]
    columns = [
        pa.chunked_array([pa.array([row[i] or None for _, row in kept], pa.string())]) for i in range(len(header.names))
    ]
    lines = np.array([number for number, _ in kept], np.int64)
    hollow = sorted(sheet.hollow.keys() & set(lines.tolist()))
    if hollow:
        raise BenchError(f"{path}: row {hollow[0]}: {sheet.hollow[hollow[0]]}.")
    table = _table(Fields(header.names, columns, lines, len(rows) - header.body - len(kept)))
    return Table(table.frame, (*table.notes, *sheet.notes))


def _content(path: Path) -> Any:
    """The bytes of a text file: mapped where it is plain, so that memory holds the columns alone."""
    refuse_packing(path)
    if gzipped(path):
        try:
            with gzip.open(path) as stream:
                return stream.read()
        except gzip.BadGzipFile:
            raise BenchError(
                f"{path}: something else stands behind the gzipped text. Copy or fetch it again."
            ) from None
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""


# ---- columns ---------------------------------------------------------------------------------------------------------
def _table(fields: Fields) -> Table:
    import pandas as pd

    dtype = pd.StringDtype("pyarrow", na_value=np.nan)
    names = _named(fields.names)
    columns = {name: pd.array(column, dtype=dtype) for name, column in zip(names, fields.columns, strict=True)}
    frame = pd.DataFrame(columns, index=pd.Index(fields.lines, name=LINE), copy=False)
    empty = (f"wholly empty rows left out: {fields.empty:,}",) if fields.empty else ()
    return Table(frame, (*fields.notes, *empty))


def _named(names: list[str]) -> list[str]:
    """Names of columns; one without a name is called by its place."""
    return [name or f"column {place}" for place, name in enumerate(names, 1)]


def _typed(column: pd.Series) -> pd.Series:
    """A column as numbers where every field is one or missing, else as it is."""
    import pandas as pd

    if parse_numbers(column.head(_HEAD))[1].any():
        return column  # most columns of text show it in their first rows
    values, wrong = parse_numbers(column)
    if wrong.any() or (np.isnan(values).all() and column.notna().any()):
        return column
    whole = len(values) > 0 and bool(np.isfinite(values).all() and (values % 1 == 0).all())
    whole = whole and not column.str.contains("[.eE]", regex=True).any()
    return pd.Series(values.astype(np.int64) if whole else values, index=column.index)
