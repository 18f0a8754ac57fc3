"""Fitted models as bytes: one of every fold, so that what was learned can be asked again.

A built-in model is read back with a list of the few classes that it may hold (its own, arrays, boosters of XGBoost and
LightGBM, scikit-learn's spline), so that a folder of results from somebody else runs nothing. A third-party model may
hold anything, and reading it may run anything: it is read where the reader says so, in the process of its plugin.
"""

from __future__ import annotations

import pickle

from bench.errors import BenchError, one_line
from bench.fit.restricted import Restricted
from bench.model import Model

#: What built-in models are made of, besides classes of ``bench.models``.
_SAFE = {
    ("builtins", "complex"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("bench.kernels.similar", "Index"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy", "asarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("lightgbm.basic", "Booster"),
    ("xgboost.core", "Booster"),
    ("scipy._lib.array_api_compat.numpy._aliases", "asarray"),
    ("scipy.interpolate._bsplines", "BSpline"),
    ("sklearn.preprocessing._polynomial", "SplineTransformer"),
}
_OURS = "bench.models."


def packed(model: Model, name: str) -> bytes:
    """A fitted model as bytes.

    Raises
    ------
    BenchError : where it cannot be pickled.
    """
    try:
        return pickle.dumps(model, protocol=5)
    except Exception as error:
        raise BenchError(f"{name}: its fitted models cannot be pickled ({one_line(error)}).", status=1) from error


def unpacked(content: bytes, name: str, *, trusted: bool) -> Model:
    """A fitted model from its bytes.

    Parameters
    ----------
    trusted : read whatever is in it, which may run any code: for a third-party model that was made here. Otherwise
        only what built-in models are made of.

    Raises
    ------
    BenchError : where it cannot be read, or holds something else.
    """
    try:
        model = pickle.loads(content) if trusted else Restricted(content, _SAFE, _OURS).load()
    except Exception as error:
        raise BenchError(
            f"{name}: its kept models cannot be read ({one_line(error)}). Fit it again.", status=1
        ) from error
    if not isinstance(model, Model):
        raise BenchError(f"{name}: its kept models are a {type(model).__name__}. Fit it again.", status=1)
    return model
