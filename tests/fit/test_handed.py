"""Nothing that a plugin does to an array it was handed reaches another plugin, and what it gives is made plain."""

import dataclasses
import pickle

import numpy as np
import pytest
from small_tasks import write_small_task

from bench import Features, Featurizer, Model, Part, Sequences
from bench.errors import BenchError
from bench.featurizer import LazyRows
from bench.featurizers.confounders import DnaCount
from bench.fit.features import Workspace, compute_features
from bench.fit.fit import FitJob, fit_job
from bench.models.ridge import Ridge
from bench.plugins.registry import Made
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file


class Seen(Featurizer):
    """What a test does to the sequences."""

    name = "seen"
    covariates = ("dna_count",)
    act = staticmethod(lambda sequences: None)

    def transform(self, sequences):
        given = type(self).act(sequences)
        return sequences.lengths[:, None].astype(np.float32) if given is None else given


class Fits(Model):
    """What a test does to the rows and to what is shared."""

    name = "fits"
    act = staticmethod(lambda train, valid, setting: None)
    acts_on_rows = staticmethod(lambda x: None)

    def fit(self, train, valid, setting):
        type(self).act(train, valid, setting)

    def predict(self, x):
        given = type(self).acts_on_rows(x)
        return np.zeros(len(x)) if given is None else given


def made(cls, kind):
    return Made(kind, cls.name, cls, {})


@pytest.fixture
def task(small_task):
    return load_task_file(small_task)


def fit(task, workspace=None):
    job = FitJob(task, make_folds(task), made(Seen, "featurizer"), made(Fits, "model"), 0, ("t0",))
    return fit_job(job, workspace or Workspace())


def zero(array):
    array[...] = 0


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s: zero(s.buffer), r"seen: writes into sequences\.buffer .*Copy it first"),
        (lambda s: zero(s.start), r"sequences\.start"),
        (lambda s: zero(s.stop), r"sequences\.stop"),
        (lambda s: zero(s.reverse), r"sequences\.reverse"),
        (lambda s: zero(s.covariates["dna_count"]), r"sequences\.covariates\['dna_count'\]"),
    ],
)
def test_a_featurizer_that_writes_is_told_which_array(task, monkeypatch, act, said):
    monkeypatch.setattr(Seen, "act", staticmethod(act))
    before = task.sequences.buffer.copy()
    with pytest.raises(BenchError, match=said) as caught:
        fit(task)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.status == 1
    np.testing.assert_array_equal(task.sequences.buffer, before)


def centre(train, valid, setting):
    x = train.x.table()
    x -= x.mean(axis=0)


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (centre, r"fits: writes into train\.x .*x -= x\.mean"),
        (lambda train, valid, setting: zero(valid.x.values), r"valid\.x"),
        (lambda train, valid, setting: train.y.sort(), r"train\.y"),
        (lambda train, valid, setting: np.nan_to_num(valid.y, copy=False), r"valid\.y"),
    ],
)
def test_a_model_that_writes_is_told_which_array(task, monkeypatch, act, said):
    monkeypatch.setattr(Fits, "act", staticmethod(act))
    with pytest.raises(BenchError, match=said):
        fit(task)


def test_a_model_that_writes_while_it_predicts_is_told(task, monkeypatch):
    monkeypatch.setattr(Fits, "acts_on_rows", staticmethod(lambda x: zero(x.table())))
    with pytest.raises(BenchError, match="fits: writes into x"):
        fit(task)


def test_another_value_error_stays_what_it_is(task, monkeypatch):
    monkeypatch.setattr(Fits, "acts_on_rows", staticmethod(lambda x: int("many")))
    with pytest.raises(ValueError, match="invalid literal"):
        fit(task)


