"""Estimates learned from finished fits, by a clock of their own; order, growing boards, stages, quick looks."""

import types

import numpy as np
import pytest
from calls import call
from rich.console import Console
from small_tasks import write_small_task

from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.growing import GrowingBoard
from bench.run.pace import Pace, earlier_fits
from bench.run.places.here import Here
from bench.run.plan import Selection, make_plan, step_of
from bench.run.progress import RunProgress
from bench.store.record import RunRecord, read_record
from bench.store.result import ResultId
from bench.store.stages import STAGES, Stages
from bench.store.store import Store

#: Seconds that a fold of a pair takes where the plan says one, on the simulated machine.
SPEEDS = {"ridge": 9.0, "lightgbm": 0.4, "xgboost": 0.7, "cnn": 12.0, "gc-curve": 3.0}


class Clock:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def job(task, featurizer, model, seed, seconds):
    result = ResultId(task, "y", "s", featurizer, model, seed)
    return types.SimpleNamespace(results=(result,), seconds=seconds, seed=seed)


def simulated(rng, folds):
    """A run of a plan whose seconds are off by a factor that follows the model, and by noise."""
    clock = Clock()
    jobs = [
        job(task, featurizer, model, seed, rows * columns)
        for task, rows in (("small", 1.0), ("large", 8.0))
        for featurizer, columns in (("gc", 0.05), ("kmers", 3.0), ("one-hot", 2.0))
        for model in SPEEDS
        for seed in range(3)
    ]
    progress = RunProgress(jobs, Console(quiet=True), clock=clock)
    for each in jobs:
        fold = (each.seconds * SPEEDS[each.results[0].model] * np.exp(rng.normal(0, 0.15)) + 0.3) / folds
        progress.start(each)
        for i in range(folds):
            progress.say(each, f"fold {i + 1}/{folds}")
            clock.now += fold * np.exp(rng.normal(0, 0.1))
        progress.finish(each, "", fold * folds)
    return progress


def within(pairs, factor):
    return np.mean([1 / factor <= thought / took <= factor for thought, took in pairs])


def test_estimates_are_right_within_a_factor_of_two():
    rng = np.random.default_rng(0)
    notes = [note for _ in range(5) for note in simulated(rng, 5).notes]
    assert within([(note.after_first_fold, note.took) for note in notes], 2) >= 0.98
    known = [note for note in notes if note.seed > 0 or note.task == "large"]  # something like it was fitted before
    assert within([(note.at_start, note.took) for note in known], 2) >= 0.9
    assert within([(note.planned, note.took) for note in notes], 2) < 0.5  # the plan alone was off


def test_what_is_left_falls_to_nothing_and_counts_the_folds_of_a_fit():
    clock = Clock()
    jobs = [job("t", "gc", "ridge", seed, 10.0) for seed in range(2)]
    progress = RunProgress(jobs, Console(quiet=True), clock=clock)
    progress.start(jobs[0])
    progress.say(jobs[0], "fold 1/4")
    clock.now = 30.0
    progress.say(jobs[0], "fold 2/4 epoch 3/9")
    assert progress.seconds_left() == pytest.approx(90 + 10.5)  # this fit by its first fold, the other by the plan
    progress.finish(jobs[0], "", 120.0)
    assert progress.seconds_left() == pytest.approx(120)
    progress.start(jobs[1])
    progress.finish(jobs[1], "", 120.0)
    assert progress.seconds_left() == 0
    assert progress.left() == ""


def test_one_small_first_fit_does_not_promise_days():
    jobs = [job("t", "gc", "gc-curve", 0, 0.01), job("t", "kmers", "cnn", 0, 60.0)]
    pace = Pace()
    pace.learn(jobs[0], 6.5)  # imports and compiling
    assert pace.estimate(jobs[1]) < 2 * 60.5


