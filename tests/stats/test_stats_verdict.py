"""The verdict on simulated models: one of GC is called GC-only, one that reads a motif is not."""

import numpy as np
import pytest

from bench.stats.bootstrap import Estimate
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
    assert found.given_gc == Estimate(0, 0, 0)


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
    )


def test_a_prediction_without_spread_has_no_verdict_but_none():
    y, _, gc, locus = simulated("gc")
    assert judge(y, np.zeros(len(y)), gc, locus).verdict == "none"


def test_variance_beyond_of_independent_parts():
    # y = gc + motif + noise, model = gc + motif: half of what it explains is beyond GC
    rng = np.random.default_rng(4)
    n = 40_000
    gc, motif, noise = rng.normal(size=(3, n))
    found = judge(gc + motif + noise, gc + motif, gc)
    assert found.beyond.value == pytest.approx(0.5, abs=0.03)
    assert set(VERDICTS) >= {found.verdict}
