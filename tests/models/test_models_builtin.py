"""What the table learners promise: they learn what was simulated, repeat themselves, and survive poor columns."""

import pickle

import numpy as np
import pytest
from scipy.stats import spearmanr

import bench.models.lightgbm as lightgbm_module
import bench.models.ridge as ridge_module
import bench.models.xgboost as xgboost_module
from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Part, Setting
from bench.models.gc_curve import GCCurve
from bench.models.lightgbm import LightGBM
from bench.models.mean import Mean
from bench.models.random_forest import RandomForest
from bench.models.ridge import GRID, Ridge
from bench.models.xgboost import XGBoost


def small(cls):
    """The learner with its own defaults, small enough for a test."""
    return {
        XGBoost: lambda: XGBoost(rounds=150, learning_rate=0.1),
        LightGBM: lambda: LightGBM(rounds=150, learning_rate=0.1),
        RandomForest: lambda: RandomForest(trees=30),
    }.get(cls, cls)()


LEARNERS = [GCCurve, Ridge, XGBoost, LightGBM, RandomForest]
STOCHASTIC = [XGBoost, LightGBM, RandomForest]


def simulated(shape, rows=900, columns=3, seed=0, dtype=np.float32):
    """(train, valid, test features, test truth): y depends on the first column alone."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    truth = {"linear": x[:, 0], "monotone": np.tanh(3 * x[:, 0]), "hump": -(x[:, 0] ** 2)}[shape]
    truth = (truth - truth.mean()) / truth.std()
    y = (truth + rng.normal(size=rows)).astype(np.float32)
    x = x.astype(dtype)
    third = rows // 3
    parts = [slice(0, third), slice(third, 2 * third), slice(2 * third, rows)]
    train, valid, _ = (Part(Features(x[p], "table"), y[p]) for p in parts)
    return train, valid, Features(x[parts[2]], "table"), truth[parts[2]]


def score(model, shape, **options):
    train, valid, test, truth = simulated(shape, **options)
    model.fit(train, valid, Setting(seed=1))
    return spearmanr(model.predict(test), truth).statistic


@pytest.mark.parametrize(
    ("cls", "shape"),
    [(cls, shape) for cls in LEARNERS for shape in ("linear", "monotone", "hump") if (cls, shape) != (Ridge, "hump")],
)
def test_learns_what_was_simulated(cls, shape):
    assert score(small(cls), shape, rows=1800) > 0.6


def test_the_curve_beats_a_line_on_a_hump_and_equals_it_on_a_line():
    assert score(GCCurve(), "hump", columns=1, rows=1800) > 0.9
    assert abs(score(Ridge(), "hump", columns=1)) < 0.5
    assert score(GCCurve(), "linear", columns=1) > 0.99


def test_the_curve_goes_on_straight_beyond_its_range():
    train, valid, _, _ = simulated("hump", columns=1)
    model = GCCurve()
    model.fit(train, valid, Setting())
    far = model.predict(Features(np.array([[4.0], [5.0], [6.0]], np.float32) * 3, "table"))
    np.testing.assert_allclose(far[2] - far[1], far[1] - far[0], rtol=1e-3)


def test_the_curve_in_the_limit_of_smoothing_is_the_least_squares_line():
    rng = np.random.default_rng(0)
    x = rng.gamma(2, size=(400, 1)).astype(np.float32)
    y = (x[:, 0] + 5 * rng.normal(size=400)).astype(np.float32)
    part = Part(Features(x, "table"), y)
    model = GCCurve()
    opposite = Part(part.x, np.polyval(np.polyfit(x[:, 0], y, 1), x[:, 0]).astype(np.float32))
    model.fit(part, opposite, Setting())  # validation rows on the line itself: only the straightest curve is best
    np.testing.assert_allclose(model.predict(part.x), opposite.y, atol=0.02 * y.std())


@pytest.mark.parametrize("cls", [Mean, *LEARNERS])
def test_refits_are_identical_and_pickle(cls):
    train, valid, test, _ = simulated("linear")
    models = [small(cls), pickle.loads(pickle.dumps(small(cls)))]
    shared = {}
    for model in models:
        model.fit(train, valid, Setting(seed=3, threads=1, shared=shared))
    first, second = (model.predict(test) for model in models)
    assert first.shape == (len(test),)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("cls", STOCHASTIC)
def test_seeds_change_a_stochastic_learner(cls):
    assert cls.stochastic
    train, valid, test, _ = simulated("linear")
    predictions = []
    for seed in (1, 2):
        model = small(cls)
        model.fit(train, valid, Setting(seed=seed))
        predictions.append(model.predict(test))
    assert not np.array_equal(*predictions)


@pytest.mark.parametrize("cls", [Mean, *LEARNERS])
@pytest.mark.parametrize("values", [0, 7])
def test_constant_columns_give_the_mean(cls, values):
    rng = np.random.default_rng(0)
    y = rng.normal(2.0, 1, 120).astype(np.float32)
    part = Part(Features(np.full((120, 2), values, np.uint8), "table"), y)
    model = small(cls)
    model.fit(part, part, Setting())
    np.testing.assert_allclose(model.predict(part.x), y.mean(), atol=0.05)  # a forest averages subsamples


@pytest.mark.parametrize("cls", LEARNERS)
def test_a_constant_column_next_to_a_good_one_changes_nothing(cls):
    train, valid, test, truth = simulated("linear", columns=2)
    features = [Features(np.column_stack([x.table()[:, 0], np.full(len(x), 3.0)]), "table")
                for x in (train.x, valid.x, test)]  # fmt: skip
    train, valid, test = Part(features[0], train.y), Part(features[1], valid.y), features[2]
    model = small(cls)
    model.fit(train, valid, Setting())
    assert spearmanr(model.predict(test), truth).statistic > 0.8


@pytest.mark.parametrize("cls", [Ridge, XGBoost, LightGBM, RandomForest])
def test_signals_and_codes_are_taken_flattened(cls):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (600, 8)).astype(np.uint8)
    truth = (codes[:, 3] == 2) * 2.0 - (codes[:, 5] == 0) * 1.0
    y = (truth + 0.3 * rng.normal(size=600)).astype(np.float32)
    x = Features(codes, "codes")
    signal = Features((codes[:, :, None] == 2).astype(np.float32), "signal")
    for features, least in ((x, 0.85), (signal, 0.6)):
        model = small(cls)
        model.fit(
            Part(features.take(slice(0, 300)), y[:300]), Part(features.take(slice(300, 400)), y[300:400]), Setting()
        )
        assert spearmanr(model.predict(features.take(slice(400, 600))), truth[400:]).statistic > least


@pytest.mark.parametrize("cls", STOCHASTIC)
def test_a_shared_matrix_is_relabelled_for_another_target(cls):
    train, valid, test, truth = simulated("linear")
    shared = {}
    turned = [Part(part.x, -part.y) for part in (train, valid)]
    for parts, sign in (((train, valid), 1), (turned, -1)):
        model = small(cls)
        model.fit(*parts, Setting(shared=shared))
        alone = small(cls)
        alone.fit(*parts, Setting())
        np.testing.assert_array_equal(model.predict(test), alone.predict(test))
        assert sign * spearmanr(model.predict(test), truth).statistic > 0.75


@pytest.mark.parametrize(("cls", "module"), [(XGBoost, xgboost_module), (LightGBM, lightgbm_module)])
def test_many_rows_in_blocks_are_as_good_as_at_once(cls, module, monkeypatch):
    whole = score(small(cls), "linear", rows=1800)
    monkeypatch.setattr(module, "BLOCK", 250)
    assert score(small(cls), "linear", rows=1800) == pytest.approx(whole, abs=0.02)


def test_booster_and_forest_share_one_quantised_matrix():
    train, valid, _, _ = simulated("linear")
    shared = {}
    for model in (small(XGBoost), small(RandomForest)):
        model.fit(train, valid, Setting(shared=shared))
    assert len(shared) == 1


@pytest.mark.parametrize("cls", [XGBoost, LightGBM])
def test_boosters_stop_early_and_keep_their_learning_curve(cls):
    train, valid, _, _ = simulated("linear")
    model = cls(rounds=1000, patience=10, learning_rate=0.3)
    model.fit(train, valid, Setting())
    errors = [entry["valid_rmse"] for entry in model.history]
    assert len(errors) < 1000
    assert len(errors) - 1 - int(np.argmin(errors)) == 10
    predicted = model.predict(valid.x)
    assert np.sqrt(np.mean((predicted - valid.y) ** 2)) == pytest.approx(min(errors), rel=1e-3)


@pytest.mark.parametrize(("rows", "columns"), [(300, 12), (40, 150)])
def test_ridge_equals_scikit_learn(rows, columns):
    from sklearn.linear_model import Ridge as Peer
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)
    x = rng.poisson(2, (rows, columns)).astype(np.uint8)
    x[:, 5] = 4
    y = (x[:, 0].astype(float) - x[:, 1] + rng.normal(size=rows)).astype(np.float32)
    part = Part(Features(x, "table"), y)
    model = Ridge(alpha=7.5)
    model.fit(part, part, Setting())
    scaler = StandardScaler().fit(x)
    peer = Peer(alpha=7.5).fit(scaler.transform(x), y)
    np.testing.assert_allclose(model.predict(part.x), peer.predict(scaler.transform(x)), atol=2e-4)


@pytest.mark.parametrize(("rows", "columns"), [(300, 40), (60, 150)])
@pytest.mark.parametrize(("alpha", "within"), [(1e-9, 0.1), (1e-3, 1e-3), (0.3, 1e-3), (50.0, 1e-3), (1e6, 1e-3)])
def test_ridge_equals_least_squares_on_collinear_columns_whatever_the_penalty(rows, columns, alpha, within):
    """Half the columns are sums of others, as counts of short words are of longer ones: singular in float32."""
    rng = np.random.default_rng(1)
    x = rng.poisson(3, (rows, columns)).astype(np.uint16)
    x[:, columns // 2 :] = x[:, : columns - columns // 2] + x[:, [0]]
    y = (x[:, 0].astype(float) - x[:, 1] + rng.normal(size=rows)).astype(np.float32)
    part = Part(Features(x, "table"), y)
    model = Ridge(alpha=alpha)
    model.fit(part, part, Setting())
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    tall = np.vstack([z, np.sqrt(alpha) * np.eye(columns)])
    weights = np.linalg.lstsq(tall, np.concatenate([y - y.mean(), np.zeros(columns)]), rcond=1e-10)[0]
    np.testing.assert_allclose(model.predict(part.x), z @ weights + y.mean(), atol=within * y.std())


@pytest.mark.parametrize(("rows", "columns"), [(400, 60), (80, 200)])
def test_ridge_chooses_for_each_target_what_a_loop_over_penalties_chooses(rows, columns):
    """Targets from noise alone to none: penalties from one end of the grid to the other."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(rows + 100, columns)).astype(np.float32)
    signal = x @ rng.normal(size=(columns, 4)) / np.sqrt(columns)
    y = (signal * [1, 1, 1, 0] + rng.normal(size=signal.shape) * [0.05, 1, 5, 1]).astype(np.float32)
    train, valid = (Part(Features(x[part], "table"), y[part]) for part in (slice(0, rows), slice(rows, None)))
    model = Ridge(scaling="standard")
    model.fit(train, valid, Setting())
    centre, scale = train.x.values.mean(axis=0), train.x.values.std(axis=0)
    a, b = ((part.x.values - centre).astype(np.float64) / scale for part in (train, valid))
    level = train.y.mean(axis=0)
    tried = np.stack(
        [b @ np.linalg.solve(a.T @ a + alpha * columns * np.eye(columns), a.T @ (train.y - level)) for alpha in GRID]
    )
    best = np.argmin(((tried + level - valid.y) ** 2).mean(axis=1), axis=0)
    np.testing.assert_allclose(model.alpha_, GRID[best] * columns)
    assert len(set(best)) >= 3
    chosen = tried[best, :, np.arange(4)].T + level
    np.testing.assert_allclose(model.predict(valid.x), chosen, atol=1e-4)


