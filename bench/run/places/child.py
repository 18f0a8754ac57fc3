"""A child process as a place, so that a crash, a hang or an exit in a plugin ends the child and not the run.

A child is two processes: a guard that waits (`bench.run.places.guard`) and one that answers
(`bench.run.places.inside`). Whatever the second starts ends with it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.fit.fit import FitResult
from bench.fit.messages import Done, Failed, JobFailed, MalformedMessage, Said, checked_results, decode
from bench.fit.worker import Ask, Fit, JobSpec
from bench.run.job import Job
from bench.run.memory import KEPT_BETWEEN_JOBS, MemoryBudget, needed_bytes
from bench.run.places.frames import Frames, framed
from bench.run.places.place import Say, local_device

#: How much of a failed plugin's own printing is kept in the log.
KEPT_OUTPUT = 20_000
#: Seconds that a guard has to end what is below it, and that a child has to take a question.
ENDING, TAKING = 20.0, 60.0
_GUARD = Path(__file__).with_name("guard.py")
_PIECE = 1 << 18


class Child:
    """One child process, started when first needed and again after it died. Not shared between threads.

    It serves jobs of the same third-party plugins (``JobSpec.outside``) only: asked for others it is replaced, so that
    what a plugin leaves behind (patched modules, other environment, memory, threads) reaches nobody's results.
    """

    def __init__(self) -> None:
        self._guard: subprocess.Popen[bytes] | None = None
        self._data: socket.socket | None = None
        self._control: socket.socket | None = None
        self._printing: int | None = None
        self._frames = Frames()
        self._printed = bytearray()
        self._numbers = itertools.count(1)
        self._turn = threading.RLock()
        self._closed = False
        self.serves: tuple[str, ...] = ()

    def ask(
        self,
        what: Ask,
        serves: tuple[str, ...] = (),
        *,
        timeout: float | None = None,
        limit: str = "--timeout",
        say: Say = lambda line: None,
        doing: str = "ran",
    ) -> Any:
        """The answer of a child that serves these third-party plugins alone.

        Parameters
        ----------
        doing, limit : words for the message where it takes too long: what took, and whose limit it was.

        Raises
        ------
        JobFailed : where what was asked raised, timed out, or took the child down with it.
        """
        with self._turn:
            return self._answer(what, serves, timeout, limit, say, doing)

    def _answer(
        self, what: Ask, serves: tuple[str, ...], timeout: float | None, limit: str, say: Say, doing: str
    ) -> Any:
        deadline = None if timeout is None else time.monotonic() + timeout
        number = next(self._numbers)
        data = self._ready(serves)
        try:
            self._send(data, framed(pickle.dumps((number, what), protocol=5)))
            while True:
                if self._closed:
                    raise _Ended("the run was stopped")
                for message in self._messages(data, deadline):
                    if message.number != number:
                        continue  # of an earlier job, or of a thread that outlived one
                    if isinstance(message, Said):
                        say(message.line)
                    elif isinstance(message, Done):
                        return message.answer
                    else:
                        raise message.error(self._its_output())
                if deadline is not None and time.monotonic() >= deadline:
                    raise JobFailed(f"{doing} past the limit of {timeout:g} s ({limit})", self._stopped_output())
        except _Ended as ended:
            raise JobFailed(str(ended), self._stopped_output()) from None
        except MalformedMessage as wrong:
            reason = f"its process sent what is no answer ({wrong})"
            raise JobFailed(reason, self._stopped_output()) from None
        except (KeyboardInterrupt, SystemExit):
            self.stop()
            raise

    def fit(self, spec: JobSpec, *, timeout: float | None = None, say: Say = lambda line: None) -> list[FitResult]:
        """Run a job in the child. Raises as ``ask`` does."""
        return checked_results(self.ask(Fit(spec), spec.outside, timeout=timeout, say=say), spec.targets)

    def stop(self) -> None:
        """End the child at once, with every process that it started. It is started again when needed."""
        with self._turn:
            guard, self._guard = self._guard, None
            for pipe in (self._control, self._data):
                if pipe is not None:
                    pipe.close()  # which is what the guard waits for
            if guard is not None:
                try:
                    guard.wait(ENDING)
                except subprocess.TimeoutExpired:
                    _kill_tree(guard.pid)
                    guard.wait()
            if self._printing is not None:
                os.close(self._printing)
            self._data = self._control = self._printing = None
            self._frames = Frames()

    def close(self) -> None:
        """End the child for good; also from another thread, in the middle of a job."""
        self._closed = True
        control = self._control
        if control is not None:
            with contextlib.suppress(OSError):
                control.shutdown(socket.SHUT_RDWR)
        self.stop()

    # ---- starting --------------------------------------------------------------------------------------------------
    def _ready(self, serves: tuple[str, ...]) -> socket.socket:
        if self._guard is not None and (self.serves != serves or self._guard.poll() is not None):
            self.stop()
        if self._guard is None or self._data is None:
            self.serves = serves
            self._start()
        self._drain_output()
        self._printed.clear()
        assert self._data is not None
        return self._data

    def _start(self) -> None:
        mine, theirs = socket.socketpair()
        control, their_control = socket.socketpair()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        path = [os.path.abspath(folder) for folder in sys.path]
        setup = {"data": theirs.fileno(), "control": their_control.fileno(), "path": path}
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-P", str(_GUARD), json.dumps(setup)],
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(theirs.fileno(), their_control.fileno()),
                start_new_session=True,
            )
        finally:
            self._data, self._control, self._printing = mine, control, reading
            theirs.close()
            their_control.close()
            os.close(writing)

    # ---- talking ---------------------------------------------------------------------------------------------------
    def _send(self, data: socket.socket, message: bytes) -> None:
        data.settimeout(TAKING)
        try:
            data.sendall(message)
        except OSError:
            raise self._end() from None

    def _messages(self, data: socket.socket, deadline: float | None) -> list[Said | Done | Failed]:
        """What arrives next; nothing where that takes longer than a moment. Keeps the end of what is printed."""
        assert self._control is not None
        assert self._printing is not None
        patience = 1.0 if deadline is None else max(min(1.0, deadline - time.monotonic()), 0.0)
        ready = wait([data, self._control, self._printing], patience)
        if self._printing in ready:
            self._drain_output()
        if data in ready:
            try:
                received = data.recv(_PIECE)
            except OSError:
                received = b""
            if received:
                return [decode(message) for message in self._frames.feed(received)]
            raise self._end()
        if self._control in ready:  # all that it sent was read before
            raise self._end()
        return []

    def _end(self) -> _Ended:
        """How the child ended: it closed its pipe, or its guard said that it is gone."""
        status = b""
        if self._control is not None:
            self._control.settimeout(1.0)
            with contextlib.suppress(OSError):
                status = self._control.recv(4)
        if len(status) < 4:
            return _Ended("its process closed the pipe to the run, or its guard was killed")
        code = struct.unpack(">i", status)[0]
        if code < 0:
            hint = " (most likely by the system, for want of memory)" if code == -signal.SIGKILL else ""
            with contextlib.suppress(ValueError):
                return _Ended(f"its process was killed by {signal.Signals(-code).name}{hint}")
        return _Ended(f"its process ended with status {code}")

    # ---- what it prints --------------------------------------------------------------------------------------------
    def _drain_output(self) -> None:
        """Read what there is, at most so much that a flood does not keep this process busy."""
        for _ in range(64):
            try:
                piece = os.read(self._printing, _PIECE) if self._printing is not None else b""
            except BlockingIOError:
                return
            if not piece:
                return
            self._printed += piece
            del self._printed[:-KEPT_OUTPUT]

    def _its_output(self) -> str:
        self._drain_output()
        text = self._printed.decode("utf-8", "replace")
        return f"\n--- printed by the process ---\n{text}" if text.strip() else ""

    def _stopped_output(self) -> str:
        text = self._its_output()
        self.stop()
        return text


class _Ended(Exception):
    """The child is gone."""


def _kill_tree(process: int) -> None:
    """Kill a process and all below it, where its guard did not."""
    import psutil

    with contextlib.suppress(psutil.Error):
        top = psutil.Process(process)
        for each in [*top.children(recursive=True), top]:
            with contextlib.suppress(psutil.Error):
                each.kill()


class ChildPlace:
    """Child processes for one job at a time: one for built-in plugins, one for third-party ones. One of several places
    that share the memory of ``budget``."""

    def __init__(self, timeout: float | None, budget: MemoryBudget | None = None) -> None:
        self._timeout = timeout
        self._budget = budget
        self._own, self._theirs = Child(), Child()
        self._closed = False

    def device(self, asked: str, job: Job) -> Literal["cpu", "cuda"]:
        """As ``local_device``; memory that the others use now is waited for."""
        if job.built_in:
            self.end_third_party()  # whatever it leaked
        return local_device(asked, job, None if self._budget is None else self._budget.free)

    def end_third_party(self) -> None:
        """End the child of third-party plugins, if there is one."""
        self._theirs.stop()

    def fit(self, job: Job, spec: JobSpec, say: Say) -> list[FitResult]:
        """Run a job in a child, once there is memory for it."""
        child = self._theirs if spec.outside else self._own
        with nullcontext() if self._budget is None else self._budget.reserved(job, say):
            if self._closed:
                raise BenchError("stopped before it began.", status=1)
            try:
                return child.fit(spec, timeout=self._timeout, say=say)
            finally:
                if self._budget is not None and needed_bytes(job) > KEPT_BETWEEN_JOBS:
                    child.stop()  # features and matrices kept for its next job take the memory of another's

    def close(self) -> None:
        """End the children."""
        self._closed = True
        self._own.close()
        self._theirs.close()
