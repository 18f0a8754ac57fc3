"""What must and what must not fit a result again."""

import pytest
from rich.console import Console
from small_tasks import write_small_task

import bench.plugins.libraries
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.store.store import Store

PLUGIN = '''
import numpy as np
from bench import Featurizer


class Skew(Featurizer):
    """GC skew."""

    name = "skew"

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def transform(self, sequences):
        return np.array([[self.scale * (s.count("G") - s.count("C"))] for s in sequences.to_strings()], np.float32)
'''
OTHER = PLUGIN.replace("Skew", "Other").replace("skew", "other")


class World:
    """One run's circumstances, each of which can be changed."""

    def __init__(self, tmp_path, monkeypatch):
        self.tmp, self.patch = tmp_path, monkeypatch
        self.task = write_small_task(tmp_path / "data")
        self.plugin = tmp_path / "mine.py"
        self.plugin.write_text(PLUGIN)
        self.loads = 0

    def keys(self, *, featurizer="skew[scale=2]", model="ridge[alpha=1]", seed=0, split=None, extra=()):
        # A fresh file name each time stands for a fresh process: an imported module is not read again.
        self.loads += 1
        copy = self.tmp / f"load{self.loads}" / "mine.py"
        copy.parent.mkdir()
        copy.write_text(self.plugin.read_text())
        registry = Registry([copy, *extra], folder=self.tmp / "empty")
        plan = make_plan(
            Selection((str(self.task),), (featurizer,), (model,), seeds=seed + 1, split=split),
            registry,
            Store(self.tmp / "out"),
        )
        return plan.jobs[-1].keys


@pytest.fixture
def world(tmp_path, monkeypatch):
    return World(tmp_path, monkeypatch)


def test_the_same_call_has_the_same_key(world):
    assert world.keys() == world.keys()


def test_another_parameter(world):
    assert world.keys() != world.keys(featurizer="skew[scale=3]")
    assert world.keys() != world.keys(model="ridge[alpha=2]")
    assert world.keys() != world.keys(model="ridge[alpha=1,target=raw]")


def test_parameters_in_another_order(world):
    one = world.keys(model="xgboost[rounds=5,max_depth=3]")
    assert one == world.keys(model="xgboost[max_depth=3,rounds=5]")


def test_a_default_written_out(world):
    assert world.keys(featurizer="skew") == world.keys(featurizer="skew[scale=1.0]")


def test_changed_plugin_source(world):
    before = world.keys()
    world.plugin.write_text(PLUGIN.replace("- s.count", "+ s.count"))
    assert before != world.keys()


def test_a_comment_or_docstring_in_the_plugin(world):
    before = world.keys()
    world.plugin.write_text("# a comment\n" + PLUGIN.replace("GC skew.", "The skew of G and C."))
    assert before == world.keys()


def test_another_plugin_beside_it(world):
    other = world.tmp / "other.py"
    other.write_text(OTHER)
    assert world.keys() == world.keys(extra=[other])


def test_a_changed_table(world):
    before = world.keys()
    table = world.task.with_suffix(".tsv")
    lines = table.read_text().split("\n")
    results = lines[5].split("\t")
    results[6] = f"{float(results[6]) + 0.001:.5f}"
    lines[5] = "\t".join(results)
    table.write_text("\n".join(lines))
    assert before != world.keys()


def test_another_orientation(world):
    """It counts for a model that may use the other strand: a network, and any third-party one; not a built-in one of
    tables."""
    ridge, network = world.keys(), world.keys(featurizer="one-hot", model="cnn")
    world.task.write_text("orientation = 'free'\n" + world.task.read_text())
    assert world.keys() == ridge
    assert world.keys(featurizer="one-hot", model="cnn") != network


def test_a_changed_split(world):
    assert world.keys() != world.keys(split="holdout[valid=chr1,test=chr2]")


def test_the_same_split_written_otherwise(world):
    one = world.keys(split="holdout[valid=chr1,test=chr2]")
    assert one == world.keys(split="holdout[test=chr2, valid=chr1]")


def test_another_seed(world):
    assert world.keys(model="xgboost[rounds=5]") != world.keys(model="xgboost[rounds=5]", seed=1)


