"""Checks of models. Each function takes a model object and a ``Trial`` on it, and raises ``CheckFailed``.

A fit is expensive (a network takes seconds), so checks share fits: ``Trial`` keeps them.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.checks.check import (
    Check,
    CheckFailed,
    check_known_failures,
    check_name,
    check_parameters,
    must,
    named,
    pickled,
    title,
)
from bench.checks.featurizer import must_equal
from bench.errors import BenchError
from bench.featurizer import Features, Kind
from bench.model import Model, Part, Setting
from bench.plugins.registry import Registry
from bench.run.device import cuda_devices
from bench.stats import ranks

#: Training, validation and test rows: few, so that a network takes seconds, and enough for twenty rows a leaf.
ROWS = (256, 64, 64)
#: Positions of a simulated sequence: a quarter of an oligo, so that a network takes seconds.
LENGTH = 24
#: On a linear signal with a tenth of noise every built-in learner reaches .90 or more.
LEAST_SPEARMAN = 0.5
#: Squared error on new rows as a share of the mean's: .07 to .35 for built-in learners; .82 for a network that had
#: too few steps to find the scale.
MOST_ERROR = 0.9


def model_checks(model: Model, registry: Registry | None = None) -> list[Check]:
    """The checks that hold for a model object: those for all, and those for what its class declares.

    Parameters
    ----------
    registry : where to look whether its name is taken; not looked at by default.
    """
    checks: dict[str, Callable[..., Any]] = {
        "name": lambda m, trial: check_name(m, "model", registry),
        "parameters": lambda m, trial: check_parameters(m),
        "takes": check_takes,
        "estimate": check_estimate,
        "predictions": check_predictions,
        "row-order": check_row_order,
        "other-rows": check_other_rows,
        "input": check_input,
        "history": check_history,
        "refit": check_refit,
        "seed": check_seed,
        "shared": check_shared,
        "constant-columns": check_constant_columns,
        "device": check_device,
        "pickle": check_pickle,
    }
    if model.needs_features:
        checks["linear-signal"] = check_linear_signal
        checks["better-than-mean"] = check_better_than_mean
    if model.multitask:
        checks["multitask"] = check_multitask
    known = {*checks, "known-failures"}
    checks["known-failures"] = lambda m, trial: check_known_failures(m, known)
    return list(named(model, checks, Trial(model)))


# ---- material --------------------------------------------------------------------------------------------------------
class Trial:
    """Small simulated data with a linear signal, of a kind that a model takes, and the model's fits on them."""

    def __init__(self, model: Model) -> None:
        self.model = model
        rng = np.random.default_rng(0)
        self.kind: Kind = next((kind for kind in ("table", "codes", "signal") if kind in model.takes), "table")
        features, signals = _simulated(self.kind, sum(ROWS), model.max_columns, rng)
        noise = rng.normal(size=signals.shape)
        self.y = _standardised(signals + np.sqrt(0.1) * noise).astype(np.float32)
        self.x = Features(features, self.kind)
        self.given = self.part(0), self.part(1)
        self.shared: dict[str, Any] = {}
        self.seconds = 0.0

    def part(self, which: Literal[0, 1, 2], target: int | slice = 0) -> Part:
        """Copies of training, validation or test rows with one target (n,) or several (n, targets)."""
        rows = np.arange(sum(ROWS[:which]), sum(ROWS[: which + 1]))
        return Part(self.x.take(rows), np.ascontiguousarray(self.y[rows][:, target]))

    @property
    def test(self) -> Part:
        """Test rows."""
        return self.part(2)

    @cached_property
    def fitted(self) -> Model:
        """The model after a fit of the first target with seed 0."""
        began = time.perf_counter()
        model = fit(self.model, *self.given, shared=self.shared)
        self.seconds = time.perf_counter() - began
        return model

    @cached_property
    def predicted(self) -> NDArray[np.float64]:
        """Predictions of the test rows by that fit."""
        return predict(self.fitted, self.test.x)


