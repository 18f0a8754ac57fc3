"""Targets of a task are resampled by the same draws, and loci that a target lacks do not shorten its intervals."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_store import Planted

from bench.board.joint import joint_draws
from bench.board.load import BoardFiles, TaskFiles, find_tasks, load_board, load_rows
from bench.board.published import read_summary
from bench.board.schema import BoardSummary
from bench.board.summary import board_summary
from bench.report import write_board
from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.intervals import percentile_interval, t_interval
from bench.stats.ranks import spearman_by_fold

Write = Callable[..., Planted]


def test_targets_with_almost_the_same_rows_see_the_same_multiplicities(planted: Write, tmp_path: Path) -> None:
    made = planted(targets=("one", "two"), missing={"two": slice(0, 40)})
    assert made.task is not None
    (task,) = find_tasks(tmp_path / "out")
    rows = load_rows(task.folder, task.record)
    joint = joint_draws(task, task.boards[0].folds_digest, rows)
    assert joint.draws.blocks == len(np.unique(made.task.locus))
    boards = [load_board(task, files, rows) for files in task.boards]
    assert [len(board.test_row) for board in boards if board is not None] == [480, 440]
    weights = next(joint.draws.block_weights())[1]
    first, second = (weights[:, joint.codes[board.test_row]] for board in boards if board is not None)
    shared = np.isin(boards[0].test_row, boards[1].test_row)
    np.testing.assert_array_equal(first[:, shared], second)

    # what stands on the board is drawn with them
    write_board(tmp_path / "out")
    summary = read_summary(task.folder / "summary.json")
    assert summary is not None
    for board, shown in zip(boards, summary.boards, strict=True):
        result = next(result for result in board.results if result.featurizer == "kmers[k=4]")
        y = board.value[board.test_row]
        drawn = spearman_draws(y, result.test.T, joint.codes[board.test_row], joint.draws, board.test_fold)[:, 0]
        row = next(row for row in shown.rows if row.featurizer == "kmers[k=4]")
        expected = t_interval(row.score.value, drawn, shown.loci)
        assert (row.score.low, row.score.high) == pytest.approx(expected[1:], abs=1e-6)
        assert row.score.value == pytest.approx(spearman_by_fold(y, result.test[0], board.test_fold).mean(), abs=1e-6)
        assert shown.loci == len(board.test_row) // 4


def test_another_target_computes_the_boards_again_and_a_board_alone_needs_no_other(
    planted: Write, tmp_path: Path
) -> None:
    planted(targets=("one", "two"), missing={"two": slice(0, 40)})
    write_board(tmp_path / "out")
    path = tmp_path / "out" / "planted" / "summary.json"
    before = read_summary(path)
    for folder in (tmp_path / "out" / "planted" / "one").glob("*"):
        folder.rename(tmp_path / "away")
    write_board(tmp_path / "out")
    after = read_summary(path)
    assert before is not None
    assert after is not None
    assert [board.target for board in after.boards] == ["two"]
    assert before.boards[1].inputs != after.boards[0].inputs


@pytest.mark.parametrize("missing", [slice(0, 0), slice(0, 1), slice(0, 40)])
def test_a_board_is_computed_again_where_another_target_changes_its_draws(
    planted: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: slice
) -> None:
    planted(targets=("one", "two"), missing={"two": missing})
    out, away = tmp_path / "out", tmp_path / "away"
    shutil.move(out / "planted" / "one", away)
    write_board(out)
    shutil.move(away, out / "planted" / "one")
    computed = []

    def noted(task: TaskFiles, files: BoardFiles, *rest: Any) -> BoardSummary:
        computed.append(files.target)
        return board_summary(task, files, *rest)

    monkeypatch.setattr("bench.board.summarise.board_summary", noted)
    write_board(out)
    changed = missing == slice(0, 40)  # its first ten loci; of the first row's locus three rows are left
    assert computed == (["one", "two"] if changed else ["one"])
    path = out / "planted" / "summary.json"
    grown, page = path.read_bytes(), (out / "leaderboard.md").read_bytes()
    path.unlink()
    write_board(out)
    assert (path.read_bytes(), (out / "leaderboard.md").read_bytes()) == (grown, page)
    computed.clear()
    write_board(out)
    assert computed == []


@pytest.mark.parametrize("absent", [30, 2970])
def test_loci_without_a_measured_row_do_not_shorten_intervals(absent: int) -> None:
    widths = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        locus = np.repeat(np.arange(30), 5)
        shared = rng.normal(size=(3, 30))[:, locus]
        y, prediction, other = shared + rng.normal(size=(3, 150))
        prediction, other = prediction + y, other + y
        pair = np.column_stack([prediction, other])
        for blocks in (30, 30 + absent):
            drawn = spearman_draws(y, pair, locus, Draws(blocks, 2000, seed))
            low, high = percentile_interval(drawn[:, 0]) or (0, 0)
            gap = percentile_interval(drawn[:, 0] - drawn[:, 1]) or (0, 0)
            widths.append([high - low, gap[1] - gap[0]])
    alone, among = np.mean(np.reshape(widths, (6, 2, 2)), axis=0)
    assert (among / alone > 0.98).all()
    assert (among / alone < 1.12).all()
