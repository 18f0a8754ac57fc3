import dataclasses
from pathlib import Path

import pytest
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.plan import Selection, make_plan
from bench.store.store import Store
from bench.tasks.load import QUICK_ROWS
from bench.tasks.task import TRAIN


@pytest.fixture
def registry(tmp_path):
    return Registry(folder=tmp_path)


def plan_of(registry, task, store=None, **selection):
    return make_plan(Selection(tasks=(str(task),), **selection), registry, store or Store(Path("nowhere")))


def pairs(plan):
    return {(job.results[0].featurizer, job.results[0].model.split("[")[0]) for job in plan.jobs}


def test_everything_that_makes_sense_and_nothing_else(registry, small_task):
    plan = plan_of(registry, small_task)
    got = pairs(plan)
    assert ("none", "mean") in got
    assert ("gc", "gc-curve") in got
    assert ("gc", "xgboost") in got
    assert ("one-hot", "cnn") in got
    assert ("gc-windows[n=20]", "cnn") in got
    assert ("dna-count", "gc-curve") in got
    assert ("kmers[k=6]", "cnn") not in got
    assert ("kmers[k=6]", "gc-curve") not in got
    reasons = {skip.what: skip.reason for skip in plan.skipped}
    assert "cnn takes" in next(reason for what, reason in reasons.items() if "kmers[k=6] + cnn" in what)


def test_everything_has_what_a_featurizer_wants_to_be_run_with_too(tmp_path, small_task):
    path = tmp_path / "mine.py"
    path.write_text(
        "from bench import Featurizer\n"
        "class Long(Featurizer):\n    name = 'long'\n    also = ('k=2', 'k=x')\n"
        "    def __init__(self, k: int = 1):\n        self.k = k\n"
        "    def transform(self, sequences):\n        return sequences.lengths[:, None] + self.k\n"
    )
    registry = Registry([path], folder=tmp_path / "none")
    plan = plan_of(registry, small_task, models=("ridge",))
    assert {"long", "long[k=2]", "kmers[k=6]", "kmers[k=4]"} <= {featurizer for featurizer, _ in pairs(plan)}
    assert "k=x" in plan.broken["featurizer long[k=x]"] or "'x'" in plan.broken["featurizer long[k=x]"]
    named = plan_of(registry, small_task, featurizers=("long",), models=("ridge",))
    assert {featurizer for featurizer, _ in pairs(named)} == {"long"}


def test_what_a_featurizer_leaves_for_request_is_not_in_a_run_of_everything(tmp_path, small_task):
    path = tmp_path / "mine.py"
    path.write_text(
        "from bench import Featurizer\n"
        "class Slow(Featurizer):\n    name = 'slow'\n    on_request = ('xgboost',)\n"
        "    def transform(self, sequences):\n        return sequences.lengths[:, None] + 1\n"
    )
    registry = Registry([path], folder=tmp_path / "none")
    plan = plan_of(registry, small_task)
    assert ("slow", "ridge") in pairs(plan)
    assert ("slow", "xgboost") not in pairs(plan)
    assert "-f slow -m xgboost" in next(s.reason for s in plan.skipped if s.what.endswith("slow + xgboost"))
    assert ("combined[k=4,taxon=vertebrates]", "random-forest") not in pairs(plan)
    named = plan_of(registry, small_task, featurizers=("slow",), models=("xgboost",))
    assert pairs(named) == {("slow", "xgboost")}


def test_a_confounder_is_run_on_any_learner_when_asked_for(registry, small_task):
    plan = plan_of(registry, small_task, featurizers=("length",), models=("xgboost", "ridge"))
    assert pairs(plan) == {("length", "xgboost"), ("length", "ridge")}


def test_sweeps_and_repetitions(registry, small_task):
    plan = plan_of(registry, small_task, featurizers=("kmers[k=2..4]", "kmers[k=3]"), models=("ridge",))
    assert sorted(f for f, _ in pairs(plan)) == ["kmers[k=2]", "kmers[k=3]", "kmers[k=4]"]


def test_seeds_are_for_stochastic_models_only(registry, small_task):
    plan = plan_of(registry, small_task, featurizers=("gc",), models=("ridge", "xgboost"), seeds=3)
    seeds = {}
    for job in plan.jobs:
        seeds.setdefault(job.model.name, []).append(job.seed)
    assert seeds == {"ridge": [0], "xgboost": [0, 1, 2]}


