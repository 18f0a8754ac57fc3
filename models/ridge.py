"""Ridge regression on standardised columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: Penalties tried, as multiples of the number of columns: with p standardised columns that share a heritability h2 the
#: best one is p (1 - h2) / h2, so these reach from h2 = .99 to .001.
GRID = 10.0 ** np.arange(-2, 3.1, 0.5)
#: Values of a block that is held as float32 at a time (128 MB).
BLOCK = 32_000_000


class Ridge(Model):
    """Ridge regression; the penalty is chosen on the validation rows, by each target for itself.

    Columns are standardised, a constant one counts for nothing. One eigendecomposition of the Gram matrix (columns by
    columns or rows by rows, whichever is smaller) serves all penalties and all targets on the same rows; it is
    accumulated over blocks, so counts stay in their small dtype.

    Parameters
    ----------
    alpha : penalty as scikit-learn's ``Ridge(alpha)`` on standardised columns; None chooses it on the validation rows.
    """

    name = "ridge"
    stochastic = False
    multitask = True
    libraries = ("numpy", "threadpoolctl")

    def __init__(self, alpha: float | None = None) -> None:
        if alpha is not None and not 0 < alpha < np.inf:
            raise BenchError(f"ridge: 'alpha' must be a number above 0 (left out: chosen on validation). Got {alpha}.")
        self.alpha = alpha

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        from threadpoolctl import threadpool_limits

        self.one_target_ = train.y.ndim == 1
        y, held_out = (part.y.reshape(len(part.y), -1).astype(np.float64) for part in (train, valid))
        self.weights_ = np.zeros((train.x.columns, y.shape[1]))
        self.intercept_ = np.zeros(y.shape[1])
        self.alpha_ = np.zeros(y.shape[1])
        measured = np.isfinite(y)
        with threadpool_limits(setting.threads):
            # Targets measured on the same rows share a Gram matrix; with all rows it is kept for other fits too.
            patterns, member = np.unique(measured.T, axis=0, return_inverse=True)
            for pattern, rows in enumerate(patterns):
                targets = np.flatnonzero(member == pattern)
                if rows.all():
                    if "ridge" not in setting.shared:
                        setting.shared["ridge"] = _decompose(train.x.table())
                    spectrum, table = setting.shared["ridge"], train.x.table()
                else:
                    table = train.x.table()[rows]
                    spectrum = _decompose(table)
                self._fit_targets(targets, spectrum, table, y[np.ix_(rows, targets)], valid.x, held_out[:, targets])
        self.history = []

    def _fit_targets(
        self,
        targets: NDArray[np.intp],
        spectrum: _Spectrum,
        table: NDArray[Any],
        y: NDArray[np.float64],
        x_valid: Features,
        y_valid: NDArray[np.float64],
    ) -> None:
        alphas = np.array([self.alpha]) if self.alpha is not None else GRID * x_valid.columns
        level = y.mean(axis=0)
        # (columns, penalties, targets), in units of the raw columns
        weights = spectrum.solve(table, y - level, alphas) / spectrum.scale[:, None, None]
        guess = _times(x_valid.table(), weights.reshape(len(weights), -1)).reshape(len(y_valid), *weights.shape[1:])
        offset = level - np.tensordot(spectrum.centre, weights, 1)
        error = np.nanmean((guess + offset - y_valid[:, None, :]) ** 2, axis=0)
        for j, target in enumerate(targets):
            best = int(np.argmin(error[:, j]))
            self.weights_[:, target] = weights[:, best, j]
            self.intercept_[target] = offset[best, j]
            self.alpha_[target] = alphas[best]

    def predict(self, x: Features) -> NDArray[Any]:
        out = _times(x.table(), self.weights_) + self.intercept_
        return out[:, 0] if self.one_target_ else out

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        small = min(rows, columns)
        return 0.05 + 1.2e-10 * small**3 + 2.5e-11 * rows * columns * small


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """Eigenvalues and vectors of the Gram matrix of standardised columns (p, p), or of rows (n, n) where n < p."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    by_rows: bool

    def solve(self, table: NDArray[Any], y: NDArray[np.float64], alphas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights (columns, penalties, targets) of the standardised columns for centred targets (n, targets)."""
        side = y if self.by_rows else _standardised_transpose_times(table, self, y)
        shrink = 1 / (np.maximum(self.values, 0)[:, None] + alphas)
        loadings = shrink[:, :, None] * (self.vectors.T @ side)[:, None, :]
        weights = self.vectors @ loadings.reshape(len(loadings), -1)
        if self.by_rows:
            weights = _standardised_transpose_times(table, self, weights)
        return weights.reshape(len(weights), len(alphas), y.shape[1])


def _row_blocks(table: NDArray[Any]) -> list[slice]:
    rows = max(1, BLOCK // max(table.shape[1], 1))
    return [slice(first, first + rows) for first in range(0, len(table), rows)]


def _decompose(table: NDArray[Any]) -> _Spectrum:
    n, p = table.shape
    total, squares = np.zeros(p), np.zeros(p)
    for rows in _row_blocks(table):
        total += table[rows].sum(axis=0, dtype=np.float64)
    centre = total / n
    for rows in _row_blocks(table):
        squares += ((table[rows] - centre.astype(np.float32)) ** 2).sum(axis=0, dtype=np.float64)
    spread = np.sqrt(squares / n)
    # A constant column: 0 after centring, whatever it is divided by.
    scale = np.where(spread > 1e-6 * np.maximum(np.abs(centre), 1e-30), spread, np.inf)
    by_rows = n < p
    gram = np.zeros((n, n) if by_rows else (p, p))
    if by_rows:
        step = max(1, BLOCK // n)
        for first in range(0, p, step):
            columns = slice(first, first + step)
            block = _standardise(table[:, columns], centre[columns], scale[columns])
            gram += block @ block.T
    else:
        for rows in _row_blocks(table):
            block = _standardise(table[rows], centre, scale)
            gram += block.T @ block
    values, vectors = np.linalg.eigh(gram)
    return _Spectrum(centre, scale, values, vectors, by_rows)


def _standardise(block: NDArray[Any], centre: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray((block - centre.astype(np.float32)) / scale.astype(np.float32), np.float32)


def _standardised_transpose_times(
    table: NDArray[Any], spectrum: _Spectrum, right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(columns, m) from right (n, m)."""
    out = np.zeros((table.shape[1], right.shape[1]))
    for rows in _row_blocks(table):
        out += _standardise(table[rows], spectrum.centre, spectrum.scale).T @ right[rows]
    return out


def _times(table: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) from weights (columns, m), float32 blocks of rows at a time."""
    out = np.empty((len(table), weights.shape[1]))
    for rows in _row_blocks(table):
        out[rows] = table[rows].astype(np.float32) @ weights
    return out
