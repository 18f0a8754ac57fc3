"""Base codes of rows as a matrix, shorter rows padded."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences


@njit(cache=True, nogil=True)
def _codes_row(buffer, start, stop, reverse, out):  # type: ignore[no-untyped-def]
    bases = buffer[start:stop]
    length = len(bases)
    pad = (len(out) - length) // 2
    for i in range(pad):
        out[i] = 4
    for i in range(pad + length, len(out)):
        out[i] = 4
    inner = out[pad : pad + length]
    if reverse:
        for i in range(length):
            base = bases[length - 1 - i]
            inner[i] = (base ^ 3) - 3 * (base >> 2)  # 3 - base, and 4 stays 4: no branch, so it vectorises
    else:
        for i in range(length):
            inner[i] = bases[i]


@njit(cache=True, nogil=True)
def _codes_serial(buffer, start, stop, reverse, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        _codes_row(buffer, start[row], stop[row], reverse[row], out[row])


@njit(cache=True, nogil=True, parallel=True)
def _codes_parallel(buffer, start, stop, reverse, out):  # type: ignore[no-untyped-def]
    for row in prange(len(start)):
        _codes_row(buffer, start[row], stop[row], reverse[row], out[row])


def padded_codes(sequences: Sequences, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Base codes of every row as read on its strand, uint8 (n, ``sequences.width``), centred and padded with 4, into
    ``out`` where it is given."""
    buffer, start, stop, reverse = arrays_of(sequences)
    out = np.empty((len(start), sequences.width), np.uint8) if out is None else out
    (_codes_parallel if in_parallel(sequences) else _codes_serial)(buffer, start, stop, reverse, out)
    return out
