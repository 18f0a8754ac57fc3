"""Which rows share many of their k-mers with one other row: an exact search by an index of k-mers.

The k-mers of a row are its different ones, canonical over strands, without N. A row that shares ``least`` of its ``m``
k-mers with another shares one of *any* ``m - least + 1`` of them with it (prefix filter; Chaudhuri, Ganti and Kaushik,
ICDE 2006). So the k-mers that the fewest rows hold name the candidates, and each candidate is then counted base by
base. The index merges k-mers into buckets, which adds candidates and loses none.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numba import get_num_threads, njit
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of
from bench.sequences import Sequences

#: Longest k whose code has 32 bits, which the buckets are made from.
LONGEST_K = 16
#: Buckets of the index: four for each k-mer of all rows, up to 2**24 (64 MB; there are 2**23 canonical 12-mers).
MOST_BITS = 24
#: A list of rows this short is read even where the filter could do without it: with it go the candidates of one k-mer.
SHORT_LIST = 64
#: Fewer rows than this are not worth a thread of their own.
THREAD_ROWS = 2_000
#: Threads at most: each has 64 MB of buckets of its own, and they wait for one memory.
MOST_THREADS = 4
#: Work of the search, in rows of a list read. To count a candidate of 200 bases is as much as to read so many.
CANDIDATE = 300


class Index(NamedTuple):
    """Rows by the buckets of their k-mers: those of bucket b are ``rows[first[b]:first[b + 1]]``, ascending.

    k : length of the k-mers. shift : 32 - log2(buckets). first : int64 (buckets + 1,). rows : int32.
    """

    k: int
    shift: int
    first: NDArray[np.int64]
    rows: NDArray[np.int32]


@njit(cache=True, nogil=True)
def _bucket(code, shift):  # type: ignore[no-untyped-def]
    """Neighbouring codes fall anywhere (Fibonacci hashing)."""
    return np.int64(((code * np.uint64(0x9E3779B1)) & np.uint64(0xFFFFFFFF)) >> np.uint64(shift))


@njit(cache=True, nogil=True)
def _collect(buffer, start, stop, k, passed, slots, place, out):  # type: ignore[no-untyped-def]
    """The different canonical k-mers of one row into ``out``, less the sorted ones of ``passed``; their number.

    ``slots`` (a power of two, -1 everywhere) is a hash table: afterwards it holds positions in ``out``, and ``place``
    which slots, so that the caller can look k-mers up and then clear it."""
    mask = (np.uint64(1) << np.uint64(2 * k)) - np.uint64(1)
    top = np.uint64(2 * (k - 1))
    last = len(slots) - 1
    forward = np.uint64(0)
    backward = np.uint64(0)
    run = 0
    count = 0
    for position in range(start, stop):
        base = buffer[position]
        if base > 3:
            run = 0
            continue
        forward = ((forward << np.uint64(2)) | np.uint64(base)) & mask
        backward = (backward >> np.uint64(2)) | (np.uint64(3 - base) << top)
        run += 1
        if run < k:
            continue
        code = min(forward, backward)
        if len(passed):
            at = np.searchsorted(passed, code)
            if at < len(passed) and passed[at] == code:
                continue
        slot = _bucket(code, 8) & last
        while slots[slot] >= 0 and out[slots[slot]] != code:
            slot = (slot + 1) & last
        if slots[slot] < 0:
            slots[slot] = count
            place[count] = slot
            out[count] = code
            count += 1
    return count


@njit(cache=True, nogil=True)
def _clear(slots, place, count):  # type: ignore[no-untyped-def]
    for i in range(count):
        slots[place[i]] = -1


@njit(cache=True, nogil=True)
def _count_buckets(buffer, start, stop, chosen, k, shift, passed, slots, place, out, size):  # type: ignore[no-untyped-def]
    for row in chosen:
        count = _collect(buffer, start[row], stop[row], k, passed, slots, place, out)
        _clear(slots, place, count)
        for i in range(count):
            size[_bucket(out[i], shift)] += 1


@njit(cache=True, nogil=True)
def _fill_buckets(buffer, start, stop, chosen, k, shift, passed, slots, place, out, next_free, rows):  # type: ignore[no-untyped-def]
    for row in chosen:
        count = _collect(buffer, start[row], stop[row], k, passed, slots, place, out)
        _clear(slots, place, count)
        for i in range(count):
            bucket = _bucket(out[i], shift)
            rows[next_free[bucket]] = row
            next_free[bucket] += 1


@njit(cache=True, nogil=True)
def _places(sizes, first):  # type: ignore[no-untyped-def]
    """Sizes of buckets, (shares, buckets), become the places where each share's rows begin, those of one share behind
    those of the shares before it. ``first`` : where each bucket begins, and where the last one ends."""
    total = np.int64(0)
    for bucket in range(sizes.shape[1]):
        first[bucket] = total
        for share in range(len(sizes)):
            size = sizes[share, bucket]
            sizes[share, bucket] = total
            total += size
    first[-1] = total


@njit(cache=True, nogil=True)
def _count_rows(buffer, start, stop, k, passed, slots, place, out, counts):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        counts[row] = _collect(buffer, start[row], stop[row], k, passed, slots, place, out)
        _clear(slots, place, counts[row])


@njit(cache=True, nogil=True)
def _in_full_buckets(buffer, start, stop, k, shift, full, slots, place, out, found):  # type: ignore[no-untyped-def]
    """K-mers of all rows, one entry per row, whose bucket is among ``full``, into ``found``; their number."""
    nothing = np.zeros(0, np.uint64)
    total = 0
    for row in range(len(start)):
        count = _collect(buffer, start[row], stop[row], k, nothing, slots, place, out)
        _clear(slots, place, count)
        for i in range(count):
            if full[_bucket(out[i], shift)]:
                if total < len(found):
                    found[total] = out[i]
                total += 1
    return total


@njit(cache=True, nogil=True)
def _shared(buffer, start, stop, k, least, codes, slots, stamps, stamp):  # type: ignore[no-untyped-def]
    """Whether a row holds ``least`` of the k-mers in ``slots``. ``stamps`` : which of them it was seen to hold."""
    mask = (np.uint64(1) << np.uint64(2 * k)) - np.uint64(1)
    top = np.uint64(2 * (k - 1))
    last = len(slots) - 1
    forward = np.uint64(0)
    backward = np.uint64(0)
    run = 0
    held = 0
    for position in range(start, stop):
        base = buffer[position]
        if base > 3:
            run = 0
            continue
        forward = ((forward << np.uint64(2)) | np.uint64(base)) & mask
        backward = (backward >> np.uint64(2)) | (np.uint64(3 - base) << top)
        run += 1
        if run < k:
            continue
        code = min(forward, backward)
        slot = _bucket(code, 8) & last
        while slots[slot] >= 0 and codes[slots[slot]] != code:
            slot = (slot + 1) & last
        which = slots[slot]
        if which >= 0 and stamps[which] != stamp:
            stamps[which] = stamp
            held += 1
            if held >= least:
                return True
        if held + stop - 1 - position < least:  # each base to come adds one at most
            return False
    return False


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]
    buffer, start, stop, k, shift, first, rows, lowest, tested, test_bits, seen_bits, near, passed, slots, place, codes,
    stamps, hits, touched, found, work,
):  # fmt: skip
    """``found[i]``: whether a row of the index that a fold of row ``tested[i]`` sees holds ``near`` of its k-mers.
    ``work[i]`` grows by what that took. ``hits`` : zeros, one for each row of the index from ``lowest`` on."""
    stamp = 0
    stamps[:] = -1
    for i in range(len(tested)):
        row = tested[i]
        if found[i]:
            continue
        size = _collect(buffer, start[row], stop[row], k, passed, slots, place, codes)
        least = max(1, np.int64(np.ceil(near * size - 1e-9)))
        lists = np.empty(size, np.int64)
        buckets = np.empty(size, np.int64)
        for j in range(size):
            buckets[j] = _bucket(codes[j], shift)
            lists[j] = first[buckets[j] + 1] - first[buckets[j]]
        order = np.argsort(lists)
        seen = 0
        read = 0
        for j in range(size):
            bucket = buckets[order[j]]
            if j > size - least and lists[order[j]] > SHORT_LIST:
                break
            read += 1
            work[i] += lists[order[j]]
            for at in range(first[bucket], first[bucket + 1]):
                other = rows[at] - lowest
                if hits[other] == 0:
                    if not test_bits[row] & seen_bits[other + lowest]:
                        continue
                    touched[seen] = other
                    seen += 1
                hits[other] += 1
        needed = least - (size - read)  # of the lists read; each list that was not may add one
        for j in range(seen):
            other = touched[j]
            if hits[other] >= needed and not found[i]:
                stamp += 1
                work[i] += CANDIDATE
                found[i] = _shared(
                    buffer, start[other + lowest], stop[other + lowest], k, least, codes, slots, stamps, stamp
                )
            hits[other] = 0
        _clear(slots, place, size)


def _shares(rows: int) -> int:
    """Threads that some rows are shared out over."""
    return max(min(get_num_threads(), MOST_THREADS, rows // THREAD_ROWS), 1)


def _side_by_side(work: Callable[[int, slice], None], rows: int) -> None:
    """``work(number, rows)`` for every share of some rows, each in a thread. The kernels hold no lock of the
    interpreter."""
    shares = _shares(rows)
    edges = np.linspace(0, rows, shares + 1).astype(int)
    slices = [slice(first, last) for first, last in pairwise(edges)]
    if shares == 1:
        work(0, slices[0])
        return
    with ThreadPoolExecutor(shares) as pool:
        list(pool.map(work, range(shares), slices))  # so that an error in one is raised here


def _scratch(sequences: Sequences) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.uint64]]:
    """An empty hash table for the k-mers of a row, the slots in use, and the k-mers."""
    width = max(int(sequences.lengths.max(initial=0)), 1)
    return np.full(1 << (2 * width).bit_length(), -1, np.int32), np.empty(width, np.int64), np.empty(width, np.uint64)


def _shift(sequences: Sequences) -> int:
    """32 less the bits of a bucket's number."""
    return 32 - min(MOST_BITS, max(int(4 * sequences.lengths.sum()).bit_length(), 8))


