"""What the numbers of replicates say about them, whatever the columns are called: one rule for audit, run and board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.stats.ranks import spearman
from bench.stats.replicates import DEFAULT, Combine

#: Rows that tell anything of two columns.
LEAST = 10
#: Share of the rows away from both columns' most frequent value (a zero, a floor) that are the same to the last digit
#: in a copy. All of them where the columns have fewer than ``FEW_VALUES`` values, which agree by chance.
SAME, FEW_VALUES = 0.99, 20
#: Two columns are one on two scales, or a column is made of others, from 1 less this on (|rho|, R squared). Rounding to
#: 1/25 of a standard deviation costs as much; the best replicates of a reporter assay correlate at .99.
EXACT = 1e-4
#: Distance of two replicates' medians on the rows that both measured, in robust standard deviations, from which a
#: target that averages what is there follows what is missing, and the share of missing values that makes it matter.
LEVEL, MISSING = 0.5, 0.01
#: A replicate of three or more is mostly noise below this reliability, where that of the others is at least so much.
NOISE, SOUND = 0.1, 0.3
#: Distinct values from which whole numbers from 0 up are counts, and not scores on a scale of a few steps.
COUNTS = 12
#: Replicates one of which is so many times as wide as another are said to be, where they are averaged as they are.
WIDTH = 1.5
#: What becomes of unlike levels and widths, and why copies give neither a noise ceiling nor a share of what is
#: explainable.
ONE_SCALE = "they are put on one scale before they are averaged"
COPIED = "replicates are copies of one another, so nothing tells noise from activity"


@dataclass(frozen=True)
class Finding:
    """One thing that the numbers of replicates say; ``line`` is for people."""

    kind: Literal["copy", "average", "counts", "level", "scale", "apart", "noise"]
    line: str


def check_replicates(replicates: NDArray[Any], names: Sequence[str], how: Combine = DEFAULT) -> list[Finding]:
    """Everything that the numbers of replicates (n, k) say. ``how`` they are combined decides whether unlike levels and
    widths matter."""
    y, names = np.asarray(replicates, float), tuple(names)
    twice = {j: words for _, j, words in copies(y, names)}
    found = [Finding("copy", f"{words}: name each measurement once") for words in twice.values()]
    for column, others, words in mixtures(y, names):
        line = f"{column} is {words} of {', '.join(others)}: it is no replicate of its own"
        found.append(Finding("average", line))
    whole = [name for name, column in zip(names, y.T, strict=True) if holds_counts(column[np.isfinite(column)])]
    if whole:
        are = "holds" if len(whole) == 1 else "hold"
        line = f"{', '.join(whole)} {are} whole numbers from 0 up: counts, not activities (see rna and dna)"
        found.append(Finding("counts", line))
    kept = [i for i in range(len(names)) if i not in twice]
    y, names = y[:, kept], tuple(names[i] for i in kept)
    for i, j, shared in unshared(y):
        line = f"{names[i]} and {names[j]} share {shared} rows: nothing puts them on one scale"
        found.append(Finding("apart", line))
    level = apart(y)
    if level is not None:
        found.append(Finding("level", f"{level_words(level, names)}; {level_tail(how)}"))
    tail = "a mean follows the wider one" if how in ("mean", "centre") else f"{ONE_SCALE} (combine = {how})"
    found += [
        Finding("scale", f"{names[j]} is {ratio:.2g} × as wide as {names[i]}; {tail}") for i, j, ratio in widths(y)
    ]
    return found + [Finding("noise", line) for line in noise_lines(y, names)]


def any_copies(replicates: NDArray[Any]) -> bool:
    """Whether two of the replicates (n, k) are one."""
    y = np.asarray(replicates, float)
    return next(copies(y, tuple(map(str, range(y.shape[1])))), None) is not None


def copies(y: NDArray[np.float64], names: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Pairs of columns of ``y``, (n, k), of which the second is the first again, and how, in words. A column is named
    once."""
    named: set[int] = set()
    for i, j in combinations(range(y.shape[1]), 2):
        if j in named:
            continue
        both = np.isfinite(y[:, i]) & np.isfinite(y[:, j])
        a, b = y[both, i], y[both, j]
        if same(a, b):
            words = f"{names[j]} is the same as {names[i]}"
        elif same_order(a, b):
            words = f"{names[j]} is {names[i]} on another scale"
        else:
            continue
        named.add(j)
        yield i, j, words


