"""Ranks and Spearman against scipy, and their invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.stats import ranks

columns = st.lists(st.integers(-5, 5), min_size=3, max_size=40)


@given(columns)
def test_mid_ranks_are_scipys(values):
    assert np.allclose(ranks.mid_ranks(np.array(values)), stats.rankdata(values))


def test_missing_values_take_no_rank():
    x = np.array([3.0, np.nan, 1.0, 3.0])
    np.testing.assert_array_equal(ranks.mid_ranks(x), [2.5, np.nan, 1.0, 2.5])
    np.testing.assert_allclose(ranks.rank_gaussian(x)[[0, 2]], stats.norm.ppf([2 / 3, 1 / 6]))


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 6), st.sampled_from([2, 10, 10**6]), st.booleans())
def test_many_columns_at_once_are_scipys(seed, n, p, values, weighted):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, values, (n, p)).astype(float)
    x[rng.random((n, p)) < rng.choice([0, 0.3])] = np.nan
    weights = rng.integers(1, 4, n) if weighted else np.ones(n, int)
    for column, rank, place in zip(x.T, ranks.mid_ranks_each(x).T, ranks.places_each(x, weights / 2).T, strict=True):
        np.testing.assert_allclose(rank, stats.rankdata(column, nan_policy="omit"))
        # A row of weight w stands w times.
        there = np.isfinite(column)
        again = stats.rankdata(np.repeat(column[there], weights[there]))
        first = np.cumsum(weights[there]) - weights[there]
        expected = [np.mean(again[i : i + w]) for i, w in zip(first, weights[there], strict=True)]
        np.testing.assert_allclose(place[there], (np.array(expected) - 0.5) / max(len(again), 1))
        assert np.isnan(place[~there]).all()


def test_rank_gaussian_formula():
    x = np.array([10.0, 30.0, 20.0, 20.0])
    np.testing.assert_allclose(ranks.rank_gaussian(x), stats.norm.ppf((np.array([1, 4, 2.5, 2.5]) - 0.5) / 4))


@given(st.integers(0, 10_000), st.integers(3, 60), st.integers(2, 50))
def test_spearman_is_scipys(seed, n, values):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, values, n), rng.integers(0, values, n)
    found = ranks.spearman(a, b)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(stats.spearmanr(a, b)[0], abs=1e-12)


@given(st.integers(0, 10_000))
def test_spearman_ignores_monotone_transforms_and_row_order(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=50), rng.normal(size=50).round(1)
    order = rng.permutation(50)
    expected = ranks.spearman(a, b)
    assert ranks.spearman(np.exp(a), b**3) == pytest.approx(expected)
    assert ranks.spearman(a[order], b[order]) == pytest.approx(expected)
    assert ranks.spearman(-a, b) == pytest.approx(-expected)


def test_undefined_correlations_are_nan():
    assert np.isnan(ranks.spearman([1, 2], [1, 2]))
    assert np.isnan(ranks.spearman([1, 2, 3], [1, 1, 1]))
    assert np.isnan(ranks.spearman([1, 2, np.nan, np.nan], [1, 2, 3, 4]))


def test_tied_fraction():
    assert ranks.tied_fraction([1, 1, 2, 3, 3, 3]) == pytest.approx(5 / 6)
    assert ranks.tied_fraction([1, 2, np.nan, np.nan]) == 0


def test_folds_are_never_pooled():
    # two folds, perfect within each, opposite in level: pooled Spearman is far from 1
    y = np.array([1.0, 2, 3, 11, 12, 13])
    prediction = np.array([11.0, 12, 13, 1, 2, 3])
    fold = np.array([0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(ranks.spearman_by_fold(y, prediction, fold), [1, 1])
    assert ranks.spearman(y, prediction) < 0


def test_rows_with_a_negative_fold_are_left_out():
    rows = ranks.fold_rows(np.array([-1, 2, 0, 2]), 4)
    assert [list(r) for r in rows] == [[2], [1, 3]]
    scores = ranks.gaussian_within_folds(np.arange(4.0)[:, None], np.array([-1, 2, 0, 2]))
    assert np.isnan(scores[0, 0])
    assert np.isfinite(scores[1:, 0]).all()