def test_a_job_of_another_run_teaches_nothing():
    jobs = [job("t", "gc", "ridge", seed, 10.0) for seed in range(2)]
    progress = RunProgress(jobs, Console(quiet=True), clock=Clock())
    progress.start(jobs[0])
    progress.finish(jobs[0], "fitted by another run", 0.0, fitted=False)
    assert progress.seconds_left() == pytest.approx(10.5)
    assert progress.notes == []


@pytest.mark.parametrize(("whole", "cost"), [(1000.0, 1.0), (1000.0, 8.0), (10_000.0, 40.0), (60.0, 5.0)])
def test_boards_on_the_way_take_a_small_part_of_the_run(whole, cost):
    clock, made = Clock(), []

    def make():
        made.append(clock.now)
        clock.now += cost

    board = GrowingBoard(make, lambda: whole - clock.now, clock)
    while clock.now < whole:
        board.grow()
        clock.now += 1.0
    # The first one's cost is not known before.
    assert len(made) * cost <= max(0.03 * whole, cost)
    assert len(made) >= (whole > 100)


@pytest.fixture
def plan(tmp_path):
    task = write_small_task(tmp_path / "data")
    registry, store = Registry(folder=tmp_path / "none"), Store(tmp_path / "out")
    selection = Selection((str(task),), ("length", "kmers[k=2]", "gc"), ("ridge", "mean"))
    return make_plan(selection, registry, store), registry, store


def test_gc_is_fitted_first_then_kmers_and_the_note_says_what_took_how_long(plan, tmp_path):
    jobs, shown, stages = plan[0].jobs, [], Stages()
    assert [step_of(each) for each in jobs] == sorted(step_of(each) for each in jobs)
    assert [each.results[0].featurizer for each in jobs if each.results[0].model == "ridge"] == [
        "gc",
        "kmers[k=2]",
        "length",
    ]
    run_plan(*plan, Console(quiet=True), board=lambda: shown.append(1), stages=stages)
    [path] = (tmp_path / "out/runs").iterdir()
    note = read_record(RunRecord, path).record
    assert [(fit.pair, fit.took >= 0) for fit in note.fits] == [
        (f"{each.results[0].featurizer} + {each.results[0].model}", True) for each in jobs
    ]
    assert set(note.stages) == set(STAGES)
    # A run is the time of its fits, whatever stage it is counted as.
    assert sum(note.stages.values()) == pytest.approx(sum(fit.took for fit in note.fits), abs=0.05)
    assert [fit.pair for fit in earlier_fits(tmp_path / "out/runs")] == [fit.pair for fit in note.fits]


def test_a_quick_look_ends_when_its_time_is_up(tmp_path, monkeypatch):
    task = write_small_task(tmp_path / "data")
    registry, store = Registry(folder=tmp_path / "none"), Store(tmp_path / "out")
    selection = Selection((str(task),), ("gc", "length", "kmers[k=2]"), ("ridge", "lightgbm"), quick=True)
    plan = make_plan(selection, registry, store)
    now = [0.0]
    monkeypatch.setattr("bench.run.queue.time", types.SimpleNamespace(perf_counter=lambda: now[0]))

    class Slow(Here):
        def fit(self, job, spec, say):
            now[0] += 6.0
            return super().fit(job, spec, say)

    outcome = run_plan(plan, registry, store, Console(quiet=True), places=[Slow(None)])
    assert 1 <= len(outcome.fitted) <= 2
    assert len(outcome.fitted) + outcome.beyond_look == plan.fits


def test_the_command_prints_the_stages(tmp_path):
    task = write_small_task(tmp_path / "data")
    words = ["run", "-t", str(task), "-f", "gc", "-m", "ridge", "--profile", "--out", str(tmp_path / "out")]
    status, said, _ = call(*words)
    assert status == 0
    assert all(stage in said for stage in STAGES)
    [path] = (tmp_path / "out/runs").iterdir()
    stages = read_record(RunRecord, path).record.stages
    assert min(stages["read"], stages["statistics"], stages["pictures"]) > 0
