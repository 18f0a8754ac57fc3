"""Reading published files, with errors that name the file."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd


#: What to do about a public file that is broken, and about one that lacks something.
FETCH, OTHER = "Delete it and fetch it again.", "The file is not the published one."


def read_tsv(
    path: Path, columns: list[str] | None = None, *, broken: str = FETCH, lacking: str = OTHER, **options: Any
) -> pd.DataFrame:
    """A tab-separated file (gzipped or plain) whose header must hold ``columns``; the others are not read.

    ``broken`` and ``lacking`` are the mends that messages end with, where it is no public file.

    Raises
    ------
    BenchError : for a file that is cut short, unreadable, or lacks a column.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, sep="\t", **options)
    except EOFError:
        raise BenchError(f"{path}: the gzip file is cut short. {broken}") from None
    except (OSError, ValueError, zlib.error) as error:
        raise BenchError(f"{path}: not a readable table: {error}. {broken}") from None
    for column in columns or []:
        if column not in frame.columns:
            raise BenchError(f"{path}: column {column!r} is missing. {lacking}")
    return frame[columns] if columns else frame


def read_fasta(path: Path, *, broken: str = FETCH) -> dict[str, str]:
    """Header (without ``>``) -> sequence of a small FASTA, gzipped or plain.

    Raises
    ------
    BenchError : for a file that is cut short, unreadable, or names a record twice.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    pieces: dict[str, list[str]] = {}
    piece: list[str] = []
    try:
        with opener(path, "rt", encoding="ascii") as lines:
            for line in lines:
                if line.startswith(">"):
                    name = line[1:].strip()
                    if name in pieces:
                        raise BenchError(f"{path}: two records are called {name!r}.")
                    piece = pieces[name] = []
                else:
                    piece.append(line.strip())
    except EOFError:
        raise BenchError(f"{path}: the gzip file is cut short. {broken}") from None
    except (OSError, UnicodeDecodeError, zlib.error) as error:
        raise BenchError(f"{path}: not a readable FASTA: {error}. {broken}") from None
    return {name: "".join(piece) for name, piece in pieces.items()}
