"""The most similar training row as a model."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Part, Setting
from bench.models.nearest import Nearest


def fitted(codes, y, **parameters):
    model = Nearest(**parameters)
    part = Part(Features(codes, "codes"), y.astype(np.float32))
    model.fit(part, part, Setting())
    return model


def test_it_predicts_the_mean_where_no_row_has_a_relative_and_rises_with_a_planted_leak():
    rng = np.random.default_rng(0)
    train = rng.integers(0, 4, (400, 120)).astype(np.uint8)
    y = rng.normal(size=400)
    model = fitted(train, y)
    scores = []
    for leaked in (0, 100, 200, 400):
        test = rng.integers(0, 4, (400, 120)).astype(np.uint8)
        test[:leaked] = np.where(rng.random((leaked, 120)) < 0.05, 0, train[:leaked])
        predicted = model.predict(Features(test, "codes"))
        assert predicted[leaked:] == pytest.approx(y.mean(), abs=1e-6)
        assert predicted[:leaked] == pytest.approx(y[:leaked], abs=1e-6)
        scores.append(0.0 if leaked == 0 else spearmanr(predicted, y).statistic)
    assert scores == sorted(scores)
    assert scores[-1] > 0.99


def test_targets_that_share_rows_share_the_index():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (50, 100)).astype(np.uint8)
    setting = Setting()
    models = []
    for _ in range(2):
        model = Nearest()
        part = Part(Features(codes, "codes"), rng.normal(size=50).astype(np.float32))
        model.fit(part, part, setting)
        models.append(model)
    assert models[0].relatives_ is models[1].relatives_


@pytest.mark.parametrize("name", ["identity", "covered"])
def test_a_fraction_out_of_range_is_refused(name):
    with pytest.raises(BenchError, match=f"{name!r} must be above 0 and at most 1"):
        Nearest(**{name: 1.5})
