"""What ``summary.json`` holds: every number that the leaderboard shows of a task. Written and read by these classes.

A summary can be published, and rendered, without the predictions it was computed from. Its format number is raised when
a field changes its name or its meaning, and then ``bench.board.published`` gets one more step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from bench.board.binary_schema import BinarySummary
from bench.board.figure import Estimate, Known, Number
from bench.board.pairs_schema import PairsSummary
from bench.files.atomic import write_json
from bench.store.reading import SUMMARY as SUMMARY
from bench.store.record import CardRecord, Duplicates, NearDuplicates, Role, Stored, StratumRecord

#: Format of what is written here. Older ones are upgraded, newer ones refused in words.
SUMMARY_FORMAT: Final = 2


class TaskSummary(CardRecord):
    """What a reader must know of the task: its card, and the table it was computed from."""

    digest: str
    rows: int
    counts: dict[str, int]
    notes: list[str] = Field(default_factory=list)


class FailureSummary(Stored):
    """A fit that failed. ``log`` is the path of its traceback, relative to the result folder."""

    featurizer: str
    model: str
    seed: int
    reason: str
    log: str


class SkippedSummary(Stored):
    """A pair that makes no sense on the task; a featurizer that does not apply has no ``model``. With neither: a plugin
    that could not be used, named in the reason."""

    featurizer: str | None = None
    model: str | None = None
    reason: str = ""


class SizesSummary(Stored):
    """Rows of each part, one number per fold."""

    train: list[int] = Field(default_factory=list)
    valid: list[int] = Field(default_factory=list)
    test: list[int] = Field(default_factory=list)


class HalvesSummary(Stored):
    """Spearman between the halves of each row's barcodes, and the noise ceiling that follows."""

    rho: Known
    value: Known


class CeilingSummary(Stored):
    """The noise ceiling; without ``estimate``, ``reason`` says why there is none.

    estimate : highest expected Spearman of any prediction with the combined target. replicates_per_row : mean number of
    measured replicates. replicate_rho : mean Spearman between two of them. reliability : the square of the ceiling.
    given_dna : the ceiling given log DNA.
    """

    estimate: Estimate | None = None
    reason: str | None = None
    replicates: int | None = None
    replicates_per_row: Number = None
    replicate_rho: Number = None
    reliability: Number = None
    given_dna: Number = None
    halves: HalvesSummary | None = None

    @property
    def value(self) -> float | None:
        """The ceiling itself."""
        return None if self.estimate is None else self.estimate.value


class CombineSummary(Stored):
    """How the replicates became one target (``bench.stats.replicates``).

    how : rank, scale, centre or mean. weights : name of a replicate → its weight; they add up to 1.
    minimum : fewest replicates of a row that counts. findings : what the numbers of the replicates say about them
    (copies, averages of others, counts, unlike levels or widths), one line each.
    """

    how: Literal["rank", "scale", "centre", "mean"]
    weights: dict[str, Known] = Field(default_factory=dict)
    minimum: int = 1
    findings: list[str] = Field(default_factory=list)


class ConfounderSummary(Stored):
    """A covariate of the rows: Spearman with the target and with GC."""

    name: str
    with_y: Estimate | None = None
    with_gc: Estimate | None = None


class LibraryTest(Stored):
    """One way in which GC's share may be the library's: Spearman of GC with something that biology does not decide.

    kind : "DNA" (counts), "barcodes", "covariate" (a column that rows were filtered by), "floor" (rows at a replicate's
    least value), "missing" (replicates that a row lacks), "unmeasured" (rows of the table that lack all), "controls"
    (GC with the target among designed controls).
    name : of the column, for a covariate. matters : |Spearman| of .1 or more with an interval that excludes 0.
    """

    kind: Literal["DNA", "barcodes", "covariate", "floor", "missing", "unmeasured", "controls"]
    name: str = ""
    with_gc: Estimate | None = None
    matters: bool = False


class RhoSummary(Stored):
    """A correlation on the scale of the shares (ranks, pooled within folds): of the GC-only prediction with a replicate
    (``second`` None), or between two replicates."""

    first: str
    second: str | None = None
    rho: Number = None


