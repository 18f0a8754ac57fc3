"""Ctrl-C: the first one ends the fit in flight and says so, the second ends everything at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

#: Seconds that the first Ctrl-C leaves for the work in hand to end by itself: a step of a library in compiled code
#: cannot be told to stop.
GRACE = 5.0
#: Exit status of a call that Ctrl-C ended.
STATUS = 130


class Interrupts:
    """While the block runs, Ctrl-C says at once what it does. It raises ``KeyboardInterrupt`` in the main thread as
    ever; where the block has not ended ``grace`` seconds later, ``last`` is called and the process ends. Every file is
    written whole or not at all, and children end with this process, so nothing is half-written then either.

    Parameters
    ----------
    say : prints a line. last : what is left to do before the process is ended from outside its main thread.
    leave : ends the process with a status.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        last: Callable[[], None],
        *,
        grace: float = GRACE,
        leave: Callable[[int], None] = os._exit,
    ) -> None:
        self._say, self._last, self._grace, self._leave = say, last, grace, leave
        self._ended = threading.Event()
        self._asked = False
        self._before: object = None

    def __enter__(self) -> Interrupts:
        # A shell starts what runs in its background with Ctrl-C ignored, and other threads may not set handlers.
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            self._leave(STATUS)
        self._asked = True
        # Printed by another thread: the main one may hold the lock of what it prints to.
        threading.Thread(target=self._tell_and_wait, daemon=True).start()
        raise KeyboardInterrupt

    def _tell_and_wait(self) -> None:
        self._say("Ctrl-C: stopping the fit in flight; what is finished is kept. Again: end at once")
        if not self._ended.wait(self._grace):
            self._last()
            sys.stdout.flush()
            self._leave(STATUS)
