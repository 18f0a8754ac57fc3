"""Reading tables: TSV, CSV, Parquet or BED, with errors that name the file and the fix."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, nearest
from bench.files.reading import FETCH, OTHER, open_text, readable

if TYPE_CHECKING:
    import pandas as pd

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")
_BED_HEAD = ("#", "track", "browser")
#: What stands between the columns of a text table, by the ending of its name.
SEPARATORS = {"tsv": "\t", "txt": "\t", "tab": "\t", "csv": ","}


def read_table(path: Path, text_columns: Collection[str] = ()) -> pd.DataFrame:
    """A table that a person made: TSV (.tsv, .txt), CSV, Parquet or BED by its name, optionally gzipped.

    Parameters
    ----------
    text_columns : columns of a text table that stay text whatever they look like (ids such as 007).

    Raises
    ------
    BenchError : for a file that is missing, of an unknown kind, cut short, or not such a table.
    """
    import pandas as pd

    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if path.is_dir():
        raise BenchError(f"{path}: a folder, not a table. Name the file in it.")
    with readable(path, "table"):
        if kind in SEPARATORS:
            return _read_text(path, SEPARATORS[kind], text_columns)
        if kind == "parquet":
            return pd.read_parquet(path)
        if kind == "bed":
            return _read_bed(path)
    sheet = " Save the sheet as .csv." if kind in ("xlsx", "xls", "ods") else ""
    raise BenchError(f"{path}: a table must be .tsv, .txt, .csv, .parquet or .bed (text optionally .gz).{sheet}")


def read_tsv(
    path: Path,
    columns: Sequence[str] = (),
    *,
    fix: str = FETCH,
    lacking: str = OTHER,
) -> pd.DataFrame:
    """A tab-separated file, gzipped or plain, cut to ``columns`` (all by default), which its header must hold.

    Parameters
    ----------
    fix, lacking : what messages end with where the file is missing or broken, and where it lacks a column.

    Raises
    ------
    BenchError : for a file that is missing, cut short, unreadable, or lacks a column.
    """
    with readable(path, "table", missing=fix, fix=fix):
        frame = _read_text(path, "\t")
    require_columns(frame, columns, str(path), lacking)
    return frame[list(columns)] if columns else frame


def require_columns(frame: pd.DataFrame, columns: Iterable[str], source: str, fix: str = "") -> None:
    """Check that a table has columns.

    Raises
    ------
    BenchError : for the first that is missing, ending with ``fix``, or by default with the nearest name there is.
    """
    for column in columns:
        if column not in frame.columns:
            end = f" {fix}" if fix else nearest(column, map(str, frame.columns))
            raise BenchError(f"{source}: column {column!r} is missing.{end}")


def _read_text(path: Path, separator: str, text_columns: Collection[str] = ()) -> pd.DataFrame:
    """A table with a header line. What pandas would repair in silence (a column named twice, a header that is one name
    short) is an error."""
    import pandas as pd

    with open_text(path, newline="") as stream:
        lines = csv.reader(stream, delimiter=separator)
        header, first = next(lines, []), next(lines, [])
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice is not None:
        raise BenchError(f"{path}: two columns are called {twice!r}. Rename one.")
    if len(header) == 1 and any(other in header[0] for other in ",;\t "):
        said = {"\t": "tabs", ",": "commas"}[separator]
        raise BenchError(
            f"{path}: the header {header[0][:60]!r} is a single column. A {path.suffix} file needs {said} between the"
            " columns."
        )
    if len(first) > len(header) > 0:
        raise BenchError(
            f"{path}: the first row has {len(first)} fields, the header {len(header)} names. Name every column (R:"
            " write.table with row.names=FALSE), and end no line with a separator."
        )
    text: dict[str, type[str]] = dict.fromkeys(text_columns, str)
    return pd.read_csv(path, sep=separator, dtype=text, low_memory=False)


def _read_bed(path: Path) -> pd.DataFrame:
    import pandas as pd

    with open_text(path, newline="") as lines:
        # Only before the first row: a name may hold a "#".
        skip = next((i for i, line in enumerate(lines) if not line.startswith(_BED_HEAD) and line.strip()), 0)
    frame = pd.read_csv(path, sep="\t", header=None, skiprows=skip, dtype={0: str, 3: str, 5: str}, low_memory=False)
    if frame.shape[1] < 3:
        raise BenchError(
            f"{path}: a BED file has chrom, start and end, with tabs between them. Got {frame.shape[1]} column"
            f"{'s' if frame.shape[1] > 1 else ''}."
        )
    names = [BED_COLUMNS[i] if i < len(BED_COLUMNS) else f"column{i + 1}" for i in range(frame.shape[1])]
    return frame.set_axis(names, axis=1)