def test_read_only_travels():
    sequences = Sequences.from_strings(["ACGT", "AC"], {"dna_count": np.array([1.0, 2.0])})
    signal = Features(np.zeros((4, 3, 1)), "signal")
    lazy = Features(LazyRows(lambda rows: np.zeros((len(rows), 2)), np.arange(5), (2,), np.dtype(float)), "table")
    there = pickle.loads(pickle.dumps(sequences))
    for array in (
        there.buffer, there.covariates["dna_count"], sequences.take([1, 0]).start,
        sequences.take([0]).covariates["dna_count"], sequences.reverse_complement().reverse, signal.take([0, 1]).values,
        signal.table(), lazy.values[:2], lazy.take([1]).values[0], Part(signal, np.zeros(4, np.float32)).y,
    ):  # fmt: skip
        assert not array.flags.writeable
    mine = np.zeros((2, 2))
    Features(mine, "table")
    mine[0] = 1  # whoever made it may still write
    assert Features(np.zeros((2, 4), np.uint8), "codes").table().flags.writeable  # made for the caller alone


def test_a_buffer_that_a_plugin_hands_out_again_and_again_is_copied(task, monkeypatch):
    buffer = np.zeros((len(task), 1), np.float32)

    def fill(sequences):
        buffer[: len(sequences), 0] = sequences.lengths * len(sequences)
        return buffer[: len(sequences)]

    monkeypatch.setattr(Seen, "act", staticmethod(fill))
    features = compute_features(task, made(Seen, "featurizer"))
    expected = features.values.copy()
    buffer[:] = -1
    np.testing.assert_array_equal(features.values, expected)

    out = np.zeros(len(task))
    calls = []

    def predict(x):
        calls.append(len(x))
        out[: len(x)] = len(calls)
        return out[: len(x)]

    monkeypatch.setattr(Fits, "acts_on_rows", staticmethod(predict))
    [result] = fit(task)
    first = result.predictions.fold == 0
    assert [set(result.predictions.prediction[first & (result.predictions.part == code)]) for code in (0, 1, 2)] == [
        {1.0}, {2.0}, {3.0},
    ]  # fmt: skip


def test_what_is_shared_is_of_one_package_and_read_only_after_the_fit(task, monkeypatch):
    workspace, found = Workspace(), []

    def keep(train, valid, setting):
        found.append(dict(setting.shared))
        if found[-1]:
            setting.shared["mine"][0] += 1
        setting.shared["mine"] = (np.ones(3), {"deep": [np.ones(2)]})

    def clear(train, valid, setting):
        setting.shared.clear()
        setting.shared["ridge"] = None

    monkeypatch.setattr(Fits, "act", staticmethod(clear))
    folds = make_folds(task)
    job = FitJob(task, folds, made(Seen, "featurizer"), made(Ridge, "model"), 0, ("t0",))
    [alone] = fit_job(job, Workspace())
    fit(task, workspace)
    [beside] = fit_job(job, workspace)
    np.testing.assert_array_equal(beside.predictions.prediction, alone.predictions.prediction)

    monkeypatch.setattr(Fits, "act", staticmethod(keep))
    workspace = Workspace()
    fit(task, workspace)
    with pytest.raises(BenchError, match="read-only"):
        fit(task, workspace)


def test_what_a_featurizer_leaves_in_its_scratch_reaches_no_other(task, monkeypatch):
    from bench.featurizers.gc import GC

    expected = compute_features(task, made(GC, "featurizer")).values

    def spoil(sequences):
        sequences.shared.update({"gc-rank-index": np.zeros((9, 4), np.uint64), "gc-bases-read": 10**9})

    monkeypatch.setattr(Seen, "act", staticmethod(spoil))
    compute_features(task, made(Seen, "featurizer"))
    np.testing.assert_array_equal(compute_features(task, made(GC, "featurizer")).values, expected)


def test_a_featurizer_sees_the_covariates_that_it_declares_and_no_other(task, monkeypatch):
    monkeypatch.setattr(Seen, "act", staticmethod(lambda s: np.full((len(s), 1), len(s.covariates), np.float32)))
    assert set(compute_features(task, made(Seen, "featurizer")).values[:, 0]) == {1.0}
    monkeypatch.setattr(Seen, "covariates", ())
    assert set(compute_features(task, made(Seen, "featurizer")).values[:, 0]) == {0.0}


