"""What a check finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, block_codes, correlation_draws
from bench.stats.intervals import Estimate, estimate
from bench.stats.ranks import gaussian_within_folds, mean_over_folds, mid_ranks, pearson
from bench.tasks.duplicates import Duplicates, NearDuplicates, across_split, near_across_split
from bench.tasks.task import TEST, Folds, Target, Task

Status = Literal["PASS", "WARN", "FAIL", "SKIPPED"]
#: Draws of an interval: half of the board's 2,000, since an audit grades and does not rank.
DRAWS = 1000


@dataclass(frozen=True)
class Finding:
    """One line of an audit.

    check : name of the check. about : target, covariate or fold that it is about, "" for the whole task. reason : why
    it has this status, with the numbers, in words. figures : the numbers, for programs.
    """

    check: str
    status: Status
    about: str
    reason: str
    figures: Mapping[str, float | int | str | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Subject:
    """A task under its split, as the checks see it."""

    task: Task
    folds: Folds

    @cached_property
    def gc(self) -> NDArray[np.float64]:
        """GC fraction of every row, float64 (n,)."""
        from bench.kernels.gc import gc_fraction

        return gc_fraction(self.task.sequences).astype(np.float64)

    @cached_property
    def duplicates(self) -> Duplicates:
        """Test rows whose bases stand among training or validation rows too."""
        return across_split(self.task, self.folds)

    @cached_property
    def near_duplicates(self) -> NearDuplicates:
        """Test rows that are near copies of training or validation rows."""
        return near_across_split(self.task, self.folds)

    @cached_property
    def test_fold(self) -> NDArray[np.int64]:
        """The fold that tests a row (the first, where several do), int64 (n,); -1 for rows that none tests."""
        tested = self.folds.part == TEST
        return np.where(tested.any(axis=0), tested.argmax(axis=0), -1)

    @property
    def dna(self) -> NDArray[np.float64] | None:
        """Log DNA count, float64 (n,), NaN where it is not positive; None without DNA counts."""
        counts = self.task.sequences.covariates.get("dna_count")
        return None if counts is None else np.log(np.where(counts > 0, counts, np.nan))

    def correlation(
        self, a: NDArray[np.float64], b: NDArray[np.float64], fold: NDArray[np.int64] | None = None
    ) -> Estimate:
        """Spearman of two columns with a 95 % interval by locus; with ``fold`` the mean over folds of it.

        Rows where one is NaN are left out. NaN where a side is constant or fewer than 3 rows are left.
        """
        both = np.flatnonzero(np.isfinite(a) & np.isfinite(b) & (True if fold is None else fold >= 0))
        if len(both) < 3:
            return Estimate(float("nan"))
        locus, blocks = block_codes(self.task.locus[both])
        pair = np.column_stack([a[both], b[both]])
        if fold is None:
            ranks = np.column_stack([mid_ranks(column) for column in pair.T])
            value = pearson(ranks[:, 0], ranks[:, 1])
            return estimate(value, correlation_draws(ranks, [(0, 1)], locus, Draws(blocks, DRAWS))[:, 0, 0], blocks)
        inside = fold[both]
        ranks = gaussian_within_folds(pair, inside, gaussian=False)
        found = [
            mean_over_folds(correlation_draws(ranks, [(0, 1)], locus, draws, inside, whole=whole))[:, 0]
            for draws, whole in ((None, True), (Draws(blocks, DRAWS), False))
        ]
        return estimate(float(found[0][0]), found[1], blocks)


def in_words(figure: Estimate) -> str:
    """``+0.31 [+0.28, +0.34]``."""
    if not np.isfinite(figure.value):
        return "n/a"
    interval = f" [{figure.low:+.2f}, {figure.high:+.2f}]" if np.isfinite(figure.low) else ""
    return f"{figure.value:+.2f}{interval}"


def figures_of(figure: Estimate) -> dict[str, float | int | str | None]:
    """An estimate as plain figures; None where there is none."""
    return {name: (float(value) if np.isfinite(value) else None) for name, value in figure._asdict().items()}


def label(subject: Subject, target: Target, what: str = "") -> str:
    """What a finding on a target is about: the target's name is left out where there is only one."""
    name = target.name if len(subject.task.targets) > 1 else ""
    return " · ".join(piece for piece in (name, what) if piece)
