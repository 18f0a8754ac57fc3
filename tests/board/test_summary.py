"""What stands on a board: undefined folds, the library, choices fold by fold, and what the replicates are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted_store import Planted
from scipy.stats import spearmanr

from bench.board.load import find_tasks
from bench.board.schema import BoardSummary
from bench.board.summarise import summarise
from bench.stats.replicate_checks import COPIED

Write = Callable[..., Planted]


def board_of(out: Path) -> BoardSummary:
    return summarise(find_tasks(out)[0]).boards[0]


def test_a_model_that_ranks_one_fold_of_three_scores_a_third_of_it(planted: Write, tmp_path: Path) -> None:
    made = planted()
    assert made.task is not None
    assert made.folds is not None
    y, tested = made.task.targets["activity"].value, made.folds.part == 2
    signal = y + np.random.default_rng(0).normal(0, 0.1, len(y))
    made.result(tmp_path / "out", "activity", "external", "mostly-constant", np.where(tested[0], signal, 1.0))
    board = board_of(tmp_path / "out")
    row = board.row("external + mostly-constant")
    assert row is not None
    assert row.score is not None
    once = spearmanr(y[tested[0]], signal[tested[0]]).statistic
    assert row.score.value == pytest.approx(once / 3, abs=1e-4)
    assert row.folds == pytest.approx([once, 0, 0], abs=1e-4)
    assert row.undefined_folds == 2
    assert row.name != max(board.rows, key=lambda each: -1 if each.score is None else each.score.value).name
    assert row.verdict != "beyond GC"
    assert row.letter != "a"


def test_a_biased_library_is_tested_and_the_share_given_dna_stands_alongside(planted: Write, tmp_path: Path) -> None:
    planted(dna=True)
    board = board_of(tmp_path / "out")
    (test,) = (test for test in board.library if test.kind == "DNA")
    assert test.matters
    assert test.with_gc == next(row.with_gc for row in board.confounders if row.name == test.name)
    assert board.share is not None
    assert board.share.given_dna is not None
    assert board.share.robustness is not None
    assert not board.share.given_dna_shown


def test_numbers_of_a_board_are_complete(planted: Write, tmp_path: Path) -> None:
    made = planted(strata=("parity",))
    board = board_of(tmp_path / "out")
    share = board.share
    assert share is not None
    assert share.of_explainable is not None
    assert share.reason is None
    assert (share.at_least, share.tails, board.few_loci, board.chromosome) == ([], False, False, None)
    products = np.prod([row.rho for row in share.rho_gc]) / share.rho_replicates[0].rho
    assert share.of_explainable.value == pytest.approx(products, abs=1e-5)
    assert share.attributable is not None
    assert share.attributable.interval_low <= share.attributable.low <= share.attributable.high
    assert share.smallest_detectable < share.of_explainable.value
    assert board.combined is not None
    assert board.combined.model_dump() == {
        "how": "rank", "weights": {"rep1": 0.5, "rep2": 0.5}, "minimum": 1, "findings": []
    }  # fmt: skip
    assert set(board.choices) == {"gc", "windows", "best", "deep"}
    assert board.choices["gc"].same
    assert [share.gc for share in board.shares_apart] == ["gc-windows[n=5] + ridge"]
    (control,) = (row for row in board.held_fixed if row.is_control)
    assert (control.given_gc.value, control.within_gc_bins.value) == (0, 0)
    assert all(row.beyond_gc is None or 0 <= row.beyond_gc.value <= 1 for row in board.rows)
    assert all(row.pearson is not None for row in board.rows if row.score is not None)
    story = board.heterogeneity["parity"]
    assert not story.marked
    assert story.within.value == pytest.approx(share.of_explainable.value, abs=0.1)
    assert made.task is not None


def test_copies_among_replicates_are_told(planted: Write, tmp_path: Path) -> None:
    planted(copy=True)
    board = board_of(tmp_path / "out")
    assert board.combined is not None
    assert board.combined.findings == ["rep2 is the same as rep1: name each measurement once"]
    assert board.ceiling.value is None
    assert board.share is not None
    assert board.share.of_explainable is None
    assert board.ceiling.reason == board.share.reason == COPIED
    assert all(row.of_ceiling is None and row.explained is None for row in board.rows)
