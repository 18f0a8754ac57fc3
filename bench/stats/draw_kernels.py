"""Numba kernels of the bootstrap. Apart, so that importing ``bench.stats`` does not import Numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from bench.stats.bootstrap import SIDE_BY_SIDE


@numba.njit(inline="always")
def _mid_ranks(order: Any, closes: Any, block: Any, w: Any, total: Any, centred: Any, spread: Any) -> None:
    """Centred weighted mid-ranks of one variable in four draws, and their weighted sums of squares."""
    for draw in range(SIDE_BY_SIDE):
        cum = -0.5 * total[draw]
        mass = 0.0
        squares = 0.0
        first = 0
        for i in range(len(order)):
            mass += w[block[order[i]], draw]
            if closes[i]:
                rank = cum + 0.5 * mass
                squares += mass * rank * rank
                cum += mass
                mass = 0.0
                for k in range(first, i + 1):
                    centred[order[k], draw] = rank
                first = i + 1
        spread[draw] = squares


@numba.njit(inline="always")
def _products(order: Any, closes: Any, block: Any, w: Any, total: Any, target: Any, sxy: Any, sxx: Any) -> None:
    """Weighted sums of rank times target rank and of squared ranks, in four draws, in one pass in ascending order."""
    c0, c1, c2, c3 = -0.5 * total[0], -0.5 * total[1], -0.5 * total[2], -0.5 * total[3]
    m0 = m1 = m2 = m3 = 0.0  # mass of the open tie group
    t0 = t1 = t2 = t3 = 0.0  # its sum of weighted target ranks
    x0 = x1 = x2 = x3 = 0.0
    q0 = q1 = q2 = q3 = 0.0
    for i in range(len(order)):
        row = order[i]
        b = block[row]
        w0, w1, w2, w3 = np.float64(w[b, 0]), np.float64(w[b, 1]), np.float64(w[b, 2]), np.float64(w[b, 3])
        m0, m1, m2, m3 = m0 + w0, m1 + w1, m2 + w2, m3 + w3
        t0 += w0 * target[row, 0]
        t1 += w1 * target[row, 1]
        t2 += w2 * target[row, 2]
        t3 += w3 * target[row, 3]
        if closes[i]:
            r0, r1, r2, r3 = c0 + 0.5 * m0, c1 + 0.5 * m1, c2 + 0.5 * m2, c3 + 0.5 * m3
            x0, x1, x2, x3 = x0 + r0 * t0, x1 + r1 * t1, x2 + r2 * t2, x3 + r3 * t3
            q0, q1, q2, q3 = q0 + m0 * r0 * r0, q1 + m1 * r1 * r1, q2 + m2 * r2 * r2, q3 + m3 * r3 * r3
            c0, c1, c2, c3 = c0 + m0, c1 + m1, c2 + m2, c3 + m3
            m0 = m1 = m2 = m3 = 0.0
            t0 = t1 = t2 = t3 = 0.0
    sxy[0], sxy[1], sxy[2], sxy[3] = x0, x1, x2, x3
    sxx[0], sxx[1], sxx[2], sxx[3] = q0, q1, q2, q3


@numba.njit(parallel=True, cache=True)
def spearman_kernel(order: Any, closes: Any, block: Any, starts: Any, weights: Any) -> Any:
    """Mean over folds of weighted Spearman; float64 (4·groups, models).

    A fold in which a prediction is constant counts 0; a fold without 3 rows or two values of the target is left out.

    order : int32 (1 + models, n), per fold the local rows in ascending order; variable 0 is the target.
    closes : bool (1 + models, n), True at the last row of a tie group.
    block : int32 (n,), rows fold by fold. starts : int64 (folds + 1,). weights : uint8 (groups, blocks, 4).
    """
    groups = weights.shape[0]
    models = order.shape[0] - 1
    result = np.empty((groups * SIDE_BY_SIDE, models))
    for g in numba.prange(groups):
        w = weights[g]
        # Centred mid-ranks are multiples of 1/2 below 2^23, so float32 holds them exactly and halves the gathers.
        target = np.empty((order.shape[1], SIDE_BY_SIDE), np.float32)
        total = np.empty(SIDE_BY_SIDE)
        spread = np.empty(SIDE_BY_SIDE)
        sxy = np.empty(SIDE_BY_SIDE)
        sxx = np.empty(SIDE_BY_SIDE)
        sums = np.zeros((models, SIDE_BY_SIDE))
        folds = np.zeros(SIDE_BY_SIDE)
        for f in range(len(starts) - 1):
            piece = slice(starts[f], starts[f + 1])
            blocks = block[piece]
            total[:] = 0.0
            for b in blocks:
                for draw in range(SIDE_BY_SIDE):
                    total[draw] += w[b, draw]
            _mid_ranks(order[0, piece], closes[0, piece], blocks, w, total, target, spread)
            for draw in range(SIDE_BY_SIDE):
                if total[draw] >= 3 and spread[draw] > 0:
                    folds[draw] += 1
            for m in range(models):
                _products(order[m + 1, piece], closes[m + 1, piece], blocks, w, total, target, sxy, sxx)
                for draw in range(SIDE_BY_SIDE):
                    if total[draw] >= 3 and sxx[draw] > 0 and spread[draw] > 0:
                        sums[m, draw] += sxy[draw] / np.sqrt(sxx[draw] * spread[draw])
        for m in range(models):
            for draw in range(SIDE_BY_SIDE):
                result[g * SIDE_BY_SIDE + draw, m] = sums[m, draw] / folds[draw] if folds[draw] else np.nan
    return result


@numba.njit(parallel=True, cache=True, error_model="numpy")
def pool_kernel(sums: Any, of_pair: Any, constant: Any) -> Any:
    """Correlations pooled over folds: float64 (pairs, m), NaN where a side is constant in every fold.

    sums : float64 (folds, sums, m). of_pair : int64 (pairs, 6), where Σw, Σwa, Σwb, Σwaa, Σwbb and Σwab are among them.
    constant : a variance below this part of the sum of squares is rounding.
    """
    folds, _, m = sums.shape
    result = np.empty((len(of_pair), m))
    for p in numba.prange(len(of_pair)):
        of = of_pair[p]
        total, product, left = np.zeros(m), np.zeros(m), np.zeros(m)
        right, in_left, in_right = np.zeros(m), np.zeros(m), np.zeros(m)
        for f in range(folds):
            table = sums[f]
            mass, a, b, aa, bb, ab = table[of[0]], table[of[1]], table[of[2]], table[of[3]], table[of[4]], table[of[5]]
            # No call and no branch in here: the compiler then takes eight draws at a time, 7 times as fast.
            for i in range(m):
                w = mass[i]
                over = 1.0 / (w if w > 1e-12 else 1e-12)
                va, vb = aa[i] - a[i] * a[i] * over, bb[i] - b[i] * b[i] * over
                has_left, has_right = (va > constant * aa[i]) & (aa[i] > 0), (vb > constant * bb[i]) & (bb[i] > 0)
                total[i] += w
                left[i] += va if has_left else 0.0
                in_left[i] += w if has_left else 0.0
                right[i] += vb if has_right else 0.0
                in_right[i] += w if has_right else 0.0
                product[i] += ab[i] - a[i] * b[i] * over if has_left & has_right else 0.0
        for i in range(m):
            known = (in_left[i] > 0) & (in_right[i] > 0)
            spread = left[i] * total[i] / (in_left[i] if known else 1.0)
            spread *= right[i] * total[i] / (in_right[i] if known else 1.0)
            result[p, i] = product[i] / np.sqrt(spread) if known else np.nan
    return result
