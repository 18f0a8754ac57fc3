"""Strata and Simpson's warning on simulated reversals."""

import numpy as np
import pytest
from scipy import stats

from bench.stats import strata
from bench.stats.bootstrap import Draws


def test_pooled_sign_that_no_stratum_has():
    # two species that differ in level of both GC and y; nothing within either
    rng = np.random.default_rng(0)
    species = np.repeat(["maize", "tobacco"], 500)
    shift = 2.0 * (species == "maize")
    y, gc = rng.normal(size=(2, 1000)) + shift
    found = strata.by_stratum(y, {"gc": gc}, species, np.zeros(1000, int), np.arange(1000))
    assert found.pooled.scores["gc"].low > 0.3
    assert any("more than any stratum shows" in line for line in found.warnings)


def test_sign_and_order_that_turn_around():
    rng = np.random.default_rng(1)
    group = np.repeat(["a", "b"], [300, 900])
    sign = np.where(group == "a", -1.0, 1.0)
    gc, motif = rng.normal(size=(2, 1200))
    y = sign * gc + 0.4 * motif
    found = strata.by_stratum(y, {"gc": gc, "motif": motif}, group, np.arange(1200) % 2, np.arange(1200))
    text = "\n".join(found.warnings)
    assert "within a" in text
    assert "gc: opposite signs, -0.91 within a and +0.93 within b; +0.51 pooled." in text
    assert "motif is ahead" in text or "gc is ahead of motif pooled, but behind within a" in text
    assert [s.rows for s in found.strata] == [300, 900]


def test_opposite_signs_are_named_where_the_pool_is_at_zero():
    rng = np.random.default_rng(3)
    group = np.repeat(["a", "b"], 600)
    gc = rng.normal(size=1200)
    y = np.where(group == "a", 1.0, -1.0) * gc + rng.normal(size=1200)
    found = strata.by_stratum(y, {"gc": gc}, group, np.zeros(1200, int), np.arange(1200))
    assert found.pooled.scores["gc"].covers_zero
    assert found.stories["gc"].opposite == ("b", "a")
    assert found.stories["gc"].i2 > 0.95
    assert any("opposite signs" in line and "within a" in line and "within b" in line for line in found.warnings)
    # the curve of GC is refitted within: nothing for all rows together, half of the variance within
    replicates = y[:, None] + 0.5 * rng.normal(size=(1200, 2))
    draws = Draws(1200, 200)
    pooled = strata.share_refitted(y, gc, replicates, np.arange(1200), draws)
    within = strata.share_refitted(y, gc, replicates, np.arange(1200), draws, group)
    assert pooled.value.value < 0.02
    assert within.value.value == pytest.approx(0.5, abs=0.06)
    assert strata.share_refitted(y, gc, replicates[:, :1], np.arange(1200), draws) is None


def test_heterogeneity_is_that_of_a_meta_analysis():
    rng = np.random.default_rng(4)
    group = np.repeat(["a", "b", "c"], 400)
    gc = rng.normal(size=1200)
    y = np.repeat([0.2, 0.6, 1.2], 400) * gc + rng.normal(size=1200)
    found = strata.by_stratum(y, {"gc": gc}, group, np.zeros(1200, int), np.arange(1200))
    r = np.array([part.scores["gc"].value for part in found.strata])
    weight = np.array([(2 * stats.t.ppf(0.975, 399) / part.scores["gc"].width) ** 2 for part in found.strata])
    q = (weight * (r - (weight * r).sum() / weight.sum()) ** 2).sum()
    assert found.stories["gc"].q == pytest.approx(q)
    assert found.stories["gc"].p == pytest.approx(stats.chi2.sf(q, 2))
    assert found.stories["gc"].i2 == pytest.approx(1 - 2 / q)
    assert found.stories["gc"].opposite == ()


def test_agreement_gives_no_warning_and_small_strata_are_named():
    rng = np.random.default_rng(2)
    label = np.array(["x"] * 400 + ["y"] * 400 + ["rare"] * 20 + [""] * 80)
    gc = rng.normal(size=900)
    y = gc + rng.normal(size=900)
    fold = np.where(np.arange(900) % 10 == 0, -1, 0)
    found = strata.by_stratum(y, {"gc": gc}, label, fold, np.arange(900) // 2)
    assert found.warnings == ()
    assert found.left_out == ("rare",)
    assert found.pooled.rows == 810
    assert [s.name for s in found.strata] == ["x", "y"]
