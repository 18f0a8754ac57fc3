"""One job over all workers of a Dask cluster: a booster or forest whose matrix is larger than a machine.

Every worker loads the task by name, makes the features of its share of the rows, block by block, and calls the model's
own ``fit``, which joins the others through the collective communication of its library (XGBoost's, LightGBM's): sums of
histograms travel, rows never do. Why not `xgboost.dask` and `lightgbm.dask`, which sit on the same communication: they
take Dask arrays, and hold them alongside the learner's own matrix (2 + 2 bytes of each count in place of 2), and
LightGBM's has no early stopping.

A worker that is lost takes the fit with it; it begins again on those that are left.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.fit.fit import FitResult
from bench.fit.messages import checked_results
from bench.fit.worker import Fit, JobSpec, Prepare
from bench.model import Group
from bench.run.job import Job
from bench.run.places.cluster import ClusterPlace, answer_of, on_worker
from bench.run.places.place import Say
from bench.store.predictions import join, rows_of_parts, scores
from bench.tasks.task import TEST, TRAIN, VALID

#: Times a job is begun, and seconds that other workers have to end a fit that has failed on one. Who waits for the lost
#: one then, where a library does not notice, is started again by its nanny.
ATTEMPTS, GRACE = 3, 60
#: Seconds between two looks at the workers.
LOOK = 0.5
#: Rows of every part that a worker has at least; more workers than that allows are left out.
FEWEST = 10

_NUMBER = itertools.count()


class LostWorkerError(Exception):
    """A worker of a group is not there any more."""


class Spread(ClusterPlace):
    """All workers as one place: they fit a job together where its model ``spreads``; else one of them fits it."""

    alone = True

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """GPUs where every worker has one, or where they were asked for: then only workers that have one fit."""
        found = super().device(asked, job)
        everywhere = all(about["resources"].get("GPU") for about in self._workers().values())
        return found if asked == "cuda" or everywhere or not job.model.cls.spreads else "cpu"

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job on all workers.

        Raises
        ------
        JobFailed : what the job raised on a worker. BenchError : when workers were lost each time.
        """
        from distributed import Lock

        if not job.model.cls.spreads:
            return super().fit(job, spec, say)
        lost = several = None
        for attempt in range(1, ATTEMPTS + 1):
            if lost is not None:
                say(f"worker {lost} is gone; begun again ({attempt}/{ATTEMPTS})")
                with contextlib.suppress(TimeoutError):  # its nanny may bring it back
                    self._client.wait_for_workers(several, timeout=GRACE)
            several = max(len(self._workers()), 1)
            try:
                # Of two runs, each would hold workers that the other waits for.
                with self._client.as_current(), Lock("bench spread"):
                    return self._together(job, spec, say)
            except LostWorkerError as error:
                lost = error
        raise BenchError(
            f"each of the {ATTEMPTS} times this was begun a worker was lost, lastly {lost}. See its log: memory is"
            " the usual reason.",
            status=1,
        )

    def _workers(self) -> dict[str, Any]:
        """What the scheduler says of the workers that are there, by address."""
        there: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        return there

    def _together(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        wanted = {"GPU": 1} if spec.device == "cuda" else None
        there = self._workers()
        able = [name for name, about in sorted(there.items()) if not wanted or about["resources"].get("GPU")]
        workers = able[: max(_fewest_rows(job) // FEWEST, 1)]
        if not workers:
            raise BenchError("no worker is left. Start some and run again.", status=1)
        if len(workers) == 1:
            return super().fit(job, spec, say)
        number = next(_NUMBER)
        say(f"on the rows of {len(workers)} workers together")
        folds = len(job.planned.folds)
        # First what may fail on one worker alone: the others would wait for it in the middle of a fit.
        calls: list[Any] = [(prepare_and_find_ports, spec, folds, self._timeout)] * len(workers)
        hosts = [there[worker]["host"] for worker in workers]
        addresses: list[list[tuple[str, int]]] = []
        while not addresses or any(len(set(fold)) < len(fold) for fold in addresses):  # two of one host may find one
            ports = self._on_each(workers, calls, f"prepare {job} {number}")
            addresses = [[(host, mine[fold]) for host, mine in zip(hosts, ports, strict=True)] for fold in range(folds)]
            number = next(_NUMBER)
        calls = [
            (fit_share, spec, self._threads, self._timeout, tuple(Group(rank, tuple(fold)) for fold in addresses))
            for rank in range(len(workers))
        ]
        replies = self._on_each(workers, calls, f"{job} {number}", resources=wanted, linked=True)
        shares = [checked_results(answer_of(reply), spec.targets) for reply in replies]
        return join_shares(
            shares,
            np.stack([job.planned.task.targets[name].value for name in spec.targets], axis=1),
            folds,
        )

    def _on_each(
        self,
        workers: list[str],
        calls: list[Any],
        name: str,
        resources: dict[str, int] | None = None,
        linked: bool = False,
    ) -> list[Any]:
        """What each worker returns for its call, or the first error of any.

        Where the calls are ``linked`` (each waits for the others), those that have not ended some time after one has
        failed wait for nothing: their workers are started again.

        Raises
        ------
        LostWorkerError : where a worker goes.
        """
        futures = [
            self._client.submit(
                *call,
                key=f"{name} {rank}",
                pure=False,
                workers=[worker],
                allow_other_workers=False,
                resources=resources,
            )
            for rank, (worker, call) in enumerate(zip(workers, calls, strict=True))
        ]
        self._futures = futures
        try:
            if self._closed:
                self.close()
            patience: float | None = None
            lost: set[str] = set()
            failed: Any = None
            while not all(future.done() for future in futures):
                failed = failed or next((f for f in futures if f.status == "error"), None)
                lost |= set(workers) - set(self._workers())
                if failed or lost:
                    patience = patience or time.monotonic() + (GRACE if linked else 0)
                    waiting = [w for f, w in zip(futures, workers, strict=True) if not f.done() and w not in lost]
                    if not waiting:
                        break
                    if time.monotonic() > patience:
                        if linked:
                            self._start_again(waiting)
                        break
                time.sleep(LOOK)
            if lost:  # what the others raised then is that they miss it
                raise LostWorkerError(sorted(lost)[0])
            failed = failed or next((f for f in futures if f.status != "finished"), None)
            return [failed.result()] if failed is not None else self._client.gather(futures)
        finally:
            for future in futures:
                future.cancel()
            self._futures = []

    def _start_again(self, workers: list[str]) -> None:
        # ValueError: a worker without a nanny. KeyError: one that goes at this moment.
        with contextlib.suppress(ValueError, KeyError):
            self._client.restart_workers(workers, timeout=GRACE, raise_for_error=False)


def _fewest_rows(job: Job) -> int:
    """Rows of the smallest part of any fold, of the target that was measured least."""
    folds = job.planned.folds
    measured = [np.isfinite(job.planned.task.targets[name].value) for name in job.targets]
    return min(
        int(((folds.part[fold] == code) & known).sum())
        for fold in range(len(folds))
        for code in (TRAIN, VALID, TEST)
        for known in measured
    )


def prepare_and_find_ports(spec: JobSpec, many: int, timeout: float | None) -> list[int]:
    """What a worker does before a fit in a group: load the task and make its features. Returns ports that are free."""
    answer_of(on_worker(Prepare(spec), None, timeout))
    sockets = [socket.socket() for _ in range(many)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def fit_share(spec: JobSpec, threads: int | None, timeout: float | None, groups: tuple[Group, ...]) -> bytes:
    """What a worker does of a fit in a group. Raises where that fails, so that the others are not waited for."""
    reply = on_worker(Fit(spec, groups), threads, timeout)
    answer_of(reply)
    return reply


def join_shares(shares: list[list[FitResult]], values: NDArray[np.float64], folds: int) -> list[FitResult]:
    """The results of a job from those of each process, in order of rank.

    Parameters
    ----------
    values : float64 (rows of the task, targets), what was measured.
    """
    results = []
    for j, parts in enumerate(zip(*shares, strict=True)):
        joined = join([part.predictions for part in parts])
        order = np.lexsort((joined.row, joined.part, joined.fold))
        shuffled = None if joined.shuffled is None else joined.shuffled[order]
        joined = type(joined)(
            joined.row[order], joined.fold[order], joined.part[order], joined.prediction[order], shuffled
        )
        first = parts[0].record
        of_all = {
            "device": f"{first.device} × {len(shares)}",
            "rows": rows_of_parts(joined, folds),
            "fitted_rows": np.sum([part.record.fitted_rows for part in parts], axis=0).tolist(),
            "spearman": scores(joined, values[:, j], folds),
        }
        # Each of a group is left with the same model.
        results.append(FitResult(parts[0].target, first.model_copy(update=of_all), joined, parts[0].models))
    return results
