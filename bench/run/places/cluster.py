"""Dask: run jobs on the workers of a scheduler that is there (``--scheduler``) or of a queueing system (``--cluster``).

A worker loads the task by name and fits the whole job; this process plans, and alone writes the store. Data folders,
task files and plugin files travel as absolute paths: every worker must see the same file system and the same packages
(another task or split than the plan's is an error). A worker fits one job at a time with all its threads
(``dask worker --nthreads 16``), third-party plugins in a child process of its own; jobs for a GPU go only to workers
started with ``--resources GPU=1``. Dask starts the job of a lost worker again elsewhere, three times at most.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.errors import BenchError, nearest
from bench.files.toml import validated
from bench.fit.fit import FitResult
from bench.fit.messages import (
    Done,
    Failed,
    JobFailed,
    MalformedMessage,
    Message,
    Said,
    checked_results,
    decode,
    encoded_answer,
)
from bench.fit.worker import WORKER, Fit, JobSpec, Prepare
from bench.run.job import Job
from bench.run.places.child import Child
from bench.run.places.place import Say

#: Queueing systems, the class of dask-jobqueue and what it calls the account that is charged.
QUEUES = {
    "slurm": ("SLURMCluster", "account"),
    "pbs": ("PBSCluster", "account"),
    "lsf": ("LSFCluster", "project"),
    "sge": ("SGECluster", "project"),
}
#: Seconds to wait for a scheduler that is named, and for its first worker.
CONNECT, FIRST_WORKER = 10, 60


class ClusterConfig(BaseModel):
    """A cluster's file (TOML). Each of ``jobs`` queue jobs is one worker of ``cores`` threads.

    ``gpu`` : each job has a GPU, which ``directives`` must ask for. ``directives`` : further lines for the queue
    (``["--gres=gpu:1"]``). ``prologue`` : shell lines before the worker starts (``["module load python"]``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    jobs: int = Field(ge=1)
    cores: int = Field(ge=1)
    memory: str
    walltime: str | None = None
    queue: str | None = None
    account: str | None = None
    interface: str | None = None
    gpu: bool = False
    directives: list[str] = []
    prologue: list[str] = []


class ClusterPlace:
    """One job at a time on whichever worker of the cluster is free."""

    #: True when one such place stands for all workers.
    alone: ClassVar[bool] = False

    def __init__(self, client: Any, threads: int | None, gpu: bool, timeout: float | None = None) -> None:
        self._client, self._threads, self._gpu, self._timeout = client, threads, gpu, timeout
        self._futures: list[Any] = []
        self._closed = False

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """``auto|cpu|cuda`` as for one machine; the GPUs are the workers'."""
        if asked == "cuda" and not self._gpu:
            raise BenchError("--device cuda: no worker has a GPU. Start some with --resources GPU=1, or use auto.")
        return "cuda" if self._gpu and asked != "cpu" and "cuda" in job.model.cls.devices else "cpu"

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job on a worker.

        Raises
        ------
        JobFailed : what the job raised. BenchError : when it took one worker after the other down with it.
        """
        from distributed import KilledWorker

        key = f"{job} {next(_NUMBER)} {os.getpid()}"
        wanted = {"GPU": 1} if spec.device == "cuda" else None
        call = (on_worker, Fit(spec), self._threads, self._timeout)
        future = self._client.submit(*call, key=key, pure=False, resources=wanted)
        self._futures = [future]
        try:
            if self._closed:
                self.close()
            reply = future.result()
        except KilledWorker as error:
            raise BenchError(
                f"the worker died each time it ran this, lastly {error.last_worker.address}. See the worker's log:"
                " memory is the usual reason.",
                status=1,
            ) from error
        finally:
            future.release()
            self._futures = []
        return checked_results(answer_of(reply), spec.targets)

    def close(self) -> None:
        """Give up the job in flight. A worker that has begun it ends it, and its result is dropped."""
        self._closed = True
        for future in self._futures:
            future.cancel()


_NUMBER = itertools.count()
_ONE_AT_A_TIME = threading.Lock()
#: The child of this worker for third-party plugins.
_CHILD = Child()
#: Set once a run has ended: the child is not kept for another job.
_LEAVE = threading.Event()


def on_worker(ask: Fit | Prepare, threads: int | None, timeout: float | None = None) -> bytes:
    """Answer what is asked on a worker, with its threads: what is built in here, third-party plugins and what has a
    time limit in a child. The answer is bytes, so that nobody on the way imports what a plugin defines."""
    _LEAVE.clear()
    with worker_alone() as all_threads:
        spec = dataclasses.replace(ask.spec, threads=threads or all_threads)
        ask = dataclasses.replace(ask, spec=spec)
        if not spec.outside and timeout is None:
            _CHILD.stop()
            return encoded_answer(WORKER.answer(0, ask))
        try:
            return encoded_answer(Done(0, _CHILD.ask(ask, spec.outside, timeout=timeout)))
        except JobFailed as failure:
            return encoded_answer(Failed(0, str(failure), failure.trace, failure.status, failure.fix))
        finally:
            if _LEAVE.is_set():
                _CHILD.stop()


def answer_of(reply: bytes) -> Any:
    """What a worker answered.

    Raises
    ------
    JobFailed : where what was asked failed there.
    """
    try:
        message: Message = decode(reply)
    except MalformedMessage as wrong:
        raise JobFailed(f"a worker sent what is no answer ({wrong})", "") from None
    if isinstance(message, Failed):
        raise message.error()
    return None if isinstance(message, Said) else message.answer


def end_child() -> None:
    """Leave no process behind on this worker, once a run has ended: at once, or after the job that it is at."""
    _LEAVE.set()
    if _ONE_AT_A_TIME.acquire(blocking=False):
        try:
            _CHILD.stop()
        finally:
            _ONE_AT_A_TIME.release()


@contextlib.contextmanager
def worker_alone() -> Iterator[int]:
    """The block has this worker to itself, whatever its threads are asked to do side by side; how many those are."""
    from distributed import get_worker

    with _ONE_AT_A_TIME:
        yield get_worker().state.nthreads


@contextlib.contextmanager
def scheduler_places(
    address: str, threads: int | None, kind: type[ClusterPlace] = ClusterPlace, timeout: float | None = None
) -> Iterator[list[ClusterPlace]]:
    """Places (of the class ``kind``) on the workers of a running Dask scheduler, ``tcp://host:port``; its workers are
    left running.

    Raises
    ------
    BenchError : where no scheduler answers or it has no worker.
    """
    with _client(address) as client:
        try:
            client.wait_for_workers(1, timeout=FIRST_WORKER)
        except TimeoutError:
            raise BenchError(f"--scheduler {address}: has no worker. Start some: dask worker {address}") from None
        resources = [worker["resources"] for worker in client.scheduler_info(n_workers=-1)["workers"].values()]
        gpus = sum(bool(each.get("GPU")) for each in resources)
        # Where only some have a GPU, jobs that wait for it must not keep the others idle.
        places = len(resources) * (2 if 0 < gpus < len(resources) else 1)
        try:
            yield [kind(client, threads, gpus > 0, timeout) for _ in range(1 if kind.alone else places)]
        finally:
            with contextlib.suppress(Exception):  # workers that are gone, or busy with what was given up
                client.run(end_child, on_error="ignore")


@contextlib.contextmanager
def queue_places(
    system: str,
    config: Path | None,
    threads: int | None,
    kind: type[ClusterPlace] = ClusterPlace,
    timeout: float | None = None,
) -> Iterator[list[ClusterPlace]]:
    """Places on workers submitted to a queueing system through dask-jobqueue, and ended with the run.

    Raises
    ------
    BenchError : for an unknown system, a missing package, and a configuration that is not one.
    """
    if system not in QUEUES:
        raise BenchError(f"--cluster: unknown queueing system {system!r}.{nearest(system, QUEUES)}")
    said = read_config(config)
    with queue_cluster(system, said) as cluster:
        cluster.scale(jobs=said.jobs)
        with _client(cluster) as client:
            if kind.alone:
                client.wait_for_workers(said.jobs)
            yield [kind(client, threads, said.gpu, timeout) for _ in range(1 if kind.alone else said.jobs)]


def queue_cluster(system: str, said: ClusterConfig, **more: Any) -> Any:
    """The dask-jobqueue cluster of a configuration, with no job submitted yet. ``more`` goes to it unchanged."""
    try:
        import dask_jobqueue
    except ImportError:
        raise BenchError(f"--cluster {system} needs dask-jobqueue: pip install 'bench-gc[cluster]'.") from None
    name, account = QUEUES[system]
    options: dict[str, Any] = {
        "cores": said.cores,
        "memory": said.memory,
        "processes": 1,
        "job_extra_directives": said.directives,
        "job_script_prologue": said.prologue,
        "worker_extra_args": ["--resources", "GPU=1"] if said.gpu else [],
    }
    chosen = {"walltime": said.walltime, "queue": said.queue, account: said.account, "interface": said.interface}
    options |= {key: value for key, value in chosen.items() if value is not None}
    try:
        return getattr(dask_jobqueue, name)(**options, **more)
    except (OSError, RuntimeError, ValueError) as error:
        raise BenchError(f"--cluster {system}: {error}") from error


def read_config(path: Path | None) -> ClusterConfig:
    """The configuration of a cluster.

    Raises
    ------
    BenchError : for a file that is missing, not TOML, or has unknown keys.
    """
    if path is None:
        raise BenchError(
            "--cluster needs --cluster-config FILE.toml, such as: jobs = 4, cores = 16, memory = '64GB' (a line each)."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BenchError(f"{path}: not a readable TOML file: {error}.") from None
    config: ClusterConfig = validated(ClusterConfig, content, str(path))
    return config


@contextlib.contextmanager
def _client(where: Any) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise BenchError("--scheduler and --cluster need Dask: pip install 'bench-gc[cluster]'.") from None
    try:
        client = Client(where, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BenchError(f"--scheduler {where}: no Dask scheduler answers there ({error}).") from None
    try:
        yield client
    finally:
        client.close()
