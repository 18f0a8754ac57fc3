"""Whether GC's share may be the library's: DNA held fixed, and what else follows GC that biology does not decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws, block_codes
from bench.stats.intervals import FEW_LOCI, LEAST_BLOCKS, NOTHING, Estimate, student
from bench.stats.partial import spline_residuals
from bench.stats.pooled import prediction_places, row_weights
from bench.stats.ranks import Array, mid_ranks, places, spearman
from bench.stats.replicates import replicate_pairs
from bench.stats.share import ProductShare, share_of_columns

#: A covariate of GC matters from here on, if its interval excludes 0: .5 % of 400 equal boards of 300 loci × 3 are then
#: warned, 6 % of 50 × 3.
MATTERS = 0.1
#: DNA counts from which a row's abundance is known (1/DNA is the squared error of its log). A library bias without any
#: biology, DNA shallow: given DNA on all rows the interval held 0 in 50 % of 30 boards, on rows with 10 counts in all.
DNA_COUNTS = 10
#: Rows with counts enough are taken alone where so many of them, of so many loci, are left.
COUNTED_ROWS, COUNTED_LOCI = 100, 2 * FEW_LOCI
#: Replicates whose least value is held by so many of their rows have a floor; so many missing ones are looked at.
FLOOR = 0.02
#: Fewest controls.
CONTROLS = 20
#: Tie mass above which the share is a lower bound: 88 and 97 % zeros are marked in all of 400 boards, ordinary counts
#: with many small ties in none (tied *rows* would mark those in all).
TIES = 0.5
#: Two modes: a valley below this part of the lower peak, this part of the rows on either side, and the kernel's width
#: over Silverman's. 150 boards each: two modes all; equal, step, hump, skewed, 100, 50 and 20 loci, domains, outliers,
#: t2 noise none.
VALLEY, SIDE, NARROWER = 0.8, 0.1, 0.8

#: Mean Spearman of two replicates from which two modes are let pass: what the forms lose to noise of unlike size is a
#: part of the noise, of which there is then a twentieth at most.
AGREE = 0.95
#: Why a share is a lower bound.
Bound = Literal["ties", "two modes"]
LibraryKind = Literal["DNA", "barcodes", "covariate", "floor", "missing", "unmeasured", "controls"]


@dataclass(frozen=True)
class LibraryTest:
    """Spearman of GC with something that biology does not decide: its kind, the column's name where it is a covariate,
    and whether it matters."""

    kind: LibraryKind
    name: str
    with_gc: Estimate

    @property
    def matters(self) -> bool:
        """At least MATTERS from 0, and the interval excludes 0."""
        return abs(self.with_gc.value) >= MATTERS and not self.with_gc.covers_zero


def robust_correlation(x: NDArray[Any], y: NDArray[Any], blocks: NDArray[Any]) -> Estimate:
    """Spearman of two columns (n,) with an interval that lets rows of one block depend on each other: the standard
    error of the sums of influence by block (Liang & Zeger 1986), and Student's t. One pass, for any number of rows;
    NaN where a column is constant, and without two rows."""
    if len(x) < 2:
        return NOTHING
    a, b = (rank - rank.mean() for rank in (mid_ranks(np.asarray(x, float)), mid_ranks(np.asarray(y, float))))
    if not a.any() or not b.any():
        return NOTHING
    a, b = a / a.std(), b / b.std()
    r = float(np.mean(a * b))
    influence = a * b - r / 2 * (a * a + b * b)
    codes, count = block_codes(blocks)
    error = float(np.sqrt((np.bincount(codes, influence) ** 2).sum()) / len(a))
    far = student(0.975, count - 1) * error
    return Estimate(r, max(r - far, -1.0), min(r + far, 1.0)) if count >= LEAST_BLOCKS else Estimate(r)


def dropout_columns(replicates: Array) -> dict[LibraryKind, Array]:
    """Columns (n,) that say how many of a row's replicates are missing, and at their floor; only where some are."""
    found: dict[LibraryKind, Array] = {}
    if not replicates.shape[1]:
        return found
    missing = np.isnan(replicates)
    if missing.mean() > FLOOR and np.ptp(missing.mean(axis=1)) > 0:
        found["missing"] = missing.mean(axis=1)
    with np.errstate(invalid="ignore"):
        floor = (replicates == np.nanmin(replicates, axis=0)).astype(float)
    # the lower of two values is a class, not a floor
    floor = floor[:, [len(np.unique(column[np.isfinite(column)])) > 2 for column in replicates.T]]
    if not floor.shape[1]:
        return found
    if (floor.mean(axis=0) > FLOOR).any():
        found["floor"] = floor.mean(axis=1)
    return found


@dataclass(frozen=True, eq=False)
class ShareGiven:
    """A share with DNA held fixed. rows : how many had counts enough and were taken alone; None where all were taken
    although few had."""

    share: ProductShare
    rows: int | None


