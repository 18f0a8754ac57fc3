"""Loci: which rows belong together, because they overlap, are the same bases, or are said to be related."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences
from bench.tasks.places import Places


def loci_of(places: Places, sequences: Sequences, said: NDArray[Any] | None = None) -> NDArray[np.int64]:
    """Locus of every row, int64 (n,): as ``said`` (str (n,), "" = alone), else by overlap, else by equal bases."""
    n = len(sequences)
    if said is not None:
        alone = np.char.add("\0", np.arange(n).astype(np.str_))
        return codes_of(np.where(said == "", alone, said))
    placed = places.known
    locus = np.full(n, -1, np.int64)
    locus[placed] = overlapping(places.chrom[placed], places.start[placed], places.end[placed])
    if not placed.all():
        locus[~placed] = same_bases(sequences.take(~placed)) + locus.max(initial=-1) + 1
    return locus


def codes_of(labels: Any) -> NDArray[np.int64]:
    """0-based codes of labels in order of first appearance, int64 (n,)."""
    import pandas as pd

    return np.asarray(pd.factorize(np.asarray(labels, dtype=object))[0], np.int64)


def overlapping(chrom: Any, start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Loci of intervals (0-based half-open): connected blocks of intervals that overlap on one chromosome by a base or
    more. int64 (n,), numbered by chromosome of first appearance and position."""
    on = codes_of(chrom)
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
