"""A child process that runs jobs, so that a crash, a hang or an exit in a plugin ends the child and not the run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from bench.errors import BenchError, one_line
from bench.fit.fit import FitResult
from bench.fit.worker import JobSpec, Probe

#: How much of a failed plugin's own printing is kept in the log.
KEPT_OUTPUT = 20_000


class JobFailed(Exception):
    """A job failed in a child. ``trace`` is for the log."""

    def __init__(self, reason: str, trace: str) -> None:
        super().__init__(reason)
        self.trace = trace


class Child:
    """One child process, started when first needed and again after it died. Not shared between threads."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        handle, name = tempfile.mkstemp(prefix="bench-child-", suffix=".log")
        os.close(handle)
        self._log = Path(name)

    def run(
        self, spec: JobSpec, *, timeout: float | None = None, say: Callable[[str], None] = lambda line: None
    ) -> list[FitResult]:
        """Run a job in the child.

        Raises
        ------
        JobFailed : when the job raised, timed out, or took the child down with it.
        """
        return self._ask("run", spec, timeout, say)

    def probe(self, spec: JobSpec, *, timeout: float | None = None) -> Probe:
        """What a featurizer gives for the first two rows of a task. Raises as ``run`` does."""
        return self._ask("probe", spec, timeout, lambda line: None)

    def _ask(self, what: str, spec: JobSpec, timeout: float | None, say: Callable[[str], None]) -> Any:
        pipe = self._ready()
        deadline = None if timeout is None else time.monotonic() + timeout
        pipe.send((what, spec))
        while True:
            patience = 1.0 if deadline is None else max(min(1.0, deadline - time.monotonic()), 0.0)
            try:
                if pipe.poll(patience):
                    kind, content = pipe.recv()
                    if kind == "say":
                        say(content)
                    elif kind == "done":
                        return content
                    else:
                        raise JobFailed(content[0], content[1] + self._printed())
                    continue
            except (EOFError, OSError):
                raise self._death() from None
            if deadline is not None and time.monotonic() >= deadline:
                self.stop()
                what = "ran" if what == "run" else "its features of two rows ran"
                raise JobFailed(f"{what} past the limit of {timeout:g} s (--timeout)", self._printed())

    def stop(self) -> None:
        """End the child at once."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def close(self) -> None:
        """End the child and remove its log."""
        self.stop()
        self._log.unlink(missing_ok=True)

    def _ready(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._pipe is None:
            self.stop()
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, str(self._log)), daemon=True)
            process.start()
            self._process = process  # only now: Ctrl-C may strike while it starts
            theirs.close()
        return self._pipe

    def _death(self) -> JobFailed:
        code = None
        if self._process is not None:
            self._process.join(10)
            code = self._process.exitcode
        self.stop()
        if code is not None and code < 0:
            hint = " (most likely by the system, for want of memory)" if code == -signal.SIGKILL else ""
            with contextlib.suppress(ValueError):
                return JobFailed(f"its process was killed by {signal.Signals(-code).name}{hint}", self._printed())
        return JobFailed(f"its process ended with status {code}", self._printed())

    def _printed(self) -> str:
        try:
            with open(self._log, "rb") as handle:
                handle.seek(0, os.SEEK_END)
                handle.seek(max(handle.tell() - KEPT_OUTPUT, 0))
                text = handle.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return f"\n--- printed by the process ---\n{text}" if text.strip() else ""


def _serve(pipe: Connection, log: str) -> None:
    """The child: take specs, send results, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    from bench.fit.worker import Here

    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    here = Here()
    while True:
        try:
            what, spec = pipe.recv()
        except (EOFError, OSError):
            return
        os.ftruncate(sink, 0)
        try:
            answer = here.probe(spec) if what == "probe" else here.run(spec, lambda line: pipe.send(("say", line)))
        except (Exception, SystemExit) as error:
            sys.stdout.flush()
            trace = "".join(traceback.format_exception(error))
            pipe.send(("failed", (plain_reason(error), trace)))
        else:
            pipe.send(("done", answer))


def _die_with_parent() -> None:
    """A run that is killed cannot end its child, which may hang in a plugin for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def plain_reason(error: BaseException) -> str:
    """One line on an error, for the board."""
    text = one_line(error)[:300]
    if isinstance(error, (BenchError, JobFailed)):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
