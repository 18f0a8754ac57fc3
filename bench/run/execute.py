"""Run a plan: fit what is missing, store it, go on when a result fails.

A job runs in this process when its plugins are built in, in a child process when they are a stranger's or a time limit
is
set, and on the workers of a pool or a cluster when asked for. Wherever it runs, this process alone writes the store.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, get_args

from rich.console import Console

from bench.errors import BenchError
from bench.featurizer import Kind
from bench.fit.fit import FitResult, Workspace, fit_job
from bench.fit.worker import JobSpec
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads, resolve_device
from bench.run.memory import KEPT_BETWEEN_JOBS, Room, check_memory, fits, needed_bytes
from bench.run.places.child import Child, JobFailed, plain_reason
from bench.run.plan import Job, Plan
from bench.run.progress import RunProgress
from bench.store.predictions import PartName
from bench.store.record import Description, SkipRecord
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.load import PlannedTask, Selection

Say = Callable[[str], None]


class Lane(Protocol):
    """A place where one job at a time can run."""

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """Device (``auto|cpu|cuda`` was asked for) that the job will run on; an error where it cannot run here."""

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job to its end."""

    def close(self) -> None:
        """Let go of what the lane holds, at once."""


@dataclass(frozen=True)
class Options:
    """How to run: ``workers`` child processes side by side (0: this process, and one child for strangers' plugins)."""

    device: str = "auto"
    threads: int | None = None
    workers: int = 0
    timeout: float | None = None
    refresh: bool = False


@dataclass
class Outcome:
    """What became of a plan."""

    fitted: list[ResultId] = field(default_factory=list)
    shared: list[ResultId] = field(default_factory=list)
    failed: list[tuple[ResultId, str, Path]] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0


def local_device(asked: str, job: Job, free: int | None = None) -> Literal["cpu", "cuda"]:
    """Device of a job on this machine, which must have the memory for it (``free`` bytes, or what there is now)."""
    check_memory(job, free)
    return resolve_device(asked, job.model.cls.devices)


class HereLane:
    """This process for built-in plugins; a child of its own for a stranger's, or for every job under a time limit."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._workspace = Workspace()
        self._child = ChildLane(timeout)

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; what earlier jobs left for later ones is let go of where there is no room for this."""
        if not fits(job):
            self._workspace.let_go()
        return local_device(asked, job)

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        if self._timeout is not None or not job.built_in:
            return self._child.fit(job, spec, say)
        return fit_job(
            job.planned.task,
            job.planned.folds,
            job.featurizer,
            job.model,
            job.seed,
            job.targets,
            workspace=self._workspace,
            device=spec.device,
            threads=spec.threads,
            say=say,
        )

    def close(self) -> None:
        self._child.close()


class ChildLane:
    """A child process, one of several that share ``room``."""

    def __init__(self, timeout: float | None, room: Room | None = None) -> None:
        self._timeout = timeout
        self._room = room
        self._child = Child()
        self._closed = False

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; memory that the others use now is waited for."""
        return local_device(asked, job, None if self._room is None else self._room.free)

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        with nullcontext() if self._room is None else self._room.of(job, say):
            if self._closed:
                raise BenchError("stopped before it began.", status=1)
            try:
                return self._child.run(spec, timeout=self._timeout, say=say)
            finally:
                if self._room is not None and needed_bytes(job) > KEPT_BETWEEN_JOBS:
                    self._child.stop()  # features and matrices kept for its next job are room for another's

    def close(self) -> None:
        self._closed = True
        self._child.close()


def run_plan(
    plan: Plan,
    call: Selection,
    registry: Registry,
    store: Store,
    console: Console,
    options: Options | None = None,
    lanes: list[Lane] | None = None,
) -> Outcome:
    """Fit every job of a plan.

    A result that another run in the same folder is fitting is left for last and then waited for. Ctrl-C loses the jobs
    in flight and nothing else: what is finished is stored already. ``lanes`` replaces the local places (a cluster).
    """
    from bench.audit.duplicates import across_split

    options = options or Options()
    # With --cache only a task of which nothing was ever fitted leaves no trace.
    void = {result.task for result in plan.absent} - {result.task for result in plan.reused}
    for planned in plan.tasks:
        if planned.task.card.name in void:
            continue
        write_task_rows(planned, store)
        store.write_folds(planned.task.card.name, planned.folds, across_split(planned.task, planned.folds))
        if plan.open:
            mine = [skip for skip in plan.skipped if skip.task == planned.task.card.name]
            store.write_skipped(planned.task.card.name, [SkipRecord(**vars(skip), what=skip.what) for skip in mine])
    if lanes is None:
        room = Room()
        lanes = [ChildLane(options.timeout, room) for _ in range(options.workers)] or [HereLane(options.timeout)]
    began = time.perf_counter()
    with RunProgress(plan.results_to_fit, plan.seconds, console) as progress:
        work = _Work(plan, call, registry, store, progress, options, len(lanes))
        try:
            work.run(lanes)
        except KeyboardInterrupt:
            work.outcome.interrupted = True
        finally:
            work.stopped.set()
            for lane in lanes:
                lane.close()
    if work.trouble is not None:
        raise work.trouble
    work.outcome.seconds = time.perf_counter() - began
    return work.outcome


def write_task_rows(planned: PlannedTask, store: Store) -> None:
    """Keep in the store what a report needs of a task's rows."""
    from bench.kernels.gc import gc_fraction

    store.write_task(planned.task, gc_fraction(planned.task.sequences))


