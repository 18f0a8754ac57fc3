"""Sequences that are one base apart, on either strand: found by shared halves, so that few pairs are looked at."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.sequences import Sequences

#: Rows with one half in common that are compared pair by pair; in larger groups their hashes with one base left out
#: are sorted instead.
_PAIRS = 48
#: Odd multiplier of the polynomial hash (from SplitMix64), and its inverse modulo 2**64.
_M = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))


def one_apart(sequences: Sequences) -> NDArray[np.int64]:
    """Group of every row, int64 (n,): rows whose sequences are equal or differ by one base (another base, one more or
    one less), as they are or with one of them reverse-complemented, and so on through chains.

    Two such sequences share their first or their last half exactly, so only rows with a half in common are compared:
    time is nearly linear in the bases, and in a group that shares a half its rows times their length.
    """
    n = len(sequences)
    length = sequences.lengths
    strings = np.empty(2 * int(length.sum()), np.uint8)
    first = np.concatenate([[0], np.cumsum(np.concatenate([length, length]))])
    _both_strands(np.asarray(sequences.buffer), sequences.start, sequences.stop, sequences.reverse, first, strings)
    parent = np.arange(n)
    for at_end in (False, True):
        keys, entries = _halves(strings, first, at_end)
        order = np.argsort(keys, kind="stable")
        _join(strings, first, keys[order], entries[order], at_end, n, parent)
    return np.asarray(_roots(parent), np.int64)


@njit(cache=True, nogil=True)
def _both_strands(buffer, start, stop, reverse, first, strings):  # type: ignore[no-untyped-def]
    """Codes of all rows as they are read, then of all their reverse complements."""
    n = len(start)
    for row in range(n):
        length = stop[row] - start[row]
        for i in range(length):
            code = buffer[start[row] + i]
            other = 3 - code if code < 4 else code
            plain = first[row] + i
            turned = first[n + row] + length - 1 - i
            if reverse[row]:
                strings[first[row] + length - 1 - i] = other
                strings[first[n + row] + i] = code
            else:
                strings[plain] = code
                strings[turned] = other


@njit(cache=True, nogil=True)
def _halves(strings, first, at_end):  # type: ignore[no-untyped-def]
    """Hash of the first (or last) half of every string, and of the half that a string one shorter has; with its
    string."""
    n = len(first) - 1
    keys = np.empty(2 * n, np.uint64)
    entries = np.empty(2 * n, np.int64)
    count = 0
    for entry in range(n):
        length = first[entry + 1] - first[entry]
        for half in range((length - 1) // 2, length // 2 + 1):
            key = np.uint64(half) * np.uint64(0xD1B54A32D192ED03)
            for i in range(half):
                place = first[entry + 1] - half + i if at_end else first[entry] + i
                key = key * np.uint64(0x9E3779B97F4A7C15) + np.uint64(strings[place] + 1)
            key ^= key >> np.uint64(29)
            keys[count] = key
            entries[count] = entry
            count += 1
    return keys[:count], entries[:count]


@njit(cache=True, nogil=True)
def _join(strings, first, keys, entries, at_end, n, parent):  # type: ignore[no-untyped-def]
    """Join the rows of strings that share a half and are one base apart."""
    low = 0
    while low < len(keys):
        high = low + 1
        while high < len(keys) and keys[high] == keys[low]:
            high += 1
        if high - low > _PAIRS:
            _join_many(strings, first, entries[low:high], n, parent)
        else:
            for i in range(low, high):
                for j in range(low, i):
                    a, b = entries[i], entries[j]
                    if _root(parent, a % n) != _root(parent, b % n) and _near(strings, first, a, b):
                        _unite(parent, a % n, b % n)
        low = high


@njit(cache=True, nogil=True)
def _near(strings, first, a, b):  # type: ignore[no-untyped-def]
    """Whether two strings differ by one base at most."""
    if first[a + 1] - first[a] > first[b + 1] - first[b]:
        a, b = b, a
    short, long = first[a + 1] - first[a], first[b + 1] - first[b]
    if long - short > 1:
        return False
    i = 0
    while i < short and strings[first[a] + i] == strings[first[b] + i]:
        i += 1
    if i == short:
        return True
    # From behind: what is left over between the two must be one base.
    j = 0
    while j < short - i and strings[first[a + 1] - 1 - j] == strings[first[b + 1] - 1 - j]:
        j += 1
    return long - i - j <= 1


@njit(cache=True, nogil=True)
def _join_many(strings, first, entries, n, parent):  # type: ignore[no-untyped-def]
    """Join one-base neighbours among many strings: two that differ in base p have one hash without base p; one that is
    a base shorter has whole the hash that the other has without it."""
    m = len(entries)
    longest = 0
    for entry in entries:
        longest = max(longest, first[entry + 1] - first[entry])
    prefix = np.zeros(m, np.uint64)  # of the bases before p
    whole = np.zeros(m, np.uint64)
    power = np.empty(longest + 1, np.uint64)
    power[0] = np.uint64(1)
    for p in range(longest):
        power[p + 1] = power[p] * _M
    for k in range(m):
        a = first[entries[k]]
        for p in range(first[entries[k] + 1] - a):
            whole[k] += np.uint64(strings[a + p] + 1) * power[p]
    order = np.argsort(whole)
    found = whole[order]
    for k in range(1, m):
        if found[k] == found[k - 1]:
            _unite(parent, entries[order[k]] % n, entries[order[k - 1]] % n)
    keys = np.empty(m, np.uint64)
    for p in range(longest):
        for k in range(m):
            a = first[entries[k]]
            length = first[entries[k] + 1] - a
            if p >= length:
                keys[k] = np.uint64(k) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(1)
                continue
            term = np.uint64(strings[a + p] + 1) * power[p]
            without = whole[k] - term
            keys[k] = without + np.uint64(length) * np.uint64(0x94D049BB133111EB)
            shorter = prefix[k] + (without - prefix[k]) * _INVERSE
            at = np.searchsorted(found, shorter)
            if at < m and found[at] == shorter:
                other = entries[order[at]]
                if first[other + 1] - first[other] == length - 1:
                    _unite(parent, entries[k] % n, other % n)
            prefix[k] += term
        by = np.argsort(keys)
        for k in range(1, m):
            if keys[by[k]] == keys[by[k - 1]]:
                _unite(parent, entries[by[k]] % n, entries[by[k - 1]] % n)


@njit(cache=True, nogil=True)
def _root(parent, row):  # type: ignore[no-untyped-def]
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@njit(cache=True, nogil=True)
def _unite(parent, a, b):  # type: ignore[no-untyped-def]
    a, b = _root(parent, a), _root(parent, b)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@njit(cache=True, nogil=True)
def _roots(parent):  # type: ignore[no-untyped-def]
    group = np.empty(len(parent), np.int64)
    for row in range(len(parent)):
        group[row] = _root(parent, row)
    return group
