"""Numba kernel of the dinucleotide shuffle. Apart, so that importing ``bench.stats`` does not import Numba."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


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
def shuffle_rows(buffer: Any, start: Any, stop: Any, reverse: Any, to: Any, states: Any) -> Any:
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
