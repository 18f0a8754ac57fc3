"""GC's share against regression and simulated truth; each known mistake must show."""

import numpy as np
import pytest
import reference_statistics as reference
from hypothesis import given
from hypothesis import strategies as st

from bench.datasets import simulate
from bench.stats import ceilings, ranks, share


def simulated(g, m, reliability, loci=3000, seed=0):
    """Latent-scale truth without counts: GC and motif scores, replicates of a known reliability."""
    rng = np.random.default_rng([seed, 1])
    gc, motif, noise = rng.normal(size=(3, loci))
    latent = np.sqrt(g) * gc + np.sqrt(m) * motif + np.sqrt(max(0, 1 - g - m)) * noise
    best = np.sqrt(g) * gc + np.sqrt(m) * motif
    return gc, best, simulate.noisy_replicates(latent, reliability, 2, seed), np.arange(loci) % 5


def mean_share(g, reliability, estimate, seeds=8):
    found = []
    for seed in range(seeds):
        gc, best, replicates, fold = simulated(g, min(0.3, 1 - g), reliability, seed=seed)
        found.append(estimate(gc, best, replicates, fold))
    return np.mean(found)


def of_explainable(gc, best, replicates, fold):
    found = ceilings.ceiling(replicates, fold, gaussian=True)
    return reference.share(replicates.mean(axis=1), gc, best, found.reliability, fold).of_explainable


@pytest.mark.parametrize("reliability", [0.5, 0.9])
@pytest.mark.parametrize("g", [0.0, 0.1, 0.3, 0.5, 1.0])
def test_simulated_share_is_recovered(g, reliability):
    assert mean_share(g, reliability, of_explainable) == pytest.approx(g, abs=0.03)


def test_squaring_the_reliability_twice_would_show():
    def squared_twice(gc, best, replicates, fold):
        found = ceilings.ceiling(replicates, fold, gaussian=True)
        r = np.sqrt(reference.share(replicates.mean(axis=1), gc, best, None, fold).r2_gc)
        return (r / found.reliability) ** 2

    assert mean_share(0.4, 0.2, squared_twice) > 0.8
    assert mean_share(0.4, 0.2, of_explainable) == pytest.approx(0.4, abs=0.05)


def test_a_spearman_reliability_under_a_gaussian_r2_reads_too_high():
    def mixed_scales(gc, best, replicates, fold):
        found = ceilings.ceiling(replicates, fold)
        return reference.share(replicates.mean(axis=1), gc, best, found.reliability, fold).of_explainable

    assert mean_share(0.5, 0.2, mixed_scales) - mean_share(0.5, 0.2, of_explainable) > 0.01


@given(st.integers(0, 1000))
def test_r2_of_both_is_that_of_a_regression(seed):
    rng = np.random.default_rng(seed)
    y, a, b = rng.normal(size=(3, 40))
    b += a
    y += 0.5 * b
    z = ranks.gaussian_within_folds(np.column_stack([y, a, b]))
    design = np.column_stack([np.ones(40), z[:, 1:]])
    left = z[:, 0] - design @ np.linalg.lstsq(design, z[:, 0], rcond=None)[0]
    found = reference.share(y, a, b)
    assert found.r2_both == pytest.approx(1 - left.var() / z[:, 0].var())
    assert found.unique_gc + found.common + found.unique_best == pytest.approx(found.r2_both)
    assert found.unique_gc + found.common == pytest.approx(found.r2_gc)
    assert found.shapley == pytest.approx(found.unique_gc + found.common / 2)


@given(st.integers(0, 1000))
def test_invariant_to_monotone_transforms_and_row_order(seed):
    rng = np.random.default_rng(seed)
    y, a, b = rng.normal(size=(3, 60))
    fold = np.arange(60) % 2
    order = rng.permutation(60)
    one = reference.share(y, a, b, 0.7, fold)
    # every fold is a fit of its own: its level and spread do not matter
    moved, scaled = a + 7.0 * fold, (5 * b - 2) * (1 + 3 * fold)
    other = reference.share(np.exp(y)[order], moved[order], scaled[order], 0.7, fold[order])
    np.testing.assert_allclose([v for _, v in one.items()], [v for _, v in other.items()])
    whole, curved = reference.share(y, a, b, 0.7), reference.share(np.exp(y), a**3, np.exp(b), 0.7)
    np.testing.assert_allclose([v for _, v in whole.items()], [v for _, v in curved.items()])


