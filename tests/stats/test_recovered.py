"""R² and Spearman of cross-fitted predictions against scikit-learn, scipy and simulated truth."""

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import r2_score

from bench.stats.recovered import recovered


def test_values_are_those_of_the_libraries():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    predicted = 0.6 * truth + rng.normal(0.3, 0.5, 300)
    found = recovered(truth, predicted, np.arange(300) // 3)
    np.testing.assert_allclose(found.r2.value, r2_score(truth, predicted))
    np.testing.assert_allclose(found.rho.value, spearmanr(truth, predicted)[0])


def test_intervals_hold_the_truth():
    """Loci share an effect; the truth is the figure of a large sample."""
    rng = np.random.default_rng(1)

    def world(loci):
        locus = np.repeat(np.arange(loci), 5)
        truth = rng.normal(size=loci)[locus] + rng.normal(size=5 * loci)
        return truth, truth * 0.7 + rng.normal(size=loci)[locus] * 0.6, locus

    true, guess, _ = world(100_000)
    wanted = r2_score(true, guess), spearmanr(true, guess)[0]
    hits = np.zeros(2)
    for _ in range(120):
        for i, figure in enumerate(recovered(*world(60), draws=300)):
            hits[i] += figure.low <= wanted[i] <= figure.high
    assert (hits / 120 > 0.88).all()


def test_one_value_has_no_figure():
    found = recovered(np.full(40, 0.5), np.arange(40.0), np.arange(40))
    assert np.isnan([found.r2.value, found.rho.value]).all()
