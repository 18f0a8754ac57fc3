"""Counts of k-mers, on the strand of each row or on both at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences

#: Columns of rows that are set to 0 together before they are counted into: enough that memory is written in long
#: runs, few enough that they stay in the cache of a core.
CLEARED = 1 << 17


@njit(cache=True, nogil=True)
def _kmers_row(buffer, start, stop, reverse, k, first, out):  # type: ignore[no-untyped-def]
    """Add the k-mers of one row to ``out[first:]``. Counts do not depend on the order of reading, so a reversed row is
    read forwards too, with complements shifted in from the other end."""
    code = np.uint64(0)
    run = 0
    if reverse:
        top = np.uint64(2 * (k - 1))
        for base in buffer[start:stop]:
            if base > 3:
                run = 0
                continue
            code = (code >> np.uint64(2)) | (np.uint64(3 - base) << top)
            run += 1
            if run >= k:
                out[first + code] += 1
    else:
        mask = np.uint64(4**k - 1)
        for base in buffer[start:stop]:
            if base > 3:
                run = 0
                continue
            code = ((code << np.uint64(2)) | np.uint64(base)) & mask
            run += 1
            if run >= k:
                out[first + code] += 1


@njit(cache=True, nogil=True)
def _canonical_row(buffer, start, stop, k, first, column, out):  # type: ignore[no-untyped-def]
    """Add the k-mers of one row to ``out``, each in the column of its code (the same for both strands)."""
    code = np.uint64(0)
    run = 0
    mask = np.uint64(4**k - 1)
    for base in buffer[start:stop]:
        if base > 3:
            run = 0
            continue
        code = ((code << np.uint64(2)) | np.uint64(base)) & mask
        run += 1
        if run >= k:
            out[column[first + code]] += 1


@njit(cache=True, nogil=True)
def _kmers_serial(buffer, start, stop, reverse, low, high, first, out):  # type: ignore[no-untyped-def]
    step = max(1, CLEARED // out.shape[1])
    for row in range(len(start)):
        if row % step == 0:
            out[row : row + step] = 0
        for k in range(low, high + 1):
            _kmers_row(buffer, start[row], stop[row], reverse[row], k, first[k], out[row])


@njit(cache=True, nogil=True, parallel=True)
def _kmers_parallel(buffer, start, stop, reverse, low, high, first, out):  # type: ignore[no-untyped-def]
    step = max(1, CLEARED // out.shape[1])
    for block in prange(-(-len(start) // step)):
        rows = slice(block * step, min((block + 1) * step, len(start)))
        _kmers_serial(buffer, start[rows], stop[rows], reverse[rows], low, high, first, out[rows])


@njit(cache=True, nogil=True)
def _canonical_serial(buffer, start, stop, low, high, column, first, out):  # type: ignore[no-untyped-def]
    step = max(1, CLEARED // out.shape[1])
    for row in range(len(start)):
        if row % step == 0:
            out[row : row + step] = 0
        for k in range(low, high + 1):
            _canonical_row(buffer, start[row], stop[row], k, first[k], column, out[row])


@njit(cache=True, nogil=True, parallel=True)
def _canonical_parallel(buffer, start, stop, low, high, column, first, out):  # type: ignore[no-untyped-def]
    step = max(1, CLEARED // out.shape[1])
    for block in prange(-(-len(start) // step)):
        rows = slice(block * step, min((block + 1) * step, len(start)))
        _canonical_serial(buffer, start[rows], stop[rows], low, high, column, first, out[rows])


def _firsts(low: int, high: int) -> NDArray[np.uint64]:
    """first[k]: where the 4**k codes of length k start when those of length low..high stand one after the other."""
    sizes = [4**k if low <= k <= high else 0 for k in range(high + 1)]
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint64)


def _reverse_complement_codes(k: int) -> NDArray[np.int64]:
    codes = np.arange(4**k)
    other = np.zeros_like(codes)
    for place in range(k):
        other = (other << 2) | (3 - ((codes >> (2 * place)) & 3))
    return other


def count_dtype(width: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned dtype that holds any count in a row of at most ``width`` bases."""
    return np.uint8 if width < 2**8 else np.uint16 if width < 2**16 else np.uint32


def canonical_columns(low: int, high: int) -> NDArray[np.uint32]:
    """Column of every k-mer (low..high one after the other, each in alphabetical order) when both strands share one:
    uint32 (sum of 4**k,). A k-mer and its reverse complement have the same column."""
    columns, used = [], 0
    for k in range(low, high + 1):
        codes = np.arange(4**k)
        smaller = np.minimum(codes, _reverse_complement_codes(k))
        place = np.cumsum(smaller == codes) - 1
        columns.append(used + place[smaller])
        used += int(place[-1]) + 1
    return np.concatenate(columns).astype(np.uint32)


def count_kmers(
    sequences: Sequences, low: int, high: int, canonical: bool = False, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Counts of all k-mers of lengths low..high in every row, as read on its strand, into ``out`` where it is given.

    Returns
    -------
    (n, columns) of the smallest unsigned dtype that holds ``sequences.width``. Columns: lengths in ascending order,
    each alphabetical; with ``canonical`` a k-mer and its reverse complement share the column of the alphabetically
    first. A window that contains N is skipped.
    """
    buffer, start, stop, reverse = arrays_of(sequences)
    first = _firsts(low, high)
    dtype = count_dtype(sequences.width)
    if canonical:
        column = canonical_columns(low, high)
        out = np.empty((len(start), int(column.max()) + 1), dtype) if out is None else out
        parallel = in_parallel(sequences, out_bytes=out.nbytes)
        (_canonical_parallel if parallel else _canonical_serial)(buffer, start, stop, low, high, column, first, out)
    else:
        out = np.empty((len(start), int(first[-1])), dtype) if out is None else out
        parallel = in_parallel(sequences, out_bytes=out.nbytes)
        (_kmers_parallel if parallel else _kmers_serial)(buffer, start, stop, reverse, low, high, first, out)
    return out


def count_kmers_in_windows(
    sequences: Sequences, low: int, high: int, windows: int, canonical: bool = False
) -> NDArray[Any]:
    """Counts as of `count_kmers` in each of some windows along every row, 5' to 3' on its strand. A k-mer belongs to
    the window that its first base lies in: base i of a row of L bases to window i * windows // L.

    Returns
    -------
    (n, windows * columns) of the smallest unsigned dtype that holds a window's bases: the columns of one window after
    the other.
    """
    columns = [4**k if not canonical else int(canonical_columns(k, k).max()) + 1 for k in range(low, high + 1)]
    widest = -(-sequences.width // windows)
    out = np.empty((len(sequences), windows * sum(columns)), count_dtype(widest))
    lengths = sequences.lengths
    used = 0
    for window in range(windows):
        first = -(-window * lengths // windows)  # the first base i with i * windows // L = window
        end = -(-(window + 1) * lengths // windows)
        for k, size in zip(range(low, high + 1), columns, strict=True):
            # Bases beyond the window that its last k-mers reach into.
            last = np.minimum(end + k - 1, lengths)
            last = np.where(end > first, last, first)  # a row shorter than the windows are many: empty windows
            near = np.where(sequences.reverse, sequences.stop - last, sequences.start + first)
            far = np.where(sequences.reverse, sequences.stop - first, sequences.start + last)
            part = replace(sequences, start=near, stop=far, width=widest + k)
            out[:, used : used + size] = count_kmers(part, k, k, canonical)
            used += size
    return out
