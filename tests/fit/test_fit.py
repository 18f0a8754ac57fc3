import numpy as np
import pytest
from scipy import stats

from bench import Featurizer, Model
from bench.errors import BenchError
from bench.fit.features import Workspace, compute_features
from bench.fit.fit import FitJob, fit_job
from bench.fit.scale import TargetScale
from bench.plugins.registry import Made
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN, VALID
from bench.tasks.task_file import load_task_file


class GCColumn(Featurizer):
    """GC by counting letters of strings."""

    name = "gc-column"
    calls = 0

    def transform(self, sequences):
        type(self).calls += len(sequences) > 100  # every row: not a look at two, nor shuffles of the test rows
        return np.array([[(s.count("G") + s.count("C")) / len(s)] for s in sequences.to_strings()], np.float32)


class Spy(Model):
    """Predicts its first feature and remembers what it was handed."""

    name = "spy"
    seen: list = []  # noqa: RUF012

    def fit(self, train, valid, setting):
        self.seen.append((train, valid, setting))

    def predict(self, x):
        return x.table()[:, 0]


def made(cls, kind="model", **parameters):
    return Made(kind, cls.name, cls, parameters)


@pytest.fixture
def task(small_task):
    return load_task_file(small_task)


def test_every_row_of_every_part_gets_its_own_prediction(task):
    folds = make_folds(task)
    [result] = fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(Spy), 0, ("t0",)), Workspace())
    gc = np.array([(s.count("G") + s.count("C")) / len(s) for s in task.sequences.to_strings()], np.float32)
    got = result.predictions
    np.testing.assert_array_equal(got.prediction, gc[got.row])
    for fold in range(len(folds)):
        for code in (TRAIN, VALID, TEST):
            rows = got.row[(got.fold == fold) & (got.part == code)]
            assert sorted(rows) == sorted(np.flatnonzero(folds.part[fold] == code))


def test_recorded_scores_are_scipys(task):
    folds = make_folds(task)
    [result] = fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(Spy), 0, ("t0",)), Workspace())
    values = task.targets["t0"].value
    got = result.predictions
    for fold, score in enumerate(result.record.spearman["test"]):
        mine = (got.fold == fold) & (got.part == TEST)
        assert score == pytest.approx(stats.spearmanr(values[got.row[mine]], got.prediction[mine]).statistic, abs=1e-6)


def test_a_model_never_sees_a_test_row(task):
    Spy.seen.clear()
    folds = make_folds(task)
    fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(Spy), 0, ("t0",)), Workspace())
    for fold, (train, valid, _) in enumerate(Spy.seen):
        assert len(train.x) == len(train.y) == (folds.part[fold] == TRAIN).sum()
        assert len(valid.x) == len(valid.y) == (folds.part[fold] == VALID).sum()


def test_features_are_computed_once_for_all_models(task):
    GCColumn.calls = 0
    workspace = Workspace()
    for seed in range(3):
        fit_job(FitJob(task, make_folds(task), made(GCColumn, "featurizer"), made(Spy), seed, ("t0",)), workspace)
    assert GCColumn.calls == 1


def test_what_a_model_shares_lives_as_long_as_its_rows(task):
    Spy.seen.clear()
    workspace = Workspace()
    for seed in range(2):
        fit_job(FitJob(task, make_folds(task), made(GCColumn, "featurizer"), made(Spy), seed, ("t0",)), workspace)
    shared = [setting.shared for _, _, setting in Spy.seen]
    assert shared[0] is shared[3]
    assert len({id(each) for each in shared}) == 3


def test_of_a_large_task_the_matrices_of_one_fold_are_kept(task, monkeypatch):
    from bench.fit import features

    monkeypatch.setattr(features, "KEEP_BYTES", 10)
    Spy.seen.clear()
    workspace, folds = Workspace(), make_folds(task)
    one = type(folds)(folds.name, folds.part[:1])
    for seed in range(2):
        fit_job(FitJob(task, one, made(GCColumn, "featurizer"), made(Spy), seed, ("t0",)), workspace)
    assert Spy.seen[0][2].shared is Spy.seen[1][2].shared
    fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(Spy), 0, ("t0",)), workspace)
    assert len(workspace.folds) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda n: np.zeros(n - 1), r"predict must return shape"),
        (lambda n: np.zeros((n, 2)), r"predict must return shape"),
        (lambda n: np.full(n, np.nan), r"predictions must be finite"),
    ],
)
def test_wrong_predictions_are_refused(task, wrong, message):
    class Wrong(Spy):
        name = "wrong"

        def predict(self, x):
            return wrong(len(x))

    with pytest.raises(BenchError, match=message):
        fit_job(FitJob(task, make_folds(task), made(GCColumn, "featurizer"), made(Wrong), 0, ("t0",)), Workspace())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda n: np.zeros(n), "2-dimensional"),
        (lambda n: np.zeros((n + 1, 1)), "one row per sequence"),
        (lambda n: np.full((n, 1), np.inf), "must be finite"),
        (lambda n: np.full((n, 1), "x"), "must be numbers"),
    ],
)
def test_wrong_features_are_refused(task, wrong, message):
    class Wrong(GCColumn):
        name = "wrong"

        def transform(self, sequences):
            return wrong(len(sequences))

    with pytest.raises(BenchError, match=message):
        compute_features(task, made(Wrong, "featurizer"))


