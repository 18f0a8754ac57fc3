"""The queue of a run: jobs waiting, handed to places in order; what is fitted is stored, a fit that fails does not stop
the others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from bench.errors import BenchError
from bench.featurizer import Kind
from bench.fit.fit import FitResult
from bench.fit.messages import JobFailed, plain_reason, trace_of
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads
from bench.run.growing import GrowingBoard
from bench.run.job import Job
from bench.run.note import RunNote
from bench.run.places.place import Place
from bench.run.plan import QUICK_SECONDS, Plan, has_result, step_of
from bench.run.progress import RunProgress
from bench.stats.ranks import mean_of_scores
from bench.store.predictions import PartName
from bench.store.record import Description
from bench.store.result import NO_FEATURES, ResultId
from bench.store.stages import Stages
from bench.store.store import Store
from bench.tasks.digest import content_of


@dataclass(frozen=True)
class Options:
    """How to run: ``workers`` child processes side by side (0: this process, one child for third-party plugins, and one
    for models that leave half of the processors idle); ``timeout`` in seconds for one job."""

    device: str = "auto"
    threads: int | None = None
    workers: int = 0
    timeout: float | None = None


@dataclass
class Outcome:
    """What became of a plan. ``shared`` : fitted by another run meanwhile. ``beyond_look`` : fits that a quick look had
    no time for. ``note`` : on the call; None where it was never written."""

    fitted: list[ResultId] = field(default_factory=list)
    shared: list[ResultId] = field(default_factory=list)
    failed: list[tuple[ResultId, str, Path]] = field(default_factory=list)
    beyond_look: int = 0
    interrupted: bool = False
    seconds: float = 0.0
    note: RunNote | None = None


class Queue:
    """Jobs waiting, handed to places in order; a thread for each place when there are several."""

    def __init__(
        self,
        plan: Plan,
        registry: Registry,
        store: Store,
        progress: RunProgress,
        options: Options,
        stages: Stages,
        growing: GrowingBoard | None,
    ) -> None:
        self.registry, self.store, self.progress, self.device = registry, store, progress, options.device
        self.stages, self.growing = stages, growing
        self.look = QUICK_SECONDS if plan.selection.quick else None
        self.spent: dict[str, float] = defaultdict(float)
        self.refresh = plan.selection.cache == "refresh"
        self.threads = options.threads or max(cpu_threads() // max(options.workers, 1), 1)
        self.beside: Place | None = None
        self.waiting = deque(plan.jobs)
        self.held_elsewhere: deque[Job] = deque()
        self.outcome = Outcome()
        self.stopped = threading.Event()
        self.trouble: BaseException | None = None
        self._mutex = threading.Lock()
        self._begun: list[Job] = []
        self._running: dict[int, Job] = {}
        self._noted: set[ResultId] = set()

    def settle(self) -> None:
        """After an interruption: count what is stored of the jobs that were begun. It may have come between the
        writing of a result and the note of it, and only the store knows."""
        if self.refresh:
            return  # an older result may lie under the same key
        known = self._noted | set(self.outcome.shared)
        for job in self._begun:
            pairs = [pair for pair in zip(job.results, job.keys, strict=True) if pair[0] not in known]
            self._note_fitted([result for result, key in pairs if has_result(self.store, result, key, job.keep)])

    def _note_fitted(self, results: Sequence[ResultId]) -> None:
        with self._mutex:
            self.outcome.fitted.extend(result for result in results if result not in self._noted)
            self._noted.update(results)

    def run(self, places: list[Place], *, beside: bool = False) -> None:
        """Until nothing waits, or the run is stopped.

        Parameters
        ----------
        beside : ``places`` are this process and one next to it, for jobs that leave half of the processors idle.
        """
        self.beside = places[1] if beside else None
        alone = beside or len(places) == 1
        others = places[1:] if alone else places
        threads = [threading.Thread(target=self._serve_safely, args=(place,), daemon=True) for place in others]
        for thread in threads:
            thread.start()
        if alone:  # in the main thread, which is the one that Ctrl-C reaches
            self._serve(places[0])
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)

    def _serve_safely(self, place: Place) -> None:
        try:
            self._serve(place)
        except BaseException as error:
            with self._mutex:
                self.trouble = self.trouble or error
            self.stopped.set()

    def _serve(self, place: Place) -> None:
        while not self.stopped.is_set():
            with self._mutex:
                job = self._next(place)
                wait = job is None and place is not self.beside and bool(self.held_elsewhere)
                job = self.held_elsewhere.popleft() if wait else job
            if job is None:
                return
            if self._beyond_look(job):
                continue
            if not self._run(job, place, wait):
                with self._mutex:
                    self.held_elsewhere.append(job)
            elif self._may_grow(place):
                assert self.growing is not None
                with self.stages.time("statistics"):
                    self.growing.grow()

    def _next(self, place: Place) -> Job | None:
        """The next job for a place: the first that waits; of two places the one beside takes those that leave half of
        the processors idle, and the other what is left."""
        if self.beside is None:
            return self.waiting.popleft() if self.waiting else None
        here = [job for job in self.waiting if half_idle(job) == (place is self.beside)]
        if not here and place is not self.beside:
            here = list(self.waiting)
        if not here:
            return None
        self.waiting = deque(job for job in self.waiting if job is not here[0])
        return here[0]

    def _threads_of(self, job: Job) -> int:
        """Threads of a job. Half of them while another runs beside it, which takes the others."""
        if self.beside is None or half_idle(job):
            return self.threads
        with self._mutex:
            busy = any(half_idle(each) for each in (*self.waiting, *self._running.values()))
        return max(self.threads // 2, 1) if busy else self.threads

    def _may_grow(self, place: Place) -> bool:
        """Whether a place may make the board of what there is. Not the one beside: while this process fits, its threads
        and those of the board's numbers would meet."""
        there = self.growing is not None and place is not self.beside and not self.stopped.is_set()
        return there and self._worth_a_board()

    def _worth_a_board(self) -> bool:
        """Whether a task has all its first fits: GC is there to compare with."""
        with self._mutex:
            fitted = {(result.task, result.featurizer) for result in self.outcome.fitted}
            later = {job.results[0].task for job in self.waiting if step_of(job) == 0}
            return any(task not in later and featurizer != NO_FEATURES for task, featurizer in fitted)

    def _beyond_look(self, job: Job) -> bool:
        """Whether a quick look has no time left for a job, by what it is thought to take now."""
        task = job.results[0].task
        if self.look is None or not self.spent[task]:
            return False
        beyond = self.spent[task] + self.progress.at_most(job) > self.look
        if beyond:
            self.progress.leave_out(job)
            with self._mutex:
                self.outcome.beyond_look += len(job.results)
        return beyond

    def _run(self, job: Job, place: Place, wait: bool) -> bool:
        """False when another run holds the job's results and ``wait`` is off."""
        began = time.perf_counter()
        self._begun.append(job)
        self.progress.start(job)
        with self.store.claim(*job.results, wait=wait) as mine:
            if not mine:
                self.progress.put_off(job)
                return False
            if not self.refresh and self._is_there(job):
                with self._mutex:
                    self.outcome.shared.extend(job.results)
                self.progress.finish(job, "fitted by another run", 0.0, fitted=False)
                return True
            with self._mutex:
                self._running[id(job)] = job
            try:
                fits = self._fit(job, place)
            except (Exception, SystemExit) as error:
                if not self.stopped.is_set():
                    self._note_failure(job, error)
                    verdict, took = f"failed: {plain_reason(error)}", time.perf_counter() - began
                    self.progress.finish(job, verdict, took, good=False)
                return True
            finally:
                with self._mutex:
                    del self._running[id(job)]
            try:
                for result, key, fit in zip(job.results, job.keys, fits, strict=True):
                    self.store.write_result(describe(job, result), key, fit.record, fit.predictions)
                    if job.keep:
                        third, versions = not job.model.built_in, fit.record.versions
                        self.store.write_models(result, key, fit.models, third_party=third, versions=versions)
            except (OSError, BenchError):
                raise  # of the folder: no other job could be kept either
            except Exception as error:
                self._note_failure(job, error)
                return True
        self._note_fitted(job.results)
        took = time.perf_counter() - began
        self.stages.add_fit(fits[0].record.seconds, took)
        with self._mutex:
            self.spent[job.results[0].task] += took
        self.progress.finish(job, verdict_of(fits), took)
        return True

    def _is_there(self, job: Job) -> bool:
        pairs = zip(job.results, job.keys, strict=True)
        return all(has_result(self.store, result, key, job.keep) for result, key in pairs)

    def _fit(self, job: Job, place: Place) -> list[FitResult]:
        device = place.device(self.device, job)
        if job.trouble is not None:
            raise job.trouble
        spec = job.spec(self.registry, device, self._threads_of(job))
        return place.fit(job, spec, lambda line: self.progress.say(job, line))

    def _note_failure(self, job: Job, error: BaseException) -> None:
        trace = error.trace if isinstance(error, JobFailed) else trace_of(error)
        for result in job.results:
            log = self.store.write_failure(describe(job, result), plain_reason(error), trace)
            with self._mutex:
                self.outcome.failed.append((result, plain_reason(error), log))


