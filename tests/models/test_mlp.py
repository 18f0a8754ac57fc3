"""The small network: what it learns, when it stops, and what is kept of it."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.errors import BenchError
from bench.featurizer import Features
from bench.fit.kept import packed, unpacked
from bench.model import Part, Setting
from bench.plugins.registry import Registry


def parts(rng, sizes=(600, 150, 300), columns=10):
    """A hump in one direction of the columns, which no straight line follows."""
    made = []
    for n in sizes:
        x = rng.normal(5, 3, (n, columns)).astype(np.float32)
        z = (x[:, 0] - x[:, 1]) / 4.2
        made.append(Part(Features(x, "table"), (-np.abs(z) + rng.normal(0, 0.1, n)).astype(np.float32)))
    return made


def fitted(text, seed=0):
    train, valid, test = parts(np.random.default_rng(0))
    model = Registry(dropped=False).make("model", text).new()
    model.fit(train, valid, Setting(seed=seed))
    return model, valid, test


def score(model, part):
    return spearmanr(model.predict(part.x), part.y)[0]


def test_it_follows_what_ridge_cannot():
    assert score(*[fitted("mlp")[i] for i in (0, 2)]) > 0.85
    assert score(*[fitted("ridge")[i] for i in (0, 2)]) < 0.3


def test_the_weights_are_those_of_the_best_pass():
    model, valid, _ = fitted("mlp[epochs=30,patience=3,learning_rate=0.02]")
    errors = [each["valid_mse"] for each in model.history]
    assert np.mean((model.predict(valid.x) - valid.y) ** 2) == pytest.approx(min(errors), rel=1e-5)
    assert len(errors) <= 30
    assert int(np.argmin(errors)) >= len(errors) - 4


def test_a_seed_decides_everything():
    test = fitted("mlp[epochs=2]")[2]
    same = [fitted("mlp[epochs=2]", seed)[0].predict(test.x) for seed in (3, 3, 4)]
    np.testing.assert_array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])


def test_it_is_kept_and_read_back():
    model, _, test = fitted("mlp[epochs=2]")
    again = unpacked(packed(model, "mlp"), "mlp", trusted=False)
    np.testing.assert_array_equal(again.predict(test.x), model.predict(test.x))


@pytest.mark.parametrize("wrong", ["units=0", "patience=0", "learning_rate=0", "alpha=-1"])
def test_parameters_that_cannot_be(wrong):
    with pytest.raises(BenchError, match="mlp"):
        Registry(dropped=False).make("model", f"mlp[{wrong}]")
