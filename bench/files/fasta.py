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
    BenchError : for a file that is missing, cut short, unreadable, or names a record twice.
    """
    pieces: dict[str, list[str]] = {}
    piece: list[str] = []
    with readable(path, "FASTA", missing=fix, fix=fix), open_text(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith(">"):
                name = (line[1:].split(maxsplit=1) or [""])[0]
                if name in pieces:
                    raise BenchError(f"{path}: two records are called {name!r}. Rename one.")
                piece = pieces[name] = []
            else:
                piece.append(line.strip())
    return {name: "".join(piece) for name, piece in pieces.items()}
