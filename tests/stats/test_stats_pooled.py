"""Correlations pooled within folds, against brute force on rows that are really resampled or left out."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from bench.stats import pooled
from bench.stats.bootstrap import Draws
from bench.stats.ranks import places


def brute(a, b, fold, weights):
    """Sums of centred products over folds, by the definition. A fold that has one value of a column (one row drawn)
    is undefined there: it counts 0, and has the mean variance of the others."""
    c = va = vb = total = in_a = in_b = 0.0
    for label in np.unique(fold):
        rows = (fold == label) & np.isfinite(a) & np.isfinite(b) & (weights > 0)
        if not rows.any():
            continue
        w = weights[rows]
        x, y = a[rows] - np.average(a[rows], weights=w), b[rows] - np.average(b[rows], weights=w)
        c, va, vb, total = c + (w * x * y).sum(), va + (w * x * x).sum(), vb + (w * y * y).sum(), total + w.sum()
        in_a += w.sum() * (np.ptp(a[rows]) > 0)
        in_b += w.sum() * (np.ptp(b[rows]) > 0)
    return c / np.sqrt(va * total / in_a * vb * total / in_b)


@settings(max_examples=20, deadline=None)
@example(339)
@example(234)
@given(st.integers(0, 10_000))
def test_points_draws_and_left_out_groups_are_those_of_the_rows(seed):
    rng = np.random.default_rng(seed)
    n, loci = 90, 18
    locus, weights = rng.permutation(np.arange(n) % loci), rng.uniform(0.5, 1, n)
    fold, group = locus % 3, np.arange(loci) % 4
    columns = rng.normal(size=(n, 3)) + rng.normal(size=n)[:, None]
    columns[rng.random(n) < 0.2, 1] = np.nan
    draws = Draws(loci, 9, seed)
    found = pooled.pooled_correlations(
        columns, [(0, 1), (0, 2)], locus, fold, weights=weights, draws=draws, groups=group
    )
    drawn = np.concatenate([piece for _, piece in draws.block_weights()])
    for pair, other in enumerate((1, 2)):
        a, b = columns[:, 0], columns[:, other]
        assert found.point[pair] == pytest.approx(brute(a, b, fold, weights))
        for draw in range(9):
            assert found.drawn[draw, pair] == pytest.approx(brute(a, b, fold, weights * drawn[draw][locus]))
        for g in range(4):
            kept = group[locus] != g
            assert found.left_out[g, pair] == pytest.approx(brute(a[kept], b[kept], fold[kept], weights[kept]))


def test_in_one_fold_it_is_scipys_spearman():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, 200).astype(float), rng.normal(size=200)
    table = np.column_stack([places(x), places(y)])
    found = pooled.pooled_correlations(table, [(0, 1)], np.arange(200), np.zeros(200, int))
    assert found.point[0] == pytest.approx(spearmanr(x, y).statistic)


def test_memory_is_bounded_without_a_change_of_a_figure(monkeypatch):
    rng = np.random.default_rng(1)
    columns, locus = rng.normal(size=(120, 9)), np.arange(120) // 4
    pairs = [(i, j) for i in range(9) for j in range(i)]
    whole = pooled.pooled_correlations(columns, pairs, locus, locus % 2, draws=Draws(30, 8))
    monkeypatch.setattr(pooled, "KEEP_BYTES", 1)
    monkeypatch.setattr(pooled, "PAIRS", 5)
    again = pooled.pooled_correlations(columns, pairs, locus, locus % 2, draws=Draws(30, 8))
    np.testing.assert_allclose(whole.drawn, again.drawn)
    np.testing.assert_allclose(whole.point, again.point)


def test_a_fold_in_which_a_column_is_constant_counts_as_zero():
    rng = np.random.default_rng(2)
    y = rng.normal(size=400)
    fold = np.repeat(np.arange(4), 100)
    f = np.where(fold == 0, y, 0.0)
    found = pooled.pooled_correlations(
        np.column_stack([pooled.prediction_places(f, fold, np.arange(400)), places(y)]), [(0, 1)], np.arange(400), fold
    )
    assert found.point[0] == pytest.approx(0.25, abs=0.02)


def test_a_large_locus_counts_for_no_more_than_the_cap():
    locus = np.concatenate([np.zeros(300, int), np.repeat(np.arange(1, 234), 3)])
    weights = pooled.row_weights(locus)
    assert weights[:300].sum() == pytest.approx(pooled.CAP * len(locus))
    assert (weights[300:] == 1).all()
    assert (pooled.row_weights(np.repeat(np.arange(5), 3)) == 1).all()


def test_folds_are_aligned_where_they_differ_by_more_than_their_loci_explain():
    rng = np.random.default_rng(3)
    locus, fold = np.repeat(np.arange(300), 3), np.repeat(np.arange(5), 180)
    f = rng.normal(size=300)[locus] + 0.2 * rng.normal(size=900)
    np.testing.assert_array_equal(pooled.align_folds(f, fold, locus), f)
    moved = pooled.align_folds(f + 5 * fold, fold, locus)
    means = [moved[fold == label].mean() for label in range(5)]
    np.testing.assert_allclose(means, 0, atol=1e-12)
    constant = pooled.align_folds(np.where(fold == 1, 7.0, f + 5 * fold), fold, locus)
    assert np.ptp(constant[fold == 1]) == 0
