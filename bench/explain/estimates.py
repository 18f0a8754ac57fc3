"""Means of independent values with their intervals, as they are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate
from bench.stats.intervals import student


def estimate(values: NDArray[np.float64]) -> Estimate:
    """Mean of what is not NaN, with its 95 % t interval; 0 without an interval where there is nothing."""
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return Estimate(value=float(known.mean()) if len(known) else 0.0)
    half = student(0.975, len(known) - 1) * float(known.std(ddof=1)) / np.sqrt(len(known))
    mean = float(known.mean())
    return Estimate(value=mean, low=mean - half, high=mean + half)
