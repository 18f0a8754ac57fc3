"""The board against outside truth: scipy on the planted store, and what must be shown where."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from planted_store import Planted
from scipy.stats import rankdata, spearmanr
from stored import description

from bench.board.published import read_summary
from bench.board.schema import BoardSummary, RowSummary, Summary
from bench.errors import BenchError
from bench.files.atomic import read_json, write_json
from bench.report import make_board, write_board
from bench.report.terminal import terminal_summary
from bench.store.record import SkipRecord
from bench.store.result import ResultId
from bench.store.store import Store

Write = Callable[..., Planted]


def summary_of(out: Path, task: str = "planted") -> Summary:
    found = read_summary(out / task / "summary.json")
    assert found is not None
    return found


def row_of(board: BoardSummary, featurizer: str) -> RowSummary:
    return next(row for row in board.rows if row.featurizer == featurizer)


def fold_mean(planted: Planted, function: Callable[[np.ndarray], float]) -> float:
    """Mean over folds of a function of the test rows."""
    assert planted.folds is not None
    return float(np.mean([function(part == 2) for part in planted.folds.part]))


def files_of(out: Path) -> dict[str, bytes]:
    """What a report writes, by path."""
    found = [out / "leaderboard.md", *out.glob("*/summary.json"), *out.glob("*/*.svg")]
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def pooled(made: Planted, u: np.ndarray, v: np.ndarray) -> float:
    """Correlation of ranks over all rows, each less its mean of the fold."""
    left = np.column_stack([rankdata(u), rankdata(v)])
    assert made.folds is not None
    for part in made.folds.part:
        left[part == 2] -= left[part == 2].mean(axis=0)
    return float(np.corrcoef(left.T)[0, 1])


def test_figures_agree_with_scipy(planted: Write, tmp_path: Path) -> None:
    made = planted()
    board_path = write_board(tmp_path / "out")
    board = summary_of(tmp_path / "out").boards[0]
    assert made.task is not None
    y = made.task.targets["activity"].value
    for (_, featurizer, _, _), prediction in made.predictions.items():
        if featurizer == "none":
            continue
        expected = fold_mean(made, lambda rows, p=prediction: spearmanr(p[rows], y[rows]).statistic)
        row = row_of(board, featurizer)
        assert row.score.value == pytest.approx(expected, abs=1e-6)
        assert row.score.low < expected < row.score.high
        assert row.n == len(y)

    # ceiling: Spearman-Brown over the two replicates, r averaged as Fisher z over folds
    a, b = made.task.targets["activity"].replicates.T
    z = fold_mean(made, lambda rows: float(np.arctanh(spearmanr(a[rows], b[rows]).statistic)))
    r = np.tanh(z)
    assert board.ceiling.value == pytest.approx(np.sqrt(2 * r / (1 + r)), abs=0.01)
    best = row_of(board, "kmers[k=4]")
    assert best.of_ceiling.value == pytest.approx(best.score.value / board.ceiling.value, abs=1e-6)
    assert best.gain.value == pytest.approx(best.score.value - row_of(board, "gc").score.value, abs=1e-6)

    # GC's share by the product form, from ranks pooled within folds; the stored predictions of each fold stand at
    # another level (+5 a fold), which must not matter
    gc = made.predictions["activity", "gc", "gc-curve", 0]
    share = board.share
    first, second = (pooled(made, gc, column) for column in (a, b))
    assert share.of_explainable.value == pytest.approx(first * second / pooled(made, a, b), abs=0.006)
    assert [row.rho for row in share.rho_gc] == pytest.approx([first, second], abs=0.006)
    printed = share.rho_gc[0].rho * share.rho_gc[1].rho / share.rho_replicates[0].rho
    assert printed == pytest.approx(share.of_explainable.value, abs=1e-6)
    assert share.of_total.value == pytest.approx(pooled(made, gc, y) ** 2, abs=0.006)
    unique = share.unique_gc.value
    assert unique + share.common.value == pytest.approx(share.of_explainable.value, abs=1e-6)
    text = board_path.read_text(encoding="utf-8")
    assert "GC content explains" in text
    assert f"| {best.score.value:.3f} [" in text


def test_roles_are_told_apart(planted: Write, tmp_path: Path) -> None:
    planted()
    write_board(tmp_path / "out")
    board = summary_of(tmp_path / "out").boards[0]
    assert board.best_gc == "gc + gc-curve"
    assert board.best == "kmers[k=4] + xgboost"
    assert board.best_deep == "one-hot + cnn"
    assert [share.gc for share in board.shares_apart] == ["gc-windows[n=5] + ridge"]
    text = (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")
    table = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
    order = [table.index(next(result for result in table if result.startswith(start))) for start in (
        "*noise ceiling", "`length`", "`mean`", "`kmers[k=4]`", "`one-hot`", "`gc` ", "`gc-windows")]  # fmt: skip
    assert order == sorted(order)
    assert "*GC baseline*" in text


def test_seeds_are_averaged_by_score_and_their_spread_is_shown(planted: Write, tmp_path: Path) -> None:
    made = planted(seeds=3)
    write_board(tmp_path / "out")
    row = row_of(summary_of(tmp_path / "out").boards[0], "kmers[k=4]")
    assert made.task is not None
    y = made.task.targets["activity"].value
    scores = []
    for seed in range(3):
        prediction = made.predictions["activity", "kmers[k=4]", "xgboost", seed]
        scores.append(fold_mean(made, lambda rows, p=prediction: spearmanr(p[rows], y[rows]).statistic))
    assert row.seeds == [0, 1, 2]
    assert row.score.value == pytest.approx(np.mean(scores), abs=1e-6)
    assert row.spread == pytest.approx(np.std(scores, ddof=1), rel=1e-4)
    assert f"3 (±{row.spread:.3f})" in (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")


def test_without_replicates_every_share_of_the_explainable_is_not_available(planted: Write, tmp_path: Path) -> None:
    planted(replicates=1)
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    board = summary_of(tmp_path / "out").boards[0]
    assert board.ceiling.value is None
    assert board.share.of_explainable is None
    assert all(row.of_ceiling is None for row in board.rows)
    assert "| n/a |" in text
    assert "is n/a (one replicate)" in text
    assert "100 %" not in text


@pytest.mark.usefixtures("with_pictures")
def test_a_second_report_writes_the_same_bytes_and_computes_nothing(
    planted: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted()
    write_board(tmp_path / "out")
    before = files_of(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("bench.board.summarise.load_rows", None)
        patch.setattr("bench.report.plots.save_figure", None)
        write_board(tmp_path / "out")
    assert files_of(tmp_path / "out") == before
    for path in (tmp_path / "out").glob("*/summary.json"):
        path.unlink()
    write_board(tmp_path / "out")
    assert files_of(tmp_path / "out") == before


def test_a_new_result_changes_the_board(planted: Write, tmp_path: Path) -> None:
    made = planted()
    write_board(tmp_path / "out")
    assert made.task is not None
    made.result(tmp_path / "out", "activity", "oracle", "ridge", made.task.targets["activity"].value)
    write_board(tmp_path / "out")
    board = summary_of(tmp_path / "out").boards[0]
    assert board.best == "oracle + ridge"
    assert row_of(board, "oracle").score.value == pytest.approx(1)


@pytest.mark.usefixtures("with_pictures")
def test_a_published_summary_renders_without_predictions(planted: Write, tmp_path: Path) -> None:
    planted()
    out, published = tmp_path / "out", tmp_path / "published"
    whole = write_board(out).read_text(encoding="utf-8")
    (published / "planted").mkdir(parents=True)
    for path in [out / "planted" / "summary.json", *(out / "planted").glob("*.svg")]:
        shutil.copy(path, published / "planted")
    text = write_board(published).read_text(encoding="utf-8")
    assert "summary only" in text
    marks = (
        " *(summary only)*",
        "*Summary only: these numbers were published without the predictions they were computed from, and are those of"
        " the version that published them.*\n\n",
    )
    for mark in marks:
        text = text.replace(mark, "")
    assert text == whole
    (published / "planted" / "scores.svg").unlink()
    write_board(published)
    assert (published / "planted" / "scores.svg").read_bytes() == (out / "planted" / "scores.svg").read_bytes()


@pytest.mark.usefixtures("with_pictures")
def test_foreign_text_stays_text(planted: Write, tmp_path: Path) -> None:
    evil = "a|b <script>alert(1)</script> `code`\n# heading $x$ [l](javascript:x)"
    planted(name="ev|il<i>", title=evil, note=evil, targets=(evil,), strata=("s|t<b>",))
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<i>" not in text
    assert "](javascript:" not in text
    assert "\n# heading" not in text
    heads = {line.count("|") for line in text.splitlines() if line.startswith("| featurizer")}
    assert {line.count("|") for line in text.splitlines() if line.startswith("| `")} == heads
    for path in (tmp_path / "out").glob("*/*.svg"):
        assert b"<script" not in path.read_bytes()
    for link in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text):
        from urllib.parse import unquote

        assert (tmp_path / "out" / unquote(link)).is_file()


def test_failed_results_are_shown_with_their_log(planted: Write, tmp_path: Path) -> None:
    made = planted()
    result = ResultId("planted", "activity", made.split, "one-hot", "cnn[arch=basset]", 0)
    log = Store(tmp_path / "out").write_failure(description(result), "out of <memory>", "Traceback")
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert "**failed**: out of &lt;memory&gt;" in text
    assert str(log.relative_to(tmp_path / "out")) in text


def test_a_board_whose_results_all_failed_is_still_a_board(planted: Write, tmp_path: Path) -> None:
    made = planted()
    for folder in (tmp_path / "out" / "planted").glob("*/*/*"):
        shutil.rmtree(folder)
    result = ResultId("planted", "activity", made.split, "gc", "ridge", 0)
    Store(tmp_path / "out").write_failure(description(result), "no")
    assert "**failed**: no" in write_board(tmp_path / "out").read_text(encoding="utf-8")


def test_two_splits_are_two_boards(planted: Write, tmp_path: Path) -> None:
    planted()
    planted(split="holdout[valid=chr1,test=chr2]")
    write_board(tmp_path / "out")
    boards = summary_of(tmp_path / "out").boards
    assert {board.split for board in boards} == {"chromosome-kfold[k=3]", "holdout[valid=chr1,test=chr2]"}


def test_results_of_older_data_or_broken_predictions_do_not_count(planted: Write, tmp_path: Path) -> None:
    made = planted()
    out = tmp_path / "out"
    assert made.task is not None
    y = made.task.targets["activity"].value
    old = made.result(out, "activity", "old", "ridge", y)
    record = read_json(old / "result.json")
    assert record is not None
    write_json(old / "result.json", {**record, "task_digest": "older"})
    cut = made.result(out, "activity", "cut", "ridge", y)
    (cut / "predictions.parquet").write_bytes((cut / "predictions.parquet").read_bytes()[:-9])
    garbage = made.result(out, "activity", "garbage", "ridge", y)
    size = (garbage / "predictions.parquet").stat().st_size
    (garbage / "predictions.parquet").write_bytes(b"x" * size)
    nan = made.result(out, "activity", "nan", "ridge", np.where(y > 0, y, np.nan))
    text = write_board(out).read_text(encoding="utf-8")
    board = summary_of(out).boards[0]
    assert not {"old", "cut", "garbage", "nan"} & {row.featurizer for row in board.rows}
    assert len(board.left_out) == 4
    assert "older version of the task&#39;s data" in text or "older version of the task's data" in text
    assert nan.is_dir()


def test_many_targets_get_a_matrix_and_folded_tables(planted: Write, tmp_path: Path) -> None:
    planted(targets=tuple(f"design {i}" for i in range(5)), rows=240)
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert text.count("<details><summary><b>design") == 5
    assert text.count("</details>") == text.count("<details>") == 10  # a board, and in it how its rows were fitted
    matrix = next(line for line in text.splitlines() if line.startswith("| target | noise ceiling |"))
    assert "`kmers[k=4]` + `xgboost`" in matrix
    assert "ρ(GC, y)" in matrix
    boards = summary_of(tmp_path / "out").boards
    # the planted effect of GC changes its sign from target to target
    assert [np.sign(board.rho_gc.value) for board in boards] == [1, -1, 1, -1, 1]


def test_strata_and_abundance_are_shown(planted: Write, tmp_path: Path) -> None:
    made = planted(strata=("parity",), dna=True)
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    board = summary_of(tmp_path / "out").boards[0]
    levels = board.strata["parity"]
    assert [row.level for row in levels] == [None, "even", "odd"]
    assert made.task is not None
    labels = made.task.strata["parity"]
    assert [row.n for row in levels] == [480, int((labels == "even").sum()), int((labels == "odd").sum())]
    # the pooled line is the board's own share; the figures of a stratum are those of its rows alone
    assert levels[0].share.value == pytest.approx(board.share.of_explainable.value, abs=1e-6)
    assert levels[0].given_gc.low > 0
    y, gc = made.task.targets["activity"].value, made.predictions["activity", "gc", "gc-curve", 0]
    for level in levels[1:]:
        inside = labels == level.level
        expected = fold_mean(made, lambda rows, here=inside: spearmanr(gc[rows & here], y[rows & here]).statistic)
        assert level.gc.value == pytest.approx(expected, abs=1e-6)
        assert level.share.low < level.share.value < level.share.high
    assert "ρ(GC, log DNA count)" in text
    assert "given log DNA" in text
    dna, gc = made.task.sequences.covariates["dna_count"], np.asarray(_gc(tmp_path / "out"))
    assert board.rho_gc_dna.value == pytest.approx(pooled(made, dna, gc), abs=1e-6)


def _gc(out: Path) -> list[float]:
    import pandas as pd

    return pd.read_parquet(out / "planted" / "rows.parquet")["gc"].tolist()


def test_barcode_halves_give_a_ceiling_of_their_own(planted: Write, tmp_path: Path) -> None:
    made = planted(halves=True)
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert made.task is not None
    halves = made.task.targets["activity"].halves
    assert halves is not None
    z = fold_mean(made, lambda rows: float(np.arctanh(spearmanr(halves[rows, 0], halves[rows, 1]).statistic)))
    found = summary_of(tmp_path / "out").boards[0].ceiling.halves
    assert found.rho == pytest.approx(np.tanh(z), abs=2e-3)
    assert f"Noise ceiling by barcode halves, which share no barcode's DNA noise: {found.value:.3f}" in text


def test_skipped_pairs_of_the_last_plan_are_listed(planted: Write, tmp_path: Path) -> None:
    planted()
    reason = "cnn takes signals, gc is a table"
    alone = SkipRecord(task="planted", featurizer="barcodes", model=None, reason="the task has no barcodes", what="")
    pair = SkipRecord(task="planted", featurizer="gc", model="cnn", reason=reason, what="")
    Store(tmp_path / "out").write_skipped("planted", [alone, pair])
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert "- `gc` + `cnn`: cnn takes signals" in text
    assert "- `barcodes`: the task has no barcodes" in text
    assert "could not be used" not in text


def test_plugins_that_could_not_be_used_stand_on_the_board(planted: Write, tmp_path: Path) -> None:
    from bench.run.execute import unusable
    from bench.run.plan import Plan, Selection

    planted()
    plan = Plan(
        Selection(None),
        unavailable={"model lacks": "rare not installed (pip install rare)"},
        broken={"/home/me/models/bad.py": "/home/me/models/bad.py: cannot be imported: <b>no</b>"},
    )
    Store(tmp_path / "out").write_skipped("planted", unusable(plan, "planted"))
    text = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert "- model lacks: rare not installed (pip install rare)" in text
    assert "- bad.py: cannot be imported: " in text
    assert "/home/me" not in text
    assert "<b>" not in text
    assert "Pairs that make no sense" not in text


@pytest.mark.usefixtures("with_pictures")
def test_pictures_are_small_and_say_what_they_show(planted: Write, tmp_path: Path) -> None:
    planted()
    write_board(tmp_path / "out")
    pictures = list((tmp_path / "out" / "planted").glob("*.svg"))
    assert len(pictures) == 2
    for path in pictures:
        assert path.stat().st_size < 200_000
    fit = next(path for path in pictures if path.name.startswith("fit-")).read_text(encoding="utf-8")
    for words in ("training", "validation", "test", "kmers[k=4] + xgboost", "measured", "predicted", "n = "):
        assert words in fit
    board = summary_of(tmp_path / "out").boards[0]
    scores = next(path for path in pictures if path.name == "scores.svg").read_text(encoding="utf-8")
    for words in (board.split, f"n = {board.n:,} test rows", f"ceiling {board.ceiling.value:.3f}"):
        assert words in scores


def test_terminal_summary_has_a_line_per_board(planted: Write, tmp_path: Path) -> None:
    from rich.console import Console

    planted()
    write_board(tmp_path / "out")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(terminal_summary(make_board(tmp_path / "out").summaries))
    board = summary_of(tmp_path / "out").boards[0]
    line = next(line for line in console.export_text().splitlines() if "planted" in line)
    assert f"{board.ceiling.value:.3f}" in line
    assert f"{row_of(board, 'kmers[k=4]').score.value:.3f}" in line


def test_no_results_is_an_error_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="bench run"):
        write_board(tmp_path)


def test_a_summary_of_a_newer_version_is_refused(planted: Write, tmp_path: Path) -> None:
    planted()
    write_board(tmp_path / "out")
    path = tmp_path / "out" / "planted" / "summary.json"
    write_json(path, summary_of(tmp_path / "out").model_dump() | {"format": 99})
    with pytest.raises(BenchError, match="Upgrade bench"):
        write_board(tmp_path / "out")
