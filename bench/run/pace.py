"""What a fit will take, learned from what this machine has just done and from the notes on earlier calls."""

from __future__ import annotations

import platform
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from bench.run.job import Job
from bench.store.record import FitNote, RunRecord, read_record

#: Seconds that every fit takes besides what grows with its data: a plan that promises less promises this.
LEAST = 0.1
#: Fits of one kind that are remembered: a machine may get busier, or less so.
REMEMBERED = 7
#: Notes on earlier calls that are read, the latest.
NOTES = 20


def machine() -> str:
    """This machine, as notes name it."""
    import hashlib

    return hashlib.sha256(platform.node().encode()).hexdigest()[:12]


def pair_of(job: Job) -> str:
    """The pair of a job."""
    return f"{job.results[0].featurizer} + {job.results[0].model}"


class Pace:
    """How far the plan's seconds are off, by pair on a task, by pair, by model, and at all: the nearest that is known
    counts, as the median of the last few fits.

    Not shared between threads without a lock.
    """

    def __init__(self, earlier: Iterable[FitNote] = ()) -> None:
        self._known: dict[tuple[str, ...], deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        for note in earlier:
            self._learn(note.task, note.pair, note.planned, note.took)

    def estimate(self, job: Job) -> float:
        """Seconds that a job will take."""
        planned = max(job.seconds, LEAST)
        for kind in _kinds(job.results[0].task, pair_of(job)):
            if self._known[kind]:
                return planned * median(self._known[kind])
        return planned

    def learn(self, job: Job, took: float) -> None:
        """A job of the plan took so many seconds."""
        self._learn(job.results[0].task, pair_of(job), max(job.seconds, LEAST), took)

    def _learn(self, task: str, pair: str, planned: float, took: float) -> None:
        for kind in _kinds(task, pair):
            self._known[kind].append(max(took, 1e-3) / max(planned, LEAST))


def _kinds(task: str, pair: str) -> list[tuple[str, ...]]:
    """What a fit is like, the nearest first."""
    return [("task", task, pair), ("pair", pair), ("model", pair.rpartition(" + ")[2]), ()]


def earlier_fits(runs: Path) -> Iterator[FitNote]:
    """Fits of the latest calls on this machine, by the notes in a folder; the oldest first."""
    here = machine()
    try:
        paths = sorted(runs.glob("*.json"))[-NOTES:]
    except OSError:
        return
    for path in paths:
        note = read_record(RunRecord, path).record
        if note is not None and note.machine == here:
            yield from note.fits
