"""The CNN: API, learning, augmentation against brute force, masks, seeds."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import pseudo_huber
from scipy.stats import spearmanr

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Part, Setting
from bench.models import cnn, cnn_compiled, cnn_layers, cnn_rows
from bench.models.cnn import CNN
from bench.sequences import COMPLEMENT, decode

pytest.importorskip("keras")


def random_codes(n: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


def codes_part(codes: np.ndarray, y: np.ndarray) -> Part:
    return Part(Features(codes, "codes"), y.astype(np.float32))


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def simulated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Sequences of 60 bases; y counts a motif of 8 bases (half G and C) planted 0 to 2 times, plus a little noise."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, 60), dtype=np.uint8)
    copies = rng.integers(0, 3, n)
    motif = np.array([3, 2, 0, 1, 2, 3, 1, 0], np.uint8)
    for row, k in enumerate(copies):
        for site in rng.choice(7, k, replace=False):
            codes[row, site * 8 : site * 8 + 8] = motif
    return codes, (copies + rng.normal(0, 0.2, n)).astype(np.float32)


# ---- contract -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def fitted() -> tuple[CNN, np.ndarray, list[str]]:
    """A network fitted on one target where strands are alike, its 60 sequences, the lines that it said."""
    codes, lines = random_codes(60, 40), list[str]()
    model = pickle.loads(pickle.dumps(CNN(arch="basset", epochs=2, batch=16)))
    setting = Setting(reverse_complement=True, say=lines.append)
    model.fit(codes_part(codes[:40], noise(40)), codes_part(codes[40:], noise(20)), setting)
    return model, codes, lines


def test_one_target(fitted: tuple[CNN, np.ndarray, list[str]]) -> None:
    model, codes, lines = fitted
    assert model.predict(Features(codes, "codes")).shape == (60,)
    assert model.predict(Features(codes[:1], "codes")).shape == (1,)
    assert model.device_used == "cpu"
    assert len(lines) == len(model.history) == 2
    assert {"epoch", "loss", "valid_spearman", "train_spearman"} <= set(model.history[0])


def test_a_fitted_network_survives_pickling(fitted: tuple[CNN, np.ndarray, list[str]]) -> None:
    model, codes, _ = fitted
    x = Features(codes, "codes")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(x), model.predict(x))


def test_several_targets_some_unmeasured() -> None:
    codes, y = random_codes(70, 40), noise(70, 3)
    y[::2, 0], y[1::3, 2] = np.nan, np.nan
    model = CNN(epochs=1, batch=32)
    model.fit(codes_part(codes[:50], y[:50]), codes_part(codes[50:], y[50:]), Setting())
    prediction = model.predict(Features(codes, "codes"))
    assert prediction.shape == (70, 3)
    assert np.isfinite(prediction).all()


def test_few_rows_get_more_epochs_and_more_networks() -> None:
    small, large = CNN().recipe(1_500, 170), CNN().recipe(200_000, 170)
    assert small.epochs > large.epochs
    assert small.members > large.members == 1
    assert CNN().recipe(30, 170).batch == 30
    assert CNN(arch="basset").recipe(1_500, 170).members == 1
    given = CNN(epochs=7, batch=5, learning_rate=0.5, shift=0).recipe(100, 170)
    assert (given.epochs, given.batch, given.learning_rate, given.shift) == (7, 5, 0.5, 0)
    bare = CNN(regularise=False).recipe(100, 170)
    assert bare.weight_decay == bare.shift == 0


def test_wrong_parameters_are_said() -> None:
    with pytest.raises(BenchError, match="Did you mean 'basset'"):
        CNN(arch="baset")
    with pytest.raises(BenchError, match="Did you mean 'mixed_bfloat16'"):
        CNN(precision="mixed_bfloat")
    with pytest.raises(BenchError, match="epochs=-1"):
        CNN(epochs=-1)


def test_cuda_without_a_gpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cnn, "_has_gpu", lambda: False)
    codes = random_codes(10, 30)
    part = codes_part(codes, noise(10))
    with pytest.raises(BenchError, match="no GPU"):
        CNN().fit(part, part, Setting(device="cuda"))


def test_out_of_memory_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def train(self: CNN, train: Part, valid: Part, setting: Setting, recipe: cnn_layers.Recipe) -> list[str]:
        tried.append(recipe.batch)
        if recipe.batch > 20:
            raise RuntimeError("RESOURCE_EXHAUSTED: failed to allocate")
        return ["network"]

    monkeypatch.setattr(CNN, "_train", train)
    lines: list[str] = []
    part = codes_part(random_codes(100, 30), noise(100))
    CNN(batch=64).fit(part, part, Setting(say=lines.append))
    assert tried == [64, 32, 16]
    assert len(lines) == 2
    assert "batches of 16 and predictions by 32" in lines[-1]


def test_out_of_memory_while_predicting_halves_the_block(
    fitted: tuple[CNN, np.ndarray, list[str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import tensorflow as tf

    model, codes, _ = fitted
    x = Features(codes, "codes")
    whole, predict = model.predict(x), CNN._predict

    def failing(self: CNN, network: Any, values: Any, other_strand: bool = False) -> np.ndarray:
        if self._block > 10:
            raise tf.errors.ResourceExhaustedError(None, None, "failed to allocate memory")
        return predict(self, network, values, other_strand)

    monkeypatch.setattr(CNN, "_predict", failing)
    monkeypatch.setattr(model, "_block", 32)
    np.testing.assert_allclose(model.predict(x), whole, atol=1e-5)
    assert [record.getMessage()[-7:] for record in caplog.records] == ["16 rows", " 8 rows"]


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("ResourceExhaustedError", "{{function_node}} failed to allocate memory", True),
        ("XlaRuntimeError", "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 68719476736 bytes.", True),
        ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("InternalError", "OOM when allocating tensor with shape[64,600,128]", True),
        ("ValueError", "no room for /data/bloom/table.tsv", False),
    ],
)
def test_what_backends_say_when_out_of_memory(name: str, text: str, meant: bool) -> None:
    assert cnn._out_of_memory(type(name, (Exception,), {})(text)) is meant


@pytest.mark.parametrize("precision", cnn_layers.PRECISIONS)
def test_mixed_precision(precision: str) -> None:
    import keras

    codes, y = simulated(240, 3)
    valid, x = codes_part(codes[160:], y[160:]), Features(codes, "codes")
    predictions = []
    for _ in range(2):
        model = CNN(epochs=2, batch=32, precision=precision)
        model.fit(codes_part(codes[:160], y[:160]), valid, Setting(seed=1))
        predictions.append(model.predict(x))
    # The state of the scaled loss starts again with every fit, as all else.
    np.testing.assert_array_equal(*predictions)
    assert predictions[0].dtype == np.float32
    network = cnn.compiled(model._key).network
    computed_in = {layer.compute_dtype for layer in network.layers if "conv" in layer.name}
    assert computed_in == {precision.removeprefix("mixed_")}
    assert {str(weights.dtype) for weights in network.get_weights()} <= {"float32", "uint32", "int64"}
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_many_steps_in_one_graph_train_the_network_that_keras_does(
    precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, y = random_codes(70, 40), noise(70, 2)
    y[3:20, 1] = np.nan
    fitted = []
    for backend in ("tensorflow", "another"):
        monkeypatch.setattr(cnn_compiled, "CALL_POSITIONS", 3 * 16 * 40)  # of four steps the last is a call of its own
        model = CNN(epochs=2, batch=16, learning_rate=1e-4, precision=precision)
        train = codes_part(codes[:64], y[:64])
        with monkeypatch.context() as patched:
            if backend == "another":
                patched.setattr(cnn_compiled, "_takes_many_steps", lambda: False)
            model.fit(train, codes_part(codes[64:], y[64:]), Setting(seed=2))
        fitted.append(model)
    first, second = fitted
    within = 1e-5 if precision == "float32" else 1e-3
    for member, other in zip(first._members, second._members, strict=True):
        for weights, same in zip(member, other, strict=True):
            np.testing.assert_allclose(weights, same, atol=within, rtol=within)
    losses = [[entry["loss"] for entry in model.history] for model in fitted]
    np.testing.assert_allclose(*losses, rtol=10 * within)


@pytest.mark.parametrize("epochs", [1, 5, 6, 7, 40])
def test_a_schedule_is_looked_at_now_and_then_and_at_its_end(epochs: int) -> None:
    recipe = CNN(epochs=epochs).recipe(1_000, 100)
    looks = [e for e in range(1, epochs + 1) if (epochs - e) % cnn._looked_at_every(recipe) == 0]
    assert looks[-1] == epochs
    assert min(epochs, 4) <= len(looks) <= cnn.LOOKS
    assert cnn._looked_at_every(CNN(arch="basset", epochs=epochs).recipe(1_000, 100)) == 1


# ---- learning -------------------------------------------------------------------------------------------------------
def test_learns_a_simulated_motif_that_gc_does_not_see() -> None:
    codes, y = simulated(900, 0)
    model = CNN(epochs=7, batch=32)
    model.fit(codes_part(codes[:500], y[:500]), codes_part(codes[500:600], y[500:600]), Setting(seed=1))
    rho = spearmanr(model.predict(Features(codes[600:], "codes")), y[600:]).statistic
    gc = spearmanr(np.isin(codes[600:], (1, 2)).mean(axis=1), y[600:]).statistic
    assert rho > 0.7
    assert rho > abs(gc) + 0.3


def test_learns_from_windows_of_gc() -> None:
    rng = np.random.default_rng(0)
    signal = rng.uniform(0.3, 0.7, (500, 20, 1)).astype(np.float32)
    y = signal[:, 5:15].mean(axis=(1, 2)) + rng.normal(0, 0.01, 500)
    y = (y - y.mean()) / y.std()
    train, valid = (Part(Features(signal[a:b], "signal"), y[a:b].astype(np.float32)) for a, b in ((0, 300), (300, 400)))
    model = CNN(epochs=6, batch=32)
    model.fit(train, valid, Setting())
    assert spearmanr(model.predict(Features(signal[400:], "signal")), y[400:]).statistic > 0.6


def test_overfits_without_regularisation() -> None:
    codes = random_codes(64, 50)
    part = codes_part(codes, noise(64))
    model = CNN(arch="basset", epochs=20, batch=16, regularise=False)
    model.fit(part, part, Setting())
    assert spearmanr(model.predict(part.x), part.y).statistic > 0.9


def test_unmeasured_targets_do_not_count() -> None:
    cnn._prepare(Setting())
    rng = np.random.default_rng(0)
    y, prediction = rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=(6, 3)).astype(np.float32)
    y[0, 0] = y[3, 2] = np.nan
    loss = float(cnn_compiled.masked_error(0.0)(y, prediction))
    assert loss == pytest.approx(np.nanmean((y - prediction) ** 2), rel=1e-5)
    # scipy's pseudo-Huber is half of it, so that a small difference counts as half of its square.
    robust = float(cnn_compiled.masked_error(1.5)(y, prediction))
    assert robust == pytest.approx(2 * np.nanmean(pseudo_huber(1.5, y - prediction)), rel=1e-5)


def test_rows_without_any_target_are_left_out() -> None:
    codes, y = random_codes(30, 10), noise(30, 2)
    y[:20, 0], y[10:15] = np.nan, np.nan
    part = cnn_rows.measured(codes_part(codes, y))
    rows = [*range(10), *range(15, 30)]
    np.testing.assert_array_equal(part.x.values, codes[rows])
    np.testing.assert_array_equal(part.y, y[rows])


def test_seed_decides_and_the_best_epoch_is_kept() -> None:
    codes, y = simulated(240, 3)
    valid = codes_part(codes[160:], y[160:])
    models = []
    for seed in (5, 5, 6):
        model = CNN(arch="basset", epochs=2, batch=32)
        model.fit(codes_part(codes[:160], y[:160]), valid, Setting(seed=seed))
        models.append(model)
    # Predicted only now: a fit must not disturb the networks fitted before it.
    first, again, other = (model.predict(valid.x) for model in models)
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    best = max(record["valid_spearman"] for record in models[0].history)
    assert spearmanr(first, valid.y).statistic == pytest.approx(best, abs=1e-5)


def test_a_second_fit_traces_nothing_again(fitted: tuple[CNN, np.ndarray, list[str]]) -> None:
    first, codes, _ = fitted
    again = CNN(arch="basset", epochs=1, batch=16)
    again.fit(codes_part(codes[:40], noise(40, seed=7)), codes_part(codes[40:], noise(20)), Setting(seed=4))
    # The very network, so memory stays flat over many fits, and yet each model keeps its own weights.
    assert cnn.compiled(again._key) is cnn.compiled(first._key)
    x = Features(codes, "codes")
    before = first.predict(x)
    assert not np.allclose(again.predict(x), before)
    np.testing.assert_array_equal(first.predict(x), before)


def test_multitask_spearman_is_the_mean_over_measured_rows() -> None:
    rng = np.random.default_rng(0)
    prediction, y = rng.normal(size=(50, 2)), rng.integers(0, 5, (50, 2)).astype(float)
    y[:10, 1] = np.nan
    outside = [spearmanr(prediction[:, 0], y[:, 0]).statistic, spearmanr(prediction[10:, 1], y[10:, 1]).statistic]
    assert cnn_rows.spearman(prediction, y) == pytest.approx(np.mean(outside))
    assert cnn_rows.spearman(np.ones((50, 2)), y) == 0


# ---- input and augmentation -----------------------------------------------------------------------------------------
def test_codes_equal_their_one_hot_signal() -> None:
    cnn._prepare(Setting())
    import keras

    codes = np.random.default_rng(0).integers(0, 5, (9, 33), dtype=np.uint8)
    explicit = np.eye(5, 4, dtype=np.float32)[codes]
    np.testing.assert_array_equal(np.asarray(cnn_layers.one_hot(codes)), explicit)
    np.testing.assert_array_equal(explicit.reshape(9, -1), Features(codes, "codes").table())
    keras.utils.set_random_seed(0)
    on_codes = cnn_layers.build("residual", (33,), 2, True)
    on_signal = cnn_layers.build("residual", (33, 4), 2, True, bases=True)
    on_signal.set_weights(on_codes.get_weights())
    np.testing.assert_array_equal(on_codes.predict_on_batch(codes), on_signal.predict_on_batch(explicit))


@pytest.mark.parametrize("regularise", [True, False])
def test_filters_read_both_strands(regularise: bool) -> None:
    """The responses to a sequence and to its reverse complement are each other's mirror, filters changed in pairs."""
    cnn._prepare(Setting())
    import keras

    network = cnn_layers.build("residual", (33,), 1, regularise)
    first = next(layer for layer in network.layers if layer.weights)
    responses = keras.Model(network.inputs, first.output)
    codes = np.random.default_rng(1).integers(0, 5, (7, 33), dtype=np.uint8)
    one, other = (responses.predict_on_batch(each) for each in (codes, COMPLEMENT[codes[:, ::-1]]))
    np.testing.assert_allclose(one, np.roll(other[:, ::-1], 64, axis=2), atol=1e-5)
    # Against a sum written out: filter 3 at position 16, its window from 11 to 21.
    kernel = np.asarray(first.kernel)
    window = np.eye(5, 4)[codes[:, 11:22]]
    np.testing.assert_allclose(one[:, 16, 3], np.einsum("nwb,wb->n", window, kernel[:, :, 3]), atol=1e-5)
    np.testing.assert_array_equal(kernel[::-1, ::-1, 3], kernel[:, :, 67])


