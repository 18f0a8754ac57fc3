"""scikit-learn's classifiers in place of its regressors: ``sklearn:...`` on binary targets."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, one_line
from bench.featurizer import Features
from bench.model import Part, Setting
from bench.models.sklearn_models import PREFIX, SklearnModel


class SklearnClassifier(SklearnModel):
    """The classifier that is called as a regressor (``ensemble.ExtraTreesRegressor``: ``ExtraTreesClassifier``), with
    those parameters that were set. A row whose replicates disagree is two rows with weights."""

    #: The class of the classifier.
    counterpart: Any

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        known = inspect.signature(self.counterpart).parameters
        defaults = {name: each.default for name, each in inspect.signature(self.estimator).parameters.items()}
        given = {name: value for name, value in self._given().items() if value != defaults.get(name)}
        unknown = next((name for name in given if name not in known), None)
        if unknown is not None:
            raise BenchError(
                f"{self.name}: on binary targets it is {self.counterpart.__name__}, which has no {unknown!r}."
                " Leave it out."
            )
        ours = {"random_state": setting.seed, "n_jobs": setting.threads}
        try:
            estimator = self.counterpart(**given, **{name: value for name, value in ours.items() if name in known})
            estimator._validate_params()
        except ValueError as error:
            raise BenchError(f"{self.name}: {one_line(error)}") from error
        steps = [StandardScaler()] if self._parameters["standardise"] else []
        self.fitted_ = make_pipeline(*steps, estimator)
        table, y = np.asarray(train.x.table(), np.float32), train.y.astype(np.float64)
        if np.isin(y, (0, 1)).all():
            self.fitted_.fit(table, y.astype(np.int64))
        else:
            ones, zeros = np.flatnonzero(y > 0), np.flatnonzero(y < 1)
            labels = np.repeat([1, 0], [len(ones), len(zeros)])
            weights = np.concatenate([y[ones], 1 - y[zeros]])
            weighted = "sample_weight" in inspect.signature(estimator.fit).parameters
            if weighted:
                step = self.fitted_.steps[-1][0]
                self.fitted_.fit(table[np.r_[ones, zeros]], labels, **{f"{step}__sample_weight": weights})
            else:  # one that takes no weights has doubtful rows by chance
                drawn = np.random.default_rng(setting.seed).random(len(y)) < y
                self.fitted_.fit(table, drawn.astype(np.int64))
        self.history = []

    def predict(self, x: Features) -> NDArray[Any]:
        found = self.fitted_.predict_proba(np.asarray(x.table(), np.float32))
        place = list(self.fitted_.classes_).index(1) if 1 in self.fitted_.classes_ else None
        return np.zeros(len(x)) if place is None else np.asarray(found[:, place])


@functools.cache
def classifier(cls: type[SklearnModel]) -> type[SklearnModel]:
    """The class that fits binary targets: the regressor itself where there is no classifier of its name that gives
    probabilities."""
    path, _, name = cls.name.removeprefix(PREFIX).rpartition(".")
    found = getattr(importlib.import_module(f"sklearn.{path}"), f"{name.removesuffix('Regressor')}Classifier", None)
    if not name.endswith("Regressor") or found is None or not hasattr(found, "predict_proba"):
        return cls
    taken = {key: vars(cls)[key] for key in ("__init__", "name", "estimator", "stochastic")}
    return type(found.__name__, (SklearnClassifier,), {**taken, "counterpart": found, "__module__": __name__})
