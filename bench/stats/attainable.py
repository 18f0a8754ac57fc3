"""What the replicates of a binary target allow: the highest AUROC and average precision of any prediction.

Two replicates give one correlation, phi, and a prevalence, so that a model must say the rest. Two are computed, both
with errors that are independent between replicates and given the truth do not depend on the sequence:

* **cut**: the truth is a continuous (normal) activity, measured with normal noise and cut at a level. Phi gives the
  correlation of the measurements (tetrachoric; Pearson 1900), and the oracle, who knows the activity, ranks by it.
* **flips**: the truth is two classes, and each label is turned over with one and the same chance e. Then
  e(1 − e) = (1 − phi)·p(1 − p), and the oracle, who knows the class, reaches ½ + phi/(2(1 − 2e)).

The second is never above the first: an activity just above the level is more often called negative, and an oracle may
rank it low. So the first is the ceiling, and the second stands beside it where labels were not cut here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.binary import fraction_interval
from bench.stats.bootstrap import Draws
from bench.stats.ceilings import effective_replicates, spearman_brown
from bench.stats.intervals import Estimate, t_interval
from bench.stats.ranks import Array
from bench.stats.replicate_checks import COPIED, any_copies
from bench.stats.share import no_reliability

#: Steps of the integral over a correlation, and of a normal activity.
_ANGLES, _GRID = 400, 801


class Reached(NamedTuple):
    """AUROC and average precision, each (m,)."""

    auroc: Array
    ap: Array


@dataclass(frozen=True)
class Attainable:
    """The attainable maximum of a binary target; ``reason`` says why there is none.

    auroc, ap : by the model "cut". flips_auroc : by "flips", NaN where labels were cut from a combined value or it
    cannot give them. phi : correlation of two replicates' labels. between : AUROC of one's label by another's.
    """

    reason: str | None = None
    auroc: Estimate | None = None
    ap: Estimate | None = None
    flips_auroc: float = float("nan")
    phi: Estimate | None = None
    between: float = float("nan")


def attainable(
    y: NDArray[Any], replicates: NDArray[Any], locus: NDArray[Any], draws: Draws, blocks: int, *, cut_at: bool
) -> Attainable:
    """The attainable maximum on the rows of a board.

    Parameters
    ----------
    y : (n,), labels. replicates : (n, k), 0, 1 or NaN. locus : codes of ``draws``, of which ``blocks`` occur.
    cut_at : the label is of the combined value, cut at a threshold, which has the reliability that k replicates have
        together; else it is any one replicate's, of which y holds the mean.
    """
    n = same_length(y=y, replicates=replicates, locus=locus)
    replicates = np.asarray(replicates, float).reshape(n, -1)
    k = replicates.shape[1]
    if k < 2:
        return Attainable("one replicate")
    if any_copies(replicates):
        return Attainable(COPIED)
    sums = _sums(np.asarray(y, float), replicates, np.asarray(locus), draws.blocks)
    phi, p, positive, labelled = _agreement(sums.sum(axis=0)[None])
    drawn = [_agreement(weights.astype(np.float64) @ sums) for _, weights in draws.block_weights()]
    phi_drawn, p_drawn, _, labelled_drawn = (np.concatenate(each) for each in zip(*drawn, strict=True))
    figure = t_interval(float(phi[0]), phi_drawn, blocks)
    reason = no_reliability(figure)
    if reason is not None:
        return Attainable(reason, phi=figure)
    many = effective_replicates(replicates) if cut_at else 1.0
    value = cut(phi, p, many, labelled if cut_at else p)
    values = cut(phi_drawn, p_drawn, many, labelled_drawn if cut_at else p_drawn)
    return Attainable(
        None,
        fraction_interval(float(value.auroc[0]), values.auroc, blocks),
        fraction_interval(float(value.ap[0]), values.ap, blocks),
        float("nan") if cut_at else float(flips(phi, p).auroc[0]),
        figure,
        # of two replicates with one prevalence p: sensitivity P(1|1), specificity P(0|0), and half of their sum
        float((positive[0] / p[0] + (1 - 2 * p[0] + positive[0]) / (1 - p[0])) / 2),
    )


def _sums(y: Array, replicates: Array, locus: NDArray[Any], blocks: int) -> Array:
    """Of every block: pairs of labels of one row, positive labels in them (mean of the two), pairs that are both
    positive; rows, and labels; float64 (blocks, 5)."""
    table = np.zeros((blocks, 5))
    table[:, 3], table[:, 4] = np.bincount(locus, minlength=blocks), np.bincount(locus, y, blocks)
    for i, j in combinations(range(replicates.shape[1]), 2):
        a, b = replicates[:, i], replicates[:, j]
        both = np.isfinite(a) & np.isfinite(b)
        for column, values in enumerate((np.ones(len(a)), (a + b) / 2, a * b)):
            table[:, column] += np.bincount(locus[both], values[both], blocks)
    return table


def _agreement(sums: Array) -> tuple[Array, Array, Array, Array]:
    """phi, prevalence and the part of pairs that are both positive, prevalence of the label, (m,) each, of sums
    (m, 5)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        p, positive = sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]
        return (positive - p**2) / (p * (1 - p)), p, positive, sums[:, 4] / sums[:, 3]


