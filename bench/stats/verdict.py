"""What of a model's score is GC? One verdict per model, by a written rule.

A model that follows what runs along GC (CpG, length, DNA abundance) is not told from one that follows GC.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Estimate
from bench.stats.ranks import Array, fold_rows, gaussian_within_folds

#: A model whose part beyond GC is surely below the first is GC-only, surely above the second beyond GC. On simulated
#: models (40 trials each at 100 × 3, 300 × 3 and 1,000 × 1 loci × rows) one of GC and one of a hump-shaped effect of GC
#: were called "GC-only" 40 times of 40, one of GC and motif "mixed" 40 of 40, and one of a motif "beyond GC" 27
#: ("mixed" 13), 40 and 40 of 40.
GC_ONLY_BELOW, BEYOND_GC_ABOVE = 0.25, 0.75

#: The verdicts, with what each says.
VERDICTS = {
    "none": "its score does not differ from 0",
    "GC-only": "GC accounts for more than three quarters of the variance it explains",
    "composition": "more than GC, but at least three quarters of it survive a dinucleotide shuffle",
    "mixed": "both GC and something beyond it",
    "beyond GC": "more than three quarters of the variance it explains is beyond GC",
    "unclear": "too few loci to tell",
}


def variance_beyond(given: Any, score: Any, gc_r2: Any) -> Any:
    """Fraction of score² that is beyond GC: ``given²·(1 − R²_GC)/score²``, with the sign of ``given``.

    given : Spearman given GC. R²_GC : fraction of the variance of the ranks of y that a spline of GC takes. The
    numerator is the squared semi-partial correlation (Cohen & Cohen 1983): what the model adds to GC.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(given) * np.abs(given) * (1 - np.asarray(gc_r2)) / np.square(score)


def nothing_left(given: Estimate, score: Estimate) -> Estimate:
    """0 for a prediction that has a score but, being a function of GC, no residual to correlate; else ``given``
    itself."""
    return Estimate(0.0, 0.0, 0.0) if np.isnan(given.value) and np.isfinite(score.value) else given


def verdict_of(score: Estimate, given: Estimate, beyond: Estimate, shuffled: Estimate | None = None) -> str:
    """The verdict from four figures. The first line that holds decides.

    1. ``none`` where the interval of the score covers 0 (or the score is negative).
    2. ``GC-only`` where ``beyond`` is surely below GC_ONLY_BELOW (upper end of the interval).
    3. ``unclear`` where Spearman given GC covers 0: the interval is too wide to call it GC-only.
    4. ``composition`` where a shuffled score is known and it keeps at least BEYOND_GC_ABOVE of score² (lower end).
    5. ``beyond GC`` where ``beyond`` is surely above BEYOND_GC_ABOVE (lower end).
    6. ``mixed``.
    """
    if not score.low > 0:
        return "none"
    if beyond.high < GC_ONLY_BELOW:
        return "GC-only"
    if given.covers_zero:
        return "unclear"
    if shuffled is not None and shuffled.low > 0 and shuffled.low**2 >= BEYOND_GC_ABOVE * score.value**2:
        return "composition"
    return "beyond GC" if beyond.low > BEYOND_GC_ABOVE else "mixed"


def gc_variance(y: NDArray[Any], y_residual: Array, fold: NDArray[Any] | None = None) -> float:
    """R²_GC: mean over folds of 1 − var(residual ranks of y)/var(ranks of y); at least 0.

    ``y_residual`` is the y column of ``partial.rank_residuals`` (ranks divided by the rows of the fold).
    """
    same_length(y=y, y_residual=y_residual, fold=fold)
    found = []
    ranks = gaussian_within_folds(np.asarray(y)[:, None], fold, gaussian=False)[:, 0]
    for rows in fold_rows(fold, len(ranks)):
        spread = np.var(ranks[rows] / len(rows))
        if spread > 0:
            found.append(1 - np.mean(y_residual[rows] ** 2) / spread)
    return max(0.0, float(np.mean(found))) if found else float("nan")
