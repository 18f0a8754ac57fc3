"""GC content of rows and of windows along them, by reading the bases or by a rank index of the whole buffer."""

from __future__ import annotations

import numpy as np
from numba import njit, prange, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences

#: Bases a record of the rank index covers: one bit each of a 64-bit word.
WORD = 64
#: Bases asked for, in buffers, from which the rank index is worth making. It is made at 5,500 Mbase/s; rows of 200 are
#: read at 7,000, so reading wins the first pass. Windows of 10 are read at 600 and looked up at 1,600: it wins at once.
SHARE_ROW, SHARE_WINDOWS = 2.0, 0.25

_ONE = np.uint64(1)
_LOW = np.uint64(0x0101010101010101)  # lowest bit of every byte
_GATHER = np.uint64(0x0102040810204080)  # times eight 0/1 bytes: their bits side by side in the top byte

# On codes A C G T N = 0 1 2 3 4: (b ^ b >> 1) & 1 is 1 for C and G; b >> 2 is 1 for N.


@njit(cache=True, nogil=True)
def _scan(buffer, a, b):  # type: ignore[no-untyped-def]
    """(G + C, N) in buffer[a:b], by reading it. Byte counters over 255 bases at most let LLVM use whole vectors."""
    gc = np.int64(0)
    unknown = np.int64(0)
    while a < b:
        end = min(a + 255, b)
        few_gc = np.uint8(0)
        few_unknown = np.uint8(0)
        for base in buffer[a:end]:
            few_gc = np.uint8(few_gc + ((base ^ (base >> 1)) & 1))
            few_unknown = np.uint8(few_unknown + (base >> 2))
        gc += few_gc
        unknown += few_unknown
        a = end
    return gc, unknown


@intrinsic
def _popcount(typingctx, x):  # type: ignore[no-untyped-def]
    """Set bits of a uint64 in one instruction. (Shifts and masks: a third of the look-ups a second.)"""
    return types.uint64(types.uint64), lambda context, builder, signature, args: builder.ctpop(args[0])


@njit(cache=True, nogil=True)
def _rank(index, position):  # type: ignore[no-untyped-def]
    """(G + C, N) before a position of the buffer, from the rank index."""
    record = index[position >> 6]
    below = (_ONE << np.uint64(position & 63)) - _ONE
    return np.int64(record[2] + _popcount(record[0] & below)), np.int64(record[3] + _popcount(record[1] & below))


@njit(cache=True, nogil=True)
def _fill_index(words, buffer, index):  # type: ignore[no-untyped-def]
    gc = np.uint64(0)
    unknown = np.uint64(0)
    n = len(buffer)
    for block in range(len(index)):
        gc_bits = np.uint64(0)
        unknown_bits = np.uint64(0)
        if (block + 1) * 64 <= n:
            for byte in range(8):
                x = words[block * 8 + byte]
                shift = np.uint64(byte * 8)
                gc_bits |= ((((x ^ (x >> _ONE)) & _LOW) * _GATHER) >> np.uint64(56)) << shift
                unknown_bits |= ((((x >> np.uint64(2)) & _LOW) * _GATHER) >> np.uint64(56)) << shift
        else:
            for i in range(block * 64, n):
                base = np.uint64(buffer[i])
                shift = np.uint64(i & 63)
                gc_bits |= ((base ^ (base >> _ONE)) & _ONE) << shift
                unknown_bits |= (base >> np.uint64(2)) << shift
        index[block, 0] = gc_bits
        index[block, 1] = unknown_bits
        index[block, 2] = gc
        index[block, 3] = unknown
        gc += _popcount(gc_bits)
        unknown += _popcount(unknown_bits)


