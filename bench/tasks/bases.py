"""The bases of a table's rows, checked letter by letter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.sequences import Sequences
from bench.tasks.columns import Columns

#: Kind of every byte of a sequence: 0 a base, 1 N, 2 another IUPAC letter, 3 nothing that belongs there.
_BYTE = np.full(256, 3, np.uint8)
for _kind, _letters in enumerate((b"ACGTUacgtu", b"Nn", b"RYSWKMBDHVryswkmbdhv")):
    _BYTE[list(_letters)] = _kind


def read_bases(table: Columns, column: str, covariates: Mapping[str, NDArray[np.float64]]) -> tuple[Sequences, int]:
    """Sequences of a column, as written (strand is not applied to them), and how many IUPAC letters were read as N.

    Raises
    ------
    BenchError : for an empty sequence, and for a letter that is none of the IUPAC code.
    """
    strings = table.text(column).tolist()
    raw = np.frombuffer("".join(strings).encode("latin-1", "replace"), np.uint8)
    stop = np.cumsum([len(string) for string in strings])
    empty = np.diff(stop, prepend=0) == 0
    if empty.any():
        raise BenchError(
            f"{table.source}: {table.where(int(np.argmax(empty)))} has an empty sequence. Give its bases or drop it."
        )
    kind = _BYTE[raw]
    if (kind == 3).any():
        at = int(np.argmax(kind == 3))
        row = int(np.searchsorted(stop, at, side="right"))
        letter = strings[row][at - int(stop[row])]
        raise BenchError(
            f"{table.source}: {table.where(row)}, column {column!r} has {letter!r}, which is no base."
            " Only A, C, G, T, U, N and the IUPAC letters may stand there."
        )
    return Sequences.from_strings(strings, covariates), int((kind == 2).sum())