def test_another_library_version(world):
    before = world.keys(model="xgboost[rounds=5]")
    world.patch.setitem(bench.plugins.libraries._KNOWN, "xgboost", "99.0")
    assert before != world.keys(model="xgboost[rounds=5]")


def test_a_library_the_model_does_not_use(world):
    before = world.keys(model="ridge[alpha=1]")
    world.patch.setitem(bench.plugins.libraries._KNOWN, "xgboost", "99.0")
    assert before == world.keys(model="ridge[alpha=1]")


# ---- the table: what is fitted again, after a real run ---------------------------------------------------------------
BASE = {
    "featurizer": "skew[scale=2]",
    "model": "xgboost[rounds=5,max_depth=2]",
    "plugin": PLUGIN,
    "other": OTHER,
    "table": lambda text: text,
    "split": None,
    "seeds": 1,
    "versions": {},
    "files": ("mine.py", "other.py"),
}
#: What changed since the run -> (how the call differs, whether its result must be fitted again).
CHANGES = {
    "nothing": ({}, False),
    "a parameter of the featurizer": ({"featurizer": "skew[scale=3]"}, True),
    "a parameter of the model": ({"model": "xgboost[rounds=6,max_depth=2]"}, True),
    "the scale of the target": ({"model": "xgboost[rounds=5,max_depth=2,target=raw]"}, True),
    "the plugin's source": ({"plugin": PLUGIN.replace("- s.count", "+ s.count")}, True),
    "a comment in the plugin": ({"plugin": PLUGIN.replace("    name =", "    # what it is called\n    name =")}, False),
    "a comment in another file": ({"other": f"# better\n{OTHER}"}, False),
    "the code of another file": ({"other": OTHER.replace("- s.count", "+ s.count")}, False),
    "the order of arguments": ({"model": "xgboost[max_depth=2,rounds=5]"}, False),
    "a default written out": ({"model": "xgboost[rounds=5,max_depth=2,target=rank]"}, False),
    "one plugin more": ({"files": ("mine.py", "other.py", "third.py")}, False),
    "one plugin fewer": ({"files": ("mine.py",)}, False),
    "a value of the table": ({"table": lambda text: text.rstrip("\n") + "9\n"}, True),
    "the name of a row": ({"table": lambda text: text.replace("r7\t", "r7x\t")}, False),
    "the split": ({"split": "holdout[valid=chr1,test=chr2]"}, True),
    "the same split in other words": ({"split": "chromosome-kfold[ k = 3 ]"}, False),
    "the version of a library it uses": ({"versions": {"xgboost": "99.0"}}, True),
    "the version of another library": ({"versions": {"lightgbm": "99.0", "scikit-learn": "99.0"}}, False),
    "the seed": ({"seeds": 2}, True),
}


class Calls:
    """Calls on one folder of results, each as from a fresh process."""

    def __init__(self, home):
        self.home, self.number, self.store = home, 0, Store(home / "out")

    def plan(self, **changes):
        call = BASE | changes
        self.number += 1
        folder = self.home / f"call{self.number}"
        task = write_small_task(folder)
        table = task.with_suffix(".tsv")
        table.write_text(call["table"](table.read_text()))
        texts = {"mine.py": call["plugin"], "other.py": call["other"]}
        texts["third.py"] = PLUGIN.replace("Skew", "Third").replace("skew", "third")
        for name in call["files"]:
            (folder / name).write_text(texts[name])
        registry = Registry([folder / name for name in call["files"]], folder=folder)
        asked = Selection(
            (str(task),), (call["featurizer"],), (call["model"],), seeds=call["seeds"], split=call["split"]
        )
        with pytest.MonkeyPatch.context() as patch:
            for library, version in call["versions"].items():
                patch.setitem(bench.plugins.libraries._KNOWN, library, version)
            return make_plan(asked, registry, self.store), registry


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    calls = Calls(tmp_path_factory.mktemp("table"))
    plan, registry = calls.plan()
    outcome = run_plan(plan, registry, calls.store, Console(quiet=True))
    assert [len(outcome.fitted), outcome.failed] == [1, []]
    return calls


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_fitted_again(calls, change):
    changes, again = CHANGES[change]
    plan, _ = calls.plan(**changes)
    assert plan.fits == int(again)
    assert len(plan.reused) == (1 if change == "the seed" else int(not again))
