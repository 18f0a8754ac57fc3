"""Loci that the boards of one split share, so that all targets of a task are resampled by the same draws."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.board.load import BoardFiles, TaskFiles, board_place, target_values
from bench.stats.bootstrap import Draws

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Joint:
    """Draws over the loci that some target of a task tests on a split.

    codes : int64 (n,), for every row of the task the code of its locus in ``draws``; -1 where no target tests it.

    A target that misses some of the loci has blocks without rows. Its number of resampled loci then varies from draw to
    draw, as in a Poisson bootstrap: intervals of means and correlations, which divide by the rows drawn, stay as wide.
    """

    codes: NDArray[np.int64]
    draws: Draws

    @cached_property
    def digest(self) -> str:
        """Hash of which locus is drawn when: equal where the draws of every row are."""
        return hashlib.sha256(repr(self.draws).encode() + self.codes.tobytes()).hexdigest()[:16]


def joint_draws(task: TaskFiles, digest: str, rows: pd.DataFrame) -> Joint:
    """The draws that all boards on the folds ``digest`` share. ``rows`` is the task's rows.parquet."""
    labels, codes = np.unique(rows["locus"].to_numpy(), return_inverse=True)
    tested = np.zeros(len(labels), np.bool_)
    for files in boards_on(task, digest):
        tested[codes[_test_rows(task, files, rows)]] = True
    place = np.where(tested, np.cumsum(tested) - 1, -1)
    return Joint(place[codes].astype(np.int64), Draws(int(tested.sum())))


def boards_on(task: TaskFiles, digest: str) -> list[BoardFiles]:
    """The boards with finished results on the folds ``digest``."""
    return [files for files in task.boards if files.folds_digest == digest and files.results]


def _test_rows(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame) -> NDArray[np.int64]:
    """Test rows of a board, as ``load.load_board`` takes them."""
    place = board_place(files, target_values(task, files.target, rows)[1])
    return np.empty(0, np.int64) if place is None else place[0]
