"""Learning curves: the test score of rows of the board by the number of training rows, and who leads from which on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.board.joint import joint_draws
from bench.board.load import Board, BoardFiles, TaskFiles, find_tasks, load_board, load_rows
from bench.board.summary import board_summary
from bench.errors import BenchError
from bench.stats.binary import binary_draws
from bench.stats.bootstrap import Draws, block_codes, spearman_draws
from bench.stats.compare import paired_difference
from bench.stats.intervals import Estimate, t_interval
from bench.stats.ranks import fold_scores
from bench.tasks.splits import Split

#: Training rows of the first point; each further one has twice as many.
FIRST = 250


@dataclass(frozen=True)
class Point:
    """Scores at one number of training rows.

    Attributes
    ----------
    train : training rows asked for, 0 for all. rows : those that a fold had, the mean over folds.
    scores : by pair (``featurizer + model``), the mean over folds and seeds of the within-fold Spearman,
        or AUROC of a binary target.
    leads : (first, second) pairs of which the first is ahead, the paired interval of their difference above 0.
    """

    train: int
    rows: int
    scores: dict[str, Estimate]
    leads: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Curve:
    """The points of one target, from the fewest training rows on.

    ceiling : the board's noise ceiling at the last point; None where it has none. measure : what is scored.
    """

    task: str
    target: str
    points: list[Point]
    loci: int
    test_rows: int
    ceiling: float | None
    measure: str = "Spearman"

    @property
    def pairs(self) -> list[str]:
        """Every pair, the best at the last point first."""
        last = self.points[-1].scores
        names = dict.fromkeys(name for point in self.points for name in point.scores)
        return sorted(names, key=lambda name: -last[name].value if name in last else np.inf)

    def ahead_from(self, first: str, second: str) -> int | None:
        """Training rows of the first point from which on ``first`` is ahead of ``second``; None where it never is."""
        return next((point.rows for point in self.points if (first, second) in point.leads), None)


def sizes(rows: int) -> list[int]:
    """Numbers of training rows for a task whose folds have ``rows`` of them: 250, 500, ... and 0 for all.

    >>> sizes(1800)
    [250, 500, 1000, 0]
    """
    return [*(FIRST * 2**i for i in range(40) if FIRST * 2**i < 0.8 * rows), 0]


def curves(root: Path) -> list[Curve]:
    """The learning curves of a folder of results: one for each task and target with more than one number of training
    rows.

    Raises
    ------
    BenchError : where there are no results.
    """
    found = []
    for task in find_tasks(root):
        if task.record is None:
            continue
        boards: dict[tuple[str, str], list[tuple[int, BoardFiles]]] = {}
        for files in task.boards:
            split = Split.parse(files.split)
            whole = str(replace(split, train=0))
            boards.setdefault((files.target, whole), []).append((split.train, files))
        found += [
            _curve(task, sorted(several, key=lambda each: each[0] or np.inf))
            for several in boards.values()
            if len(several) > 1
        ]
    return found


def _curve(task: TaskFiles, several: list[tuple[int, BoardFiles]]) -> Curve:
    assert task.record is not None
    rows = load_rows(task.folder, task.record)
    boards = [(train, board) for train, files in several if (board := load_board(task, files, rows)) is not None]
    if not boards:
        raise BenchError(f"{task.folder}: no result of a curve can be read. Run again to refit.", status=1)
    last = boards[-1][1]
    summary = board_summary(task, last.files, rows, joint_draws(task, last.files.folds_digest, rows))
    attainable = None if summary.binary is None else summary.binary.attainable.auroc
    return Curve(
        task.name,
        last.files.target,
        [_point(train, board) for train, board in boards],
        len(np.unique(rows["locus"].to_numpy()[last.test_row])),
        len(last.test_row),
        summary.ceiling.value if summary.binary is None else None if attainable is None else attainable.value,
        "Spearman" if summary.binary is None else "AUROC",
    )


def _point(train: int, board: Board) -> Point:
    y = board.value[board.test_row]
    locus, blocks = block_codes(board.rows["locus"].to_numpy()[board.test_row])
    runs = np.concatenate([pair.test for pair in board.results]).T
    owner = np.concatenate([np.full(len(pair.test), i) for i, pair in enumerate(board.results)])
    if board.target.kind == "binary":
        found = binary_draws(y, runs, locus, Draws(blocks), board.test_fold)
        drawn, one = found.auroc_drawn, found.auroc
    else:
        drawn = spearman_draws(y, runs, locus, Draws(blocks), board.test_fold)
        one = np.array([fold_scores(y, run, board.test_fold).mean for run in runs.T])
    names = [pair.name for pair in board.results]
    draws = [drawn[:, owner == i].mean(axis=1) for i in range(len(names))]
    values = [float(one[owner == i].mean()) for i in range(len(names))]
    leads = set()
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            gap = paired_difference(draws[i], draws[j], values[i], values[j], blocks).estimate if i != j else None
            if gap is not None and gap.low > 0:
                leads.add((first, second))
    fitted = [count for pair in board.results for record in pair.records for count in record.rows["train"]]
    scores = {name: t_interval(values[i], draws[i], blocks) for i, name in enumerate(names)}
    # Predictions made elsewhere do not tell how many rows they were trained on.
    return Point(train, round(float(np.mean(fitted))) or train, scores, frozenset(leads))
