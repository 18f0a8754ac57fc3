"""Run a plan: fit what is missing, store it, go on when a cell fails."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.errors import BenchError
from bench.run.cell import Cell
from bench.run.device import cpu_threads, resolve_device
from bench.run.fit import CellResult, Workspace, fit_job
from bench.run.plan import Job, Plan, PlannedTask
from bench.run.progress import RunProgress
from bench.run.store import Store


@dataclass
class Outcome:
    """What became of a plan."""

    fitted: list[Cell] = field(default_factory=list)
    shared: list[Cell] = field(default_factory=list)
    failed: list[tuple[Cell, str, Path]] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0


def run_plan(
    plan: Plan, store: Store, console: Console, *, device: str = "auto", threads: int | None = None, refresh: bool = False
) -> Outcome:
    """Fit every job of a plan, one after the other, each with all threads.

    A cell that another run in the same folder is fitting is left for last and then waited for. Ctrl-C stops after nothing:
    what is finished is stored already.
    """
    outcome = Outcome()
    threads = threads or cpu_threads()
    workspace = Workspace()
    began = time.perf_counter()
    for planned in plan.tasks:
        write_task_rows(planned, store)
    try:
        with RunProgress(plan.cells_to_fit, plan.seconds, console) as progress:
            waiting: list[Job] = []
            for job in plan.jobs:
                if not _run_job(job, store, workspace, progress, outcome, device, threads, refresh, wait=False):
                    waiting.append(job)
            for job in waiting:
                _run_job(job, store, workspace, progress, outcome, device, threads, refresh, wait=True)
    except KeyboardInterrupt:
        outcome.interrupted = True
    outcome.seconds = time.perf_counter() - began
    return outcome


def write_task_rows(planned: PlannedTask, store: Store) -> None:
    """Keep in the store what a report needs of a task's rows."""
    from bench.kernels import gc_fraction

    store.write_task(planned.task, gc_fraction(planned.task.sequences))


def _run_job(
    job: Job,
    store: Store,
    workspace: Workspace,
    progress: RunProgress,
    outcome: Outcome,
    device: str,
    threads: int,
    refresh: bool,
    *,
    wait: bool,
) -> bool:
    """False when another run holds the job's cells and ``wait`` is off."""
    began = time.perf_counter()
    progress.start(str(job))
    with store.claim(job.cells[0], wait=wait) as mine:
        if not mine:
            return False
        if not refresh and all(store.has(cell, key) for cell, key in zip(job.cells, job.keys, strict=True)):
            outcome.shared.extend(job.cells)
            progress.finish(str(job), "fitted by another run", len(job.cells), job.seconds, 0.0)
            return True
        try:
            results = fit_job(
                job.planned.task,
                job.planned.folds,
                job.featurizer,
                job.model,
                job.seed,
                job.targets,
                workspace=workspace,
                device=resolve_device(device, job.model.cls.devices),  # type: ignore[attr-defined]
                threads=threads,
                say=lambda line: progress.say(str(job), line),
            )
        except KeyboardInterrupt:
            raise
        except (Exception, SystemExit) as error:
            note_failure(job, error, store, outcome)
            took = time.perf_counter() - began
            progress.finish(str(job), f"failed: {reason_of(error)}", len(job.cells), job.seconds, took, good=False)
            return True
        store_results(job, results, store)
        outcome.fitted.extend(job.cells)
    progress.finish(str(job), verdict_of(results), len(job.cells), job.seconds, time.perf_counter() - began)
    return True


def store_results(job: Job, results: list[CellResult], store: Store) -> None:
    """Write a finished job's cells."""
    for cell, key, result in zip(job.cells, job.keys, results, strict=True):
        store.write_cell(cell, {"key": key, **describe(job, cell), **result.record}, result.predictions)


def describe(job: Job, cell: Cell) -> dict[str, Any]:
    """The fields of ``cell.json`` that are known before fitting."""
    featurizer = job.featurizer
    return {
        "task": cell.task,
        "target": cell.target,
        "split": cell.split,
        "task_digest": job.planned.task.digest,
        "folds_digest": job.planned.folds.digest,
        "featurizer": cell.featurizer,
        "model": cell.model,
        "role": "floor" if featurizer is None else featurizer.cls.role,  # type: ignore[attr-defined]
        "gc_only": featurizer is not None and featurizer.cls.gc_only,  # type: ignore[attr-defined]
        "kind": "table" if featurizer is None else featurizer.cls.kind,  # type: ignore[attr-defined]
        "deep": "table" not in job.model.cls.takes,  # type: ignore[attr-defined]
        "seed": cell.seed,
        "stochastic": job.model.cls.stochastic,  # type: ignore[attr-defined]
        "joint": list(job.targets),
    }


def note_failure(job: Job, error: BaseException, store: Store, outcome: Outcome) -> None:
    """Record a failed job: the reason in the store, the traceback in a log beside it."""
    trace = "".join(traceback.format_exception(error))
    for cell in job.cells:
        failure = {**describe(job, cell), "reason": reason_of(error), "traceback": trace}
        outcome.failed.append((cell, reason_of(error), store.write_failure(cell, failure)))


def reason_of(error: BaseException) -> str:
    """One line on an error, for the board."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, BenchError) else f"{type(error).__name__}: {text}" if text else type(error).__name__


def verdict_of(results: list[CellResult]) -> str:
    """The scores of a finished job in a few words: means over folds, and over targets where there are several."""

    def mean(what: str) -> str:
        values = [v for result in results for v in result.record["spearman"][what] if v is not None]
        return f"{sum(values) / len(values):.3f}" if values else "n/a"

    return f"Spearman test {mean('test')}, valid {mean('valid')}"
