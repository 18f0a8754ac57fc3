"""What memory there is: of the machine, or less where a container or a queueing system sets a limit."""

import itertools
import re
import threading
from types import SimpleNamespace

import pytest
from rich.console import Console
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run import memory
from bench.run.execute import run_plan
from bench.run.memory import MemoryBudget, available_bytes, needed_bytes
from bench.run.places.here import Here
from bench.run.plan import Selection, make_plan
from bench.run.queue import Options
from bench.store.store import Store

GIB = 1 << 30


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(text))


def machine(root, cgroup):
    write(root, {"proc/meminfo": f"MemTotal: {64 << 20} kB\nMemAvailable: {32 << 20} kB\n", "proc/self/cgroup": cgroup})


def test_without_limits_it_is_the_machines(tmp_path):
    machine(tmp_path, "0::/user/me\n")
    write(tmp_path / "sys/fs/cgroup/user/me", {"memory.max": "max\n", "memory.current": 5})
    assert available_bytes(tmp_path) == 32 * GIB
    assert available_bytes(tmp_path / "elsewhere") is None


@pytest.mark.parametrize("place", ["sys/fs/cgroup", "sys/fs/cgroup/job", "sys/fs/cgroup/job/step"])
def test_a_limit_anywhere_above_holds(tmp_path, place):
    machine(tmp_path, "0::/job/step\n")
    said = {"memory.max": 4 * GIB, "memory.current": 3 * GIB, "memory.stat": f"anon {GIB}\ninactive_file {GIB}\n"}
    write(tmp_path / place, said)
    assert available_bytes(tmp_path) == 2 * GIB  # a cached file gives way


def test_limits_of_the_older_kind(tmp_path):
    machine(tmp_path, "9:cpu:/x\n4:memory:/job\n")
    home = tmp_path / "sys/fs/cgroup/memory"
    write(home, {"memory.limit_in_bytes": 2**63 - 4096, "memory.usage_in_bytes": 9 * GIB})
    write(home / "job", {"memory.limit_in_bytes": 8 * GIB, "memory.usage_in_bytes": 7 * GIB})
    assert available_bytes(tmp_path) == GIB


def test_a_container_that_does_not_see_its_own_path(tmp_path):
    machine(tmp_path, "4:memory:/docker/abc\n")
    write(tmp_path / "sys/fs/cgroup/memory", {"memory.limit_in_bytes": 3 * GIB, "memory.usage_in_bytes": 4 * GIB})
    assert available_bytes(tmp_path) == 0


def test_a_job_that_would_not_fit_is_refused_in_words_and_the_others_run(tmp_path, small_task, monkeypatch):
    asked = Selection((str(small_task),), ("gc", "kmers[k=7,exact=true]"), ("ridge",))
    registry, store = Registry(folder=tmp_path), Store(tmp_path / "out")
    plan = make_plan(asked, registry, store)
    needs = {job.featurizer.name: needed_bytes(job) for job in plan.jobs}
    assert needs["kmers[k=7,exact=true]"] > needs["gc"] + len(plan.tasks[0].task) * 4**7
    monkeypatch.setattr("bench.run.memory.available_bytes", lambda: needs["gc"] + 1)
    outcome = run_plan(plan, registry, store, Console(quiet=True))
    assert [result.featurizer for result in outcome.fitted] == ["gc"]
    [(result, reason, log)] = outcome.failed
    assert result.featurizer == "kmers[k=7,exact=true]"
    assert re.fullmatch(r"needs about \d\.\d GiB of memory, \d\.\d GiB are free\. Choose fewer features .*", reason)
    assert log.is_file()


def test_what_earlier_jobs_left_is_let_go_of_where_there_is_no_room(monkeypatch):
    place = Here(None)
    kept = place._worker.workspace
    kept.folds["fold 0"] = {"matrix": object()}
    job = SimpleNamespace(model=SimpleNamespace(cls=SimpleNamespace(devices=("cpu",))), built_in=True)
    monkeypatch.setattr(memory, "needed_bytes", lambda job: 8 * GIB)
    monkeypatch.setattr(memory, "available_bytes", lambda: 16 * GIB)
    assert place.device("cpu", job) == "cpu"
    assert kept.folds
    monkeypatch.setattr(memory, "available_bytes", lambda: (4 if kept.folds else 12) * GIB)
    assert place.device("cpu", job) == "cpu"
    assert not kept.folds
    monkeypatch.setattr(memory, "available_bytes", lambda: 4 * GIB)
    with pytest.raises(BenchError, match=r"8.0 GiB of memory, 4.0 GiB are free"):
        place.device("cpu", job)


def test_jobs_side_by_side_wait_for_each_others_memory(monkeypatch):
    monkeypatch.setattr(memory, "needed_bytes", lambda job: job)
    monkeypatch.setattr(memory, "available_bytes", lambda: 10)
    budget, said, began, end = MemoryBudget(), [], threading.Event(), threading.Event()

    def second():
        with budget.reserved(6, said.append):
            began.set()
            end.wait(30)

    thread = threading.Thread(target=second)
    with budget.reserved(6, said.append):
        thread.start()
        with budget.reserved(4, said.append):  # fits beside the first
            assert not began.wait(0.3)
        assert not began.wait(0.3)
        assert said == ["waits for memory"]
    assert began.wait(30)
    end.set()
    thread.join()
    with budget.reserved(20, said.append):  # alone, whatever it needs
        pass
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    unknown = MemoryBudget()
    with unknown.reserved(20, said.append), unknown.reserved(20, said.append):
        pass


#: Waits until so many are being fitted and notes from when to when it was.
NOTES = """
import time
from pathlib import Path
from bench.model import Model

class Notes(Model):
    name = "notes"

    def __init__(self, folder: str = "", together: int = 1) -> None:
        self.folder, self.together = folder, together

    def fit(self, train, valid, setting):
        began, folder = time.monotonic(), Path(self.folder)
        (folder / f"began-{setting.seed}").touch()
        while len(list(folder.glob("began-*"))) < self.together and time.monotonic() < began + 300:
            time.sleep(0.05)
        time.sleep(0.2)
        (folder / str(setting.seed)).write_text(f"{began} {time.monotonic()}")

    def predict(self, x):
        return x.table()[:, 0]
"""


@pytest.mark.parametrize("jobs", [1, 3])
def test_as_many_jobs_run_side_by_side_as_there_is_memory_for(tmp_path, monkeypatch, jobs):
    (tmp_path / "notes.py").write_text(NOTES)
    task = write_small_task(tmp_path, rows=60)
    task.write_text(task.read_text().replace("chromosome-kfold[k=3]", "holdout[valid=chr1,test=chr2]"))
    asked = Selection((str(task),), ("gc",), (f"notes[folder={tmp_path},together={jobs}]",), seeds=3)
    registry, store = Registry((tmp_path / "notes.py",), folder=tmp_path), Store(tmp_path / "out")
    plan = make_plan(asked, registry, store)
    most = max(needed_bytes(job) for job in plan.jobs)
    monkeypatch.setattr(memory, "available_bytes", lambda: jobs * most)
    outcome = run_plan(plan, registry, store, Console(quiet=True), Options(workers=3, threads=1))
    assert len(outcome.fitted) == 3
    times = sorted(tuple(map(float, (tmp_path / str(seed)).read_text().split())) for seed in range(3))
    apart = all(ends <= begins for (_, ends), (begins, _) in itertools.pairwise(times))
    assert apart == (jobs == 1)
