"""One job over all workers of a Dask cluster: a booster or forest whose matrix is larger than a machine.

Every worker loads the task by name, makes the features of its share of the rows, block by block, and calls the model's
own ``fit``, which joins the others through the collective communication of its library (XGBoost's, LightGBM's): sums of
histograms travel, rows never do. Why not `xgboost.dask` and `lightgbm.dask`, which sit on the same communication: they
take Dask arrays, and hold them beside the learner's own matrix (2 + 2 bytes of each count in place of 2), and
LightGBM's has no early stopping.

A worker that is lost takes the fit with it; it begins again on those that are left.
"""

from __future__ import annotations

import dataclasses
import itertools
import socket
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.model import Group
from bench.run.cluster import DaskLane, on_worker
from bench.run.fit import CellResult, join, rows_of_parts, scores
from bench.run.plan import Job
from bench.run.remote import JobSpec, from_plain, prepare, run_remotely

#: Times a job is begun, and seconds that other workers have to end a fit that has failed on one. Who waits for the lost
#: one then, where a library does not notice, is started again by its nanny.
ATTEMPTS, GRACE = 3, 60
#: Seconds between two looks at the workers.
LOOK = 0.5

_NUMBER = itertools.count()


class LostWorkerError(Exception):
    """A worker of a group is not there any more."""


class SpreadLane(DaskLane):
    """All workers as one place: they fit a job together where its model ``spreads``; else one of them fits it."""

    alone = True

    def fit(self, job: Job, spec: JobSpec, say: Callable[[str], None]) -> list[CellResult]:
        """Run a job on all workers.

        Raises
        ------
        BenchError, or what a worker raised : also when workers were lost each time.
        """
        if not job.model.cls.spreads:
            return super().fit(job, spec, say)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._together(job, spec, say)
            except LostWorkerError as error:
                lost = str(error)
                say(f"worker {lost} is gone; begun again on those that are left ({attempt}/{ATTEMPTS})")
        raise BenchError(
            f"each of the {ATTEMPTS} times this was begun a worker was lost, lastly {lost}. See its log: memory is"
            " the usual reason.",
            status=1,
        )

    def _together(self, job: Job, spec: JobSpec, say: Callable[[str], None]) -> list[CellResult]:
        wanted = {"GPU": 1} if spec.device == "cuda" else None
        there = self._client.scheduler_info(n_workers=-1)["workers"]
        workers = [name for name, about in sorted(there.items()) if not wanted or about["resources"].get("GPU")]
        if not workers:
            raise LostWorkerError("after worker")
        number = next(_NUMBER)
        say(f"on the rows of {len(workers)} workers together")
        folds = len(job.planned.folds)
        # First what may fail on one worker alone: the others would wait for it in the middle of a fit.
        ports = self._on_each(
            workers, [(prepare_and_find_ports, spec, folds)] * len(workers), f"prepare {job} {number}", None
        )
        hosts = [there[worker]["host"] for worker in workers]
        calls = []
        for rank in range(len(workers)):
            groups = tuple(
                Group(
                    rank,
                    tuple((host, mine[fold]) for host, mine in zip(hosts, ports, strict=True)),
                    f"{self._client.id}-{'-'.join(workers)}",
                )
                for fold in range(folds)
            )
            calls.append((fit_share, spec, self._threads, groups))
        shares = self._on_each(workers, calls, f"{job} {number}", wanted)
        return join_shares(
            [from_plain(share) for share in shares],
            np.stack([job.planned.task.targets[name].value for name in spec.targets], axis=1),
            folds,
        )

    def _gone(self, workers: list[str]) -> set[str]:
        return set(workers) - set(self._client.scheduler_info(n_workers=-1)["workers"])

    def _on_each(self, workers: list[str], calls: list[Any], name: str, wanted: dict[str, int] | None) -> list[Any]:
        """What each worker returns for its call; the first error of any of them, once the others have ended.

        Raises
        ------
        LostWorkerError : where a worker goes.
        """
        futures = [
            self._client.submit(
                *call, key=f"{name} {rank}", pure=False, workers=[worker], allow_other_workers=False, resources=wanted
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
                lost = self._gone(workers)
                waiting = [w for f, w in zip(futures, workers, strict=True) if not f.done() and w not in lost]
                if (failed or lost) and patience is None:
                    patience = time.monotonic() + GRACE
                if patience is not None and (not waiting or time.monotonic() > patience):
                    if waiting:
                        self._client.restart_workers(waiting, timeout=GRACE, raise_for_error=False)
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


def prepare_and_find_ports(spec: JobSpec, many: int) -> list[int]:
    """What a worker does before a fit in a group: load the task and make its features. Returns ports that are free."""
    with on_worker():
        prepare(spec)
    sockets = [socket.socket() for _ in range(many)]
    try:
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def fit_share(spec: JobSpec, threads: int | None, groups: tuple[Group, ...]) -> list[dict[str, Any]]:
    """What a worker does of a fit in a group."""
    with on_worker() as all_threads:
        return run_remotely(dataclasses.replace(spec, threads=threads or all_threads), groups)


def join_shares(shares: list[list[CellResult]], values: NDArray[np.float64], folds: int) -> list[CellResult]:
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
        record = {
            **first,
            "device": f"{first['device']} × {len(shares)}",
            "rows": rows_of_parts(joined, folds),
            "fitted_rows": np.sum([part.record["fitted_rows"] for part in parts], axis=0).tolist(),
            "spearman": scores(joined, values[:, j], folds),
        }
        results.append(CellResult(parts[0].target, record, joined))
    return results
