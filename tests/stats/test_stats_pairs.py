"""Figures of pairs against brute force, and against a world whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.stats.bootstrap import Draws
from bench.stats.pairs import FEW_PAIRS, Differences, clear_differences, pair_figures

#: Spread of a variant's effect, of what a learner gets wrong of it, and of the noise of a replicate.
EFFECT, WRONG, NOISE = 0.6, 0.5, 0.45


def world(pairs: int, seed: int, *, k: int = 3, noise: float = NOISE, loci: int | None = None, heavy: bool = False):
    """(noise-free differences, their replicates, predictions, locus, fold)."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-0.2, EFFECT, pairs)
    drawn = rng.standard_t(3, (pairs, k, 2)) / np.sqrt(3) if heavy else rng.normal(size=(pairs, k, 2))
    measured = true[:, None] + noise * (drawn[..., 1] - drawn[..., 0])
    predicted = true + rng.normal(0, WRONG, pairs)
    locus = np.sort(rng.integers(0, loci, pairs)) if loci else np.arange(pairs)
    locus = np.unique(locus, return_inverse=True)[1]
    return true, measured, predicted, locus, locus % 5


def differences(measured, runs, locus, fold, gc=None, gc_only=()):
    runs = {name: np.asarray(run, float).reshape(len(locus), -1) for name, run in runs.items()}
    gc = np.random.default_rng(0).normal(size=len(locus)) if gc is None else gc
    return Differences(measured, gc, locus, fold, runs, dict.fromkeys(runs, 1.0), frozenset(gc_only))


def figures(of, best=None, **more):
    return pair_figures(of, Draws(int(of.locus.max()) + 1, 400), best, **more)


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("k", [2, 3])
def test_the_spearman_of_differences_is_within_3_points_of_the_truth(k: int, heavy: bool) -> None:
    """Over its noise ceiling it is that with the noise-free differences: truth from 10^6 pairs."""
    true, _, predicted, _, _ = world(1_000_000, 9, k=k, heavy=heavy)
    truth = spearmanr(predicted, true).statistic
    found, ceiling, oracle, held = [], [], [], 0
    for seed in range(4):
        true, measured, predicted, locus, fold = world(3000, seed, k=k, heavy=heavy, loci=1500)
        one = figures(differences(measured, {"f": predicted, "oracle": true}, locus, fold), predicted[:, None])
        row, whole = one.rows
        found.append(row.of_ceiling.value)
        oracle.append(whole.of_ceiling.value)
        ceiling.append(one.ceiling_best.value)
        held += row.of_ceiling.low < truth < row.of_ceiling.high
    assert abs(np.mean(found) - truth) < 0.03
    assert abs(np.mean(oracle) - 1) < 0.03
    assert max(ceiling) < 0.95
    assert held >= 3


def test_the_score_is_the_mean_of_the_folds_own_spearman() -> None:
    _, measured, predicted, locus, fold = world(300, 1, k=1)
    [row] = figures(differences(measured, {"f": predicted}, locus, fold)).rows
    by_fold = [spearmanr(measured[fold == f, 0], predicted[fold == f]).statistic for f in range(5)]
    assert row.spearman.value == pytest.approx(np.mean(by_fold))


def test_one_replicate_has_no_ceiling_and_no_signs() -> None:
    _, measured, predicted, locus, fold = world(300, 1, k=1)
    one = figures(differences(measured, {"f": predicted}, locus, fold))
    assert one.ceiling is None
    assert one.no_ceiling == "one replicate"
    assert one.clear is None
    assert np.isnan(one.rows[0].sign.value)


def test_signs_are_judged_where_the_mean_exceeds_pooled_noise() -> None:
    _, measured, predicted, locus, fold = world(2000, 2)
    measured[rows := np.arange(0, 2000, 7), 0] = np.nan  # fewer replicates, wider error
    found = clear_differences(measured, raw=True)
    assert found is not None
    k = np.isfinite(measured).sum(axis=1)
    variance = sum(np.nanvar(row, ddof=1) * (n - 1) for row, n in zip(measured, k, strict=True)) / (k - 1).sum()
    mean = np.nanmean(measured, axis=1)
    assert (found.clear == (np.abs(mean) > 1.96 * np.sqrt(variance / k))).all()
    assert (k[rows] == 2).all()
    one = figures(differences(measured, {"f": predicted, "none": np.tile([1.0, -1.0], 1000)}, locus, fold), how="mean")
    agree = np.sign(predicted[found.clear]) == np.sign(mean[found.clear])
    assert one.rows[0].sign.value == pytest.approx(agree.mean())
    assert one.rows[0].sign.low < agree.mean() < one.rows[0].sign.high
    assert one.rows[1].sign.low < 0.5 < one.rows[1].sign.high
    assert one.commoner == pytest.approx(max((mean[found.clear] < 0).mean(), (mean[found.clear] > 0).mean()))


def test_replicates_in_other_units_move_no_sign() -> None:
    _, measured, _, _, _ = world(2000, 3)
    one = clear_differences(measured)
    other = clear_differences(measured * [1, 40, 1])
    assert one is not None
    assert other is not None
    assert (one.clear == other.clear).mean() > 0.99


def test_noise_alone_exceeds_itself_in_one_pair_of_twenty() -> None:
    rng = np.random.default_rng(4)
    found = clear_differences(rng.normal(size=(20_000, 3)))
    assert found is not None
    assert abs(found.clear.mean() - 0.05) < 0.01


def test_of_equal_gc_a_gc_only_learner_has_no_figure() -> None:
    _, measured, predicted, locus, fold = world(300, 5)
    # rounding of equal predictions is no difference, whoever made them
    rounding = np.random.default_rng(1).normal(0, 1e-7, 300)
    runs = {"gc": rounding, "kmers": predicted, "composition": rounding}
    one = figures(differences(measured, runs, locus, fold, gc=np.zeros(300), gc_only=["gc"]), neutral=True)
    gc, kmers, composition = one.rows
    assert np.isnan(gc.spearman.value)
    assert gc.reason == "GC content is the same in both rows"
    assert kmers.spearman.low > 0
    assert composition.reason == "it predicts no difference in any pair"


def test_few_pairs_have_no_figures_and_say_so() -> None:
    _, measured, predicted, locus, fold = world(FEW_PAIRS - 1, 6)
    one = figures(differences(measured, {"f": predicted}, locus, fold))
    assert one.rows == ()
    assert one.reason.startswith("19 pairs in 19 loci")
    _, measured, predicted, locus, fold = world(100, 6, loci=12)
    assert figures(differences(measured, {"f": predicted}, locus, fold)).reason


def test_intervals_hold_the_population_in_most_boards() -> None:
    """Two pairs share a locus and half of the predictions' errors; 120 boards."""
    rng = np.random.default_rng(7)

    def board(loci: int):
        shared = np.repeat(rng.normal(size=loci), 2)
        true = rng.normal(size=2 * loci) + shared
        measured = true[:, None] + rng.normal(size=(2 * loci, 2))
        predicted = true + shared + rng.normal(size=2 * loci)
        return measured, predicted, np.repeat(np.arange(loci), 2)

    measured, predicted, _ = board(500_000)
    truth = spearmanr(measured[:, 0], predicted).statistic
    held = 0
    for _ in range(120):
        measured, predicted, locus = board(100)
        of = differences(measured[:, :1], {"f": predicted}, locus, np.zeros(200, int))
        [row] = pair_figures(of, Draws(100, 300)).rows
        held += row.spearman.low < truth < row.spearman.high
    assert held >= 108
