"""Spearman given GC against closed forms, scikit-learn's spline, and simulated hump-shaped effects."""

import numpy as np
import pytest
import reference_statistics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import partial, ranks


def hump(n=6000, seed=0):
    """y and a prediction that both know a hump-shaped effect of GC, and nothing else in common."""
    rng = np.random.default_rng(seed)
    gc = rng.normal(0.45, 0.08, n)
    z = (gc - 0.45) / 0.08
    effect = -(z**2)
    return effect + 0.9 * rng.normal(size=n), effect + 0.3 * rng.normal(size=n), gc


def test_a_spline_takes_out_a_hump_and_a_straight_line_does_not():
    y, prediction, gc = hump()
    raw = ranks.spearman(y, prediction)
    assert raw > 0.6
    assert abs(reference.spearman_given(y, prediction, gc)) < 0.05
    assert reference.spearman_given(y, prediction, gc, straight=True) > 0.6
    assert reference.spearman_given_linear(y, prediction, gc) > 0.6


def test_closed_form_agrees_with_a_straight_line_on_ranks():
    rng = np.random.default_rng(1)
    gc = rng.normal(size=8000)
    y, prediction = gc + rng.normal(size=8000), gc + rng.normal(size=8000)
    straight = reference.spearman_given(y, prediction, gc, straight=True)
    assert straight == pytest.approx(reference.spearman_given_linear(y, prediction, gc), abs=0.003)


def test_spline_agrees_with_scikit_learns():
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    rng = np.random.default_rng(2)
    gc = rng.normal(size=4000)
    other = rng.normal(size=4000)
    y, prediction = np.sin(gc) + other + rng.normal(size=4000), np.sin(gc) + other
    x = ranks.mid_ranks(gc)[:, None]
    model = make_pipeline(SplineTransformer(n_knots=10, knots="quantile"), LinearRegression())
    left = [r - cross_val_predict(model, x, r) for r in (ranks.mid_ranks(y), ranks.mid_ranks(prediction))]
    assert reference.spearman_given(y, prediction, gc) == pytest.approx(np.corrcoef(left)[0, 1], abs=0.01)


def test_what_is_beyond_gc_stays():
    rng = np.random.default_rng(3)
    gc, motif = rng.normal(size=(2, 20_000))
    y = gc + motif
    # given GC, y and a prediction of the motif alone are the same variable
    assert reference.spearman_given(y, motif, gc) > 0.93
    assert reference.spearman_given(y, gc + motif, gc) > 0.99


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_invariant_to_monotone_transforms(seed):
    rng = np.random.default_rng(seed)
    gc, other = rng.normal(size=(2, 300))
    y, prediction = gc + other, other + rng.normal(size=300)
    expected = reference.spearman_given(y, prediction, gc)
    assert reference.spearman_given(np.exp(y), prediction**3, np.exp(gc)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_invariant_to_the_order_of_rows(seed):
    rng = np.random.default_rng(seed)
    gc, other = rng.normal(size=(2, 300))
    y, prediction, locus, fold = gc + other, other + rng.normal(size=300), rng.integers(0, 60, 300), np.arange(300) % 2
    order = rng.permutation(300)
    expected = reference.spearman_given(y, prediction, gc, locus, fold)
    moved = reference.spearman_given(y[order], prediction[order], gc[order], locus[order], fold[order])
    assert moved == pytest.approx(expected, abs=1e-9)


def test_folds_are_averaged_and_rows_outside_ignored():
    rng = np.random.default_rng(4)
    gc, other = rng.normal(size=(2, 900))
    y, prediction = gc + other, other + rng.normal(size=900)
    fold = np.arange(900) % 3 - 1
    parts = [reference.spearman_given(y[fold == f], prediction[fold == f], gc[fold == f]) for f in (0, 1)]
    assert reference.spearman_given(y, prediction, gc, fold=fold) == pytest.approx(np.mean(parts))


def test_nothing_left_is_not_a_number():
    rng = np.random.default_rng(5)
    gc, y = rng.normal(size=(2, 500))
    assert np.isnan(reference.spearman_given(y, np.exp(gc), gc))
    assert np.isnan(reference.spearman_given(y, np.ones(500), gc))


@pytest.mark.parametrize("gc", [np.full(200, 0.5), np.repeat([0.4, 0.5], 100), np.tile([0.3, 0.4, 0.5, 0.6], 50)])
def test_a_covariate_of_few_values(gc):
    rng = np.random.default_rng(6)
    other = rng.normal(size=200)
    assert reference.spearman_given(other + gc, other + 0.1 * rng.normal(size=200), gc) > 0.9


def test_few_loci_do_not_break_the_cross_fit():
    rng = np.random.default_rng(7)
    y, prediction, gc = rng.normal(size=(3, 60))
    assert np.isfinite(reference.spearman_given(y, prediction, gc, locus=np.arange(60) % 3))


def test_bins_hold_enough_rows_and_ties_stay_together():
    rng = np.random.default_rng(8)
    gc = rng.integers(30, 60, 1000) / 100
    bins = partial.gc_bins(gc)
    assert np.bincount(bins).min() >= 50
    assert all(len(np.unique(bins[gc == value])) == 1 for value in np.unique(gc))
    assert (np.diff(bins[np.argsort(gc, kind="stable")]) >= 0).all()
    assert partial.gc_bins(np.arange(30.0)).max() == 0


def test_permutation_keeps_the_values_of_each_bin_and_the_score_of_gc():
    y, prediction, gc = hump()
    permuted = partial.permute_within_bins(y, gc, np.random.default_rng(0))
    bins = partial.gc_bins(gc)
    for b in np.unique(bins):
        np.testing.assert_array_equal(np.sort(permuted[bins == b]), np.sort(y[bins == b]))
    assert ranks.spearman(permuted, prediction) == pytest.approx(ranks.spearman(y, prediction), abs=0.05)
    motif = y + np.random.default_rng(1).normal(size=len(y))
    assert ranks.spearman(permuted, motif) < ranks.spearman(y, motif) - 0.2


def test_matched_rows_have_one_gc():
    rng = np.random.default_rng(10)
    gc = rng.normal(0.45, 0.08, 5000)
    y = 10 * gc + rng.normal(size=5000)
    rows = partial.gc_matched(y, gc, rng)
    high = y[rows] > np.median(y)
    assert high.mean() == pytest.approx(0.5)
    assert abs(gc[rows][high].mean() - gc[rows][~high].mean()) < 0.001
    assert ranks.spearman(y, gc) > 0.5
    assert len(np.unique(rows)) == len(rows) > 1000
