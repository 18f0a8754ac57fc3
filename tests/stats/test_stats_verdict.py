"""The verdict on simulated models: one of GC is called GC-only, one that reads a motif is not."""

import numpy as np
import pytest
import worlds
from scipy import stats

from bench.stats.bootstrap import Draws
from bench.stats.figures import target_figures
from bench.stats.observations import Learners, Observations
from bench.stats.verdict import VERDICTS


def judge(y, prediction, gc, locus=None, fold=None, shuffled=None):
    """The figures of one model."""
    n = len(y)
    locus, fold = (np.arange(n) if locus is None else locus), (np.zeros(n, int) if fold is None else fold)
    on_shuffles = {} if shuffled is None else {"model": shuffled}
    observed = Observations(y, fold, locus, np.empty((n, 0)), gc)
    return target_figures(observed, Learners({"model": prediction}, shuffled=on_shuffles)).learners[0]


def simulated(kind, loci=400, tiles=3, seed=0):
    """GC, y and the prediction of a model of a kind."""
    rng = np.random.default_rng([seed, 3])
    locus = np.repeat(np.arange(loci), tiles)
    n = len(locus)
    gc = rng.normal(size=loci)[locus] + 0.3 * rng.normal(size=n)
    motif = rng.poisson(1, n) - 1.0
    noise = rng.normal(size=loci)[locus] + 0.5 * rng.normal(size=n)
    error = 0.3 * rng.normal(size=n)
    kinds = {
        "gc": (gc, gc + error),
        "hump": (-(gc**2), -(gc**2) + error),
        "motif": (motif, motif + error),
        "both": (gc + motif, gc + motif + error),
        "nothing": (motif, error),
    }
    signal, prediction = kinds[kind]
    return signal + noise, prediction, gc, locus


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("gc", "GC-only"), ("hump", "GC-only"), ("motif", "beyond GC"), ("both", "mixed"), ("nothing", "none")],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_simulated_models_get_their_verdict(kind, verdict, seed):
    y, prediction, gc, locus = simulated(kind, seed=seed)
    assert judge(y, prediction, gc, locus, locus % 3).verdict == verdict


def test_a_monotone_function_of_gc_is_gc_only():
    y, _, gc, locus = simulated("gc")
    found = judge(y, np.exp(gc), gc, locus)
    assert found.verdict == "GC-only"
    assert found.with_gc.value == pytest.approx(1)
    assert found.given_gc == found.beyond == (0, 0, 0)


def test_a_composition_model_survives_the_shuffle():
    y, prediction, gc, locus = simulated("both")
    kept = judge(y, prediction, gc, locus, shuffled=prediction + 0.05 * np.arange(len(y)) / len(y))
    assert kept.verdict == "composition"
    lost = judge(y, prediction, gc, locus, shuffled=gc)
    assert lost.verdict == "mixed"
    assert lost.shuffled.value < lost.spearman.value


def test_few_loci_are_unclear_rather_than_gc_only():
    y, prediction, gc, locus = simulated("gc", loci=25, tiles=4, seed=1)
    assert judge(y, prediction + np.random.default_rng(0).normal(size=100), gc, locus).verdict in (
        "unclear",
        "none",
        "GC-only",
    )


def test_a_prediction_without_spread_has_no_verdict_but_none():
    y, _, gc, locus = simulated("gc")
    assert judge(y, np.zeros(len(y)), gc, locus).verdict == "none"


def test_half_of_what_a_model_of_two_independent_parts_explains_is_beyond_gc():
    rng = np.random.default_rng(4)
    gc, motif, noise = rng.normal(size=(3, 12_000))
    found = judge(gc + motif + noise, gc + motif, gc)
    assert found.beyond.value == pytest.approx(0.5, abs=0.03)
    assert 0 <= found.beyond.low < found.beyond.high <= 1
    # semi-partial: what is left of the prediction, the motif, against y as it is
    assert found.given_gc.value == pytest.approx(stats.spearmanr(motif, gc + motif + noise).statistic, abs=0.02)
    assert set(VERDICTS) >= {found.verdict}


def test_below_twenty_loci_there_is_no_verdict():
    y, prediction, gc, locus = simulated("both", loci=19, tiles=30)
    found = judge(y, prediction, gc, locus)
    assert (found.verdict, found.letter) == ("n/a", "")


@pytest.mark.parametrize("name", ["line", "hump", "step", "wiggle"])
def test_a_model_of_a_bent_effect_of_gc_is_gc_only(name):
    curve = {
        "line": lambda z: z,
        "hump": worlds.hump,
        "step": worlds.step,
        "wiggle": lambda z: np.sin(3.5 * z) / 0.7,
    }[name]
    for seed in range(4):
        rng = np.random.default_rng([5, seed])
        made = worlds.basic(rng, curve=curve)
        z = made.extra["z"]
        own, other = (curve(z) + noise * worlds.wiggle(rng, z) for noise in (0.05, 0.1))
        observed = Observations(made.y.mean(axis=1), made.fold, made.locus, made.y, made.gc)
        learners = Learners({"model": own, "gc": other}, gc_only=["gc"])
        assert target_figures(observed, learners, draws=Draws(300, 300)).learners[0].verdict == "GC-only"
