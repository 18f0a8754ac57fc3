"""Columns that are not what they are listed as, found by their numbers: whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bench.audit.duplicates import leak_status
from bench.audit.finding import Finding, Subject, label
from bench.stats.ranks import spearman
from bench.tasks.duplicates import digests

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


def check_copies(subject: Subject) -> Iterator[Finding]:
    """Two columns of a target (replicates, or halves of the barcodes) that hold the same numbers."""
    for target in subject.task.targets.values():
        about, found = label(subject, target), False
        for i, j, words in copies(target.replicates, target.replicate_names):
            found = True
            yield Finding(
                "copies",
                "FAIL",
                about,
                f"{words}, which makes the noise ceiling 1: leave one of them out of replicates",
                {"column": target.replicate_names[j], "copy_of": target.replicate_names[i]},
            )
        if target.halves is not None:
            for _, _, words in copies(target.halves, ("half 1", "half 2")):
                found = True
                yield Finding("copies", "FAIL", about, f"{words} of the barcodes: name two different columns in halves")
        if not found and target.replicates.shape[1] > 1:
            yield Finding("copies", "PASS", about, "no replicate holds the numbers of another")


def check_averages(subject: Subject) -> Iterator[Finding]:
    """A replicate that is the mean, the sum or another mixture of the others, on their scale or on that of their
    powers (a mean of activities among log activities)."""
    for target in subject.task.targets.values():
        for column, others, words in mixtures(target.replicates, target.replicate_names):
            reason = f"{column} is {words} of {', '.join(others)}, which counts them twice: leave it out of replicates"
            yield Finding("averages", "FAIL", label(subject, target), reason, {"column": column})


def check_counts(subject: Subject) -> Iterator[Finding]:
    """Targets that hold whole numbers from 0 up: reads or barcodes that no one divided by the DNA."""
    for target in subject.task.targets.values():
        columns = [
            name
            for name, column in zip(target.replicate_names, target.replicates.T, strict=True)
            if holds_counts(column[np.isfinite(column)])
        ]
        if columns:
            are = "holds" if len(columns) == 1 else "hold"
            yield Finding(
                "counts",
                "FAIL",
                label(subject, target),
                f"{', '.join(columns)} {are} whole numbers from 0 up: counts, which follow the library's DNA. Give"
                " rna = [...] and dna = [...] in place of replicates, or the activity",
                {"columns": len(columns)},
            )


def check_levels(subject: Subject) -> Iterator[Finding]:
    """Replicates that lie apart while values are missing, so that a mean over the measured ones follows which were."""
    for target in subject.task.targets.values():
        names, y = target.replicate_names, target.replicates
        measured = np.isfinite(y)
        some = measured.any(axis=1)
        missing = float((~measured[some]).mean()) if some.any() else 0.0
        gaps = [(gap, i, j) for i, j in combinations(range(len(names)), 2) if (gap := level_gap(y[:, i], y[:, j]))]
        if not gaps or missing <= MISSING:
            continue
        gap, i, j = max(gaps, key=lambda found: abs(found[0]))
        if abs(gap) >= LEVEL:
            yield Finding(
                "levels",
                "FAIL",
                label(subject, target),
                f"{names[j]} lies {gap:+.1f} standard deviations from {names[i]} on the rows that both measured, and"
                f" {missing:.0%} of the values are missing: a mean of those that are there says which ones are. Put the"
                " replicates on one scale, or leave out rows that lack one",
                {"gap": gap, "missing": missing},
            )


def check_noise(subject: Subject) -> Iterator[Finding]:
    """One replicate of three or more that agrees with no other, or runs against them, while the others agree."""
    for target in subject.task.targets.values():
        found = reliabilities(target.replicates)
        if found is None:
            continue
        each, signed, rest = found
        for i, name in enumerate(target.replicate_names):
            others = float(rest[i])
            if each[i] >= NOISE or others < SOUND:
                continue
            how = "runs against" if signed[i] < -NOISE else "is mostly noise beside"
            yield Finding(
                "noise",
                "FAIL",
                label(subject, target),
                f"{name} {how} the others: it correlates with them at {signed[i]:+.2f}, and has a reliability of"
                f" {max(each[i], 0.0):.2f} where they have {others:.2f}. Leave it out, or find out what it measured",
                {"reliability": float(each[i]), "others": others},
            )


def check_rows(subject: Subject) -> Iterator[Finding]:
    """Rows that repeat another's bases and values: an element exported twice."""
    task = subject.task
    again, n = repeated_rows(subject), len(task)
    status = leak_status(again, n)
    if again and status == "PASS":
        status = "WARN"
    tail = ": keep one of each, or every one counts as evidence of its own" if again else ""
    reason = f"{again:,} of {n:,} rows repeat another row's bases and measured values to the last digit{tail}"
    yield Finding("rows", status, "", reason, {"repeated": again, "rows": n})


#: The checks of this file, in the order they are shown. None takes more than a moment.
CHECKS = (check_copies, check_averages, check_counts, check_levels, check_noise, check_rows)


# ---- what the numbers say --------------------------------------------------------------------------------------------
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


def repeated_rows(subject: Subject) -> int:
    """Rows whose bases and values are those of a row above. Values that many rows share (zeros) tell nothing: such rows
    are left out."""
    task = subject.task
    values = np.column_stack([target.replicates for target in task.targets.values()])
    telling = np.zeros(len(task), np.bool_)
    for column in values.T:
        known = np.isfinite(column)
        kinds, code, times = np.unique(column[known], return_inverse=True, return_counts=True)
        if len(kinds) >= FEW_VALUES:
            telling[known] |= times[code] < max(0.01 * known.sum(), LEAST)
    rows = np.flatnonzero(telling)
    forward, _ = digests(task.sequences.take(rows))
    key = np.column_stack([forward, np.where(np.isfinite(values[rows]), values[rows] + 0.0, 0.0).view(np.int64)])
    return len(rows) - len(np.unique(key, axis=0))
