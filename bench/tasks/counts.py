"""From counts to activities: one formula, wherever the counts come from.

Per library (a column of counts) normalised = (count + 1) / (total + rows) * 1e6, over the rows where both RNA and DNA
of a replicate are known; activity = log2 of normalised RNA over normalised DNA.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.tasks.columns import Columns
from bench.tasks.spec import BarcodesSpec, TargetSpec, TaskSpec

#: The covariate that holds the abundance of the DNA, which the baselines and the ceilings know by this name.
DNA = "dna_count"
#: What the column of summed DNA counts is called, where there are several; no table has such a name.
_SUMMED = "dna_count (sum of {})"
#: What the card says.
FORMULA = "Activity is log2 of RNA over DNA, each (count + 1) / (total + rows) of its library."
BARCODES = {
    "sum": "Counts of an element's barcodes are summed.",
    "ratios": "Activity is the mean of the log2 ratios of an element's barcodes.",
}


def activities(table: Columns, target: TargetSpec) -> NDArray[np.float64]:
    """Activities of a target that is given as counts, float64 (n, replicates); NaN where RNA or DNA is missing."""
    dna = target.dna * (len(target.rna) if len(target.dna) == 1 else 1)
    return np.column_stack(
        [log_ratio(whole(table, rna), whole(table, dna)) for rna, dna in zip(target.rna, dna, strict=True)]
    )


def log_ratio(rna: NDArray[np.float64], dna: NDArray[np.float64]) -> NDArray[np.float64]:
    """log2 of normalised RNA over normalised DNA, float64 (n,), of counts, float64 (n,), NaN where missing."""
    both = np.isfinite(rna) & np.isfinite(dna)
    out = np.full(len(rna), np.nan)
    if both.any():
        out[both] = np.log2(_normalised(rna[both]) / _normalised(dna[both]))
    return out


def _normalised(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return (counts + 1) / (counts.sum() + len(counts)) * 1e6


def whole(table: Columns, column: str) -> NDArray[np.float64]:
    """A column of raw counts, float64 (n,), NaN where missing; negative values and fractions are errors."""
    values = table.counts(column)
    short = table.rounded(column)
    table.refuse(
        np.isfinite(values) & (values % 1 != 0),
        column,
        "a whole number, a raw count",
        values,
        "Counts that are normalised already make no counts: name the column of their log ratio under replicates.",
    )
    return np.where((values >= 0) & (values % 1 == 0) & ~short, values, np.nan)  # what is refused reads as missing


def with_dna(spec: TaskSpec, table: Columns) -> tuple[TaskSpec, Columns]:
    """A task with counts of DNA and no covariate of that name gets one: their sum over libraries, NaN where all are
    missing. The card says how counts become activities."""
    counted = [target for target in spec.targets.values() if target.rna]
    if not counted:
        return spec, table
    spec = spec.model_copy(update={"note": " ".join(filter(None, [spec.note, FORMULA]))})
    if DNA in spec.columns.covariates:
        return spec, table
    libraries = list(dict.fromkeys(column for target in counted for column in target.dna))
    name = libraries[0]
    if len(libraries) > 1:
        name = _SUMMED.format(", ".join(libraries))
        counts = np.column_stack([whole(table, column) for column in libraries])
        known = np.isfinite(counts)
        total = np.where(known.any(axis=1), np.where(known, counts, 0).sum(axis=1), np.nan)
        everywhere = np.full(len(table.frame), np.nan)
        everywhere[table.rows] = total
        table = table.with_column(name, everywhere)
    columns = spec.columns.model_copy(update={"covariates": {**spec.columns.covariates, DNA: name}})
    return spec.model_copy(update={"columns": columns}), table


# ---- barcodes --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Elements:
    """What the barcodes of one replicate say of their elements, in order of ``np.unique``.

    element : str (m,). dna : summed counts, float64 (m,). activity : float64 (m,). barcodes : int64 (m,).
    outliers : barcodes left out.
    """

    element: NDArray[np.object_]
    dna: NDArray[np.float64]
    activity: NDArray[np.float64]
    barcodes: NDArray[np.int64]
    outliers: int


def of_barcodes(
    element: NDArray[np.object_], rna: NDArray[np.float64], dna: NDArray[np.float64], how: BarcodesSpec
) -> Elements:
    """Elements of the barcodes of one replicate, of which each has both counts.

    Parameters
    ----------
    element : of every barcode, str (n,). rna, dna : its counts, float64 (n,).
    """
    names, codes = np.unique(element, return_inverse=True)
    outlier = np.zeros(len(codes), np.bool_)
    if how.outliers is not None:
        outlier = _distance(codes, rna) > how.outliers
        names, codes = np.unique(element[~outlier], return_inverse=True)
        rna, dna = rna[~outlier], dna[~outlier]
    barcodes = np.bincount(codes, minlength=len(names))
    rna_sum, dna_sum = (np.bincount(codes, counts, len(names)).astype(np.float64) for counts in (rna, dna))
    if how.combine == "ratios":
        activity = np.bincount(codes, log_ratio(rna, dna), minlength=len(names)) / np.maximum(barcodes, 1)
    else:
        activity = log_ratio(rna_sum, dna_sum)
    return Elements(names, dna_sum, activity, barcodes, int(outlier.sum()))


def _distance(codes: NDArray[np.int64], rna: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of a barcode's RNA count from the mean of its element's, in their standard deviations; 0 for an element
    whose barcodes do not differ. float64 (n,)."""
    n = np.bincount(codes)
    mean = np.bincount(codes, rna) / np.maximum(n, 1)
    off = rna - mean[codes]
    spread = np.sqrt(np.bincount(codes, off**2) / np.maximum(n - 1, 1))[codes]
    return np.divide(np.abs(off), spread, out=np.zeros(len(rna)), where=spread > 0)
