"""Small FASTA files, read whole. Genomes are read by ``bench.files.genome``."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from bench.files.reading import FETCH, open_text, readable


def read_fasta(path: Path, *, fix: str = FETCH) -> dict[str, str]:
    """Header (without ``>``) -> sequence of a small FASTA, gzipped or plain.

    ``fix`` is what messages end with where the file is missing or broken.

    Raises
    ------
    BenchError : for a file that is missing, cut short, unreadable, or names a record twice.
    """
    pieces: dict[str, list[str]] = {}
    piece: list[str] = []
    with readable(path, "FASTA", missing=fix, fix=fix), open_text(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(">"):
                name = line[1:].strip()
                if name in pieces:
                    raise BenchError(f"{path}: two records are called {name!r}. Rename one.")
                piece = pieces[name] = []
            else:
                piece.append(line.strip())
    return {name: "".join(piece) for name, piece in pieces.items()}