rows_of_bases = st.integers(1, 30).flatmap(
    lambda length: st.lists(st.lists(st.integers(0, 4), min_size=length, max_size=length), min_size=1, max_size=6)
)


@given(rows_of_bases, st.data())
def test_shift_moves_bases_and_fills_with_n(rows: list[list[int]], data: st.DataObject) -> None:
    codes = np.array(rows, np.uint8)
    offsets = np.array([data.draw(st.integers(-9, 9)) for _ in rows])
    for row, offset, moved in zip(codes, offsets, cnn_rows.shift(codes, offsets), strict=True):
        text, gap = decode(row), "N" * min(abs(offset), len(row))
        wanted = (gap + text)[: len(row)] if offset >= 0 else (text + gap)[-len(row) :]
        assert decode(moved) == wanted


@given(rows_of_bases, st.data())
def test_flip_reverse_complements_the_chosen_rows(rows: list[list[int]], data: st.DataObject) -> None:
    codes = np.array(rows, np.uint8)
    chosen = np.array([data.draw(st.booleans()) for _ in rows])
    for row, flipped, out in zip(codes, chosen, cnn_rows.flip(codes, chosen), strict=True):
        text = decode(row)
        assert decode(out) == (text.translate(str.maketrans("ACGT", "TGCA"))[::-1] if flipped else text)


