"""This process as a place: for built-in plugins, whose code is trusted not to end it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

from bench.fit.fit import FitResult
from bench.fit.messages import Failed, checked_results
from bench.fit.worker import Fit, JobSpec, Worker
from bench.run.job import Job
from bench.run.memory import MemoryBudget, available_bytes, fits
from bench.run.places.child import ChildPlace
from bench.run.places.place import Say, local_device


class Here:
    """This process for built-in plugins; children for third-party ones, or for every job under a time limit.

    Parameters
    ----------
    budget : the memory that it shares with a place beside it, which is waited for; None where it is alone.
    """

    def __init__(self, timeout: float | None, budget: MemoryBudget | None = None) -> None:
        self._timeout = timeout
        self._budget = budget
        self._worker = Worker()
        self._children = ChildPlace(timeout)
        self._jobs = 0

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; what earlier jobs left for later ones is let go of where it takes this job's memory."""
        if job.built_in:
            self._children.end_third_party()
        if not fits(job, self._free()):
            self._worker.workspace.let_go()
        return local_device(asked, job, self._free())

    def _free(self) -> int | None:
        """Bytes for a job once the other place's is done; None: what there is now."""
        if self._budget is None or self._budget.free is None:
            return None
        return max(self._budget.free, available_bytes() or 0)

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job on the task that was loaded to plan it, once there is memory for it."""
        with nullcontext() if self._budget is None else self._budget.reserved(job, say):
            return self._fit(job, spec, say)

    def _fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        if self._timeout is not None or not job.built_in:
            return self._children.fit(job, spec, say)
        self._worker.hold(spec, job.planned)
        self._jobs += 1
        reply = self._worker.answer(self._jobs, Fit(spec), lambda said: say(said.line))
        if isinstance(reply, Failed):
            raise reply.error()
        return checked_results(reply.answer, spec.targets)

    def close(self) -> None:
        """End the children."""
        self._children.close()