@pytest.mark.parametrize(("rows", "columns"), [(400, 60), (80, 200)])
def test_ridge_on_centred_columns_is_chosen_where_frequent_columns_carry_the_signal(rows, columns):
    rng = np.random.default_rng(3)
    spread = np.where(np.arange(columns) < 8, 10.0, 0.2)
    x = (rng.normal(size=(rows + 200, columns)) * spread).astype(np.float32)
    y = x[:, :8] @ rng.normal(size=8) / 10 + rng.normal(size=rows + 200) * 1.5
    y = np.column_stack([y, (x / spread) @ rng.normal(size=columns)]).astype(np.float32)
    train, valid = (Part(Features(x[part], "table"), y[part]) for part in (slice(0, rows), slice(rows, None)))
    model = Ridge()
    model.fit(train, valid, Setting())
    assert model.standardised_.tolist() == [False, True]
    a, b = (part.x.values.astype(np.float64) - train.x.values.mean(axis=0) for part in (train, valid))
    alpha = model.alpha_[0]
    assert np.isclose(alpha / a.var(axis=0).sum(), GRID, rtol=1e-4).any()
    level = train.y[:, 0].mean()
    by_hand = b @ np.linalg.solve(a.T @ a + alpha * np.eye(columns), a.T @ (train.y[:, 0] - level)) + level
    np.testing.assert_allclose(model.predict(valid.x)[:, 0], by_hand, atol=2e-3)
    one = Ridge(alpha=alpha, scaling="centred")
    one.fit(train, valid, Setting())
    np.testing.assert_allclose(one.predict(valid.x)[:, 0], by_hand, atol=2e-3)
    assert not one.standardised_.any()


