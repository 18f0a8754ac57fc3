"""`bench compare`: differences against brute-force resampling, and refusals in words."""

import dataclasses
import glob
import shutil
from pathlib import Path

import numpy as np
import pytest
from planted_store import Planted
from scipy.stats import spearmanr, t
from typer.testing import CliRunner

from bench.board.compare import compare
from bench.cli.main import app
from bench.errors import BenchError
from bench.files.atomic import read_json, write_json
from bench.stats.bootstrap import Draws
from bench.store.store import RECORD, TASK

GC, KMERS = "gc+gc-curve", "kmers[k=4]+xgboost"


def by_hand(planted: Planted, weights: np.ndarray, featurizer: str, model: str, seeds: int = 1) -> float:
    """Mean over folds and seeds of scipy's Spearman on rows repeated as often as their locus was drawn."""
    task, folds = planted.task, planted.folds
    y = task.targets["activity"].value
    scores = []
    for seed in range(seeds):
        prediction = planted.predictions["activity", featurizer, model, seed]
        for part in folds.part:
            rows = np.flatnonzero(part == 2)
            rows = np.repeat(rows, weights[task.locus[rows]])
            scores.append(spearmanr(y[rows], prediction[rows]).statistic)
    return float(np.mean(scores))


def test_a_difference_and_its_interval_equal_resampling_rows_by_hand(planted, tmp_path):
    truth = planted(rows=120, seeds=2)
    line = compare(KMERS, GC, tmp_path / "out").lines[0]
    loci = len(set(truth.task.locus))
    once = np.ones(loci, int)
    a, b = by_hand(truth, once, "kmers[k=4]", "xgboost", 2), by_hand(truth, once, "gc", "gc-curve")
    assert (line.score_a.value, line.score_b.value) == pytest.approx((a, b))
    assert line.difference.value == pytest.approx(a - b)
    assert (line.rows, line.loci, line.folds) == (120, loci, 3)
    gaps = [
        by_hand(truth, weights, "kmers[k=4]", "xgboost", 2) - by_hand(truth, weights, "gc", "gc-curve")
        for _, many in Draws(loci).block_weights()
        for weights in many[:40]
    ]
    half = t.ppf(0.975, loci - 1) * np.std(gaps, ddof=1) * np.sqrt(loci / (loci - 1))
    assert (line.difference.low, line.difference.high) == pytest.approx((a - b - half, a - b + half), abs=0.03)
    assert 1 <= line.effective_rows <= 120


def test_swapping_the_sides_turns_the_sign(planted, tmp_path):
    planted()
    ours = compare(KMERS, GC, tmp_path / "out").lines[0]
    theirs = compare(GC, KMERS, tmp_path / "out").lines[0]
    assert theirs.difference.value == pytest.approx(-ours.difference.value)
    assert (theirs.difference.low, theirs.difference.high) == pytest.approx(
        (-ours.difference.high, -ours.difference.low)
    )
    assert theirs.p == pytest.approx(ours.p)


def test_a_pair_without_task_is_compared_on_every_task_with_holm_over_them(planted, tmp_path):
    planted(name="one", targets=("t1", "t2"))
    planted(name="two", targets=("t3",))
    lines = compare("length+ridge", "gc-windows[n=5]+ridge", tmp_path / "out").lines
    assert [(line.a.task, line.a.target) for line in lines] == [("one", "t1"), ("one", "t2"), ("two", "t3")]
    ordered = sorted(line.p for line in lines)
    smallest = min(lines, key=lambda line: line.p)
    assert smallest.p_holm == pytest.approx(min(1, 3 * ordered[0]))
    assert max(line.p_holm for line in lines) >= max(ordered)


def test_two_result_folders_are_compared_result_by_result(planted, tmp_path):
    planted()
    shutil.copytree(tmp_path / "out", tmp_path / "again")
    found = compare(str(tmp_path / "out"), str(tmp_path / "again"), tmp_path)
    assert len(found.lines) == 6
    for line in found.lines:
        assert line.a.pair == line.b.pair
        if line.a.model != "mean":
            assert line.difference == (0, 0, 0)
            assert line.p == 1
    assert found.refused == []


def test_a_result_can_be_named_by_its_folder(planted, tmp_path):
    planted(seeds=2)
    folders = {path.parent for path in (tmp_path / "out").glob(f"*/*/*/*/*/{RECORD}")}
    seed_0 = next(str(folder) for folder in folders if folder.parent.name == KMERS and folder.name == "seed-0")
    one = compare(seed_0, GC, tmp_path / "out").lines[0]
    both = compare(str(Path(seed_0).parent), GC, tmp_path / "out").lines[0]
    assert len(one.a.results) == 1
    assert len(both.a.results) == 2
    assert both.score_a.value == pytest.approx(compare(KMERS, GC, tmp_path / "out").lines[0].score_a.value)


