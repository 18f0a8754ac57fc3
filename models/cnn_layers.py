"""The networks behind ``models/cnn.py``: architectures by name, each with the training recipe it was measured with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

#: A pool that would leave fewer positions than this is left out: twenty GC windows survive pools made for bases.
SHORTEST = 3
#: Regions of a sequence that the head of ``residual`` tells apart.
REGIONS = 5


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    epochs : epochs. With ``cycle`` the whole schedule, else a bound for early stopping.
    steps, most_epochs : more epochs on few rows, until there are this many steps or epochs.
    batch, learning_rate, weight_decay : as usual; the rate is the peak of the cycle.
    shift : training sequences are moved by up to this many bases either way.
    patience : epochs without a better validation score after which training stops (0: never).
    cycle : the learning rate rises for a tenth of all steps and falls to zero along a cosine.
    robust : where the loss turns from squares to absolute values, in standard deviations of the target (0: squares
        alone).
    members, positions : this many networks are trained one after the other and their predictions averaged, but no more
        than see ``positions`` training positions (epochs x rows x length) all together, and one at least.
    """

    epochs: int
    batch: int
    learning_rate: float
    steps: int = 0
    most_epochs: int = 0
    weight_decay: float = 0.0
    shift: int = 0
    patience: int = 0
    cycle: bool = False
    robust: float = 0.0
    members: int = 1
    positions: int = 0


def one_hot(codes: Any) -> Any:
    """Base codes (n, length), 0-3 and 4 = unknown, to float32 (n, length, 4). An unknown base is all zeros."""
    from keras import ops

    return ops.cast(ops.equal(ops.expand_dims(codes, -1), np.arange(4, dtype=np.uint8)), "float32")


def pool(x: Any, size: int) -> Any:
    """Max-pool positions by ``size`` unless fewer than ``SHORTEST`` would be left."""
    from keras import layers

    return layers.MaxPooling1D(size)(x) if x.shape[1] // size >= SHORTEST else x


def convolution(
    x: Any, filters: int, width: int, regularise: bool, activation: str | None = "relu", gain: str = "ones"
) -> Any:
    """Convolution, batch-norm (its scale starts at ``gain``), activation. Without ``regularise`` a bias replaces the
    batch-norm."""
    from keras import layers

    x = layers.Conv1D(filters, width, padding="same", use_bias=not regularise)(x)
    x = normalise(x, regularise, gain)
    return layers.Activation(activation)(x) if activation else x


def normalise(x: Any, regularise: bool, gain: str = "ones") -> Any:
    """Batch-norm, or ``x`` itself without ``regularise``. Momentum .9: an epoch may have twenty steps, and the usual
    .99 would still remember the first weights after five epochs."""
    from keras import layers

    return layers.BatchNormalization(momentum=0.9, gamma_initializer=gain)(x) if regularise else x


def dropout(x: Any, rate: float, regularise: bool) -> Any:
    """Dropout, or ``x`` itself without ``regularise``."""
    from keras import layers

    return layers.Dropout(rate)(x) if regularise else x


@cache
def both_strands_layer() -> Any:
    """The layer class below, made when Keras is there."""
    from keras import layers, ops

    class BothStrands(layers.Layer):
        """A convolution of bases whose second half of filters are the reverse complements of the first half: a motif is
        learned once for both strands. Source: Shrikumar et al. 2017, bioRxiv 103663."""

        def __init__(self, filters: int, width: int, use_bias: bool) -> None:
            super().__init__()
            self.half, self.width, self.use_bias = filters // 2, width, use_bias

        def build(self, shape: tuple[int, ...]) -> None:
            self.forward = self.add_weight(shape=(self.width, shape[-1], self.half), name="forward")
            if self.use_bias:
                self.bias = self.add_weight(shape=(2 * self.half,), initializer="zeros", name="bias")

        @property
        def kernel(self) -> Any:
            """Weights (width, 4, filters). Bases stand in an order whose reverse is that of their complements."""
            return ops.concatenate([self.forward, ops.flip(self.forward, (0, 1))], axis=-1)

        def call(self, x: Any) -> Any:
            x = ops.conv(x, self.kernel, padding="same")
            return x + self.bias if self.use_bias else x

        def compute_output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
            return (*shape[:-1], 2 * self.half)

    return BothStrands


