"""Intervals of figures from bootstrap draws or jackknives of loci, and what few loci need.

The fits are held fixed by all of them: another training set, or seed, would move a figure too.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, Literal, NamedTuple

import numpy as np

from bench.stats.ranks import Array

#: Fewest loci for an interval at all.
LEAST_BLOCKS = 3
#: Below so many loci there are no letters, verdicts or sentences: with 10 loci the interval of a share of .28 held it
#: in 89 % of 400 boards and the share itself read .05 low; with 20 loci in 95 % (.03 low).
FEW_LOCI = 20


class Estimate(NamedTuple):
    """A figure with the ends of its 95 % interval. NaN where not available; an interval may be missing alone."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    @property
    def covers_zero(self) -> bool:
        """True where the interval holds 0, and where there is no interval: nothing is then shown to differ from 0."""
        return not (self.low > 0 or self.high < 0)

    @property
    def width(self) -> float:
        """Upper end less lower end."""
        return self.high - self.low


NOTHING = Estimate(float("nan"))


def signed_root(x: Any) -> Any:
    """``sign(x)·√|x|``."""
    return np.sign(x) * np.sqrt(np.abs(x))


def signed_square(x: Any) -> Any:
    """``x·|x|``."""
    return x * np.abs(x)


def student(probability: float, df: int) -> float:
    """Quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(df, 1), probability))


def standard_error(draws: Array, blocks: int) -> float:
    """Standard error from draws (draws,) of ``blocks`` blocks: SD(draws)·√(b/(b − 1)), for resampling few blocks
    shrinks their spread; NaN where more than 1 in 10 is undefined, or for fewer than three blocks."""
    defined = draws[np.isfinite(draws)]
    if len(defined) < max(0.9 * len(draws), 2) or blocks < LEAST_BLOCKS:
        return float("nan")
    return float(np.std(defined, ddof=1) * sqrt(blocks / (blocks - 1)))


def t_interval(value: float, draws: Array, blocks: int, level: float = 0.95) -> Estimate:
    """``value ∓ t(b − 1)·SE``, SE that of ``standard_error``. Source: Efron & Tibshirani 1993, chapter 12.

    Of shares of .28 (300 loci × 3 / 20 × 50) and 0, 400 boards each, it held .94, .95 and .95, at 1.0 to 1.2 times the
    central 95 % range of the estimates; percentiles .94, .92 and .90, BCa with the t factor .94, .93 and .89.
    """
    value = float(value)
    error = standard_error(draws, blocks)
    if not (np.isfinite(value) and np.isfinite(error)):
        return Estimate(value)
    half = student((1 + level) / 2, blocks - 1) * error
    return Estimate(value, value - half, value + half)


def square_t(value: float, draws: Array, blocks: int) -> Estimate:
    """Interval of a signed square such as a share, r|r|/ρ: that of its signed root, squared back. Roots are near linear
    in correlations, also at 0."""
    low, high = t_interval(float(signed_root(value)), signed_root(draws), blocks)[1:]
    return Estimate(float(value), float(signed_square(low)), float(signed_square(high)))


def jackknife_square(value: float, left_out: Array) -> Estimate:
    """Interval of a signed square from its values without each of G groups (chromosomes): delete-a-group jackknife of
    the root with t(G − 1). left_out : (G,). Source: Shao & Tu 1995, chapter 2.

    By it a share of GC that varies by domain or by chromosome (300 loci) was held in .92 and .90 of 400 boards, by loci
    in .82 and .42. With three groups it is twice as wide as the estimates range.
    """
    roots = signed_root(np.asarray(left_out, float))
    groups = len(roots)
    if groups < LEAST_BLOCKS or not np.isfinite(roots).all() or not np.isfinite(value):
        return Estimate(float(value))
    error = sqrt((groups - 1) / groups * float(((roots - roots.mean()) ** 2).sum()))
    centre, half = float(signed_root(value)), student(0.975, groups - 1) * error
    return Estimate(float(value), float(signed_square(centre - half)), float(signed_square(centre + half)))


def percentile_interval(draws: Array, level: float = 0.95) -> tuple[float, float] | None:
    """Percentile interval of 1-D draws; None where more than (1 − level)/2 of the draws are undefined.

    Undefined draws (a reliability that is not positive, say) could lie on either side, so an interval that leaves out
    more of them than a tail holds would be made up. For figures that have ends (fractions, AUROC); others: t_interval.
    """
    defined = draws[np.isfinite(draws)]
    tail = (1 - level) / 2
    if len(defined) < (1 - tail) * len(draws) or not len(defined):
        return None
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def gain_interval(draws: Array, estimate: float, level: float = 0.95) -> tuple[float, float] | None:
    """Interval of a gain in R², which cannot be negative: percentiles moved by ``−2·(mean(draws) − estimate)``.

    The estimate is biased by as much as the draws are biased around it, so the draws lie two biases from the truth, and
    their percentile interval never holds 0. Source: bootstrap bias correction, Efron & Tibshirani 1993, chapter 10;
    draws beyond their 99 % range are drawn in first. Where the truth is 0 it held it in 99.8 % of 400 trials: safe, not
    sharp. With the median for the mean, 85 %.
    """
    interval = percentile_interval(draws, level)
    if interval is None or not np.isfinite(estimate):
        return None
    defined = draws[np.isfinite(draws)]
    inner = np.clip(defined, *np.quantile(defined, [0.005, 0.995]))
    shift = 2 * (float(inner.mean()) - estimate)
    return interval[0] - shift, interval[1] - shift


def estimate(
    value: float, draws: Array, blocks: int, kind: Literal["plain", "gain", "square", "fraction"] = "plain"
) -> Estimate:
    """A figure with its 95 % interval: ``t_interval`` ("plain"), ``square_t`` ("square"), ``gain_interval`` ("gain") or
    percentiles ("fraction", a figure between 0 and 1)."""
    value = float(value)
    if kind == "plain":
        return t_interval(value, draws, blocks)
    if kind == "square":
        return square_t(value, draws, blocks)
    ends = gain_interval(draws, value) if kind == "gain" else percentile_interval(draws)
    if ends is None or not np.isfinite(value) or blocks < LEAST_BLOCKS:
        return Estimate(value)
    return Estimate(value, float(ends[0]), float(ends[1]))


def imbens_manski(low: float, high: float, error_low: float, error_high: float, level: float = 0.95) -> Estimate:
    """Interval that holds a parameter anywhere in [low, high] with the level; ``value`` is NaN, for there is no one
    figure.

    ``Φ(C + (high − low)/max(SE)) − Φ(−C) = level``, [low − C·SE_low, high + C·SE_high]. Source: Imbens & Manski 2004,
    equations 6 and 7. C runs from 1.96 (no gap) to 1.64 (a wide one).
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    widest = max(error_low, error_high)
    if not (np.isfinite(widest) and np.isfinite(low) and np.isfinite(high)):
        return NOTHING
    if widest <= 0:
        return Estimate(float("nan"), low, high)
    gap = max(0.0, high - low) / widest
    c = brentq(lambda c: ndtr(c + gap) - ndtr(-c) - level, 0.0, 10.0)
    return Estimate(float("nan"), low - c * error_low, high + c * error_high)