def test_targets_are_learned_together_where_the_model_can(registry, tmp_path):
    task = write_small_task(tmp_path / "many", targets=3)
    plan = plan_of(registry, task, featurizers=("gc",), models=("ridge", "xgboost"))
    sizes = sorted((job.model.name, len(job.results)) for job in plan.jobs)
    assert sizes == [("ridge", 3), ("xgboost", 1), ("xgboost", 1), ("xgboost", 1)]


def test_quick_keeps_one_fold_under_another_name(registry, tmp_path):
    task = write_small_task(tmp_path / "large", rows=QUICK_ROWS * 2)
    [planned] = plan_of(registry, task, featurizers=("gc",), models=("ridge",), quick=True).tasks
    assert len(planned.folds) == 1
    assert (planned.folds.part == TRAIN).sum() <= QUICK_ROWS
    assert planned.folds.name.startswith("quick-")


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"featurizers": ("kmer",)}, r"unknown featurizer 'kmer'\. Did you mean 'kmers'\?"),
        ({"models": ("xgbost",)}, r"unknown model 'xgbost'\. Did you mean 'xgboost'\?"),
        ({"featurizers": ("kmers[q=3]",)}, r"kmers has no parameter 'q'\."),
        ({"featurizers": ("kmers[k=many]",)}, r"the 'k' parameter of kmers must be a whole number\. Got 'many'\."),
        ({"models": ("ridge[target=log]",)}, r"must be one of rank, raw"),
        ({"seeds": 0}, r"--seeds must be 1 or more"),
        ({"cache": "maybe"}, r"--cache must be reuse, refresh or only"),
        ({"split": "holdout[valid=chr99,test=chr1]"}, r"chr99"),
        ({"split": "nosplit"}, r"unknown split 'nosplit'"),
    ],
)
def test_wrong_calls_are_answered_with_what_is_right(registry, small_task, selection, message):
    with pytest.raises(BenchError, match=message):
        plan_of(registry, small_task, **selection)


def test_an_unknown_task_is_answered_with_the_nearest(registry):
    with pytest.raises(BenchError, match=r"unknown task 'klein202'\. Did you mean 'klein2020'\?"):
        plan_of(registry, "klein202")


def test_a_missing_task_file_is_named(registry):
    with pytest.raises(BenchError, match=r"mine\.toml: no such task file"):
        plan_of(registry, "mine.toml")


def test_absent_data_are_skipped_with_a_mend_or_refused_when_named(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)
    plan = make_plan(Selection(None, ("gc",), ("ridge",)), registry, Store(tmp_path / "out"))
    assert [planned.task.card.name for planned in plan.tasks] == ["fly-promoters", "planted"]
    assert any(skip.what == "klein2020" and "bench data fetch klein2020" in skip.reason for skip in plan.skipped)
    with pytest.raises(BenchError, match="bench data fetch klein2020"):
        plan_of(registry, "klein2020")


# ---- a broken component affects nothing else -------------------------------------------------------------------------
@pytest.fixture
def beside(tmp_path):
    """A registry with a plugin that needs a value, one whose library is missing, and one that is sound."""
    from bench.plugins.registry import Registry

    path = tmp_path / "mine.py"
    path.write_text(
        "from bench import Featurizer\n"
        "class Sound(Featurizer):\n    name = 'sound'\n"
        "    def transform(self, sequences):\n        return sequences.lengths[:, None]\n"
        "class Needs(Sound):\n    name = 'needs'\n    def __init__(self, k: int):\n        self.k = k\n"
        "class Lacks(Sound):\n    name = 'lacks'\n    libraries = ('no_such_library',)\n"
        "class Tuple(Sound):\n    name = 'tuple'\n    def __init__(self, k: tuple = ()):\n        self.k = k\n"
        "class Lost(Sound):\n    name = 'lost'\n    files = ('no/such/file',)\n"
    )
    return Registry([path], folder=tmp_path / "none")


