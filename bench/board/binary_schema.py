"""What ``summary.json`` holds of a binary target (``bench.board.binary``)."""

from __future__ import annotations

from pydantic import Field

from bench.board.figure import Estimate, Number
from bench.store.record import Stored


class AttainableSummary(Stored):
    """The highest AUROC and average precision of any prediction of a binary target (``bench.stats.attainable``).

    auroc, ap : if labels cut a normal activity with normal noise. flips_auroc : if the truth is two classes and labels
    are turned over by chance; None where they were cut from numbers here. phi : correlation of the labels of two
    replicates. between : AUROC of one replicate's label by another's. reason : why there is none.
    """

    reason: str | None = None
    auroc: Estimate | None = None
    ap: Estimate | None = None
    flips_auroc: Number = None
    phi: Estimate | None = None
    between: Number = None


class BinaryRowSummary(Stored):
    """One row of a binary target's board: means over folds and seeds of the within-fold figure.

    gain : AUROC less that of the chosen GC-only prediction, paired. gc_matched : AUROC among rows of one bin of GC, of
    what GC does not tell (``bench.stats.binary.given_gc``); .5 is chance. of_attainable : AUROC above chance, over the
    attainable one above chance. brier, brier_null, calibration_error, slope : ``bench.stats.binary.Calibration``; None
    for predictions that are no probabilities.
    """

    auroc: Estimate | None = None
    ap: Estimate | None = None
    gain: Estimate | None = None
    gc_matched: Estimate | None = None
    of_attainable: Number = None
    brier: Number = None
    brier_null: Number = None
    calibration_error: Number = None
    slope: Number = None


class BinarySummary(Stored):
    """What a board of a binary target shows in place of Spearman's figures.

    positive : what 1 stands for, for people. cut : labels were cut from numbers. undecided : test rows whose replicates
    disagree, which count in part. folds, one_class : of the split, and those whose test rows are of one class, which
    have no score. ap_baseline : average precision of a random order. matched_rows : fewest rows in a
    bin of GC; matched_pairs : pairs of a positive and a negative of one bin. rows : by name; chosen : key of a role.
    """

    positive: str = ""
    cut: bool = False
    undecided: int = 0
    folds: int = 0
    one_class: int = 0
    prevalence: Estimate | None = None
    ap_baseline: Number = None
    attainable: AttainableSummary
    matched_rows: int
    matched_pairs: int
    rows: dict[str, BinaryRowSummary] = Field(default_factory=dict)
    chosen: dict[str, str] = Field(default_factory=dict)