@pytest.mark.parametrize(
    "plain",
    [
        lambda x: x.astype(">f4"),
        lambda x: x.astype(">u2"),
        lambda x: np.asfortranarray(np.tile(x, (1, 3))),
        lambda x: np.tile(x, (1, 6))[:, ::2],
        lambda x: x.astype(np.longdouble),
        lambda x: np.ma.masked_array(x, mask=False),
        lambda x: x.tolist(),
        lambda x: x > 10,
    ],
)
def test_features_are_made_plain(task, monkeypatch, plain):
    monkeypatch.setattr(Seen, "act", staticmethod(lambda s: plain(s.lengths[:, None].astype(np.float32))))
    values = compute_features(task, made(Seen, "featurizer")).values
    assert type(values) is np.ndarray
    assert values.dtype.isnative
    assert values.dtype.itemsize <= 8
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, np.asarray(plain(task.sequences.lengths[:, None].astype(np.float32))))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda x: x + 1j, "features must be real numbers. Got dtype complex"),
        (lambda x: np.ma.masked_array(x, mask=x > 0), r"features must not be masked\. Got \d+ masked values"),
        (lambda x: x.astype(object), "features must be numbers. Got dtype object"),
        (lambda x: x.astype(str), "features must be numbers"),
        (lambda x: x.astype("datetime64[s]"), "features must be numbers"),
        (lambda x: np.where(np.arange(len(x)) == 7, np.nan, x[:, 0])[:, None], "NaN or infinity in row 8"),
    ],
)
def test_features_that_cannot_be_made_plain_are_refused(task, monkeypatch, given, said):
    monkeypatch.setattr(Seen, "act", staticmethod(lambda s: given(s.lengths[:, None].astype(np.float64))))
    with pytest.raises(BenchError, match=said):
        compute_features(task, made(Seen, "featurizer"))


def test_the_row_that_is_not_finite_is_counted_in_the_task(task, monkeypatch):
    from bench.fit import features

    monkeypatch.setattr(features, "BLOCK_ROWS", 50)
    monkeypatch.setattr(
        Seen, "act", staticmethod(lambda s: np.where(s.start == task.sequences.start[77], np.nan, 1.0)[:, None])
    )
    with pytest.raises(BenchError, match="infinity in row 78"):
        compute_features(task, made(Seen, "featurizer"))


@pytest.mark.parametrize("empty", [[0], [9], [0, 1], range(3, 200, 7)])
def test_a_row_without_a_count_has_the_median(tmp_path, empty):
    path = write_small_task(tmp_path)
    table = path.with_suffix(".tsv")
    lines = [line.split("\t") for line in table.read_text().splitlines()]
    counts = [float(line[5]) for i, line in enumerate(lines[1:]) if i not in empty]
    for i in empty:
        lines[1 + i][5] = ""
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    task = load_task_file(path)
    assert task.counts["rows without dna_count (its baseline takes the median)"] == len(empty)
    values = compute_features(task, made(DnaCount, "featurizer")).values[:, 0]
    np.testing.assert_allclose(values[list(empty)], np.log2(np.median(counts) + 1), rtol=1e-6)
    assert np.isnan(task.sequences.covariates["dna_count"]).sum() == len(empty)  # the audit sees the gaps
    few = compute_features(
        dataclasses.replace(task, sequences=task.sequences.take(slice(0, 2)), row_id=task.row_id[:2]),
        made(DnaCount, "featurizer"),
    )
    np.testing.assert_array_equal(few.values[:, 0], values[:2])


def test_the_log_of_a_failure_is_bounded_whatever_the_error_holds():
    from bench.fit.messages import TRACE, Failed

    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("nor this")

    failed = Failed.of(1, RuntimeError("x" * 5_000_000))
    assert len(failed.trace) < 3 * TRACE
    assert "letters left out" in failed.trace
    assert len(failed.reason) < 400
    assert Failed.of(1, Mute()).reason == "Mute"


def test_a_long_learning_curve_is_thinned_and_keeps_its_ends():
    from bench.fit.fit import MOST_ROUNDS, plain_device, plain_history

    kept = plain_history([{"loss": float(i)} for i in range(3 * MOST_ROUNDS)], "mine")
    assert len(kept) == MOST_ROUNDS
    assert (kept[0], kept[-1]) == ({"loss": 0.0}, {"loss": 3.0 * MOST_ROUNDS - 1})
    assert plain_history([{"loss": 1}] * 3000, "mine") == [{"loss": 1.0}] * 3000
    assert len(plain_device("c" * 10**6, "mine")) == 100
