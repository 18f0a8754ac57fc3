"""A child process as a place, so that a crash, a hang or an exit in a plugin ends the child and not the run."""

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
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.fit.fit import FitResult
from bench.fit.worker import JobSpec, Probe, Worker
from bench.run.job import Job, JobFailed, plain_reason
from bench.run.memory import KEPT_BETWEEN_JOBS, MemoryBudget, needed_bytes
from bench.run.places.place import Say, local_device

#: How much of a failed plugin's own printing is kept in the log.
KEPT_OUTPUT = 20_000


@dataclass(frozen=True)
class Ask:
    """What the parent sends."""

    what: Literal["fit", "probe"]
    spec: JobSpec


@dataclass(frozen=True)
class Said:
    """A line from inside a fit, for people."""

    line: str


@dataclass(frozen=True)
class Done:
    """The answer: results of a fit, or what a featurizer gives."""

    answer: list[FitResult] | Probe


@dataclass(frozen=True)
class Failed:
    """What was asked raised. ``trace`` is for the log."""

    reason: str
    trace: str


class Child:
    """One child process, started when first needed and again after it died. Not shared between threads."""

    def __init__(self) -> None:
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        handle, name = tempfile.mkstemp(prefix="bench-child-", suffix=".log")
        os.close(handle)
        self._log = Path(name)

    def fit(self, spec: JobSpec, *, timeout: float | None = None, say: Say = lambda line: None) -> list[FitResult]:
        """Run a job in the child.

        Raises
        ------
        JobFailed : when the job raised, timed out, or took the child down with it.
        """
        answer: list[FitResult] = self._answer(Ask("fit", spec), timeout, say)
        return answer

    def probe(self, spec: JobSpec, *, timeout: float | None = None) -> Probe:
        """What a featurizer gives for the first two rows of a task. Raises as ``fit`` does."""
        answer: Probe = self._answer(Ask("probe", spec), timeout, lambda line: None)
        return answer

    def _answer(self, ask: Ask, timeout: float | None, say: Say) -> Any:
        pipe = self._ready()
        deadline = None if timeout is None else time.monotonic() + timeout
        pipe.send(ask)
        while True:
            patience = 1.0 if deadline is None else max(min(1.0, deadline - time.monotonic()), 0.0)
            try:
                if pipe.poll(patience):
                    message = pipe.recv()
                    if isinstance(message, Done):
                        return message.answer
                    if isinstance(message, Failed):
                        raise JobFailed(message.reason, message.trace + self._printed())
                    say(message.line)
                    continue
            except (EOFError, OSError):
                raise self._death() from None
            if deadline is not None and time.monotonic() >= deadline:
                self.stop()
                what = "ran" if ask.what == "fit" else "its features of two rows ran"
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
    """The child: answer what is asked, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    threading.Thread(target=_die_with_parent, daemon=True).start()
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    worker = Worker()
    while True:
        try:
            ask = pipe.recv()
        except (EOFError, OSError):
            return
        os.ftruncate(sink, 0)
        try:
            if ask.what == "probe":
                done = Done(worker.probe(ask.spec))
            else:
                done = Done(worker.fit(ask.spec, lambda line: pipe.send(Said(line))))
        except (Exception, SystemExit) as error:
            sys.stdout.flush()
            pipe.send(Failed(plain_reason(error), "".join(traceback.format_exception(error))))
        else:
            pipe.send(done)


def _die_with_parent() -> None:
    """A run that is killed cannot end its child, which may hang in a plugin for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


class ChildPlace:
    """A child process, one of several that share the memory of ``budget``."""

    def __init__(self, timeout: float | None, budget: MemoryBudget | None = None) -> None:
        self._timeout = timeout
        self._budget = budget
        self._child = Child()
        self._closed = False

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; memory that the others use now is waited for."""
        return local_device(asked, job, None if self._budget is None else self._budget.free)

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job in the child, once there is memory for it."""
        with nullcontext() if self._budget is None else self._budget.reserved(job, say):
            if self._closed:
                raise BenchError("stopped before it began.", status=1)
            try:
                return self._child.fit(spec, timeout=self._timeout, say=say)
            finally:
                if self._budget is not None and needed_bytes(job) > KEPT_BETWEEN_JOBS:
                    self._child.stop()  # features and matrices kept for its next job take the memory of another's

    def close(self) -> None:
        """End the child."""
        self._closed = True
        self._child.close()