def _checked(k: int) -> int:
    if not 1 <= k <= LONGEST_K:
        raise ValueError(f"k must be 1 to {LONGEST_K}. Got {k}.")
    return k


def different_kmers(sequences: Sequences, k: int, passed: NDArray[np.uint64] | None = None) -> NDArray[np.int64]:
    """Number of different canonical k-mers of every row, int64 (n,), without those of ``passed`` (sorted codes)."""
    buffer, start, stop, _ = arrays_of(sequences)
    counts = np.zeros(len(sequences), np.int64)
    passed = np.zeros(0, np.uint64) if passed is None else passed
    _checked(k)
    _side_by_side(
        lambda _, some: _count_rows(buffer, start[some], stop[some], k, passed, *_scratch(sequences), counts[some]),
        len(counts),
    )
    return counts


def _bucket_sizes(
    sequences: Sequences, rows: NDArray[np.int64], k: int, shift: int, passed: NDArray[np.uint64]
) -> NDArray[np.int32]:
    """Number of the k-mers of some rows in every bucket, int32 (shares, buckets), by shares of the rows
    (``_side_by_side``)."""
    buffer, start, stop, _ = arrays_of(sequences)
    sizes = np.zeros((_shares(len(rows)), 1 << (32 - shift)), np.int32)
    _side_by_side(
        lambda share, some: _count_buckets(
            buffer, start, stop, rows[some], k, shift, passed, *_scratch(sequences), sizes[share]
        ),
        len(rows),
    )
    return sizes