def share_given(
    prediction: Array,
    replicates: Array,
    dna: NDArray[Any],
    locus: NDArray[Any],
    fold: NDArray[Any],
    draws: Draws,
    groups: NDArray[Any] | None = None,
    *,
    all_rows: bool = False,
) -> ShareGiven:
    """The share of what is explainable given DNA that a prediction explains.

    Ranks of prediction and replicates less cross-fitted splines of log DNA, then the product form (partial: with a
    library bias and a biology of .283 it reads .240; semi-partial, which leaves the library's variance in the
    denominator, .196). It covers what the library does to abundance; a bias of the DNA *count* cannot be taken out.

    Parameters
    ----------
    prediction : (n, seeds). replicates : (n, k), NaN where unmeasured. dna : (n,), counts; rows without are left out.
    all_rows : also those with fewer than DNA_COUNTS counts.
    """
    known = np.isfinite(dna)
    counted = known & (dna >= DNA_COUNTS)
    enough = counted.sum() >= COUNTED_ROWS and len(np.unique(locus[counted])) >= COUNTED_LOCI
    kept = counted if enough and not all_rows else known
    inside, weights = np.where(kept, fold, -1)[kept], row_weights(locus[kept])
    here = locus[kept]
    columns = [prediction_places(run, inside, here, weights) for run in prediction[kept].T]
    columns += [places(column, weights) for column in replicates[kept].T]
    residuals = spline_residuals(np.column_stack(columns), dna[kept], here, weights=weights)
    seeds = prediction.shape[1]
    share = share_of_columns(
        residuals[:, :seeds], residuals[:, seeds:], here, inside, weights=weights, draws=draws, groups=groups
    )
    return ShareGiven(share, int(kept.sum()) if enough and not all_rows else None)


# ---- where the noise is not additive ---------------------------------------------------------------------------------
def lower_bound(replicates: Array, dna: NDArray[Any] | None, loci: int) -> list[Bound]:
    """Why shares and ceilings are lower bounds: Spearman–Brown and the product form take noise to be of one size."""
    found: list[Bound] = []
    if replicates.shape[1] and lost_to_ties(replicates, dna) > TIES:
        found.append("ties")
    if replicates.shape[1] and _agreement(replicates) < AGREE and two_modes(replicates, loci):
        found.append("two modes")
    return found


def _agreement(replicates: Array) -> float:
    """Mean Spearman of two replicates (n, k) on the rows that both measured; 0 with fewer than two."""
    found = []
    for i, j in replicate_pairs(replicates.shape[1]):
        both = np.isfinite(replicates[:, i]) & np.isfinite(replicates[:, j])
        found.append(float(np.nan_to_num(spearman(replicates[both, i], replicates[both, j]))))
    return float(np.mean(found)) if found else 0.0


def tie_mass(x: NDArray[Any]) -> float:
    """Root of the chance that two measured rows are tied: .5 where half of the rows share one value, near 0 where every
    value has a few rows (small counts: many ties, little loss)."""
    x = np.asarray(x, float)
    x = x[np.isfinite(x)]
    count = np.unique(np.round(x, 9), return_counts=True)[1].astype(float)
    return float(np.sqrt((count**2).sum()) / max(len(x), 1))


def lost_to_ties(replicates: Array, dna: NDArray[Any] | None = None) -> float:
    """Mean tie mass of the replicates (n, k), or of replicate + log2(DNA + 1) where that is larger: with most counts 0
    a ratio is the DNA count below its bar, and hides the ties of the count above it."""
    found = [np.mean([tie_mass(column) for column in replicates.T])]
    if dna is not None:
        log = np.log2(np.asarray(dna, float) + 1)
        found.append(np.mean([tie_mass(np.round(column + log, 6)) for column in replicates.T]))
    return float(max(found))


def two_modes(replicates: Array, loci: int) -> bool:
    """Whether the density of the replicates' mean has two modes (VALLEY, SIDE). Gaussian kernel, Silverman's width for
    as many points as loci."""

    def robust_spread(x: Array) -> float:
        return float(np.subtract(*np.nanquantile(x, [0.75, 0.25]))) / 1.349

    spread = np.array([min(np.nanstd(column), robust_spread(column)) for column in replicates.T])
    if not (spread > 0).all():
        return False
    standard = (replicates - np.nanmedian(replicates, axis=0)) / spread
    measured = np.isfinite(standard)
    x = np.where(measured, standard, 0).sum(axis=1)[measured.any(axis=1)] / measured.sum(axis=1)[measured.any(axis=1)]
    x = np.sort(np.clip(x, *np.quantile(x, [0.01, 0.99])))
    # the standard deviation, not the quartiles: those of two modes lie in the modes
    width = 1.06 * np.std(x) * max(loci, 2) ** -0.2 * NARROWER
    if not width > 0:
        return False
    grid = np.linspace(x[0], x[-1], 120)
    density = np.array([np.exp(-0.5 * ((at - x) / width) ** 2).mean() for at in grid])
    left, right = np.maximum.accumulate(density), np.maximum.accumulate(density[::-1])[::-1]
    depth = density / np.minimum(left, right)
    lowest = int(np.argmin(depth))
    side = float(np.mean(x < grid[lowest]))
    return bool(depth[lowest] < VALLEY and SIDE <= side <= 1 - SIDE)
