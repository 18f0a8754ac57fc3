"""Predictions on dinucleotide shuffles, against a slow version and planted models."""

from pathlib import Path

import numpy as np
import pytest
from small_tasks import write_small_task

from bench.featurizer import Features
from bench.fit import shuffled
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.fit.scale import TargetScale
from bench.fit.shuffled import SHUFFLES, shuffled_task
from bench.model import Part, Setting
from bench.plugins.registry import Registry
from bench.store.predictions import Predictions, read_predictions, write_predictions
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST
from bench.tasks.task_file import load_task_file


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory):
    return load_task_file(str(write_small_task(tmp_path_factory.mktemp("small"))))


def fitted(task, featurizer: str):
    registry = Registry()
    folds = make_folds(task)
    made = registry.make("featurizer", featurizer)
    target = next(iter(task.targets))
    [result] = fit_job(FitJob(task, folds, made, registry.make("model", "ridge"), 0, (target,)), Workspace())
    return folds, result.predictions


def test_only_test_rows_have_one_and_composition_keeps_its_predictions(task):
    _, found = fitted(task, "dinucleotides")
    tested = found.part == TEST
    assert np.isfinite(found.shuffled[tested]).all()
    assert np.isnan(found.shuffled[~tested]).all()
    # a shuffle keeps every dinucleotide, so a model of them sees no difference
    np.testing.assert_allclose(found.shuffled[tested], found.prediction[tested], rtol=1e-4, atol=1e-5)
    _, words = fitted(task, "kmers[k=4]")
    assert not np.allclose(words.shuffled[tested], words.prediction[tested], atol=1e-3)


def test_confounders_are_not_shuffled(task):
    _, found = fitted(task, "length")
    assert found.shuffled is None


def test_it_is_the_mean_over_shuffles(task):
    folds, found = fitted(task, "kmers[k=3]")
    registry = Registry()
    rows = np.flatnonzero(folds.part[0] == TEST)
    made = registry.make("featurizer", "kmers[k=3]").new()
    model = registry.make("model", "ridge").new()
    total = np.zeros(len(rows))
    x = made.transform(task.sequences)
    y = next(iter(task.targets.values())).value
    scale = TargetScale(y[folds.part[0] == 0], "rank")
    parts = [Part(Features(x[folds.part[0] == p], "table"), scale(y[folds.part[0] == p])) for p in (0, 1)]
    model.fit(*parts, Setting())
    for number in range(SHUFFLES):
        moved = shuffled_task(task, rows, number).sequences
        total += model.predict(Features(made.transform(moved), "table"))
    mine = (found.part == TEST) & (found.fold == 0)
    np.testing.assert_allclose(found.shuffled[mine], total / SHUFFLES, rtol=1e-4, atol=1e-5)


def test_at_most_so_many_rows_of_a_fold_are_shuffled(task, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shuffled, "MOST_ROWS", 7)
    folds, found = fitted(task, "kmers[k=2]")
    for fold in range(len(folds)):
        mine = (found.part == TEST) & (found.fold == fold)
        assert np.isfinite(found.shuffled[mine]).sum() == 7


def test_features_of_shuffles_are_shared_within_a_bound(task, monkeypatch: pytest.MonkeyPatch):
    registry, workspace = Registry(), Workspace()
    made = registry.make("featurizer", "kmers[k=3]")
    target = next(iter(task.targets))
    folds = make_folds(task)

    def run():
        return fit_job(FitJob(task, folds, made, registry.make("model", "ridge"), 0, (target,)), workspace)[0]

    first = run()
    assert len(workspace.shuffles.kept) == SHUFFLES * len(folds)
    monkeypatch.setattr("bench.fit.shuffled.shuffled_task", None)
    again = run()
    np.testing.assert_array_equal(first.predictions.shuffled, again.predictions.shuffled)
    monkeypatch.undo()
    monkeypatch.setattr(shuffled, "KEEP_BYTES", 0)
    fresh = Workspace()
    fit_job(FitJob(task, folds, made, registry.make("model", "ridge"), 0, (target,)), fresh)
    assert fresh.shuffles.kept == {}


def test_the_file_of_predictions_keeps_it_and_may_be_without(tmp_path: Path):
    path = tmp_path / "predictions.parquet"
    values = np.array([0.5, np.nan, 1.5], np.float32)
    plain = Predictions(*(np.arange(3).astype(t) for t in (np.int32, np.int8, np.int8, np.float32)))
    write_predictions(path, plain)
    assert read_predictions(path).shuffled is None
    write_predictions(path, Predictions(plain.row, plain.fold, plain.part, plain.prediction, values))
    np.testing.assert_array_equal(read_predictions(path).shuffled, values)
