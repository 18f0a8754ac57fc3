"""The folds of a split: which rows are trained on, chosen by, and tested on.

In a k-fold split fold i is tested on part i and validated on part i + 1. No locus lies in two parts of a fold, unless
rows are dealt at random on request: where
the chromosomes of a locus fall into different ones, its rows stay in the part that matters most (test before valid
before train) and its other rows are left out of that fold. ``bench.tasks.label_folds`` has the splits that go by a
column of the table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.tasks.chromosomes import UNPLACED
from bench.tasks.deal import deal, rotate
from bench.tasks.duplicates import NEAR, K
from bench.tasks.label_folds import by_column, group_kfold, leave_one_out
from bench.tasks.loci import joined, without_ends
from bench.tasks.splits import Kind, Split
from bench.tasks.task import DROPPED, PART_NAMES, TEST, TRAIN, VALID, Folds, Task

#: Loci that a split by GC content needs at least: half of them train, of which one in five validates.
FEWEST_LOCI = 20


def make_folds(task: Task, split: Split | None = None) -> Folds:
    """The folds of a split (the task's own by default) on the rows of a task.

    Raises
    ------
    BenchError : for an unknown chromosome, and where a fold leaves a target no train, valid or test rows.
    """
    split = split or task.split
    part = _DEALT[split.kind](task, split)
    dealt = part.copy()
    if split.kind != "random-kfold":
        part = _keep_loci_whole(part, task.locus)
    apart = ((dealt != DROPPED) & (part == DROPPED)).sum(axis=1)
    if split.train:
        part = _at_most(part, split.train, task.locus)
    measured = {"": np.ones(len(task), np.bool_)} | {
        f" of target {target.name!r}": np.isfinite(target.value) for target in task.targets.values()
    }
    for fold, row in enumerate(part):
        for code, what in PART_NAMES.items():
            for whose, there in measured.items():
                if not (there & (row == code)).any():
                    why = (
                        f"{apart[fold]:,} rows are left out because others of their locus (copies of a sequence, rows"
                        " that overlap) lie in another part: look for copies, or use locus-kfold."
                    )
                    raise BenchError(
                        f"{task.card.name}: split {split} leaves no {what} rows{whose} in fold {fold + 1} of"
                        f" {len(part)}. {why if apart[fold] else 'Choose another split.'}"
                        f" {_rows_by_chromosome(task, there)}"
                    )
    return Folds(str(split), part, int(apart.max()))


# ---- the kinds -------------------------------------------------------------------------------------------------------
def _holdout(task: Task, split: Split) -> NDArray[np.int8]:
    part = np.full(len(task), TRAIN, np.int8)
    seen: dict[str, str] = {}
    for key, labels, code in (("valid", split.valid, VALID), ("test", split.test, TEST), ("drop", split.drop, DROPPED)):
        for label in _known(task, labels, key):
            if label in seen:
                raise BenchError(f"{task.card.name}: {label} is both {seen[label]} and {key}. Name it once.")
            seen[label] = key
            part[task.chrom == label] = code
    return part[None]


def _chromosome_kfold(task: Task, split: Split) -> NDArray[np.int8]:
    dropped = np.isin(task.chrom, _known(task, split.drop, "drop"))
    # Rows without a chromosome would fill one fold with controls: they are dealt by locus.
    unplaced = task.chrom == UNPLACED
    group = np.where(unplaced, np.char.add("\0", task.locus.astype(np.str_)), task.chrom)
    labels, codes = np.unique(group, return_inverse=True)
    rows = np.bincount(codes[~dropped], minlength=len(labels))
    present = len(set(task.chrom[~dropped & ~unplaced].tolist()))
    if present < split.k:
        raise BenchError(
            f"{task.card.name}: split chromosome-kfold[k={split.k}] needs {split.k} chromosomes, there are {present}."
            f" Use genome-blocks (rows with positions) or locus-kfold. {_rows_by_chromosome(task)}"
        )
    fold = deal(rows, split.k)[codes]
    fold[dropped] = -1
    return rotate(fold, split.k)


def _genome_blocks(task: Task, split: Split) -> NDArray[np.int8]:
    if (task.position < 0).any():
        row = str(task.row_id[np.argmax(task.position < 0)])
        raise BenchError(
            f"{task.card.name}: split genome-blocks needs the start of every row; {row!r} has none."
            " Give the column start, or use locus-kfold."
        )
    chromosome = np.unique(task.chrom, return_inverse=True)[1]
    order = np.lexsort((task.position, chromosome))
    # A locus stands where its first row does; blocks are cut between loci, as near to equal rows as they allow.
    locus = np.unique(task.locus[order], return_inverse=True)[1]
    first = np.unique(locus, return_index=True)[1]
    rank = np.argsort(np.argsort(first, kind="stable"), kind="stable")[locus]
    before = np.concatenate([[0], np.cumsum(np.bincount(rank))[:-1]])
    fold = np.empty(len(task), np.int64)
    fold[order] = (before * split.k // len(task))[rank]
    return rotate(fold, split.k)


def _locus_kfold(task: Task, split: Split) -> NDArray[np.int8]:
    return _groups_kfold(task, split, task.locus, "loci")


def _similarity_kfold(task: Task, split: Split) -> NDArray[np.int8]:
    # Numba is imported for the one split that counts k-mers.
    from bench.kernels.sketch import near_clusters

    clusters = joined([near_clusters(without_ends(task.sequences), K, NEAR), task.locus])
    return _groups_kfold(task, split, clusters, "clusters of near-duplicate sequences")


def _gc_shift(task: Task, split: Split) -> NDArray[np.int8]:
    """Two folds: half of the rows, in loci of lower mean GC, train (and one locus in five of them validates) and the
    others are tested; then the other way round."""
    from bench.kernels.gc import gc_fraction

    codes, rows = np.unique(task.locus, return_inverse=True, return_counts=True)[1:]
    if len(rows) < FEWEST_LOCI:
        raise BenchError(f"{task.card.name}: split gc-shift needs {FEWEST_LOCI} loci, there are {len(rows)}.")
    gc = np.bincount(codes, gc_fraction(task.sequences)) / rows
    order = np.argsort(gc, kind="stable")
    upper = np.zeros(len(rows), bool)
    upper[order[np.cumsum(rows[order]) > len(task) / 2]] = True
    validates = np.random.default_rng(0).permutation(len(rows)) % 5 == 0
    part = np.empty((2, len(task)), np.int8)
    for fold, tested in enumerate((upper, ~upper)):
        part[fold] = np.where(tested, TEST, np.where(validates, VALID, TRAIN))[codes]
    return part


def _random_kfold(task: Task, split: Split) -> NDArray[np.int8]:
    """Rows dealt one by one."""
    return rotate(np.random.default_rng(0).permutation(len(task)) % split.k, split.k)


def _groups_kfold(task: Task, split: Split, group: NDArray[np.int64], what: str) -> NDArray[np.int8]:
    """Whole groups, int64 (n,), dealt to k folds."""
    groups, codes, rows = np.unique(group, return_inverse=True, return_counts=True)
    if len(groups) < split.k:
        raise BenchError(
            f"{task.card.name}: split {split} needs {split.k} {what}, there are {len(groups)}."
            " Rows that overlap or are one base apart share a locus; name others with locus under [columns]."
        )
    # Shuffled, so that an order in the table (by activity, by design) does not become an order of the folds.
    shuffled = np.random.default_rng(0).permutation(len(groups))
    fold = np.empty(len(groups), np.int64)
    fold[shuffled] = deal(rows[shuffled], split.k)
    return rotate(fold[codes], split.k)


#: Kind -> the part of every row in every fold, int8 (folds, n).
_DEALT: dict[Kind, Callable[[Task, Split], NDArray[np.int8]]] = {
    "holdout": _holdout,
    "chromosome-kfold": _chromosome_kfold,
    "genome-blocks": _genome_blocks,
    "locus-kfold": _locus_kfold,
    "similarity-kfold": _similarity_kfold,
    "group-kfold": group_kfold,
    "leave-one-out": leave_one_out,
    "column": by_column,
    "gc-shift": _gc_shift,
    "random-kfold": _random_kfold,
}


# ---- what they share -------------------------------------------------------------------------------------------------
def _keep_loci_whole(part: NDArray[np.int8], locus: NDArray[np.int64]) -> NDArray[np.int8]:
    """Leave out the rows of a locus that lie in a lesser part than other rows of it."""
    codes = np.unique(locus, return_inverse=True)[1]
    for row in part:
        highest = np.full(codes.max(initial=-1) + 1, DROPPED, np.int8)
        np.maximum.at(highest, codes, row)
        row[row < highest[codes]] = DROPPED
    return part


def _at_most(part: NDArray[np.int8], most: int, locus: NDArray[np.int64]) -> NDArray[np.int8]:
    """Leave out training rows of every fold, whole loci of them, until at most so many are left; one locus at least.

    Loci are taken in one random order of a fold, up to the first that would be too many: a smaller number gives a part
    of a larger one's rows.
    """
    for fold, row in enumerate(part):
        train = np.flatnonzero(row == TRAIN)
        if len(train) <= most:
            continue
        codes = np.unique(locus[train], return_inverse=True)[1]
        order = np.random.default_rng([fold, 0]).permutation(codes.max() + 1)
        total = np.cumsum(np.bincount(codes)[order])
        kept = order[: max(int(np.searchsorted(total, most, "right")), 1)]
        row[train[~np.isin(codes, kept)]] = DROPPED
    return part


def _known(task: Task, labels: tuple[str, ...], key: str) -> tuple[str, ...]:
    """The chromosomes of a split's parameter, each of which must exist."""
    there = set(task.chrom.tolist())
    for label in labels:
        if label not in there:
            other = label.removeprefix("chr") if label.startswith("chr") else f"chr{label}"
            fix = f" The table calls it {other!r}." if other in there else nearest(label, there)
            raise BenchError(f"{task.card.name}: unknown chromosome {label!r} in {key}= of the split.{fix}")
    return labels


def _rows_by_chromosome(task: Task, rows_of: NDArray[np.bool_] | None = None) -> str:
    labels, rows = np.unique(task.chrom if rows_of is None else task.chrom[rows_of], return_counts=True)
    said = [f"{label} {n:,}" for label, n in zip(labels[:12], rows[:12], strict=True)]
    return f"Rows: {', '.join(said)}{', ...' if len(labels) > 12 else ''}."
