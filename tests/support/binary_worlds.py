"""Simulated boards of binary targets whose true scores are known, from plain NumPy and scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

#: Rows that true figures are computed from.
MANY = 400_000


@dataclass(frozen=True)
class World:
    """What is simulated. ``prevalence`` : of positive labels. ``gc``, ``motif``, ``of_locus`` : weights of GC, of a
    motif and of what rows of one locus share in the log odds. ``flip`` : chance that a replicate's label is turned
    over. ``noise`` : SD of a replicate's own normal noise where labels are cut from an activity (0: none)."""

    loci: int = 300
    tiles: int = 3
    folds: int = 5
    prevalence: float = 0.4
    gc: float = 1.0
    motif: float = 1.0
    of_locus: float = 1.0
    flip: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True)
class Rows:
    """Simulated rows. ``truth`` : the class itself (0, 1), or the noise-free activity; ``replicates`` : (n, 2), 0 and
    1; ``y`` : their mean. ``predictions`` : by name."""

    gc: NDArray[np.float64]
    locus: NDArray[np.int64]
    fold: NDArray[np.int64]
    truth: NDArray[np.float64]
    replicates: NDArray[np.float64]
    y: NDArray[np.float64]
    predictions: dict[str, NDArray[np.float64]]


def simulate(world: World, rng: np.random.Generator, loci: int | None = None) -> Rows:
    """One board."""
    b = world.loci if loci is None else loci
    locus = np.repeat(np.arange(b), world.tiles)
    n = len(locus)
    gc = np.round(np.clip(0.45 + 0.06 * rng.normal(size=b)[locus] + 0.05 * rng.normal(size=n), 0.1, 0.9) * 150) / 150
    z = (gc - 0.45) / 0.078
    m = rng.normal(size=n)
    activity = world.gc * z + world.motif * m + world.of_locus * rng.normal(size=b)[locus]
    own = world.noise or 1.0
    spread = float(np.sqrt(world.gc**2 + world.motif**2 + world.of_locus**2 + own**2))
    level = spread * _normal_quantile(1 - world.prevalence)
    if world.noise:
        truth = activity
        replicates = np.column_stack([activity + world.noise * rng.normal(size=n) > level for _ in range(2)])
    else:
        truth = (activity + rng.normal(size=n) > level).astype(float)
        turned = rng.random((n, 2)) < world.flip
        replicates = np.where(turned, 1 - truth[:, None], truth[:, None]).astype(bool)
    replicates = replicates.astype(float)
    learned = world.gc * z + 0.8 * world.motif * m + 0.5 * rng.normal(size=n)
    predictions = {"GC": z, "learned": learned, "GC in steps": np.floor(z * 3) + 0.0}
    return Rows(gc, locus, locus % world.folds, truth, replicates, replicates.mean(axis=1), predictions)


def true_scores(rows: Rows, name: str) -> tuple[float, float, float]:
    """AUROC and average precision of a prediction against the labels of single replicates, and AUROC among pairs of
    equal GC, which needs no bins where rows are many."""
    f, y = rows.predictions[name], rows.replicates[:, 0]
    pairs = right = 0.0
    for value in np.unique(rows.gc):
        at = rows.gc == value
        ones, zeros = y[at].sum(), (1 - y[at]).sum()
        if ones and zeros:
            pairs += ones * zeros
            right += ones * zeros * roc_auc_score(y[at], f[at])
    return roc_auc_score(y, f), average_precision_score(y, f), right / pairs


def _normal_quantile(p: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(p))