def flips(phi: NDArray[Any], p: NDArray[Any]) -> Reached:
    """What the class itself reaches on labels turned over with one chance. phi, p : (m,). NaN where the model cannot
    give them."""
    phi, p = np.asarray(phi, float), np.asarray(p, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        j = np.sqrt(1 - 4 * (1 - phi) * p * (1 - p))  # 1 − 2e
        truth = (p - (1 - j) / 2) / j  # prevalence of the class
        sensitive = truth * (1 + j) / 2 / p  # part of positive labels whose class is positive
        precise = (1 + j) / 2
        ap = sensitive * precise + (1 - sensitive) * p
        found = (phi > 0) & (truth > 0) & (truth < 1)
        return Reached(np.where(found, 0.5 + phi / (2 * j), np.nan), np.where(found, ap, np.nan))


def tetrachoric(phi: NDArray[Any], p: NDArray[Any]) -> Array:
    """Correlation of two normal measurements whose cuts at prevalence p correlate at phi ≥ 0; (m,) each.

    P(both above) = p² + ∫₀^{asin r} exp(−c²/(1 + sin t)) dt/2π, c the cut (Owen 1956), inverted on a grid.
    """
    from scipy.special import ndtri

    phi, p = np.asarray(phi, float), np.asarray(p, float)
    angle = np.linspace(0, np.pi / 2, _ANGLES)
    found = np.full(phi.shape, np.nan)
    for i in np.flatnonzero(np.isfinite(phi) & (phi >= 0) & (p > 0) & (p < 1)):
        density = np.exp(-(ndtri(p[i]) ** 2) / (1 + np.sin(angle))) / (2 * np.pi)
        both = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(angle))))
        found[i] = np.sin(np.interp(phi[i] * p[i] * (1 - p[i]), both, angle))
    return found


def cut(phi: NDArray[Any], p: NDArray[Any], replicates: float = 1.0, labelled: NDArray[Any] | None = None) -> Reached:
    """What the activity itself reaches on labels that are cuts of it and normal noise, made of so many replicates whose
    own cuts, of prevalence p, correlate at phi. labelled : prevalence of the labels; p without it. All (m,)."""
    from scipy.special import ndtr, ndtri

    of_label = np.asarray(p if labelled is None else labelled, float)
    reliability = np.clip(spearman_brown(tetrachoric(phi, p), replicates), 1e-9, 1 - 1e-9)[:, None]
    t = np.linspace(-5, 5, _GRID)[::-1]  # from the highest activity down
    mass = np.exp(-(t**2) / 2)
    mass = mass / mass.sum()
    chance = ndtr((np.sqrt(reliability) * t + ndtri(of_label)[:, None]) / np.sqrt(1 - reliability))
    ones, zeros = mass * chance, mass * (1 - chance)
    above, below = np.cumsum(ones, axis=1), np.cumsum(zeros, axis=1)
    right = (ones * (below[:, -1:] - below + zeros / 2)).sum(axis=1) / (above[:, -1] * below[:, -1])
    at = above - ones / 2, below - zeros / 2
    ap = (ones * at[0] / (at[0] + at[1])).sum(axis=1) / above[:, -1]
    return Reached(right, ap)
