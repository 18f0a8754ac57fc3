"""The kind of a target: in the recipe, in what models are handed, and in what is fitted together."""

from typing import ClassVar

import numpy as np
import pytest
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.fit.recipe import _hashed, kind_of_targets, recipe_of
from bench.fit.scale import TargetScale
from bench.model import Model
from bench.plugins.registry import Made, Registry
from bench.run.plan import _together
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file


class Seen(Model):
    """Keeps what it was handed, as a third party's model could."""

    name = "seen"
    stochastic = False
    handed: ClassVar[list] = []

    def fit(self, train, valid, setting):
        Seen.handed.append((setting.kind, np.array(train.y)))
        self.history = []

    def predict(self, x):
        return np.zeros(len(x))


@pytest.fixture
def task(tmp_path):
    path = write_small_task(tmp_path, targets=2)
    more = "\n[targets.high]\nreplicates = ['y0_1', 'y0_2']\nthreshold = 'quantile 0.6'\n"
    path.write_text(path.read_text() + more)
    return load_task_file(path)


def test_the_recipe_of_classes_says_so_and_that_of_numbers_is_what_it_was(task):
    registry = Registry(dropped=False)
    folds, gc, mean = make_folds(task), registry.make("featurizer", "gc"), registry.make("model", "mean")
    numbers = recipe_of(task, folds, gc, mean, 0, ("t0",))
    classes = recipe_of(task, folds, gc, mean, 0, ("high",))
    assert "kind" not in _hashed(numbers)
    assert _hashed(classes)["kind"] == "binary"
    assert numbers.key() != classes.key()


def test_targets_of_two_kinds_are_not_fitted_together(task):
    assert _together(task, multitask=True) == [("t0", "t1"), ("high",)]
    assert _together(task, multitask=False) == [("t0",), ("t1",), ("high",)]
    with pytest.raises(BenchError, match="two kinds"):
        kind_of_targets(task, ("t0", "high"))


def test_a_third_partys_model_is_handed_labels_and_told_the_kind(task):
    seen = Made("model", "seen", Seen, {})
    folds, gc = make_folds(task), Registry(dropped=False).make("featurizer", "gc")
    Seen.handed.clear()
    for target in ("high", "t0"):
        fit_job(FitJob(task, folds, gc, seen, 0, (target,)), Workspace())
    kinds = [kind for kind, _ in Seen.handed]
    assert kinds == ["binary"] * 3 + ["regression"] * 3
    assert set(np.unique(Seen.handed[0][1]).tolist()) == {0.0, 1.0}
    assert len(np.unique(Seen.handed[3][1])) > 10


def test_labels_keep_their_scale():
    y = np.array([0.0, 0.5, 1.0, np.nan])
    np.testing.assert_array_equal(TargetScale(y, "label")(y), y.astype(np.float32))
