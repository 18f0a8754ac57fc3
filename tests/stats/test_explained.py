import numpy as np
from sklearn.metrics import r2_score

from bench.stats.explained import r_squared


def test_r_squared_is_that_of_scikit_learn_and_its_interval_holds_it():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        locus = np.arange(300) // 3
        shared = rng.normal(size=100)[locus]
        y = shared + rng.normal(size=300)
        fits = np.stack([0.5 * shared, shared])
        r2, more = r_squared(y, fits, locus, seed)
        np.testing.assert_allclose([each.value for each in r2], [r2_score(y, fit) for fit in fits])
        np.testing.assert_allclose(more[1].value, r2[1].value - r2[0].value)
        held += r2[1].low <= 0.5 <= r2[1].high
    assert 51 <= held <= 60
