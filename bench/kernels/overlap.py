"""Which label of an annotation covers a row: intervals that may overlap, nest and repeat, cut into segments first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Covering(NamedTuple):
    """Of each of n rows: ``label``, int32 (n,), the label that it takes, −1 for none; ``tied``, bool (n,), whether
    another label had as good a claim and stands later in the order of labels."""

    label: NDArray[np.int32]
    tied: NDArray[np.bool_]


class Placed(NamedTuple):
    """Intervals of int64 (n,) ``start`` and ``end``, 0-based and half-open, on chromosomes numbered from 0 in
    ``chrom``, int64 (n,); −1 is nowhere."""

    chrom: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


def covering(
    rows: Placed, intervals: Placed, label: NDArray[np.int64], *, least: float = 0.0, first: bool = False
) -> Covering:
    """The label of the intervals that covers most bases of each row.

    Bases that several intervals of one label cover count once. The order of labels decides between equals.

    Parameters
    ----------
    label : int64 (m,), numbers from 0 of the labels of the intervals, in the order in which ties fall.
    least : the label must cover this fraction of the row, and a base at least.
    first : of the labels that cover a base the first is taken, however much the others cover.

    Notes
    -----
    The ends of all intervals cut the chromosomes into segments, each with the labels that lie over it. A row then walks
    over its few segments: n log m steps and memory for the segments alone.
    """
    span = 2 + max(int(rows.end.max(initial=0)), int(intervals.end.max(initial=0)))
    offset = intervals.chrom * span
    order = np.lexsort((intervals.start, intervals.chrom, label))
    low, high, held = _merged((intervals.start + offset)[order], (intervals.end + offset)[order], label[order])
    edges = np.unique(np.concatenate([low, high]))
    a, b = np.searchsorted(edges, low), np.searchsorted(edges, high)
    depth = np.cumsum(np.bincount(a, minlength=len(edges)) - np.bincount(b, minlength=len(edges)))
    begin = np.concatenate([[0], np.cumsum(depth)])
    over = _filled(a, b, held, begin)
    there = rows.chrom >= 0
    shift = np.where(there, rows.chrom, 0) * span
    # Rows on no chromosome are empty.
    starts, ends = rows.start + shift, np.where(there, rows.end, rows.start) + shift
    labels = int(label.max(initial=-1)) + 1
    return Covering(*_best(starts, ends, edges, begin, over, labels, float(least), first))


@njit(cache=True, nogil=True)
def _merged(start, end, label):  # type: ignore[no-untyped-def]
    """Intervals sorted by label and start with those of one label that meet made one."""
    low, high, of = np.empty_like(start), np.empty_like(end), np.empty_like(label)
    count = 0
    for i in range(len(start)):
        if count and of[count - 1] == label[i] and start[i] <= high[count - 1]:
            high[count - 1] = max(high[count - 1], end[i])
        else:
            low[count], high[count], of[count] = start[i], end[i], label[i]
            count += 1
    return low[:count], high[:count], of[:count]


@njit(cache=True, nogil=True)
def _filled(a, b, label, begin):  # type: ignore[no-untyped-def]
    """Labels over each segment, segment by segment, ascending."""
    place = begin[:-1].copy()
    over = np.empty(begin[-1], np.int32)
    for i in range(len(a)):
        for segment in range(a[i], b[i]):
            over[place[segment]] = label[i]
            place[segment] += 1
    return over


@njit(cache=True, nogil=True)
def _best(start, end, edges, begin, over, labels, least, first):  # type: ignore[no-untyped-def]
    n = len(start)
    found, tied = np.full(n, -1, np.int32), np.zeros(n, np.bool_)
    covered = np.zeros(labels, np.int64)
    touched = np.empty(labels, np.int32)
    for row in range(n):
        count = 0
        segment = max(np.searchsorted(edges, start[row], "right") - 1, 0)
        while segment < len(edges) - 1 and edges[segment] < end[row]:
            bases = min(end[row], edges[segment + 1]) - max(start[row], edges[segment])
            if bases > 0:
                for place in range(begin[segment], begin[segment + 1]):
                    label = over[place]
                    if covered[label] == 0:
                        touched[count] = label
                        count += 1
                    covered[label] += bases
            segment += 1
        need = max(1.0, least * (end[row] - start[row]) - 1e-9)
        best = -1
        for k in range(count):
            label = touched[k]
            if covered[label] < need:
                continue
            if best < 0:
                best = label
                continue
            same = first or covered[label] == covered[best]
            more = label < best if same else covered[label] > covered[best]
            tied[row] = same or (tied[row] and not more)
            if more:
                best = label
        found[row] = best
        for k in range(count):
            covered[touched[k]] = 0
    return found, tied
