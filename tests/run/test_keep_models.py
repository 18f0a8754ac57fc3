"""Fitted models that a run keeps: they predict as they did, and nothing in a folder of results is run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from calls import call
from rich.console import Console
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.files.atomic import write_json
from bench.fit.kept import packed, unpacked
from bench.model import Model
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.places.outside import Outside
from bench.run.plan import Selection, make_plan
from bench.run.predictors import Predictors
from bench.store.clean import leftovers
from bench.store.store import Store
from bench.tasks.task import TEST

THIRD = """
import numpy as np
from bench import Featurizer, Model

class Ends(Featurizer):
    name = "ends"
    def transform(self, sequences):
        return np.stack([sequences.codes(i)[:3] for i in range(len(sequences))]).astype(np.float32)

class Keeper(Model):
    name = "keeper"
    stochastic = False
    def fit(self, train, valid, setting):
        self.weights = np.linalg.lstsq(train.x.table(), train.y, rcond=None)[0]
        self.cannot = (lambda x: x) if LAMBDA else None
    def predict(self, x):
        return x.table() @ self.weights
"""


def plan_of(out: Path, task: Path, f: str, m: str, plugins=(), **more):
    with Outside() as outside:
        registry = Registry([str(p) for p in plugins], dropped=False, describer=outside)
        selection = Selection((str(task),), (f,), (m,), **more)
        return make_plan(selection, registry, Store(out), outside=outside), registry


def run(out: Path, task: Path, f: str, m: str, plugins=(), **more):
    plan, registry = plan_of(out, task, f, m, plugins, keep_models=True, **more)
    outcome = run_plan(plan, registry, Store(out), Console(quiet=True))
    assert outcome.failed == []
    return plan, registry, outcome


def asked(out: Path, task: Path, f: str, m: str, plugins=(), trust=False):
    """Predictions of each test row by the model of its fold, what the store has of them, and what was said."""
    plan, registry = plan_of(out, task, f, m, plugins, cache="refresh")
    [job] = plan.jobs
    said: list[str] = []
    with Predictors(registry, Store(out), trust=trust, say=said.append) as source:
        found = source.of(job).predict(job.planned.task.sequences)
    stored = Store(out).predictions(job.results[0])
    test = stored.part == TEST
    return found[stored.row[test], stored.fold[test]], stored.prediction[test], said


@pytest.mark.parametrize(
    ("f", "m"),
    [
        ("gc", "gc-curve"),
        ("kmers[k=2]", "ridge"),
        ("kmers[k=2]", "xgboost[rounds=20]"),
        ("kmers[k=2]", "lightgbm[rounds=20]"),
        ("kmers[k=2]", "random-forest"),
        ("kmers[k=2]", "random-forest[library=sklearn]"),
        ("one-hot", "cnn[epochs=1,batch=32]"),
    ],
)
def test_kept_models_predict_what_was_stored(tmp_path, small_task, f, m):
    out = tmp_path / "out"
    run(out, small_task, f, m)
    found, stored, said = asked(out, small_task, f, m)
    np.testing.assert_allclose(found, stored, atol=1e-5)
    # Trees of scikit-learn are not among what is read from a folder of somebody else.
    assert bool(said) == ("sklearn" in m)


def test_a_run_without_models_fits_nothing_again_and_one_with_them_does(tmp_path, small_task):
    out = tmp_path / "out"
    words = ("run", "-t", small_task, "-f", "gc", "-m", "gc-curve", "-o", out)
    assert call(*words)[0] == 0
    [record] = out.rglob("result.json")
    key = json.loads(record.read_text())["key"]
    assert not list(out.rglob("models.*"))
    assert "1 fit to do" in call(*words, "--keep-models")[1]
    assert json.loads(record.read_text())["key"] == key
    assert record.with_name("models.bin").is_file()
    assert "nothing to fit" in call(*words, "--keep-models")[1]


@pytest.mark.parametrize("cannot", [False, True])
def test_third_party_models_are_fitted_again_unless_trusted(tmp_path, small_task, cannot):
    plugin = tmp_path / "third.py"
    plugin.write_text(THIRD.replace("LAMBDA", str(cannot)))
    out = tmp_path / "out"
    *_, outcome = run(out, small_task, "ends", "keeper", [plugin])
    assert len(outcome.fitted) == 1
    assert run(out, small_task, "ends", "keeper", [plugin])[2].fitted == [], "known: they cannot be written as bytes"
    found, stored, said = asked(out, small_task, "ends", "keeper", [plugin])
    np.testing.assert_allclose(found, stored, atol=1e-6)
    assert any("fitted again" in line for line in said)
    found, stored, said = asked(out, small_task, "ends", "keeper", [plugin], trust=True)
    np.testing.assert_allclose(found, stored, atol=1e-6)
    assert bool(said) == cannot


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


class Mine(Model):
    name = "mine"


def test_models_of_somebody_else_run_nothing(tmp_path):
    with pytest.raises(BenchError, match="cannot be read"):
        unpacked(pickle.dumps(Trap(tmp_path / "sprung")), "ridge", trusted=False)
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(BenchError, match="cannot be read"):
        unpacked(packed(Mine(), "mine"), "mine", trusted=False)
    with pytest.raises(BenchError, match="are a dict"):
        unpacked(pickle.dumps({}), "ridge", trusted=False)


def test_a_damaged_or_earlier_file_counts_as_absent(tmp_path, small_task):
    out = tmp_path / "out"
    plan, *_ = run(out, small_task, "gc", "ridge")
    [path] = out.rglob("models.bin")
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert any("fitted again" in line for line in asked(out, small_task, "gc", "ridge")[2])
    path.write_bytes(sound)
    assert asked(out, small_task, "gc", "ridge")[2] == []
    record = path.with_name("models.json")
    write_json(record, json.loads(record.read_text()) | {"key": "0" * 24})
    assert not Store(out).has_models(plan.jobs[0].results[0], plan.jobs[0].keys[0])
    [left] = leftovers(out, failed=False, stale=True)
    assert {each.name for each in left.files} == {"models.bin", "models.json"}
    # A new result takes what was made from the old one with it.
    write_json(record, json.loads(record.read_text()) | {"key": "0" * 24})
    run(out, small_task, "gc", "ridge", cache="refresh")
    assert asked(out, small_task, "gc", "ridge")[2] == []


def test_models_travel_with_a_merge(tmp_path, small_task):
    run(tmp_path / "a", small_task, "gc", "ridge")
    run(tmp_path / "b", small_task, "gc", "gc-curve")
    assert call("merge", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "both")[0] == 0
    assert len(list((tmp_path / "both").rglob("models.json"))) == 2
    assert asked(tmp_path / "both", small_task, "gc", "gc-curve")[2] == []


def test_models_of_several_targets(tmp_path):
    task = write_small_task(tmp_path / "data", targets=2)
    plan, registry, _ = run(tmp_path / "out", task, "one-hot", "cnn[epochs=1,batch=32]")
    [job] = plan.jobs
    with Predictors(registry, Store(tmp_path / "out")) as source:
        both = [source.of(job, place).predict(job.planned.task.sequences) for place in range(2)]
    for place, found in enumerate(both):
        stored = Store(tmp_path / "out").predictions(job.results[place])
        np.testing.assert_allclose(found[stored.row, stored.fold], stored.prediction, atol=1e-5)
