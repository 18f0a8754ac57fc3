"""Networks are fitted beside other jobs, in a process of their own, where that fills processors that idle."""

from __future__ import annotations

import os
from typing import ClassVar

import numpy as np
import pytest
from rich.console import Console
from small_tasks import write_small_task

import bench.run.execute as execute
from bench.models.ridge import Ridge
from bench.plugins.registry import Registry
from bench.run.plan import Selection, make_plan
from bench.run.queue import Options, Queue
from bench.store.store import Store


@pytest.fixture
def half(monkeypatch):
    """Ridge as a model that leaves half of the processors idle, and two processors."""
    monkeypatch.setattr(Ridge, "half_processors", True)
    monkeypatch.setattr(execute, "WORTH_A_CHILD", 0.0)
    monkeypatch.setattr("bench.run.execute.cpu_threads", lambda: 2)
    monkeypatch.setattr("bench.run.queue.cpu_threads", lambda: 2)


def planned(folder, models=("ridge", "lightgbm"), **more):
    path = write_small_task(folder / "data", targets=2)
    registry, store = Registry((), dropped=False), Store(folder / "out")
    return make_plan(Selection((str(path),), ("gc", "kmers[k=3]"), models, **more), registry, store), registry, store


class Seen:
    """Which process fitted each job, and with how many threads."""

    by: ClassVar[dict[str, tuple[str, int]]] = {}

    @classmethod
    def watch(cls, monkeypatch):
        cls.by = {}
        own = Queue._fit

        def fit(queue, job, place):
            fits = own(queue, job, place)
            cls.by[str(job)] = (type(place).__name__, fits[0].record.threads)
            return fits

        monkeypatch.setattr(Queue, "_fit", fit)
        return cls


def test_results_are_those_of_one_process_and_both_are_at_work(tmp_path, half, monkeypatch):
    seen = Seen.watch(monkeypatch)
    plan, registry, store = planned(tmp_path / "a")
    outcome = execute.run_plan(plan, registry, store, Console(quiet=True))
    assert not outcome.failed
    assert len(outcome.fitted) == 8
    places = {name: place for name, (place, _) in seen.by.items()}
    assert any(place == "ChildPlace" for place in places.values())
    assert all(place == "Here" for name, place in places.items() if "lightgbm" in name)
    threads = {name: count for name, (_, count) in seen.by.items()}
    assert {count for name, count in threads.items() if "ridge" in name} == {2}
    assert min(count for name, count in threads.items() if "lightgbm" in name) == 1
    # The same in this process alone.
    monkeypatch.setattr(Ridge, "half_processors", False)
    plan, registry, alone = planned(tmp_path / "b")
    assert not execute.worth_a_child(plan, Options())
    execute.run_plan(plan, registry, alone, Console(quiet=True))
    for result in outcome.fitted:
        a, b = store.predictions(result), alone.predictions(result)
        np.testing.assert_array_equal(a.prediction, b.prediction, str(result))


def test_alone_where_there_is_nothing_to_put_beside(tmp_path, half, monkeypatch):
    plan, *_ = planned(tmp_path)
    assert execute.worth_a_child(plan, Options())
    for options in (Options(workers=2), Options(threads=2), Options(device="cuda")):
        monkeypatch.setattr(execute, "cuda_devices", lambda: ("a card",))
        assert not execute.worth_a_child(plan, options)
    monkeypatch.setattr(execute, "cuda_devices", tuple)
    monkeypatch.setattr(execute, "WORTH_A_CHILD", 1e9)
    assert not execute.worth_a_child(plan, Options())
    monkeypatch.setattr(execute, "WORTH_A_CHILD", 0.0)
    plan.jobs = plan.jobs[:1]
    assert not execute.worth_a_child(plan, Options()), "one job alone"


def test_only_networks_are_shared_out_over_both(tmp_path, half, monkeypatch):
    seen = Seen.watch(monkeypatch)
    plan, registry, store = planned(tmp_path, models=("ridge",))
    outcome = execute.run_plan(plan, registry, store, Console(quiet=True))
    assert len(outcome.fitted) == 4
    assert {place for place, _ in seen.by.values()} <= {"Here", "ChildPlace"}
    assert "Here" in {place for place, _ in seen.by.values()}


def test_a_job_that_fails_beside_stops_no_other(tmp_path, half, monkeypatch):
    plan, registry, store = planned(tmp_path)
    from bench.run.places.child import ChildPlace

    def fails(self, job, spec, say):
        raise ValueError("beside")

    monkeypatch.setattr(ChildPlace, "fit", fails)
    outcome = execute.run_plan(plan, registry, store, Console(quiet=True))
    assert len(outcome.failed) + len(outcome.fitted) == 8
    assert {reason for _, reason, _ in outcome.failed} <= {"ValueError: beside"}
    assert sum("lightgbm" in str(result) for result in outcome.fitted) == 4


def test_a_folder_that_cannot_be_written_ends_both(tmp_path, half, monkeypatch):
    plan, registry, store = planned(tmp_path)
    own = Store.write_result

    def full(self, about, key, record, predictions):
        if "ridge" in about.model:
            raise OSError(28, os.strerror(28))
        return own(self, about, key, record, predictions)

    monkeypatch.setattr(Store, "write_result", full)
    with pytest.raises(OSError, match=os.strerror(28)):
        execute.run_plan(plan, registry, store, Console(quiet=True))


def test_a_plugin_may_say_that_it_leaves_half_of_the_processors_idle(tmp_path):
    from bench.run.queue import half_idle

    (tmp_path / "mine.py").write_text(
        "from bench import Model\nclass Mine(Model):\n    name = 'mine'\n    half_processors = True\n"
        "    def fit(self, train, valid, setting):\n        pass\n"
    )
    registry = Registry([tmp_path / "mine.py"], folder=tmp_path / "none")
    path = write_small_task(tmp_path / "data")
    plan = make_plan(Selection((str(path),), ("gc",), ("mine", "ridge")), registry, Store(tmp_path / "out"))
    assert {str(job.model.name): half_idle(job) for job in plan.jobs} == {"mine": True, "ridge": False}


def test_two_side_by_side_take_half_of_the_time_that_is_told(tmp_path):
    from bench.run.progress import RunProgress

    plan, *_ = planned(tmp_path)
    progress = RunProgress(plan.jobs, Console(quiet=True), clock=lambda: 0.0)
    alone = progress.seconds_left()
    progress.start(plan.jobs[0])
    progress.start(plan.jobs[1])
    from bench.run.progress import in_words

    assert progress.left() == f"about {in_words(alone / 2)} left"


def test_this_process_waits_for_the_memory_of_the_one_beside(tmp_path, monkeypatch):
    """A job that fits alone is not refused because the other holds memory now."""
    from bench.run.memory import MemoryBudget
    from bench.run.places import here as module
    from bench.run.places.here import Here

    plan, *_ = planned(tmp_path)
    budget = MemoryBudget()
    budget.free = 8 << 30
    monkeypatch.setattr(module, "available_bytes", lambda: 1 << 20)
    assert Here(None, budget).device("cpu", plan.jobs[0]) == "cpu"
