"""Regressors of scikit-learn by import path, against scikit-learn called by hand."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Lasso
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Part, Setting
from bench.plugins.registry import Registry


@pytest.fixture(scope="module")
def registry():
    return Registry(dropped=False)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(3, [1, 5, 20], (200, 3)).astype(np.float32)
    return x, (x @ [1, 0.2, 0.05] + rng.normal(size=200)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "by_hand"),
    [
        ("sklearn:linear_model.Lasso[alpha=0.1]", Lasso(alpha=0.1)),
        ("sklearn:ensemble.ExtraTreesRegressor[n_estimators=10]", ExtraTreesRegressor(10, random_state=7)),
        (
            "sklearn:neural_network.MLPRegressor[hidden_layer_sizes=8,max_iter=2000,tol=0.01]",
            MLPRegressor(hidden_layer_sizes=(8,), max_iter=2000, tol=0.01, random_state=7),
        ),
    ],
)
def test_predictions_are_those_of_scikit_learn(registry, data, name, by_hand):
    x, y = data
    made = registry.make("model", name)
    assert made.name == name
    assert made.built_in
    model = made.new()
    model.fit(Part(Features(x[:150], "table"), y[:150]), Part(Features(x[150:], "table"), y[150:]), Setting(seed=7))
    scaler = StandardScaler().fit(x[:150])
    expected = by_hand.fit(scaler.transform(x[:150]), y[:150]).predict(scaler.transform(x[150:]))
    assert model.predict(Features(x[150:], "table")) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_values_are_read_by_the_type_of_the_default(registry):
    assert registry.make("model", "sklearn:neighbors.KNeighborsRegressor[n_neighbors=1]").parameters["n_neighbors"] == 1
    assert registry.make("model", "sklearn:svm.SVR[C=2]").parameters["C"] == 2.0
    assert registry.make("model", "sklearn:svm.SVR[C=1,standardise=true]").name == "sklearn:svm.SVR"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sklern:svm.SVR", "no family 'sklern'. Did you mean 'sklearn'"),
        ("sklearn:ensemble.ExtraTreesRegresor", "Did you mean 'ExtraTreesRegressor'"),
        ("sklearn:linear_model.LogisticRegression", "is no regressor"),
        ("sklearn:nothing.Here", "has no module 'nothing'"),
        ("sklearn:Lasso", "give module and class"),
        ("sklearn:svm.SVR[CC=2]", "no parameter 'CC'. Did you mean 'C'"),
        ("sklearn:svm.SVR[C=-1]", "'C' parameter of SVR must be"),
        ("sklearn:svm.SVR[kernel=round]", "'kernel' parameter of SVR must be"),
    ],
)
def test_what_is_no_regressor_is_refused_when_it_is_named(registry, name, said):
    with pytest.raises(BenchError, match=said):
        registry.make("model", name)
