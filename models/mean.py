"""The null model, which looks at nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model, Part, Setting


class Mean(Model):
    """The mean of the training targets for every row: the null model."""

    name = "mean"
    takes = ("table", "signal", "codes")
    stochastic = False
    needs_features = False

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        self.mean_ = float(np.mean(train.y, dtype=np.float64))
        self.history = []

    def predict(self, x: Features) -> NDArray[Any]:
        return np.full(len(x), self.mean_, np.float32)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.001
