"""The most similar row of another set of sequences: candidates by shared k-mers, then a banded local alignment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

#: K-mers that name candidates. Two sequences of 100 bases that are 80 % identical share 8 of 11 bases on average; two
#: random ones share one by chance in 200.
K = 11
#: Entries of the index at most: above it only k-mers whose hash falls in one part of so many are kept.
MOST_ENTRIES = 64_000_000
#: Holders of one k-mer that are counted at most, and rows that are aligned of those that share the most k-mers.
HOLDERS, ALIGNED = 2_000, 6
#: A candidate shares so many k-mers.
FEWEST = 3
#: Scores of the local alignment: at 80 % identity a column is worth .4, between unrelated bases -1.25. Half the width
#: of the band of diagonals, in bases.
MATCH, MISMATCH, GAP, BAND = 1.0, -2.0, -3.0, 8


class Index(NamedTuple):
    """Places of the k-mers of a set of rows.

    codes : uint8 (n, width), the rows: 0-3, and 4 for N and padding. first : int64 (n,), int64 (n,) length: where the
    bases of a row begin, and how many columns they take. start : int64 (4**K + 1,). rows : int32, holders of k-mer c
    are ``rows[start[c]:start[c + 1]]``. part : one in so many k-mers is kept.
    """

    codes: NDArray[np.uint8]
    first: NDArray[np.int64]
    length: NDArray[np.int64]
    start: NDArray[np.int64]
    rows: NDArray[np.int32]
    part: int


def index_of(codes: NDArray[np.uint8]) -> Index:
    """Index of rows of base codes uint8 (n, width)."""
    codes = np.ascontiguousarray(codes, np.uint8)
    first, length = spans(codes)
    part = max(1, -(-int(length.sum()) // MOST_ENTRIES))
    start = _counted(codes, first, length, part)
    rows = np.empty(int(start[-1]), np.int32)
    _filled(codes, first, length, part, start, rows)
    return Index(codes, first, length, start, rows, part)


def spans(codes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First column that holds a base, and columns up to the last one: int64 (n,) each; 0 and 0 where there is none."""
    base = codes < 4
    any_base = base.any(axis=1)
    first = np.where(any_base, base.argmax(axis=1), 0)
    last = codes.shape[1] - base[:, ::-1].argmax(axis=1)
    return first.astype(np.int64), np.where(any_base, last - first, 0).astype(np.int64)