class _Work:
    """Jobs waiting, handed to lanes in order; a thread a lane when there are several."""

    def __init__(
        self,
        plan: Plan,
        call: Selection,
        registry: Registry,
        store: Store,
        progress: RunProgress,
        options: Options,
        lanes: int,
    ) -> None:
        self.call, self.registry, self.store, self.progress, self.options = call, registry, store, progress, options
        self.threads = options.threads or max(cpu_threads() // max(options.workers, 1), 1)
        self.queue = deque(plan.jobs)
        self.held_elsewhere: deque[Job] = deque()
        self.outcome = Outcome()
        self.stopped = threading.Event()
        self.trouble: BaseException | None = None
        self._mutex = threading.Lock()

    def run(self, lanes: list[Lane]) -> None:
        """Until nothing waits, or the run is stopped."""
        if len(lanes) == 1:
            self._serve(lanes[0])
            return
        threads = [threading.Thread(target=self._serve_safely, args=(lane,), daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)

    def _serve_safely(self, lane: Lane) -> None:
        try:
            self._serve(lane)
        except BaseException as error:
            with self._mutex:
                self.trouble = self.trouble or error
            self.stopped.set()

    def _serve(self, lane: Lane) -> None:
        while not self.stopped.is_set():
            with self._mutex:
                if self.queue:
                    job, wait = self.queue.popleft(), False
                elif self.held_elsewhere:
                    job, wait = self.held_elsewhere.popleft(), True
                else:
                    return
            if not self._run(job, lane, wait):
                with self._mutex:
                    self.held_elsewhere.append(job)

    def _run(self, job: Job, lane: Lane, wait: bool) -> bool:
        """False when another run holds the job's results and ``wait`` is off."""
        began = time.perf_counter()
        self.progress.start(str(job))
        with self.store.claim(job.results[0], wait=wait) as mine:
            if not mine:
                return False
            there = all(self.store.has(result, key) for result, key in zip(job.results, job.keys, strict=True))
            if there and not self.options.refresh:
                with self._mutex:
                    self.outcome.shared.extend(job.results)
                self.progress.finish(str(job), "fitted by another run", len(job.results), job.seconds, 0.0)
                return True
            try:
                device = lane.device(self.options.device, job)
                if job.trouble is not None:
                    raise job.trouble
                spec = JobSpec.of(
                    job.planned,
                    self.call,
                    self.registry,
                    featurizer=None if job.featurizer is None else job.featurizer.name,
                    model=job.model.name,
                    seed=job.seed,
                    targets=job.targets,
                    device=device,
                    threads=self.threads,
                )
                fits = lane.fit(job, spec, lambda line: self.progress.say(str(job), line))
            except (Exception, SystemExit) as error:
                if self.stopped.is_set():
                    return True
                self._note_failure(job, error)
                took = time.perf_counter() - began
                verdict = f"failed: {plain_reason(error)}"
                self.progress.finish(str(job), verdict, len(job.results), job.seconds, took, good=False)
                return True
            for result, key, fit in zip(job.results, job.keys, fits, strict=True):
                self.store.write_result(describe(job, result), key, fit.record, fit.predictions)
        with self._mutex:
            self.outcome.fitted.extend(job.results)
        took = time.perf_counter() - began
        self.progress.finish(str(job), verdict_of(fits), len(job.results), job.seconds, took)
        return True

    def _note_failure(self, job: Job, error: BaseException) -> None:
        trace = error.trace if isinstance(error, JobFailed) else "".join(traceback.format_exception(error))
        for result in job.results:
            log = self.store.write_failure(describe(job, result), plain_reason(error), trace)
            with self._mutex:
                self.outcome.failed.append((result, plain_reason(error), log))


def describe(job: Job, result: ResultId) -> Description:
    """What is known of a result before it is fitted. What a third-party plugin says of itself was not checked yet."""
    seen, learner = None if job.featurizer is None else job.featurizer.cls, job.model.cls
    return Description(
        task=result.task,
        target=result.target,
        split=result.split,
        task_digest=job.planned.task.digest,
        folds_digest=job.planned.folds.digest,
        featurizer=result.featurizer,
        model=result.model,
        role="null" if seen is None else "confounder" if seen.role == "confounder" else "sequence",
        gc_only=seen is not None and bool(seen.gc_only),
        kind=seen.kind if seen is not None and seen.kind in get_args(Kind) else "table",
        deep="table" not in learner.takes,
        seed=result.seed,
        stochastic=bool(learner.stochastic),
        joint=list(job.targets),
    )


def verdict_of(fits: list[FitResult]) -> str:
    """The scores of a finished job in a few words: means over folds, and over targets where there are several."""

    def mean(what: PartName) -> str:
        values = [v for fit in fits for v in fit.record.spearman[what] if v is not None]
        return f"{sum(values) / len(values):.3f}" if values else "n/a"

    return f"Spearman test {mean('test')}, valid {mean('valid')}"
