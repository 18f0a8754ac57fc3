"""GC's share: arithmetic by hand, regression, references of the literature, and worlds of a known truth."""

import numpy as np
import pytest
import worlds
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import share
from bench.stats.bootstrap import Draws
from bench.stats.figures import target_figures
from bench.stats.intervals import Estimate
from bench.stats.library import lower_bound
from bench.stats.observations import Learners, Observations
from bench.stats.replicates import combine


def figures(world, draws=300, seed=0):
    """The figures of a board of a simulated world: G, D, and the noise-free activity T as a learner of its own."""
    combined = combine(world.y, loci=len(np.unique(world.locus)))
    dna = None if world.dna is None else world.dna.astype(float)
    observed = Observations(
        combined.value,
        world.fold,
        world.locus,
        world.y,
        world.gc,
        dna=dna,
        confounders={} if dna is None else {"log DNA count": np.log(np.maximum(dna, 0.5))},
        library={"log DNA count": "DNA"},
        chrom=world.chrom,
        control=world.control,
        combined=combined,
    )
    learners = Learners(
        {"G": world.G, "D": world.D, "T": world.T},
        gc_only=["G"],
        baselines=["T"],
        validation={"G": 1.0, "D": 1.0, "T": 1.0},
    )
    return target_figures(observed, learners, draws=Draws(int(world.locus.max()) + 1, draws, seed))


# ---- arithmetic ------------------------------------------------------------------------------------------------------
def test_the_printed_correlations_give_the_printed_share():
    assert share.product_form([0.38, 0.41], [0.80]) == pytest.approx(0.38 * 0.41 / 0.80)
    assert share.product_form([-0.38, -0.41], [0.80]) == pytest.approx(-0.38 * 0.41 / 0.80)
    assert share.product_form([-0.1, 0.2], [0.5]) < 0
    assert np.isnan(share.product_form([0.3, 0.3], [-0.1]))


@given(st.floats(0.05, 1), st.lists(st.floats(0.1, 1), min_size=2, max_size=5))
def test_unequal_replicates_cancel(rho, loadings):
    # two replicates exactly; more where the loadings are alike
    two = np.array(loadings[:2])
    assert share.product_form(rho * two, [two[0] * two[1]]) == pytest.approx(rho**2)


def test_the_robustness_value_is_that_of_sensemakr():
    # sensemakr 0.1.4, darfur: robustness_value(model, "directlyharmed") = 0.13878; its partial R2 is 0.02187309
    assert share.robustness_value(0.02187309) == pytest.approx(0.13878, abs=1e-5)
    assert (share.robustness_value(-0.1), share.robustness_value(0.0), share.robustness_value(1.2)) == (0, 0, 1)


def test_why_there_is_no_share():
    assert share.no_reliability(Estimate(0.4, 0.3, 0.5)) is None
    assert share.no_reliability(Estimate(-0.1, -0.2, 0.0)) == "the replicates do not correlate"
    against = share.no_reliability(Estimate(-0.4, -0.6, -0.2))
    assert against == "the replicates run against one another (correlation -0.40)"
    assert "0.05 [-0.01, 0.11], cannot be told from 0" in share.no_reliability(Estimate(0.05, -0.01, 0.11))


@given(st.integers(0, 1000))
def test_both_is_the_r2_of_a_regression(seed):
    rng = np.random.default_rng(seed)
    y, a, b = rng.normal(size=(3, 60))
    y, b = y + a + b, b + a
    y = y + 0.5 * b
    r = np.corrcoef([y, a, b])
    if min(r[0, 1], r[0, 2]) <= 0:
        return
    design = np.column_stack([np.ones(60), a, b])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    found = share.commonality(r[0, 1] ** 2, r[0, 2] ** 2, r[1, 2])
    assert found.both == pytest.approx(1 - left.var() / y.var())
    assert found.unique_gc + found.common + found.unique_best == pytest.approx(found.both)
    assert found.shapley == pytest.approx(found.unique_gc + found.common / 2)
    assert found.of_learned == pytest.approx(r[0, 1] ** 2 / found.both)


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_no_part_is_impossible(gc, best, c):
    found = share.commonality(gc, best, c)
    assert found.unique_gc >= -1e-12
    assert found.unique_best >= -1e-12
    low, high = share.sorted_ends(found)
    assert low <= high
    if gc <= 0:  # a prediction that runs the wrong way owns nothing
        assert found.unique_gc == found.common == 0


def test_common_can_be_negative_and_one_variable_twice_has_nothing_unique():
    assert share.commonality(0.01, 0.25, 0.6).common < 0
    found = share.commonality(0.25, 0.25, 1.0)
    assert (found.unique_gc, found.unique_best, found.of_learned) == (0, 0, 1)