def kmers_of_nearly_all(sequences: Sequences, k: int, share: float) -> NDArray[np.uint64]:
    """Codes of the canonical k-mers that at least ``share`` of the rows hold, sorted, uint64."""
    shift, none = _shift(sequences), np.zeros(0, np.uint64)
    size = _bucket_sizes(sequences, np.arange(len(sequences)), _checked(k), shift, none).sum(axis=0)
    least = share * len(sequences)
    full = size >= least
    if not full.any():
        return none
    buffer, start, stop, _ = arrays_of(sequences)
    found = np.empty(int(size[full].sum()), np.uint64)
    _in_full_buckets(buffer, start, stop, k, shift, full, *_scratch(sequences), found)
    codes, counts = np.unique(found, return_counts=True)
    return codes[counts >= least]


def index_kmers(
    sequences: Sequences, rows: NDArray[np.int64], k: int, passed: NDArray[np.uint64] | None = None
) -> Index:
    """Index of some rows, int64 (m,) ascending, by their k-mers, without those of ``passed`` (sorted codes)."""
    buffer, start, stop, _ = arrays_of(sequences)
    passed = np.zeros(0, np.uint64) if passed is None else passed
    shift = _shift(sequences)
    places = _bucket_sizes(sequences, rows, _checked(k), shift, passed)
    first = np.empty(places.shape[1] + 1, np.int64)
    _places(places, first)
    held = np.empty(int(first[-1]), np.int32)
    _side_by_side(
        lambda share, some: _fill_buckets(
            buffer, start, stop, rows[some], k, shift, passed, *_scratch(sequences), places[share], held
        ),
        len(rows),
    )
    return Index(k, shift, first, held)


def search_shared(
    sequences: Sequences,
    index: Index,
    tested: NDArray[np.int64],
    test_bits: NDArray[np.uint64],
    seen_bits: NDArray[np.uint64],
    near: float,
    found: NDArray[np.bool_],
    passed: NDArray[np.uint64] | None = None,
) -> NDArray[Any]:
    """Set ``found[i]`` where an indexed row holds at least ``near`` of the k-mers of row ``tested[i]``.

    Parameters
    ----------
    test_bits, seen_bits : uint64 (n,), one bit for each fold: which of them test a row, and which show it to a model.
        A row is compared with those that a fold which tests it shows.
    near : share of the k-mers of the tested row, those of ``passed`` (sorted codes) not counted. A row without any is
        not found.
    found : bool (m,), changed in place. Rows that are found already are passed over.

    Returns
    -------
    Work that each tested row took, int64 (m,), in rows of a list read (about a nanosecond).
    """
    buffer, start, stop, _ = arrays_of(sequences)
    work = np.zeros(len(tested), np.int64)
    if not len(index.rows):
        return work
    lowest, highest = int(index.rows.min()), int(index.rows.max())
    passed = np.zeros(0, np.uint64) if passed is None else passed

    def search(_: int, some: slice) -> None:
        slots, place, codes = _scratch(sequences)
        stamps = np.empty(len(codes), np.int64)
        hits, touched = np.zeros(highest - lowest + 1, np.int32), np.empty(highest - lowest + 1, np.int64)
        _search(
            buffer, start, stop, index.k, index.shift, index.first, index.rows, lowest, tested[some], test_bits,
            seen_bits, near, passed, slots, place, codes, stamps, hits, touched, found[some], work[some],
        )  # fmt: skip

    _side_by_side(search, len(tested))
    return work
