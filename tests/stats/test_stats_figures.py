"""All figures of a target against their own functions and simulated truth."""

import subprocess
import sys

import numpy as np
import pytest
import reference_statistics as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stats import ceilings, ranks
from bench.stats.bootstrap import Draws, percentile_interval, spearman_draws
from bench.stats.figures import target_figures
from bench.stats.observations import Learners, Observations


def simulated(g=0.3, m=0.3, loci=300, tiles=4, reliability=0.7, seed=0, k=2):
    rng = np.random.default_rng([seed, 8])
    locus = np.repeat(np.arange(loci), tiles)
    n = len(locus)
    z = np.sqrt(0.94) * rng.normal(size=loci)[locus] + np.sqrt(0.06) * rng.normal(size=n)
    motif = rng.poisson(1, n) - 1.0
    latent = np.sqrt(g) * z + np.sqrt(m) * motif + np.sqrt(max(0, 1 - g - m)) * rng.normal(size=loci)[locus]
    replicates = latent[:, None] + np.sqrt(1 / reliability - 1) * rng.normal(size=(n, k))
    predictions = {
        "mean": np.zeros(n),
        "gc": z + 0.02 * rng.normal(size=n),
        "windows": z + 0.2 * rng.normal(size=n),
        "kmers": np.sqrt(g) * z + np.sqrt(m) * motif + 0.3 * rng.normal(size=n),
        "cnn": np.sqrt(g) * z + np.sqrt(m) * motif + 0.9 * rng.normal(size=n),
    }
    return {
        "y": replicates.mean(axis=1) if k else latent,
        "fold": locus % 3,
        "locus": locus,
        "replicates": replicates,
        "gc": 0.45 + 0.08 * z,
        "predictions": predictions,
    }


def figures(draws=None, **given):
    """The figures of observations and learners given side by side."""
    observed = {name: given.pop(name) for name in Observations.__dataclass_fields__ if name in given}
    return target_figures(Observations(**observed), Learners(**given), draws=draws)


ROLES = {"gc_only": ["gc"], "gc_windowed": ["windows"], "baselines": ["mean"]}


def test_every_figure_is_that_of_its_own_function():
    data = simulated()
    found = figures(**data, **ROLES, confounders={"length": np.arange(1200.0)}, log_dna=np.arange(1200) % 7 + 1.0)
    y, fold, locus, replicates = (data[name] for name in ("y", "fold", "locus", "replicates"))
    assert (found.rows, found.loci, found.folds, found.draws) == (1200, 300, 3, 2000)
    assert (found.gc_learner, found.best_learner) == ("gc", "kmers")
    assert found.ceiling == ceilings.ceiling(replicates, fold)
    whole = reference.share(
        y, data["predictions"]["gc"], data["predictions"]["kmers"], found.ceiling_gaussian.reliability, fold
    )
    for (name, one), (_, other) in zip(found.share.items(), whole.items(), strict=True):
        assert one.value == pytest.approx(other), name
    by_name = {row.name: row for row in found.learners}
    for name in ("gc", "kmers", "cnn"):
        row, prediction = by_name[name], data["predictions"][name]
        score = ranks.spearman_by_fold(y, prediction, fold).mean()
        assert row.spearman.value == pytest.approx(score)
        assert row.of_ceiling.value == pytest.approx(score / found.ceiling.best)
        assert row.explained.value == pytest.approx(score**2 / found.ceiling.reliability)
        assert row.given_gc.value == pytest.approx(reference.spearman_given(y, prediction, data["gc"], locus, fold))
        assert row.with_gc.value == pytest.approx(ranks.spearman_by_fold(prediction, data["gc"], fold).mean())
        assert row.spearman.low < row.spearman.value < row.spearman.high
    sampled = spearman_draws(y, data["predictions"]["cnn"][:, None], locus, Draws(300), fold)[:, 0]
    assert (by_name["cnn"].spearman.low, by_name["cnn"].spearman.high) == pytest.approx(percentile_interval(sampled))
    assert by_name["kmers"].gain.low > 0
    assert by_name["kmers"].gain_p < 0.001
    assert np.isnan(by_name["gc"].gain.value)
    assert by_name["kmers"].letter == "a"
    assert by_name["cnn"].letter == "b"
    assert {by_name[name].verdict for name in ("gc", "windows")} == {"GC-only"}
    assert by_name["kmers"].verdict == "mixed"
    assert set(found.shares) == {"gc", "windows"}
    assert found.fev_gc == pytest.approx(ceilings.fev_product(data["predictions"]["gc"], replicates, fold))
    assert found.confounders[0].with_y.covers_zero
    assert found.ceiling_given_dna.r == pytest.approx(found.ceiling.r, abs=0.02)
    assert found.gc_with_y.low > 0.2


