"""Which motif of a database another one is: Tomtom's p-values.

Columns are compared by their Euclidean distance. Of every query column the distances to all columns of the database
(both strands) give the distribution of chance; those of a run of columns are convolved. A target's score is the best
over its alignments, columns of the query that hang over scoring their median ("complete scores"), and its p-value that
of the best of so many alignments on two strands.

Source: Gupta et al., Genome Biology 8:R24 (2007); complete scores: Tanaka et al., Bioinformatics 27:1603 (2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.motifs.motif import Motif

#: Whole numbers that the range of distances is cut into.
BINS = 100


@dataclass(frozen=True, eq=False)
class Targets:
    """A database made ready: columns of all motifs end to end, forward then backward.

    Attributes
    ----------
    columns : float64 (positions, 4), shares, of one strand after the other. first : int64 (motifs,), of each motif.
    length : int64 (motifs,). strand : positions of one strand.
    """

    columns: NDArray[np.float64]
    first: NDArray[np.int64]
    length: NDArray[np.int64]
    strand: int

    @classmethod
    def of(cls, motifs: Sequence[Motif]) -> Targets:
        shares = [motif.counts / motif.counts.sum(axis=1, keepdims=True) for motif in motifs]
        length = np.array([*map(len, shares)], np.int64)
        both = [np.concatenate([each[::step, ::step] for each in shares]) for step in (1, -1)]
        return cls(np.concatenate(both), np.cumsum(length) - length, length, int(length.sum()))


def tomtom(query: NDArray[np.float64], targets: Targets) -> NDArray[np.float64]:
    """p-value of every target, float64 (motifs,): of an alignment with chance columns as good as its best.

    Parameters
    ----------
    query : float64 (length, 4), shares of A C G T at every position.
    """
    k = len(query)
    columns = targets.columns
    squared = (query**2).sum(axis=1)[:, None] + (columns**2).sum(axis=1) - 2 * query @ columns.T
    distance = np.sqrt(np.maximum(squared, 0))
    better = np.median(distance, axis=1, keepdims=True) - distance  # above 0: nearer than half of all columns
    scale = BINS / max(float(np.ptp(better)), 1e-12)
    score = np.rint(better * scale).astype(np.int64)
    best = _best(score, k, targets)
    chance = _Chance.of(score)
    out = np.empty(len(targets.length))
    for m in np.unique(targets.length):
        mine = targets.length == m
        out[mine] = chance.above(int(m), best[mine])
    return out


def _best(score: NDArray[np.int64], k: int, targets: Targets) -> NDArray[np.int64]:
    """The best score of each target over all alignments of both strands that share a column."""
    out = np.full(len(targets.length), np.iinfo(np.int64).min)
    # Each target between k - 1 columns that score 0 on either side: what hangs over counts as the median.
    wide = targets.length + 2 * (k - 1)
    begin = np.cumsum(wide) - wide
    place = np.arange(targets.strand) + np.repeat(begin + k - 1 - targets.first, targets.length)
    for strand in range(2):
        laid = np.zeros((k, int(wide.sum())), np.int64)
        laid[:, place] = score[:, strand * targets.strand : (strand + 1) * targets.strand]
        total = np.zeros(laid.shape[1] - k + 1, np.int64)
        for i in range(k):
            total += laid[i, i : i + len(total)]
        # The last k - 1 starts of a target run into the next one.
        starts = np.repeat(begin, wide - k + 1) + _counted(wide - k + 1)
        first = np.cumsum(wide - k + 1) - (wide - k + 1)
        out = np.maximum(out, np.maximum.reduceat(total[starts], first))
    return out


def _counted(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ... of each length, end to end."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


@dataclass(frozen=True, eq=False)
class _Chance:
    """``log_below`` : by first and last column of a run, log P(score of chance columns < low + i), float64."""

    columns: int
    low: int
    log_below: dict[tuple[int, int], NDArray[np.float64]]

    @classmethod
    def of(cls, score: NDArray[np.int64]) -> _Chance:
        k = len(score)
        low = int(score.min())
        width = int(score.max()) - low + 1
        share = [np.bincount(row - low, minlength=width) / score.shape[1] for row in score]
        lowest, size = k * min(low, 0), k * (max(int(score.max()), 0) - min(low, 0)) + 1
        table = {}
        for a in range(k):
            run = np.ones(1)
            for b in range(a, k):
                run = np.convolve(run, share[b])
                whole = np.zeros(size + 1)
                at = (b - a + 1) * low - lowest
                whole[at : at + len(run)] = run
                # Added up from above: 1 less the sum from below would lose all that is under 1e-16.
                at_least = np.minimum(np.cumsum(whole[::-1])[::-1], 1.0)
                with np.errstate(divide="ignore"):
                    table[a, b] = np.log1p(-at_least)
        return cls(k, lowest, table)

    def above(self, m: int, best: NDArray[np.int64]) -> NDArray[np.float64]:
        """P(the best of all alignments with a target of m columns, on both strands, is at least so much)."""
        k = self.columns
        below = sum(
            self.log_below[max(0, -shift), min(k, m - shift) - 1] for shift in range(-k + 1, m)
        )  # shift: where the query's first column lies on the target
        assert isinstance(below, np.ndarray)
        return -np.expm1(2 * below[best - self.low])


def q_values(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """False discovery rates of p-values (n,) by Benjamini and Hochberg, the smallest at which each is called."""
    from scipy.stats import false_discovery_control

    out: NDArray[np.float64] = false_discovery_control(np.clip(p, 0, 1))
    return out