def test_a_curved_transform_of_predictions_changes_a_share_of_several_folds_by_next_to_nothing():
    gc, best, replicates, fold = simulated(0.4, 0.2, 0.5)
    y = replicates.mean(axis=1)
    one = reference.share(y, gc, best, 0.7, fold)
    for curved in (np.exp, np.cbrt, lambda x: 1 / (1 + np.exp(-x))):
        other = reference.share(y, curved(gc), curved(best), 0.7, fold)
        assert other.of_explainable == pytest.approx(one.of_explainable, abs=0.01)
        assert other.of_learned == pytest.approx(one.of_learned, abs=0.01)


def test_a_prediction_that_points_the_wrong_way_explains_less_than_nothing():
    gc, best, replicates, fold = simulated(0.3, 0.3, 0.9)
    assert reference.share(replicates.mean(axis=1), -gc, best, None, fold).r2_gc < 0


def test_common_can_be_negative():
    # suppression: G helps D though it explains nothing itself
    assert share.share_of(0.0, 0.5, 0.5).common == pytest.approx(-0.25 / 0.75 + 0.25)


def test_one_variable_twice_has_nothing_unique():
    found = share.share_of(0.5, 0.5, 1.0, 0.5)
    assert (found.unique_gc, found.unique_best, found.of_learned) == (0, 0, 1)
    assert found.of_explainable == pytest.approx(0.5)


def test_without_replicates_only_the_share_of_the_learned_is_available():
    found = share.share_of(0.3, 0.5, 0.4, np.nan)
    assert np.isnan(found.of_explainable)
    assert np.isfinite(found.of_learned)
    assert np.isnan(share.share_of(0.3, 0.5, 0.4, -0.1).of_explainable)


def test_pure_gc_leaves_nothing_to_the_best_learner():
    gc, _, replicates, fold = simulated(1.0, 0.0, 0.5)
    best = gc + 0.1 * np.random.default_rng(0).normal(size=len(gc))
    assert reference.share(replicates.mean(axis=1), gc, best, None, fold).unique_best < 0.002


def test_gc_rich_motifs_make_the_share_an_interval():
    data = simulate.simulate(6000, motif="rich", gc_share=0.3, motif_share=0.4, dna_depth=50, seed=2)
    best = np.sqrt(0.3) * data.gc / data.gc.std() + np.sqrt(0.4) * data.hits / data.hits.std()
    reliability = ceilings.ceiling(data.replicates, gaussian=True).reliability
    found = reference.share(data.y, data.gc, best, reliability)
    assert found.unique_of_explainable < 0.3 < found.of_explainable
    assert found.common > 0.05


def test_folds_are_averaged_not_pooled():
    # the same signal in two folds; the fit of one fold predicts at another level
    rng = np.random.default_rng(0)
    signal = rng.normal(size=2000)
    fold = np.repeat([0, 1], 1000)
    y = signal + 0.1 * rng.normal(size=2000)
    prediction = signal + 5 * (fold == 0)
    assert reference.share(y, prediction, signal, None, fold).r2_gc > 0.85
    assert reference.share(y, prediction, signal, None, None).r2_gc < 0.4


def test_choice_on_validation():
    assert share.choose_on_validation(["a", "b", "c"], {"a": 0.1, "b": np.nan, "c": 0.3}) == "c"
    assert share.choose_on_validation(["a", "b"], {"b": 0.2, "a": 0.2}) == "a"
    assert share.choose_on_validation(["a"], {}) is None
    assert share.choose_on_validation([], {}) is None
