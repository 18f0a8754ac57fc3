"""Learning curves of planted results, and of a small run."""

import numpy as np
import pytest
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.board.curve import curves, sizes
from bench.cli.main import app
from bench.report.curve import write_curves
from bench.store.external import score_predictions
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.splits import Split
from bench.tasks.task_file import load_task_file

SIZES = (30, 60, 120, 240, 300)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Results whose scores are planted: "steady" always .6; "rising" .2 to .9, past it at the third point."""
    folder = tmp_path_factory.mktemp("curve")
    task = load_task_file(write_small_task(folder / "data", rows=900))
    store = Store(folder / "out")
    rng = np.random.default_rng(1)
    value = task.targets["t0"].value
    value = (value - value.mean()) / value.std()
    noise = rng.normal(size=(2, len(value)))
    for train, rising in zip(SIZES, (0.2, 0.4, 0.75, 0.85, 0.9), strict=True):
        folds = make_folds(task, Split("chromosome-kfold", 3, train=train))
        store.write_task(task, np.full(len(task), 0.5, np.float32))
        store.write_folds(task.card.name, folds, {"exact": 0, "reverse_complement": 0, "test_rows": len(task)})
        for name, strength, its in (("steady", 0.6, noise[0]), ("rising", rising, noise[1])):
            predicted = strength * value + np.sqrt(1 - strength**2) * its
            table = folder / "predictions.tsv"
            lines = [f"{row}\t{p}" for row, p in zip(task.row_id, predicted, strict=True)]
            table.write_text("id\tprediction\n" + "\n".join(lines) + "\n")
            score_predictions(store, task, folds, "t0", table, name, featurizer="planted")
    return folder / "out"


def test_the_planted_crossing_is_found_within_one_step(root):
    (curve,) = curves(root)
    assert [point.train for point in curve.points] == list(SIZES)
    steady, rising = "planted + steady", "planted + rising"
    assert curve.pairs == [rising, steady]
    rows = [point.rows for point in curve.points]
    assert curve.ahead_from(rising, steady) in rows[2:4]
    assert curve.ahead_from(steady, rising) == rows[0]
    assert rows == sorted(rows)
    for point, expected in zip(curve.points, (0.2, 0.4, 0.75, 0.85, 0.9), strict=True):
        assert point.scores[rising].low < expected + 0.03
        assert point.scores[rising].high > expected - 0.03


def test_page_and_picture(root, tmp_path):
    page = write_curves(curves(root), tmp_path).read_text()
    assert "![learning curve](small-t0.svg)" in page
    assert "planted + rising" in (tmp_path / "small-t0.svg").read_text()
    assert "| planted + steady | from 30 |  |" in page or "| planted + steady | from 30 |" in page


def test_sizes_double_up_to_all_rows():
    assert sizes(100) == [0]
    assert sizes(5000) == [250, 500, 1000, 2000, 0]


def test_a_run_resumes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = str(write_small_task(tmp_path / "data", rows=1200))
    call = ["curve", task, "-p", "gc + gc-curve", "-p", "kmers[k=2] + ridge", "-o", "out"]
    first = CliRunner().invoke(app, call)
    assert first.exit_code == 0, first.output
    assert "4 fits to do" in first.output
    again = CliRunner().invoke(app, call)
    assert "nothing to fit, 4 results reused" in again.output
    assert (tmp_path / "out/curves/curves.md").is_file()


def test_the_page_has_every_task_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        task = str(write_small_task(tmp_path / name, rows=1200, name=name))
        assert CliRunner().invoke(app, ["curve", task, "-p", "gc + gc-curve", "-o", "out"]).exit_code == 0
    page = (tmp_path / "out/curves/curves.md").read_text()
    assert "## one: t0" in page
    assert "## two: t0" in page
