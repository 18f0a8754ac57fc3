"""Blends of stored predictions whose truth is planted."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.cli.main import app
from bench.errors import BenchError
from bench.run.blend import NAME, blend
from bench.store.external import score_predictions
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.load import PlannedTask, TaskSource
from bench.tasks.splits import Split
from bench.tasks.task import TEST, VALID
from bench.tasks.task_file import load_task_file


@pytest.fixture
def planned(tmp_path):
    path = write_small_task(tmp_path / "data", rows=1500)
    task = load_task_file(path)
    return PlannedTask(TaskSource(str(path)), task, make_folds(task))


def stored(planned, store, **members):
    """Score predictions, float (folds, n), of each member."""
    store.write_task(planned.task, planned.gc)
    for name, predicted in members.items():
        lines = ["id\tprediction\tfold"]
        for fold, part in enumerate(planned.folds.part):
            for row in np.flatnonzero((part == TEST) | (part == VALID)):
                lines.append(f"{planned.task.row_id[row]}\t{predicted[fold, row]}\t{fold + 1}")
        table = store.root.parent / f"{name}.tsv"
        table.write_text("\n".join(lines) + "\n")
        score_predictions(store, planned.task, planned.folds, "t0", table, name, featurizer="x")


def standard(values):
    return (values - values.mean()) / values.std()


def test_weights_are_those_that_least_squares_gives_and_the_blend_beats_its_members(planned, tmp_path):
    rng = np.random.default_rng(0)
    y = standard(planned.task.targets["t0"].value)
    a, b = (y + noise * rng.normal(size=(3, len(y))) for noise in (1.0, 1.5))
    junk = rng.normal(size=(3, len(y)))
    store = Store(tmp_path / "out")
    stored(planned, store, a=a, b=b, junk=junk)
    ((result, new),) = blend(planned, store, [("x", "a"), ("x", "b"), ("x", "junk")])
    assert new
    assert result.model == NAME
    record = store.record(result)
    weights = {name: np.mean([fold[0][name] for fold in record.history]) for name in ("x+a", "x+b", "x+junk")}
    # Independent noises of variances 1 and 2.25: precision weights, 2.25 to 1.
    assert weights["x+a"] / (weights["x+a"] + weights["x+b"]) == pytest.approx(2.25 / 3.25, abs=0.06)
    assert weights["x+junk"] < 0.05

    def score(name):
        found = store.record(ResultId(result.task, "t0", result.split, "x", name, 0))
        return np.mean(found.spearman["test"])

    assert np.mean(record.spearman["test"]) > max(score("a"), score("b")) + 0.03
    assert not blend(planned, store, [("x", "a"), ("x", "b"), ("x", "junk")])[0][1]


def test_a_member_that_remembers_the_loci_it_was_stopped_by_gains_no_weight(planned, tmp_path):
    """On validation rows of its own fold it is perfect, elsewhere it is noise."""
    rng = np.random.default_rng(1)
    y = standard(planned.task.targets["t0"].value)
    honest = y + rng.normal(size=(3, len(y)))
    stopped = np.where(planned.folds.part == VALID, y, rng.normal(size=(3, len(y))))
    store = Store(tmp_path / "out")
    stored(planned, store, honest=honest, stopped=stopped)
    ((result, _),) = blend(planned, store, [("x", "honest"), ("x", "stopped")])
    for fold in store.record(result).history:
        assert fold[0]["x+stopped"] < 0.25 * fold[0]["x+honest"]


def test_with_one_fold_the_members_weigh_the_same(planned, tmp_path):
    folds = make_folds(planned.task, Split.parse("holdout[valid=chr5,test=chr6]"))
    one = PlannedTask(planned.source, planned.task, folds)
    rng = np.random.default_rng(2)
    y = standard(one.task.targets["t0"].value)
    a, b = (y + noise * rng.normal(size=(1, len(y))) for noise in (0.5, 3))
    store = Store(tmp_path / "out")
    stored(one, store, a=a, b=b)
    ((result, _),) = blend(one, store, [("x", "a"), ("x", "b")])
    assert store.record(result).history == [[{"x+a": 0.5, "x+b": 0.5}]]
    test = one.folds.part[0] == TEST
    assert store.record(result).spearman["test"][0] == pytest.approx(
        spearmanr((a + b)[0, test], one.task.targets["t0"].value[test]).statistic, abs=1e-4
    )


def test_members_that_are_not_there_are_named(planned, tmp_path):
    store = Store(tmp_path / "out")
    stored(planned, store, a=np.random.default_rng(3).normal(size=(3, 1500)))
    with pytest.raises(BenchError, match=r"no result of x \+ b in .* Run it first"):
        blend(planned, store, [("x", "a"), ("x", "b")])
    with pytest.raises(BenchError, match="two different pairs"):
        blend(planned, store, [("x", "a"), ("x", "a")])


def test_command_line(planned, tmp_path):
    task, out = planned.source.name, str(tmp_path / "out")
    runner = CliRunner()
    alone = runner.invoke(app, ["blend", task, "-p", "gc + ridge", "-p", "kmers + ridge", "-o", out])
    assert "no result of gc + ridge" in str(alone.exception)
    assert (
        runner.invoke(app, ["run", "-t", task, "-f", "gc", "-f", "kmers[k=2]", "-m", "ridge", "-o", out]).exit_code == 0
    )
    call = ["blend", task, "-p", "gc + ridge", "-p", "kmers[k=2] + ridge", "-o", out]
    done = runner.invoke(app, call)
    assert done.exit_code == 0, done.output
    assert "Weights: fold 1 gc+ridge" in done.output
    assert "gc+ridge &#124; kmers" in (tmp_path / "out/leaderboard.md").read_text()
    assert "reused" in runner.invoke(app, call).output


def test_names_as_typed_find_results_under_their_full_names(planned, tmp_path):
    """k is always shown on the board, and nobody types it."""
    task, out = planned.source.name, str(tmp_path / "out")
    runner = CliRunner()
    assert runner.invoke(app, ["run", "-t", task, "-f", "gc", "-f", "kmers", "-m", "ridge", "-o", out]).exit_code == 0
    done = runner.invoke(app, ["blend", task, "-p", "gc + ridge", "-p", "kmers + ridge", "-o", out])
    assert done.exit_code == 0, done.output
    assert "kmers[k=6]+ridge" in done.output
