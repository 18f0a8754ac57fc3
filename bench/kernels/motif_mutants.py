"""Best score and occupancy of motifs in every row that differs from one in one base.

Only the windows over the changed base are scored again; the others are in sums and maxima from either end of the row.
Odds are multiplied in float64: 2 to the power of ±1,000 bits is in its range.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: Bits of a motif's lowest and highest score, together, from where products could leave the range of float64.
MOST = 900.0


@njit(cache=True, nogil=True)
def _mutants(codes, odds, position, floor, out):  # type: ignore[no-untyped-def]
    n, motifs = len(codes), len(floor)
    windows = np.empty((2, n))
    top = np.empty((2, n + 2))
    total = np.empty((2, n + 2))
    for motif in range(motifs):
        w = odds[position[motif] : position[motif + 1]]
        k = len(w)
        count = n - k + 1
        for i in range(max(count, 0)):
            forward, backward = 1.0, 1.0
            for j in range(k):
                base = codes[i + j]
                if base > 3:
                    forward, backward = 0.0, 0.0
                    break
                forward *= w[j, base]
                backward *= w[k - 1 - j, 3 - base]
            windows[0, i] = forward
            windows[1, i] = backward
        # top[0, i]: of windows that begin before i; top[1, i]: of those that begin at i or later.
        top[0, 0], total[0, 0] = 0.0, 0.0
        for i in range(max(count, 0)):
            top[0, i + 1] = max(top[0, i], max(windows[0, i], windows[1, i]))
            total[0, i + 1] = total[0, i] + windows[0, i] + windows[1, i]
        top[1, max(count, 0)], total[1, max(count, 0)] = 0.0, 0.0
        for i in range(count - 1, -1, -1):
            top[1, i] = max(top[1, i + 1], max(windows[0, i], windows[1, i]))
            total[1, i] = total[1, i + 1] + windows[0, i] + windows[1, i]
        row = 0
        for at in range(n):
            own = codes[at]
            if own > 3:
                continue
            first, last = max(at - k + 1, 0), min(at, count - 1)
            for base in range(4):
                if base == own:
                    continue
                if count < 1:
                    out[row, motif] = floor[motif]
                    out[row, motifs + motif] = floor[motif]
                    row += 1
                    continue
                best = max(top[0, first], top[1, last + 1])
                every = total[0, first] + total[1, last + 1]
                for i in range(first, last + 1):
                    j = at - i
                    forward = windows[0, i] / w[j, own] * w[j, base]
                    backward = windows[1, i] / w[k - 1 - j, 3 - own] * w[k - 1 - j, 3 - base]
                    best = max(best, max(forward, backward))
                    every += forward + backward
                out[row, motif] = np.log2(best) if best > 0 else floor[motif]
                out[row, motifs + motif] = np.log2(every) if every > 0 else floor[motif]
                row += 1


def scan_mutants(codes: NDArray[np.uint8], log_odds: Sequence[NDArray[np.float64]]) -> NDArray[np.float32] | None:
    """Scores as of `bench.kernels.motifs.scan_motifs` of every row with one base of ``codes`` changed, by position and
    then by the new base: float32 (3 · called, 2 · motifs); None where products could leave the range of float64."""
    lowest = np.array([motif.min(axis=1).sum() for motif in log_odds])
    highest = np.array([motif.max(axis=1).clip(0).sum() for motif in log_odds])
    if len(log_odds) and (np.abs(lowest).max() + highest.max() + 30 > MOST):
        return None
    position = np.concatenate([[0], np.cumsum([len(motif) for motif in log_odds])]).astype(np.int64)
    odds = np.exp2(np.concatenate([np.empty((0, 4)), *log_odds]))
    out = np.empty((3 * int((codes < 4).sum()), 2 * len(log_odds)), np.float32)
    _mutants(codes, odds, position, lowest.astype(np.float32), out)
    return out
