"""Opening text, gzipped or plain, and what to say where a file cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from bench.errors import BenchError

#: The fix for a public file that is broken, and for one that lacks something.
FETCH, OTHER = "Delete it and fetch it again.", "The file is not the published one."
#: The fixes for a file that a person named.
RELATIVE, CHECK = "Paths in a task file are relative to the file.", "Check the file."

#: Characters that nobody sees and that are no blanks: they come with text from web pages and word processors.
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"


def bare(text: str) -> str:
    """A field without blanks and unseen characters around it."""
    text = text.strip()
    return text if text.isascii() else text.strip(UNSEEN).strip()


def open_text(path: Path, *, encoding: str = "utf-8-sig", newline: str | None = None) -> TextIO:
    """A text file opened for reading, gzipped where its name ends in ``.gz`` or ``.bgz``. A byte order mark is
    left out."""
    refuse_packing(path)
    opener: Any = gzip.open if gzipped(path) else open
    stream: TextIO = opener(path, "rt", encoding=encoding, newline=newline)
    return stream


@contextmanager
def readable(path: Path, what: str, *, missing: str = RELATIVE, fix: str = CHECK) -> Iterator[None]:
    """Whatever goes wrong while ``path`` is read within, as one line that names it.

    Parameters
    ----------
    what : what the file should be: "table", "FASTA" ...
    missing, fix : what to do where there is no such file, and where it cannot be read.
    """
    try:
        yield
    except BenchError:
        raise
    except FileNotFoundError:
        raise BenchError(f"{path}: no such {what}. {missing}") from None
    except EOFError:
        raise BenchError(f"{path}: the gzip file is cut short. {fix}") from None
    except UnicodeDecodeError as error:
        name = error.encoding.upper()
        raise BenchError(
            f"{path}: line {_first_not(path, error.encoding)} is not {name}. Save the {what} as plain {name} text, not"
            " as UTF-16, Latin-1 or a spreadsheet."
        ) from None
    except Exception as error:  # pandas, pyarrow, gzip and zlib each have their own
        raise BenchError(f"{path}: not a readable {what}: {str(error).strip().rstrip('.')}. {fix}") from None


def gzipped(path: Path) -> bool:
    """Whether a file is gzipped (or bgzipped), by its name."""
    return path.suffix.lower() in (".gz", ".bgz")


def refuse_packing(path: Path) -> None:
    """Check that a file is packed as its name says.

    Raises
    ------
    BenchError : for a gzipped file without the ending, a plain one with it, and a zip file.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if gzipped(path):
        if head and head[:2] != b"\x1f\x8b":
            raise BenchError(f"{path}: is not gzipped. Call it {path.name.removesuffix(path.suffix)}.")
    elif head[:2] == b"\x1f\x8b":
        raise BenchError(f"{path}: is gzipped. Call it {path.name}.gz.")
    elif head == b"PK\x03\x04":
        raise BenchError(f"{path}: is a zip file or an Excel workbook. Call a workbook .xlsx, and unpack a zip file.")


def _first_not(path: Path, encoding: str) -> int:
    """Number of the first line that is not in an encoding."""
    opener: Any = gzip.open if gzipped(path) else open
    lines: BinaryIO
    with opener(path, "rb") as lines:
        text = lines.read().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        for number, line in enumerate(text.split(b"\n"), 1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError:
                return number
    return 1
