"""Built-in models on binary targets: probabilities, against scikit-learn and simulated chances."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bench.featurizer import Features
from bench.model import Part, Setting
from bench.models.logistic import platt
from bench.models.ridge_binary import LogisticRidge
from bench.plugins.registry import Registry
from bench.plugins.source import _collect
from bench.stats.binary import auroc, calibration

REGISTRY = Registry(dropped=False)


def binary():
    """The setting of a fit of its own: nothing is shared."""
    return Setting(kind="binary")


def rows(n=3000, columns=6, seed=0):
    """Features, labels and the chance that they were drawn by."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns)).astype(np.float32)
    logit = 1.2 * x[:, 0] - 0.8 * x[:, 1] - 1
    chance = 1 / (1 + np.exp(-logit))
    return x, (rng.random(n) < chance).astype(np.float32), chance


def fitted(name, x, y):
    model = REGISTRY.make("model", name).of_kind("binary").new()
    third = len(y) // 3
    parts = [Part(Features(x[rows], "table"), y[rows]) for rows in (slice(0, third), slice(third, 2 * third))]
    model.fit(*parts, binary())
    return model, Features(x[2 * third :], "table"), slice(2 * third, None)


@pytest.mark.parametrize(
    "name",
    [
        "ridge",
        "xgboost",
        "lightgbm",
        "random-forest",
        "random-forest[library=sklearn,trees=50]",
        "gc-curve",
        "sklearn:ensemble.HistGradientBoostingRegressor[max_iter=30,max_depth=2]",
    ],
)
def test_predictions_are_calibrated_probabilities(name):
    x, y, chance = rows(columns=2 if name == "gc-curve" else 6)
    model, test, place = fitted(name, x, y)
    predicted = np.asarray(model.predict(test), float)
    assert ((predicted >= 0) & (predicted <= 1)).all()
    assert auroc(y[place], predicted) > auroc(y[place], chance[place]) - 0.03
    found = calibration(y[place], predicted)
    assert found.error < 0.06
    assert 0.7 < found.slope < 1.4
    assert found.brier < found.brier_null


def test_rows_whose_replicates_disagree_are_fitted_as_both():
    x, _, chance = rows()
    rng = np.random.default_rng(1)
    y = (rng.random((len(x), 2)) < chance[:, None]).mean(axis=1).astype(np.float32)
    assert 0.5 in y
    for name in ("ridge", "xgboost", "lightgbm", "random-forest", "gc-curve", "sklearn:ensemble.ExtraTreesRegressor"):
        some = x[:, :2] if name == "gc-curve" else x
        model, test, place = fitted(name, some, y)
        assert np.corrcoef(model.predict(test), chance[place])[0, 1] > 0.85, name


@pytest.mark.parametrize(("n", "columns"), [(300, 20), (120, 300)])
@pytest.mark.parametrize("scaling", ["standard", "centred"])
def test_ridge_is_penalised_logistic_regression(n, columns, scaling):
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(n, columns)) * rng.uniform(0.5, 2, columns)).astype(np.float32)
    y = (rng.random(n) < 1 / (1 + np.exp(-x[:, 0] - 0.5))).astype(np.float32)
    part = Part(Features(x, "table"), y)
    for alpha in (3.0, 300.0):
        model = LogisticRidge(alpha=alpha, scaling=scaling)
        model.fit(part, part, binary())
        z = (x - x.mean(axis=0)) / (x.std(axis=0) if scaling == "standard" else 1)
        c = 1 / (alpha * y.mean() * (1 - y.mean()))
        reference = LogisticRegression(C=c, tol=1e-10, max_iter=5000).fit(z, y).predict_proba(z)[:, 1]
        np.testing.assert_allclose(model.predict(part.x), reference, atol=5e-4)


def test_one_class_in_training_is_no_failure():
    x, y, _ = rows(300)
    y[:200] = 0
    for name in ("ridge", "xgboost", "lightgbm", "random-forest", "gc-curve", "mean"):
        model, test, _ = fitted(name, x[:, :2], y)
        assert np.isfinite(model.predict(test)).all(), name


def test_several_targets_at_once():
    x, y, _ = rows(900)
    both = np.column_stack([y, 1 - y])
    both[::7, 1] = np.nan
    model = LogisticRidge()
    model.fit(Part(Features(x[:600], "table"), both[:600]), Part(Features(x[600:], "table"), both[600:]), binary())
    found = model.predict(Features(x[600:], "table"))
    assert found.shape == (300, 2)
    assert np.corrcoef(found[:, 0], 1 - found[:, 1])[0, 1] > 0.98


def test_a_network_gives_probabilities():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (600, 30)).astype(np.uint8)
    hit = (np.arange(600) % 2).astype(bool)
    codes[hit, 10:16] = [0, 2, 3, 0, 1, 1]
    y = (rng.random(600) < np.where(hit, 0.9, 0.15)).astype(np.float32)
    model = REGISTRY.make("model", "cnn[epochs=3,batch=64]").of_kind("binary").new()
    train, valid = (Part(Features(codes[part], "codes"), y[part]) for part in (slice(0, 450), slice(450, 600)))
    model.fit(train, valid, binary())
    found = model.predict(valid.x)
    assert ((found >= 0) & (found <= 1)).all()
    assert auroc(y[450:], found) > 0.7
    again = model.predict(valid.x)
    np.testing.assert_array_equal(found, again)
    networks, both = model.networks()
    assert len(networks) >= 1
    assert both is False


def test_platt_keeps_the_order():
    rng = np.random.default_rng(4)
    chance = rng.random(2000)
    y = (rng.random(2000) < chance).astype(float)
    level, slope = platt(0.25 + chance / 2, y)  # drawn towards one half
    assert slope > 1.5
    assert abs(level) < 0.3
    assert platt(1 - chance, y) == (0.0, 1.0)
    assert platt(chance, np.ones(2000)) == (0.0, 1.0)


def test_the_key_of_a_regression_does_not_follow_from_classifiers():
    """What is hashed of a model on regression targets holds no line of what fits binary ones."""
    for name in REGISTRY.names("model"):
        made = REGISTRY.make("model", name)
        read: dict[Path, str] = {}
        _collect(Path(inspect.getfile(made.cls)), made.cls.__module__, read)
        assert not [path.name for path in read if "_binary" in path.name or path.name == "logistic.py"]
        classifier = made.of_kind("binary")
        assert classifier.built_in
        assert classifier.name == made.name
        assert made.of_kind("regression") is made


def test_models_that_are_not_built_in_are_told_the_kind():
    from bench.model import Model

    class Mine(Model):
        name = "mine"

    made = REGISTRY.make("model", "mean")
    mine = type(made)("model", "mine", Mine, {})
    assert mine.of_kind("binary") is mine
    assert Setting().kind == "regression"
