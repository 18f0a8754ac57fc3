"""Bootstrap draws against resampling and re-ranking with scipy, and the spread of seeds."""

import numpy as np
import pytest
import reference_statistics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.stats import bootstrap, ranks
from bench.stats.intervals import percentile_interval


def expanded_spearman(y, prediction, weights, fold):
    """Mean over folds of scipy's Spearman on the sample in which each row stands as often as it weighs."""
    found = []
    for label in np.unique(fold):
        rows = np.repeat(np.flatnonzero(fold == label), weights[fold == label])
        if len(rows) >= 3 and np.ptp(y[rows]) > 0:
            flat = np.ptp(prediction[rows]) == 0
            found.append(0.0 if flat else stats.spearmanr(y[rows], prediction[rows])[0])
    return np.mean(found) if found else np.nan


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 60), st.integers(2, 30), st.integers(1, 3))
def test_exact_draws_are_scipy_on_the_resampled_rows(seed, n, values, folds):
    rng = np.random.default_rng(seed)
    y, predictions = rng.integers(0, values, n) / 3, rng.integers(0, values, (n, 2)).astype(float)
    predictions[:, 1] = rng.normal(size=n)
    locus = rng.integers(0, max(2, n // 3), n)
    fold = locus % folds
    draws = bootstrap.Draws(int(locus.max()) + 1, count=6, seed=seed)
    found = bootstrap.spearman_draws(y, predictions, locus, draws, fold)
    weights = np.concatenate([piece for _, piece in draws.block_weights()])
    for b in range(6):
        expected = [expanded_spearman(y, p, weights[b][locus].astype(int), fold) for p in predictions.T]
        np.testing.assert_allclose(found[b], expected, atol=1e-12)


def test_multiplicities_sum_to_the_blocks_and_do_not_depend_on_the_chunks(monkeypatch):
    draws = bootstrap.Draws(50, count=90, seed=3)
    whole = np.concatenate([piece for _, piece in draws.block_weights()])
    assert whole.shape == (90, 50)
    assert (whole.sum(axis=1) == 50).all()
    monkeypatch.setattr(bootstrap, "KEEP_BYTES", 4000)
    again = bootstrap.Draws(50, count=90, seed=3)
    np.testing.assert_array_equal(np.concatenate([piece for _, piece in again.block_weights()]), whole)
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(2, 100))
    locus = np.arange(100) % 50
    chunked = bootstrap.spearman_draws(y, p[:, None], locus, again)
    monkeypatch.undo()
    np.testing.assert_array_equal(chunked, bootstrap.spearman_draws(y, p[:, None], locus, draws))


def test_neighbouring_seeds_give_independent_streams_and_the_right_spread():
    # The spread of means over neighbouring seeds must be that of independent draws.
    draws = [np.concatenate([w for _, w in bootstrap.Draws(40, 32, seed).block_weights()]) for seed in range(60)]
    x = np.random.default_rng(1).normal(size=40)
    means = np.array([(d @ x / 40).mean() for d in draws])
    expected = x.std() / np.sqrt(40) / np.sqrt(32)
    assert 0.7 * expected < means.std() < 1.3 * expected
    flat = np.array([d.ravel() for d in draws], float)
    assert np.abs(np.corrcoef(flat) - np.eye(60)).max() < 0.15


def test_spread_is_that_of_new_data():
    # rows independent: the bootstrap standard error of Spearman is near (1 − ρ²)/√n·√(1 + ρ²/2)
    rng = np.random.default_rng(2)
    x, e = rng.normal(size=(2, 2000))
    y = 0.5 * x + np.sqrt(0.75) * e
    found = bootstrap.spearman_draws(y, x[:, None], draws=bootstrap.Draws(2000, 1000, 5))[:, 0].std()
    many = [
        ranks.spearman(a := rng.normal(size=2000), 0.5 * a + np.sqrt(0.75) * rng.normal(size=2000)) for _ in range(400)
    ]
    assert found == pytest.approx(np.std(many), rel=0.15)


def test_fixed_rank_draws_agree_with_exact_ones():
    rng = np.random.default_rng(3)
    n = 1500
    locus = np.arange(n) % 150
    shared = rng.normal(size=150)[locus]
    y, p = shared + rng.normal(size=n), shared + rng.normal(size=n)
    fold = locus % 3
    draws = bootstrap.Draws(150, 800, 1)
    exact = bootstrap.spearman_draws(y, p[:, None], locus, draws, fold)[:, 0]
    columns = ranks.gaussian_within_folds(np.column_stack([y, p]), fold, gaussian=False)
    fixed = bootstrap.correlation_draws(columns, [(0, 1)], locus, draws, fold).mean(axis=1)[:, 0]
    assert np.corrcoef(exact, fixed)[0, 1] > 0.99
    # 50 loci a fold: keeping the ranks loses some 4 % of the spread
    assert fixed.std() == pytest.approx(exact.std(), rel=0.06)
    whole = bootstrap.correlation_draws(columns, [(0, 1)], locus, draws, fold, whole=True)
    np.testing.assert_allclose(whole[0, :, 0], ranks.spearman_by_fold(y, p, fold))


def test_correlation_draws_are_weighted_correlations_by_pair():
    rng = np.random.default_rng(4)
    columns = rng.normal(size=(60, 3))
    columns[rng.random(60) < 0.3, 1] = np.nan
    locus = np.arange(60) % 12
    draws = bootstrap.Draws(12, 10, 2)
    found = bootstrap.correlation_draws(columns, [(0, 1), (0, 2)], locus, draws)[:, 0]
    weights = np.concatenate([piece for _, piece in draws.block_weights()]).astype(int)
    for b in range(10):
        rows = np.repeat(np.arange(60), weights[b][locus])
        for j, column in enumerate((1, 2)):
            kept = rows[np.isfinite(columns[rows, column])]
            assert found[b, j] == pytest.approx(np.corrcoef(columns[kept, 0], columns[kept, column])[0, 1])


def test_any_statistic_can_be_drawn_with_the_same_multiplicities():
    rng = np.random.default_rng(5)
    y, p = rng.integers(0, 9, (2, 80)).astype(float)
    locus = np.arange(80) % 20
    draws = bootstrap.Draws(20, 12, 7)

    def weighted_spearman(weights):
        a, b = (reference.weighted_mid_ranks(v, weights) for v in (y, p))
        return np.cov(a, b, aweights=weights)[0, 1] / np.sqrt(np.cov(a, aweights=weights) * np.cov(b, aweights=weights))

    slow = reference.statistic_draws(weighted_spearman, locus, draws)
    np.testing.assert_allclose(slow, bootstrap.spearman_draws(y, p[:, None], locus, draws)[:, 0])


def test_constant_predictions_and_identical_models():
    y = np.arange(30.0)
    found = bootstrap.spearman_draws(y, np.column_stack([np.zeros(30), y, y]), draws=bootstrap.Draws(30, 20))
    assert (found[:, 0] == 0).all()
    np.testing.assert_allclose(found[:, 1:], 1)


def test_input_is_checked():
    y = np.arange(5.0)
    with pytest.raises(ValueError, match="finite"):
        bootstrap.spearman_draws(y, np.full((5, 1), np.nan))
    with pytest.raises(ValueError, match="codes 0 to 1"):
        bootstrap.spearman_draws(y, y[:, None], np.arange(5), bootstrap.Draws(2, 4))


def test_rows_give_too_short_intervals_where_loci_do_not():
    # ten tiles a locus that share signal and noise: coverage of the planted Spearman
    truth = 6 / np.pi * np.arcsin(0.5 / 2)
    covered = np.zeros(2)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        locus = np.repeat(np.arange(80), 10)
        block = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 80)[locus]
        jitter = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 800)
        y, p = (np.sqrt(0.9) * block + np.sqrt(0.1) * jitter).T
        for i, (rows, blocks) in enumerate(((locus, 80), (np.arange(800), 800))):
            low, high = percentile_interval(
                bootstrap.spearman_draws(y, p[:, None], rows, bootstrap.Draws(blocks, 200, seed))[:, 0]
            )
            covered[i] += low <= truth <= high
    assert covered[0] >= 0.88 * 60
    assert covered[1] <= 0.75 * 60
