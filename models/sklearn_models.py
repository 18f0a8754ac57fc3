"""Any regressor of scikit-learn by its import path, such as ``sklearn:ensemble.ExtraTreesRegressor``."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: What such a model's name begins with.
PREFIX = "sklearn:"
#: Arguments of estimators that are the engine's: its seed, its threads, its own lines of progress.
_ENGINES = ("random_state", "n_jobs", "verbose")
Value = bool | int | float | str | None


class SklearnModel(Model):
    """A regressor of scikit-learn on a table. ``model_of`` makes the class of one.

    Its arguments are the model's parameters, with its defaults; those that no name can hold (lists, other estimators)
    keep their defaults. Columns are standardised first: a tree does not mind, and the others need it. Seed and threads
    are the engine's. Validation rows are not used.
    """

    libraries = ("numpy", "scikit-learn")
    #: The class of the estimator.
    estimator: Any

    def __init__(self, **parameters: Value) -> None:
        for name, value in parameters.items():
            setattr(self, name, value)
        self._parameters = parameters
        self.estimator(**self._given())._validate_params()  # now, not in the middle of a run

    def _given(self) -> dict[str, Value]:
        """Arguments of the estimator that are not its defaults: one that no name can hold, such as
        hidden_layer_sizes=(100,), is shown as its one element."""
        known = inspect.signature(self.estimator).parameters
        given = {name: value for name, value in self._parameters.items() if name != "standardise"}
        return {name: value for name, value in given.items() if value != _default(known[name].default)}

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        known = inspect.signature(self.estimator).parameters
        ours = {"random_state": setting.seed, "n_jobs": setting.threads}
        estimator = self.estimator(**self._given(), **{name: value for name, value in ours.items() if name in known})
        steps = [StandardScaler()] if self._parameters["standardise"] else []
        self.fitted_ = make_pipeline(*steps, estimator)
        self.fitted_.fit(np.asarray(train.x.table(), np.float32), train.y)
        self.history = []

    def predict(self, x: Features) -> NDArray[Any]:
        return np.asarray(self.fitted_.predict(np.asarray(x.table(), np.float32)))


@functools.cache
def model_of(path: str) -> type[SklearnModel]:
    """The model class of a regressor.

    Parameters
    ----------
    path : its import path below ``sklearn``, such as ``ensemble.ExtraTreesRegressor``.

    Raises
    ------
    BenchError : where there is no such module or class (with the nearest name), and for what is no regressor.

    Examples
    --------
    >>> model_of("linear_model.Lasso").name
    'sklearn:linear_model.Lasso'
    """
    from sklearn.base import BaseEstimator, RegressorMixin

    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise BenchError(f"{PREFIX}{path}: give module and class, such as {PREFIX}ensemble.ExtraTreesRegressor.")
    try:
        module = importlib.import_module(f"sklearn.{module_name}")
    except ImportError as error:
        raise BenchError(f"{PREFIX}{path}: scikit-learn has no module {module_name!r} ({error}).") from None
    found = getattr(module, name, None)
    regressors = [
        each
        for each, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, RegressorMixin) and issubclass(cls, BaseEstimator)
    ]
    if name not in regressors:
        what = "is no regressor" if found is not None else "is not there"
        raise BenchError(f"{PREFIX}{path}: {name!r} of sklearn.{module_name} {what}.{nearest(name, regressors)}")
    assert isinstance(found, type)
    return _model_class(path, found)


def _model_class(path: str, estimator: type) -> type[SklearnModel]:
    """The class: its ``__init__`` has the estimator's arguments, so that the engine reads and shows them."""
    known = inspect.signature(estimator).parameters
    defaults: dict[str, Value] = {"standardise": True}
    for each in known.values():
        default = _default(each.default)
        plain = default is None or isinstance(default, bool | int | float | str)
        if each.name not in _ENGINES and plain and each.kind is not each.VAR_KEYWORD:
            defaults[each.name] = default

    def init(self: SklearnModel, **parameters: Value) -> None:
        SklearnModel.__init__(self, **(defaults | parameters))

    as_arguments = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default) for name, default in defaults.items()
    ]
    init.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD), *as_arguments]
    )
    init.__annotations__ = {name: _hint(value) for name, value in defaults.items()}
    return type(
        estimator.__name__,
        (SklearnModel,),
        {
            "__init__": init,
            "__module__": __name__,
            "__doc__": f"scikit-learn's ``{path}``.",
            "name": f"{PREFIX}{path}",
            "estimator": estimator,
            "stochastic": "random_state" in known,
        },
    )


def _hint(default: Value) -> Any:
    """What a parameter may be, tried in this order: "1" is the number, unless the default says otherwise."""
    if isinstance(default, bool):
        return bool
    if isinstance(default, float):
        return float | str | None
    return int | float | str | None if isinstance(default, int) else int | float | bool | str | None


def _default(value: Any) -> Any:
    """A default as a name can hold it."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value
