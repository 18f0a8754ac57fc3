"""K-mers shared by rows: what makes two sequences near copies of each other, on either strand."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.sequences import Sequences

#: K-mers of all rows that are compared at most; above it a sample by hash is (a sketch), the same ones in every row.
MOST_KMERS = 8_000_000
#: Holders of a k-mer that a row is compared with: this many before it in the table, and the first of all. Two near
#: copies share so many k-mers that they stand next to each other for one of them at least.
_BEFORE = 4


def near_clusters(sequences: Sequences, k: int, near: float) -> NDArray[np.int64]:
    """Clusters of near duplicates, int64 (n,), numbered from 0 in no particular order.

    Two rows are near duplicates where one holds at least ``near`` of the canonical k-mers of the other (the one with
    fewer); clusters are what such pairs connect. Set constant ends such as adapters aside first
    (``bench.tasks.loci.without_ends``). Rows without any k-mer are alone. Above ``MOST_KMERS`` a sketch is compared.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(sequences)
    scale = max(1, -(-int(sequences.lengths.sum()) // MOST_KMERS))
    hashes, rows = kmer_hashes(sequences, k, scale)
    pairs = _candidates(hashes, rows, n)
    first = np.searchsorted(rows, np.arange(n + 1))
    a, b = pairs // n, pairs % n
    size = np.diff(first)
    shared = _shared(hashes, first, a, b)
    close = shared >= near * np.minimum(size[a], size[b])
    graph = coo_array((np.ones(int(close.sum()), np.int8), (a[close], b[close])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def kmer_hashes(sequences: Sequences, k: int, scale: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Hashes of the different canonical k-mers of every row (one in ``scale`` of them), and their rows: uint64 (m,),
    sorted within a row, and int64 (m,), ascending. K-mers with N are left out."""
    most = np.maximum(sequences.lengths - k + 1, 0)
    ends = np.cumsum(most)
    hashes = np.empty(int(ends[-1]) if len(ends) else 0, np.uint64)
    limit = np.uint64(2**64 // scale - 1 if scale > 1 else 2**64 - 1)
    kept = np.empty(len(sequences), np.int64)
    _hash_kmers(
        np.asarray(sequences.buffer), sequences.start, sequences.stop, ends - most, np.int64(k), limit, hashes, kept
    )
    rows = np.repeat(np.arange(len(sequences)), kept)
    place = np.repeat(ends - most - np.cumsum(kept) + kept, kept) + np.arange(int(kept.sum()))
    return hashes[place], rows


def _candidates(hashes: NDArray[np.uint64], rows: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Pairs of rows that may be near duplicates, as ``lower * n + higher``, int64 (p,): each holder of a k-mer with the
    first one and with some before it, where they meet at more than one k-mer. Linear in the number of k-mers, also
    where a thousand variants of one sequence hold the same."""
    order = np.lexsort((rows, hashes))
    held, by = hashes[order], rows[order]
    opens = np.ones(len(held), np.bool_)
    opens[1:] = held[1:] != held[:-1]
    first = by[np.maximum.accumulate(np.where(opens, np.arange(len(held)), 0))]
    found = [(first * n + by)[first != by]]
    for back in range(1, _BEFORE + 1):
        same = held[back:] == held[:-back]
        found.append((by[:-back] * n + by[back:])[same])
    pairs, met = np.unique(np.concatenate(found), return_counts=True)
    # Unrelated rows meet at a k-mer by chance; rows of a few k-mers may have no more than one to meet at.
    few = np.bincount(rows, minlength=n) <= 2
    kept: NDArray[np.int64] = pairs[(met > 1) | few[pairs // n] | few[pairs % n]]
    return kept


@njit(cache=True, nogil=True)
def _shared(hashes, first, a, b):  # type: ignore[no-untyped-def]
    """Number of hashes that two rows share, int64 (p,), for the rows ``a`` and ``b`` of every pair."""
    out = np.zeros(len(a), np.int64)
    for pair in range(len(a)):
        i, j = first[a[pair]], first[b[pair]]
        i_end, j_end = first[a[pair] + 1], first[b[pair] + 1]
        while i < i_end and j < j_end:
            if hashes[i] == hashes[j]:
                out[pair] += 1
                i += 1
                j += 1
            elif hashes[i] < hashes[j]:
                i += 1
            else:
                j += 1
    return out


@njit(cache=True, nogil=True)
def _hash_kmers(buffer, start, stop, first, k, limit, hashes, kept):  # type: ignore[no-untyped-def]
    """Sorted, different hashes (at most ``limit``) of each row's canonical k-mers from ``hashes[first[row]]`` on;
    ``kept[row]`` is their number. The strand of a row does not matter to canonical k-mers."""
    mask = (np.uint64(1) << np.uint64(2 * k)) - np.uint64(1)
    top = np.uint64(2 * (k - 1))
    for row in range(len(start)):
        forward = np.uint64(0)
        backward = np.uint64(0)
        length = 0
        count = first[row]
        for position in range(start[row], stop[row]):
            base = buffer[position]
            if base > 3:
                length = 0
                continue
            forward = ((forward << np.uint64(2)) | np.uint64(base)) & mask
            backward = (backward >> np.uint64(2)) | (np.uint64(3 - base) << top)
            length += 1
            if length < k:
                continue
            x = min(forward, backward)  # mixed as in SplitMix64: neighbouring k-mers fall anywhere
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            x = x ^ (x >> np.uint64(31))
            if x <= limit:
                hashes[count] = x
                count += 1
        piece = np.sort(hashes[first[row] : count])
        different = 0
        for i in range(len(piece)):
            if i == 0 or piece[i] != piece[i - 1]:
                hashes[first[row] + different] = piece[i]
                different += 1
        kept[row] = different
