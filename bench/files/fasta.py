"""Small FASTA files, read whole. Genomes are read by ``bench.files.genome``."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from bench.files.reading import FETCH, open_text, readable

#: Endings of the names of FASTA files, before .gz or .bgz.
ENDINGS = (".fa", ".fasta", ".fna", ".fas")


def is_fasta(path: Path) -> bool:
    """Whether a file is a FASTA, by its name."""
    return path.name.lower().removesuffix(".gz").removesuffix(".bgz").endswith(ENDINGS)


def read_fasta(path: Path, *, fix: str = FETCH) -> dict[str, str]:
    """Name -> sequence of a small FASTA, gzipped or plain. The name is the first word of a header; what follows is a
    description, as aligners and faidx read it.

    ``fix`` is what messages end with where the file is missing or broken.

    Raises
    ------
    BenchError : for a file that is missing, cut short, unreadable, names a record twice or not, or has bases above its
        first record.
    """
    pieces: dict[str, list[str]] = {}
    headers: dict[str, str] = {}
    piece: list[str] | None = None
    astray = 0
    with readable(path, "FASTA", missing=fix, fix=fix), open_text(path, encoding="ascii") as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith(">"):
                name = (line[1:].split(maxsplit=1) or [""])[0]
                if not name:
                    raise BenchError(f"{path}: line {number} begins a record without a name. Name it, as in >oligo1.")
                if name in pieces:
                    raise BenchError(f"{path}: {_twice(name, headers[name] != line.strip())}")
                piece, headers[name] = [], line.strip()
                pieces[name] = piece
            elif piece is not None:
                piece.append(line.strip())
            elif line.strip() and not line.startswith(";"):
                astray = astray or number
    if astray:
        raise BenchError(f"{path}: line {astray} has bases above the first record. A record begins with >name.")
    return {name: "".join(piece) for name, piece in pieces.items()}


def _twice(name: str, otherwise: bool) -> str:
    """What is said of two records of one name, ``otherwise`` where their headers differ behind it."""
    fix = " The name is the first word of a header: write _ for blanks there and in the table." if otherwise else ""
    return f"two records are called {name!r}. Rename one.{fix}"
