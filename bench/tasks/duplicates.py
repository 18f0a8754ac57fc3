"""Sequences that stand on both sides of a split: a fact of a task under its folds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from bench.sequences import COMPLEMENT, Sequences
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task

if TYPE_CHECKING:
    from bench.kernels.shared_kmers import Index

#: Length of the k-mers that are compared, canonical over strands. Of 4 million pairs of unrelated 150-mers at 45 % GC
#: none shares a tenth of its 12-mers (docs/audit.md).
K = 12
#: Share of a test row's k-mers that one other row must hold for the two to be near duplicates. Of copies of 150 bases
#: at 99 % identity all reach it, at 97 % 94 %, at 95 % 62 %, at 90 % 5 % (docs/audit.md). Tiles that overlap by more
#: than half do too.
NEAR = 0.5
#: K-mers that this share of all rows hold are adapters or a vector, and say nothing of a pair of rows: set aside. The
#: largest of five families at 97 % identity hold each k-mer in 14 % of the rows, a saturation mutagenesis in 94 %.
CONSTANT = 0.99
#: Fewer rows than this may well hold a k-mer all because they are one family: nothing is set aside.
FEW_ROWS = 100
#: Work (in units of 2 to 4 nanoseconds) that all test rows may take together; beyond it a sample of them is compared.
#: It is enough for all of 100,000 unrelated rows, and of 20,000 rows of five families (docs/audit.md).
MOST_WORK = 2_000_000_000
#: Test rows that are always compared: the share of near duplicates among them has a standard error of 1 % at most.
LEAST_ROWS = 2_500
#: Bases of the rows that one index holds: 4 bytes of memory each.
INDEX_BASES = 120_000_000
#: Folds that one search tells apart, one bit each.
_BITS = 64
#: What ``digests`` has made.
_DIGESTS: WeakKeyDictionary[Sequences, tuple[NDArray[np.int64], NDArray[np.int64]]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Duplicates:
    """Test rows whose bases a model sees while training (training or validation rows of the fold that tests them).

    ``exact``: rows with a copy. ``reverse_complement``: further rows whose other strand has one. ``test_rows``: rows
    that are tested at all. A row counts once, whatever the number of folds and copies.
    """

    exact: int
    reverse_complement: int
    test_rows: int


@dataclass(frozen=True)
class NearDuplicates:
    """Test rows that are near copies of a row that a model sees; exact and reverse-complemented copies are among them.

    near : rows found. compared : test rows that were looked at: all, or a random sample. test_rows : rows that are
    tested at all. set_aside : k-mers that nearly all rows hold (adapters, a vector) and that were not counted.
    """

    near: int
    compared: int
    test_rows: int
    set_aside: int

    @property
    def share(self) -> float:
        """Near copies among the test rows, 0 to 1."""
        return self.near / max(self.compared, 1)

    @property
    def sampled(self) -> bool:
        """Whether a sample of the test rows was compared."""
        return self.compared < self.test_rows


def across_split(task: Task, folds: Folds) -> Duplicates:
    """Count the duplicates of a task across its split."""
    exact, other = copies_across_split(task, folds)
    return Duplicates(int(exact.sum()), int((other & ~exact).sum()), int((folds.part == TEST).any(axis=0).sum()))


def copies_across_split(task: Task, folds: Folds) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which test rows have an exact copy that a model sees, and which one on the other strand: bool (n,) each."""
    forward, backward = digests(task.sequences)
    exact, other = np.zeros((2, len(task)), np.bool_)
    for part in folds.part:
        tested, seen = np.flatnonzero(part == TEST), np.flatnonzero((part == TRAIN) | (part == VALID))
        exact[tested] |= np.isin(forward[tested], forward[seen])
        other[tested] |= np.isin(backward[tested], forward[seen])
    return exact, other


def digests(sequences: Sequences) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """64-bit hashes of every row's bases and of its reverse complement, int64 (n,) each. Two of 2 million different
    rows share one with a chance of 1e-7. Kept as long as the sequences are, for several checks ask for them."""
    known = _DIGESTS.get(sequences)
    if known is not None:
        return known
    forward, backward = np.empty((2, len(sequences)), np.int64)
    for row in range(len(sequences)):
        codes = sequences.codes(row)
        forward[row] = hash(codes.tobytes())
        backward[row] = hash(COMPLEMENT[codes[::-1]].tobytes())
    forward.flags.writeable = backward.flags.writeable = False
    _DIGESTS[sequences] = forward, backward
    return forward, backward


