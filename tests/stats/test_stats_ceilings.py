"""Ceilings against closed forms, simulations with known truth, and the published traps."""

import numpy as np
import pytest
import reference_statistics as reference
from scipy.stats import spearmanr

from bench.stats import ceilings
from bench.stats.replicates import combine, replicate_pairs
from bench.stats.share import product_form


def parallel(n, reliabilities, seed=0):
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=n)
    noise = np.sqrt(1 / np.array(reliabilities) - 1)
    return latent, latent[:, None] + noise * rng.normal(size=(n, len(reliabilities)))


def explained_by(found, score):
    """Fraction of explainable variance of a correlation with the mean of the replicates."""
    return score**2 / found.reliability


def product(prediction, replicates):
    """The product form from Spearman correlations."""
    k = replicates.shape[1]
    r = spearmanr(np.column_stack([prediction, replicates])).statistic
    return product_form(r[0, 1:], [r[1 + i, 1 + j] for i, j in replicate_pairs(k)])


def test_a_model_at_the_replicate_correlation_has_not_saturated():
    found = ceilings.ceiling_of(0.34, 1)
    assert found.best == pytest.approx(0.583, abs=5e-4)
    assert explained_by(found, 0.34) == pytest.approx(0.34)
    assert 0.34 / found.best == pytest.approx(0.583, abs=5e-4)


def test_a_perfect_model_reaches_the_ceiling_and_no_more():
    latent, replicates = parallel(60_000, [0.5, 0.5, 0.5])
    found = ceilings.ceiling(replicates, gaussian=True)
    assert found.r == pytest.approx(0.5, abs=0.01)
    assert found.reliability == pytest.approx(0.75, abs=0.01)  # 3·.5/(1 + 2·.5)
    assert np.corrcoef(latent, replicates.mean(axis=1))[0, 1] == pytest.approx(found.best, abs=0.01)


def test_nothing_is_clipped():
    assert 0.5 / ceilings.ceiling_of(0.04, 1).best == pytest.approx(2.5)


@pytest.mark.parametrize("replicates", [np.empty((10, 0)), np.arange(10.0)[:, None]])
def test_no_replicates_is_not_available(replicates):
    assert ceilings.ceiling(replicates) is None


def test_a_replicate_correlation_that_is_not_positive_is_not_available():
    x = np.arange(20.0)
    assert ceilings.ceiling(np.column_stack([x, -x])) is None
    assert np.isnan(product(x, np.column_stack([x, -x])))
    assert ceilings.ceiling_of(0.0, 2) is None


def test_missing_values_are_handled_by_pair():
    _, replicates = parallel(40_000, [0.6, 0.6, 0.6], seed=1)
    rng = np.random.default_rng(2)
    replicates[rng.random(replicates.shape) < 0.3] = np.nan
    replicates[:10] = np.nan
    found = ceilings.ceiling(replicates, gaussian=True)
    assert found.r == pytest.approx(0.6, abs=0.015)
    assert 1 < found.replicates < 3


def test_effective_replicates_is_the_harmonic_mean():
    replicates = np.array([[1.0, 2], [1, np.nan], [np.nan, np.nan]])
    assert ceilings.effective_replicates(replicates) == pytest.approx(1 / np.mean([1 / 2, 1]))


def test_fisher_mean():
    assert ceilings.fisher_mean([0.2, 0.6]) == pytest.approx(np.tanh((np.arctanh(0.2) + np.arctanh(0.6)) / 2))
    assert ceilings.fisher_mean([1.0, 1.0]) == pytest.approx(1)
    assert np.isnan(ceilings.fisher_mean([np.nan]))


def test_product_form_of_the_sure_figures():
    # Spearman .14 and .34 against two replicates that correlate at .34: 14 %
    assert pytest.approx(0.14) == 0.14 * 0.34 / 0.34
    rng = np.random.default_rng(3)
    cov = np.array([[1, 0.14, 0.34], [0.14, 1, 0.34], [0.34, 0.34, 1]])
    f, y1, y2 = rng.multivariate_normal(np.zeros(3), cov, 200_000, method="cholesky").T
    assert product(f, np.column_stack([y1, y2])) == pytest.approx(0.14, abs=0.01)


def test_fev_agrees_with_that_of_neural_prediction():
    # Made with neuralpredictors 0.3.0 (measures.np_functions.fev, from squared errors and the variance between repeats;
    # Haefner & Cumming 2009) for these very numbers, the prediction put on the scale of the repeats by regression.
    explainable, explained = 0.60690773, 0.40597165
    rng = np.random.default_rng(12)
    latent = rng.normal(size=400)
    repeats = latent[:, None] + 0.8 * rng.normal(size=(400, 3))
    prediction = 0.4 * latent + 0.5 * rng.normal(size=400)
    mean = repeats.mean(axis=1)
    fitted = np.polyval(np.polyfit(prediction, mean, 1), prediction)
    noise = repeats.var(axis=1, ddof=1).mean()
    total = repeats.var(ddof=1)
    assert (total - noise) / total == pytest.approx(explainable, abs=1e-8)
    error = ((repeats - fitted[:, None]) ** 2).mean()
    assert 1 - (error - noise) / (total - noise) == pytest.approx(explained, abs=1e-8)
    # a repeat's reliability, and both forms on rank-Gaussian scores, which are near those of the raw values here
    found = ceilings.ceiling(repeats, gaussian=True)
    assert found.r == pytest.approx(explainable, abs=0.01)
    assert explained_by(found, np.corrcoef(prediction, mean)[0, 1]) == pytest.approx(explained, abs=0.01)
    r = np.corrcoef(np.column_stack([prediction, repeats]).T)
    form = product_form(r[0, 1:], [r[1 + i, 1 + j] for i, j in replicate_pairs(3)])
    assert form == pytest.approx(explained, abs=0.01)


