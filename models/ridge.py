"""Ridge regression on standardised columns."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Ridge regression; the penalty is chosen on the validation rows, for each target on its own.

    Columns are standardised, a constant one has no weight. One eigendecomposition of the Gram matrix (columns by
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
                        setting.shared["ridge"] = _decompose(train.x)
                    spectrum, x = setting.shared["ridge"], train.x
                else:
                    x = train.x.take(rows)
                    spectrum = _decompose(x)
                self._fit_targets(targets, spectrum, x, y[np.ix_(rows, targets)], valid.x, held_out[:, targets])
        self.history = []

    def _fit_targets(
        self,
        targets: NDArray[np.intp],
        spectrum: _Spectrum,
        x: Features,
        y: NDArray[np.float64],
        x_valid: Features,
        y_valid: NDArray[np.float64],
    ) -> None:
        alphas = np.array([self.alpha]) if self.alpha is not None else GRID * x_valid.columns
        level = y.mean(axis=0)
        # (columns, penalties, targets), in units of the raw columns
        weights = spectrum.solve(x, y - level, alphas) / spectrum.scale[:, None, None]
        guess = _times(x_valid, weights.reshape(len(weights), -1)).reshape(len(y_valid), *weights.shape[1:])
        offset = level - np.tensordot(spectrum.centre, weights, 1)
        error = np.nanmean((guess + offset - y_valid[:, None, :]) ** 2, axis=0)
        for j, target in enumerate(targets):
            best = int(np.argmin(error[:, j]))
            self.weights_[:, target] = weights[:, best, j]
            self.intercept_[target] = offset[best, j]
            self.alpha_[target] = alphas[best]

    def predict(self, x: Features) -> NDArray[Any]:
        out = _times(x, self.weights_) + self.intercept_
        return out[:, 0] if self.one_target_ else out

    def memory(self, rows: int, columns: int, item_bytes: int) -> float:
        """The Gram matrix, its eigenvectors and the memory to find them; one block of rows as floats; features that are
        held and their training part. With more columns than rows, the whole table."""
        size = rows * columns * item_bytes
        held = 2.0 * (size if columns > rows else min(size, 1 << 30))
        return held + 40.0 * min(rows, columns) ** 2 + 24.0 * min(BLOCK, rows * columns)

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

    def solve(self, x: Features, y: NDArray[np.float64], alphas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weights (columns, penalties, targets) of the standardised columns for centred targets (n, targets)."""
        side = y if self.by_rows else _standardised_transpose_times(x, self, y)
        shrink = 1 / (np.maximum(self.values, 0)[:, None] + alphas)
        loadings = shrink[:, :, None] * (self.vectors.T @ side)[:, None, :]
        weights = self.vectors @ loadings.reshape(len(loadings), -1)
        if self.by_rows:
            weights = _standardised_transpose_times(x, self, weights)
        return weights.reshape(len(weights), len(alphas), y.shape[1])


def _row_blocks(x: Features) -> Iterator[tuple[slice, NDArray[Any]]]:
    rows = max(1, BLOCK // max(x.columns, 1))
    for first in range(0, len(x), rows):
        piece = slice(first, first + rows)
        yield piece, x.take(piece).table()


def _decompose(x: Features) -> _Spectrum:
    by_rows = len(x) < x.columns
    centre, scale, gram = (_gram_of_rows if by_rows else _gram_of_columns)(x)
    values, vectors = np.linalg.eigh(gram)
    return _Spectrum(centre, scale, values, vectors, by_rows)


def _scale(spread: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviations; infinite for a constant column: 0 after centring, it stays 0."""
    return np.where(spread > 1e-6 * np.maximum(np.abs(centre), 1e-30), spread, np.inf)


def _gram_of_rows(x: Features) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre and scale of the columns, and the products of standardised rows (n, n), from fewer rows than columns."""
    table, n = x.table(), len(x)
    centre = table.mean(axis=0, dtype=np.float64)
    step = max(1, BLOCK // n)
    pieces = [slice(first, first + step) for first in range(0, x.columns, step)]
    spread = np.empty(x.columns)
    for columns in pieces:
        spread[columns] = (table[:, columns] - centre[columns].astype(np.float32)).std(axis=0, dtype=np.float64)
    scale = _scale(spread, centre)
    gram = np.zeros((n, n))
    for columns in pieces:
        block = _standardise(table[:, columns], centre[columns], scale[columns])
        gram += block @ block.T
    return centre, scale, gram


def _gram_of_columns(x: Features) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre and scale of the columns, and the products of standardised columns (p, p), in one pass over the rows,
    whose features may be computed again at each.

    Columns are centred by the mean of the first block, and the products are corrected afterwards. That block is part of
    the rows, so its mean is off by at most sqrt(rows / rows of a block) standard deviations: too few to lose digits.
    """
    n, p = len(x), x.columns
    shift, total, gram = np.zeros(p, np.float32), np.zeros(p), np.zeros((p, p))
    for rows, block in _row_blocks(x):
        if rows.start == 0:
            shift = block.mean(axis=0, dtype=np.float64).astype(np.float32)
        moved = np.asarray(block - shift, np.float32)
        total += moved.sum(axis=0, dtype=np.float64)
        gram += moved.T @ moved
    off = total / n
    gram -= n * np.outer(off, off)
    centre = shift + off
    scale = _scale(np.sqrt(np.maximum(np.diagonal(gram), 0) / n), centre)
    gram /= scale
    gram /= scale[:, None]
    return centre, scale, gram


def _standardise(block: NDArray[Any], centre: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray((block - centre.astype(np.float32)) / scale.astype(np.float32), np.float32)


def _standardised_transpose_times(x: Features, spectrum: _Spectrum, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(columns, m) from right (n, m)."""
    out = np.zeros((x.columns, right.shape[1]))
    for rows, block in _row_blocks(x):
        out += _standardise(block, spectrum.centre, spectrum.scale).T @ right[rows]
    return out


def _times(x: Features, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) from weights (columns, m), float32 blocks of rows at a time."""
    out = np.empty((len(x), weights.shape[1]))
    for rows, block in _row_blocks(x):
        out[rows] = block.astype(np.float32) @ weights
    return out
