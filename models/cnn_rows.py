"""Rows of the convolutional network: which it is trained on, in batches, augmented; and how they are scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.model import Part
from bench.models.cnn_layers import Recipe
from bench.sequences import COMPLEMENT


def measured(part: Part) -> Part:
    """The rows with a target, y as float32 (n, targets)."""
    y = np.asarray(part.y, np.float32).reshape(len(part.x), -1)
    rows = np.isfinite(y).any(axis=1)
    return Part(part.x, y) if rows.all() else Part(part.x.take(rows), y[rows])


def sample(rows: int, most: int, rng: np.random.Generator) -> NDArray[np.int64] | slice:
    """At most ``most`` row numbers, ascending."""
    return slice(None) if rows <= most else np.sort(rng.choice(rows, most, replace=False))


def batches(
    part: Part, recipe: Recipe, both_strands: bool, rng: np.random.Generator
) -> Iterator[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Batches without end, all of one size: a new order whenever the rows left do not fill a batch."""
    codes = part.x.kind == "codes"
    while True:
        order = rng.permutation(len(part.x))
        for first in range(0, len(order) - recipe.batch + 1, recipe.batch):
            rows = order[first : first + recipe.batch]
            x = part.x.values[rows]
            if codes and both_strands:
                x = flip(x, rng.random(len(x)) < 0.5)
            if codes and recipe.shift:
                x = shift(x, rng.integers(-recipe.shift, recipe.shift + 1, len(x)))
            yield (x if codes else x.astype(np.float32, copy=False)), part.y[rows]


def flip(codes: NDArray[np.uint8], rows: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``codes`` (n, length) with the chosen rows reverse-complemented."""
    return np.where(rows[:, None], COMPLEMENT[codes[:, ::-1]], codes)


def shift(codes: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``codes`` (n, length) with row i moved right by ``offsets[i]`` bases (left where negative), N filling the gap."""
    length = codes.shape[1]
    source = np.arange(length) - offsets[:, None]
    moved = np.take_along_axis(codes, np.clip(source, 0, length - 1), axis=1)
    return np.where((source < 0) | (source >= length), np.uint8(4), moved)


def spearman(prediction: NDArray[Any], y: NDArray[Any]) -> float:
    """Mean over targets of Spearman's rho over the measured rows; a constant counts as 0."""
    from scipy.stats import rankdata

    scores = []
    for a, b in zip(prediction.T, y.T, strict=True):
        known = np.isfinite(b)
        a, b = rankdata(a[known]), rankdata(b[known])
        spread = a.std() * b.std()
        scores.append(float(np.mean((a - a.mean()) * (b - b.mean())) / spread) if spread > 0 else 0.0)
    return float(np.mean(scores))
