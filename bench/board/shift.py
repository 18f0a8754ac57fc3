"""What a score rests on: the same pairs under other splits, and among test rows that are more or less like training
rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.board.load import Board, find_tasks, load_board, load_rows
from bench.errors import BenchError
from bench.stats.bootstrap import Draws, block_codes, spearman_estimate
from bench.stats.intervals import Estimate
from bench.tasks.splits import Split

#: Bins of test rows by the part of their bases that the most similar training row shares: lower ends and names.
BINS = ((-1.0, "none alike"), (1e-6, "below .5"), (0.5, ".5 to .8"), (0.8, ".8 and more"))
#: A bin with fewer rows has no score.
FEWEST = 30
#: Columns of a split of two halves of GC, in the order of its folds.
DIRECTIONS = ("low GC to high", "high GC to low")


@dataclass(frozen=True)
class Column:
    """Scores of every pair on some rows.

    name : the split, the direction, or the bin. rows, loci : that are scored. scores : pair → Spearman, the mean over
    folds and seeds, NaN where a pair predicts one value.
    """

    name: str
    rows: int
    loci: int
    scores: Mapping[str, Estimate]


@dataclass(frozen=True)
class ShiftPanel:
    """One target. splits : the task's own first. bins : of the task's own split, by likeness to training rows; those
    with too few rows have no scores."""

    task: str
    target: str
    splits: tuple[Column, ...]
    bins: tuple[Column, ...]

    @property
    def pairs(self) -> list[str]:
        """The best on the task's own split first."""
        own = self.splits[0].scores
        names = dict.fromkeys(name for column in (*self.splits, *self.bins) for name in column.scores)

        def order(name: str) -> float:
            value = own[name].value if name in own else np.nan
            return np.inf if np.isnan(value) else -value

        return sorted(names, key=order)


def shift_panels(root: Path, task: str, own: str, alike: NDArray[np.float32]) -> list[ShiftPanel]:
    """The panels of a task's targets, from the results of a folder.

    Parameters
    ----------
    own : name of the task's own split. alike : float32 (folds, n), as ``run.shift.likeness``.

    Raises
    ------
    BenchError : where the task has no results there.
    """
    files = next((found for found in find_tasks(root) if found.name == task and found.record is not None), None)
    if files is None or files.record is None:
        raise BenchError(f"{root}: no results of {task}.", status=1)
    rows = load_rows(files.folder, files.record)
    boards: dict[str, list[Board]] = {}
    for each in files.boards:
        board = load_board(files, each, rows)
        if board is not None and (each.split == own or Split.parse(each.split).kind in ("gc-shift", "random-kfold")):
            boards.setdefault(each.target, []).append(board)
    panels = []
    for target, several in boards.items():
        several.sort(key=lambda board: board.files.split != own)  # the task's own first, the others as they are
        if several[0].files.split != own:
            continue
        splits = [column for board in several for column in _of_split(board)]
        panels.append(ShiftPanel(task, target, tuple(splits), tuple(_bins(several[0], alike))))
    return panels


def _of_split(board: Board) -> list[Column]:
    if Split.parse(board.files.split).kind != "gc-shift":
        return [_column(board, board.files.split, np.ones(len(board.test_row), np.bool_))]
    return [_column(board, name, board.test_fold == fold) for fold, name in enumerate(DIRECTIONS)]


def _bins(board: Board, alike: NDArray[np.float32]) -> list[Column]:
    own = alike[board.test_fold, board.test_row]
    which = np.searchsorted([low for low, _ in BINS], own, side="right") - 1
    return [_column(board, name, which == number) for number, (_, name) in enumerate(BINS)]


def _column(board: Board, name: str, chosen: NDArray[np.bool_]) -> Column:
    """Scores on the chosen test rows, each fold for itself."""
    place, fold = board.test_row[chosen], board.test_fold[chosen]
    locus, blocks = block_codes(board.rows["locus"].to_numpy()[place])
    if len(place) < FEWEST:
        return Column(name, len(place), blocks, {})
    draws = Draws(blocks)
    scores = {
        pair.name: spearman_estimate(board.value[place], pair.test[:, chosen].T, locus, fold, draws)
        for pair in board.results
    }
    return Column(name, len(place), blocks, scores)
