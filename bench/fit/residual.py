"""GC taken out of the columns of a table, by what the training rows say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features, LazyRows

#: A column of whose variance this part is left is a function of GC alone: what is left is rounding, and becomes 0, so
#: that no model standardises it.
ROUNDING = 1e-6
#: Values of a block of rows whose products with the powers of GC are made at a time.
BLOCK = 16_000_000


@dataclass(frozen=True, eq=False)
class WithoutGC:
    """Columns less their quadratic curve of GC content, fitted by least squares on training rows.

    Quadratic, as in the figures that this is compared with: a motif's score follows GC by a straight line or a gentle
    hump.

    Attributes
    ----------
    centre, scale, level : mean and SD of GC on the training rows, and mean(z²) there, z the standardised GC.
    curve : float64 (3, columns), coefficients of 1, z and z² - level. more : bool (columns,), columns that are more
        than a curve of GC.
    """

    centre: float
    scale: float
    level: float
    curve: NDArray[np.float64]
    more: NDArray[np.bool_]

    @classmethod
    def fitted(cls, train: Features, gc: NDArray[Any]) -> WithoutGC:
        """From the features of training rows, a table (n, p), and their GC content (n,)."""
        gc = np.asarray(gc, np.float64)
        centre, scale = float(gc.mean()), float(gc.std()) or 1.0
        level = float((((gc - centre) / scale) ** 2).mean())
        powers = _powers(gc, centre, scale, level)
        sums, squares = np.zeros((3, train.values.shape[1])), np.zeros(train.values.shape[1])
        step = max(1, BLOCK // max(train.values.shape[1], 1))
        for first in range(0, len(gc), step):
            rows = slice(first, first + step)
            block = np.asarray(train.values[rows], np.float64)
            sums += powers[rows].T @ block
            squares += np.einsum("ij,ij->j", block, block)
        # Few values of GC leave a power without a part of its own: the shortest of the solutions.
        curve = np.linalg.lstsq(powers.T @ powers, sums, rcond=1e-10)[0]
        left = squares - np.einsum("ij,ij->j", curve, sums)
        more = left > ROUNDING * (squares - sums[0] ** 2 / len(gc))
        return cls(centre, scale, level, np.asarray(curve, np.float64), more)

    def __call__(self, features: Features, gc: NDArray[Any]) -> Features:
        """Residuals, float32 (n, p), of features whose rows, in ascending order, have this GC content (n,). Made at
        each use where the features are."""
        values = features.values
        if not isinstance(values, LazyRows):
            return Features(self._residual(values, gc), "table")
        gc = np.asarray(gc)

        def read(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            return self._residual(values.read(rows), gc[np.searchsorted(values.rows, rows)])

        return Features(LazyRows(read, values.rows, values.row_shape, np.dtype(np.float32)), "table")

    def _residual(self, values: NDArray[Any], gc: NDArray[Any]) -> NDArray[np.float32]:
        powers = _powers(gc, self.centre, self.scale, self.level).astype(np.float32)
        found: NDArray[np.float32] = np.asarray(values, np.float32) - powers @ self.curve.astype(np.float32)
        found[:, ~self.more] = 0
        return found


def _powers(gc: NDArray[Any], centre: float, scale: float, level: float) -> NDArray[np.float64]:
    """1, z and z² - mean(z²) of GC content, float64 (n, 3)."""
    z = (np.asarray(gc, np.float64) - centre) / scale
    return np.column_stack([np.ones(len(z)), z, z**2 - level])
