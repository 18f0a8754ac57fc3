"""All figures of a target against their own functions and simulated truth."""

import subprocess
import sys

import numpy as np
import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.figures import target_figures
from bench.stats.intervals import t_interval
from bench.stats.observations import Learners, Observations
from bench.stats.share import choose_per_fold


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


def within(columns, fold):
    """Places of every column, over all rows, less the means of the folds."""
    placed = (stats.rankdata(columns, axis=0) - 0.5) / len(fold)
    return placed - np.array([placed[fold == f].mean(axis=0) for f in np.unique(fold)])[fold]


def test_every_figure_is_that_of_its_own_function():
    data = simulated()
    found = figures(**data, **ROLES, confounders={"length": np.arange(1200.0)}, dna=np.arange(1200) % 7 + 1.0)
    y, fold, locus, replicates = (data[name] for name in ("y", "fold", "locus", "replicates"))
    assert (found.rows, found.loci, found.folds, found.draws) == (1200, 300, 3, 2000)
    assert (found.chosen("gc"), found.chosen("best"), found.chosen("windows")) == ("gc", "kmers", "windows")
    by_name = {row.name: row for row in found.learners}
    for name in ("gc", "kmers", "cnn"):
        row, prediction = by_name[name], data["predictions"][name]
        score = np.mean([stats.spearmanr(y[fold == f], prediction[fold == f]).statistic for f in range(3)])
        assert row.spearman.value == pytest.approx(score)
        assert row.pearson == pytest.approx(
            np.mean([np.corrcoef(y[fold == f], prediction[fold == f])[0, 1] for f in range(3)])
        )
        assert row.of_ceiling.value == pytest.approx(score / found.ceiling.best)
        # product form by hand: places within the folds of the prediction, over all rows of the replicates
        own = np.empty(1200)
        for f in range(3):
            own[fold == f] = stats.rankdata(prediction[fold == f]) / (fold == f).sum()
        own -= np.array([own[fold == f].mean() for f in range(3)])[fold]
        r = np.corrcoef(np.column_stack([own, within(replicates, fold)]).T)
        assert row.explained.value == pytest.approx(r[0, 1] * r[0, 2] / r[1, 2])
        assert row.spearman.low < row.spearman.value < row.spearman.high
    assert found.share.value == by_name["gc"].explained
    assert found.share.shown.rho_f[0] * found.share.shown.rho_f[1] / found.share.shown.rho_y[0] == pytest.approx(
        found.share.value.value
    )
    sampled = spearman_draws(y, data["predictions"]["cnn"][:, None], locus, Draws(300), fold)[:, 0]
    assert by_name["cnn"].spearman == pytest.approx(t_interval(by_name["cnn"].spearman.value, sampled, 300))
    assert by_name["kmers"].gain.low > 0
    assert by_name["kmers"].gain_p < 0.001
    assert np.isnan(by_name["gc"].gain.value)
    assert by_name["kmers"].letter == "a"
    assert by_name["cnn"].letter == "b"
    assert {by_name[name].verdict for name in ("gc", "windows")} == {"GC-only"}
    assert by_name["gc"].given_gc == (0, 0, 0)
    assert by_name["kmers"].verdict == "mixed"
    assert set(found.shares) == {"gc", "windows"}
    assert found.confounders[0].with_y.covers_zero
    assert found.ceiling_given_dna.r == pytest.approx(found.ceiling.r, abs=0.02)
    assert found.gc_with_y.low > 0.2


def test_the_null_model_has_no_score():
    row = figures(**simulated(), **ROLES).of("mean")
    assert np.isnan(row.spearman.value)
    assert np.isnan(row.explained.value)
    assert row.undefined == 3
    assert (row.letter, row.verdict) == ("", "none")
    assert np.isnan(row.given_gc.value)


@pytest.mark.parametrize("k", [0, 1])
def test_without_replicates_ceilings_are_not_available(k):
    found = figures(**simulated(k=k), **ROLES)
    assert found.ceiling is None
    assert found.no_ceiling == found.share.reason == ("one replicate" if k else "no replicates")
    assert np.isnan(found.learners[3].of_ceiling.value)
    assert np.isnan(found.share.value.value)
    assert found.share.parts.of_learned.low > 0
    assert found.share.of_total.low > 0


def test_validation_chooses_and_flattering_test_scores_do_not():
    data = simulated()
    validation = {"gc": 0.1, "windows": 0.2, "cnn": 0.5, "kmers": 0.4}
    found = figures(**data, gc_only=["gc", "windows"], baselines=["mean"], validation=validation)
    assert (found.chosen("gc"), found.chosen("best")) == ("windows", "cnn")


