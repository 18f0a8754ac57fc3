"""A smooth curve of the log odds: the model ``gc-curve`` on binary targets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.gc_curve import SMOOTHING, GCCurve, _straightness
from bench.models.logistic import expit, log_loss, newton


class LogisticCurve(GCCurve):
    """A penalised cubic regression spline of each feature, added up to log odds; the splines and the smoothing tried
    are those of ``gc-curve``, and the smoothing with the least cross-entropy on the validation rows is kept."""

    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn", "scipy")  # type: ignore[assignment]

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        super().fit(train, valid, setting)  # knots, and where to begin
        design = self._basis(train.x.table())
        y, held_out = (part.y.astype(np.float64) for part in (train, valid))
        rate = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
        penalty = np.zeros((design.shape[1], design.shape[1]))
        first = 1
        for _, spline in self.splines_:
            part = _straightness(spline)
            penalty[first : first + len(part), first : first + len(part)] = part
            first += len(part)
        # The penalty of squares of a target of variance 1, times the curvature of this loss.
        curve = rate * (1 - rate) * len(y)
        nudge = 1e-6 * curve * np.eye(len(penalty))
        nudge[0, 0] = 0
        weights = np.zeros(len(penalty))
        weights[0] = np.log(rate / (1 - rate))
        least, self.history = np.inf, []
        basis = self._basis(valid.x.table())
        for smoothing in SMOOTHING[::-1]:
            weights = newton(design, y, nudge + smoothing * curve * penalty, weights)
            loss = float(log_loss(held_out, basis @ weights))
            self.history.append({"smoothing": float(smoothing), "valid_log_loss": loss})
            if loss < least:
                least, self.weights_ = loss, weights

    def predict(self, x: Features) -> NDArray[Any]:
        return expit(super().predict(x).astype(np.float64))


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return LogisticCurve
