"""What a run says while it works: one line per finished fit, and what is left. Plain lines without a terminal."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn


class RunProgress:
    """Counts results and learns from finished jobs how far the plan's estimate is off."""

    def __init__(self, results: int, seconds: float, console: Console) -> None:
        self.console = console
        self._results, self._done = results, 0
        self._planned, self._planned_done = max(seconds, 1e-9), 0.0
        self._began = time.perf_counter()
        self._mutex = threading.Lock()
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
        self._bar_task = self._bar.add_task("starting", total=results, left="")

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, what: str) -> None:
        """A job begins."""
        self._bar.update(self._bar_task, description=escape(what), left=self.left())

    def say(self, what: str, line: str) -> None:
        """A line from inside a fit; shown on a terminal only."""
        self._bar.update(self._bar_task, description=escape(f"{what} · {line}"))

    def finish(
        self, what: str, verdict: str, results: int, planned_seconds: float, took: float, *, good: bool = True
    ) -> None:
        """A job ended: one line, for people and logs."""
        with self._mutex:
            self._done += results
            self._planned_done += planned_seconds
        self._bar.update(self._bar_task, completed=self._done, left=self.left())
        mark = "[green]✓[/]" if good else "[red]✗[/]"
        self.console.print(
            f"{mark} [{self._done}/{self._results}] {escape(what)}  {escape(verdict)}  {took:.1f} s"
            f"  [dim]{self.left()}[/]",
            highlight=False,
            soft_wrap=True,
        )

    def left(self) -> str:
        """Estimated time left, from the plan and the pace so far."""
        remaining = self._planned - self._planned_done
        if self._done >= self._results or remaining <= 0:
            return ""
        # The plan counts as if a twentieth of it had gone as planned: the first small jobs (imports, compiling) would
        # otherwise promise days.
        trust = 0.05 * self._planned + 10
        pace = (time.perf_counter() - self._began + trust) / (self._planned_done + trust)
        return f"about {in_words(remaining * pace)} left"


def in_words(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