class RangeSummary(Stored):
    """What GC may own of the explainable variance: from what is unique to it (``low``) to that and what it has in
    common with the best learner (``high``); the ends of the interval of Imbens & Manski 2004 hold a truth anywhere in
    between with 95 %. No confidence interval of either end."""

    low: Known
    high: Known
    interval_low: Number = None
    interval_high: Number = None


class ShareSummary(Stored):
    """GC's share by one GC-only prediction against the best learner, as ``bench.stats.share`` defines its parts.

    All shares are on ranks. The parts from ``unique_gc`` on are fractions of the explainable variance, and of all
    variance where ``of_explainable`` is None.

    gc, best : the learners, in the most folds (``gc_by_fold``, ``best_by_fold``: chosen for each fold on its own
        validation rows).
    of_explainable : the headline. Product form: mean over pairs of replicates of the two rho_gc's product, over the
        mean rho between replicates; with DNA held fixed where ``given_dna_shown``. None: ``reason`` says why.
    at_least : why it is a lower bound ("ties": most values are tied, as zeros are; "two modes"); empty where it is not.
    by_chromosome : the same with an interval by chromosome; ``shown_by_chromosome``: it is 1.5 times as wide, so it
        is to be shown. rho_gc, rho_replicates : what a reader needs for the product form. replicate_rho : mean of the
        latter.
    mean_form : (score / noise ceiling)², only where it differs from the product form by more than .03.
    raw : product form without DNA held fixed. given_dna : with it; ``given_dna_reason`` where it is n/a;
        ``given_dna_rows``: rows with DNA counts enough, None where all rows were taken although few have them.
    robustness : robustness value (Cinelli & Hazlett 2020): a bias of the library that takes this fraction of the
        residual variance both of GC and of activity would bring the share to 0.
    normal_scores : the share on normal scores; ``tails``: it is more than 1.3 times apart, so the tails carry it.
    smallest_detectable : the smallest share whose interval would exclude 0 with a chance of .8.
    of_learned : R²(G) over R²(G, D). of_total : squared Spearman of G with the combined target, signed.
    unique_gc, unique_best, common, shapley, best_of_explainable : parts (commonality). attributable : what GC may own.
    """

    gc: str
    best: str | None = None
    gc_by_fold: list[str] = Field(default_factory=list)
    best_by_fold: list[str] = Field(default_factory=list)
    of_explainable: Estimate | None = None
    reason: str | None = None
    at_least: list[Literal["ties", "two modes"]] = Field(default_factory=list)
    by_chromosome: Estimate | None = None
    shown_by_chromosome: bool = False
    rho_gc: list[RhoSummary] = Field(default_factory=list)
    rho_replicates: list[RhoSummary] = Field(default_factory=list)
    replicate_rho: Estimate | None = None
    mean_form: Number = None
    raw: Estimate | None = None
    given_dna: Estimate | None = None
    given_dna_reason: str | None = None
    given_dna_rows: int | None = None
    given_dna_shown: bool = False
    robustness: Number = None
    normal_scores: Number = None
    tails: bool = False
    smallest_detectable: Number = None
    of_learned: Estimate | None = None
    of_total: Estimate | None = None
    unique_gc: Estimate | None = None
    unique_best: Estimate | None = None
    common: Estimate | None = None
    shapley: Estimate | None = None
    best_of_explainable: Estimate | None = None
    attributable: RangeSummary | None = None


class ChoiceSummary(Stored):
    """What was chosen for each fold on that fold's validation rows, and how the choices score together on test rows.

    name : chosen in the most folds (the first of equals). by_fold : name of a row for every fold. score : Spearman of
    the chosen predictions, each in its fold: this, and not the score of any one row, is free of the luck of the choice.
    """

    name: str
    by_fold: list[str] = Field(default_factory=list)
    score: Estimate | None = None

    @property
    def same(self) -> bool:
        """Whether one row was chosen in all folds."""
        return len(set(self.by_fold)) <= 1


