"""Figures of transferred predictions against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.stats.bootstrap import Draws
from bench.stats.replicates import combine
from bench.stats.transfer import average, transfer_figures


def test_folds_models_are_put_on_one_scale_before_they_are_averaged() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=400)
    predictions = np.column_stack([5 + 10 * truth, truth + rng.normal(0, 0.01, 400), -3 + 0.1 * truth])
    usable = rng.uniform(size=(400, 3)) < 0.6
    usable[:2] = [[False, False, False], [True, False, False]]
    found = average(predictions, usable)
    assert np.isnan(found[0])
    kept = np.isfinite(found)
    assert spearmanr(found[kept], truth[kept]).statistic > 0.999
    scaled = (predictions - predictions.mean(axis=0)) / predictions.std(axis=0)
    assert found[1] == pytest.approx(scaled[1, 0])


def test_scores_gains_and_losses() -> None:
    rng = np.random.default_rng(1)
    n = 600
    truth = rng.normal(size=n)
    replicates = truth[:, None] + rng.normal(0, 0.6, (n, 2))
    combined = combine(replicates)
    locus, fold = np.arange(n) // 2, np.arange(n) // 2 % 3
    carried = {"gc": rng.normal(size=(n, 1)), "f": truth[:, None] + rng.normal(0, 1, (n, 2)), "g": truth[:, None]}
    there = {"f": truth[:, None] + rng.normal(0, 0.5, (n, 1))}
    found = transfer_figures(
        combined.value, replicates, combined, locus, fold, carried, there, "gc", Draws(n // 2, 300)
    )

    def score(runs: np.ndarray) -> float:
        one = [spearmanr(combined.value[fold == k], run[fold == k]).statistic for run in runs.T for k in range(3)]
        return float(np.mean(one))

    gc, f, oracle = found.learners
    assert f.carried.value == pytest.approx(score(carried["f"]))
    assert f.gain.value == pytest.approx(score(carried["f"]) - score(carried["gc"]))
    assert f.there.value == pytest.approx(score(there["f"]))
    assert f.lost.value == pytest.approx(score(there["f"]) - score(carried["f"]))
    assert f.lost.low > 0
    assert np.isnan(gc.gain.value)
    assert np.isnan(gc.there.value)
    assert gc.carried.low < 0 < gc.carried.high
    assert abs(oracle.of_ceiling.value - 1) < 0.04
