"""Splits that go by a column of the table: groups that stay together, or a split that the table brings with it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.tasks.deal import deal, rotate
from bench.tasks.splits import DEFAULT_K, FEWEST_K, MOST_K, Split
from bench.tasks.task import DROPPED, TEST, TRAIN, VALID, Task

#: What a column of a split may say, in small letters -> the part.
WORDS = (
    dict.fromkeys(("train", "training"), TRAIN)
    | dict.fromkeys(("valid", "val", "validation", "validate", "dev"), VALID)
    | dict.fromkeys(("test", "testing", "heldout", "held-out"), TEST)
    | {"": DROPPED}
)
_NUMBER = re.compile(r"[0-9]{1,9}(\.0*)?")


def labels_of(task: Task, split: Split) -> NDArray[Any]:
    """The column that a split goes by, str (n,).

    Raises
    ------
    BenchError : for a column that the task does not have.
    """
    known = {"chrom": task.chrom} | dict(task.strata) | dict(task.labels)
    if split.column not in known:
        raise BenchError(
            f"{task.card.name}: split {split} goes by the column {split.column!r}, which the task does not"
            f" have.{nearest(split.column, known)}"
        )
    return known[split.column]


def group_kfold(task: Task, split: Split) -> NDArray[np.int8]:
    """Whole groups dealt to k folds, balanced by rows. int8 (k, n)."""
    groups, codes, rows = _groups(task, split)
    if len(groups) < split.k:
        raise BenchError(
            f"{task.card.name}: split {split} needs {split.k} groups, there are {len(groups)}."
            f" {_rows(groups, rows)} Use fewer folds, or leave-one-out[by={split.column}]."
        )
    return rotate(deal(rows, split.k)[codes], split.k)


def leave_one_out(task: Task, split: Split) -> NDArray[np.int8]:
    """One fold per group, int8 (groups, n): the group is tested, and of the other rows one locus in five validates.
    (Were the next group to validate, two groups would leave nothing to learn from.)"""
    groups, codes, rows = _groups(task, split)
    if not 2 <= len(groups) <= MOST_K:
        raise BenchError(
            f"{task.card.name}: split {split} needs 2 to {MOST_K} groups, there are {len(groups)}."
            f" {_rows(groups, rows)} Use group-kfold[by={split.column},k=5] where there are many."
        )
    part = np.full((len(groups), len(task)), TRAIN, np.int8)
    for group, row in enumerate(part):
        row[_fifth(task, np.flatnonzero(codes != group))] = VALID
        row[codes == group] = TEST
    return part


def _fifth(task: Task, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of one locus in five among some rows, int64."""
    loci, locus, sizes = np.unique(task.locus[rows], return_inverse=True, return_counts=True)
    shuffled = np.random.default_rng(0).permutation(len(loci))
    fold = np.empty(len(loci), np.int64)
    fold[shuffled] = deal(sizes[shuffled], DEFAULT_K)
    return rows[fold[locus] == 0]


def by_column(task: Task, split: Split) -> NDArray[np.int8]:
    """The split that a column brings: words (one fold), or numbers of folds, of which each is tested once and the next
    one validates. int8 (folds, n). Rows that say nothing are left out; where no row validates, one locus in five of
    those that are trained on does.

    Raises
    ------
    BenchError : for a value that is neither, and for numbers of fewer than three folds.
    """
    labels = np.char.strip(labels_of(task, split))
    values, codes = np.unique(labels, return_inverse=True)
    said = [value.lower() for value in values.tolist()]
    if all(_NUMBER.fullmatch(value) for value in said if value) and any(said):
        numbers = np.array([int(float(value)) if value else -1 for value in said])
        folds = np.unique(numbers[numbers >= 0])
        if not FEWEST_K <= len(folds) <= MOST_K:
            raise BenchError(
                f"{task.card.name}: column {split.column!r} of the split has {len(folds)} numbers of folds"
                f" ({', '.join(map(str, folds[:5]))}). It takes {FEWEST_K} to {MOST_K}, or the words train, valid,"
                " test."
            )
        fold = np.where(numbers >= 0, np.searchsorted(folds, numbers), -1)
        return rotate(fold[codes], len(folds))
    wrong = next((place for place, value in enumerate(said) if value not in WORDS), None)
    if wrong is not None:
        row = int(np.argmax(codes == wrong))
        raise BenchError(
            f"{task.card.name}: column {split.column!r} of the split has {str(values[wrong])!r} (row"
            f" {str(task.row_id[row])!r}). It takes the words train, valid, test, or numbers of folds; an empty cell"
            " leaves the row out."
        )
    part = np.array([WORDS[value] for value in said], np.int8)[codes]
    if not (part == VALID).any():
        part[_fifth(task, np.flatnonzero(part == TRAIN))] = VALID
    return part[None]


def _groups(task: Task, split: Split) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Groups of a split's column, the group of every row, and rows per group."""
    labels = labels_of(task, split)
    if (labels == "").any():
        row = str(task.row_id[np.argmax(labels == "")])
        raise BenchError(
            f"{task.card.name}: split {split}: {int((labels == '').sum()):,} rows have no {split.column!r}, the first"
            f" is {row!r}. Fill it in, or keep the other rows with [rows]."
        )
    groups, codes, rows = np.unique(labels, return_inverse=True, return_counts=True)
    seen: dict[str, str] = {}
    for group in map(str, groups):
        other = seen.setdefault(" ".join(group.casefold().split()), group)
        if other != group:
            raise BenchError(
                f"{task.card.name}: column {split.column!r} of split {split} has {other!r} and {group!r}, which"
                " would be groups of their own. Write a group in one way."
            )
    return groups, codes, rows


def _rows(groups: NDArray[Any], rows: NDArray[np.int64]) -> str:
    said = [f"{group} {n:,}" for group, n in zip(groups[:12], rows[:12], strict=True)]
    return f"Rows: {', '.join(said)}{', ...' if len(groups) > 12 else ''}."