class VerdictSummary(Stored):
    """Whether the best deep model only counts GC, with the figures that the word follows from."""

    name: str
    word: str
    with_gc: Estimate | None = None
    given_gc: Estimate | None = None
    beyond_gc: Estimate | None = None
    dinucleotide_shuffled: Estimate | None = None


class HeldFixedSummary(Stored):
    """One learner under every way of holding GC fixed (``bench.stats.held_fixed``).

    ``is_control`` : the GC-only row, whose figures must be 0 (AUROC .5) where GC cannot help: what they are not is the
    misfit of the column, to be taken off the others in mind.
    """

    name: str
    unadjusted: Estimate | None = None
    given_gc: Estimate | None = None
    within_gc_bins: Estimate | None = None
    gc_matched_auroc: Estimate | None = None
    gc_matched_rows: int | None = None
    dinucleotide_shuffled: Estimate | None = None
    gc_only_null: Estimate | None = None
    is_control: bool = False


class RowSummary(Stored):
    """One row of a board: a featurizer and a model over their seeds.

    score : mean over folds and seeds of the within-fold Spearman; a fold in which it predicts one value counts 0.
    folds : by fold, such folds as 0. undefined_folds : how many they are; score is None where all are.
    spread : its standard deviation over seeds. pearson : mean within-fold Pearson r, to compare with published scores.
    of_ceiling : score / noise ceiling. explained : share of the explainable variance, product form.
    gain : score less that of the GC-only prediction, paired; gain_p : its p.
    given_gc : semi-partial Spearman given GC. with_gc : Spearman with GC. beyond_gc : fraction, 0 to 1, of what it
    explains that GC does not. dinucleotide_shuffled : score on shuffled rows.
    letter : compact letter display (Piepho 2004): rows that share a letter are not told apart; a row may have several.
    "" for all rows below 20 loci.
    valid, train : Spearman on these rows. seconds : per seed.
    """

    name: str
    featurizer: str
    model: str
    role: Role = "sequence"
    gc_only: bool = False
    deep: bool = False
    is_gc_baseline: bool = False
    seeds: list[int]
    score: Estimate | None = None
    folds: list[Number] = Field(default_factory=list)
    undefined_folds: int = 0
    spread: Number = None
    pearson: Number = None
    of_ceiling: Estimate | None = None
    explained: Estimate | None = None
    gain: Estimate | None = None
    gain_p: Number = None
    given_gc: Estimate | None = None
    with_gc: Estimate | None = None
    beyond_gc: Estimate | None = None
    dinucleotide_shuffled: Estimate | None = None
    verdict: str = ""
    letter: str = ""
    valid: Number = None
    train: Number = None
    seconds: Number = None
    device: str = ""
    n: int | None = None


class StratumSummary(Stored):
    """Figures of one level of a stratum; ``level`` is None for all rows together. range : of the covariate, in words,
    where the level is one of its quantiles.

    share : of explainable variance in its rows, by a curve of GC refitted within them; ``reason`` where it is n/a.
    """

    level: str | None = None
    range: str = ""
    n: int
    loci: int
    ceiling: Number = None
    rho_gc: Estimate | None = None
    gc: Estimate | None = None
    best: Estimate | None = None
    given_gc: Estimate | None = None
    share: Estimate | None = None
    reason: str | None = None


class HeterogeneitySummary(Stored):
    """Whether the levels of a stratum tell one story of GC with the target.

    q, p, i2 : Cochran's Q of the levels' Spearman with GC, its p, and the part of their spread that is no noise.
    within : GC's share with the stratum held fixed (curve of GC refitted in every level). opposite : a level whose
    correlation is below 0 and one where it is above, both off 0; empty where there are none. pooled_only : the pooled
    correlation lies beyond the interval of every level. marked : either of them: Simpson's case.
    """

    q: Number = None
    p: Number = None
    i2: Number = None
    within: Estimate | None = None
    opposite: list[str] = Field(default_factory=list)
    pooled_only: bool = False

    @property
    def marked(self) -> bool:
        """Whether the pooled figure tells what no level does, or levels tell opposite stories."""
        return bool(self.opposite) or self.pooled_only


class ChromosomeSummary(Stored):
    """A chromosome that holds half of the rows or more: the board's figures are that chromosome's."""

    name: str
    fraction: Known


