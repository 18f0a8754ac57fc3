"""Dask: a cluster of three workers gives the predictions of a serial run, also when one of them is killed half-way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import Console
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.places import cluster
from bench.run.places.cluster import ClusterPlace, queue_places, read_config, scheduler_places
from bench.run.plan import Selection, make_plan
from bench.run.queue import Options, Outcome
from bench.store.store import Store

distributed = pytest.importorskip("distributed")

#: A model that hangs the first time it is fitted anywhere, until its process is killed.
HANGS_ONCE = """
import os, time
from pathlib import Path
import numpy as np
from bench.model import Model

class HangsOnce(Model):
    name = "hangs-once"
    stochastic = False

    def __init__(self, flag: str = "") -> None:
        self.flag = flag

    def fit(self, train, valid, setting):
        flag = Path(self.flag)
        if not flag.exists():
            partial = flag.with_suffix(".partial")
            partial.write_text(str(os.getpid()))
            partial.rename(flag)
            time.sleep(60)
        self.mean_ = float(train.y.mean())

    def predict(self, x):
        return x.table()[:, 0] - self.mean_
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with three single-threaded worker processes that claim to have a GPU each."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=":0", resources={"GPU": 1}) as local:
        yield local.scheduler_address


def run(
    selection: Selection, out: Path, places: Any = None, plugins: tuple[Path, ...] = (), device: str = "cpu"
) -> tuple[Store, Outcome]:
    registry, store = Registry(plugins), Store(out)
    plan = make_plan(selection, registry, store)
    console = Console(file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        return store, run_plan(plan, registry, store, console, Options(device, threads=1), places)


def worker_of(process: int) -> int:
    """The worker of the cluster in whose child a third-party plugin runs: above it and the child's guard."""
    return psutil.Process(process).parent().ppid()


def contents(store: Store) -> dict[str, tuple[dict[str, Any], bytes]]:
    """Every result: its record apart from times, and the bytes of its predictions."""
    return {
        str(folder.relative_to(store.root)): (
            {key: value for key, value in record.model_dump().items() if key not in ("seconds", "finished")},
            (folder / "predictions.parquet").read_bytes(),
        )
        for folder, record in store.records()
    }


def test_three_workers_give_the_serial_board(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data", targets=2))
    selection = Selection((task,), ("gc", "kmers[k=2]"), ("mean", "ridge"))
    serial, _ = run(selection, tmp_path / "serial")
    with scheduler_places(address, threads=1) as places:
        assert len(places) == 3
        spread, outcome = run(selection, tmp_path / "spread", places)
    assert not outcome.failed
    assert len(contents(serial)) == len(outcome.fitted) == 6
    assert contents(spread) == contents(serial)
    assert (tmp_path / "spread/small/rows.parquet").read_bytes() == (
        tmp_path / "serial/small/rows.parquet"
    ).read_bytes()


def test_a_killed_worker_changes_nothing(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "hangs.py"
    plugin.write_text(HANGS_ONCE)
    flag = tmp_path / "flag"
    hangs = f"hangs-once[flag={flag}]"
    selection = Selection((task,), ("gc",), (hangs, "ridge", "mean"))

    killed: list[int] = []

    def kill() -> None:
        limit = time.monotonic() + 300
        while not flag.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        killed.append(worker_of(int(flag.read_text())))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    with scheduler_places(address, threads=1) as places:
        killer.start()
        spread, outcome = run(selection, tmp_path / "spread", places, (plugin,))
        killer.join()
    assert killed
    assert not outcome.failed
    serial, _ = run(selection, tmp_path / "serial", plugins=(plugin,))  # the flag is there: it does not hang
    assert contents(spread) == contents(serial)


def test_ctrl_c_gives_up_the_jobs_in_flight(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "hangs.py"
    plugin.write_text(HANGS_ONCE.replace("time.sleep(60)", "time.sleep(8)"))
    flag = tmp_path / "flag"
    selection = Selection((task,), ("gc",), (f"hangs-once[flag={flag}]",))

    def interrupt() -> None:
        while not flag.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    killer = threading.Thread(target=interrupt)
    with scheduler_places(address, threads=1) as places:
        killer.start()
        store, outcome = run(selection, tmp_path / "out", places, (plugin,))
        killer.join()
    assert outcome.interrupted
    assert not outcome.failed
    assert contents(store) == {}
    # The workers are still there for the next run.
    with scheduler_places(address, threads=1) as places:
        store, outcome = run(selection, tmp_path / "out", places, (plugin,))
    assert len(outcome.fitted) == 1


def test_a_failing_job_is_reported_with_its_reason(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "fails.py"
    plugin.write_text(HANGS_ONCE.replace("flag = Path(self.flag)", "raise ValueError('no such luck')"))
    selection = Selection((task,), ("gc",), ("hangs-once", "mean"))
    with scheduler_places(address, threads=1) as places:
        _, outcome = run(selection, tmp_path / "out", places, (plugin,))
    assert [reason for _, reason, _ in outcome.failed] == ["ValueError: no such luck"]
    assert "no such luck" in outcome.failed[0][2].read_text()
    assert [result.model for result in outcome.fitted] == ["mean"]


def test_jobs_for_a_gpu_go_to_workers_that_have_one(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "device.py"
    plugin.write_text(
        HANGS_ONCE.replace("stochastic = False", "stochastic, devices = False, ('cpu', 'cuda')").replace(
            "flag = Path(self.flag)", "self.device_used = setting.device; self.mean_ = 0.0; return"
        )
    )
    selection = Selection((task,), ("gc",), ("hangs-once", "mean"))
    with scheduler_places(address, threads=None) as places:
        store, outcome = run(selection, tmp_path / "out", places, (plugin,), device="auto")
    assert not outcome.failed
    assert {record.model: record.device for _, record in store.records()} == {"hangs-once": "cuda", "mean": "cpu"}
    plan = make_plan(selection, Registry((plugin,)), Store(tmp_path / "empty"))
    [job] = [job for job in plan.jobs if job.model.cls.name == "hangs-once"]
    without = ClusterPlace(None, None, gpu=False)
    assert without.device("auto", job) == "cpu"
    with pytest.raises(BenchError, match="no worker has a GPU"):
        without.device("cuda", job)


def test_no_scheduler_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    with pytest.raises(BenchError, match="no Dask scheduler answers"), scheduler_places("tcp://127.0.0.1:9", None):
        pass


def test_configuration_of_a_queue(tmp_path: Path) -> None:
    path = tmp_path / "slurm.toml"
    path.write_text("jobs = 3\ncores = 8\nmemory = '32GB'\ngpu = true\ndirectives = ['--gres=gpu:1']\n")
    assert read_config(path).jobs == 3
    path.write_text("jobs = 3\ncores = 8\nmemry = '32GB'\n")
    with pytest.raises(BenchError, match=r"memry.*Did you mean 'memory'"):
        read_config(path)
    path.write_text("jobs = 0\ncores = 8\nmemory = '32GB'\n")
    with pytest.raises(BenchError, match="jobs"):
        read_config(path)
    with pytest.raises(BenchError, match="unknown queueing system 'slrum'"):
        queue_places("slrum", path, None).__enter__()
    with pytest.raises(BenchError, match="--cluster-config"):
        queue_places("slurm", None, None).__enter__()


@pytest.mark.parametrize("kind", list(cluster.QUEUES))
def test_the_job_script_says_what_the_configuration_does(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue")
    path = tmp_path / "queue.toml"
    path.write_text(
        "jobs = 1\ncores = 8\nmemory = '32GB'\naccount = 'lab'\nwalltime = '01:00'\nqueue = 'long'\ngpu = true\n"
        "directives = ['one-gpu']\nprologue = ['module load python']\n"
    )
    with cluster.queue_cluster(kind, read_config(path), scheduler_options={"dashboard_address": ":0"}) as queue:
        script = queue.job_script()
    for said in ("lab", "long", "01:00", "one-gpu", "module load python", "--nthreads 8", "--resources GPU=1"):
        assert said in script