def _simulated(kind: Kind, rows: int, most: int | None, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Features and, standardised, two linear functions of them (rows, 2)."""
    if kind == "table":
        # Counts up to 250: a model that adds up bytes as bytes goes wrong here.
        columns = min(6, most or 6)
        values: NDArray[Any] = rng.integers(0, 251, (rows, columns)).astype(np.uint8)
        weights = rng.uniform(0.5, 1.5, (columns, 2)) * np.array([1, -1])
        return values, _standardised(values.astype(np.float64) @ weights)
    if kind == "codes":
        gc = rng.uniform(0.2, 0.8, (rows, 1))
        strong = rng.random((rows, LENGTH)) < gc
        values = np.where(strong, rng.integers(1, 3, strong.shape), 3 * rng.integers(0, 2, strong.shape))
        counts = [np.isin(values, letters).sum(axis=1) for letters in ([1, 2], [0, 1])]
        return values.astype(np.uint8), _standardised(np.stack(counts, axis=1).astype(np.float64))
    values = rng.normal(size=(rows, 20, 1)).astype(np.float32) + rng.normal(size=(rows, 1, 1)).astype(np.float32)
    return values, _standardised(np.stack([values.mean(axis=(1, 2)), values[:, :10].mean(axis=(1, 2))], axis=1))


def _standardised(values: NDArray[Any]) -> NDArray[np.float64]:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def fit(
    model: Model,
    train: Part,
    valid: Part,
    *,
    seed: int = 0,
    device: Literal["cpu", "cuda"] = "cpu",
    shared: dict[str, Any] | None = None,
) -> Model:
    """A copy of an unfitted model after a fit."""
    fresh = copy.deepcopy(model)
    fresh.history = []
    fresh.fit(train, valid, Setting(seed=seed, device=device, threads=1, shared={} if shared is None else shared))
    return fresh


def predict(model: Model, x: Features, targets: int | None = None) -> NDArray[np.float64]:
    """Predictions, checked: one per row (and target), real and finite."""
    values, of = np.asarray(model.predict(x)), title(model)
    wanted = (len(x),) if targets is None else (len(x), targets)
    must(values.shape == wanted, f"The predictions of {of} must have shape {wanted}. Got {values.shape}.")
    must(values.dtype.kind in "iuf", f"The predictions of {of} must be real numbers. Got dtype {values.dtype}.")
    wrong = int((~np.isfinite(values)).sum())
    must(not wrong, f"The predictions of {of} must be finite. Got {wrong} of {values.size} that are not.")
    return values.astype(np.float64)


def spearman(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Spearman's rho; 0 where one of them is constant."""
    rho = ranks.spearman(a, b)
    return rho if np.isfinite(rho) else 0.0


# ---- checks of every model -------------------------------------------------------------------------------------------
def check_takes(model: Model, trial: Trial) -> None:
    """The kinds of features it takes exist."""
    kinds = ("table", "signal", "codes")
    must(
        isinstance(model.takes, tuple) and len(model.takes) > 0 and set(model.takes) <= set(kinds),
        f"'takes' of {title(model)} must be a tuple of {', '.join(kinds)}. Got {model.takes!r}.",
    )


def check_estimate(model: Model, trial: Trial) -> str:
    """The guess of a fit's seconds is a positive number that does not fall with the rows."""
    few, many = (float(type(model).estimate(rows, 50)) for rows in (1_000, 1_000_000))
    must(
        math.isfinite(many) and 0 < few <= many,
        f"estimate of {title(model)} must be seconds above 0 that do not fall with the rows."
        f" Got {few:g} for 1,000 rows and {many:g} for 1,000,000.",
    )
    return f"{few:.2g} s for 1,000 rows, {many:.2g} s for 1,000,000"


def check_predictions(model: Model, trial: Trial) -> str:
    """One real, finite number per row."""
    must(len(trial.predicted) == ROWS[2], f"{title(model)} must predict {ROWS[2]} rows. Got {len(trial.predicted)}.")
    return f"fitted {ROWS[0]} rows in {trial.seconds:.2g} s"


def check_linear_signal(model: Model, trial: Trial) -> str:
    """It ranks the test rows of a strong linear signal."""
    rho = spearman(trial.predicted, trial.test.y)
    must(
        rho >= LEAST_SPEARMAN,
        f"{title(model)} must learn a linear signal from {ROWS[0]} rows: Spearman {LEAST_SPEARMAN} on new rows."
        f" Got {rho:.2f}.",
    )
    return f"Spearman {rho:.2f}"


def check_better_than_mean(model: Model, trial: Trial) -> str:
    """Its squared error on new rows is below that of the training mean: predictions are on the scale of the target."""
    y = trial.test.y
    error, of_mean = np.mean((trial.predicted - y) ** 2), np.mean((trial.part(0).y.mean() - y) ** 2)
    must(
        error <= MOST_ERROR * of_mean,
        f"The squared error of {title(model)} on a simulated signal must be at most {MOST_ERROR} of the mean's."
        f" Got {error / of_mean:.2f}.",
    )
    return f"{error / of_mean:.2f} of the mean's error"


def check_row_order(model: Model, trial: Trial) -> None:
    """Predictions follow the order of the rows."""
    order = np.random.default_rng(1).permutation(ROWS[2])
    must_equal(
        predict(trial.fitted, trial.test.x.take(order)),
        trial.predicted[order],
        f"The predictions of {title(model)} must follow the order of the rows.",
    )


def check_other_rows(model: Model, trial: Trial) -> None:
    """The prediction of a row does not depend on the other rows of the call: nothing is learned from test rows."""
    what = f"The prediction of {title(model)} for a row must not depend on the other rows of the call."
    for row in (0, ROWS[2] // 2):
        must_equal(predict(trial.fitted, trial.test.x.take(slice(row, row + 1))), trial.predicted[row : row + 1], what)


def check_input(model: Model, trial: Trial) -> None:
    """Neither ``fit`` nor ``predict`` writes into its input."""
    of, test = title(model), trial.part(2).x
    predict(trial.fitted, test)
    must_equal(test.values, trial.test.x.values, f"predict of {of} must not write into the features.")
    for given, wanted in zip(trial.given, (trial.part(0), trial.part(1)), strict=True):
        must_equal(given.x.values, wanted.x.values, f"fit of {of} must not write into the features.")
        must_equal(given.y, wanted.y, f"fit of {of} must not write into the targets.")


def check_history(model: Model, trial: Trial) -> str:
    """The learning curve is a list of dictionaries of numbers."""
    history, of = trial.fitted.history, title(model)
    good = isinstance(history, list) and all(
        isinstance(entry, dict) and all(isinstance(float(value), float) for value in entry.values())
        for entry in history
    )
    must(good, f"The history of {of} must be a list of dictionaries of numbers. Got {str(history)[:80]}.")
    return f"{len(history)} entries"


def check_refit(model: Model, trial: Trial) -> None:
    """The same rows and the same seed give the same predictions, to the last bit."""
    again = predict(fit(model, trial.part(0), trial.part(1)), trial.test.x)
    different = int((again != trial.predicted).sum())
    must(
        not different,
        f"{title(model)} must give the same predictions when it is fitted again with the same seed."
        f" Got {different} of {len(again)} that differ, by up to {np.abs(again - trial.predicted).max():.2g}.",
    )


def check_seed(model: Model, trial: Trial) -> str:
    """Another seed changes the predictions of a model that is declared stochastic, and of no other."""
    other = predict(fit(model, trial.part(0), trial.part(1), seed=1), trial.test.x)
    same, of = bool(np.array_equal(other, trial.predicted)), title(model)
    must(
        not (same and model.stochastic),
        f"{of} must use setting.seed, or declare stochastic = False. Got the same predictions from seeds 0 and 1.",
    )
    must(
        same or model.stochastic,
        f"{of}, which declares stochastic = False, must give the same predictions with every seed. Got others from"
        " seed 1 than from seed 0.",
    )
    return f"two seeds agree to Spearman {spearman(other, trial.predicted):.2f}" if model.stochastic else "not needed"


def check_shared(model: Model, trial: Trial) -> str | None:
    """What it keeps in ``setting.shared`` for other targets on the same rows does not change their predictions."""
    _ = trial.fitted
    if not trial.shared:
        return "keeps nothing"
    after = predict(fit(model, trial.part(0, 1), trial.part(1, 1), shared=trial.shared), trial.test.x)
    alone = predict(fit(model, trial.part(0, 1), trial.part(1, 1)), trial.test.x)
    must_equal(
        after,
        alone,
        f"{title(model)} must give the same predictions whatever it found in setting.shared, which it kept from another"
        " target on the same rows.",
    )
    return f"keeps {', '.join(sorted(trial.shared))}"


def check_constant_columns(model: Model, trial: Trial) -> None:
    """Columns that are constant, or zero, in training: finite predictions, also where new rows differ there."""
    values = trial.x.values.copy()
    half = values.shape[1] // 2
    values[: sum(ROWS[:2]), half:] = 0 if trial.kind != "codes" else 4
    values[: sum(ROWS[:2]), half : half + 1] = 3
    _fits_finitely(model, trial, values)
    if trial.kind == "table":
        _fits_finitely(model, trial, np.full(values.shape, 0.5, np.float32))


def _fits_finitely(model: Model, trial: Trial, values: NDArray[Any]) -> None:
    first, last = ROWS[0], ROWS[0] + ROWS[1]
    train, valid, test = (Features(part.copy(), trial.kind) for part in np.split(values, (first, last)))
    predict(fit(model, Part(train, trial.part(0).y), Part(valid, trial.part(1).y)), test)


def check_device(model: Model, trial: Trial) -> str:
    """What was asked for is what was used, or it is refused aloud, or ``device_used`` owns up."""
    of = title(model)
    must(
        trial.fitted.device_used == "cpu",
        f"device_used of {of} must be 'cpu' after a fit on the CPU. Got {trial.fitted.device_used!r}.",
    )
    if "cuda" not in model.devices:
        return "CPU alone"
    try:
        fitted = fit(model, trial.part(0), trial.part(1), device="cuda")
    except BenchError as error:
        must(not cuda_devices(), f"{of} declares cuda and must run on {''.join(cuda_devices()[:1])}. Got: {error}")
        return "CUDA refused aloud: there is none here"
    used, wanted = fitted.device_used, "cuda" if cuda_devices() else "cpu"
    must(used == wanted, f"device_used of {of} must be {wanted!r} after --device cuda on this machine. Got {used!r}.")
    predict(fitted, trial.test.x)
    return f"asked for CUDA, used {used}"


def check_pickle(model: Model, trial: Trial) -> None:
    """A new model and a fitted one reach another process unchanged."""
    of = title(model)
    fresh = pickled(copy.deepcopy(model), f"An unfitted {of}")
    must(title(fresh) == of, f"The parameters of {of} must survive pickling. Got {title(fresh)}.")
    again = predict(pickled(trial.fitted, f"A fitted {of}"), trial.test.x)
    must_equal(again, trial.predicted, f"The predictions of {of} must be the same after pickling.")


# ---- checks of what is declared --------------------------------------------------------------------------------------
def _with_gaps(y: NDArray[np.float32]) -> NDArray[np.float32]:
    gaps = y.copy()
    gaps[::5, 0] = np.nan
    gaps[1::7, 1] = np.nan
    return gaps


def check_multitask(model: Model, trial: Trial) -> str:
    """``multitask``: two targets, each with rows where it was not measured."""
    train, valid = (trial.part(which, slice(0, 2)) for which in (0, 1))
    train, valid = (replace(part, y=_with_gaps(part.y)) for part in (train, valid))
    values = predict(fit(model, train, valid), trial.test.x, targets=2)
    truth = trial.part(2, slice(0, 2)).y
    found = [spearman(values[:, target], truth[:, target]) for target in range(2)]
    if model.needs_features and min(found) < LEAST_SPEARMAN:
        raise CheckFailed(
            f"{title(model)} must learn two targets with unmeasured rows: Spearman {LEAST_SPEARMAN} on new rows for"
            f" each. Got {found[0]:.2f} and {found[1]:.2f}."
        )
    return f"Spearman {found[0]:.2f} and {found[1]:.2f}"
