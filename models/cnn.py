"""A convolutional network on sequences or signals: the deep opponent of the simple features."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.cnn_layers import ARCHITECTURES, Recipe, build
from bench.sequences import COMPLEMENT

#: An epoch draws at most this many rows, so that validation is looked at every few minutes on millions of rows too.
EPOCH_SAMPLES = 200_000
#: Validation rows scored after every epoch, and training rows scored for the learning curve.
VALID_SAMPLES = 20_000
CURVE_SAMPLES = 1_000
#: Positions in one block of predictions: 512 rows of 600 bases.
PREDICT_POSITIONS = 300_000


class CNN(Model):
    """A convolutional network (Keras 3; the backend is TensorFlow unless ``KERAS_BACKEND`` says jax or torch).

    Parameters
    ----------
    arch : ``residual`` or ``basset`` (the 2017 model).
    epochs, batch, learning_rate, shift : 0, 0, 0.0 and -1 mean: as the architecture's recipe has it.
    multitask : fit all targets at once.
    regularise : False leaves out batch-norm, dropout, weight decay and augmentation, to see whether it can overfit.
    """

    name: ClassVar[str] = "cnn"
    takes: ClassVar[tuple[str, ...]] = ("signal", "codes")
    libraries: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")

    def __init__(
        self,
        arch: str = "residual",
        epochs: int = 0,
        batch: int = 0,
        learning_rate: float = 0.0,
        shift: int = -1,
        multitask: bool = True,
        regularise: bool = True,
    ) -> None:
        if arch not in ARCHITECTURES:
            raise BenchError(f"cnn: unknown arch {arch!r}.{nearest(arch, ARCHITECTURES)}")
        if epochs < 0 or batch < 0 or learning_rate < 0 or shift < -1:
            raise BenchError(
                "cnn: epochs, batch and learning_rate must not be negative (0: the recipe's), nor shift below -1. "
                f"Got epochs={epochs}, batch={batch}, learning_rate={learning_rate}, shift={shift}."
            )
        self.arch = arch
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.shift = shift
        self.multitask = multitask
        self.regularise = regularise
        self.history: list[dict[str, float]] = []
        self._network: Any = None

    def recipe(self, rows: int, length: int) -> Recipe:
        """The architecture's recipe for so many training rows of this length, with this object's parameters put in."""
        recipe = ARCHITECTURES[self.arch][1]
        batch = min(self.batch or recipe.batch, rows)
        enough = -(-recipe.steps // _steps(rows, batch))
        epochs = self.epochs or max(recipe.epochs, min(recipe.most_epochs, enough))
        affordable = round(recipe.positions / (epochs * min(rows, EPOCH_SAMPLES) * length))
        recipe = replace(
            recipe,
            epochs=epochs,
            batch=batch,
            members=max(1, min(recipe.members, affordable)),
            learning_rate=self.learning_rate or recipe.learning_rate,
            shift=recipe.shift if self.shift < 0 else self.shift,
        )
        return recipe if self.regularise else replace(recipe, weight_decay=0.0, shift=0)

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        """Train; keep the weights of the epoch with the best mean validation Spearman over targets.

        On a GPU that runs out of memory the batch is halved and training starts again.

        Raises
        ------
        BenchError : ``setting.device`` is "cuda" and the backend sees no GPU.
        """
        self._device = _prepare(setting)
        self.device_used = setting.device
        self._one_target = train.y.ndim == 1
        self._both_strands = setting.reverse_complement and train.x.kind == "codes"
        train, valid = _measured(train), _measured(valid)
        recipe = self.recipe(*train.x.values.shape[:2])
        while True:
            try:
                self._members = self._train(train, valid, setting, recipe)
                return
            except Exception as error:
                if recipe.batch < 2 or not _out_of_memory(error):
                    raise
            recipe = replace(recipe, batch=recipe.batch // 2)
            setting.say(f"cnn: out of memory; starting again with batches of {recipe.batch}")

    def predict(self, x: Features) -> NDArray[np.float32]:
        """Predictions, float32 (n,) where ``y`` was, else (n, targets)."""
        if self._network is None:  # it came through pickle
            _environment(1)
            self._network = build(*self._shape)
            self._network.compile(jit_compile=_xla())
        total = np.zeros((len(x), self._network.output_shape[-1]), np.float32)
        import keras

        with keras.device(self._device):
            for weights in self._members:
                self._network.set_weights(weights)
                total += self._predict_strands(x.values) / len(self._members)
        return total[:, 0] if self._one_target else total

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the network, which is built again around the kept weights."""
        return {**self.__dict__, "_network": None}

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        """Seconds of one fit on two cores: import and tracing, and 2.7 microseconds a trained base (docs/cnn.md)."""
        recipe = cls().recipe(rows, max(1, columns // 4))
        return 15 + 2.7e-6 * recipe.members * recipe.epochs * min(rows, EPOCH_SAMPLES) * columns / 4

    # ---- training ---------------------------------------------------------------------------------------------------
    def _train(self, train: Part, valid: Part, setting: Setting, recipe: Recipe) -> list[list[NDArray[Any]]]:
        """The weights of every member. One compiled network serves them all: tracing it costs seconds."""
        import keras

        keras.utils.clear_session()
        gc.collect()
        self.history = []
        # One block size for every prediction, as each new shape is traced again; no larger than small parts need.
        most = max(16, PREDICT_POSITIONS // train.x.values.shape[1])
        self._block = min(most, max(16, 1 << (len(valid.x) - 1).bit_length()))
        self._shape = (self.arch, train.x.values.shape[1:], train.y.shape[1], self.regularise)
        members = []
        with keras.device(self._device):
            for member in range(recipe.members):
                seed = int(np.random.SeedSequence([setting.seed, member]).generate_state(1)[0])
                keras.utils.set_random_seed(seed)
                if member == 0:
                    self._network = network = build(*self._shape)
                    optimizer = keras.optimizers.AdamW(_rate(recipe, len(train.x)), weight_decay=recipe.weight_decay)
                    optimizer.build(network.trainable_variables)
                    fresh = [np.array(variable) for variable in optimizer.variables]
                    network.compile(optimizer, _masked_squared_error, jit_compile=_xla())
                else:
                    network.set_weights(build(*self._shape).get_weights())
                    for variable, value in zip(optimizer.variables, fresh, strict=True):
                        variable.assign(value)
                members.append(self._train_member(train, valid, setting, recipe, member, np.random.default_rng(seed)))
        return members

    def _train_member(
        self, train: Part, valid: Part, setting: Setting, recipe: Recipe, member: int, rng: np.random.Generator
    ) -> list[NDArray[Any]]:
        """Train the network as it stands; its weights after the best epoch."""
        rows = len(train.x)
        valid_rows = _sample(len(valid.x), VALID_SAMPLES, rng)
        curve_rows = _sample(rows, CURVE_SAMPLES, rng)
        batches = _batches(train, recipe, self._both_strands and self.regularise, rng)
        best, best_epoch, weights = -np.inf, 0, self._network.get_weights()
        for epoch in range(1, recipe.epochs + 1):
            losses = [float(self._network.train_on_batch(*next(batches))) for _ in range(_steps(rows, recipe.batch))]
            if not np.isfinite(losses[-1]):
                raise BenchError(
                    f"cnn: the loss is not finite in epoch {epoch}. Lower learning_rate, {recipe.learning_rate:g}.",
                    status=1,
                )
            score = _spearman(self._predict_strands(valid.x.values[valid_rows]), valid.y[valid_rows])
            curve = _spearman(self._predict(train.x.values[curve_rows]), train.y[curve_rows])
            self.history.append(
                {"member": member, "epoch": epoch, "loss": float(np.mean(losses)),
                 "train_spearman": curve, "valid_spearman": score}
            )  # fmt: skip
            setting.say(
                f"cnn[{self.arch}] network {member + 1}/{recipe.members} epoch {epoch}/{recipe.epochs} "
                f"loss {np.mean(losses):.3f} spearman train {curve:.3f} valid {score:.3f}"
            )
            if score > best:
                best, best_epoch, weights = score, epoch, self._network.get_weights()
            elif recipe.patience and epoch - best_epoch >= recipe.patience:
                break
        return weights

    # ---- prediction -------------------------------------------------------------------------------------------------
    def _predict(self, values: Any, other_strand: bool = False) -> NDArray[np.float32]:
        """Predictions (n, targets) of the network as it stands, in blocks of one size."""
        pieces = []
        for first in range(0, len(values), self._block):
            block = values[first : first + self._block]
            block = COMPLEMENT[block[:, ::-1]] if other_strand else block
            block = block if values.ndim == 2 else block.astype(np.float32)
            filled = np.concatenate([block, np.zeros((self._block - len(block), *block.shape[1:]), block.dtype)])
            pieces.append(np.asarray(self._network.predict_on_batch(filled), np.float32)[: len(block)])
        return np.concatenate(pieces)

    def _predict_strands(self, values: Any) -> NDArray[np.float32]:
        """As ``_predict``, averaged over both strands where the assay does not tell them apart."""
        forward = self._predict(values)
        return (forward + self._predict(values, other_strand=True)) / 2 if self._both_strands else forward


def _environment(threads: int) -> None:
    """Quiet, memory as it is needed, and so many threads. Read when TensorFlow (or JAX) is imported: later fits of the
    same process keep what the first one set."""
    for name, value in (
        ("KERAS_BACKEND", "tensorflow"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
        ("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
        ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
        ("TF_NUM_INTRAOP_THREADS", str(threads)),
        ("TF_NUM_INTEROP_THREADS", "1"),
    ):
        os.environ.setdefault(name, value)


def _prepare(setting: Setting) -> str:
    """Set the environment up; the Keras name of the wanted device."""
    _environment(setting.threads)
    if setting.device == "cpu":
        return "cpu:0"
    if not _has_gpu():
        raise BenchError("cnn: --device cuda was asked for, but the Keras backend sees no GPU. Use --device cpu.")
    return "gpu:0"


def _xla() -> bool | str:
    """Whether to compile by XLA: on CPU it made TensorFlow 1.7 to 3 times slower."""
    import keras

    return False if keras.backend.backend() == "tensorflow" else "auto"


def _has_gpu() -> bool:
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return bool(torch.cuda.is_available())
    return bool(keras.distribution.list_devices("gpu"))


def _out_of_memory(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    return any(sign in text for sign in ("resourceexhausted", "resource_exhausted", "out of memory", "oom"))


def _steps(rows: int, batch: int) -> int:
    """Steps of an epoch."""
    return max(1, min(rows, EPOCH_SAMPLES) // batch)


def _rate(recipe: Recipe, rows: int) -> Any:
    """The learning rate: constant, or one cycle over all steps."""
    import keras

    if not recipe.cycle:
        return recipe.learning_rate
    total = recipe.epochs * _steps(rows, recipe.batch)
    warmup = max(1, total // 10)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, total - warmup), warmup_target=recipe.learning_rate, warmup_steps=warmup
    )


def _masked_squared_error(y: Any, prediction: Any) -> Any:
    """Mean squared error over the measured targets of a batch (NaN: not measured)."""
    from keras import ops

    known = ops.logical_not(ops.isnan(y))
    squared = ops.square(ops.where(known, prediction - ops.where(known, y, 0.0), 0.0))
    return ops.sum(squared) / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)


# ---- rows -----------------------------------------------------------------------------------------------------------
def _measured(part: Part) -> Part:
    """The rows with a target, y as float32 (n, targets)."""
    y = np.asarray(part.y, np.float32).reshape(len(part.x), -1)
    rows = np.isfinite(y).any(axis=1)
    return Part(part.x, y) if rows.all() else Part(part.x.take(rows), y[rows])


def _sample(rows: int, most: int, rng: np.random.Generator) -> NDArray[np.int64] | slice:
    return slice(None) if rows <= most else np.sort(rng.choice(rows, most, replace=False))


def _batches(
    part: Part, recipe: Recipe, both_strands: bool, rng: np.random.Generator
) -> Iterator[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Batches without end, all of one size: a new order whenever the rows left do not fill a batch."""
    codes = part.x.kind == "codes"
    while True:
        order = rng.permutation(len(part.x))
        for first in range(0, len(order) - recipe.batch + 1, recipe.batch):
            rows = order[first : first + recipe.batch]
            x = part.x.values[rows]
            if codes and both_strands:
                x = flip(x, rng.random(len(x)) < 0.5)
            if codes and recipe.shift:
                x = shift(x, rng.integers(-recipe.shift, recipe.shift + 1, len(x)))
            yield (x if codes else x.astype(np.float32, copy=False)), part.y[rows]


def flip(codes: NDArray[np.uint8], rows: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``codes`` (n, length) with the chosen rows reverse-complemented."""
    return np.where(rows[:, None], COMPLEMENT[codes[:, ::-1]], codes)


def shift(codes: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """``codes`` (n, length) with row i moved right by ``offsets[i]`` bases (left where negative), N filling the gap."""
    length = codes.shape[1]
    source = np.arange(length) - offsets[:, None]
    moved = np.take_along_axis(codes, np.clip(source, 0, length - 1), axis=1)
    return np.where((source < 0) | (source >= length), np.uint8(4), moved)


def _spearman(prediction: NDArray[Any], y: NDArray[Any]) -> float:
    """Mean over targets of Spearman's rho over the measured rows; a constant counts as 0."""
    from scipy.stats import rankdata

    scores = []
    for a, b in zip(prediction.T, y.T, strict=True):
        known = np.isfinite(b)
        a, b = rankdata(a[known]), rankdata(b[known])
        spread = a.std() * b.std()
        scores.append(float(np.mean((a - a.mean()) * (b - b.mean())) / spread) if spread > 0 else 0.0)
    return float(np.mean(scores))
