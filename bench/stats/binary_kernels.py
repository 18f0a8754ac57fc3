"""Numba kernel of AUROC and average precision in draws. Apart, so that importing ``bench.stats`` does not import
Numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from bench.stats.bootstrap import SIDE_BY_SIDE


@numba.njit(inline="always")
def _piece(order: Any, closes: Any, block: Any, y: Any, w: Any, out: Any) -> None:
    """Of one stratum in four draws: AUROC times pairs, pairs, average precision times positives, positives; into
    ``out``, float64 (4, 4). Rows are walked from the highest prediction down, ties as one step."""
    p0 = p1 = p2 = p3 = 0.0  # positives of the open tie group
    m0 = m1 = m2 = m3 = 0.0  # its negatives
    c0 = c1 = c2 = c3 = 0.0  # positives above
    n0 = n1 = n2 = n3 = 0.0  # negatives above
    a0 = a1 = a2 = a3 = 0.0  # pairs in the wrong order, ties by half
    q0 = q1 = q2 = q3 = 0.0  # sum of positives times precision
    for i in range(len(order)):
        row = order[i]
        b = block[row]
        one = y[row]
        none = 1.0 - one
        w0, w1, w2, w3 = np.float64(w[b, 0]), np.float64(w[b, 1]), np.float64(w[b, 2]), np.float64(w[b, 3])
        p0, p1, p2, p3 = p0 + w0 * one, p1 + w1 * one, p2 + w2 * one, p3 + w3 * one
        m0, m1, m2, m3 = m0 + w0 * none, m1 + w1 * none, m2 + w2 * none, m3 + w3 * none
        if closes[i]:
            a0, a1, a2, a3 = (
                a0 + p0 * (n0 + 0.5 * m0),
                a1 + p1 * (n1 + 0.5 * m1),
                a2 + p2 * (n2 + 0.5 * m2),
                a3 + p3 * (n3 + 0.5 * m3),
            )
            c0, c1, c2, c3 = c0 + p0, c1 + p1, c2 + p2, c3 + p3
            n0, n1, n2, n3 = n0 + m0, n1 + m1, n2 + m2, n3 + m3
            if p0 > 0:
                q0 += p0 * c0 / (c0 + n0)
            if p1 > 0:
                q1 += p1 * c1 / (c1 + n1)
            if p2 > 0:
                q2 += p2 * c2 / (c2 + n2)
            if p3 > 0:
                q3 += p3 * c3 / (c3 + n3)
            p0 = p1 = p2 = p3 = 0.0
            m0 = m1 = m2 = m3 = 0.0
    for draw, (wrong, positives, negatives, precise) in enumerate(
        ((a0, c0, n0, q0), (a1, c1, n1, q1), (a2, c2, n2, q2), (a3, c3, n3, q3))
    ):
        out[draw, 0] = positives * negatives - wrong
        out[draw, 1] = positives * negatives
        out[draw, 2] = precise
        out[draw, 3] = positives


@numba.njit(parallel=True, cache=True)
def binary_kernel(order: Any, closes: Any, block: Any, y: Any, starts: Any, fold: Any, folds: int, weights: Any) -> Any:
    """Means over folds of AUROC and average precision; float64 (4·groups, models, 2), NaN where no fold has both
    classes.

    order : int32 (models, n), per stratum the local rows from the highest prediction down. closes : bool (models, n),
        True at the last row of a tie group. block : int32 (n,), rows stratum by stratum. y : float64 (n,), the part of
        a row that is positive. starts : int64 (strata + 1,). fold : int64 (strata,). weights : uint8 (groups, blocks,
        4).
    """
    groups = weights.shape[0]
    models = order.shape[0]
    result = np.empty((groups * SIDE_BY_SIDE, models, 2))
    for g in numba.prange(groups):
        w = weights[g]
        out = np.empty((SIDE_BY_SIDE, 4))
        for m in range(models):
            sums = np.zeros((folds, SIDE_BY_SIDE, 4))
            for s in range(len(starts) - 1):
                piece = slice(starts[s], starts[s + 1])
                _piece(order[m, piece], closes[m, piece], block[piece], y[piece], w, out)
                sums[fold[s]] += out
            for draw in range(SIDE_BY_SIDE):
                total = precise = 0.0
                counted = 0
                for f in range(folds):
                    if sums[f, draw, 1] > 0:
                        total += sums[f, draw, 0] / sums[f, draw, 1]
                        precise += sums[f, draw, 2] / sums[f, draw, 3]
                        counted += 1
                result[g * SIDE_BY_SIDE + draw, m, 0] = total / counted if counted else np.nan
                result[g * SIDE_BY_SIDE + draw, m, 1] = precise / counted if counted else np.nan
    return result