def rank_index(buffer: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Prefix counts of a buffer in half a byte per base: GC and N before any position in O(1).

    Returns
    -------
    uint64 (n_bases // 64 + 1, 4): one bit per base for G or C, one for N, and both counts before the record's
    first base. One record is half a cache line, so a look-up costs one miss. (A plain prefix sum of both takes 8 to 16
    bytes per base.)
    """
    buffer = np.ascontiguousarray(buffer)
    index = np.empty((len(buffer) // WORD + 1, 4), np.uint64)
    _fill_index(buffer[: len(buffer) // 8 * 8].view(np.uint64), buffer, index)
    return index


def _index_of(sequences: Sequences, share: float) -> NDArray[np.uint64]:
    """The rank index, or one of length 0: read the rows instead. Both give the same GC.

    The index is made, and kept with the buffer, once the rows asked for so far (a task may come in blocks) have more
    than ``share`` times the bases of the buffer: overlapping fragments, not a few elements of a whole genome.
    """
    shared = sequences.shared
    if "gc-rank-index" not in shared:
        shared["gc-bases-read"] = shared.get("gc-bases-read", 0) + int(sequences.lengths.sum())
        if shared["gc-bases-read"] <= share * len(sequences.buffer):
            return np.empty((0, 4), np.uint64)
        shared["gc-rank-index"] = rank_index(sequences.buffer)
    index: NDArray[np.uint64] = shared["gc-rank-index"]
    return index


@njit(cache=True, nogil=True)
def _fraction(gc, unknown, bases):  # type: ignore[no-untyped-def]
    called = bases - unknown
    return np.float32(gc / called) if called > 0 else np.float32(0.5)


@njit(cache=True, nogil=True)
def _gc_row(buffer, index, a, b):  # type: ignore[no-untyped-def]
    if len(index):
        gc, unknown = _rank(index, b)
        gc_before, unknown_before = _rank(index, a)
        return _fraction(gc - gc_before, unknown - unknown_before, b - a)
    gc, unknown = _scan(buffer, a, b)
    return _fraction(gc, unknown, b - a)


@njit(cache=True, nogil=True)
def _gc_serial(buffer, index, start, stop, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        out[row] = _gc_row(buffer, index, start[row], stop[row])


@njit(cache=True, nogil=True, parallel=True)
def _gc_parallel(buffer, index, start, stop, out):  # type: ignore[no-untyped-def]
    for row in prange(len(start)):
        out[row] = _gc_row(buffer, index, start[row], stop[row])


def gc_fraction(sequences: Sequences) -> NDArray[np.float32]:
    """(G + C) / (A + C + G + T) of every row, float32 (n,). N is left out; 0.5 where no base is called."""
    buffer, start, stop, _ = arrays_of(sequences)
    index = _index_of(sequences, SHARE_ROW)
    out = np.empty(len(start), np.float32)
    kernel = _gc_parallel if in_parallel(sequences) else _gc_serial
    kernel(buffer, index, start, stop, out)
    return out


@njit(cache=True, nogil=True)
def _windows_row(buffer, index, start, stop, reverse, width, step, pad, out):  # type: ignore[no-untyped-def]
    """GC of the windows of one row, counted 5' to 3' on its strand. ``width`` 0: the row cut into len(out) parts."""
    length = stop - start
    whole, rest = length // len(out), length % len(out)
    mark, error = np.int64(0), np.int64(0)  # w * length // len(out), without a division per window
    edge, edge_gc, edge_unknown = np.int64(-1), np.int64(0), np.int64(0)  # the last look-up: neighbours share an edge
    for window in range(len(out)):
        if width == 0:
            a = mark
            mark += whole
            error += rest
            if error >= len(out):
                mark += 1
                error -= len(out)
            b = max(mark, a + 1)
        else:
            a = window * step - pad
            b = a + width
        a = min(max(a, 0), length)
        b = min(max(b, 0), length)
        near, far = (stop - a, stop - b) if reverse else (start + a, start + b)
        if len(index):
            if near != edge:
                edge_gc, edge_unknown = _rank(index, near)
            gc, unknown = _rank(index, far)
            out[window] = _fraction(abs(gc - edge_gc), abs(unknown - edge_unknown), b - a)
            edge, edge_gc, edge_unknown = far, gc, unknown
        else:
            gc, unknown = _scan(buffer, min(near, far), max(near, far))
            out[window] = _fraction(gc, unknown, b - a)


@njit(cache=True, nogil=True)
def _windows_serial(buffer, index, start, stop, reverse, width, step, longest, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        pad = (longest - (stop[row] - start[row])) // 2
        _windows_row(buffer, index, start[row], stop[row], reverse[row], width, step, pad, out[row])


@njit(cache=True, nogil=True, parallel=True)
def _windows_parallel(buffer, index, start, stop, reverse, width, step, longest, out):  # type: ignore[no-untyped-def]
    for row in prange(len(start)):
        pad = (longest - (stop[row] - start[row])) // 2
        _windows_row(buffer, index, start[row], stop[row], reverse[row], width, step, pad, out[row])


def gc_windows(sequences: Sequences, n: int = 20, width: int = 0, step: int = 0) -> NDArray[np.float32]:
    """GC fraction in windows along every row, 5' to 3' on its strand, float32 (n_rows, windows).

    Parameters
    ----------
    n : windows per row when ``width`` is 0: window w is bases w L/n to (w + 1) L/n of a row of L (at least one base).
    width, step : windows of ``width`` bases every ``step``, over ``sequences.width`` bases in which a shorter row is
        centred; what sticks out of the row is not counted.

    A window in which no base is called is 0.5.
    """
    buffer, start, stop, reverse = arrays_of(sequences)
    windows = n if width == 0 else max(1, (sequences.width - width) // step + 1)
    out = np.empty((len(start), windows), np.float32)
    index = _index_of(sequences, SHARE_WINDOWS)
    kernel = _windows_parallel if in_parallel(sequences) else _windows_serial
    kernel(buffer, index, start, stop, reverse, width, step, sequences.width, out)
    return out
