"""Intervals: references of the literature, and coverage where the truth is known."""

import numpy as np
import pytest
from scipy import stats

from bench.stats import intervals


def test_t_interval_is_students_for_a_mean():
    rng = np.random.default_rng(0)
    x = rng.normal(2, 1, 12)
    draws = np.array([rng.choice(x, 12).mean() for _ in range(20_000)])
    expected = stats.t.interval(0.95, 11, x.mean(), stats.sem(x))
    assert intervals.t_interval(x.mean(), draws, 12)[1:] == pytest.approx(expected, abs=0.02)


def test_an_interval_needs_draws_and_blocks():
    draws = np.random.default_rng(0).normal(size=200)
    assert np.isnan(intervals.t_interval(0.0, draws, 2).low)
    assert np.isnan(intervals.t_interval(0.0, np.where(np.arange(200) < 30, np.nan, draws), 50).low)
    assert np.isnan(intervals.t_interval(np.nan, draws, 50).value)


def test_a_square_is_covered_at_zero_and_keeps_its_sign():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        r = 0.1 * rng.normal()
        draws = r + 0.1 * rng.normal(size=500)
        found = intervals.square_t(r * abs(r), draws * np.abs(draws), 40)
        covered += found.low <= 0 <= found.high
    assert 0.92 <= covered / 400 <= 0.985
    assert intervals.square_t(-0.09, -np.square(0.3 + 0.02 * rng.normal(size=500)), 40).high < 0


def test_jackknife_by_group_is_students_for_a_root():
    x = np.array([0.2, 0.5, 0.3, 0.45, 0.25, 0.4])
    left_out = np.array([np.delete(x, i).mean() for i in range(6)])
    low, high = stats.t.interval(0.95, 5, x.mean(), stats.sem(x))
    found = intervals.jackknife_square(x.mean() ** 2, left_out**2)
    assert found[1:] == pytest.approx((low**2 * np.sign(low), high**2))
    assert np.isnan(intervals.jackknife_square(0.1, np.array([0.1, 0.2])).low)


def test_imbens_manski_runs_from_two_sides_to_one():
    assert intervals.imbens_manski(0.2, 0.2, 0.1, 0.1).low == pytest.approx(0.2 - 1.959964 * 0.1, abs=1e-5)
    assert intervals.imbens_manski(0.2, 0.9, 0.1, 0.1).low == pytest.approx(0.2 - 1.644854 * 0.1, abs=1e-4)
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        low, high = 0.2 + 0.05 * rng.normal(), 0.25 + 0.05 * rng.normal()
        found = intervals.imbens_manski(min(low, high), max(low, high), 0.05, 0.05)
        covered += found.low <= 0.2 <= found.high
    assert covered / 2000 > 0.935


def test_percentile_interval():
    assert intervals.percentile_interval(np.arange(1001.0)) == pytest.approx((25, 975))
    few_undefined = np.append(np.arange(990.0), [np.nan] * 10)
    assert intervals.percentile_interval(few_undefined) is not None
    assert intervals.percentile_interval(np.append(np.arange(90.0), [np.nan] * 10)) is None


def test_gain_interval_covers_zero_at_zero():
    # r² of independent data: percentile intervals never reach 0
    rng = np.random.default_rng(6)
    covered = {"percentile": 0, "gain": 0}
    for _ in range(400):
        r = rng.normal()
        draws = (r + rng.normal(size=1000)) ** 2
        covered["percentile"] += intervals.percentile_interval(draws)[0] <= 0
        covered["gain"] += intervals.gain_interval(draws, r**2)[0] <= 0
    assert covered["percentile"] == 0
    assert covered["gain"] >= 0.93 * 400