def test_a_fold_chooses_for_itself():
    nan = np.nan
    scores = {"a": np.array([0.1, 0.5, nan]), "b": np.array([0.2, 0.5, nan]), "c": np.array([nan, nan, nan])}
    assert share.choose_per_fold(["c", "a", "b"], scores, 3) == ["b", "a", "a"]
    assert share.choose_per_fold(["c"], scores, 3) is None
    assert share.choose_per_fold([], {}, 3) is None


# ---- worlds ----------------------------------------------------------------------------------------------------------
#: A few boards each, so within three standard errors of the truth: the study is `benchmarks/calibration.py`.
CORE = [
    "equal",
    "noise replicate of three",
    "replicate 2 noisier, 4x wide",
    "outliers",
    "reliability .9 and .15",
    "offset, missing at random",
    "hump",
    "step",
    "50 x 20",
    "one locus 30 %",
    "fold levels differ by 5 SD",
    "wrong way",
]


@pytest.mark.parametrize("name", CORE)
def test_the_share_of_a_world_comes_back(name):
    truth = worlds.truth(name)
    found = [figures(worlds.make(name, seed), 100, seed) for seed in range(6)]
    values = np.array([board.share.value.value for board in found])
    assert abs(values.mean() - truth) < 0.03 + 3 * values.std(ddof=1) / np.sqrt(6)
    assert sum(board.share.value.low <= truth <= board.share.value.high for board in found) >= 4
    assert all(board.share.at_least == () for board in found)
    # the oracle: noise-free activity reaches the printed ceiling
    oracle = np.mean([board.of("T").of_ceiling.value for board in found])
    assert 0.93 < oracle < 1.06


def test_a_library_bias_is_warned_of_and_goes_with_dna_held_fixed():
    for seed in range(3):
        found = figures(worlds.make("library bias, unfiltered DNA", seed))
        assert found.share.value.low > 0
        assert found.share.given.share.value.low <= 0.002
        assert found.share.given.rows < found.rows
        assert [test.kind for test in found.library if test.matters] == ["DNA"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("measurement bias, controls", "controls"),
        ("floor follows GC, no biology", "floor"),
        ("offset, missing by GC", "missing"),
    ],
)
def test_what_follows_gc_and_is_no_biology_is_warned_of(name, kind):
    for seed in range(3):
        assert kind in [test.kind for test in figures(worlds.make(name, seed)).library if test.matters]
        assert not [test for test in figures(worlds.make("equal", seed)).library if test.matters]


@pytest.mark.parametrize(("name", "why"), [("zeros 88 %", "ties"), ("two modes", "two modes")])
def test_noise_that_is_not_of_one_size_makes_the_share_a_lower_bound_and_the_ceiling_na(name, why):
    for seed in range(3):
        found = figures(worlds.make(name, seed))
        assert why in found.share.at_least
        assert found.ceiling is None
        assert "the noise is not of one size" in found.no_ceiling
        assert not found.share.value.low > worlds.truth(name)
        assert found.share.given_shown == (why == "ties")


def test_unrelated_replicates_give_no_share_with_the_reason():
    world = worlds.make("equal", 0)
    world.y = np.random.default_rng(0).normal(size=world.y.shape)
    found = figures(world)
    assert np.isnan(found.share.value.value)
    assert found.share.reason == found.no_ceiling
    assert "correlat" in found.share.reason


def test_a_dominating_chromosome_is_named_and_slopes_by_chromosome_widen_the_interval():
    found = figures(worlds.make("chromosomes 80/15/5", 0))
    assert found.chromosome == ("0", pytest.approx(0.8, abs=0.01))
    assert figures(worlds.make("equal", 0)).chromosome is None
    assert figures(worlds.make("chromosome slopes", 0)).share.shown.wide


def test_what_few_loci_cannot_say():
    found = figures(worlds.make("10 loci x 100", 0))
    assert found.few_loci
    assert {row.letter for row in found.learners} == {""}
    assert {row.verdict for row in found.learners} == {"n/a"}
    assert figures(worlds.make("20 loci x 50", 0)).share.smallest > 5 * figures(worlds.make("equal", 0)).share.smallest


def test_two_modes_of_replicates_that_agree_are_no_lower_bound():
    """With reliability .99 there is next to no noise that could be of unlike size."""
    rng = np.random.default_rng(4)
    latent = rng.normal(size=(900, 1))
    activity = np.sign(latent) + 0.2 * latent
    assert lower_bound(activity + 0.4 * rng.normal(size=(900, 2)), None, 300) == ["two modes"]
    assert lower_bound(activity + 0.02 * rng.normal(size=(900, 2)), None, 300) == []
