"""Is a model only counting GC? One word a model, by a written rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, Estimate, block_codes, correlation_draws, estimate, spearman_draws
from bench.stats.partial import rank_residuals
from bench.stats.ranks import Array, fold_rows, gaussian_within_folds, spearman_by_fold
from bench.stats.share import mean_over_folds

#: A model whose part beyond GC is surely below the first is a counter, surely above the second grammar. On planted
#: models (40 trials each at 100 × 3, 300 × 3 and 1,000 × 1 loci × rows) a counter of GC and one of a hump-shaped effect
#: of GC were called "counter" 40 times of 40, one of GC and motif "mixed" 40 of 40, and one of a motif "grammar" 27
#: ("mixed" 13), 40 and 40 of 40.
COUNTER_BELOW, GRAMMAR_ABOVE = 0.25, 0.75

#: The words, with what each says.
WORDS = {
    "none": "its score does not differ from 0",
    "counter": "GC accounts for more than three quarters of the variance it explains",
    "composition": "more than GC, but at least three quarters of it survive a dinucleotide shuffle",
    "mixed": "both GC and something beyond it",
    "grammar": "more than three quarters of the variance it explains is beyond GC",
    "unclear": "too few loci to tell",
}


@dataclass(frozen=True)
class Verdict:
    """The figures behind the word.

    word : one of ``WORDS``. score : Spearman with y. with_gc : Spearman of the prediction with GC.
    given_gc : Spearman given GC. beyond : fraction of the variance the model explains that GC does not explain as well.
    shuffled : Spearman of y with the prediction on dinucleotide-shuffled sequences (NaN where not computed).
    """

    word: str
    score: Estimate
    with_gc: Estimate
    given_gc: Estimate
    beyond: Estimate
    shuffled: Estimate


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


def word_of(score: Estimate, given: Estimate, beyond: Estimate, shuffled: Estimate | None = None) -> str:
    """The verdict from four figures. The first line that holds decides.

    1. ``none`` where the interval of the score covers 0 (or the score is negative).
    2. ``counter`` where ``beyond`` is surely below COUNTER_BELOW (upper end of the interval).
    3. ``unclear`` where Spearman given GC covers 0: the interval is too wide to call it a counter.
    4. ``composition`` where a shuffled score is known and it keeps at least GRAMMAR_ABOVE of score² (lower end).
    5. ``grammar`` where ``beyond`` is surely above GRAMMAR_ABOVE (lower end).
    6. ``mixed``.
    """
    if not score.low > 0:
        return "none"
    if beyond.high < COUNTER_BELOW:
        return "counter"
    if given.covers_zero:
        return "unclear"
    if shuffled is not None and shuffled.low > 0 and shuffled.low**2 >= GRAMMAR_ABOVE * score.value**2:
        return "composition"
    return "grammar" if beyond.low > GRAMMAR_ABOVE else "mixed"


def gc_variance(y: NDArray[Any], y_residual: Array, fold: NDArray[Any] | None = None) -> float:
    """R²_GC: mean over folds of 1 − var(residual ranks of y)/var(ranks of y); at least 0.

    ``y_residual`` is the y column of ``partial.rank_residuals`` (ranks divided by the rows of the fold).
    """
    found = []
    ranks = gaussian_within_folds(np.asarray(y)[:, None], fold, gaussian=False)[:, 0]
    for rows in fold_rows(fold, len(ranks)):
        spread = np.var(ranks[rows] / len(rows))
        if spread > 0:
            found.append(1 - np.mean(y_residual[rows] ** 2) / spread)
    return max(0.0, float(np.mean(found))) if found else float("nan")


def judge(
    y: NDArray[Any],
    prediction: NDArray[Any],
    gc: NDArray[Any],
    locus: NDArray[Any] | None = None,
    fold: NDArray[Any] | None = None,
    shuffled: NDArray[Any] | None = None,
    draws: Draws | None = None,
) -> Verdict:
    """Verdict on one model from its held-out predictions.

    Parameters
    ----------
    y, prediction, gc : (n,), finite. locus : (n,) block labels, or codes of ``draws`` where that is given.
    fold : int (n,), negative where a row is not held out.
    shuffled : (n,), the model's mean prediction over Eulerian dinucleotide shuffles of each row
        (``shuffle.dinucleotide_shuffle``).

    A counter of something else that runs along GC (CpG, length, DNA abundance) is not told from a counter of GC.
    """
    if draws is None:
        locus, blocks = block_codes(np.arange(len(y)) if locus is None else locus)
        draws = Draws(blocks)
    tests = [prediction] if shuffled is None else [prediction, shuffled]
    scores = spearman_draws(y, np.column_stack(tests), locus, draws, fold)
    residuals = rank_residuals(np.column_stack([y, prediction]), gc, locus, fold)
    ranks = gaussian_within_folds(np.column_stack([prediction, gc]), fold, gaussian=False)
    found = mean_over_folds(
        correlation_draws(np.column_stack([residuals, ranks]), [(0, 1), (2, 3)], locus, draws, fold)
    )
    whole = mean_over_folds(
        correlation_draws(np.column_stack([residuals, ranks]), [(0, 1), (2, 3)], locus, None, fold, whole=True)
    )[0]
    value = mean_over_folds(np.array([spearman_by_fold(y, test, fold) for test in tests]).T[None])[0]
    score = estimate(value[0], scores[:, 0])
    gc_r2 = gc_variance(y, residuals[:, 0], fold)
    given = nothing_left(estimate(whole[0], found[:, 0]), score)
    beyond = estimate(variance_beyond(whole[0], value[0], gc_r2), variance_beyond(found[:, 0], scores[:, 0], gc_r2))
    beyond = nothing_left(beyond, score)
    kept = estimate(value[1], scores[:, 1]) if shuffled is not None else Estimate(float("nan"))
    word = word_of(score, given, beyond, kept)
    return Verdict(word, score, estimate(whole[1], found[:, 1]), given, beyond, kept)