def test_the_rank_scale_is_gaussian_on_training_rows_and_monotone_elsewhere():
    rng = np.random.default_rng(0)
    train = np.exp(rng.normal(size=500) * 3)
    scale = TargetScale(train, "rank")
    z = scale(train)
    assert stats.kstest(z, "norm").pvalue > 0.9
    others = np.sort(np.exp(rng.normal(size=200) * 3))
    assert (np.diff(scale(others)) >= 0).all()
    assert np.isnan(scale(np.array([np.nan]))).all()


def test_the_raw_scale_is_the_z_score():
    values = np.array([1.0, 2.0, 3.0, np.nan])
    np.testing.assert_allclose(TargetScale(values, "raw")(values)[:3], stats.zscore([1, 2, 3]), rtol=1e-6)


@pytest.mark.parametrize(("cheap", "block_rows"), [(True, 50), (False, 50), (False, 100_000)])
def test_large_features_are_not_held(task, monkeypatch, tmp_path, cheap, block_rows):
    from bench.featurizer import LazyRows
    from bench.featurizers.kmers import Kmers
    from bench.fit import features
    from bench.models.ridge import Ridge

    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    words = Made("featurizer", "kmers", Kmers, {"k": 2})
    held = compute_features(task, words)
    ridge = Made("model", "ridge", Ridge, {})
    folds = make_folds(task)
    [expected] = fit_job(FitJob(task, folds, words, ridge, 0, ("t0",)), Workspace())

    monkeypatch.setattr(Kmers, "cheap", cheap)
    monkeypatch.setattr(features, "BLOCK_ROWS", block_rows)  # few rows of many columns are large, too
    monkeypatch.setattr(features, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(features, "LARGE", 1000)
    lazy = compute_features(task, words)
    assert isinstance(lazy.values, LazyRows)
    assert (lazy.values.shape, lazy.values.dtype, lazy.columns) == (held.values.shape, held.values.dtype, held.columns)
    rows = np.array([5, 3, 199, 3])
    for chosen in (slice(None), slice(7, 11), rows, np.arange(len(task)) % 3 == 0, 4):
        np.testing.assert_array_equal(lazy.values[chosen], held.values[chosen])
    np.testing.assert_array_equal(lazy.take(rows).take([1, 2]).table(), held.values[[3, 199]])
    np.testing.assert_array_equal(lazy.table(), held.table())
    [result] = fit_job(FitJob(task, folds, words, ridge, 0, ("t0",)), Workspace())
    np.testing.assert_allclose(result.predictions.prediction, expected.predictions.prediction, rtol=1e-5)
    assert not list((tmp_path / "cache").rglob("*.*"))


def test_features_without_room_on_the_disk_are_an_error(monkeypatch, tmp_path):
    from bench.files.scratch import scratch_array

    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    with pytest.raises(BenchError, match=r"no space for .* BENCH_CACHE_DIR"):
        scratch_array((1 << 50, 1), np.dtype(np.uint8))


def test_rows_too_many_to_hold_are_sampled_and_counted(task, monkeypatch):
    from bench.fit import fit

    class Streams(Spy):
        name = "streams"

        def memory(self, rows, columns, item_bytes):
            return 1000.0

    monkeypatch.setattr(fit, "MOST_VALUES", 50)
    folds = make_folds(task)
    trained = [int((part == TRAIN).sum()) for part in folds.part]
    for model, expected in ((Spy, [50] * len(folds)), (Streams, trained)):
        model.seen.clear()
        [result] = fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(model), 0, ("t0",)), Workspace())
        assert [len(train.y) for train, _, _ in model.seen] == expected == result.record.fitted_rows
        assert len(result.predictions.row) == len(folds) * len(task)
    full = compute_features(task, made(GCColumn, "featurizer")).values[:, 0]
    Spy.seen.clear()
    fit_job(FitJob(task, folds, made(GCColumn, "featurizer"), made(Spy), 0, ("t0",)), Workspace())
    train = Spy.seen[0][0]
    assert set(train.x.table()[:, 0]) <= set(full[folds.part[0] == TRAIN])
