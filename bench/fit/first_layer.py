"""The first convolution of a fitted model's networks: its filters, and predictions with each of them at its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.fit.inside import networks_of
from bench.kernels.codes import padded_codes
from bench.model import Model
from bench.sequences import Sequences

#: Values of activations that are handed to a network at a time.
VALUES = 4_000_000


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """The first convolution of one network.

    Attributes
    ----------
    kernel : float32 (width, 4, filters), weights of A C G T at every position of a window, from its 5' end.
    own : float32 (n,), predictions of some rows by this network, on the strand as it stands.
    without : float32 (filters, few), the same of the first few with the output of one filter at its mean over them.
    """

    kernel: NDArray[np.float32]
    own: NDArray[np.float32]
    without: NDArray[np.float32]


def first_layers(model: Model, sequences: Sequences, place: int, most: int, few: int) -> list[FirstLayer] | None:
    """The first convolution of a model's networks, ``most`` of them at most; none where a network does not begin with a
    convolution of bases, None for a model without networks.

    Parameters
    ----------
    sequences : rows that are predicted; the first ``few`` also with each filter at its mean.
    """
    found = networks_of(model)
    if found is None:
        return None
    codes = padded_codes(sequences)
    x = (codes[:, :, None] == np.arange(4, dtype=np.uint8)).astype(np.float32)
    begins = [_convolution(network) for network in found[0][:most]]
    if any(each is None for each in begins):
        return []
    return [_first_layer(network, each, x, place, few) for network, each in zip(found[0], begins, strict=False)]


def _convolution(network: Any) -> Any | None:
    """The first layer with weights, where it is a convolution of bases, one base at a time: one of Keras, or a layer
    whose ``kernel`` (width, 4, filters) makes as many channels."""
    first: Any = next((each for each in network.layers if each.weights), None)
    shape: tuple[int, ...] = getattr(getattr(first, "kernel", None), "shape", ())
    if len(shape) != 3 or shape[1] != 4 or len(first.output.shape) != 3 or first.output.shape[2] != shape[2]:
        return None
    whole = set(getattr(first, "dilation_rate", (1,))) == {1} and getattr(first, "groups", 1) == 1
    return first if whole else None


def _first_layer(network: Any, convolution: Any, x: NDArray[np.float32], place: int, few: int) -> FirstLayer:
    import keras

    front = keras.Model(network.inputs, convolution.output)
    rest = keras.Model(convolution.output, network.outputs)
    at = max(1, VALUES // int(np.prod(convolution.output.shape[1:])))
    own = _by(network, x, at)[:, place]
    seen = _by(front, x[:few], at)
    without = np.empty((seen.shape[2], len(seen)), np.float32)
    for number in range(seen.shape[2]):
        kept = seen[:, :, number].copy()
        seen[:, :, number] = kept.mean()
        without[number] = _by(rest, seen, at)[:, place]
        seen[:, :, number] = kept
    return FirstLayer(np.asarray(convolution.kernel, np.float32), own, without)


def _by(network: Any, x: NDArray[np.float32], at: int) -> NDArray[np.float32]:
    """Outputs of a network, some rows at a time."""
    pieces = [np.asarray(network.predict_on_batch(x[i : i + at]), np.float32) for i in range(0, len(x), at)]
    return np.concatenate(pieces)