def test_batches_visit_every_row_and_shift_within_bounds() -> None:
    codes = random_codes(40, 50)
    recipe = cnn_layers.Recipe(epochs=1, batch=8, learning_rate=1e-3, shift=3)
    batches = cnn_rows.batches(codes_part(codes, np.arange(40)[:, None]), recipe, False, np.random.default_rng(0))
    seen, offsets = [], set()
    for _ in range(5):
        x, y = next(batches)
        for row, label in zip(x, y[:, 0].astype(int), strict=True):
            fits = [s for s in range(-5, 6) if (cnn_rows.shift(codes[[label]], np.array([s]))[0] == row).all()]
            assert len(fits) == 1
            offsets.update(fits)
            seen.append(label)
    assert sorted(seen) == list(range(40))
    assert offsets == set(range(-3, 4))


def test_both_strands_predict_alike_where_the_assay_does_not_tell_them_apart(
    fitted: tuple[CNN, np.ndarray, list[str]],
) -> None:
    model, codes, _ = fitted
    other = np.array([3, 2, 1, 0, 4], np.uint8)[codes[:, ::-1]]
    there, back = model.predict(Features(codes, "codes")), model.predict(Features(other, "codes"))
    np.testing.assert_allclose(there, back, atol=1e-5)


def test_predictions_do_not_depend_on_the_block(
    fitted: tuple[CNN, np.ndarray, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, codes, _ = fitted
    whole = model.predict(Features(codes, "codes"))
    monkeypatch.setattr(model, "_block", 17)
    np.testing.assert_allclose(model.predict(Features(codes, "codes")), whole, atol=1e-5)
