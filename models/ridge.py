"""Ridge regression, on standardised or on centred columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: Penalties tried, as multiples of the number of columns: with p standardised columns that share a heritability h2 the
#: best one is p (1 - h2) / h2, so these reach from h2 = .99 to .001.
GRID = 10.0 ** np.arange(-2, 3.1, 0.5)
#: Values of a block that is held as float32 at a time: the Gram matrix gains from large ones (128 MB), a product with a
#: few columns from what stays in a processor's cache (2 MB).
BLOCK, SMALL_BLOCK = 32_000_000, 500_000
#: Multiplications of one call of BLAS from which it is given all threads: a fifth of a second on one core.
WORTH_THREADS = 1e10
#: Seconds that are waited to see how many cores are idle: the kernel counts in hundredths.
LOOK = 0.1
#: Neighbouring penalties that share a Cholesky factor. With the factor of the middle one as preconditioner, conjugate
#: gradients gain half a digit a step at half a power of ten from it; a factor costs about 20 such steps.
SHARED_FACTOR = 3
#: Relative error of weights, in the norm of the system, at which the steps end, and steps after which they have failed.
TOLERANCE, MOST_STEPS = 1e-5, 60


class Ridge(Model):
    """Ridge regression; penalty and scaling are chosen on the validation rows, for each target on its own.

    A constant column has no weight. Standardised, rare k-mers are penalised as little as frequent ones, which costs
    where there are many columns and the frequent ones carry the signal (20,440 plant elements, 6-mers: .426, only
    centred .553). One Gram matrix (columns by columns or rows by rows,
    whichever is smaller) serves all penalties and all targets on the same rows; it is accumulated over blocks, so
    counts stay in their small dtype. Each penalty is solved by conjugate gradients in float64, preconditioned by the
    float32 Cholesky factor of a penalty near it (Golub & Van Loan 2013, Matrix Computations, 11.5): at 5,460 columns a
    twelfth of the time of an eigendecomposition.

    Parameters
    ----------
    alpha : penalty as scikit-learn's ``Ridge(alpha)`` on the scaled columns; None chooses it on the validation rows.
    scaling : ``standard`` columns, or only ``centred`` ones; ``auto`` chooses on the validation rows,
        and is ``standard`` with a given ``alpha``.
    """

    name = "ridge"
    stochastic = False
    multitask = True
    libraries = ("numpy", "threadpoolctl")

    def __init__(self, alpha: float | None = None, scaling: Literal["auto", "standard", "centred"] = "auto") -> None:
        if alpha is not None and not 0 < alpha < np.inf:
            raise BenchError(f"ridge: 'alpha' must be a number above 0 (left out: chosen on validation). Got {alpha}.")
        self.alpha = alpha
        self.scaling = scaling

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        threads = _Threads(setting.threads)
        self.one_target_ = train.y.ndim == 1
        y, held_out = (part.y.reshape(len(part.y), -1).astype(np.float64) for part in (train, valid))
        self.weights_ = np.zeros((train.x.columns, y.shape[1]))
        self.intercept_ = np.zeros(y.shape[1])
        self.alpha_ = np.zeros(y.shape[1])
        self.standardised_ = np.zeros(y.shape[1], bool)
        measured = np.isfinite(y)
        with threads.limited(1):
            # Targets measured on the same rows share a Gram matrix; with all rows it is kept for other fits too.
            patterns, member = np.unique(measured.T, axis=0, return_inverse=True)
            for pattern, rows in enumerate(patterns):
                targets = np.flatnonzero(member == pattern)
                if rows.all():
                    if "ridge" not in setting.shared:
                        setting.shared["ridge"] = _gram(train.x, threads)
                    gram, x = setting.shared["ridge"], train.x
                else:
                    x = train.x.take(rows)
                    gram = _gram(x, threads)
                self._fit_targets(targets, gram, threads, x, y[np.ix_(rows, targets)], valid.x, held_out[:, targets])
        self.history = []

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
        level = y.mean(axis=0)
        least = np.full(len(targets), np.inf)
        both = self.scaling == "auto" and self.alpha is None
        ways = [gram] if both or self.scaling != "centred" else []
        ways += [gram.centred(x, threads)] if both or self.scaling == "centred" else []
        for scaled in ways:
            # The second scaling is tried at every other penalty: half the factors.
            grid = GRID[::2] if both and scaled is not gram else GRID
            alphas = np.array([self.alpha]) if self.alpha is not None else grid * scaled.size
            # (columns, penalties, targets), in units of the raw columns
            weights = scaled.solve(x, y - level, alphas, threads) / scaled.scale[:, None, None]
            guess = _times(x_valid, weights.reshape(len(weights), -1)).reshape(len(y_valid), *weights.shape[1:])
            offset = level - np.tensordot(scaled.centre, weights, 1)
            error = np.nanmean((guess + offset - y_valid[:, None, :]) ** 2, axis=0)
            for j, target in enumerate(targets):
                best = int(np.argmin(error[:, j]))
                if error[best, j] >= least[j]:
                    continue
                least[j] = error[best, j]
                self.weights_[:, target] = weights[:, best, j]
                self.intercept_[target] = offset[best, j]
                self.alpha_[target] = alphas[best]
                self.standardised_[target] = scaled is gram

    def predict(self, x: Features) -> NDArray[Any]:
        with _Threads(1).limited(1):
            out = _times(x, self.weights_) + self.intercept_
        return out[:, 0] if self.one_target_ else out

    def memory(self, rows: int, columns: int, item_bytes: int) -> float:
        """The Gram matrix in both scalings, twice more for its factor and the sum of a block; one block of rows as
        floats; features that are held and their training part. With more columns than rows, the whole table."""
        size = rows * columns * item_bytes
        held = 2.0 * (size if columns > rows else min(size, 1 << 30))
        return held + 32.0 * min(rows, columns) ** 2 + 24.0 * min(BLOCK, rows * columns)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        small = min(rows, columns)
        return 0.05 + 2e-11 * small**3 + 1e-11 * rows * columns * small


class _Threads:
    """Threads of BLAS: one but for what is worth more, and for that as many as cores are idle.

    Each call waits for all of its threads, and spins meanwhile. On a machine with other work that is a time slice of
    the scheduler per call: with two threads on two busy cores a fit took three to six times the CPU time of one thread,
    and longer by the clock.
    """

    def __init__(self, most: int) -> None:
        import scipy.linalg  # noqa: F401  (of the libraries that are loaded by now the threads are limited)
        from threadpoolctl import ThreadpoolController

        self._most, self._controller = most, ThreadpoolController()

    def limited(self, threads: int) -> AbstractContextManager[Any]:
        """At most so many within the block."""
        limited: AbstractContextManager[Any] = self._controller.limit(limits=threads)
        return limited

    def for_work(self, operations: float) -> AbstractContextManager[Any]:
        """Those for a call of so many multiplications."""
        return self.limited(self._idle if operations > WORTH_THREADS and self._most > 1 else 1)

    @cached_property
    def _idle(self) -> int:
        """Threads for which cores are idle now, one at least."""
        stat = Path("/proc/stat")
        if not stat.exists():
            return self._most
        before = stat.read_text()
        time.sleep(LOOK)
        return max(1, min(self._most, round(idle_cores(before, stat.read_text()))))


def idle_cores(before: str, after: str) -> float:
    """Cores that idled between two readings of Linux' /proc/stat: user, nice, system, idle, iowait and other times of
    all cores in its first line, then a line for each."""
    first, second = (np.array(text.split("\n", 1)[0].split()[1:9], float) for text in (before, after))
    spent = second - first
    cores = sum(line.startswith("cpu") for line in after.splitlines()) - 1
    return cores * float(spent[3:5].sum() / max(spent.sum(), 1.0))


@dataclass(frozen=True, eq=False)
class _Gram:
    """Products of scaled columns (p, p), or of rows (n, n) where n < p; centre and scale of the columns, and the sum of
    the scaled columns' variances, which penalties are multiples of."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    matrix: NDArray[np.float64]
    by_rows: bool
    size: float

    def centred(self, x: Features, threads: _Threads) -> _Gram:
        """Of the same rows, with columns that are centred and keep their spread."""
        spread = np.where(np.isfinite(self.scale), self.scale, 0.0)
        kept = np.where(spread > 0, 1.0, np.inf)
        size = float((spread**2).sum()) or 1.0
        if self.by_rows:
            with threads.for_work(_products(x)):
                matrix = _products_of_rows(x.table(), self.centre, kept)
        else:
            matrix = self.matrix * spread
            matrix *= spread[:, None]
        return _Gram(self.centre, kept, matrix, self.by_rows, size)

    def solve(
        self, x: Features, y: NDArray[np.float64], alphas: NDArray[np.float64], threads: _Threads
    ) -> NDArray[np.float64]:
        """Weights (columns, penalties, targets) of the standardised columns for centred targets (n, targets)."""
        side = y if self.by_rows else _standardised_transpose_times(x, self, y)
        weights = np.concatenate(
            [
                _solve(self.matrix, alphas[first : first + SHARED_FACTOR], side, threads)
                for first in range(0, len(alphas), SHARED_FACTOR)
            ],
            axis=1,
        )
        if self.by_rows:
            flat = _standardised_transpose_times(x, self, weights.reshape(len(weights), -1))
            weights = flat.reshape(len(flat), *weights.shape[1:])
        return weights


