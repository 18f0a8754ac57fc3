"""Reading the table of a task file: text, Parquet or BED, with errors that name the file and the mend."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bench.errors import BenchError
from bench.tasks.spec import TaskSpec

if TYPE_CHECKING:
    import pandas as pd

BED_COLUMNS = ("chrom", "start", "end", "name", "score", "strand")
_BED_HEAD = ("#", "track", "browser")
_TEXT = ("sequence", "id", "chrom", "strand", "locus")


def read_table(path: Path, spec: TaskSpec) -> pd.DataFrame:
    """The table of a task file: TSV (.tsv, .txt), CSV, Parquet or BED by its name, optionally gzipped.

    Raises
    ------
    BenchError : for a file that is missing, of an unknown kind, cut short, or not such a table.
    """
    import pandas as pd

    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    text: dict[str, type[str]] = {getattr(spec.columns, name) or name: str for name in _TEXT} | dict.fromkeys(
        spec.columns.strata.values(), str
    )
    if path.is_dir():
        raise BenchError(f"{path}: a folder, not a table. Name the file in it.")
    try:
        match kind:
            case "parquet":
                return pd.read_parquet(path)
            case "tsv" | "txt" | "tab":
                return _read_text(path, "\t", text)
            case "csv":
                return _read_text(path, ",", text)
            case "bed":
                return _read_bed(path)
    except FileNotFoundError:
        raise BenchError(f"{path}: no such table. Paths in a task file are relative to the file.") from None
    except EOFError:
        raise BenchError(f"{path}: the gzip file is cut short. Copy or download it again.") from None
    except UnicodeDecodeError:
        raise BenchError(
            f"{path}: line {_first_not_utf8(path)} is not UTF-8. Save the table as plain UTF-8 text, not as UTF-16,"
            " Latin-1 or a spreadsheet."
        ) from None
    except BenchError:
        raise
    except Exception as error:  # pandas, pyarrow, gzip and zlib each have their own
        raise BenchError(f"{path}: not a readable table: {str(error).strip().rstrip('.')}. Check the file.") from None
    sheet = " Save the sheet as .csv." if kind in ("xlsx", "xls", "ods") else ""
    raise BenchError(f"{path}: a table must be .tsv, .txt, .csv, .parquet or .bed (text optionally .gz).{sheet}")


def _read_text(path: Path, separator: str, text: dict[str, type[str]]) -> pd.DataFrame:
    """A table with a header line. What pandas would mend in silence (a column named twice, a header that is one name
    short) is an error."""
    import pandas as pd

    with _opened(path) as stream:
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
    return pd.read_csv(path, sep=separator, dtype=text, low_memory=False)


def _opened(path: Path) -> TextIO:
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    stream: TextIO = opener(path, "rt", encoding="utf-8-sig", newline="")
    return stream


def _first_not_utf8(path: Path) -> int:
    """Number of the first line that is not UTF-8."""
    opener: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1


def _read_bed(path: Path) -> pd.DataFrame:
    import pandas as pd

    with _opened(path) as lines:
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
