"""Composition of rows beyond GC: CpG, skews, runs, complexity, G-quadruplexes, the helical period, words."""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences

#: Columns of `composition`, before those of the words.
COLUMNS = (
    "gc",
    "CpG observed/expected",
    "GC skew",
    "AT skew",
    "longest run A",
    "longest run C",
    "longest run G",
    "longest run T",
    "mean run",
    "complexity",
    "G4Hunter",
    "G4Hunter highest",
    "G4Hunter lowest",
    "AA/TT/TA period 10",
)
#: Longest k-mer that counts for complexity: 4,096 of them, more than a row of a reporter library has places for.
DEEPEST = 6
#: Bases of a window of G4Hunter, as in its paper.
G4_WINDOW = 25
#: Bases of a turn of the helix.
TURN = 10


@njit(cache=True, nogil=True)
def _read_row(buffer, start, stop, reverse, out):  # type: ignore[no-untyped-def]
    """A row's codes as it is read."""
    for i in range(stop - start):
        base = buffer[stop - 1 - i] if reverse else buffer[start + i]
        out[i] = 3 - base if reverse and base < 4 else base


@njit(cache=True, nogil=True)
def _runs(bases, g4, out):  # type: ignore[no-untyped-def]
    """Longest run of each base (columns 4-7), mean run (8), and the G4Hunter score of every base."""
    runs, called, i = 0, 0, 0
    while i < len(bases):
        end = i
        while end < len(bases) and bases[end] == bases[i]:
            end += 1
        base, length = bases[i], end - i
        score = 0.0
        if base < 4:
            runs += 1
            called += length
            out[4 + base] = max(out[4 + base], np.float32(length))
            score = float(min(length, 4)) * ((base == 2) - (base == 1))
        for j in range(i, end):
            g4[j] = score
        i = end
    out[8] = called / runs if runs else 0.0


@njit(cache=True, nogil=True)
def _g4_hunter(g4, out):  # type: ignore[no-untyped-def]
    """Mean of the scores (column 10), and of the windows with the highest and the lowest mean (11, 12)."""
    length = len(g4)
    if not length:
        return
    width = min(G4_WINDOW, length)
    window, total = 0.0, 0.0
    highest, lowest = -4.0, 4.0
    for i in range(length):
        total += g4[i]
        window += g4[i]
        if i >= width:
            window -= g4[i - width]
        if i >= width - 1:
            highest = max(highest, window / width)
            lowest = min(lowest, window / width)
    out[10], out[11], out[12] = total / length, highest, lowest


@njit(cache=True, nogil=True)
def _complexity(bases, seen):  # type: ignore[no-untyped-def]
    """Different k-mers over the most there could be, k from 1 to DEEPEST; ``seen`` is of zeros, and is again after."""
    different, most = 0, 0
    for k in range(1, DEEPEST + 1):
        mask = (1 << (2 * k)) - 1
        places = 0
        for keep in (True, False):  # count, then wipe what was marked
            word, run = 0, 0
            for base in bases:
                if base > 3:
                    run = 0
                    continue
                word = ((word << 2) | np.int64(base)) & mask
                run += 1
                if run >= k:
                    if keep:
                        places += 1
                        if not seen[word]:
                            different += 1
                    seen[word] = keep
        most += min(places, 4**k)
    return different / most if most else 0.0


@njit(cache=True, nogil=True)
def _period(bases):  # type: ignore[no-untyped-def]
    """Power of AA, TT and TA at one turn, over what as many at random places have."""
    real, imaginary, count = 0.0, 0.0, 0
    for i in range(len(bases) - 1):
        a, b = bases[i], bases[i + 1]
        if (a == 3 and b == 3) or (b == 0 and (a == 0 or a == 3)):
            angle = 2.0 * np.pi * (i % TURN) / TURN
            real += np.cos(angle)
            imaginary += np.sin(angle)
            count += 1
    return (real * real + imaginary * imaginary) / count if count else 0.0


@njit(cache=True, nogil=True)
def _words(bases, words, out):  # type: ignore[no-untyped-def]
    """Occurrences of each word (words, longest): bit sets of the bases that a place may have; 0 behind its end."""
    for number in range(len(words)):
        word = words[number]
        length = 0
        while length < len(word) and word[length]:
            length += 1
        for i in range(len(bases) - length + 1):
            same = True
            for j in range(length):
                if bases[i + j] > 3 or not (word[j] >> bases[i + j]) & 1:
                    same = False
                    break
            if same:
                out[number] += np.float32(1)


@njit(cache=True, nogil=True)
def _composition_row(bases, g4, seen, words, out):  # type: ignore[no-untyped-def]
    count = np.zeros(5, np.int64)
    cpg = 0
    for i in range(len(bases)):
        count[bases[i]] += 1
        cpg += i > 0 and bases[i - 1] == 1 and bases[i] == 2
    a, c, g, t = count[0], count[1], count[2], count[3]
    called = a + c + g + t
    out[:] = 0
    out[0] = (c + g) / called if called else 0.5
    out[1] = cpg * called / (c * g) if c and g else 0.0
    out[2] = (g - c) / (g + c) if g + c else 0.0
    out[3] = (a - t) / (a + t) if a + t else 0.0
    _runs(bases, g4, out)
    out[9] = _complexity(bases, seen)
    _g4_hunter(g4, out)
    out[13] = _period(bases)
    _words(bases, words, out[14:])


@njit(cache=True, nogil=True)
def _composition_rows(buffer, start, stop, reverse, words, width, out):  # type: ignore[no-untyped-def]
    bases, g4 = np.empty(width, np.uint8), np.empty(width, np.float64)
    seen = np.zeros(4**DEEPEST, np.bool_)
    for row in range(len(start)):
        length = stop[row] - start[row]
        _read_row(buffer, start[row], stop[row], reverse[row], bases)
        _composition_row(bases[:length], g4[:length], seen, words, out[row])


@njit(cache=True, nogil=True, parallel=True)
def _composition_parallel(edges, buffer, start, stop, reverse, words, width, out):  # type: ignore[no-untyped-def]
    for block in prange(len(edges) - 1):
        a, b = edges[block], edges[block + 1]
        _composition_rows(buffer, start[a:b], stop[a:b], reverse[a:b], words, width, out[a:b])


def composition(sequences: Sequences, words: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The columns ``COLUMNS`` of every row as read on its strand, and how often each word occurs in it (overlapping).

    Parameters
    ----------
    words : uint8 (words, longest), bit sets of the bases A C G T (1 2 4 8) that each place may have; 0 behind the end.

    Returns
    -------
    float32 (n, 14 + words), finite: 0 where a column has nothing to count (GC: 0.5). N belongs to no run and no word.
    """
    buffer, start, stop, reverse = arrays_of(sequences)
    out = np.empty((len(start), len(COLUMNS) + len(words)), np.float32)
    if in_parallel(sequences, work=20):
        edges = np.append(np.arange(0, len(start), 256), len(start))
        _composition_parallel(edges, buffer, start, stop, reverse, words, sequences.width, out)
    else:
        _composition_rows(buffer, start, stop, reverse, words, sequences.width, out)
    return out