def _solve(
    gram: NDArray[np.float64], alphas: NDArray[np.float64], right: NDArray[np.float64], threads: _Threads
) -> NDArray[np.float64]:
    """(gram + alpha I)^-1 right, float64 (m, penalties, targets), for penalties that lie near each other.

    Conjugate gradients, all columns side by side. Where they fail - a penalty so small that the matrix is singular in
    float32 - the eigenvectors are found.
    """
    from scipy.linalg import lapack

    targets = right.shape[1]
    shifts, side = np.repeat(alphas, targets), np.tile(right, len(alphas))
    system = np.array(gram, np.float32, order="F")  # symmetric: a copy in either order
    np.einsum("ii->i", system)[...] += np.float32(alphas[len(alphas) // 2])
    with threads.for_work(len(system) ** 3 / 3):
        factor, failed = lapack.spotrf(system, lower=1, clean=0, overwrite_a=1)

    def precondition(residual: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(lapack.spotrs(factor, residual.astype(np.float32), lower=1)[0], np.float64)

    weights = np.zeros_like(side)
    if not failed:
        size = np.abs(side).max(axis=0)
        side = side / np.where(size > 0, size, 1)  # within the range of float32
        residual = side.copy()
        step = better = precondition(residual)
        energy = first = np.einsum("ij,ij->j", residual, better)
        for _ in range(MOST_STEPS):
            if (energy <= TOLERANCE**2 * first).all():
                return (weights * size).reshape(len(right), len(alphas), targets)
            image = gram @ step + step * shifts
            length = energy / np.where(energy > 0, np.einsum("ij,ij->j", step, image), 1)
            weights += length * step
            residual -= length * image
            better = precondition(residual)
            before, energy = energy, np.einsum("ij,ij->j", residual, better)
            step = better + np.where(before > 0, energy / np.where(before > 0, before, 1), 0) * step
    with threads.for_work(9.0 * len(gram) ** 3):
        values, vectors = np.linalg.eigh(gram)
    shrink = 1 / (np.maximum(values, 0)[:, None] + alphas)
    loadings = shrink[:, :, None] * (vectors.T @ right)[:, None, :]
    return np.asarray((vectors @ loadings.reshape(len(loadings), -1)).reshape(len(right), len(alphas), targets))


def _row_blocks(x: Features, values: int = BLOCK) -> Iterator[tuple[slice, NDArray[Any]]]:
    rows = max(1, values // max(x.columns, 1))
    for first in range(0, len(x), rows):
        piece = slice(first, first + rows)
        yield piece, x.take(piece).table()


def _products(x: Features) -> float:
    """Multiplications of a Gram matrix of the smaller side."""
    return float(min(len(x), x.columns)) ** 2 * max(len(x), x.columns)


def _gram(x: Features, threads: _Threads) -> _Gram:
    by_rows = len(x) < x.columns
    with threads.for_work(_products(x)):
        centre, scale, matrix = (_gram_of_rows if by_rows else _gram_of_columns)(x)
    return _Gram(centre, scale, matrix, by_rows, float(x.columns))


def _scale(spread: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviations; infinite for a constant column: 0 after centring, it stays 0."""
    return np.where(spread > 1e-6 * np.maximum(np.abs(centre), 1e-30), spread, np.inf)


def _gram_of_rows(x: Features) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre and scale of the columns, and the products of standardised rows (n, n), from fewer rows than columns."""
    table, n = x.table(), len(x)
    centre = table.mean(axis=0, dtype=np.float64)
    step = max(1, BLOCK // n)
    spread = np.empty(x.columns)
    for first in range(0, x.columns, step):
        columns = slice(first, first + step)
        spread[columns] = (table[:, columns] - centre[columns].astype(np.float32)).std(axis=0, dtype=np.float64)
    scale = _scale(spread, centre)
    return centre, scale, _products_of_rows(table, centre, scale)


def _products_of_rows(
    table: NDArray[Any], centre: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Products of rows (n, n) of a table whose columns are centred and scaled."""
    n, p = table.shape
    step = max(1, BLOCK // n)
    gram = np.zeros((n, n))
    for first in range(0, p, step):
        columns = slice(first, first + step)
        block = _standardise(table[:, columns], centre[columns], scale[columns])
        gram += block @ block.T
    return gram


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


def _standardised_transpose_times(x: Features, gram: _Gram, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(columns, m) from right (n, m)."""
    out = np.zeros((x.columns, right.shape[1]))
    for rows, block in _row_blocks(x, SMALL_BLOCK):
        out += _standardise(block, gram.centre, gram.scale).T @ right[rows]
    return out


def _times(x: Features, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) from weights (columns, m), float32 blocks of rows at a time."""
    out = np.empty((len(x), weights.shape[1]))
    narrow = weights.astype(np.float32)
    for rows, block in _row_blocks(x, SMALL_BLOCK):
        out[rows] = block.astype(np.float32, copy=False) @ narrow
    return out
