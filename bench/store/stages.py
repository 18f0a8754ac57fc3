"""Where the time of a call goes, by stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, get_args

#: What a run does, in this order: task files and tables; features of all rows; everything around a fit that is none of
#: the others (matrices, checks, writing the result); training; predicting; dinucleotide shuffles; numbers of the board;
#: its pictures.
Stage = Literal["read", "features", "prepare", "fit", "predict", "shuffles", "statistics", "pictures"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class Stages:
    """Seconds by stage, summed over everything that runs side by side."""

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = dict.fromkeys(STAGES, 0.0)
        self._mutex = threading.Lock()

    def add(self, stage: Stage, seconds: float) -> None:
        """Count seconds as a stage's."""
        with self._mutex:
            self.seconds[stage] += max(seconds, 0.0)

    @contextmanager
    def time(self, stage: Stage) -> Iterator[None]:
        """Count the block's seconds as a stage's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began)

    def add_fit(self, steps: Mapping[str, float], took: float) -> None:
        """A fit that took so many seconds in all, ``steps`` of which its record names."""
        named: dict[str, Stage] = {"features": "features", "fit": "fit", "predict": "predict", "shuffled": "shuffles"}
        for step, stage in named.items():
            self.add(stage, steps.get(step, 0.0))
        self.add("prepare", took - sum(steps.get(step, 0.0) for step in named))
