"""Designed sequences: sites planted so that GC stays, GC moved, every base changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
#: C and G become A and T, and back.
OTHER = np.array([1, 0, 3, 2, 4], np.uint8)
#: Controls of a motif are drawn so often, and the few kept that its own matrix scores lowest.
DRAWN = 24


def strong(codes: Codes) -> NDArray[np.bool_]:
    """Where C or G stands."""
    return (codes == 1) | (codes == 2)


def planted(background: Codes, at: int, word: Codes, order: NDArray[np.intp], kept: NDArray[np.bool_]) -> Codes:
    """A background with a word written at a position, and as much GC as before: as many other bases as the word
    brings (A to C, T to G, or back) are changed, the first that can be in ``order``.

    Parameters
    ----------
    word : codes; 4 leaves the background's base. order : every position once. kept : bool (length,), positions that
    are not changed to make up for GC, besides the word's.
    """
    out = background.copy()
    place = at + np.flatnonzero(word < 4)
    surplus = int(strong(word[word < 4]).sum()) - int(strong(background[place]).sum())
    out[place] = word[word < 4]
    if surplus:
        free = ~kept
        free[at : at + len(word)] = False
        can = order[free[order] & (strong(out[order]) if surplus > 0 else (out[order] == 0) | (out[order] == 3))]
        out[can[: abs(surplus)]] = OTHER[out[can[: abs(surplus)]]]
    return out


def moved(background: Codes, points: float, order: NDArray[np.intp]) -> Codes:
    """A background with its GC moved by so many percentage points, as far as it goes."""
    out = background.copy()
    bases = round(abs(points) / 100 * len(out))
    can = order[(out[order] == 0) | (out[order] == 3) if points > 0 else strong(out[order])]
    out[can[:bases]] = OTHER[out[can[:bases]]]
    return out


def controls(word: Codes, log_odds: NDArray[np.float64], count: int, rng: np.random.Generator) -> list[Codes]:
    """Shuffles of a word's bases over the positions it writes: of some that are drawn, those that the motif's own
    matrix scores lowest, wherever it is laid on them, on both strands."""
    place = np.flatnonzero(word < 4)
    drawn = []
    for _ in range(DRAWN):
        other = word.copy()
        other[place] = rng.permutation(word[place])
        drawn.append(other)
    drawn.sort(key=lambda other: best_score(other, log_odds))
    return drawn[:count]


def best_score(word: Codes, log_odds: NDArray[np.float64]) -> float:
    """The highest score of a matrix (length, 4) laid anywhere on a word, both strands; what hangs over, and positions
    that the word leaves, count as the mean of the position."""
    k = len(log_odds)
    wide = np.concatenate([log_odds, log_odds.mean(axis=1, keepdims=True)], axis=1)
    padded = np.concatenate([np.full(k, 4, np.uint8), word, np.full(k, 4, np.uint8)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, k)
    back = np.where(windows < 4, 3 - windows, 4)[:, ::-1]
    at = np.arange(k)
    return float(max(wide[at, windows].sum(axis=1).max(), wide[at, back].sum(axis=1).max()))


def other_strand(word: Codes) -> Codes:
    """The reverse complement of a word; positions that it leaves stay such."""
    return np.where(word < 4, 3 - word, 4).astype(np.uint8)[::-1]


def mutants(codes: Codes) -> tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.uint8]]:
    """Every sequence with one base changed: (3·called, length), their position and new base. N stays."""
    called = np.flatnonzero(codes < 4)
    position = np.repeat(called, 3)
    base = np.array([[b for b in range(4) if b != codes[i]] for i in called], np.uint8).ravel()
    out = np.repeat(codes[None], len(position), axis=0)
    out[np.arange(len(position)), position] = base
    return out, position, base
