"""What ``summary.json`` holds of pairs of rows (``bench.board.pairs``)."""

from __future__ import annotations

from pydantic import Field

from bench.board.figure import Estimate, Number
from bench.store.record import Stored


class PairRowSummary(Stored):
    """One row of a board on the differences of pairs. spearman : predicted against measured, mean over folds.
    of_ceiling : over the noise ceiling of differences. sign : fraction of the differences beyond noise whose sign it
    predicts. reason : why there are no figures."""

    name: str
    spearman: Estimate | None = None
    of_ceiling: Estimate | None = None
    sign: Estimate | None = None
    reason: str = ""


class PairSetSummary(Stored):
    """Figures of some pairs.

    pairs, loci : how many. ceiling : noise ceiling of their differences; ``reason`` says why there is none.
    replicate_rho : mean Spearman between two replicates of the differences. rho_gc : of the difference with that of GC.
    clear : differences beyond noise, on which signs are judged; None without two replicates. commoner : fraction of
    them that have the commoner sign. left_out : why there are no rows.
    """

    pairs: int
    loci: int
    ceiling: Estimate | None = None
    reason: str | None = None
    replicate_rho: Number = None
    rho_gc: Estimate | None = None
    clear: int | None = None
    commoner: Number = None
    rows: list[PairRowSummary] = Field(default_factory=list)
    left_out: str = ""


class PairsSummary(Stored):
    """Pairs of one kind, such as ``wild type/mutant``: all of them, and those of equal GC content alone.

    split : pairs whose rows are tested in two folds. untested : those of which a row is no test row, or was not
    measured. Neither has figures.
    """

    kind: str
    split: int = 0
    untested: int = 0
    all: PairSetSummary
    neutral: PairSetSummary
