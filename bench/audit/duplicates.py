"""Sequences that stand on both sides of a split: the same bases, the other strand, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from bench.audit.finding import Finding, Status, Subject
from bench.kernels.sketch import MOST_KMERS, NEAR, K, kmer_hashes
from bench.tasks.duplicates import across_split
from bench.tasks.task import TEST, TRAIN, VALID, Folds, Task

#: K-mers that more rows hold than this are passed over: vectors, adapters and repeats name no pair and cost n² work.
COMMON = 200
#: Share of test rows with a copy among the rows that a model sees. A memoriser of copies gains .003 in Spearman at 1 %
#: and .016 at 5 %, for a model at .5 on data of reliability .8 (docs/audit.md).
LEAK_WARN, LEAK_FAIL = 0.01, 0.05


@dataclass(frozen=True)
class NearCopies:
    """Test rows that are near copies of a row that a model sees.

    near : rows found. test_rows : rows that are tested at all. sketched : one k-mer in so many was compared.
    """

    near: int
    test_rows: int
    sketched: int


def near_across_split(task: Task, folds: Folds, near: float = NEAR) -> NearCopies:
    """Test rows that share at least ``near`` of their canonical ``K``-mers with one row that a model sees.

    Exact copies are among them. K-mers with N are left out; rows without any k-mer count as not near. Above
    ``MOST_KMERS`` a sketch is compared: the k-mers whose hash falls below a threshold, thus the same ones in every row
    (a scaled MinHash; Broder 1997, Irber et al. 2022).
    """
    from scipy.sparse import csr_array

    sequences = task.sequences
    bases = int(sequences.lengths.sum())
    scale = max(1, -(-bases // MOST_KMERS))
    hashes, rows = kmer_hashes(sequences, scale)
    _, kmer, holders = np.unique(hashes, return_inverse=True, return_counts=True)
    size = np.bincount(rows, minlength=len(task))  # of all k-mers: a row that is all vector has few rare ones
    kept = (holders[kmer] > 1) & (holders[kmer] <= COMMON)
    values = np.ones(int(kept.sum()), np.float32)
    table = csr_array((values, (rows[kept], kmer[kept])), shape=(len(task), len(holders)))
    found = np.zeros(len(task), np.bool_)
    for part in folds.part:
        tested, seen = np.flatnonzero(part == TEST), np.flatnonzero((part == TRAIN) | (part == VALID))
        held = table[seen].T.tocsr()
        for first in range(0, len(tested), 2048):
            some = tested[first : first + 2048]
            shared = (table[some] @ held).tocsr()
            most = shared.max(axis=1).toarray().ravel() if shared.nnz else np.zeros(len(some))
            found[some] |= (most >= near * size[some]) & (size[some] > 0)
    return NearCopies(int(found.sum()), int((folds.part == TEST).any(axis=0).sum()), scale)


def check_duplicates(subject: Subject) -> Iterator[Finding]:
    """Exact and reverse-complement copies across the split."""
    found = across_split(subject.task, subject.folds)
    copies = found.exact + found.reverse_complement
    yield Finding(
        "duplicates",
        leak_status(copies, found.test_rows),
        "",
        f"{found.exact:,} of {found.test_rows:,} test rows have an exact copy among training or validation rows,"
        f" {found.reverse_complement:,} more a reverse-complement one",
        asdict(found),
    )


def check_near_duplicates(subject: Subject) -> Iterator[Finding]:
    """Near copies across the split."""
    found = near_across_split(subject.task, subject.folds)
    sketch = f" (one k-mer in {found.sketched} compared)" if found.sketched > 1 else ""
    yield Finding(
        "near-duplicates",
        leak_status(found.near, found.test_rows),
        "",
        f"{found.near:,} of {found.test_rows:,} test rows share half of their {K}-mers or more with one training"
        f" or validation row{sketch}",
        asdict(found),
    )


def leak_status(copies: int, rows: int) -> Status:
    """Status of so many copies among so many test rows."""
    share = copies / max(rows, 1)
    return "FAIL" if share >= LEAK_FAIL else "WARN" if share >= LEAK_WARN else "PASS"
