"""Replicates combined into one target: against brute force, factor models, and worlds where the mean goes wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.stats import replicates as rep
from bench.stats.ranks import places
from bench.stats.replicate_checks import check_replicates
from bench.tasks.task import Target


def kinds(*columns):
    names = [f"r{i + 1}" for i in range(len(columns))]
    return [(found.kind, found.line) for found in check_replicates(np.column_stack(columns), names)]


def world(reliability, n=900, seed=0):
    """Activity of loci of three rows, and a replicate for each reliability."""
    rng = np.random.default_rng(seed)
    t = rng.normal(size=n // 3).repeat(3) * 0.8 + 0.6 * rng.normal(size=n)
    return t, np.column_stack([t + np.sqrt(1 / r - 1) * rng.normal(size=n) for r in reliability]), rng


def with_activity(replicates, t, how="rank"):
    return stats.spearmanr(rep.combine(replicates, how, loci=300).value, t, nan_policy="omit").statistic


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 100))
def test_places_are_weight_below_and_half_the_weight_tied(values, seed):
    weights = np.random.default_rng(seed).uniform(0.1, 3, len(values))
    x = np.array(values, float)
    brute = [(weights[x < v].sum() + weights[x == v].sum() / 2) / weights.sum() for v in x]
    np.testing.assert_allclose(places(x, weights), brute)
    np.testing.assert_allclose(places(x), (stats.rankdata(x) - 0.5) / len(x))


def test_one_replicate_is_taken_as_it_is_and_two_classes_are_averaged():
    y = np.array([[3.0], [np.nan], [-1.0]])
    np.testing.assert_array_equal(rep.combine(y).value, y[:, 0])
    labels = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    np.testing.assert_array_equal(Target("y", labels, ("a", "b"), "binary").value, [0.5, 1, 0])


def test_two_replicates_weigh_equally_and_an_outlier_counts_as_one_rank():
    _, y, _ = world((0.5, 0.5))
    ranked = (stats.rankdata(y, axis=0) - 0.5) / len(y)
    assert np.corrcoef(rep.combine(y).value, ranked.mean(axis=1))[0, 1] == pytest.approx(1, abs=1e-12)
    wild = y.copy()
    wild[np.argmax(y[:, 0]), 0] = 1e9
    np.testing.assert_allclose(rep.combine(wild).value, rep.combine(y).value)


def test_rows_with_fewer_than_the_minimum_have_no_value():
    y = np.random.default_rng(0).normal(size=(100, 3))
    y[:40, 0] = np.nan
    y[:20, 1] = np.nan
    assert np.isnan(rep.combine(y, minimum=2).value).sum() == 20
    assert np.isnan(rep.combine(y, minimum=3).value).sum() == 40
    assert np.isnan(Target("y", y, ("a", "b", "c"), minimum_replicates=3).value).sum() == 40


def test_the_level_of_a_replicate_is_no_activity():
    # what the mean of what was measured makes of it: which replicate is missing decides the value
    t, y, rng = world((0.7, 0.7))
    y[:, 1] += 4
    chance = rng.random(len(y))
    y[chance < 0.3, 0] = np.nan
    y[chance > 0.7, 1] = np.nan
    assert with_activity(y, t) > 0.75
    assert with_activity(y, t, "centre") > 0.75
    assert with_activity(y, t, "mean") < 0.6


@pytest.mark.parametrize("how", ["rank", "scale"])
def test_a_noise_replicate_of_three_hardly_counts(how):
    t, y, _ = world((0.5, 0.5, 0.02))
    y[:, 2] *= 5
    best = with_activity(y[:, :2], t)
    assert with_activity(y, t, how) > best - 0.03
    assert with_activity(y, t, "mean") < best - 0.2
    weights = rep.combine(y, how, loci=300).weights
    assert weights.sum() == pytest.approx(1)
    assert weights[2] < 0.2 * weights[:2].mean()


def test_a_row_with_fewer_replicates_has_the_same_slope_on_activity():
    t, y, rng = world((0.8, 0.5, 0.3), n=6000)
    gone = rng.random(y.shape) < 0.3
    y[gone] = np.nan
    value, number = rep.combine(y, loci=2000).value, np.isfinite(y).sum(axis=1)
    slopes = [np.polyfit(t[number == k], value[number == k], 1)[0] for k in (1, 2, 3)]
    assert max(slopes) / min(slopes) < 1.12


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0.4, 0.9), min_size=3, max_size=5))
def test_loadings_of_a_one_factor_model_come_back(loading):
    loading = np.array(loading)
    r = np.outer(loading, loading)
    np.testing.assert_allclose(rep.loadings(r, 1e9), loading, atol=2e-3)


def test_loadings_without_evidence_are_equal_and_a_prediction_may_run_the_other_way():
    r = np.full((3, 3), 0.4)
    np.testing.assert_allclose(rep.loadings(r, 300), np.sqrt(0.4), atol=1e-4)
    signed = np.array([0.8, 0.6, -0.5])
    np.testing.assert_allclose(rep.loadings(np.outer(signed, signed), 1e9, free=1), signed, atol=2e-3)


def test_copies_averages_counts_levels_and_widths_are_found_by_their_numbers():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 300))
    assert kinds(a, a.copy()) == [("copy", "r2 is the same as r1: name each measurement once")]
    assert [kind for kind, _ in kinds(a, 3 * a + 1)] == ["copy"]
    assert kinds(a, b, (a + b) / 2) == [("average", "r3 is the mean of r1, r2: it is no replicate of its own")]
    counts = kinds(rng.poisson(9.0, 300), rng.poisson(30.0, 300))[0]
    assert counts[1].startswith("r1, r2 hold whole numbers from 0 up")
    shifted = a + 4 + 0.3 * b
    assert kinds(a, shifted) == []  # nothing is missing
    gap = kinds(np.where(np.arange(300) < 90, np.nan, a), shifted)[0][1]
    assert "standard deviations from r1 on the rows that both measured, and 15 % of the values are missing" in gap
    assert [kind for kind, _ in kinds(a, 4 * (a + 0.3 * b))] == ["scale"]
    assert kinds(a + 0.5 * b, a + 0.5 * rng.normal(size=300)) == []
    half = np.where(np.arange(300) < 150, a, np.nan)
    assert [kind for kind, _ in kinds(half, np.where(np.arange(300) < 150, np.nan, b))] == ["apart"]