def test_each_fold_is_predicted_by_what_its_own_validation_rows_chose():
    data = simulated()
    validation = {"gc": 0.1, "windows": np.nan, "cnn": [0.5, 0.1, 0.5], "kmers": [0.4, 0.4, 0.4], "mean": np.nan}
    found = figures(**data, **ROLES, deep=["cnn"], validation=validation)
    choice = found.choices["best"]
    assert choice.by_fold == ("cnn", "kmers", "cnn")
    assert choice.name == "cnn"
    rows = {row.name: row for row in found.learners}
    scores = [rows[name].fold_scores[f] for f, name in enumerate(choice.by_fold)]
    assert choice.figures.spearman.value == pytest.approx(np.mean(scores))
    assert choice.key not in rows
    assert "windows" not in found.choices
    assert found.choices["deep"].figures is not None
    assert found.choices["deep"].figures.spearman == rows["cnn"].spearman


def test_the_best_of_noise_scores_nothing():
    chosen, by_mean = [], []
    for seed in range(60):
        made = worlds.make("pure noise, 20 learners", seed)
        y, names = made.y.mean(axis=1), [str(m) for m in range(20)]
        rows = [made.fold == f for f in range(5)]
        score = np.array([spearman_columns(y[rows[f]], made.models[rows[f]]) for f in range(5)])
        valid = np.roll(score, -1, axis=0)  # fold f's validation rows are fold f + 1's test rows
        choice = choose_per_fold(names, dict(zip(names, valid.T, strict=True)), 5)
        chosen.append(np.mean([score[f, int(name)] for f, name in enumerate(choice)]))
        by_mean.append(score.mean(axis=0)[valid.mean(axis=0).argmax()])
    assert abs(np.mean(chosen)) < 3 * np.std(chosen) / np.sqrt(60) + 0.003
    assert np.mean(by_mean) > 0.05


def spearman_columns(y, columns):
    """Spearman of y with every column."""
    r = stats.rankdata(np.column_stack([y, columns]), axis=0)
    return np.corrcoef(r.T)[0, 1:]


def test_a_fold_without_a_ranking_counts_as_zero_in_scores_draws_and_shares():
    data = simulated()
    mostly = np.where(data["fold"] == 0, data["predictions"]["kmers"], 1.0)
    data["predictions"]["mostly"] = mostly
    found = figures(**data, **ROLES)
    row, whole = found.of("mostly"), found.of("kmers")
    assert row.undefined == 2
    assert row.fold_scores == (whole.fold_scores[0], 0.0, 0.0)
    assert row.spearman.value == pytest.approx(whole.fold_scores[0] / 3)
    assert row.spearman.low < whole.fold_scores[0] / 3 < row.spearman.high < whole.spearman.low
    assert row.explained.value == pytest.approx(whole.explained.value / 9, rel=0.4)
    assert row.letter != whole.letter


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


@settings(max_examples=3, deadline=None)
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


@settings(max_examples=3, deadline=None)
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
    np.testing.assert_allclose(one.share.value, other.share.value, atol=1e-9)
    for (_, before), (_, after) in zip(one.share.parts.items(), other.share.parts.items(), strict=True):
        np.testing.assert_allclose(before, after, atol=1e-9)


def test_joint_draws_give_the_same_multiplicities_to_both_tasks():
    data = simulated()
    draws = Draws(300, 400, seed=4)
    one, same = figures(**data, **ROLES, draws=draws), figures(**data, **ROLES, draws=Draws(300, 400, seed=4))
    assert one.learners[3] == same.learners[3]
    assert one.draws == 400


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


def test_a_learner_may_be_called_as_what_it_is_compared_with():
    made = simulated(loci=40)
    predictions = {"GC": made["predictions"]["gc"], "y": made["predictions"]["kmers"]}
    found = target_figures(
        Observations(made["y"], made["fold"], made["locus"], made["replicates"], made["gc"]),
        Learners(predictions, gc_only=["GC"]),
    )
    assert found.share is not None
    assert found.of("GC").with_gc.value == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("change", [lambda a: a, lambda a: -2 * a, np.exp])
def test_copies_tell_no_noise(change):
    made = simulated(loci=60)
    y = np.column_stack([made["replicates"][:, 0], change(made["replicates"][:, 0]), made["replicates"][:, 1]])
    found = target_figures(
        Observations(made["y"], made["fold"], made["locus"], y, made["gc"], dna=np.exp(made["gc"] * 9)),
        Learners({"gc": made["predictions"]["gc"]}, gc_only=["gc"]),
    )
    assert found.ceiling is None
    assert found.no_ceiling == found.share.reason
    assert "copies" in found.no_ceiling
    assert np.isnan(found.of("gc").explained.value)