def test_idle_cores_are_read_from_the_times_of_all_cores():
    #      user nice system idle iowait irq softirq steal guest guest_nice
    before = "cpu  100 0 50 1000 0 0 0 0 7 0\ncpu0 50 0 25 500 0 0 0 0\ncpu1 50 0 25 500 0 0 0 0\nintr 5\n"
    one_busy = before.replace("cpu  100 0 50 1000 0", "cpu  110 0 50 1008 2")
    assert ridge_module.idle_cores(before, one_busy) == pytest.approx(1)
    taken = before.replace("1000 0 0 0 0 7", "1000 0 0 0 20 7")  # by another virtual machine
    assert ridge_module.idle_cores(before, taken) == 0
    assert ridge_module.idle_cores(before, before.replace(" 1000 ", " 1020 ")) == pytest.approx(2)
    assert ridge_module.idle_cores(before, before) == 0


def test_ridge_needs_no_more_memory_for_more_rows():
    million, more = (Ridge().memory(rows, 5460, 2) for rows in (1_000_000, 2_200_000))
    assert million == more < 6e9
    assert Ridge().memory(100, 5460, 2) < Ridge().memory(1000, 5460, 2) < 1e9


def test_ridge_is_the_same_in_blocks_whose_means_differ(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32) * [1, 1, 100, 1, 1, 1] + [0, 0, 0, 1000, 5, 0]
    x[100:, 0] += 30  # the first block says nothing about the mean of the others
    x[:, 4] = 0.1
    x = x.astype(np.float32)
    part = Part(Features(x, "table"), (x[:, 1] + 0.01 * x[:, 2] + rng.normal(size=400)).astype(np.float32))
    predicted = []
    for block in (10**6, 6 * 50):
        monkeypatch.setattr(ridge_module, "BLOCK", block)
        model = Ridge(alpha=1.0)
        model.fit(part, part, Setting())
        predicted.append(model.predict(part.x))
    np.testing.assert_allclose(predicted[0], predicted[1], atol=1e-4)


