"""A smooth curve of one or a few features: the honest GC-only learner."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: Rows of spline basis made at a time.
BLOCK = 100_000
#: Smoothing tried, as multiples of the number of training rows; the largest is a straight line.
SMOOTHING = 10.0 ** np.arange(-6, 4)


class GCCurve(Model):
    """A penalised cubic regression spline of each feature, added up (Eilers & Marx 1996, P-splines).

    A booster on one feature under-fits a monotone trend and a straight line misses a hump; the spline, whose smoothing
    is chosen on the validation rows from free curve to straight line, does neither. Beyond the training range it goes
    on as a straight line. A feature that is constant in training is left out.

    Parameters
    ----------
    knots : at most so many knots a feature, at quantiles of the training rows.
    """

    name = "gc-curve"
    stochastic = False
    max_columns: ClassVar[int | None] = 4
    libraries = ("scikit-learn",)

    def __init__(self, knots: int = 8) -> None:
        self.knots = knots

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        from sklearn.preprocessing import SplineTransformer

        table = train.x.table()
        self.splines_ = []
        penalties = [np.zeros((1, 1))]  # the intercept is free
        for column in range(table.shape[1]):
            values = np.asarray(table[:, column], np.float64)
            knots = np.unique(np.quantile(values, np.linspace(0, 1, max(self.knots, 2))))
            if len(knots) < 2:
                continue
            spline = SplineTransformer(degree=3, knots=knots[:, None], extrapolation="linear", include_bias=True)
            self.splines_.append((column, spline.fit(knots[:, None])))
            penalties.append(_straightness(spline))
        size = sum(len(penalty) for penalty in penalties)
        penalty = np.zeros((size, size))
        first = 0
        for part in penalties:
            penalty[first : first + len(part), first : first + len(part)] = part
            first += len(part)

        gram, moment = np.zeros((size, size)), np.zeros(size)
        for rows in _blocks(len(train.y)):
            basis = self._basis(table[rows])
            gram += basis.T @ basis
            moment += basis.T @ train.y[rows]
        # The basis of a feature adds up to one, as the intercept does: a touch of ridge settles who gets the level.
        nudge = 1e-9 * len(train.y) * np.eye(size)
        best = np.inf
        self.history = []
        for smoothing in SMOOTHING:
            weights = np.linalg.solve(gram + nudge + smoothing * len(train.y) * penalty, moment)
            error = float(np.mean((self._curve(valid.x, weights) - valid.y) ** 2))
            self.history.append({"smoothing": float(smoothing), "valid_mse": error})
            if error < best:
                best, self.weights_ = error, weights

    def predict(self, x: Features) -> NDArray[Any]:
        return self._curve(x, self.weights_)

    def _curve(self, x: Features, weights: NDArray[np.float64]) -> NDArray[np.float32]:
        table = x.table()
        out = np.empty(len(table), np.float32)
        for rows in _blocks(len(table)):
            out[rows] = self._basis(table[rows]) @ weights
        return out

    def _basis(self, table: NDArray[Any]) -> NDArray[np.float64]:
        pieces = [np.ones((len(table), 1))]
        for column, spline in self.splines_:
            pieces.append(spline.transform(np.asarray(table[:, column : column + 1], np.float64)))
        return np.hstack(pieces)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.02 + 2e-6 * rows * columns


def _blocks(rows: int) -> list[slice]:
    return [slice(first, first + BLOCK) for first in range(0, rows, BLOCK)]


def _straightness(spline: Any) -> NDArray[np.float64]:
    """The integral of the squared second derivative of a spline with given weights, on a range scaled to 1, as a
    quadratic form: zero for every straight line, whatever the spacing of the knots."""
    knots = spline.bsplines_[0].t[3:-3]
    span = knots[-1] - knots[0]
    second = spline.bsplines_[0].derivative(2)
    # The second derivative is linear between knots, its square quadratic: Simpson's rule is exact.
    form = np.zeros((second.c.shape[1], second.c.shape[1]))
    for left, right in itertools.pairwise(knots):
        inside = left + (right - left) * np.array([1e-9, 0.5, 1 - 1e-9])
        values = second(inside) * span**2
        form += (right - left) / span / 6 * (values.T @ (values * np.array([[1.0], [4.0], [1.0]])))
    return form