class BoardSummary(Stored):
    """Every number of one task, target and split.

    inputs : hash of all that they follow from. own : of all of it but the draws; drawn_with : targets whose loci were
    drawn together with its own. best, best_gc, best_deep : names of rows, chosen on validation rows.
    rho_gc : Spearman of GC with the target; rho_gc_dna : with log DNA. shares_apart : of GC-only learners in windows:
    GC too. cpg_apart : share of CpG apart from GC's.
    choices : of "gc", "best", "deep" and "windows", fold by fold.
    combined : what became of the replicates. library : why the share may be the library's, everything that was tested.
    few_loci : below 20 loci: no letters, verdicts or sentences. largest_locus : fraction of the rows that the largest
    locus holds; ``locus_capped``: it counts for less. chromosome : one that holds half of the rows or more.
    strata_made : how strata were made that are no column of the table.
    heterogeneity : by stratum. A stratum that is ``marked`` puts a mark on the pooled share wherever it is shown.
    binary : of a binary target, which has no share; its other figures are of the labels as numbers.
    """

    inputs: str
    own: str = ""
    drawn_with: list[str] = Field(default_factory=list)
    target: str
    split: str
    folds_digest: str
    duplicates: Duplicates | None = None
    near: NearDuplicates | None = None
    left_out: list[str] = Field(default_factory=list)
    failed: list[FailureSummary] = Field(default_factory=list)
    folds: int = 0
    sizes: SizesSummary = SizesSummary()
    n: int | None = None
    loci: int | None = None
    effective_n: Number = None
    tied: Number = None
    draws: int | None = None
    ceiling: CeilingSummary
    rho_gc: Estimate | None = None
    rho_gc_dna: Estimate | None = None
    confounders: list[ConfounderSummary] = Field(default_factory=list)
    best: str | None = None
    best_gc: str | None = None
    best_deep: str | None = None
    choices: dict[Literal["gc", "best", "deep", "windows"], ChoiceSummary] = Field(default_factory=dict)
    combined: CombineSummary | None = None
    library: list[LibraryTest] = Field(default_factory=list)
    few_loci: bool = False
    largest_locus: Number = None
    locus_capped: bool = False
    chromosome: ChromosomeSummary | None = None
    cpg_apart: Estimate | None = None
    share: ShareSummary | None = None
    shares_apart: list[ShareSummary] = Field(default_factory=list)
    verdict: VerdictSummary | None = None
    held_fixed: list[HeldFixedSummary] = Field(default_factory=list)
    rows: list[RowSummary] = Field(default_factory=list)
    strata: dict[str, list[StratumSummary]] = Field(default_factory=dict)
    strata_made: dict[str, StratumRecord] = Field(default_factory=dict)
    heterogeneity: dict[str, HeterogeneitySummary] = Field(default_factory=dict)
    pairs: list[PairsSummary] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    binary: BinarySummary | None = None

    def row(self, name: str | None) -> RowSummary | None:
        """The row of a ``featurizer + model``."""
        return next((row for row in self.rows if row.name == name), None)


class FeaturesSummary(Stored):
    """Features made elsewhere that rows of the boards were fitted on, under the name of their featurizer.

    trained_on : what their maker was trained on, "" where nobody said. twin_of : the features whose untrained twin
    these are. gc_r2, gc_rho : how well a ridge regression, cross-fitted over groups of loci, tells the rows' GC content
    from them; None where it is one value.
    """

    name: str
    trained_on: str = ""
    twin_of: str = ""
    columns: int
    dtype: str = ""
    gc_r2: Estimate | None = None
    gc_rho: Estimate | None = None


class Summary(Stored):
    """A task's ``summary.json``. ``pictures`` maps the name of a picture to a hash of what it was drawn from."""

    format: Literal[2] = SUMMARY_FORMAT
    task: TaskSummary
    boards: list[BoardSummary]
    skipped: list[SkippedSummary] = Field(default_factory=list)
    features: list[FeaturesSummary] = Field(default_factory=list)
    pictures: dict[str, str] = Field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        write_json(path, self.model_dump())
