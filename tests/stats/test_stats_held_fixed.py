"""GC held fixed in every way at once, on simulated truth and against scipy."""

import numpy as np
import pytest
import reference_statistics as reference
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from bench.stats import bootstrap, held_fixed, partial

NAN = float("nan")


def world(gc_part, motif_part, n=3000, seed=0):
    """GC, a motif that GC knows nothing of, and y made of both; three folds, loci of three rows."""
    rng = np.random.default_rng([seed, 9])
    gc, motif, noise = rng.normal(size=(3, n))
    return gc, motif, gc_part * gc + motif_part * motif + 0.5 * noise, np.arange(n) // 3, np.arange(n) // 3 % 3


def test_gc_keeps_nothing_and_a_motif_everything():
    gc, motif, y, locus, fold = world(1.0, 1.0)
    of_gc = held_fixed.held_fixed(y, gc**3, gc, locus, fold)
    assert spearmanr(y, gc).statistic > 0.6
    assert of_gc.within_bins == (0, 0, 0)  # a line in each bin leaves nothing of it
    assert of_gc.matched.value == pytest.approx(0.5, abs=0.03)
    assert of_gc.matched.low < 0.5 < of_gc.matched.high
    # where GC is all there is, a GC-only model loses nothing
    assert of_gc.gc_only_null.value == pytest.approx(spearmanr(y, gc).statistic, abs=0.03)
    of_motif = held_fixed.held_fixed(y, motif, gc, locus, fold)
    # semi-partial: of y as it is, within bins
    assert of_motif.within_bins.value == pytest.approx(reference.spearman_given(y, motif, gc, locus, fold), abs=0.07)
    assert of_motif.matched.low > 0.65
    assert of_motif.gc_only_null.low < 0 < of_motif.gc_only_null.high


def test_within_bins_a_hump_of_gc_loses_its_score():
    gc, _, _, locus, fold = world(0.0, 0.0)
    y = -(gc**2) + np.random.default_rng(3).normal(size=len(gc))
    found = held_fixed.held_fixed(y, -(gc**2), gc, locus, fold)
    assert spearmanr(y, -(gc**2)).statistic > 0.6
    assert found.within_bins == (0, 0, 0)


def test_within_bins_agrees_with_scipy_bin_by_bin():
    gc, motif, y, locus, _ = world(0.5, 0.5, n=600)
    found = held_fixed.held_fixed(y, motif, gc, locus, np.zeros(600, int))
    bins = partial.gc_bins(gc)
    left, within = np.empty(600), np.empty(600)
    for b in np.unique(bins):
        rows = bins == b
        rank = rankdata(motif)[rows]
        left[rows] = rank - np.polyval(np.polyfit(gc[rows], rank, 1), gc[rows])
        within[rows] = rankdata(y)[rows] - rankdata(y)[rows].mean()
    expected = np.corrcoef(left, within)[0, 1]
    assert found.within_bins.value == pytest.approx(expected)
    assert found.within_bins.low < expected < found.within_bins.high


def test_matched_rows_are_told_apart_by_auroc():
    gc, motif, y, locus, _ = world(1.0, 0.7)
    found = held_fixed.held_fixed(y, motif, gc, locus, np.zeros(len(y), int))
    rows = partial.gc_matched(y, gc, np.random.default_rng(np.random.SeedSequence([0, 50])))
    assert found.matched_rows == len(rows)
    assert found.matched.value == pytest.approx(roc_auc_score(y[rows] > np.median(y), motif[rows]), abs=1e-3)


def test_seeds_are_averaged_by_score():
    gc, motif, y, locus, fold = world(0.5, 0.5, n=900)
    other = motif + np.random.default_rng(1).normal(size=900)
    both = held_fixed.held_fixed(y, np.column_stack([motif, other]), gc, locus, fold)
    alone = [held_fixed.held_fixed(y, each, gc, locus, fold).within_bins.value for each in (motif, other)]
    assert both.within_bins.value == pytest.approx(np.mean(alone))


def test_rows_without_a_prediction_are_left_out_of_a_score():
    _, motif, y, locus, fold = world(0.0, 1.0, n=900)
    draws = bootstrap.Draws(300)
    runs = np.where(np.arange(900) % 2 == 0, motif, NAN)[:, None]
    there = np.where(np.isfinite(runs[:, 0]), fold, -1)
    found = bootstrap.spearman_estimate(y, runs, locus, there, draws)
    expected = np.mean([spearmanr(y[there == f], motif[there == f]).statistic for f in range(3)])
    assert found.value == pytest.approx(expected)
    assert np.isnan(bootstrap.spearman_estimate(y, runs, locus, np.full(900, -1), draws).value)
    assert np.isnan(bootstrap.spearman_estimate(y, np.zeros((900, 1)), locus, fold, draws).value)
