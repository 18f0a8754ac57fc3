"""The value of the most similar training sequence: what a leak would be worth."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting


class Nearest(Model):
    """The target of the most similar training sequence, or the mean of all where none is similar.

    On a clean split no test sequence has a relative among the training rows and the score is 0: a score above 0 is
    what a model can gain by remembering its training rows. Similarity is that of the best local alignment, on either
    strand (``bench.kernels.similar``).

    Parameters
    ----------
    identity : fraction of the aligned columns that must be equal. covered : fraction of the row that the alignment must
        span.

    Examples
    --------
    >>> Nearest(identity=0.9).covered
    0.5
    """

    name = "nearest"
    takes = ("codes",)
    deep = False
    stochastic = False
    libraries = ("numpy", "numba")
    known_failures: ClassVar = {
        "linear-signal": "it knows relatives of training rows and nothing else, which is its purpose",
        "better-than-mean": "it predicts the mean where no training row is similar, which is its purpose",
    }

    def __init__(self, identity: float = 0.8, covered: float = 0.5) -> None:
        for name, value in (("identity", identity), ("covered", covered)):
            if not 0 < value <= 1:
                raise BenchError(f"nearest: {name!r} must be above 0 and at most 1. Got {value}.")
        self.identity, self.covered = identity, covered

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        if "nearest" not in setting.shared:
            setting.shared["nearest"] = _Relatives(train.x)
        self.relatives_ = setting.shared["nearest"]
        self.y_ = np.asarray(train.y, np.float32)
        self.mean_ = float(train.y.mean(dtype=np.float64))
        self.history = []

    def predict(self, x: Features) -> NDArray[Any]:
        found = self.relatives_.of(x, self.identity, self.covered)
        return np.where(found >= 0, self.y_[np.maximum(found, 0)], np.float32(self.mean_)).astype(np.float32)

    def memory(self, rows: int, columns: int, item_bytes: int) -> float:
        """The rows, their k-mers, and one counter a row for each thread."""
        width = columns / 4
        return rows * width * 6 + 4**11 * 12 + rows * 64

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.5 + 2e-6 * rows * columns / 4


class _Relatives:
    """The training rows, and what was found for rows that were asked for before: every target asks for the same."""

    def __init__(self, train: Features) -> None:
        from bench.kernels.similar import index_of

        self._index = index_of(np.asarray(train.values[:]))
        self._found: dict[tuple[float, float, bytes], NDArray[np.int64]] = {}

    def of(self, x: Features, identity: float, covered: float) -> NDArray[np.int64]:
        """The most similar training row of each row, int64 (n,); -1 where none is similar."""
        from bench.kernels.similar import most_similar

        codes = np.ascontiguousarray(x.values[:])
        key = identity, covered, hashlib.sha256(codes.tobytes()).digest()
        if key not in self._found:
            self._found[key] = most_similar(self._index, codes, identity=identity, covered=covered)[0]
        return self._found[key]
