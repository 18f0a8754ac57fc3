"""Figures within strata alongside the pooled one, and a warning where they disagree (Simpson)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws, Estimate, block_codes, estimate, spearman_draws
from bench.stats.ranks import Array, mean_over_folds, spearman_by_fold

#: Strata with fewer rows in every fold are left out: their figures would be noise.
STRATUM_ROWS = 50


@dataclass(frozen=True)
class Stratum:
    """Spearman of each column with y in one stratum: rows, loci, name → Estimate."""

    name: str
    rows: int
    loci: int
    scores: Mapping[str, Estimate]


@dataclass(frozen=True)
class Strata:
    """The pooled figures, those of every stratum, strata left out for want of rows, and warnings as lines for
    people."""

    pooled: Stratum
    strata: tuple[Stratum, ...]
    left_out: tuple[str, ...]
    warnings: tuple[str, ...]


def by_stratum(
    y: NDArray[Any],
    columns: Mapping[str, NDArray[Any]],
    stratum: NDArray[Any],
    fold: NDArray[Any],
    locus: NDArray[Any],
    draws: Draws | None = None,
    seed: int = 0,
) -> Strata:
    """Spearman (mean over folds of within-fold) of each column with y, in each stratum and pooled.

    Parameters
    ----------
    y : (n,). columns : name → (n,) predictions or covariates such as GC. All finite on rows with fold ≥ 0.
    stratum : (n,) labels; "" belongs to none but counts in the pooled figure. fold : int (n,). locus : (n,).
    draws : over the codes of ``locus`` where given; else 2,000 over the loci that occur.

    Warnings: a sign that differs between a stratum and the pooled figure, both intervals off 0; a pooled figure further
    from 0 than the interval of any stratum; two columns whose order differs, both paired intervals off 0. Simpson 1951.
    """
    own = {f"column {name!r}": column for name, column in columns.items()}
    same_length({"y": y, "stratum": stratum, "fold": fold, "locus": locus, **own})
    y, fold, locus, stratum = np.asarray(y, float), np.asarray(fold), np.asarray(locus), np.asarray(stratum)
    if draws is None:
        locus, blocks = block_codes(locus)
        draws = Draws(blocks, seed=seed)
    names = list(columns)
    matrix = np.column_stack([np.asarray(columns[name], float) for name in names])
    parts = [("pooled", fold >= 0)]
    left_out = []
    for label in np.unique(stratum):
        rows = (stratum == label) & (fold >= 0)
        if str(label) == "":
            continue
        sizes = np.unique(fold[rows], return_counts=True)[1]
        if len(sizes) and sizes.max() >= STRATUM_ROWS:
            parts.append((str(label), rows))
        else:
            left_out.append(str(label))
    found = []
    samples: list[Array] = []
    for label, rows in parts:
        values = mean_over_folds(
            np.array([spearman_by_fold(y[rows], column, fold[rows]) for column in matrix[rows].T]).T[None]
        )[0]
        sample = spearman_draws(y[rows], matrix[rows], locus[rows], draws, fold[rows])
        samples.append(sample)
        scores = {name: estimate(values[j], sample[:, j]) for j, name in enumerate(names)}
        found.append(Stratum(label, int(rows.sum()), len(np.unique(locus[rows])), scores))
    return Strata(found[0], tuple(found[1:]), tuple(left_out), tuple(_warnings(names, found, samples)))


def _outer(figure: Estimate, sign: float) -> float:
    """The end of an interval that lies in the direction of ``sign``, along it."""
    return sign * (figure.high if sign > 0 else figure.low)


def _warnings(names: list[str], found: list[Stratum], samples: list[Array]) -> list[str]:
    pooled, strata = found[0], found[1:]
    lines = []
    for name in names:
        whole = pooled.scores[name]
        for part in strata:
            here = part.scores[name]
            if not whole.covers_zero and not here.covers_zero and whole.value * here.value < 0:
                lines.append(f"{name}: {whole.value:+.2f} pooled but {here.value:+.2f} within {part.name}.")
        sign = np.sign(whole.value)
        if strata and all(_outer(part.scores[name], sign) < abs(whole.value) for part in strata):
            inside = ", ".join(f"{part.scores[name].value:+.2f} within {part.name}" for part in strata)
            lines.append(f"{name}: {whole.value:+.2f} pooled, more than any stratum shows ({inside}).")
    for (i, a), (j, b) in combinations(enumerate(names), 2):
        gaps = [
            estimate(part.scores[a].value - part.scores[b].value, sample[:, i] - sample[:, j])
            for part, sample in zip(found, samples, strict=True)
        ]
        for part, gap in zip(strata, gaps[1:], strict=True):
            if not gaps[0].covers_zero and not gap.covers_zero and gaps[0].value * gap.value < 0:
                first, second = (a, b) if gaps[0].value > 0 else (b, a)
                lines.append(f"{first} is ahead of {second} pooled, but behind within {part.name}.")
    return lines
