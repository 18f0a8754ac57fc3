"""What must and what must not fit a result again."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from rich.console import Console
from small_tasks import write_small_task

import bench.plugins.libraries
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.store.store import Store
from bench.tasks.load import TaskSource, load_planned

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
    results[6] = f"{float(results[6]) + 1000:.5f}"  # another place among the rows, which is what is fitted
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
    "a value of the table": ({"table": lambda text: text.rstrip("\n").rpartition("\t")[0] + "\t1000\n"}, True),
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


# ---- the table, by calls of the command line: what else a plugin rests on --------------------------------------------
MINE = '''
import os
import numpy as np
from bench import Featurizer, Model
import helper


class Skew(Featurizer):
    """GC skew."""

    name = "skew"
    libraries = ("motif_scanner",)
    files = ("motifs.txt",)

    def transform(self, sequences):
        scale = len(open("motifs.txt").read())
        return helper.skew(sequences) * np.float32(scale)


class First(Model):
    """The first column."""

    name = "first"
    libraries = ("keras",)
    stochastic = False

    def fit(self, train, valid, setting):
        pass

    def predict(self, x):
        return x.table()[:, 0] + len(os.environ.get("KERAS_BACKEND", ""))
'''
HELPER = """
import numpy as np
from bench.kernels import gc


def skew(sequences):
    return np.array([[s.count("G") - s.count("C")] for s in sequences.to_strings()], np.float32)