def refusal(a: object, b: object, out: Path, **options: str) -> str:
    with pytest.raises(BenchError) as caught:
        compare(str(a), str(b), out, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_compared_is_refused_in_words(planted, tmp_path):
    out = tmp_path / "out"
    planted(targets=("t1", "t2"))
    assert "different targets (t1 and t2)" in refusal(f"planted/t1/{GC}", f"planted/t2/{GC}", out)
    assert "Did you mean 'gc+gc-curve'" in refusal("gc+gc-curv", GC, out)
    assert "neither a result's folder" in refusal(out / "planted", GC, out)
    assert f"a result folder and {GC} is none" in refusal(out, GC, out)
    assert f"a result folder and {GC} is none" in refusal(GC, out, out)
    assert "no results there" in refusal(GC, GC, tmp_path / "nowhere")


def test_another_split_table_or_set_of_rows_is_refused(planted, tmp_path):
    planted()
    out, other = tmp_path / "out", tmp_path / "other"
    shutil.copytree(out, other)
    folder = next(path.parent for path in other.glob(f"*/*/*/{GC}/*/{RECORD}"))
    record = read_json(folder / RECORD)

    def against(**changed: object) -> str:
        write_json(folder / RECORD, {**record, **changed})
        return refusal(folder, next(out.glob(f"*/*/*/{glob.escape(KMERS)}")), out)

    assert "lies in another result's folder" in against(split="holdout")
    assert "different folds of split chromosome-kfold[k=3]" in against(folds_digest="ffff")
    assert "different tables" in against(task_digest="d2")
    assert "has no proper 'format'" in against(format=0)
    write_json(folder / RECORD, record)
    task = read_json(out / "planted" / TASK)
    targets = [{**target, "digest": "newer"} for target in task["targets"]]
    write_json(out / "planted" / TASK, {**task, "digest": "newer", "targets": targets})
    assert "older version of the table" in refusal(GC, KMERS, out)


def test_other_rows_under_the_same_names_are_refused(planted, tmp_path):
    truth = planted()
    truth.folds = dataclasses.replace(truth.folds, part=np.where(np.arange(480) == 7, -1, truth.folds.part))
    place = truth.result(tmp_path / "out", "activity", "short", "ridge", np.arange(480.0))
    record = read_json(place / RECORD)
    write_json(
        place / RECORD,
        {**record, "folds_digest": read_json(next((tmp_path / "out").glob(f"*/*/*/{GC}/*/{RECORD}")))["folds_digest"]},
    )
    assert "predict other test rows (479 and 480)" in refusal("short+ridge", GC, tmp_path / "out")


def test_several_splits_need_a_choice_and_the_default_is_the_tasks_own(planted, tmp_path):
    planted()
    planted(split="locus-kfold[k=3]")  # the task file says so now: it is the task's own
    found = compare(GC, KMERS, tmp_path / "out")
    assert [line.a.split for line in found.lines] == ["locus-kfold[k=3]"]
    chosen = compare(GC, KMERS, tmp_path / "out", split="chromosome-kfold[k=3]")
    assert [line.a.split for line in chosen.lines] == ["chromosome-kfold[k=3]"]
    assert "not under split holdout" in refusal(GC, KMERS, tmp_path / "out", split="holdout")


def test_the_command_prints_the_difference(planted, tmp_path):
    planted()
    result = CliRunner().invoke(app, ["compare", KMERS, GC, "--out", str(tmp_path / "out")], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert "planted" in result.output
    assert "+0." in result.output
    assert "< 0.001" in result.output


def test_two_folders_that_share_one_pair_are_told_apart_and_the_rest_is_named(planted, tmp_path):
    planted()
    out, other = tmp_path / "out", tmp_path / "other"
    shutil.copytree(out, other)
    for path in other.glob("*/*/*/*"):
        if path.name != GC:
            shutil.rmtree(path)
    found = compare(str(out), str(other), out)
    assert [line.a.pair for line in found.lines] == [GC]
    assert found.refused == [f"5 results only in {out}"]
    result = CliRunner().invoke(app, ["compare", str(out), str(other)], env={"COLUMNS": "200"})
    assert f"A  {out}" in result.output
    assert f"planted, activity, {GC}" in result.output
    assert f"not compared: 5 results only in {out}" in result.output
