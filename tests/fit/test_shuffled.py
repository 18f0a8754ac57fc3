"""Predictions on dinucleotide shuffles, against a slow version and planted models."""

from pathlib import Path

import numpy as np
import pytest
from small_tasks import write_small_task

from bench.featurizer import Features, Featurizer
from bench.fit import shuffled
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.fit.scale import TargetScale
from bench.fit.shuffled import SHUFFLES, shuffled_task
from bench.model import Part, Setting
from bench.plugins.registry import Made, Registry
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


class Slow(Featurizer):
    """Counts of A and C, and how many rows it has been asked for in all."""

    name = "slow"
    asked = 0

    def transform(self, sequences):
        Slow.asked += len(sequences)
        codes = [sequences.codes(row) for row in range(len(sequences))]
        return np.array([[(row == base).sum() for base in (0, 1)] for row in codes], np.float32)


def predicted(task, featurizer: Made, workspace: Workspace, model: str = "ridge"):
    target = next(iter(task.targets))
    job = FitJob(task, make_folds(task), featurizer, Registry().make("model", model), 0, (target,))
    return fit_job(job, workspace)[0].predictions.shuffled


def test_features_of_shuffles_are_made_once_per_task_whatever_is_fitted_between(task):
    slow, cheap = Made("featurizer", "slow", Slow, {}), Registry().make("featurizer", "kmers[k=2]")
    workspace, Slow.asked = Workspace(), 0
    first = predicted(task, slow, workspace)
    tested = sum(int((part == TEST).sum()) for part in make_folds(task).part)
    rows = Slow.asked - SHUFFLES * tested
    assert len(task) <= rows <= len(task) + 2 * (1 + SHUFFLES * len(make_folds(task)))  # two more tell their shape
    for model in ("mean", "ridge"):
        predicted(task, cheap, workspace, model)
        assert workspace.shuffles.in_memory
        Slow.asked = 0
        again = predicted(task, slow, workspace, model)
        assert not workspace.shuffles.in_memory  # those of the other, now that it is not in use
        assert Slow.asked <= len(task) + 2
    np.testing.assert_array_equal(first, again)
    workspace.let_go()
    np.testing.assert_array_equal(first, predicted(task, slow, workspace))


@pytest.mark.parametrize("memory", [0, 1 << 20])
@pytest.mark.parametrize("disk", [0, 1 << 20])
@pytest.mark.parametrize("full", [False, True])
def test_features_of_shuffles_are_kept_within_bounds(task, monkeypatch: pytest.MonkeyPatch, memory, disk, full):
    expected = {}
    made = {"slow": Made("featurizer", "slow", Slow, {}), "cheap": Registry().make("featurizer", "kmers[k=2]")}
    for name, featurizer in made.items():
        expected[name] = predicted(task, featurizer, Workspace())
    monkeypatch.setattr(shuffled, "KEEP_BYTES", memory)
    monkeypatch.setattr(shuffled, "SCRATCH_BYTES", disk)
    if full:
        monkeypatch.setattr("bench.files.scratch.os.posix_fallocate", refuse)
    for name, featurizer in made.items():
        workspace = Workspace()
        for _ in range(2):
            np.testing.assert_array_equal(predicted(task, featurizer, workspace), expected[name])
        kept, held = workspace.shuffles.kept, workspace.shuffles.in_memory
        on_disk = name == "slow" and disk and not full
        assert bool(kept) == bool(memory or on_disk)
        assert bool(held) == bool(memory and not on_disk)


def refuse(*arguments):
    raise OSError(28, "No space left on device")


def test_the_file_of_predictions_keeps_it_and_may_be_without(tmp_path: Path):
    path = tmp_path / "predictions.parquet"
    values = np.array([0.5, np.nan, 1.5], np.float32)
    plain = Predictions(*(np.arange(3).astype(t) for t in (np.int32, np.int8, np.int8, np.float32)))
    write_predictions(path, plain)
    assert read_predictions(path).shuffled is None
    write_predictions(path, Predictions(plain.row, plain.fold, plain.part, plain.prediction, values))
    np.testing.assert_array_equal(read_predictions(path).shuffled, values)
