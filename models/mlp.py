"""A small network on a table: for features that another network has made."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: Values that are held as float32 at a time.
BLOCK = 16_000_000
#: Penalties tried on the validation rows, as `MLPRegressor` takes them (it divides them by the rows of a step).
#: Validation Spearman of the first fold at .01, at the best of .01, 1 and 10, at 30: mattioli2020 (4-mers) .529, .585,
#: .567; fly-promoters (5-mers) .429, .481, .524; a simulated embedding of 8,000 x 384 .581, .679, .661.
GRID = (1.0, 10.0, 30.0)


class MLP(Model):
    """One hidden layer (scikit-learn's ``MLPRegressor``, Adam) on standardised columns, stopped on the validation rows.

    After each pass the validation error is taken; the weights of the best pass are kept. Rows are read in blocks, in a
    new random order each pass.

    Parameters
    ----------
    units : of the hidden layer (rectified linear). alpha : L2 penalty, as in ``MLPRegressor``; None chooses
        it on the validation rows.
    epochs : at most so many passes. patience : stop after so many without a better validation error.
    batch : rows of a step. learning_rate : of Adam.
    """

    name = "mlp"
    libraries = ("numpy", "scikit-learn")
    deep = False
    by_default = False

    def __init__(
        self,
        units: int = 256,
        alpha: float | None = None,
        epochs: int = 60,
        patience: int = 6,
        batch: int = 128,
        learning_rate: float = 5e-4,
    ) -> None:
        for name, value in (("units", units), ("epochs", epochs), ("patience", patience), ("batch", batch)):
            if value < 1:
                raise BenchError(f"mlp: {name!r} must be 1 or more. Got {value}.")
        if not learning_rate > 0 or (alpha is not None and alpha < 0):
            raise BenchError(
                f"mlp: 'learning_rate' must be above 0 and 'alpha' not below. Got {learning_rate}, {alpha}."
            )
        self.units, self.alpha, self.epochs, self.patience = units, alpha, epochs, patience
        self.batch, self.learning_rate = batch, learning_rate

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        self.binary_ = setting.kind == "binary"
        self._standardise(train.x)
        self.history = []
        best = math.inf
        kept: list[NDArray[np.float32]] = []
        for alpha in GRID if self.alpha is None else (self.alpha,):
            error, layers, history = self._trained(alpha, train, valid, setting.seed)
            if error < best:
                best, kept, self.history = error, layers, history
        if not kept:
            raise BenchError("mlp: its loss is no number after one pass. Give a smaller learning_rate.", status=1)
        self.layers_ = kept

    def _trained(
        self, alpha: float, train: Part, valid: Part, seed: int
    ) -> tuple[float, list[NDArray[np.float32]], list[dict[str, float]]]:
        """Least validation error under a penalty, the weights that had it, and the error after every pass."""
        from sklearn.neural_network import MLPRegressor

        # One object, so that every pass has an order of its own.
        rng = np.random.RandomState(seed)
        network = MLPRegressor(
            hidden_layer_sizes=(self.units,), alpha=alpha, learning_rate_init=self.learning_rate, random_state=rng
        )
        best, since = math.inf, 0
        kept: list[NDArray[np.float32]] = []
        history = []
        for epoch in range(self.epochs):
            order = rng.permutation(len(train.y))
            for rows in self._blocks(order):
                network.batch_size = min(self.batch, len(rows))
                network.partial_fit(self._scaled(train.x, rows), train.y[rows])
            self.layers_ = [*network.coefs_, *network.intercepts_]
            error = float(np.mean((self.predict(valid.x) - valid.y) ** 2, dtype=np.float64))
            history.append({"epoch": epoch + 1, "alpha": alpha, "train_loss": float(network.loss_), "valid_mse": error})
            since += 1
            if error < best:
                best, since = error, 0
                kept = [np.array(each, np.float32) for each in self.layers_]
            if since >= self.patience or not math.isfinite(error):
                break
        return best, kept, history

    def predict(self, x: Features) -> NDArray[Any]:
        first, second, bias, level = self.layers_
        out = np.empty(len(x), np.float32)
        for rows in self._blocks(np.arange(len(x))):
            hidden = self._scaled(x, rows) @ first
            hidden += bias
            np.maximum(hidden, 0, out=hidden)
            out[rows] = (hidden @ second + level)[:, 0]
        # Of labels the squared error is least at their probability.
        return np.clip(out, 0, 1) if self.binary_ else out

    def memory(self, rows: int, columns: int, item_bytes: int) -> float:
        """Weights with Adam's two moments, gradients and the best ones; some blocks of rows; features that are held and
        their training part."""
        held = 2.0 * min(rows * columns * item_bytes, 1 << 30)
        return held + 5 * 4.0 * columns * self.units + 12.0 * min(BLOCK, rows * columns)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.3 + 3e-6 * rows * columns

    def _blocks(self, order: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Some rows at a time, those of each block in ascending order."""
        step = max(BLOCK // max(len(self.centre_), 1), self.batch)
        return [np.sort(order[first : first + step]) for first in range(0, len(order), step)]

    def _standardise(self, x: Features) -> None:
        """Mean and standard deviation of the columns; a constant column is left at 0."""
        self.centre_ = np.zeros(x.columns, np.float32)
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        for rows in self._blocks(np.arange(len(x))):
            scaler.partial_fit(np.asarray(x.take(rows).table(), np.float32))
        self.centre_ = np.asarray(scaler.mean_, np.float32)
        spread = np.sqrt(scaler.var_)
        small = spread <= 1e-6 * np.maximum(np.abs(scaler.mean_), 1e-30)
        self.factor_ = np.asarray(np.where(small, 0, 1 / np.where(small, 1, spread)), np.float32)

    def _scaled(self, x: Features, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        values = np.array(x.take(rows).table(), np.float32)
        values -= self.centre_
        values *= self.factor_
        return values
