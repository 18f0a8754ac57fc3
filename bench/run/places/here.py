"""This process as a place: for built-in plugins, whose code is trusted not to end it."""

from __future__ import annotations

from typing import Literal

from bench.fit.features import Workspace
from bench.fit.fit import FitJob, FitResult, fit_job
from bench.fit.worker import JobSpec
from bench.run.job import Job
from bench.run.memory import fits
from bench.run.places.child import ChildPlace
from bench.run.places.place import Say, local_device


class Here:
    """This process for built-in plugins; a child of its own for third-party ones, or for every job under a time
    limit."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._workspace = Workspace()
        self._child = ChildPlace(timeout)

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; what earlier jobs left for later ones is let go of where it takes this job's memory."""
        if not fits(job):
            self._workspace.let_go()
        return local_device(asked, job)

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job on the task that was loaded to plan it."""
        if self._timeout is not None or not job.built_in:
            return self._child.fit(job, spec, say)
        asked = FitJob(
            job.planned.task,
            job.planned.folds,
            job.featurizer,
            job.model,
            job.seed,
            job.targets,
            spec.device,
            spec.threads,
            recipe=spec.recipe,
        )
        return fit_job(asked, self._workspace, say)

    def close(self) -> None:
        """End the child."""
        self._child.close()
