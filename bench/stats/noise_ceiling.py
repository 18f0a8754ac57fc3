"""The noise ceiling of a combined target, of rows or of differences of rows, with its interval or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.stats.ceilings import Ceiling, combined_ceiling, effective_replicates, spearman_brown
from bench.stats.intervals import NOTHING, Estimate, estimate, t_interval
from bench.stats.library import Bound
from bench.stats.ranks import Array, spearman_by_fold
from bench.stats.replicate_checks import COPIED
from bench.stats.replicates import Combined, replicate_pairs
from bench.stats.share import no_reliability

NAN = float("nan")
_WORDS = {"ties": "most values are tied", "two modes": "activity has two modes"}


class NoiseCeiling(NamedTuple):
    """ceiling : None for ``reason``. best : √ρk with its interval. drawn : (draws,), NaN where there is none."""

    ceiling: Ceiling | None
    reason: str | None
    best: Estimate
    drawn: Array


def noise_ceiling(
    replicates: Array,
    combined: Combined,
    fold: NDArray[Any],
    between: tuple[float, Array],
    runs: Array | None,
    blocks: int,
    *,
    copied: bool = False,
    at_least: Sequence[Bound] = (),
    raw: bool = False,
) -> NoiseCeiling:
    """The ceiling of what replicates (n, k) make (``ceilings.combined_ceiling``).

    Parameters
    ----------
    between : mean correlation of the replicates on the scale of the shares, and its draws (draws,).
    runs : predictions (n, seeds) of a good learner, which tell unlike replicates apart; None without one.
    copied : two of the replicates are one. at_least : why noise is not of one size. raw : as in ``combined_ceiling``.
    """
    k = replicates.shape[1]
    mean, drawn = float(between[0]), between[1]
    none = np.full(len(drawn), NAN)
    if k < 2:
        return NoiseCeiling(None, "one replicate" if k else "no replicates", NOTHING, none)
    reason = COPIED if copied else no_reliability(t_interval(mean, drawn, blocks))
    if reason is None and at_least:
        reason = f"{' and '.join(_WORDS[why] for why in at_least)}, so the noise is not of one size"
    if reason is not None:
        return NoiseCeiling(None, reason, NOTHING, none)
    by_pair = np.array([mean_score(replicates[:, i], replicates[:, j], fold) for i, j in replicate_pairs(k)])
    with_runs = None
    if runs is not None:
        with_runs = np.array([np.mean([mean_score(y, run, fold) for run in runs.T]) for y in replicates.T])
    best = combined_ceiling(replicates, combined, by_pair, with_runs, blocks, raw=raw)
    if not np.isfinite(best):
        return NoiseCeiling(None, "the replicates do not correlate", NOTHING, none)
    rows = effective_replicates(replicates)
    # its draws run with the mean replicate correlation, as Spearman-Brown's
    with np.errstate(invalid="ignore"):
        scale = spearman_brown(np.where(drawn > 0, drawn, NAN), rows)
        many = best * np.sqrt(scale / spearman_brown(mean, rows))
    known = Ceiling(float(np.nanmean(by_pair)), rows, best**2, best)
    return NoiseCeiling(known, None, estimate(best, many, blocks), many)


def mean_score(a: Array, b: Array, fold: NDArray[Any]) -> float:
    """Mean of the folds' own Spearman of two columns, as a score is made, on the rows that have both."""
    both = np.isfinite(a) & np.isfinite(b)
    found = spearman_by_fold(a[both], b[both], fold[both])
    return float(np.nan_to_num(found).mean()) if len(found) else NAN
