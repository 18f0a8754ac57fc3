"""A convolutional network on sequences or signals: the deep opponent of the simple features."""

from __future__ import annotations

import gc
import logging
import os
import re
import sys
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.cnn_compiled import Compiled, compiled
from bench.models.cnn_layers import ARCHITECTURES, PRECISIONS, Recipe, build
from bench.models.cnn_rows import batches, measured, sample, spearman
from bench.sequences import COMPLEMENT

#: An epoch draws at most this many rows, so that validation is looked at every few minutes on millions of rows too.
EPOCH_SAMPLES = 200_000
#: Validation rows scored at a look, and training rows scored for the learning curve.
VALID_SAMPLES = 20_000
CURVE_SAMPLES = 250
#: Looks at the validation rows in a schedule that does not stop early.
LOOKS = 6
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
    precision : ``float32``, or ``mixed_bfloat16`` or ``mixed_float16`` for a GPU with tensor cores: 16 bits for the
        arithmetic, 32 for weights and predictions. One default for all devices, so that the board does not
        depend on the device.
    """

    name: ClassVar[str] = "cnn"
    takes: ClassVar[tuple[str, ...]] = ("signal", "codes")
    libraries: ClassVar[tuple[str, ...]] = ("tensorflow", "keras")
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    half_processors: ClassVar[bool] = True

    def __init__(
        self,
        arch: str = "residual",
        epochs: int = 0,
        batch: int = 0,
        learning_rate: float = 0.0,
        shift: int = -1,
        multitask: bool = True,
        regularise: bool = True,
        precision: str = "float32",
    ) -> None:
        if arch not in ARCHITECTURES:
            raise BenchError(f"cnn: unknown arch {arch!r}.{nearest(arch, ARCHITECTURES)}")
        if precision not in PRECISIONS:
            raise BenchError(f"cnn: unknown precision {precision!r}.{nearest(precision, PRECISIONS)}")
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
        self.precision = precision
        self.history: list[dict[str, float]] = []

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

        On a GPU that runs out of memory the batch and the blocks of predictions are halved and training starts again.

        Raises
        ------
        BenchError : ``setting.device`` is "cuda" and the backend sees no GPU.
        """
        self._device = _prepare(setting)
        self.device_used = setting.device
        self._one_target = train.y.ndim == 1
        self._both_strands = setting.reverse_complement and train.x.kind == "codes"
        train, valid = measured(train), measured(valid)
        recipe = self.recipe(*train.x.values.shape[:2])
        # One block size for every prediction, as each new shape is traced again; no larger than small parts need.
        most = max(16, PREDICT_POSITIONS // train.x.values.shape[1])
        self._block = min(most, max(16, 1 << (len(valid.x) - 1).bit_length()))
        while True:
            try:
                self._members = self._train(train, valid, setting, recipe)
                return
            except Exception as error:
                if recipe.batch < 2 or not _out_of_memory(error):
                    raise
            # Out of the clause above, so that the error no longer holds the arrays of the step that failed.
            recipe = replace(recipe, batch=recipe.batch // 2)
            self._block = max(1, self._block // 2)
            setting.say(
                f"cnn: out of memory; starting again with batches of {recipe.batch} and predictions by {self._block}"
            )

    def predict(self, x: Features) -> NDArray[np.float32]:
        """Predictions, float32 (n,) where ``y`` was, else (n, targets). Out of memory: in blocks of half the size."""
        while True:
            try:
                return self._predict_members(x)
            except Exception as error:
                if self._block < 2 or not _out_of_memory(error):
                    raise
            self._block //= 2
            logging.getLogger(__name__).warning("cnn: out of memory; predicting again by %d rows", self._block)

    def _predict_members(self, x: Features) -> NDArray[np.float32]:
        """The mean over networks, and over strands where they are alike."""
        _environment(1)
        import keras

        total = np.zeros((len(x), self._members[0][-1].size), np.float32)
        with keras.device(self._device):
            network = compiled(self._key).network
            for weights in self._members:
                network.set_weights(weights)
                total += self._predict_strands(network, x.values) / len(self._members)
        return total[:, 0] if self._one_target else total

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        """Seconds of one fit on two cores: import and tracing, and a microsecond a trained base (docs/cnn.md)."""
        recipe = cls().recipe(rows, max(1, columns // 4))
        return 10 + 1e-6 * recipe.members * recipe.epochs * min(rows, EPOCH_SAMPLES) * columns / 4

    # ---- training ---------------------------------------------------------------------------------------------------
    def _train(self, train: Part, valid: Part, setting: Setting, recipe: Recipe) -> list[list[NDArray[Any]]]:
        """The weights of every member."""
        import keras

        gc.collect()
        self.history = []
        self._key = (
            self._device, recipe.weight_decay, self.arch, train.x.values.shape[1:], train.y.shape[1], self.regularise,
            self.precision,
        )  # fmt: skip
        members = []
        with keras.device(self._device):
            for member in range(recipe.members):
                seed = int(np.random.SeedSequence([setting.seed, member]).generate_state(1)[0])
                trained = compiled(self._key)
                keras.utils.set_random_seed(seed)
                trained.renew(build(*self._key[2:]))
                members.append(
                    self._train_member(train, valid, setting, recipe, member, trained, np.random.default_rng(seed))
                )
        return members

    def _train_member(
        self,
        train: Part,
        valid: Part,
        setting: Setting,
        recipe: Recipe,
        member: int,
        trained: Compiled,
        rng: np.random.Generator,
    ) -> list[NDArray[Any]]:
        """Train the network as it stands; its weights after the best epoch."""
        network = trained.network
        rows = len(train.x)
        rates = _rates(recipe, rows).reshape(recipe.epochs, -1)
        valid_rows = sample(len(valid.x), VALID_SAMPLES, rng)
        curve_rows = sample(rows, CURVE_SAMPLES, rng)
        drawn = batches(train, recipe, self._both_strands and self.regularise, rng)
        best, best_epoch, weights = -np.inf, 0, network.get_weights()
        for epoch, epoch_rates in enumerate(rates, start=1):
            losses = trained.train(drawn, epoch_rates)
            if not np.isfinite(losses[-1]):
                raise BenchError(
                    f"cnn: the loss is not finite in epoch {epoch}. Lower learning_rate, {recipe.learning_rate:g}.",
                    status=1,
                )
            entry = {"member": member, "epoch": epoch, "loss": float(np.mean(losses))}
            said = f"cnn[{self.arch}] network {member + 1}/{recipe.members} epoch {epoch}/{recipe.epochs}"
            if (recipe.epochs - epoch) % _looked_at_every(recipe):
                setting.say(f"{said} loss {entry['loss']:.3f}")
                continue
            score = spearman(self._predict_strands(network, valid.x.values[valid_rows]), valid.y[valid_rows])
            curve = spearman(self._predict(network, train.x.values[curve_rows]), train.y[curve_rows])
            self.history.append(entry | {"train_spearman": curve, "valid_spearman": score})
            setting.say(f"{said} loss {entry['loss']:.3f} spearman train {curve:.3f} valid {score:.3f}")
            if score > best:
                best, best_epoch, weights = score, epoch, network.get_weights()
            elif recipe.patience and epoch - best_epoch >= recipe.patience:
                break
        return weights

    # ---- prediction -------------------------------------------------------------------------------------------------
    def _predict(self, network: Any, values: Any, other_strand: bool = False) -> NDArray[np.float32]:
        """Predictions (n, targets) of the network as it stands, in blocks of one size."""
        pieces = []
        for first in range(0, len(values), self._block):
            block = values[first : first + self._block]
            block = COMPLEMENT[block[:, ::-1]] if other_strand else block
            block = block if values.ndim == 2 else block.astype(np.float32)
            filled = np.concatenate([block, np.zeros((self._block - len(block), *block.shape[1:]), block.dtype)])
            pieces.append(np.asarray(network.predict_on_batch(filled), np.float32)[: len(block)])
        return np.concatenate(pieces)

    def _predict_strands(self, network: Any, values: Any) -> NDArray[np.float32]:
        """As ``_predict``, averaged over both strands where the assay does not tell them apart."""
        forward = self._predict(network, values)
        if not self._both_strands:
            return forward
        return (forward + self._predict(network, values, other_strand=True)) / np.float32(2)


def _environment(threads: int) -> None:
    """Quiet, memory as it is needed, and one thread for every two processors: the steps are small, and sharing
    them out costs more than it gives (docs/cnn.md, "What it costs"). Read when TensorFlow (or JAX) is imported: later
    fits of the same process keep what the first one set."""
    for name, value in (
        ("KERAS_BACKEND", "tensorflow"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
        ("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
        ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
        ("TF_NUM_INTRAOP_THREADS", str(max(1, threads // 2))),
        ("TF_NUM_INTEROP_THREADS", "1"),
    ):
        os.environ.setdefault(name, value)
    if "keras" in sys.modules:
        return
    # TensorFlow writes two lines to the file descriptor itself before any setting of its own is read.
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        import keras  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _prepare(setting: Setting) -> str:
    """Set the environment up; the Keras name of the wanted device."""
    _environment(setting.threads)
    if setting.device == "cpu":
        # To PyTorch "cpu:0" is another device than "cpu": weights would be copies, which get no gradients.
        import keras

        return "cpu" if keras.backend.backend() == "torch" else "cpu:0"
    if not _has_gpu():
        raise BenchError("cnn: --device cuda was asked for, but the Keras backend sees no GPU. Use --device cpu.")
    return "gpu:0"


def _has_gpu() -> bool:
    import keras

    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        return bool(torch.cuda.is_available())
    return bool(keras.distribution.list_devices("gpu"))


def _out_of_memory(error: Exception) -> bool:
    """Whether this is a backend's way of saying so: TensorFlow's ResourceExhaustedError, JAX's RESOURCE_EXHAUSTED,
    PyTorch's OutOfMemoryError, "OOM when allocating", "CUDA out of memory"."""
    text = f"{type(error).__name__} {error}"
    return re.search(r"resource_?exhausted|out ?of ?memory|\boom\b", text, re.IGNORECASE) is not None


def _steps(rows: int, batch: int) -> int:
    """Steps of an epoch."""
    return max(1, min(rows, EPOCH_SAMPLES) // batch)


def _looked_at_every(recipe: Recipe) -> int:
    """Epochs from one look at the validation rows to the next, the last one included. Where the learning rate falls to
    zero the best epoch is one of the last, so few looks are enough."""
    return 1 if recipe.patience else -(-recipe.epochs // LOOKS)


def _rates(recipe: Recipe, rows: int) -> NDArray[np.float64]:
    """The learning rate of every step: constant, or up for a tenth of the steps and down along a cosine."""
    total = recipe.epochs * _steps(rows, recipe.batch)
    if not recipe.cycle:
        return np.full(total, recipe.learning_rate)
    step, warmup = np.arange(total), max(1, total // 10)
    fall = (1 + np.cos(np.pi * (step - warmup) / max(1, total - warmup))) / 2
    return recipe.learning_rate * np.where(step < warmup, (step + 1) / (warmup + 1), fall)
