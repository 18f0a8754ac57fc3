"""A forest of probabilities: the model ``random-forest`` on binary targets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.logistic import expit, log_odds, platt
from bench.models.random_forest import RandomForest


class ForestClassifier(RandomForest):
    """``random-forest``: a leaf's mean label is a probability, and so is the mean over trees. It is drawn towards the
    prevalence; the validation rows say by how much (Platt 1999), which changes no order."""

    libraries: ClassVar[tuple[str, ...]] = ("xgboost", "scikit-learn", "scipy")  # type: ignore[assignment]

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        super().fit(train, valid, setting)
        self.line_ = platt(np.asarray(super().predict(valid.x), np.float64), valid.y.astype(np.float64))

    def predict(self, x: Features) -> NDArray[Any]:
        level, slope = self.line_
        return expit(level + slope * log_odds(np.asarray(super().predict(x), np.float64)))


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return ForestClassifier
