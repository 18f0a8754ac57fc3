"""Loci: which rows belong together, because they overlap, are the same bases, or are said to be related."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.sequences import COMPLEMENT, Sequences
from bench.tasks.places import Places

#: A row is expected to have fewer chance neighbours (one base apart) than this where being one base apart means that
#: rows are related; in shorter sequences only equal ones are.
_CHANCE = 0.01
#: Share of rows from which on bases at either end are an adapter's.
_CONSTANT = 0.9
#: Rows from which on what nearly all share is an adapter.
_FEW = 50


def loci_of(
    places: Places, sequences: Sequences, said: NDArray[Any] | None = None, circle: Mapping[str, int] | None = None
) -> NDArray[np.int64]:
    """Locus of every row, int64 (n,): as ``said`` (str (n,), "" = alone), else by overlap, else by bases that are equal
    or one apart.

    Parameters
    ----------
    circle : length of every chromosome of a circular genome, where it is known: intervals may run over the origin.
    """
    n = len(sequences)
    if said is not None:
        alone = np.char.add("\0", np.arange(n).astype(np.str_))
        return codes_of(np.where(said == "", alone, said))
    placed = places.known
    locus = np.full(n, -1, np.int64)
    chrom, start, end = places.chrom[placed], places.start[placed], places.end[placed]
    locus[placed] = overlapping(chrom, start, end) if circle is None else around(chrom, start, end, circle)
    if not placed.all():
        locus[~placed] = near_bases(sequences.take(~placed)) + locus.max(initial=-1) + 1
    return locus


def codes_of(labels: Any) -> NDArray[np.int64]:
    """0-based codes of labels in order of first appearance, int64 (n,)."""
    import pandas as pd

    return np.asarray(pd.factorize(np.asarray(labels, dtype=object))[0], np.int64)


def overlapping(chrom: Any, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Loci of intervals (0-based half-open): connected blocks of intervals that overlap on one chromosome by a base or
    more. int64 (n,), numbered by chromosome of first appearance and position."""
    on = codes_of(chrom)
    below = min(int(start.min(initial=0)), 0)  # on a circular genome
    start, end = start - below, end - below
    order = np.lexsort((end, start, on))
    # Chromosomes are laid end to end, so that one running maximum serves all of them.
    length = int(end.max(initial=0)) + 1
    first = start[order] + on[order] * length
    reach = np.maximum.accumulate(end[order] + on[order] * length)
    opens = np.ones(len(order), np.bool_)
    opens[1:] = first[1:] >= reach[:-1]
    locus = np.empty(len(order), np.int64)
    locus[order] = np.cumsum(opens) - 1
    return locus


def around(
    chrom: NDArray[Any], start: NDArray[np.int64], end: NDArray[np.int64], circle: Mapping[str, int]
) -> NDArray[np.int64]:
    """As ``overlapping``, on circular chromosomes of known length: an interval that runs over the origin meets those at
    both ends."""
    length = np.array([circle[str(name)] for name in chrom.tolist()], np.int64)
    first = start % np.maximum(length, 1)
    last = first + (end - start)
    over = np.flatnonzero(last > length)
    again = np.concatenate([np.arange(len(start)), over])
    turn = np.concatenate([np.zeros(len(start), np.int64), length[over]])
    block = overlapping(chrom[again], first[again] - turn, last[again] - turn)
    # A row that stands twice joins the blocks of both.
    return joined([block, again])[: len(start)]


def near_bases(sequences: Sequences) -> NDArray[np.int64]:
    """Loci of rows whose sequences are equal or one base apart (changed, more or less), on either strand. int64 (n,).

    Ends that nearly all rows share (adapters) are set aside. Where so short a sequence has a neighbour by chance, only
    equal ones are related.
    """
    from bench.kernels.near import one_apart

    core = without_ends(sequences)
    n = len(core)
    length = core.lengths.astype(np.float64)
    # About 8 L neighbours each (3 L changes, 4 L insertions, L deletions), on two strands.
    telling = 16.0 * n * length * np.exp(-length * np.log(4.0)) < _CHANCE
    groups = [same_bases(core)]
    # Whole as well: a row that differs within an adapter keeps it, and would match none of the rows that lost it.
    for compared in (core, sequences) if core is not sequences else (sequences,):
        some = np.full(n, -1, np.int64)
        some[telling] = one_apart(compared.take(telling))
        groups.append(some)
    return joined(groups)


def without_ends(sequences: Sequences) -> Sequences:
    """The rows without the bases at either end that nearly all of them share; of few rows, what all share may be what
    makes them related, and they are left as they are."""
    if len(sequences) < _FEW:
        return sequences
    start, stop = sequences.start.copy(), sequences.stop.copy()
    for side in (0, 1):
        member = np.ones(len(start), np.bool_)
        depth = 0
        while True:
            member &= stop - start > depth
            # The end as it is read: that of a reversed row is the other end of its interval.
            left = sequences.reverse == bool(side)
            place = np.where(left, start + depth, stop - 1 - depth)[member]
            if not len(place):
                break
            codes = np.asarray(sequences.buffer[place])
            codes = np.where(sequences.reverse[member], COMPLEMENT[codes], codes)
            usual = int(np.bincount(codes, minlength=5).argmax())
            if (codes == usual).sum() < _CONSTANT * len(start):
                break
            member[np.flatnonzero(member)[codes != usual]] = False
            depth += 1
        # Rows that lack the adapter are compared whole.
        left = sequences.reverse == bool(side)
        if depth:
            start = np.where(member & left, start + depth, start)
            stop = np.where(member & ~left, stop - depth, stop)
    kept = stop > start
    start, stop = np.where(kept, start, sequences.start), np.where(kept, stop, sequences.stop)
    return replace(sequences, start=start, stop=stop)


def same_bases(sequences: Sequences) -> NDArray[np.int64]:
    """Loci of rows whose sequence, or its reverse complement, is the same. int64 (n,)."""
    forward, backward = sequences.to_strings(), sequences.reverse_complement().to_strings()
    return codes_of([min(pair) for pair in zip(forward, backward, strict=True)])


def joined(groupings: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The coarsest common loci: rows that share a code in any of ``groupings`` (int64 (n,), -1 = in no group) share a
    locus, and so on through chains. int64 (n,), in order of first appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(groupings[0])
    rows, nodes, offset = [], [], n
    for codes in groupings:
        grouped = np.flatnonzero(codes >= 0)
        rows.append(grouped)
        nodes.append(codes[grouped] + offset)
        offset += int(codes.max(initial=-1)) + 1
    row, node = np.concatenate(rows), np.concatenate(nodes)
    graph = coo_array((np.ones(len(row), np.int8), (row, node)), shape=(offset, offset))
    return codes_of(connected_components(graph, directed=False)[1][:n])
