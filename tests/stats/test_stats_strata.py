"""Strata and Simpson's warning on simulated reversals."""

import numpy as np

from bench.stats import strata


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
    assert "gc: +" in text
    assert "motif is ahead" in text or "gc is ahead of motif pooled, but behind within a" in text
    assert [s.rows for s in found.strata] == [300, 900]


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