def same(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two columns without gaps are the same to the last digit, where they say anything: away from the values
    that most rows have."""
    telling = _telling(a, b)
    if telling.sum() < LEAST:
        return False
    few = min(len(np.unique(a[telling])), len(np.unique(b[telling]))) < FEW_VALUES
    return bool((a[telling] == b[telling]).mean() >= (1.0 if few else SAME))


def same_order(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether one of two columns is a monotone function of the other, or as good as one."""
    telling = _telling(a, b)
    a, b = a[telling], b[telling]
    if len(a) < LEAST or min(len(np.unique(a)), len(np.unique(b))) < FEW_VALUES:
        return False
    return abs(spearman(a, b)) > 1 - EXACT


def _telling(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows where one of two columns is away from its most frequent value, where that is frequent (a tenth)."""
    away = np.zeros(len(a), np.bool_)
    for column in (a, b):
        values, times = np.unique(column, return_counts=True)
        frequent = len(values) and times.max() >= 0.1 * len(column)
        away |= (column != values[times.argmax()]) if frequent else np.True_
    return away


def mixtures(y: NDArray[np.float64], names: tuple[str, ...]) -> Iterator[tuple[str, list[str], str]]:
    """Columns of ``y``, (n, k), that are made of others: its name, theirs, and "the mean", "the sum" or "a mixture".

    By least squares on the rows that all measured, copies left out. Weights below 0 are none of a mean: of a, b and
    their mean only the mean has none.
    """
    twice = {j for _, j, _ in copies(y, names)}
    kept = [i for i in range(len(names)) if i not in twice]
    whole = y[:, kept][np.isfinite(y[:, kept]).all(axis=1)]
    if len(kept) < 3 or len(whole) < LEAST * len(kept):
        return
    scales = [whole]
    if np.abs(whole).max() < 60:  # logs may be, and their powers are finite
        scales += [np.power(base, whole) for base in (2.0, np.e, 10.0)]
    for place, i in enumerate(kept):
        for scale in scales:
            words = _mixture(scale, place)
            if words:
                others = [names[kept[j]] for j in words[1]]
                yield names[i], others, words[0]
                break


def _mixture(y: NDArray[np.float64], column: int) -> tuple[str, list[int]] | None:
    """How a column is made of others of ``y`` without gaps, and of which."""
    others = [j for j in range(y.shape[1]) if j != column]
    x, z = y[:, others] - y[:, others].mean(axis=0), y[:, column] - y[:, column].mean()
    if not z.any():
        return None
    weights = np.linalg.lstsq(x, z, rcond=None)[0]
    if (weights < -0.01).any() or ((z - x @ weights) ** 2).sum() > EXACT * (z**2).sum():
        return None
    used = np.flatnonzero(weights > 0.01)
    even = len(used) > 1 and np.ptp(weights[used]) < 0.02
    total = float(weights[used].sum())
    if even and abs(total - 1) < 0.02:
        return "the mean", [others[j] for j in used]
    if even and abs(total - len(used)) < 0.02 * len(used):
        return "the sum", [others[j] for j in used]
    return "a mixture", [others[j] for j in used]


def holds_counts(values: NDArray[np.float64]) -> bool:
    """Whether values, without NaN, are counts: whole, from 0 up, more than ``COUNTS`` different ones, and no ranks."""
    if not len(values) or values.min() < 0 or (values != np.round(values)).any():
        return False
    different = len(np.unique(values))
    ranks = different == len(values) and values.max() - values.min() == len(values) - 1
    return different > COUNTS and not ranks


def level_gap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """How far the median of ``b`` lies above that of ``a`` on the rows that both measured, in their standard deviations
    (by quartiles, where those differ); 0 where too few rows tell."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < LEAST:
        return 0.0
    a, b = a[both], b[both]
    spread = [float(np.subtract(*np.quantile(column, [0.75, 0.25])) / 1.349 or column.std()) for column in (a, b)]
    scale = np.sqrt(np.mean(np.square(spread)))
    return float((np.median(b) - np.median(a)) / scale) if scale > 0 else 0.0


def reliabilities(
    y: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Of each of three or more replicates its reliability, its mean Spearman with the others, and the mean Spearman
    among those, float64 (k,) each; None where there are fewer, or two share too few rows.

    Of one common factor: r_ij = l_i l_j, so the reliability l_i**2 is sum(r_ij r_ik) / sum(r_jk) over the pairs j, k of
    the others (Spearman 1904); below 0 for a replicate that runs against them.
    """
    k = y.shape[1]
    r = np.eye(k)
    for i, j in combinations(range(k), 2):
        both = np.isfinite(y[:, i]) & np.isfinite(y[:, j])
        r[i, j] = r[j, i] = spearman(y[both, i], y[both, j]) if both.sum() >= LEAST else np.nan
    if k < 3 or not np.isfinite(r).all():
        return None
    each, rest, mean = np.zeros(k), np.zeros(k), (r.sum(axis=1) - 1) / (k - 1)
    for i in range(k):
        pairs = list(combinations([j for j in range(k) if j != i], 2))
        among = sum(r[j, m] for j, m in pairs)
        rest[i] = among / len(pairs)
        each[i] = min(sum(r[i, j] * r[i, m] for j, m in pairs) / among, 1.0) if among > 0 else 0.0
    return np.where(mean < 0, -np.abs(each), each), mean, rest


# ---- level, width, noise ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Apart:
    """Two replicates that lie ``gap`` standard deviations apart, while a part ``missing`` of the values is missing."""

    first: int
    second: int
    gap: float
    missing: float


def apart(y: NDArray[np.float64]) -> Apart | None:
    """The two columns of ``y`` (n, k) that lie furthest apart, where that is LEVEL or more and values are missing."""
    measured = np.isfinite(y)
    some = measured.any(axis=1)
    missing = float((~measured[some]).mean()) if some.any() else 0.0
    gaps = [(gap, i, j) for i, j in combinations(range(y.shape[1]), 2) if (gap := level_gap(y[:, i], y[:, j]))]
    if not gaps or missing <= MISSING:
        return None
    gap, i, j = max(gaps, key=lambda found: abs(found[0]))
    return Apart(i, j, gap, missing) if abs(gap) >= LEVEL else None


def level_words(found: Apart, names: Sequence[str]) -> str:
    """What was found, in words."""
    return (
        f"{names[found.second]} lies {found.gap:+.1f} standard deviations from {names[found.first]} on the rows that"
        f" both measured, and {100 * found.missing:.0f} % of the values are missing"
    )


def level_tail(how: Combine) -> str:
    """What it means for a target that is made in this way."""
    if how == "mean":
        return 'a mean of those that are there says which ones are: leave out combine = "mean"'
    return f"{ONE_SCALE} (combine = {how})"


def widths(y: NDArray[np.float64]) -> Iterator[tuple[int, int, float]]:
    """Pairs of columns of ``y`` (n, k) of which the second is WIDTH times as wide as the first (quartiles, on the rows
    that both measured), or the first as the second; and how many times as wide the second is."""
    for i, j in combinations(range(y.shape[1]), 2):
        both = np.isfinite(y[:, i]) & np.isfinite(y[:, j])
        if both.sum() < LEAST:
            continue
        first, second = (float(np.subtract(*np.quantile(y[both, c], [0.75, 0.25]))) for c in (i, j))
        if min(first, second) > 0 and max(first, second) > WIDTH * min(first, second):
            yield i, j, second / first


def unshared(y: NDArray[np.float64]) -> Iterator[tuple[int, int, int]]:
    """Pairs of columns of ``y`` (n, k) that share fewer than LEAST rows, and how many."""
    measured = np.isfinite(y)
    for i, j in combinations(range(y.shape[1]), 2):
        shared = int((measured[:, i] & measured[:, j]).sum())
        if shared < LEAST:
            yield i, j, shared


def noisy(y: NDArray[np.float64]) -> Iterator[tuple[int, float, float, float]]:
    """Columns of three or more that agree with no other while those agree: which, its mean Spearman with the others,
    its reliability, and theirs."""
    # what is made of other columns agrees with them, and would make sound ones look poor
    names = tuple(map(str, range(y.shape[1])))
    made = {int(column) for column, _, _ in mixtures(y, names)} | {j for _, j, _ in copies(y, names)}
    kept = [i for i in range(y.shape[1]) if i not in made]
    found = reliabilities(y[:, kept])
    if found is None:
        return
    for i, own, signed, rest in zip(kept, *found, strict=True):
        if own < NOISE and rest >= SOUND:
            yield i, float(signed), float(own), float(rest)


def noise_lines(y: NDArray[np.float64], names: Sequence[str]) -> list[str]:
    """The same in words."""
    return [
        f"{names[i]} {'runs against' if signed < -NOISE else 'is mostly noise beside'} the others: it correlates with"
        f" them at {signed:+.2f}, and has a reliability of {max(own, 0.0):.2f} where they have {others:.2f}"
        for i, signed, own, others in noisy(y)
    ]
