"""Logistic regression on few columns, and what the logistic learners share. Labels are 0, 1, or a part of 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Newton's steps, and the greatest change of a weight at which they end.
STEPS, ENOUGH = 50, 1e-8
#: Probabilities are kept this far from 0 and 1, so that one row cannot cost an infinite loss.
NEAR = 1e-6


def expit(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """1/(1 + exp(−x))."""
    from scipy.special import expit as inverse

    return np.asarray(inverse(x), np.float64)


def log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log odds of probabilities, of those next to 0 and 1 as of `NEAR`."""
    p = np.clip(p, NEAR, 1 - NEAR)
    return np.asarray(np.log(p / (1 - p)), np.float64)


def log_loss(y: NDArray[np.float64], logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean cross-entropy of labels y (n,) and log odds (n,) or (n, m), over the rows."""
    labels = y if logit.ndim == 1 else y[:, None]
    return np.asarray((np.logaddexp(0, logit) - labels * logit).mean(axis=0), np.float64)


def newton(
    design: NDArray[np.float64], y: NDArray[np.float64], penalty: NDArray[np.float64], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights (p,) of least Σ cross-entropy + ½·w'Pw, by Newton's steps, halved where they overshoot.

    design : (n, p). penalty : (p, p), with which the problem has one solution. start : (p,).
    """
    weights = start.copy()

    def loss(w: NDArray[np.float64]) -> float:
        return float(log_loss(y, design @ w) * len(y) + w @ penalty @ w / 2)

    now = loss(weights)
    for _ in range(STEPS):
        p = expit(design @ weights)
        slope = design.T @ (p - y) + penalty @ weights
        hessian = (design * (p * (1 - p))[:, None]).T @ design + penalty
        step = np.linalg.lstsq(hessian, slope, rcond=None)[0]
        length = 1.0
        while (then := loss(weights - length * step)) > now and length > 1e-4:
            length /= 2
        if then > now:
            break
        weights, now = weights - length * step, then
        if np.abs(length * step).max() < ENOUGH:
            break
    return weights


def platt(p: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and slope that make the log odds of p those of y (Platt 1999), of validation rows; a slope that is not
    above 0 would turn the order round: (0, 1) then, and where y has one class."""
    if not len(y) or not 0 < y.mean() < 1 or np.ptp(p) < 1e-9:
        return 0.0, 1.0
    design = np.column_stack([np.ones(len(p)), log_odds(p)])
    level, slope = newton(design, y, 1e-6 * len(y) * np.diag([0.0, 1.0]), np.array([0.0, 1.0]))
    return (float(level), float(slope)) if slope > 0 else (0.0, 1.0)