def test_unequal_replicates_product_form_is_unbiased_where_spearman_brown_is_not():
    latent, replicates = parallel(100_000, [0.15, 0.8], seed=4)
    prediction = np.sqrt(0.4) * latent + np.sqrt(0.6) * np.random.default_rng(5).normal(size=len(latent))
    assert product(prediction, replicates) == pytest.approx(0.4, abs=0.025)
    y = replicates.mean(axis=1)
    mean_form = explained_by(ceilings.ceiling(replicates, gaussian=True), np.corrcoef(prediction, y)[0, 1])
    assert abs(mean_form - 0.4) > 0.05


def test_triads_recover_unequal_reliabilities():
    latent, replicates = parallel(100_000, [0.3, 0.8, 0.5], seed=6)
    np.testing.assert_allclose(reference.triad_reliabilities(replicates), [0.3, 0.8, 0.5], atol=0.03)
    prediction = latent + np.random.default_rng(7).normal(size=len(latent))
    with_f = reference.triad_reliabilities(replicates[:, :2], prediction)
    np.testing.assert_allclose(with_f, [0.3, 0.8], atol=0.03)
    assert reference.triad_reliabilities(replicates[:, :2]) is None
    assert reference.triad(0.4, 0.5, 0.25) == pytest.approx((0.8, 0.2))


def test_shared_dna_noise_lifts_r_and_log_dna_takes_it_out():
    rng = np.random.default_rng(8)
    n = 60_000
    latent, dna_noise = rng.normal(size=n), rng.normal(size=n)
    replicates = (latent - dna_noise)[:, None] + rng.normal(size=(n, 2))
    raw = ceilings.ceiling(replicates)
    given = ceilings.ceiling_given_dna(replicates, dna_noise)
    assert raw.r > 0.63  # 2/3 on the Gaussian scale
    assert given.r == pytest.approx(0.5, abs=0.03)
    assert ceilings.ceiling_given_dna(replicates, np.ones(n)).r == pytest.approx(raw.r)


def test_shared_denominator_formula_against_simulation():
    rng = np.random.default_rng(9)
    n = 200_000
    k1, k2 = rng.poisson(400, n), rng.poisson(100, n)
    d = rng.poisson(100, n)
    expected = reference.shared_denominator_correlation(1 / 20, 1 / 10, 1 / 10)
    assert np.corrcoef(k1 / d, k2 / d)[0, 1] == pytest.approx(expected, abs=0.02)


def test_barcode_halves_use_two_halves():
    _, halves = parallel(50_000, [0.6, 0.6], seed=10)
    found = ceilings.half_ceiling(halves[:, 0], halves[:, 1])
    assert found.replicates == 2
    assert found.reliability == pytest.approx(2 * found.r / (1 + found.r))


def test_partial_correlation_closed_form_against_regression():
    rng = np.random.default_rng(11)
    g = rng.normal(size=500)
    f, y = g + rng.normal(size=500), g + rng.normal(size=500)
    left = [v - np.polyval(np.polyfit(g, v, 1), g) for v in (f, y)]
    r = np.corrcoef([f, y, g])
    assert ceilings.partial_correlation(r[0, 1], r[0, 2], r[1, 2]) == pytest.approx(np.corrcoef(left)[0, 1])


@pytest.mark.parametrize(
    ("reliabilities", "missing"),
    [([0.5, 0.5], 0.0), ([0.9, 0.15], 0.0), ([0.5, 0.5, 0.05], 0.0), ([0.7, 0.5, 0.3, 0.15], 0.25)],
)
@pytest.mark.parametrize("how", ["rank", "mean"])
def test_noise_free_activity_reaches_the_ceiling_of_the_combined_target(reliabilities, missing, how):
    latent, replicates = parallel(60_000, reliabilities, seed=12)
    rng = np.random.default_rng(13)
    if how == "rank":
        replicates *= [1, 4, 0.5, 8][: len(reliabilities)]
    replicates[rng.random(replicates.shape) < missing] = np.nan
    kept = np.isfinite(replicates).any(axis=1)
    latent, replicates = latent[kept], replicates[kept]
    combined = combine(replicates, how)
    best = 0.7 * latent + rng.normal(size=len(latent))

    def rho(a, b):
        return spearmanr(a, b, nan_policy="omit").statistic

    between = np.array([rho(replicates[:, i], replicates[:, j]) for i, j in replicate_pairs(len(reliabilities))])
    with_best = np.array([rho(column, best) for column in replicates.T])
    found = ceilings.combined_ceiling(replicates, combined, between, with_best, 60_000, raw=how == "mean")
    assert rho(latent, combined.value) == pytest.approx(found, rel=0.025)
    if len(set(reliabilities)) == 1:
        assert found == pytest.approx(np.sqrt(ceilings.spearman_brown(between[0], 2)), abs=1e-3)