def half_idle(job: Job) -> bool:
    """Whether a job leaves half of the processors idle, so that another may run beside it."""
    return bool(job.model.cls.half_processors)


def describe(job: Job, result: ResultId) -> Description:
    """What is known of a result before it is fitted. What a third-party plugin says of itself was not checked yet."""
    seen, learner = None if job.featurizer is None else job.featurizer.cls, job.model.cls
    return Description(
        task=result.task,
        target=result.target,
        split=result.split,
        task_digest=content_of(job.planned.task).of(result.target),
        folds_digest=job.planned.folds.digest,
        featurizer=result.featurizer,
        model=result.model,
        role="null" if seen is None else "confounder" if seen.role == "confounder" else "sequence",
        gc_only=seen is not None and bool(seen.gc_only),
        kind=seen.kind if seen is not None and seen.kind in get_args(Kind) else "table",
        deep="table" not in learner.takes if learner.deep is None else bool(learner.deep),
        seed=result.seed,
        stochastic=bool(learner.stochastic),
        joint=list(job.targets),
    )


def verdict_of(fits: list[FitResult]) -> str:
    """The scores of a finished job in a few words: means over folds, and over targets where there are several."""

    def mean(what: PartName) -> str:
        scores = [score for fit in fits for score in fit.record.spearman[what]]
        mean = mean_of_scores(scores, [n for fit in fits for n in fit.record.rows[what]])
        return "n/a" if mean is None else f"{mean:.3f}"

    return f"Spearman test {mean('test')}, valid {mean('valid')}"