def basset(x: Any, regularise: bool, bases: bool) -> Any:
    """The network of 2017: 300 x 19, 200 x 11, 200 x 7 filters, pools of 3, 4, 4, two dense layers of 1,000.

    Source: Kelley, Snoek & Rinn 2016, Genome Research 26:990, as used for SuRE.
    """
    from keras import layers

    for filters, width, size in ((300, 19, 3), (200, 11, 4), (200, 7, 4)):
        x = pool(convolution(x, filters, width, regularise), size)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = normalise(layers.Dense(1000, use_bias=not regularise)(x), regularise)
        x = dropout(layers.Activation("relu")(x), 0.3, regularise)
    return x


def residual(x: Any, regularise: bool, bases: bool) -> Any:
    """One wide convolution, its filters shared by both strands where it reads ``bases``, a pool of 4 to save work, and
    two residual blocks. The head sees the mean and the maximum over positions of the first convolution (a soft k-mer
    count) and of the last block, and the last block in a few regions (where along the sequence).

    The first activation is the square of ReLU, which tells a whole site from halves of it (So et al. 2021,
    arXiv:2109.08668, in another place of another network).

    The pool stands before batch-norm and activation, which then touch a quarter of the values; a whole channel is
    dropped rather than its positions one by one, as random numbers are expensive: a quarter of the time together.
    A block's second batch-norm starts at zero, so that the block starts as the identity (Goyal et al. 2017,
    arXiv:1706.02677); without that and a batch-norm before the dense layers, training stalled.
    """
    from keras import layers, ops

    if bases:
        x = both_strands_layer()(128, 11, use_bias=not regularise)(x)
    else:
        x = layers.Conv1D(128, 11, padding="same", use_bias=not regularise)(x)
    x = ops.square(layers.Activation("relu")(normalise(pool(x, 4), regularise)))
    seen = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)]
    x = layers.Conv1D(48, 1)(layers.SpatialDropout1D(0.1)(x) if regularise else x)
    for _ in range(2):
        y = convolution(x, 48, 5, regularise)
        y = convolution(y, 48, 5, regularise, activation=None, gain="zeros")
        x = pool(layers.Activation("relu")(layers.Add()([x, y])), 2)
    regions = layers.AveragePooling1D(max(1, x.shape[1] // REGIONS))(layers.Conv1D(16, 1, activation="relu")(x))
    seen += [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), layers.Flatten()(regions)]
    x = dropout(normalise(layers.Concatenate()(seen), regularise), 0.4, regularise)
    return dropout(layers.Dense(128, activation="relu")(x), 0.4, regularise)


#: Architectures by name.
ARCHITECTURES: dict[str, tuple[Callable[[Any, bool, bool], Any], Recipe]] = {
    "basset": (basset, Recipe(epochs=50, batch=500, learning_rate=1e-3, patience=5)),
    "residual": (
        residual,
        # Measured on validation folds: docs/cnn.md.
        Recipe(
            epochs=8,
            batch=64,
            learning_rate=9e-3,
            steps=1000,
            most_epochs=32,
            weight_decay=0.2,
            shift=4,
            cycle=True,
            robust=1.0,
            members=3,
            positions=21_000_000,
        ),
    ),
}


#: What layers may compute in; their weights are float32 in all.
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def build(
    arch: str,
    shape: tuple[int, ...],
    targets: int,
    regularise: bool,
    precision: str = "float32",
    bases: bool | None = None,
) -> Any:
    """A ``keras.Model`` from (n, length) uint8 codes or an (n, length, channels) float signal to (n, targets).

    ``shape`` is that of one row, ``precision`` one of ``PRECISIONS``; the output is float32 in all of them. ``bases``:
    whether the channels are A, C, G and T; codes always are.
    """
    import keras

    codes = len(shape) == 1
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        inputs = keras.Input(shape, dtype="uint8" if codes else "float32")
        x = ARCHITECTURES[arch][0](one_hot(inputs) if codes else inputs, regularise, codes if bases is None else bases)
        return keras.Model(inputs, keras.layers.Dense(targets, dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy(before)
