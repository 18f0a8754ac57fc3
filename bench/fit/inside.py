"""What is asked of a fitted model beyond its predictions, where its library can tell: contributions of columns by
trees, of bases by gradients.

A model is recognised by what it holds: any attribute that is a booster of XGBoost or LightGBM; or the networks that a
method ``networks``, or a function of that name in a module called as the model's with ``_networks`` behind, gives.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.kernels.codes import padded_codes
from bench.model import Model
from bench.sequences import Sequences

#: Steps of integrated gradients: completeness stays within 5 %.
STEPS = 64


def booster_of(model: Model) -> tuple[str, Any] | None:
    """The library and the booster that a model holds; None where it holds none."""
    for value in vars(model).values():
        library = type(value).__module__.partition(".")[0]
        if library in ("xgboost", "lightgbm") and type(value).__name__ == "Booster":
            return library, value
    return None


def column_contributions(model: Model, x: Features) -> NDArray[np.float32] | None:
    """TreeSHAP by the library itself: float32 (n, columns + 1), whose last column is the level and whose rows add up to
    the booster's output; None for a model without a booster.

    Source: Lundberg et al., Nature Machine Intelligence 2:56 (2020), path-dependent.
    """
    found = booster_of(model)
    if found is None:
        return None
    library, booster = found
    table = x.table().astype(np.float32)
    if library == "lightgbm":
        return np.asarray(booster.predict(table, pred_contrib=True, num_threads=1), np.float32)
    import xgboost

    return np.asarray(booster.predict(xgboost.DMatrix(table), pred_contribs=True), np.float32)


def networks_of(model: Model) -> tuple[list[Any], bool] | None:
    """Keras models from (n, length, 4) to (n, targets) whose mean a model predicts, and whether over both strands; None
    for a model that has none."""
    own: Callable[[], tuple[list[Any], bool]] | None = getattr(model, "networks", None)
    if own is not None:
        return own()
    try:
        module = importlib.import_module(f"{type(model).__module__}_networks")
    except ImportError:
        return None
    found: tuple[list[Any], bool] = module.networks(model)
    return found


class BaseGradients(NamedTuple):
    """Gradients of a prediction with respect to the bases of rows, float32.

    gradient : (n, width, 4), at the row itself. integrated : (n, width, 4), the mean gradient on the way from the
    reference (Sundararajan et al. 2017), not yet times the difference. there, here : (n,), the predictions at the
    reference and at the row.
    """

    gradient: NDArray[np.float32]
    integrated: NDArray[np.float32]
    there: NDArray[np.float32]
    here: NDArray[np.float32]


def base_gradients(
    model: Model, sequences: Sequences, place: int, reference: NDArray[np.float32]
) -> BaseGradients | None:
    """Gradients of a network's prediction of one target with respect to its bases.

    Parameters
    ----------
    reference : float32 (4,), what stands at every called position where integration starts.

    Returns
    -------
    None for a model without networks.

    Raises
    ------
    BenchError : for another backend of Keras than TensorFlow.
    """
    found = networks_of(model)
    if found is None:
        return None
    import keras

    if keras.backend.backend() != "tensorflow":
        raise BenchError(f"gradients need Keras on TensorFlow. Got {keras.backend.backend()}.", status=1)
    codes = padded_codes(sequences)
    x = (codes[:, :, None] == np.arange(4, dtype=np.uint8)).astype(np.float32)
    start = (codes < 4)[:, :, None] * reference
    rows = [_row_gradients(*found, a, b, place) for a, b in zip(x, start, strict=True)]
    return BaseGradients(*(np.stack(values).astype(np.float32) for values in zip(*rows, strict=True)))


def _row_gradients(
    networks: list[Any], both: bool, x: NDArray[np.float32], start: NDArray[np.float32], place: int
) -> BaseGradients:
    """Of one row."""
    import tensorflow as tf

    # Midpoints, then both ends, in one batch.
    share = np.concatenate([(np.arange(STEPS) + 0.5) / STEPS, [0.0, 1.0]]).astype(np.float32)[:, None, None]
    points = tf.convert_to_tensor(start + share * (x - start))
    with tf.GradientTape() as tape:
        tape.watch(points)
        strands = [points, points[:, ::-1, ::-1]] if both else [points]
        each = [network(strand, training=False)[:, place] for network in networks for strand in strands]
        level = tf.add_n(each) / float(len(each))
    slope, level = tape.gradient(level, points).numpy(), level.numpy()
    return BaseGradients(slope[-1], slope[:STEPS].mean(axis=0), level[-2], level[-1])
