"""What a fit will take, learned from what this machine has just done and from the notes on earlier calls."""

from __future__ import annotations

import platform
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from bench.run.job import Job
from bench.store.record import FitNote, RunRecord, read_record

#: Seconds that every fit takes besides what grows with its data.
LEAST = 0.5
#: Seconds that count as if they had gone as planned, where nothing like a fit was seen: the first small ones (imports,
#: compiling) would otherwise promise days.
TRUST = 20.0
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
    """How far the plan's seconds are off, by pair on a task, by pair and by model: the nearest that is known counts, as
    the median of the last few fits. Where none is, all fits together.

    Not shared between threads without a lock.
    """

    def __init__(self, earlier: Iterable[FitNote] = ()) -> None:
        self._known: dict[tuple[str, ...], deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self._planned, self._took = TRUST, TRUST
        for note in earlier:
            self._learn(note.task, note.pair, note.planned, note.took)

    def estimate(self, job: Job) -> float:
        """Seconds that a job will take."""
        planned = job.seconds + LEAST
        for kind in _kinds(job.results[0].task, pair_of(job)):
            if self._known[kind]:
                return planned * median(self._known[kind])
        return planned * self._took / self._planned

    def knows(self, job: Job) -> bool:
        """Whether a fit of the job's model was seen."""
        return any(self._known[kind] for kind in _kinds(job.results[0].task, pair_of(job)))

    def learn(self, job: Job, took: float) -> None:
        """A job of the plan took so many seconds."""
        self._learn(job.results[0].task, pair_of(job), job.seconds, took)

    def _learn(self, task: str, pair: str, planned: float, took: float) -> None:
        for kind in _kinds(task, pair):
            self._known[kind].append(took / (planned + LEAST))
        self._planned += planned + LEAST
        self._took += took


def _kinds(task: str, pair: str) -> list[tuple[str, ...]]:
    """What a fit is like, the nearest first."""
    return [("task", task, pair), ("pair", pair), ("model", pair.rpartition(" + ")[2])]


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
