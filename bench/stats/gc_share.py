"""GC's share, with everything that decides how it may be printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.stats.correlations import DrawnCorrelations
from bench.stats.intervals import NOTHING, Estimate, estimate, signed_square, square_t
from bench.stats.library import Bound, ShareGiven, share_given
from bench.stats.observations import HeldOut
from bench.stats.pooled import pooled_correlations, prediction_places
from bench.stats.ranks import Array, places
from bench.stats.replicates import replicate_pairs
from bench.stats.rows import Choice, RowFigures, product_share
from bench.stats.share import (
    FORMS_DIFFER,
    INTERVALS,
    TAILS,
    Parts,
    ProductShare,
    attributable,
    commonality,
    product_form,
    robustness_value,
    smallest_detectable,
)

NAN = float("nan")


@dataclass(frozen=True, eq=False)
class ShareFigures:
    """GC's share by one GC-only prediction.

    gc, best : the choices (best None where none sees the sequence). value : the headline, NaN for ``reason``; it is a
    lower bound for each of ``at_least``. shown : the product form that it is, raw or given DNA (``given_shown``).
    raw : None with fewer than two replicates. given : with DNA held fixed, None without DNA counts.
    mean_form : (score/ceiling)², NaN where it does not differ. robustness : robustness value.
    normal_scores : the share on normal scores; tails : it is TAILS times apart. smallest : smallest detectable share.
    of_total : signed squared Spearman with the combined target. parts : commonality with D, fractions of the
    explainable variance (of all variance where the value is n/a), every field an ``Estimate``; None without D.
    range_low, range_high, range_interval : what GC may own.
    """

    gc: Choice
    best: Choice | None
    value: Estimate
    reason: str | None
    at_least: tuple[Bound, ...]
    shown: ProductShare | None
    raw: ProductShare | None
    given: ShareGiven | None
    given_shown: bool
    mean_form: float
    robustness: float
    normal_scores: float
    tails: bool
    smallest: float
    of_total: Estimate
    parts: Parts | None
    range_low: float
    range_high: float
    range_interval: Estimate


def share_figures(
    held: HeldOut,
    found: DrawnCorrelations,
    gc: Choice,
    best: Choice | None,
    at_least: tuple[Bound, ...],
    row: RowFigures,
) -> ShareFigures:
    """GC's share by the choice ``gc``, whose figures are ``row``."""
    raw = product_share(held, found, gc.key)
    given = _given(held, gc, raw, "ties" in at_least)
    # With most counts 0 a ratio is mostly the DNA count below its bar: 88 % zeros, share .283: raw .003, given DNA .098
    # on all rows, .192 on those with 10 counts.
    given_shown = "ties" in at_least and given is not None and given.share.reason is None
    shown = given.share if given_shown and given is not None else raw
    value, reason = (NOTHING, "one replicate") if shown is None else (shown.value, shown.reason)
    if shown is None and held.replicates.shape[1] == 0:
        reason = "no replicates"
    known = bool(np.isfinite(value.value))
    mean_form = float(signed_square(row.of_ceiling.value))
    differ = known and np.isfinite(mean_form) and abs(mean_form - value.value) > FORMS_DIFFER
    total, total_drawn = found.means(("with y", gc.key))
    normal = _on_normal_scores(held, gc) if raw is not None and raw.reason is None else NAN
    parts, low, high, interval = _parts(held, found, gc, best, raw)
    return ShareFigures(
        gc=gc,
        best=best,
        value=value,
        reason=reason,
        at_least=at_least if known else (),
        shown=shown,
        raw=raw,
        given=given,
        given_shown=given_shown,
        mean_form=mean_form if differ else NAN,
        robustness=robustness_value(value.value),
        normal_scores=normal,
        tails=raw is not None and _tails(raw.value, normal),
        smallest=_smallest(held, found, gc),
        of_total=square_t(float(signed_square(total)), signed_square(total_drawn), held.blocks),
        parts=parts,
        range_low=low,
        range_high=high,
        range_interval=interval,
    )


def _given(held: HeldOut, gc: Choice, raw: ProductShare | None, sparse: bool) -> ShareGiven | None:
    """The share given DNA; None without counts that differ, or without replicates. ``sparse`` : rows with few counts
    are taken too rather than nothing."""
    if raw is None or held.dna is None or held.copied:
        return None
    known = np.isfinite(held.dna)
    if known.sum() < 10 or np.ptp(held.dna[known]) == 0:
        return None

    def of(all_rows: bool) -> ShareGiven:
        assert held.dna is not None
        return share_given(
            held.runs[gc.key],
            held.replicates,
            held.dna,
            held.codes,
            held.fold,
            held.draws,
            held.groups,
            all_rows=all_rows,
        )

    first = of(False)
    return of(True) if sparse and first.share.reason is not None and first.rows is not None else first


def _tails(raw: Estimate, normal: float) -> bool:
    """Whether ranks and normal scores tell two stories of a share that is off 0."""
    if raw.covers_zero or not np.isfinite(normal) or raw.value * normal <= 0:
        return False
    return bool(max(raw.value / normal, normal / raw.value) > TAILS)


def _on_normal_scores(held: HeldOut, gc: Choice) -> float:
    """The product form on normal scores of the same ranks."""
    from scipy.special import ndtri

    k, weights = held.replicates.shape[1], held.weights
    ranked = [prediction_places(run, held.fold, held.codes, weights) for run in held.runs[gc.key].T]
    seeds = len(ranked)
    columns = ndtri(np.column_stack([*ranked, *(places(column, weights) for column in held.replicates.T)]))
    pairs = [(s, seeds + i) for s in range(seeds) for i in range(k)]
    pairs += [(seeds + i, seeds + j) for i, j in replicate_pairs(k)]
    r: Array = pooled_correlations(columns, pairs, held.codes, held.fold, weights=weights).point
    return float(np.mean(product_form(r[: seeds * k].reshape(seeds, k), r[None, seeds * k :])))


def _smallest(held: HeldOut, found: DrawnCorrelations, gc: Choice) -> float:
    k = held.replicates.shape[1]
    if k < 2 or held.copied:
        return NAN
    drawn = found.drawn(("with replicates", gc.key))
    by_replicate = drawn.reshape(len(drawn), -1, k).mean(axis=1)
    return smallest_detectable(by_replicate, float(found.point(("replicates",)).mean()), held.blocks)


def _parts(
    held: HeldOut, found: DrawnCorrelations, gc: Choice, best: Choice | None, raw: ProductShare | None
) -> tuple[Parts | None, float, float, Estimate]:
    """Commonality of G and D on the scale of the product form, or of all variance where that is n/a."""
    if best is None:
        return None, NAN, NAN, NOTHING
    of_best = product_share(held, found, best.key)
    if raw is not None and of_best is not None and raw.reason is None:
        shares = [(raw.value.value, raw.drawn), (of_best.value.value, of_best.drawn)]
    else:
        shares = [
            (float(signed_square(total)), signed_square(drawn))
            for total, drawn in (found.means(("with y", choice.key)) for choice in (gc, best))
        ]
    c, c_drawn = found.means(("G with D", gc.key))
    one, many = (commonality(shares[0][i], shares[1][i], (float(c), c_drawn)[i]) for i in range(2))
    parts = Parts(
        *(
            estimate(value, drawn, held.blocks, INTERVALS[name])
            for (name, value), (_, drawn) in zip(one.items(), many.items(), strict=True)
        )
    )
    return parts, *attributable(one, many, held.blocks)
