"""The scale that a model fits a target on."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray


class TargetScale:
    """The scale a model fits: the rank-Gaussian transform of the training rows (or the z-score, ``raw``), carried over
    to other rows by linear interpolation between training values. Why ranks: a heavy-tailed target otherwise teaches a
    squared loss its few largest values only. A ``label`` (0 to 1) stays as it is."""

    def __init__(self, train: NDArray[np.float64], how: Literal["rank", "raw", "label"]) -> None:
        from bench.stats.ranks import rank_gaussian

        measured = train[np.isfinite(train)]
        if how == "label":
            self._from = self._to = np.array([0.0, 1.0])
        elif how == "raw":
            self._from = np.array([measured.mean(), measured.mean() + (measured.std() or 1.0)])
            self._to = np.array([0.0, 1.0])
        else:
            self._from, first = np.unique(measured, return_index=True)
            self._to = rank_gaussian(measured)[first]
        self._how = how

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Values on the fitted scale, float32; NaN stays NaN."""
        if self._how == "raw":
            out = (values - self._from[0]) / (self._from[1] - self._from[0])
        else:
            out = np.interp(values, self._from, self._to)
        return np.where(np.isfinite(values), out, np.nan).astype(np.float32)