def near_across_split(task: Task, folds: Folds, near: float = NEAR) -> NearDuplicates:
    """Test rows that share at least ``near`` of their canonical ``K``-mers with one row that a model sees.

    Every comparison is exact. K-mers with N are left out, and those that nearly all rows hold (``constant_kmers``).
    Where all test rows would take more than ``MOST_WORK``, as many of them are compared as that allows, at least
    ``LEAST_ROWS``, drawn at random by a fixed seed.
    """
    from bench.kernels.shared_kmers import different_kmers, index_kmers

    sequences = task.sequences
    passed = constant_kmers(sequences)
    exact, other = copies_across_split(task, folds)
    tested = np.flatnonzero((folds.part == TEST).any(axis=0))
    order = np.random.default_rng(0).permutation(tested)
    found = (exact | other)[order]
    has_any = different_kmers(sequences.take(order), K, passed) > 0
    work = np.zeros(len(order), np.int64)
    blocks = list(_blocks(sequences, folds))

    def index_of(rows: NDArray[np.int64]) -> Index:
        return index_kmers(sequences, rows, K, passed)

    # One index is kept for the second search.
    held = [index_of(rows) for rows in blocks] if len(blocks) == 1 and (has_any & ~found).any() else []

    def compare(first: int, last: int) -> None:
        some = np.arange(first, last)
        some = some[has_any[some] & ~found[some]]
        hit, cost = _search(sequences, folds, held or map(index_of, blocks), order[some], near, passed)
        found[some], work[some] = hit, cost

    pilot = min(LEAST_ROWS, len(order))
    compare(0, pilot)
    spent = int(work[:pilot].sum())
    compared = pilot
    if pilot < len(order):
        affordable = len(order) if spent == 0 else int(pilot * MOST_WORK / spent)
        compared = min(len(order), max(pilot, affordable))
        compare(pilot, compared)
    return NearDuplicates(int(found[:compared].sum()), compared, len(order), len(passed))


def constant_kmers(sequences: Sequences) -> NDArray[np.uint64]:
    """Codes of the ``K``-mers that ``CONSTANT`` of the rows hold, sorted, uint64: adapters, a vector.

    None where a typical row would be left with no more k-mers than one base changes: such rows are variants of one
    sequence, and near duplicates indeed. None below ``FEW_ROWS`` rows.
    """
    from bench.kernels.shared_kmers import different_kmers, kmers_of_nearly_all

    none = np.zeros(0, np.uint64)
    if len(sequences) < FEW_ROWS:
        return none
    codes = kmers_of_nearly_all(sequences, K, CONSTANT)
    if len(codes) and np.median(different_kmers(sequences, K, codes)) <= K:
        return none
    return codes


def _search(
    sequences: Sequences,
    folds: Folds,
    indexes: Iterable[Index],
    tested: NDArray[np.int64],
    near: float,
    passed: NDArray[np.uint64],
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of some test rows are near copies, bool (m,), and the work that each took, int64 (m,)."""
    from bench.kernels.shared_kmers import search_shared

    found, work = np.zeros(len(tested), np.bool_), np.zeros(len(tested), np.int64)
    if not len(tested):
        return found, work
    for index in indexes:
        for first in range(0, len(folds), _BITS):
            part = folds.part[first : first + _BITS]
            bit = np.uint64(1) << np.arange(len(part), dtype=np.uint64)[:, None]
            test_bits = np.where(part == TEST, bit, np.uint64(0)).sum(axis=0, dtype=np.uint64)
            seen_bits = np.where((part == TRAIN) | (part == VALID), bit, np.uint64(0)).sum(axis=0, dtype=np.uint64)
            work += search_shared(sequences, index, tested, test_bits, seen_bits, near, found, passed)
    return found, work


def _blocks(sequences: Sequences, folds: Folds) -> Iterator[NDArray[np.int64]]:
    """The rows that a model sees in any fold, in blocks of at most ``INDEX_BASES`` bases, int64 ascending."""
    seen = np.flatnonzero(((folds.part == TRAIN) | (folds.part == VALID)).any(axis=0))
    block = np.cumsum(sequences.lengths[seen]) // INDEX_BASES
    yield from np.split(seen, np.flatnonzero(np.diff(block)) + 1)
