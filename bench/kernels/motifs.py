"""Best score and occupancy of motifs in every row, over both strands.

A window's odds against the background are a product over its bases; products over five bases at a time are looked up by
the 5-mer, for both strands at once (the same 5-mers serve the reverse complement of the motif). Measured on one core,
100,000 rows of 200 bases and 1,019 motifs: 41 CPU seconds; with a table for each strand 55, by 4-mers 44.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from bench.kernels.arrays import arrays_of, in_parallel
from bench.sequences import Sequences

#: Bases looked up at a time: three tables of a motif (two floats a 5-mer) fit the first-level cache, of 6-mers not one.
STEP = 5
#: Where the best score lies below LOW bits, or could lie above HIGH, products may leave the range of float32 on the
#: way (LOW - HIGH - 24 = -124 > -126, and 24 bits are all that a sum of float32 can hold), and logs are added instead.
LOW, HIGH = -40.0, 60.0
#: Sums and maxima run in so many lanes, whatever the machine's vectors: every machine gives the same digits.
LANES = 16
#: Bases of a block of rows, whose 5-mers stay in the cache while the motifs pass by; and rows of one at most.
BLOCK_BASES, BLOCK_ROWS = 12_800, 64


@dataclass(frozen=True, eq=False)
class ScanTables:
    """Motifs made ready for `scan_motifs`.

    Attributes
    ----------
    odds : float32 (pieces, 4**5, 2), products of odds over five positions, for the motif and its reverse complement.
    piece : int64 (motifs + 1,), first piece of each motif.
    log_odds : float64 (positions, 4) of all motifs end to end, in bits.
    position : int64 (motifs + 1,), first position of each motif.
    floor : float32 (motifs,), the lowest score that a window can have.
    exact : bool (motifs,), whether logs are added from the start.
    """

    odds: NDArray[np.float32]
    piece: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    position: NDArray[np.int64]
    floor: NDArray[np.float32]
    exact: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.floor)


def scan_tables(log_odds: Sequence[NDArray[np.float64]]) -> ScanTables:
    """Tables of motifs, each float64 (length, 4): log2 of the odds of A C G T at its positions.

    Raises
    ------
    ValueError : for a motif without positions, or with values that are not finite.
    """
    for number, motif in enumerate(log_odds):
        if motif.ndim != 2 or motif.shape[1] != 4 or not len(motif) or not np.isfinite(motif).all():
            raise ValueError(f"motif {number}: log-odds must be finite, of shape (length >= 1, 4). Got {motif.shape}.")
    lengths = np.array([len(motif) for motif in log_odds], np.int64)
    piece = np.concatenate([[0], np.cumsum(-(-lengths // STEP))]).astype(np.int64)
    odds = np.empty((int(piece[-1]), 4**STEP, 2), np.float32)
    bases = np.arange(4**STEP)[:, None] >> (2 * np.arange(STEP - 1, -1, -1)) & 3  # (4**5, 5): bases of every 5-mer
    for motif, first in zip(log_odds, piece[:-1], strict=True):
        for strand, read in enumerate((motif, motif[::-1, ::-1])):
            for place in range(0, len(motif), STEP):
                part = read[place : place + STEP]
                bits = part[np.arange(len(part)), bases[:, : len(part)]].sum(axis=1)
                # Beyond the range of float32 the sum of logs decides (LOW, HIGH): no overflow on the way there.
                odds[first + place // STEP, :, strand] = np.exp2(np.clip(bits, -149, 127))
    highest = np.array([motif.max(axis=1).clip(0).sum() for motif in log_odds])
    return ScanTables(
        odds,
        piece,
        np.concatenate([np.empty((0, 4)), *log_odds]),
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        np.array([motif.min(axis=1).sum() for motif in log_odds], np.float32),
        highest > HIGH,
    )


@njit(cache=True, nogil=True)
def _split_row(bases, at, words, run_at, run_length, runs):  # type: ignore[no-untyped-def]
    """Write the 5-mers of a row to ``words[at:]`` (past the end of a run of called bases: A) and its runs behind
    ``runs`` others; returns how many runs there are now."""
    mask = (1 << (2 * STEP)) - 1
    i = 0
    while i < len(bases):
        if bases[i] > 3:
            i += 1
            continue
        end = i
        while end < len(bases) and bases[end] < 4:
            end += 1
        word = 0
        for j in range(i, end + STEP - 1):
            word = ((word << 2) | (np.int64(bases[j]) if j < end else 0)) & mask
            if j - STEP + 1 >= i:
                words[at + j - STEP + 1] = word
        run_at[runs] = at + i
        run_length[runs] = end - i
        runs += 1
        i = end
    return runs


@njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz"})
def _fill(odds, first, pieces, words, windows, out):  # type: ignore[no-untyped-def]
    """Odds of every window of a run, the two strands side by side: (2 * windows,)."""
    if pieces == 1:
        for i in range(windows):
            a = words[i]
            out[2 * i] = odds[first, a, 0]
            out[2 * i + 1] = odds[first, a, 1]
        return
    if pieces == 2:
        for i in range(windows):
            a, b = words[i], words[i + STEP]
            out[2 * i] = odds[first, a, 0] * odds[first + 1, b, 0]
            out[2 * i + 1] = odds[first, a, 1] * odds[first + 1, b, 1]
        return
    for i in range(windows):
        a, b, c = words[i], words[i + STEP], words[i + 2 * STEP]
        out[2 * i] = odds[first, a, 0] * odds[first + 1, b, 0] * odds[first + 2, c, 0]
        out[2 * i + 1] = odds[first, a, 1] * odds[first + 1, b, 1] * odds[first + 2, c, 1]
    for piece in range(3, pieces):
        for i in range(windows):
            a = words[i + piece * STEP]
            out[2 * i] *= odds[first + piece, a, 0]
            out[2 * i + 1] *= odds[first + piece, a, 1]


@njit(cache=True, nogil=True, fastmath={"nnan", "ninf", "nsz"})
def _reduce(values, size, top, total):  # type: ignore[no-untyped-def]
    """Maximum and sum of ``values[:size]``; ``top`` and ``total`` are lanes to work in."""
    for lane in range(LANES):
        top[lane] = np.float32(0)
        total[lane] = np.float32(0)
    whole = size // LANES * LANES
    for i in range(0, whole, LANES):
        for lane in range(LANES):
            value = values[i + lane]
            total[lane] += value
            top[lane] = max(top[lane], value)
    for i in range(whole, size):
        total[0] += values[i]
        top[0] = max(top[0], values[i])
    highest, everything = np.float32(0), np.float32(0)
    for lane in range(LANES):
        highest = max(highest, top[lane])
        everything += total[lane]
    return highest, everything


@njit(cache=True, nogil=True)
def _by_logs(bases, motif):  # type: ignore[no-untyped-def]
    """(best, occupancy) of a motif (length, 4) in a row, both strands, by adding logs: slow, and never out of range."""
    length = len(motif)
    best, total = -np.inf, 0.0  # total: of 2**(score - best)
    for i in range(len(bases) - length + 1):
        forward, backward = 0.0, 0.0
        called = True
        for j in range(length):
            base = bases[i + j]
            if base > 3:
                called = False
                break
            forward += motif[j, base]
            backward += motif[length - 1 - j, 3 - base]
        if called:
            for score in (forward, backward):
                if score > best:
                    total = total * 2.0 ** (best - score) + 1.0
                    best = score
                else:
                    total += 2.0 ** (score - best)
    return best, best + np.log2(total) if total > 0 else -np.inf


@njit(cache=True, nogil=True)
def _scan_block(buffer, start, stop, odds, piece, log_odds, position, floor, exact, out):  # type: ignore[no-untyped-def]
    """Scan some rows with every motif: bests into the left half of ``out``, occupancies into the right."""
    bases, longest = 0, 0
    for row in range(len(start)):
        bases += stop[row] - start[row]
        longest = max(longest, stop[row] - start[row])
    words = np.empty(bases, np.uint16)
    run_at = np.empty(bases // 2 + len(start) + 1, np.int64)
    run_length = np.empty_like(run_at)
    run_first = np.zeros(len(start) + 1, np.int64)
    at = 0
    for row in range(len(start)):
        run_first[row + 1] = _split_row(buffer[start[row] : stop[row]], at, words, run_at, run_length, run_first[row])
        at += stop[row] - start[row]
    values = np.empty(2 * longest + 2, np.float32)
    top, lanes = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    lowest = np.float32(2.0**LOW)
    motifs = len(floor)
    for motif in range(motifs):
        length = position[motif + 1] - position[motif]
        for row in range(len(start)):
            best, total, seen = np.float32(0), np.float32(0), False
            for run in range(run_first[row], run_first[row + 1]):
                windows = run_length[run] - length + 1
                if windows < 1:
                    continue
                seen = True
                if exact[motif]:
                    break
                _fill(odds, piece[motif], piece[motif + 1] - piece[motif], words[run_at[run] :], windows, values)
                highest, everything = _reduce(values, 2 * windows, top, lanes)
                best = max(best, highest)
                total += everything
            if not seen:
                out[row, motif] = floor[motif]
                out[row, motifs + motif] = floor[motif]
            elif exact[motif] or best < lowest:
                whole = buffer[start[row] : stop[row]]
                score, occupancy = _by_logs(whole, log_odds[position[motif] : position[motif + 1]])
                out[row, motif] = score
                out[row, motifs + motif] = occupancy
            else:
                out[row, motif] = np.log2(best)
                out[row, motifs + motif] = np.log2(total)


@njit(cache=True, nogil=True)
def _scan_serial(edges, buffer, start, stop, odds, piece, log_odds, position, floor, exact, out):  # type: ignore[no-untyped-def]
    for block in range(len(edges) - 1):
        a, b = edges[block], edges[block + 1]
        _scan_block(buffer, start[a:b], stop[a:b], odds, piece, log_odds, position, floor, exact, out[a:b])


@njit(cache=True, nogil=True, parallel=True)
def _scan_parallel(edges, buffer, start, stop, odds, piece, log_odds, position, floor, exact, out):  # type: ignore[no-untyped-def]
    for block in prange(len(edges) - 1):
        a, b = edges[block], edges[block + 1]
        _scan_block(buffer, start[a:b], stop[a:b], odds, piece, log_odds, position, floor, exact, out[a:b])


def scan_motifs(sequences: Sequences, tables: ScanTables, out: NDArray[Any] | None = None) -> NDArray[np.float32]:
    """Best log2-odds score and occupancy (log2 of the sum of 2**score) of every motif in every row, over all windows of
    both strands, into ``out`` where it is given.

    A window that contains N is passed over. A row without a window (too short, too many N) gets the motif's floor, the
    lowest score that a window can have, for both. Both strands of a row look the same.

    Returns
    -------
    float32 (n, 2 * motifs), finite: the bests of all motifs, then their occupancies.
    """
    buffer, start, stop, _ = arrays_of(sequences)
    out = np.empty((len(start), 2 * len(tables)), np.float32) if out is None else out
    rows = min(max(BLOCK_BASES // max(sequences.width, 1), 1), BLOCK_ROWS)
    edges = np.append(np.arange(0, len(start), rows), len(start))
    scan = _scan_parallel if in_parallel(sequences, work=len(tables)) else _scan_serial
    parts = (tables.odds, tables.piece, tables.log_odds, tables.position, tables.floor, tables.exact)
    scan(edges, buffer, start, stop, *parts, out)
    return out
