"""What a run says while it works: one line per finished fit, and what is left. Plain lines without a terminal."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from bench.run.job import Job
from bench.run.pace import Pace, pair_of
from bench.store.record import FitNote

#: A plan alone, of a model that nothing was learned of yet, may be so far off.
UNKNOWN = 4
#: How every line from inside a fit begins: its fold, counted from 1, and how many there are.
_FOLD = re.compile(r"fold (\d+)/(\d+)")


@dataclass
class _Running:
    """A fit that has begun: ``after_first`` is the estimate once its first fold was done, ``done`` the share of its
    folds that are."""

    began: float
    at_start: float
    after_first: float | None = None
    done: float = 0.0


class RunProgress:
    """Counts results, and estimates what is left from the fits that are done and the folds of those that run."""

    def __init__(
        self,
        jobs: Iterable[Job],
        console: Console,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.console = console
        self.notes: list[FitNote] = []
        self._waiting = {id(job): job for job in jobs}
        self._running: dict[int, _Running] = {}
        self._pace, self._clock = pace or Pace(), clock
        self._results, self._done = sum(len(job.results) for job in self._waiting.values()), 0
        self._mutex = threading.RLock()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._bar_task = self._bar.add_task("starting", total=self._results, left="")

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, job: Job) -> None:
        """A job begins."""
        with self._mutex:
            self._running[id(job)] = _Running(self._clock(), self._pace.estimate(job))
        self._bar.update(self._bar_task, description=escape(str(job)), left=self.left())

    def at_most(self, job: Job) -> float:
        """Seconds that a job will hardly exceed, by what is known now."""
        with self._mutex:
            return self._pace.estimate(job) * (1 if self._pace.knows(job) else UNKNOWN)

    def leave_out(self, job: Job) -> None:
        """A job that will not be fitted."""
        with self._mutex:
            self._waiting.pop(id(job), None)
            self._results -= len(job.results)
        self._bar.update(self._bar_task, total=self._results, left=self.left())

    def put_off(self, job: Job) -> None:
        """A job that began waits again: another run has it in hand."""
        with self._mutex:
            self._running.pop(id(job), None)

    def say(self, job: Job, line: str) -> None:
        """A line from inside a fit; shown on a terminal only."""
        with self._mutex:
            running, fold = self._running.get(id(job)), _FOLD.match(line)
            if running is not None and fold is not None and 1 < int(fold[1]) <= int(fold[2]):
                running.done = (int(fold[1]) - 1) / int(fold[2])
                if running.after_first is None:
                    running.after_first = (self._clock() - running.began) / running.done
        self._bar.update(self._bar_task, description=escape(f"{job} · {line}"), left=self.left())

    def finish(self, job: Job, verdict: str, took: float, *, good: bool = True, fitted: bool = True) -> None:
        """A job ended: one line, for people and logs. ``fitted`` : by this run, so that its time teaches something."""
        with self._mutex:
            self._done += len(job.results)
            self._waiting.pop(id(job), None)
            running = self._running.pop(id(job), None)
            if good and fitted and running is not None:
                self._pace.learn(job, took)
                self.notes.append(_note(job, running, took))
            done = self._done
            left = self.left(len(self._running) + 1)
        self._bar.update(self._bar_task, completed=done, left=left)
        mark = "[green]✓[/]" if good else "[red]✗[/]"
        self.console.print(
            f"{mark} [{done}/{self._results}] {escape(str(job))}  {escape(verdict)}  {took:.1f} s  [dim]{left}[/]",
            markup=True,  # also on a console that takes lines as they are
            highlight=False,
            soft_wrap=True,
        )

    def seconds_left(self) -> float:
        """Estimated seconds of the fits that are not done, one after the other."""
        with self._mutex:
            left, now = 0.0, self._clock()
            for each, job in self._waiting.items():
                running = self._running.get(each)
                if running is None:
                    left += self._pace.estimate(job)
                elif running.done:
                    spent = now - running.began
                    left += max(spent / running.done - spent, 0.0)
                else:
                    left += max(running.at_start - (now - running.began), 0.0)
            return left

    def left(self, side_by_side: int = 0) -> str:
        """Estimated time left, in words, where so many fits run at a time; as many as do now without it."""
        if self._done >= self._results:
            return ""
        return f"about {in_words(self.seconds_left() / max(side_by_side, len(self._running), 1))} left"


def _note(job: Job, running: _Running, took: float) -> FitNote:
    return FitNote(
        task=job.results[0].task,
        targets=len(job.results),
        pair=pair_of(job),
        seed=job.seed,
        planned=round(job.seconds, 3),
        at_start=round(running.at_start, 3),
        after_first_fold=None if running.after_first is None else round(running.after_first, 3),
        took=round(took, 3),
    )


def in_words(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