def test_plugins_that_cannot_be_run_are_left_out_with_the_fix_and_refused_when_named(beside, small_task):
    plan = plan_of(beside, small_task, models=("ridge",))
    found = {featurizer for featurizer, _ in pairs(plan)}
    assert {"sound", "gc"} <= found
    assert not {"needs", "lacks", "tuple", "lost"} & found
    assert plan.unavailable == {"featurizer lacks": "no_such_library not installed (pip install no_such_library)"}
    assert "write needs[k=...]" in plan.broken["featurizer needs"]
    assert "cannot be written in a name" in plan.broken["featurizer tuple"]
    assert "its file no/such/file cannot be read" in plan.broken["featurizer lost"]
    for name, said, status in (
        ("needs", r"write needs\[k=\.\.\.\]", 2),
        ("lacks", "pip install no_such_library", 1),
        ("tuple", "'k' is of a type", 2),
        ("lost", "cannot be read", 2),
    ):
        with pytest.raises(BenchError, match=said) as caught:
            plan_of(beside, small_task, featurizers=(name,), models=("ridge",))
        assert caught.value.status == status


@pytest.mark.parametrize(("given", "seconds"), [("nan", 0.0), ("inf", 0.0), ("-inf", 0.0), ("1e300", 315_360_000.0)])
def test_an_estimate_that_is_no_number_of_seconds_orders_nothing(registry, given, seconds):
    from bench.fit.worker import Cost, model_cost

    made = registry.make("model", "ridge")
    odd = type("Odd", (made.cls,), {"estimate": classmethod(lambda cls, rows, columns: float(given))})
    cost = model_cost(dataclasses.replace(made, cls=odd), Cost((), "odd", 100, 60, 3, 4))
    assert cost.seconds == seconds


@pytest.mark.parametrize("given", ["nan", "inf", "-1", "text"])
def test_memory_that_is_no_number_of_bytes_is_refused_in_words(registry, given):
    from bench.fit.worker import Cost, model_cost

    made = registry.make("model", "ridge")
    value = given if given == "text" else float(given)
    odd = type("Odd", (made.cls,), {"memory": lambda self, rows, columns, item_bytes: value})
    with pytest.raises(BenchError, match="ridge: memory must give a number of bytes, 0 or more, or None"):
        model_cost(dataclasses.replace(made, cls=odd), Cost((), "odd", 100, 60, 3, 4))


def test_a_model_without_its_library_is_left_out(registry, small_task, monkeypatch):
    from bench.plugins import libraries

    monkeypatch.setitem(libraries._KNOWN, "xgboost", libraries.MISSING)
    plan = plan_of(registry, small_task, featurizers=("gc",))
    assert ("gc", "ridge") in pairs(plan)
    assert ("gc", "xgboost") not in pairs(plan)
    assert plan.unavailable["model xgboost"] == "xgboost not installed (pip install 'bench-gc[cpu]')"
    with pytest.raises(BenchError, match="xgboost: xgboost not installed"):
        plan_of(registry, small_task, featurizers=("gc",), models=("xgboost",))


@pytest.mark.parametrize(
    "raised", [KeyError("no such column"), BenchError("small.tsv.gz: cut short. Download it again.")]
)
def test_a_data_set_that_raises_is_left_out_and_refused_when_named(registry, tmp_path, monkeypatch, raised):
    from bench.datasets.planted import Planted

    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)

    def load(self, data_dir=None, *, download=False):
        raise raised

    monkeypatch.setattr(Planted, "load", load)
    plan = make_plan(Selection(None, ("gc",), ("ridge",)), registry, Store(tmp_path / "out"))
    assert [planned.name for planned in plan.tasks] == ["fly-promoters"]
    [reason] = [skip.reason for skip in plan.skipped if skip.task == "planted"]
    assert str(raised.args[0]) in reason
    with pytest.raises(BenchError, match=str(raised.args[0])):
        plan_of(registry, "planted", featurizers=("gc",), models=("ridge",))


def test_a_covariate_without_a_value_is_none(registry, small_task):
    table = small_task.with_suffix(".tsv")
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    for line in lines[1:]:
        line[5] = ""
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    plan = plan_of(registry, small_task, models=("gc-curve",))
    assert any(skip.featurizer == "dna-count" and "has no dna_count" in skip.reason for skip in plan.skipped)


def test_an_empty_count_in_the_first_rows_refuses_nothing(registry, small_task):
    table = small_task.with_suffix(".tsv")
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    lines[1][5] = lines[2][5] = ""
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    plan = plan_of(registry, small_task, featurizers=("dna-count",), models=("gc-curve",))
    assert [job.trouble for job in plan.jobs] == [None]
