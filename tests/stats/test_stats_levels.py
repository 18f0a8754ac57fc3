"""Figures of all levels at once, against those of each level by itself, and against a simulated truth."""

import numpy as np
import pytest
from stratified import stratified

from bench.stats import strata
from bench.stats.bootstrap import Draws
from bench.stats.levels import NO_GC, groups_of, shares_by_level
from bench.stats.pooled import pooled_by_level, pooled_correlations
from bench.stats.strata import by_stratum, share_refitted


def rows_of(seed, n=900, loci=120):
    rng = np.random.default_rng(seed)
    gc, best = rng.normal(size=(2, n))
    y = gc[:, None] + 0.5 * best[:, None] + rng.normal(size=(n, 2))
    return y, gc, best, rng.integers(0, loci, n), rng.integers(0, 3, n), rng.integers(-1, 3, n)


def test_levels_in_one_pass_are_the_levels_one_by_one(monkeypatch):
    y, gc, best, locus, fold, level = rows_of(0)
    columns = np.column_stack([gc, best, y])
    columns[::7, 2] = np.nan
    draws = Draws(120, 50)
    for cells in (200_000, 100):  # in one pass over the draws, and in several
        monkeypatch.setattr("bench.stats.pooled.CELLS", cells)
        found = pooled_by_level(columns, [(0, 2), (1, 3)], locus, fold, level, draws=draws)
        for one in range(3):
            rows = level == one
            alone = pooled_correlations(columns[rows], [(0, 2), (1, 3)], locus[rows], fold[rows], draws=draws)
            np.testing.assert_allclose(found[one].point, alone.point)
            np.testing.assert_allclose(found[one].drawn, alone.drawn)


def test_shares_of_levels_are_those_of_their_rows():
    y, gc, _, locus, _, level = rows_of(1)
    gc = np.where(level == 2, 0.5, gc)
    draws = Draws(120, 50)
    found = shares_by_level(y.mean(axis=1), gc, y, locus, draws, level)
    for one in range(2):
        rows = level == one
        alone = share_refitted(y[rows].mean(axis=1), gc[rows], y[rows], locus[rows], draws)
        assert found[one].value == pytest.approx(alone.value)
    assert found[2].reason == NO_GC
    assert np.isnan(found[2].value.value)
    assert shares_by_level(y[:, 0], gc, y[:, :1], locus, draws, level) is None


def test_draws_that_keep_the_ranks_agree_with_ranking_again(monkeypatch):
    y, gc, best, locus, fold, level = rows_of(2, 3000, 600)
    labels = np.array(["decile 9", "decile 10", "a", ""])[level]
    columns, draws = {"gc": gc, "best": best}, Draws(600, 600)
    exact = by_stratum(y[:, 0], columns, labels, fold, locus, draws)
    monkeypatch.setattr(strata, "MANY", 500)
    kept = by_stratum(y[:, 0], columns, labels, fold, locus, draws)
    assert [part.name for part in kept.strata] == ["a", "decile 9", "decile 10"]
    for one, other in zip([exact.pooled, *exact.strata], [kept.pooled, *kept.strata], strict=True):
        assert (one.name, one.rows, one.loci) == (other.name, other.rows, other.loci)
        for name in columns:
            assert other.scores[name].value == pytest.approx(one.scores[name].value)
            assert other.scores[name].width == pytest.approx(one.scores[name].width, rel=0.06)


def test_columns_that_the_strata_divide_tell_no_story():
    y, gc, best, locus, fold, _ = rows_of(3, 1500)
    bins = np.digitize(gc, np.quantile(gc, [0.25, 0.5, 0.75])).astype(str)
    told = by_stratum(y[:, 0], {"GC": gc, "best": best}, bins, fold, locus, Draws(120, 200))
    assert any(line.startswith("GC") and "more than any stratum shows" in line for line in told.warnings)
    kept = by_stratum(y[:, 0], {"GC": gc, "best": best}, bins, fold, locus, Draws(120, 200), restricted={"GC"})
    assert not any("GC" in line for line in kept.warnings)
    assert np.isnan(kept.stories["GC"].q)
    assert np.isfinite(kept.stories["best"].q)


def test_share_of_each_state_is_the_simulated_one():
    rows = stratified(30_000, 1_500)
    names = [name for name in rows.truth if (rows.state == name).any()]
    found = shares_by_level(
        rows.y.mean(axis=1), rows.gc, rows.y, rows.locus, Draws(3000, 100), groups_of(rows.state, names)
    )
    for name, share in zip(names, found, strict=True):
        assert share.value.value == pytest.approx(rows.truth[name], abs=0.05)
