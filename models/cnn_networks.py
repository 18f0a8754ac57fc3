"""The networks behind a fitted `cnn`, for who asks for gradients. A file of its own: a result's key follows from the
code that fits, which this is no part of."""

from __future__ import annotations

from typing import Any

from bench.models.cnn import CNN
from bench.models.cnn_layers import build


def networks(model: CNN) -> tuple[list[Any], bool]:
    """Keras models from float bases (n, length, 4) to (n, targets), one of every member, whose mean the fitted model
    predicts; and whether it averages over both strands too."""
    arch, shape, targets, regularise = model._key[2:6]
    made = []
    for weights in model._members:
        # The same layers on bases that are expanded already; float32 whatever it was trained in.
        codes = len(shape) == 1
        network = build(arch, (*shape, 4) if codes else shape, targets, regularise, bases=codes)
        network.set_weights(weights)
        made.append(network)
    return made, bool(model._both_strands)