def test_ridge_keeps_the_penalty_that_scikit_learn_scores_best_on_validation():
    from sklearn.linear_model import Ridge as Peer
    from sklearn.preprocessing import StandardScaler

    train, valid, _, _ = simulated("linear", columns=200, rows=600)
    model = Ridge(scaling="standard")
    model.fit(train, valid, Setting())
    scaler = StandardScaler().fit(train.x.values)
    a, b = scaler.transform(train.x.values), scaler.transform(valid.x.values)
    errors = [np.mean((Peer(alpha=alpha * 200).fit(a, train.y).predict(b) - valid.y) ** 2) for alpha in GRID]
    assert model.alpha_[0] == pytest.approx(GRID[int(np.argmin(errors))] * 200)


def test_ridge_fits_each_of_several_targets_as_if_alone_with_rows_missing():
    rng = np.random.default_rng(0)
    x = Features(rng.normal(size=(300, 6)).astype(np.float32), "table")
    y = (x.values @ rng.normal(size=(6, 4)) + rng.normal(size=(300, 4)) * [0.1, 1, 3, 1]).astype(np.float32)
    y[::3, 1] = np.nan
    y[5:90, 3] = np.nan
    train, valid = Part(x.take(slice(0, 200)), y[:200]), Part(x.take(slice(200, 300)), y[200:])
    model = Ridge()
    model.fit(train, valid, Setting())
    together = model.predict(x)
    assert together.shape == (300, 4)
    for target in range(4):
        kept = [np.isfinite(part.y[:, target]) for part in (train, valid)]
        alone = Ridge()
        alone.fit(*(Part(p.x.take(k), p.y[k, target]) for p, k in zip((train, valid), kept, strict=True)), Setting())
        np.testing.assert_allclose(together[:, target], alone.predict(x), atol=1e-4)


def test_forest_of_scikit_learn_on_request():
    assert score(RandomForest(trees=30, library="sklearn"), "hump", rows=1800) > 0.6
    train, valid, _, _ = simulated("linear")
    with pytest.raises(BenchError, match="library=xgboost"):
        RandomForest(library="sklearn").fit(train, valid, Setting(device="cuda"))


def test_what_has_no_gpu_refuses_one_aloud():
    import xgboost

    train, valid, _, _ = simulated("linear")
    with pytest.raises(BenchError, match="--device cpu"):
        LightGBM().fit(train, valid, Setting(device="cuda"))
    if not xgboost.build_info()["USE_CUDA"]:
        for model in (XGBoost(), XGBoost(tree_method="gpu_hist"), RandomForest()):
            device = "cpu" if getattr(model, "tree_method", "") == "gpu_hist" else "cuda"
            with pytest.raises(BenchError, match="no CUDA"):
                model.fit(train, valid, Setting(device=device))


@pytest.mark.parametrize("cls", [XGBoost, LightGBM, RandomForest])
def test_nothing_is_printed(cls, capfd):
    train, valid, test, _ = simulated("linear")
    model = small(cls)
    model.fit(train, valid, Setting(threads=1))
    model.predict(test)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cls", [Mean, *LEARNERS])
def test_estimates_grow_with_the_work(cls):
    assert 0 < cls.estimate(1_000, 10) <= cls.estimate(100_000, 1_000)
