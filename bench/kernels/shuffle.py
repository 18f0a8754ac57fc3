"""Eulerian dinucleotide shuffles: other sequences with exactly the same dinucleotides.

Each run of A, C, G, T between Ns is shuffled on its own, so N (unknown or padding) stays in its place and every
dinucleotide count of the row is kept, those with N included. Each distinct shuffle of a run is equally likely: a random
arborescence of last exits into the run's last base by Wilson's loop-erased walks, all other exits in random order.

Sources: Altschul & Erickson 1985; Kandel, Matias, Unger & Winkler 1996; Wilson 1996. A run keeps its first and last
base. Short or low-complexity runs have few shuffles or only themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences


def _states(rows: int, seed: int) -> NDArray[np.uint64]:
    """One hashed state per row: the shuffle of a row does not depend on how many threads there are."""
    return np.random.SeedSequence(seed).generate_state(max(rows, 1), np.uint64)[:rows].astype(np.uint64, copy=False)


def dinucleotide_shuffle(sequences: Sequences, seed: int = 0) -> Sequences:
    """Shuffled copies of all rows, in row order, on a buffer of their own (n bases of memory).

    Rows are read as their strand says, then shuffled; the result is all forward. Lengths, ``width`` and covariates
    stay.
    """
    lengths = sequences.lengths
    stop = np.cumsum(lengths)
    start = stop - lengths
    buffer = _shuffle_rows(
        sequences.buffer, sequences.start, sequences.stop, sequences.reverse, start, _states(len(sequences), seed)
    )
    return replace(
        sequences, buffer=buffer, start=start, stop=stop, reverse=np.zeros(len(sequences), np.bool_), shared={}
    )


def shuffle_matrix(codes: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """Shuffled copy of codes A C G T N = 0 1 2 3 4, uint8 (n, length)."""
    n, length = codes.shape
    start = np.arange(n, dtype=np.int64) * length
    flat: Any = np.ascontiguousarray(codes).ravel()
    shuffled: NDArray[np.uint8] = _shuffle_rows(
        flat, start, start + length, np.zeros(n, np.bool_), start, _states(n, seed)
    )
    return shuffled.reshape(n, length)


@numba.njit(inline="always")
def _below(state: Any, bound: Any) -> Any:
    """Uniform integer below ``bound`` (< 2^31) from a splitmix64 stream (Steele, Lea & Flood 2014); steps the state."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64(((z >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@numba.njit
def _pick(counts: Any, at: Any, total: Any, state: Any) -> Any:
    """A successor of base ``at``, as likely as its remaining edges."""
    ticket = _below(state, total)
    for base in range(4):
        ticket -= counts[at, base]
        if ticket < 0:
            return base
    return -1


@numba.njit
def _shuffle_run(run: Any, counts: Any, exits: Any, last: Any, settled: Any, state: Any) -> None:
    """Shuffle a run of codes 0-3 in place."""
    n = len(run)
    if n < 4:
        return
    counts[:] = 0
    exits[:] = 0
    for i in range(n - 1):
        counts[run[i], run[i + 1]] += 1
        exits[run[i]] += 1
    root = run[n - 1]
    for base in range(4):
        settled[base] = exits[base] == 0
    settled[root] = True
    at: Any = 0
    for base in range(4):
        # walk from an unsettled base into the tree; the last exit taken from each base is the loop-erased path
        at = base
        while not settled[at]:
            last[at] = _pick(counts, at, exits[at], state)
            at = last[at]
        at = base
        while not settled[at]:
            settled[at] = True
            at = last[at]
    for base in range(4):
        if base != root and exits[base] > 0:
            counts[base, last[base]] -= 1
    at = run[0]
    for i in range(1, n):
        # a base other than the root leaves by its tree edge when that is all it has left
        held = 0 if at == root else 1
        following = _pick(counts, at, exits[at] - held, state) if exits[at] > held else last[at]
        if exits[at] > held:
            counts[at, following] -= 1
        exits[at] -= 1
        run[i] = following
        at = following


@numba.njit(parallel=True, cache=True)
def _shuffle_rows(buffer: Any, start: Any, stop: Any, reverse: Any, to: Any, states: Any) -> Any:
    """Shuffled rows written one after the other from ``to``; uint8. Reversed rows are reverse-complemented first."""
    n = len(start)
    result = np.empty((stop - start).sum(), np.uint8)
    for row in numba.prange(n):
        counts = np.empty((4, 4), np.int64)
        exits = np.empty(4, np.int64)
        last = np.empty(4, np.int64)
        settled = np.empty(4, np.bool_)
        state = np.empty(1, np.uint64)
        state[0] = states[row]
        length = stop[row] - start[row]
        out = result[to[row] : to[row] + length]
        for i in range(length):
            if reverse[row]:
                code = buffer[stop[row] - 1 - i]
                out[i] = 3 - code if code < 4 else code
            else:
                out[i] = buffer[start[row] + i]
        first = 0
        for i in range(length + 1):
            if i == length or out[i] > 3:
                _shuffle_run(out[first:i], counts, exits, last, settled, state)
                first = i + 1
    return result
