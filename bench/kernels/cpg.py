"""CpG content of rows, by reading the bases."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of
from bench.sequences import Sequences


@njit(cache=True, nogil=True)
def _fractions(buffer, start, stop, out):  # type: ignore[no-untyped-def]
    # CG reads CG on the other strand too, so a row's strand does not matter
    for row in range(len(start)):
        found = 0
        for i in range(start[row], stop[row] - 1):
            found += (buffer[i] == 1) & (buffer[i + 1] == 2)
        out[row] = found / max(stop[row] - start[row] - 1, 1)


def cpg_fraction(sequences: Sequences) -> NDArray[np.float32]:
    """CpG dinucleotides over all dinucleotides of every row, float32 (n,)."""
    buffer, start, stop, _ = arrays_of(sequences)
    out = np.empty(len(start), np.float32)
    _fractions(buffer, start, stop, out)
    return out
