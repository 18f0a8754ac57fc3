"""How much of the explainable variance is GC's: shares of variance, with their two denominators.

G is the held-out prediction of the best GC-only learner, D that of the best learner that sees the sequence. Every
variable is rank-Gaussian over all held-out rows; correlations are taken within a fold and averaged over folds, and R²
follows from the average. In-sample predictions make every figure meaningless. A weak D leaves ``of_learned`` too high,
a weak G leaves every share of GC too low.

Scale. R² lives on the rank-Gaussian scale, so the reliability that divides it must too: Pearson of rank-Gaussian
replicates (``ceilings.ceiling(..., gaussian=True)``). Spearman runs below Pearson on Gaussian data (.483 for .5), and a
Spearman ρk under a rank-Gaussian R² lifts a simulated share of .5 by .014 at a replicate reliability of .5 and by .029
at .2, where this form is off by .002 and .009 (2,000 loci, 30 trials).
Why one transform for all folds: in a fold of 20 loci of 30 tiles the scores of G follow its clumps and those of noisy y
do not, and the simulated share of 1 read .956; with one transform .978 (40 trials, G fitted). The correlations stay
within folds.
Why predictions are first put on one scale (``ranks.fold_aligned``): each fold is a fit of its own. Where folds differ
in level by 5 deviations, the simulated share of 1 read .944 by one transform alone, .994 with it (.988 by ranks within
folds; 30 trials at reliability .5, G known). So a share does not change with a monotone transform of y, nor with the
level and spread of the predictions of a fold; with a curved transform of predictions not at all in one fold, hardly in
several.
Why the mean of correlations and not of R²: a fold of 400 rows adds 1/400 to its R² by chance, and averaging keeps all
of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np


@dataclass(frozen=True)
class Share:
    """Parts of the variance of rank-Gaussian y. Every field is a float, or an array of bootstrap draws.

    r2_gc, r2_best, r2_both : R²(G), R²(D), R²(G, D). R² of a single prediction carries the sign of its correlation: a
        held-out prediction that points the wrong way has explained less than nothing.
    unique_gc : U_G = R²(G, D) − R²(D). unique_best : U_D = R²(G, D) − R²(G).
    common : C = R²(G) + R²(D) − R²(G, D). It can be negative (suppression): print it.
    shapley : U_G + C/2.
    reliability : ρk on the rank-Gaussian scale; NaN without replicates.
    of_explainable : R²(G)/ρk. of_learned : R²(G)/R²(G, D). They differ up to tenfold: name the denominator.
    unique_of_explainable : U_G/ρk, the low end of GC's share; ``of_explainable`` = (U_G + C)/ρk is its high end.
        Variance that GC and motifs share has no owner, hence an interval.
    best_of_explainable : R²(D)/ρk.
    """

    r2_gc: Any
    r2_best: Any
    r2_both: Any
    unique_gc: Any
    unique_best: Any
    common: Any
    shapley: Any
    reliability: Any
    of_explainable: Any
    of_learned: Any
    unique_of_explainable: Any
    best_of_explainable: Any

    def items(self) -> list[tuple[str, Any]]:
        """``(name, value)`` of every field."""
        return [(item.name, getattr(self, item.name)) for item in fields(self)]


#: Which interval a part gets (``bootstrap.estimate``): gains in R² are 0 at the least, squares have a sign; others
#: plain.
INTERVALS: dict[str, Literal["gain", "square"]] = {
    "unique_gc": "gain",
    "unique_best": "gain",
    "unique_of_explainable": "gain",
    "r2_gc": "square",
    "r2_best": "square",
    "of_explainable": "square",
    "of_learned": "square",
    "best_of_explainable": "square",
}


def share_of(y_gc: Any, y_best: Any, gc_best: Any, reliability: Any = np.nan) -> Share:
    """Shares from three correlations: ρ(y, G), ρ(y, D), ρ(G, D), and the reliability of y. Scalars or arrays of draws.

    ``R²(G, D) = (a² + b² − 2abc)/(1 − c²)`` with a, b, c in that order. Where G and D are one variable (c² = 1) it is
    max(a², b²). Source: commonality analysis (Newton & Spurrell 1967), Shapley 1953 for the split of C. A reliability
    that is not positive gives NaN.
    """
    a, b, c, rho = (np.asarray(value, float) for value in (y_gc, y_best, gc_best, reliability))
    same = 1 - c * c < 1e-9
    both = np.where(same, np.maximum(a * a, b * b), (a * a + b * b - 2 * a * b * c) / np.where(same, 1, 1 - c * c))
    r2_gc, r2_best = a * np.abs(a), b * np.abs(b)
    rho = np.where(rho > 0, rho, np.nan)
    unique_gc = both - r2_best
    common = r2_gc + r2_best - both
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (
            r2_gc, r2_best, both, unique_gc, both - r2_gc, common, unique_gc + common / 2, rho,
            r2_gc / rho, r2_gc / both, unique_gc / rho, r2_best / rho,
        )  # fmt: skip
    return Share(*(value if np.ndim(value) else float(value) for value in values))


def choose_on_validation(names: Sequence[str], validation: Mapping[str, float]) -> str | None:
    """The name with the highest validation score; the first of equals. None where no score is a number.

    Choosing on the test rows instead would credit the chosen learner with its luck.
    """
    scores = [validation.get(name, np.nan) for name in names]
    if not names or not np.isfinite(scores).any():
        return None
    return names[int(np.nanargmax(np.asarray(scores, float)))]
