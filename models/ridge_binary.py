"""Logistic regression with the penalties of ridge regression: the model ``ridge`` on binary targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.model import Model
from bench.models.logistic import expit, log_loss
from bench.models.ridge import GRID, Ridge, _Gram, _standardise, _standardised_transpose_times, _Threads, _times

#: Values of a standardised table that is held as float32 while it is fitted.
HELD = 100_000_000
#: Steps for a penalty at most, and penalties in a row without a lower loss on validation rows after which no smaller
#: one is tried: they begin where the last one ended, and cost more the smaller they are.
STEPS, PATIENCE = 60, 2


class LogisticRidge(Ridge):
    """Ridge-penalised logistic regression; parameters, penalties and scalings are those of ``ridge``.

    A penalty counts p(1 − p) times, p the prevalence: so much is the curvature of the loss per row, which is 1 for
    squares of a standardised target. Each is fitted from the last by L-BFGS in coordinates in which the loss is about
    round (those of the Cholesky factor of p(1 − p)·X'X + penalty). Penalty and scaling with the least cross-entropy on
    the validation rows are kept.
    """

    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy", "threadpoolctl")  # type: ignore[assignment]

    def _fit_targets(
        self,
        targets: NDArray[np.intp],
        gram: _Gram,
        threads: _Threads,
        x: Features,
        y: NDArray[np.float64],
        x_valid: Features,
        y_valid: NDArray[np.float64],
    ) -> None:
        both = self.scaling == "auto" and self.alpha is None
        ways = [gram] if both or self.scaling != "centred" else []
        ways += [gram.centred(x, threads)] if both or self.scaling == "centred" else []
        designs = [_Design(scaled, x, threads) for scaled in ways]
        for j, target in enumerate(targets):
            least = np.inf
            known = np.isfinite(y_valid[:, j])
            for design in designs:
                scaled = design.gram
                grid = GRID[::2] if both and scaled is not gram else GRID
                alphas = np.array([self.alpha]) if self.alpha is not None else grid * scaled.size
                worse = 0
                best = np.inf
                for alpha, weights, level in design.path(y[:, j], alphas[::-1]):
                    raw = weights / scaled.scale
                    offset = level - scaled.centre @ raw
                    loss = float(log_loss(y_valid[known, j], (_times(x_valid, raw[:, None])[:, 0] + offset)[known]))
                    worse = 0 if loss < best else worse + 1
                    best = min(best, loss)
                    if loss < least:
                        least = loss
                        self.weights_[:, target], self.intercept_[target] = raw, offset
                        self.alpha_[target], self.standardised_[target] = alpha, scaled is gram
                    if worse >= PATIENCE:
                        break

    def predict(self, x: Features) -> NDArray[Any]:
        return expit(super().predict(x))

    def memory(self, rows: int, columns: int, item_bytes: int) -> float:
        small = min(rows, columns)
        return super().memory(rows, columns, item_bytes) + 4.0 * min(HELD, rows * columns) + 16.0 * small**2

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return super().estimate(rows, columns) + 3e-9 * 400 * rows * min(rows, columns)


class _Coordinates(NamedTuple):
    """From weights to coordinates, back, and from the slope of weights to that of coordinates."""

    there: Callable[[Any], Any]
    back: Callable[[Any], Any]
    slope: Callable[[Any], Any]


class _Design:
    """A table with scaled columns as the problem sees it: columns (n, p), or where they are more than the rows a factor
    of the products of rows, whose weights have the same norm."""

    def __init__(self, gram: _Gram, x: Features, threads: _Threads) -> None:
        self.gram, self.x, self.threads = gram, x, threads
        self.table: NDArray[np.float32] | None = None
        if gram.by_rows:
            values, vectors = np.linalg.eigh(gram.matrix)
            self.root = np.sqrt(np.maximum(values, 0))
            self.vectors = vectors
        elif len(x) * x.columns <= HELD:
            self.table = _standardise(x.table(), gram.centre, gram.scale)

    def path(
        self, y: NDArray[np.float64], alphas: NDArray[np.float64]
    ) -> Iterator[tuple[float, NDArray[np.float64], float]]:
        """(penalty, weights of the scaled columns (p,), level) for each penalty, from the largest on."""
        rate = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
        curve = rate * (1 - rate)
        level = float(np.log(rate / (1 - rate)))
        weights = np.zeros(len(self.gram.matrix))
        for alpha in alphas:
            about = self._round(curve, float(alpha))
            weights, level = self._solved(y, curve * alpha, weights, level, about, float(np.sqrt(curve * len(y))))
            yield alpha, self._columns(weights), level

    def _round(self, curve: float, alpha: float) -> _Coordinates:
        """Coordinates in which the loss is about round."""
        from scipy.linalg import cholesky, solve_triangular

        if self.gram.by_rows:  # the products of rows are V·d²·V': the factor is diagonal
            scale = np.sqrt(curve * (self.root**2 + alpha))
            return _Coordinates(lambda w: w * scale, lambda u: u / scale, lambda g: g / scale)
        system = curve * self.gram.matrix
        np.einsum("ii->i", system)[...] += curve * alpha
        with self.threads.for_work(len(system) ** 3 / 3):
            factor = cholesky(system, lower=True, overwrite_a=True)
        return _Coordinates(
            lambda w: factor.T @ w,
            lambda u: solve_triangular(factor, u, lower=True, trans="T"),
            lambda g: solve_triangular(factor, g, lower=True),
        )

    def _solved(
        self,
        y: NDArray[np.float64],
        penalty: float,
        start: NDArray[np.float64],
        level: float,
        about: _Coordinates,
        unit: float,
    ) -> tuple[NDArray[np.float64], float]:
        """Weights and level of least loss, from those of another penalty; ``unit`` : scale of the level."""
        from scipy.optimize import minimize

        def loss(u: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            w, at = about.back(u[:-1]), u[-1] / unit
            logit = self._times(w) + at
            rest = expit(logit) - y
            slope = self._transposed(rest) + penalty * w
            value = float((np.logaddexp(0, logit) - y * logit).sum() + penalty * (w @ w) / 2)
            return value, np.append(about.slope(slope), rest.sum() / unit)

        begin = np.append(about.there(start), level * unit)
        options = {"maxiter": STEPS, "maxcor": 8, "ftol": 1e-8, "gtol": 1e-4 * unit / np.sqrt(len(begin))}
        found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=options).x
        return about.back(found[:-1]), float(found[-1] / unit)

    def _times(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.gram.by_rows:
            return np.asarray(self.vectors @ (self.root * w), np.float64)
        if self.table is not None:
            return np.asarray(self.table @ w.astype(np.float32), np.float64)
        raw = w / self.gram.scale
        return _times(self.x, raw[:, None])[:, 0] - float(self.gram.centre @ raw)

    def _transposed(self, right: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.gram.by_rows:
            return np.asarray(self.root * (self.vectors.T @ right), np.float64)
        if self.table is not None:
            return np.asarray(self.table.T @ right.astype(np.float32), np.float64)
        return _standardised_transpose_times(self.x, self.gram, right[:, None])[:, 0]

    def _columns(self, w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights of the scaled columns, (p,)."""
        if not self.gram.by_rows:
            return w
        found = self.vectors @ np.divide(w, self.root, out=np.zeros_like(w), where=self.root > 1e-6 * self.root.max())
        return _standardised_transpose_times(self.x, self.gram, found[:, None])[:, 0]


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return LogisticRidge
