"""A board that grows while a run goes on, for a small part of its time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: Most of a run's time that boards on the way may take, and seconds that the first is taken to take.
SHARE, FIRST = 0.03, 2.0
#: Fewest seconds between two boards, and how much longer a run must be than its boards are apart.
APART = 30.0


class GrowingBoard:
    """Says when a board is worth its time, and makes it.

    Parameters
    ----------
    make : writes the board of what is there, and says so.
    left : seconds that the run will still take.
    """

    def __init__(
        self,
        make: Callable[[], None],
        left: Callable[[], float],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._make, self._left, self._clock = make, left, clock
        self._began = clock()
        self._spent, self._last_cost, self._ended_at = 0.0, FIRST, float("-inf")
        self._turn = threading.Lock()

    def grow(self) -> bool:
        """Make the board where it is time for one; whether it was made."""
        if not self._turn.acquire(blocking=False):
            return False  # another thread is at it
        try:
            now = self._clock()
            left = self._left()
            whole = now - self._began + left
            # The next one costs what the last one did; more results make it dearer, so twice that is allowed for.
            dear = self._spent + (2 * self._last_cost if self._spent else FIRST) > SHARE * whole
            if dear or left <= 0 or now - self._ended_at < max(APART, self._last_cost / SHARE):
                return False
            self._make()
            self._ended_at = self._clock()
            self._last_cost = self._ended_at - now
            self._spent += self._last_cost
            return True
        finally:
            self._turn.release()