"""


class Folder:
    """A person's working folder: a task, a plugin file with a helper and a file of motifs next to it, a library."""

    def __init__(self, home):
        self.home, self.environment = home, {}
        self.task = write_small_task(home, targets=2)
        lines = [line.split("\t") for line in self.table.read_text().splitlines()]
        rows = [["kind", *("even" if i % 2 else "odd" for i in range(len(lines) - 1))][i] for i in range(len(lines))]
        self.table.write_text("".join("\t".join([*line, row]) + "\n" for line, row in zip(lines, rows, strict=True)))
        text = self.task.read_text().replace(
            "[columns.covariates]", "[columns.strata]\nkind = 'kind'\n[columns.covariates]"
        )
        self.second = text[text.index("[targets.t1]") :]
        self.task.write_text(text.replace(self.second, ""))
        (home / "mine.py").write_text(MINE)
        (home / "helper.py").write_text(HELPER)
        (home / "motifs.txt").write_text("TATA")
        self.library("1.0")

    @property
    def table(self):
        return self.task.with_suffix(".tsv")

    def library(self, version):
        for old in self.home.glob("installed/*"):
            shutil.rmtree(old)
        for name, installed in (("motif-scanner", version), ("jax", "1.0")):
            place = self.home / f"installed/{name.replace('-', '_')}-{installed}.dist-info"
            place.mkdir(parents=True)
            (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {installed}\n")

    def change(self, name, old, new):
        text = (self.home / name).read_text()
        assert old in text
        (self.home / name).write_text(text.replace(old, new))

    def run(self):
        """(fitted, reused) of a call, and what it printed."""
        path = os.pathsep.join([str(self.home), str(self.home / "installed"), os.environ.get("PYTHONPATH", "")])
        words = ["run", "-t", "small.toml", "-f", "skew", "-m", "first", "--plugin", "mine.py", "-o", "out"]
        done = subprocess.run(
            [sys.executable, "-m", "bench", *words],
            cwd=self.home,
            env={**os.environ, "PYTHONPATH": path, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        counts = re.search(r"(\d+) fits? done, (\d+) reused", done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        return int(counts[1]), int(counts[2])


#: What changed between two calls -> (how, fitted by the second one, reused by it).
RERUNS = {
    "nothing": (lambda f: None, 0, 1),
    "the version of a featurizer's library": (lambda f: f.library("2.0"), 1, 0),
    "a declared file": (lambda f: (f.home / "motifs.txt").write_text("TATAA"), 1, 0),
    "a helper module": (lambda f: f.change("helper.py", "- s.count", "+ s.count"), 1, 0),
    "a comment in a helper module": (lambda f: f.change("helper.py", "def skew", "# skew\ndef skew"), 0, 1),
    "the backend of Keras": (lambda f: f.environment.update(KERAS_BACKEND="jax"), 1, 0),
    "another target beside it": (lambda f: f.change("small.toml", "[targets.t0]", f.second + "[targets.t0]"), 1, 1),
    "a stratum dropped": (lambda f: f.change("small.toml", "kind = 'kind'", ""), 0, 1),
    "a note": (lambda f: f.change("small.toml", "name =", "note = 'mind the gap'\nname ="), 0, 1),
    "the place of a name of bench": (lambda f: f.change("mine.py", "from bench import Featurizer, Model",
        "from bench.featurizer import Featurizer\nfrom bench.model import Model"), 0, 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("reruns"))
    assert folder.run() == (1, 0)
    return folder


@pytest.mark.parametrize("change", RERUNS)
def test_what_a_second_call_fits_again(first_run, tmp_path, change):
    how, *expected = RERUNS[change]
    folder = Folder(tmp_path)
    shutil.copytree(first_run.home / "out", tmp_path / "out")
    how(folder)
    assert folder.run() == tuple(expected)
    board = (tmp_path / "out/leaderboard.md").read_text()
    assert "older version" not in board
    assert board.count("| skew |") + board.count("`skew`") >= 1
    assert ("mind the gap" in board) == (change == "a note")


# ---- a file that is edited while a run goes on -----------------------------------------------------------------------
@pytest.mark.parametrize("edited", ["mine.py", "motifs.txt"])
def test_what_is_edited_after_the_plan_is_not_fitted(tmp_path, monkeypatch, edited):
    monkeypatch.chdir(tmp_path)
    text = PLUGIN.replace('name = "skew"', 'name = "skew"\n    files = ("motifs.txt",)')
    (tmp_path / "mine.py").write_text(text)
    (tmp_path / "motifs.txt").write_text("TATA")
    store, task = Store(tmp_path / "out"), write_small_task(tmp_path / "data")
    registry = Registry([tmp_path / "mine.py"], folder=tmp_path / "none")
    plan = make_plan(Selection((str(task),), ("skew",), ("ridge",)), registry, store)
    (tmp_path / edited).write_text(text.replace("- s.count", "+ s.count"))
    outcome = run_plan(plan, registry, store, Console(quiet=True))
    what = "the code" if edited == "mine.py" else "a file"
    [(_, reason, _)] = outcome.failed
    assert f"changed since it was planned: {what} of skew" in reason
    assert not outcome.fitted


def test_what_is_edited_while_it_is_fitted_is_not_kept(tmp_path):
    edits = """
        if len(sequences) > 200:  # a fit, not a look at two rows
            text = open(__file__).read()
            open(__file__, "w").write(text.replace("- s.count", "+ s.count"))
"""
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        PLUGIN.replace("    def transform(self, sequences):\n", f"    def transform(self, sequences):{edits}")
    )
    store, task = Store(tmp_path / "out"), write_small_task(tmp_path / "data")
    registry = Registry([plugin], folder=tmp_path / "none")
    plan = make_plan(Selection((str(task),), ("skew",), ("ridge",)), registry, store)
    outcome = run_plan(plan, registry, store, Console(quiet=True))
    [(_, reason, _)] = outcome.failed
    assert "changed while it was fitted: the code of skew" in reason


def test_a_process_that_has_loaded_older_code_does_not_fit_under_the_key_of_the_new_one(tmp_path):
    """A worker of Dask outlives runs."""
    from dataclasses import replace

    from bench.errors import BenchError
    from bench.fit.recipe import check_recipe, plugin_recipe, recipe_of

    plugin = tmp_path / "mine.py"
    plugin.write_text(PLUGIN)
    registry = Registry([plugin], folder=tmp_path / "none")
    plugin.write_text(PLUGIN.replace("- s.count", "+ s.count"))
    planned = load_planned(TaskSource(str(write_small_task(tmp_path / "data"))), registry)
    skew, ridge = registry.make("featurizer", "skew"), registry.make("model", "ridge")
    job = planned.task, planned.folds, skew, ridge
    older = recipe_of(*job, 0, ("t0",))
    newer = replace(older, featurizer=plugin_recipe(skew, loaded=False))
    assert older.key() != newer.key()
    for recipe, said in ((newer, "has loaded another version"), (older, "since the plan: the code of skew")):
        with pytest.raises(BenchError, match=said):
            check_recipe(recipe, *job, ("t0",), "since the plan")


# ---- the key itself --------------------------------------------------------------------------------------------------
def test_places_for_what_is_not_done_yet_change_no_key():
    from dataclasses import fields, replace

    from bench.fit.recipe import Recipe
    from bench.plugins.described import PluginRecipe

    model = PluginRecipe("ridge", "s", (("alpha", "1"),))
    recipe = Recipe("small", 3, "bases", ("v0", "v1"), "folds", model, None, 0)
    neutral = {"replicates": "mean", "members": (), "features": "", "predictions": ""}
    assert replace(recipe, **neutral).key() == recipe.key()
    for name in neutral:
        assert replace(recipe, **{name: "x"}).key() != recipe.key()
    assert replace(recipe, task="other", model=replace(model, name="other")).key() == recipe.key()
    assert recipe.key(0) != recipe.key(1)
    keys = {replace(recipe, **{each.name: "y"}).key() for each in fields(recipe) if each.compare}
    assert len(keys) == sum(each.compare for each in fields(recipe))