def most_similar(
    index: Index, codes: NDArray[np.uint8], *, identity: float, covered: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The most similar row of an index for every row of base codes uint8 (n, width), on either strand.

    A row is similar where the best local alignment has at least ``identity`` of its columns equal and spans at least
    ``covered`` of the bases of the row that is asked for. The most similar one has the most equal bases; of several the
    first.

    Returns
    -------
    int64 (n,), -1 where none is similar; float32 (n,), equal bases per base of the row, 0 where none is similar.
    """
    codes = np.ascontiguousarray(codes, np.uint8)
    first, length = spans(codes)
    found = np.full(len(codes), -1, np.int64)
    equal = np.zeros(len(codes), np.float32)
    blocks = max(1, min(64, len(codes) // 64))
    _search(
        codes, first, length, index.codes, index.first, index.length, index.start, index.rows, index.part,
        identity, covered, blocks, found, equal,
    )  # fmt: skip
    return found, equal


@njit(inline="always")
def _kept(code, part):  # type: ignore[no-untyped-def]
    """Whether a k-mer belongs to the kept part (Fibonacci hashing)."""
    return part == 1 or ((code * 2654435769) & 0xFFFFFFFF) % part == 0


@njit(cache=True, nogil=True)
def _kmers(bases, codes):  # type: ignore[no-untyped-def]
    """The k-mer that ends at each base into ``codes``, -1 where there is none."""
    code, run = 0, 0
    for i in range(len(bases)):
        run = run + 1 if bases[i] < 4 else 0
        code = ((code << 2) | (bases[i] & 3)) & (4**K - 1)
        codes[i] = code if run >= K else -1


@njit(cache=True, nogil=True)
def _counted(codes, first, length, part):  # type: ignore[no-untyped-def]
    """Where the holders of every k-mer begin."""
    start = np.zeros(4**K + 1, np.int64)
    kmers = np.empty(codes.shape[1], np.int64)
    for row in range(len(codes)):
        _kmers(codes[row, first[row] : first[row] + length[row]], kmers)
        for code in kmers[: length[row]]:
            if code >= 0 and _kept(code, part):
                start[code + 1] += 1
    for c in range(4**K):
        start[c + 1] += start[c]
    return start


@njit(cache=True, nogil=True)
def _filled(codes, first, length, part, start, rows):  # type: ignore[no-untyped-def]
    place = start[:-1].copy()
    kmers = np.empty(codes.shape[1], np.int64)
    for row in range(len(codes)):
        _kmers(codes[row, first[row] : first[row] + length[row]], kmers)
        for code in kmers[: length[row]]:
            if code >= 0 and _kept(code, part):
                rows[place[code]] = row
                place[code] += 1


@njit(cache=True, nogil=True)
def _diagonal(query, target, where):  # type: ignore[no-untyped-def]
    """The diagonal (place in target less place in query) that most shared k-mers lie on, with its neighbours.

    query, target : k-mers by the base they end at (``_kmers``). where : int32 (4**K,), 0 everywhere and again
    afterwards: 1 + place of a k-mer of the query."""
    for i in range(len(query)):
        if query[i] >= 0:
            where[query[i]] = i + 1
    votes = np.zeros(len(query) + len(target) + 1, np.int32)
    for j in range(len(target)):
        if target[j] >= 0 and where[target[j]] > 0:
            votes[j - (where[target[j]] - 1) + len(query)] += 1
    for code in query:
        if code >= 0:
            where[code] = 0
    best, most, inside = 0, -1, 0
    for d in range(len(votes)):
        inside += votes[d]
        if d > BAND:
            inside -= votes[d - BAND - 1]
        if inside > most:
            best, most = d - BAND // 2, inside
    return best - len(query)


@njit(cache=True, nogil=True)
def _aligned(query, target, diagonal):  # type: ignore[no-untyped-def]
    """Equal bases, columns and bases of the query in the best local alignment within the band round a diagonal."""
    width = 2 * BAND + 1
    score = np.zeros((2, width + 2))
    equal = np.zeros((2, width + 2), np.int32)
    columns = np.zeros((2, width + 2), np.int32)
    taken = np.zeros((2, width + 2), np.int32)
    best, best_equal, best_columns, best_taken = 0.0, 0, 0, 0
    for i in range(len(query)):
        now, before = i & 1, 1 - (i & 1)
        for b in range(1, width + 1):
            j = i + diagonal + b - 1 - BAND
            score[now, b], equal[now, b], columns[now, b], taken[now, b] = 0.0, 0, 0, 0
            if j < 0 or j >= len(target):
                continue
            same = query[i] == target[j] and query[i] < 4
            # Diagonal: same b in the row before; up (gap in target): b + 1 before; left (gap in query): b - 1 now.
            s, e, c, t = score[before, b], equal[before, b], columns[before, b], taken[before, b]
            s += MATCH if same else MISMATCH
            e, c, t = e + (1 if same else 0), c + 1, t + 1
            if score[before, b + 1] + GAP > s:
                s, e = score[before, b + 1] + GAP, equal[before, b + 1]
                c, t = columns[before, b + 1] + 1, taken[before, b + 1] + 1
            if score[now, b - 1] + GAP > s:
                s, e = score[now, b - 1] + GAP, equal[now, b - 1]
                c, t = columns[now, b - 1] + 1, taken[now, b - 1]
            if s > 0:
                score[now, b], equal[now, b], columns[now, b], taken[now, b] = s, e, c, t
                if s > best:
                    best, best_equal, best_columns, best_taken = s, e, c, t
        for b in (0, width + 1):
            score[now, b], equal[now, b], columns[now, b], taken[now, b] = 0.0, 0, 0, 0
    return best_equal, best_columns, best_taken


@njit(parallel=True, cache=True)
def _search(  # type: ignore[no-untyped-def]
    codes, first, length, theirs, their_first, their_length, start, rows, part, identity, covered, blocks, found, equal
):
    for block in prange(blocks):
        votes = np.zeros(len(theirs), np.int32)
        touched = np.empty(len(theirs), np.int32)
        where = np.zeros(4**K, np.int32)
        kmers = np.empty(codes.shape[1], np.int64)
        their_kmers = np.empty(theirs.shape[1], np.int64)
        chosen = np.empty(ALIGNED, np.int64)
        for row in range(block, len(codes), blocks):
            plain = codes[row, first[row] : first[row] + length[row]]
            best = 0
            for strand in range(2):
                query = plain.copy()
                if strand == 1:
                    for i in range(len(plain)):
                        base = plain[len(plain) - 1 - i]
                        query[i] = 3 - base if base < 4 else base
                _kmers(query, kmers)
                count = _voted(kmers[: len(query)], start, rows, part, votes, touched)
                for c in range(_most_voted(votes, touched, count, chosen)):
                    other = chosen[c]
                    target = theirs[other, their_first[other] : their_first[other] + their_length[other]]
                    _kmers(target, their_kmers)
                    diagonal = _diagonal(kmers[: len(query)], their_kmers[: len(target)], where)
                    same, columns, taken = _aligned(query, target, diagonal)
                    similar = columns > 0 and same >= identity * columns and taken >= covered * len(query)
                    if similar and (same > best or (same == best and other < found[row])):
                        best = same
                        found[row] = other
                        equal[row] = same / len(query)
                for i in range(count):
                    votes[touched[i]] = 0


@njit(cache=True, nogil=True)
def _voted(kmers, start, rows, part, votes, touched):  # type: ignore[no-untyped-def]
    """Count the k-mers that rows share with a sequence's; the number of rows touched."""
    count = 0
    for code in kmers:
        if code < 0 or not _kept(code, part):
            continue
        step = max(1, (start[code + 1] - start[code]) // HOLDERS)
        for place in range(start[code], start[code + 1], step):
            other = rows[place]
            if votes[other] == 0:
                touched[count] = other
                count += 1
            votes[other] += 1
    return count


@njit(cache=True, nogil=True)
def _most_voted(votes, touched, count, chosen):  # type: ignore[no-untyped-def]
    """Rows with the most votes, of those with enough, into ``chosen``; their number."""
    kept = 0
    for i in range(count):
        row = touched[i]
        if votes[row] < FEWEST:
            continue
        at = kept
        while at > 0 and (
            votes[row] > votes[chosen[at - 1]] or (votes[row] == votes[chosen[at - 1]] and row < chosen[at - 1])
        ):
            at -= 1
        if at >= len(chosen):
            continue
        kept = min(kept + 1, len(chosen))
        for j in range(kept - 1, at, -1):
            chosen[j] = chosen[j - 1]
        chosen[at] = row
    return kept
