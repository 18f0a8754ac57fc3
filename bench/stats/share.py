"""How much of the explainable variance is GC's, on ranks: the product form, and the parts that it is made of.

G is the held-out prediction of a GC-only learner, D that of the best learner that sees the sequence, each chosen fold
by fold (``choose_per_fold``). In-sample predictions make every figure meaningless. A weak D leaves ``of_learned`` too
high, a weak G leaves every share of GC too low.

One scale: Spearman. A reader who multiplies ρ(G, y1) and ρ(G, y2) and divides by ρ(y1, y2) gets the printed share. The
estimand is the squared rank correlation of E[activity | GC] with the noise-free activity, rows weighted equally.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws
from bench.stats.intervals import (
    NOTHING,
    Estimate,
    imbens_manski,
    jackknife_square,
    square_t,
    standard_error,
    student,
    t_interval,
)
from bench.stats.pooled import Pooled, pooled_correlations
from bench.stats.ranks import Array
from bench.stats.replicate_checks import COPIED
from bench.stats.replicates import replicate_pairs

#: The interval by chromosome is shown where it is so many times as wide: in 1 board of 10 of equal worlds, in 6 of 10
#: where GC and activity vary by domain, in all where GC's slope varies by chromosome.
WIDER = 1.5
#: Where the share on normal scores is so many times the one on ranks, or the reverse, the tails carry it.
TAILS = 1.3
#: The two forms of a share are both shown where they are this far apart.
FORMS_DIFFER = 0.03


# ---- product form ----------------------------------------------------------------------------------------------------
def product_form(with_f: Any, between: Any) -> Any:
    """Share of explainable variance without equal replicates: mean of ρ(f, yi)·ρ(f, yj) over mean ρ(yi, yj), i < j.

    Source: correction for attenuation, Spearman 1904; the FEV of neural prediction (Haefner & Cumming 2009). Each
    replicate's own noise cancels. Assumes independent noise. The sign is that of the mean ρ(f, yi), and negative too
    where the replicates disagree on it.

    Parameters
    ----------
    with_f : (..., k). between : (..., k(k − 1)/2), in the order of ``replicate_pairs``.

    Returns
    -------
    (...); NaN where the mean correlation of the replicates is not positive.
    """
    with_f, between = np.asarray(with_f, float), np.asarray(between, float)
    i, j = np.array(replicate_pairs(with_f.shape[-1])).T
    top = (with_f[..., i] * with_f[..., j]).mean(axis=-1)
    below = between.mean(axis=-1)
    sign = np.where(with_f.mean(axis=-1) < 0, -1.0, 1.0)
    with np.errstate(invalid="ignore"):
        return np.where(top < 0, top, sign * top) / np.where(below > 0, below, np.nan)


@dataclass(frozen=True, eq=False)
class ProductShare:
    """A share in the product form.

    value : with its interval by locus; NaN where n/a, for ``reason``. by_chromosome : with an interval by chromosome;
    ``wide`` : it is WIDER times as wide. rho_f (k,), rho_y (pairs,) : what it is made of. replicate : mean of rho_y.
    drawn : (draws,).
    """

    value: Estimate
    by_chromosome: Estimate
    wide: bool
    reason: str | None
    rho_f: Array
    rho_y: Array
    replicate: Estimate
    drawn: Array


def no_reliability(replicate: Estimate) -> str | None:
    """Why nothing can be divided by what the replicates agree on; None where it can."""
    if not np.isfinite(replicate.value):
        return "no two replicates were measured on the same rows"
    if replicate.high < 0:
        return f"the replicates run against one another (correlation {replicate.value:.2f})"
    if not replicate.value > 0:
        return "the replicates do not correlate"
    if not replicate.low > 0:
        said = f"the correlation of the replicates, {replicate.value:.2f}"
        if not np.isfinite(replicate.low):
            return f"{said}, has no interval: too few loci, or too few values that differ"
        return f"{said} [{replicate.low:.2f}, {replicate.high:.2f}], cannot be told from 0"
    return None


def share_from(
    with_f: tuple[Array, Array, Array],
    between: tuple[Array, Array, Array],
    blocks: int,
    k: int,
    *,
    copied: bool = False,
) -> ProductShare:
    """A share from pooled correlations: point, draws and left-out groups of each (as in ``Pooled``).

    with_f : of the prediction with each of k replicates; (k,), (draws, k), (groups, k), or seeds · k columns, seed by
    seed, and then the share is the mean of the seeds' own. between : of the replicates. copied : two of them are one.
    """

    def by_seed(found: Array) -> Array:
        return found.reshape(*found.shape[:-1], found.shape[-1] // k, k)

    def of(one: Array, other: Array) -> Array:
        found: Array = product_form(by_seed(one), other[..., None, :]).mean(axis=-1)
        return found

    value, drawn = float(of(with_f[0], between[0])), of(with_f[1], between[1])
    replicate = t_interval(float(between[0].mean()), between[1].mean(axis=1), blocks)
    reason = COPIED if copied else no_reliability(replicate)
    by_locus, by_group = square_t(value, drawn, blocks), jackknife_square(value, of(with_f[2], between[2]))
    if reason is not None:
        by_locus = by_group = NOTHING
    return ProductShare(
        by_locus,
        by_group,
        bool(by_group.width > WIDER * by_locus.width),
        reason,
        by_seed(with_f[0]).mean(axis=-2),
        between[0],
        replicate,
        drawn,
    )


def share_of_columns(
    prediction: Array,
    replicates: Array,
    locus: NDArray[Any],
    fold: NDArray[Any],
    *,
    weights: Array | None,
    draws: Draws,
    groups: NDArray[Any] | None = None,
    copied: bool = False,
) -> ProductShare:
    """The product form of a prediction (n,) or (n, seeds) and replicates (n, k) that are on their final scale (places,
    residuals). ``copied`` : two of the replicates are one."""
    k = replicates.shape[1]
    predictions = prediction.reshape(len(prediction), -1)
    seeds = predictions.shape[1]
    pairs = [(s, seeds + i) for s in range(seeds) for i in range(k)]
    pairs += [(seeds + i, seeds + j) for i, j in replicate_pairs(k)]
    columns = np.column_stack([predictions, replicates])
    found = pooled_correlations(columns, pairs, locus, fold, weights=weights, draws=draws, groups=groups)
    with_f, between = slice(0, seeds * k), slice(seeds * k, None)
    return share_from(
        parts_of(found, with_f), parts_of(found, between), len(np.unique(locus[fold >= 0])), k, copied=copied
    )


def parts_of(found: Pooled, pairs: slice) -> tuple[Array, Array, Array]:
    """Point, draws and left-out groups of some pairs."""
    return found.point[pairs], found.drawn[:, pairs], found.left_out[:, pairs]


def smallest_detectable(with_f: Array, between: float, blocks: int, power: float = 0.8) -> float:
    """Smallest share whose interval would exclude 0 with a chance of ``power``: ((t.975 + t.power)·SE/√ρ̄_y)².

    Near 0 the root of a share is c/√ρ̄_y, c the mean correlation with the replicates, whose standard error does not
    depend on the share to first order. with_f : draws (draws, k). between : mean correlation of the replicates. Equal
    worlds of 300 loci × 3 read .018, 50 loci .10, 20 × 50 .18.
    """
    if not between > 0:
        return float("nan")
    error = standard_error(with_f.mean(axis=1), blocks) / np.sqrt(between)
    return float(((student(0.975, blocks - 1) + student(power, blocks - 1)) * error) ** 2)


def robustness_value(share: float) -> float:
    """Robustness value of a share s taken as partial R² of GC with activity: (√(f⁴ + 4f²) − f²)/2, f² = s/(1 − s).

    A bias of the library that takes this fraction of the residual variance both of GC and of activity would bring the
    share to 0. Source: Cinelli & Hazlett 2020, equation 18. 0 for a share of 0 or less, 1 for one of 1 or more.
    """
    if np.isnan(share):
        return float("nan")
    if share >= 1:
        return 1.0
    f2 = max(share, 0.0) / (1 - max(share, 0.0))
    return float((np.sqrt(f2 * f2 + 4 * f2) - f2) / 2)


# ---- parts -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Parts:
    """Parts of the variance that G and D explain together, on the scale of the shares that they are made of. Every
    field is a float, an array of draws, or an ``Estimate``.

    r2_gc, r2_best : shares of G and D, with their sign. both : of G and D together.
    unique_gc : both − share of D. unique_best : both − share of G. common : the rest; it can be negative (suppression).
    shapley : unique_gc + common/2. of_learned : share of G over both.
    """

    r2_gc: Any
    r2_best: Any
    both: Any
    unique_gc: Any
    unique_best: Any
    common: Any
    shapley: Any
    of_learned: Any

    def items(self) -> list[tuple[str, Any]]:
        """``(name, value)`` of every field."""
        return [(item.name, getattr(self, item.name)) for item in fields(self)]


#: Which interval a part gets (``intervals.estimate``).
INTERVALS: Mapping[str, Any] = {
    "r2_gc": "square",
    "r2_best": "square",
    "both": "square",
    "unique_gc": "gain",
    "unique_best": "gain",
    "common": "plain",
    "shapley": "plain",
    "of_learned": "fraction",
}


def commonality(share_gc: Any, share_best: Any, gc_best: Any) -> Parts:
    """The parts from the shares of G and of D, and their correlation with each other; scalars or arrays of draws.

    Source: commonality analysis (Newton & Spurrell 1967), Shapley 1953 for the split of what is common. Shares are
    clipped at 0 first, and a prediction that runs the wrong way owns nothing: its correlation with the other would make
    it a suppressor (for G = −GC, "43 % is GC's alone"). R² = (a² + b² − 2abc)/(1 − c²), at least the larger of a² and
    b²; that larger one where G and D are one variable.
    """
    given = np.broadcast_arrays(*(np.asarray(value, float) for value in (share_gc, share_best, gc_best)))
    gc, best, c = given
    a, b = np.sqrt(np.maximum(gc, 0)), np.sqrt(np.maximum(best, 0))
    larger = np.maximum(a * a, b * b)
    alone = (1 - c * c < 1e-6) | (a == 0) | (b == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.where(alone, larger, (a * a + b * b - 2 * a * b * c) / np.where(alone, 1, 1 - c * c))
        both = np.maximum(both, larger)
        unique_gc, unique_best = both - b * b, both - a * a
        common = a * a + b * b - both
        values = (gc, best, both, unique_gc, unique_best, common, unique_gc + common / 2, a * a / both)
    return Parts(*(value if np.ndim(value) else float(value) for value in values))


def attributable(parts: Parts, drawn: Parts, blocks: int) -> tuple[float, float, Estimate]:
    """What GC may own: from what is unique to it to that and what is common, ends in order, and the interval of Imbens
    & Manski for a truth anywhere in between."""
    low, high = map(float, sorted_ends(parts))
    error_low, error_high = (standard_error(end, blocks) for end in sorted_ends(drawn))
    return low, high, imbens_manski(low, high, error_low, error_high)


def sorted_ends(parts: Parts) -> tuple[Any, Any]:
    """Lower and upper end of what GC may own, figure by figure."""
    one, other = parts.unique_gc, parts.unique_gc + parts.common
    return np.minimum(one, other), np.maximum(one, other)


# ---- choosing --------------------------------------------------------------------------------------------------------
def choose_per_fold(names: Sequence[str], scores: Mapping[str, Array], folds: int) -> list[str] | None:
    """For each fold the name with the highest validation score of that fold; None where no score is a number.

    In k-fold cross-validation the validation rows of a fold are test rows of another: by the mean over folds 20
    learners of pure noise scored .076 on test rows, chosen fold by fold −.0005 ± .0014 (800 boards). The first of
    equals wins, NaN never does; a fold without any score takes the name that the others take most.

    scores : name → (folds,).
    """
    table = np.array([np.broadcast_to(scores[name], folds) for name in names], float).reshape(len(names), folds)
    known = np.isfinite(table).any(axis=0) if len(names) else np.zeros(folds, bool)
    if not known.any():
        return None
    chosen = np.argmax(np.where(np.isfinite(table), table, -np.inf), axis=0)
    usual = np.bincount(chosen[known], minlength=len(names)).argmax()
    return [names[int(i)] for i in np.where(known, chosen, usual)]
