"""A run: every job of a plan is fitted in some place and stored, with progress, notes and a board that grows.

A job runs in this process when its plugins are built in, in a child process when they are third-party or a time limit
is set, and on the workers of a pool or a cluster when asked for (``places``). Wherever it runs, this process alone
writes the store.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.files.atomic import NotWritable, disk_errors
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads, cuda_devices
from bench.run.growing import GrowingBoard
from bench.run.interrupts import Interrupts
from bench.run.memory import MemoryBudget
from bench.run.note import RUNS, RunNote
from bench.run.pace import Pace, earlier_fits
from bench.run.places.child import ChildPlace
from bench.run.places.here import Here
from bench.run.places.place import Place
from bench.run.plan import Plan
from bench.run.progress import RunProgress
from bench.run.queue import Options, Outcome, Queue, half_idle
from bench.store.record import FailedCheck, NearDuplicates, SkipRecord
from bench.store.stages import Stages
from bench.store.store import Store

#: Planned seconds of networks from which they are fitted in a process of their own: that one reads the tasks again.
WORTH_A_CHILD = 30.0


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
    beside = places is None and worth_a_child(plan, options)
    places = local_places(options, beside=beside) if places is None else places
    began = time.perf_counter()
    with RunProgress(plan.jobs, console, Pace(earlier_fits(store.root / RUNS))) as progress:
        growing = None if board is None or plan.selection.quick else GrowingBoard(board, progress.seconds_left)
        queue = Queue(plan, registry, store, progress, options, stages, growing)

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
                queue.run(places, beside=beside)
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


def _status(queue: Queue) -> str:
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


def local_places(options: Options, *, beside: bool = False) -> list[Place]:
    """Places on this machine: so many child processes, or this process; with ``beside`` a child next to it, for jobs
    that leave half of the processors idle."""
    budget = MemoryBudget()
    if options.workers:
        return [ChildPlace(options.timeout, budget) for _ in range(options.workers)]
    if beside:
        return [Here(options.timeout, budget), ChildPlace(options.timeout, budget)]
    return [Here(options.timeout)]


def worth_a_child(plan: Plan, options: Options) -> bool:
    """Whether a plan has models that leave half of the processors idle, other jobs or a second processor to fill them
    with, and enough of both to be worth another process."""
    on_gpu = options.device != "cpu" and bool(cuda_devices())
    if options.workers or on_gpu or options.threads is not None or cpu_threads() < 2 or plan.selection.quick:
        return False
    theirs = [job for job in plan.jobs if half_idle(job)]
    return len(plan.jobs) > 1 and bool(theirs) and sum(job.seconds for job in theirs) >= WORTH_A_CHILD


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