def test_the_null_model_has_no_score():
    row = figures(**simulated(), **ROLES).of("mean")
    assert np.isnan(row.spearman.value)
    assert (row.letter, row.verdict) == ("", "none")
    assert np.isnan(row.given_gc.value)


@pytest.mark.parametrize("k", [0, 1])
def test_without_replicates_ceilings_are_not_available(k):
    found = figures(**simulated(k=k), **ROLES)
    assert found.ceiling is None
    assert found.fev_gc is None
    assert np.isnan(found.learners[3].of_ceiling.value)
    assert np.isnan(found.share.of_explainable.value)
    assert found.share.of_learned.low > 0


def test_validation_chooses_and_flattering_test_scores_do_not():
    data = simulated()
    validation = {"gc": 0.1, "windows": 0.2, "cnn": 0.5, "kmers": 0.4}
    found = figures(**data, gc_only=["gc", "windows"], baselines=["mean"], validation=validation)
    assert (found.gc_learner, found.best_learner) == ("windows", "cnn")


def test_rows_that_are_not_held_out_or_not_measured_do_not_count():
    data = simulated()
    trimmed = {
        **{name: data[name][:900] for name in ("y", "fold", "locus", "replicates", "gc")},
        "predictions": {name: column[:900] for name, column in data["predictions"].items()},
    }
    data["fold"] = np.where(np.arange(1200) < 1000, data["fold"], -1)
    data["y"] = np.where(np.arange(1200) < 900, data["y"], np.nan)
    for column in data["predictions"].values():
        column[1000:] = np.nan
    one, other = figures(**data, **ROLES), figures(**trimmed, **ROLES)
    assert one.rows == other.rows == 900
    assert one.learners[3] == other.learners[3]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_monotone_transforms_change_nothing(seed):
    data = simulated(loci=60, seed=seed)
    bent = {**data, "predictions": {name: np.exp(column) for name, column in data["predictions"].items()}}
    bent["y"], bent["gc"] = data["y"] ** 3, data["gc"] ** 2
    one, other = figures(**data, **ROLES), figures(**bent, **ROLES)
    for before, after in zip(one.learners[1:], other.learners[1:], strict=True):
        np.testing.assert_allclose(before.spearman, after.spearman)
        np.testing.assert_allclose(before.given_gc, after.given_gc, atol=1e-9)
        assert before.letter == after.letter


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 100))
def test_the_order_of_rows_changes_nothing(seed):
    data = simulated(loci=60, seed=seed)
    order = np.random.default_rng(seed).permutation(len(data["y"]))
    moved = {name: data[name][order] for name in ("y", "fold", "locus", "replicates", "gc")}
    moved["predictions"] = {name: column[order] for name, column in data["predictions"].items()}
    one, other = figures(**data, **ROLES), figures(**moved, **ROLES)
    for before, after in zip(one.learners[1:], other.learners[1:], strict=True):
        for name in ("spearman", "explained", "gain", "given_gc", "with_gc", "beyond"):
            np.testing.assert_allclose(getattr(before, name), getattr(after, name), atol=1e-9)
        assert (before.letter, before.verdict) == (after.letter, after.verdict)
    for (_, before), (_, after) in zip(one.share.items(), other.share.items(), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-9)


def test_joint_draws_give_the_same_multiplicities_to_both_tasks():
    data = simulated()
    draws = Draws(300, 400, seed=4)
    one, same = figures(**data, **ROLES, draws=draws), figures(**data, **ROLES, draws=Draws(300, 400, seed=4))
    assert one.learners[3] == same.learners[3]
    assert one.draws == 400


def test_simulated_share_lies_in_its_interval_and_zero_in_that_of_no_share():
    covered = zero = 0
    for seed in range(12):
        found = figures(**simulated(seed=seed), **ROLES, draws=Draws(300, 300, seed))
        covered += found.share.of_explainable.low <= 0.3 <= found.share.of_explainable.high
        none = figures(**simulated(g=0, m=0.5, seed=seed), **ROLES, draws=Draws(300, 300, seed))
        zero += none.share.of_explainable.covers_zero
    assert covered >= 9
    assert zero >= 9


def test_mistakes_are_named():
    data = simulated()
    with pytest.raises(ValueError, match="'spline' has no predictions"):
        figures(**data, gc_only=["spline"])
    data["predictions"]["cnn"][3] = np.nan
    with pytest.raises(ValueError, match="'cnn' are not finite on 1 rows"):
        figures(**data, **ROLES)
    with pytest.raises(ValueError, match="no row"):
        figures(**{**data, "fold": np.full(1200, -1)})


def test_importing_it_is_cheap():
    heavy = ("numba", "pandas", "sklearn", "scipy")
    code = f"import sys, bench.stats.figures; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
