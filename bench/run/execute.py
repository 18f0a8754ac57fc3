"""The queue of a run: hand jobs to places, store what is fitted, carry on when a fit fails.

A job runs in this process when its plugins are built in, in a child process when they are third-party or a time limit
is set, and on the workers of a pool or a cluster when asked for (``places``). Wherever it runs, this process alone
writes the store.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import get_args

from rich.console import Console

from bench.errors import BenchError
from bench.featurizer import Kind
from bench.files.atomic import NotWritable, disk_errors
from bench.fit.fit import FitResult
from bench.fit.messages import JobFailed, plain_reason, trace_of
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads
from bench.run.growing import GrowingBoard
from bench.run.interrupts import Interrupts
from bench.run.job import Job
from bench.run.memory import MemoryBudget
from bench.run.note import RUNS, RunNote
from bench.run.pace import Pace, earlier_fits
from bench.run.places.child import ChildPlace
from bench.run.places.here import Here
from bench.run.places.place import Place
from bench.run.plan import QUICK_SECONDS, Plan, has_result, step_of
from bench.run.progress import RunProgress
from bench.stats.ranks import mean_of_scores
from bench.store.predictions import PartName
from bench.store.record import Description, FailedCheck, NearDuplicates, SkipRecord
from bench.store.result import NO_FEATURES, ResultId
from bench.store.stages import Stages
from bench.store.store import Store
from bench.tasks.digest import content_of


@dataclass(frozen=True)
class Options:
    """How to run: ``workers`` child processes side by side (0: this process, and one child for third-party plugins);
    ``timeout`` in seconds for one job."""

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


def run_plan(
    plan: Plan,
    registry: Registry,
    store: Store,
    console: Console,
    options: Options | None = None,
    places: list[Place] | None = None,
    *,
    board: Callable[[], None] | None = None,
    stages: Stages | None = None,
) -> Outcome:
    """Fit every job of a plan.

    A result that another run in the same folder is fitting is left for last and then waited for. Ctrl-C loses the jobs
    in flight and nothing else: what is finished is stored already.

    Parameters
    ----------
    places : in place of the local ones (a cluster).
    board : writes the board of what there is and says so. Called on the way where it takes little of the run's time.
    stages : gets the seconds of every stage.
    """
    options, stages = options or Options(), stages or Stages()
    note = RunNote(store, {name for job in plan.jobs for name in job.recipe.libraries})
    # Where nothing is fitted, a folder that cannot be written is read as it is.
    with contextlib.suppress(*[] if plan.jobs else [NotWritable]), disk_errors(store.root):
        if plan.jobs or plan.reused:  # a call that finds nothing leaves no trace
            note.begin()
    write_tasks(plan, store)
    places = local_places(options) if places is None else places
    began = time.perf_counter()
    with RunProgress(plan.jobs, console, Pace(earlier_fits(store.root / RUNS))) as progress:
        growing = None if board is None or plan.selection.quick else GrowingBoard(board, progress.seconds_left)
        queue = _Queue(plan, registry, store, progress, options, stages, growing)

        def end_note() -> None:
            note.end(_status(queue), _counts(plan, queue.outcome), progress.notes, stages)

        def last() -> None:
            queue.outcome.interrupted = True
            queue.settle()
            console.print(kept(queue.outcome), highlight=False, soft_wrap=True)
            end_note()

        def say(line: str) -> None:
            console.print(f"[yellow]{line}[/]", markup=True, highlight=False, soft_wrap=True)

        with Interrupts(say, last):
            try:
                queue.run(places)
            except KeyboardInterrupt:
                queue.outcome.interrupted = True
                queue.settle()
            finally:
                queue.stopped.set()
                for place in places:
                    place.close()
                end_note()
    queue.outcome.note = note
    if queue.trouble is not None:
        raise queue.trouble
    queue.outcome.seconds = time.perf_counter() - began
    return queue.outcome


def kept(outcome: Outcome) -> str:
    """What a call that was stopped says last."""
    count = len(outcome.fitted)
    return (
        f"interrupted: {count:,} result{'s' * (count != 1)} kept; `bench report` makes the board, the same call goes on"
    )


def _status(queue: _Queue) -> str:
    if queue.outcome.interrupted:
        return "interrupted"
    return "failed" if queue.trouble is not None or sys.exc_info()[0] is not None else "finished"


def _counts(plan: Plan, outcome: Outcome) -> dict[str, int]:
    return {
        "fitted": len(outcome.fitted),
        "reused": len(plan.reused),
        "fitted by another run": len(outcome.shared),
        "failed": len(outcome.failed),
        "absent": len(plan.absent),
        "skipped": len(plan.skipped),
        "cannot be used": len(plan.broken) + len(plan.unavailable),
    }


def local_places(options: Options) -> list[Place]:
    """Places on this machine: so many child processes, or this process."""
    if not options.workers:
        return [Here(options.timeout)]
    budget = MemoryBudget()
    return [ChildPlace(options.timeout, budget) for _ in range(options.workers)]


def write_tasks(plan: Plan, store: Store) -> None:
    """Keep in the store what a report needs of the tasks: their rows, their folds, and what is skipped."""
    # With --cache only a task of which nothing was ever fitted leaves no trace.
    void = {result.task for result in plan.absent} - {result.task for result in plan.reused}
    # Where nothing is fitted, a folder that cannot be written is read as it is.
    with contextlib.suppress(*[NotWritable] if plan.selection.cache == "only" else []):
        for planned in plan.tasks:
            if planned.name in void:
                continue
            store.write_task(planned.task, planned.gc)
            subject = plan.subject(planned)
            store.write_folds(
                planned.name,
                planned.folds,
                asdict(subject.duplicates),
                NearDuplicates(**asdict(subject.near_duplicates)),
                [FailedCheck(check=f.check, target=f.about, reason=f.reason) for f in plan.failed_checks(planned)],
            )
            if plan.selection.open:
                mine = [skip for skip in plan.skipped if skip.task == planned.name]
                records = [SkipRecord(**asdict(skip), what=skip.what) for skip in mine]
                store.write_skipped(planned.name, records + unusable(plan, planned.name))


def unusable(plan: Plan, task: str) -> list[SkipRecord]:
    """Plugins that the board of a full run lacks because they cannot be used here. Files go by their names alone: a
    board is published."""
    records = []
    for what, reason in (plan.unavailable | plan.broken).items():
        shown = Path(what).name if Path(what).is_absolute() else what
        said = reason.replace(f"{Path(what).parent}{os.sep}", "") if Path(what).is_absolute() else reason
        said = said if shown in said else f"{shown}: {said}"
        records.append(SkipRecord(task=task, reason=said, featurizer=None, model=None, what=shown))
    return records


class _Queue:
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
        self.waiting = deque(plan.jobs)
        self.held_elsewhere: deque[Job] = deque()
        self.outcome = Outcome()
        self.stopped = threading.Event()
        self.trouble: BaseException | None = None
        self._mutex = threading.Lock()
        self._begun: list[Job] = []
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

    def run(self, places: list[Place]) -> None:
        """Until nothing waits, or the run is stopped."""
        if len(places) == 1:
            self._serve(places[0])
            return
        threads = [threading.Thread(target=self._serve_safely, args=(place,), daemon=True) for place in places]
        for thread in threads:
            thread.start()
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
                if self.waiting:
                    job, wait = self.waiting.popleft(), False
                elif self.held_elsewhere:
                    job, wait = self.held_elsewhere.popleft(), True
                else:
                    return
            if self._beyond_look(job):
                continue
            if not self._run(job, place, wait):
                with self._mutex:
                    self.held_elsewhere.append(job)
            elif self.growing is not None and self._worth_a_board() and not self.stopped.is_set():
                with self.stages.time("statistics"):
                    self.growing.grow()

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
            try:
                fits = self._fit(job, place)
            except (Exception, SystemExit) as error:
                if not self.stopped.is_set():
                    self._note_failure(job, error)
                    verdict, took = f"failed: {plain_reason(error)}", time.perf_counter() - began
                    self.progress.finish(job, verdict, took, good=False)
                return True
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
        spec = job.spec(self.registry, device, self.threads)
        return place.fit(job, spec, lambda line: self.progress.say(job, line))

    def _note_failure(self, job: Job, error: BaseException) -> None:
        trace = error.trace if isinstance(error, JobFailed) else trace_of(error)
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
