"""Sums of a value per dinucleotide over rows and over windows along them."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences


@njit(cache=True, nogil=True)
def _stacking_row(bases, reverse, energy, windows, neutral, out):  # type: ignore[no-untyped-def]
    """Sum, mean, and mean of each window of one row; the steps of a reversed row are read from its end."""
    steps = len(bases) - 1
    total, count, window = 0.0, 0, 0
    part, parts = 0.0, 0
    out[2:] = np.nan
    for i in range(steps):
        here = i * windows // steps  # 0 without windows
        if here != window:
            if parts:
                out[2 + window] = part / parts
            window, part, parts = here, 0.0, 0
        if reverse:
            a, b = bases[steps - i], bases[steps - 1 - i]
            a, b = (3 - a if a < 4 else a), (3 - b if b < 4 else b)
        else:
            a, b = bases[i], bases[i + 1]
        if a < 4 and b < 4:
            value = energy[a, b]
            total += value
            count += 1
            part += value
            parts += 1
    if windows and parts:
        out[2 + window] = part / parts
    mean = total / count if count else neutral
    out[0], out[1] = total, mean
    for window in range(windows):
        if np.isnan(out[2 + window]):
            out[2 + window] = mean


@njit(cache=True, nogil=True)
def _stacking_serial(buffer, start, stop, reverse, energy, windows, neutral, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        _stacking_row(buffer[start[row] : stop[row]], reverse[row], energy, windows, neutral, out[row])


@njit(cache=True, nogil=True, parallel=True)
def _stacking_parallel(buffer, start, stop, reverse, energy, windows, neutral, out):  # type: ignore[no-untyped-def]
    for row in prange(len(start)):
        _stacking_row(buffer[start[row] : stop[row]], reverse[row], energy, windows, neutral, out[row])


def stacking(sequences: Sequences, energy: NDArray[np.float64], windows: int) -> NDArray[np.float32]:
    """Sum and mean of ``energy[first base, second base]`` over the steps of every row, and its mean in windows along
    it, 5' to 3' on its strand.

    Parameters
    ----------
    energy : float64 (4, 4), by codes A C G T; the same for a step and its reverse complement.
    windows : how many; step i of s is in window i * windows // s. 0: none.

    Returns
    -------
    float32 (n, 2 + windows). Steps with N are left out; a window without a step has the row's mean, a row without one a
    sum of 0 and the mean of the 16 steps.
    """
    buffer, start, stop, reverse = arrays_of(sequences)
    out = np.empty((len(start), 2 + windows), np.float32)
    kernel = _stacking_parallel if in_parallel(sequences, work=5) else _stacking_serial
    kernel(buffer, start, stop, reverse, energy, windows, float(energy.mean()), out)
    return out
