"""What every place is: somewhere that one job at a time can run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from bench.fit.fit import FitResult
from bench.fit.worker import JobSpec
from bench.run.device import resolve_device
from bench.run.job import Job
from bench.run.memory import check_memory

#: Takes a line from inside a fit, for people.
Say = Callable[[str], None]


class Place(Protocol):
    """This process, a child of it, a worker of a cluster, or all its workers together.

    Whatever the place, the same goes in and comes out: a ``JobSpec``, and one ``FitResult`` for each target.
    """

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """Device (``auto|cpu|cuda`` was asked for) that the job will run on; an error where it cannot run here."""

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job to its end."""

    def close(self) -> None:
        """Let go of what the place holds, at once."""


def local_device(asked: str, job: Job, free: int | None = None) -> Literal["cpu", "cuda"]:
    """Device of a job on this machine, which must have the memory for it (``free`` bytes, or what there is now)."""
    check_memory(job, free)
    return resolve_device(asked, job.model.cls.devices)
