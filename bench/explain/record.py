"""What an explanation is, as it is kept next to its result: ``explain.json``."""

from __future__ import annotations

from bench.board.figure import Estimate, Known, Number
from bench.store.companions import Companion
from bench.store.record import Record, Stored
from bench.store.result import safe_name


class Rung(Stored):
    """A rung of the ladder: ``name`` of what is added to all below, ``columns`` of it, ``r2`` of the predictions by all
    so far, ``more`` : by how much that is above the rung below."""

    name: str
    columns: int
    r2: Estimate
    more: Estimate


class Ladder(Stored):
    """Surrogates of a model's predictions. ``rows`` of test rows, in ``loci``, that they were fitted and judged on."""

    rows: int
    loci: int
    folds: int
    rungs: list[Rung]


class GCExchange(Stored):
    """What GC does to the backgrounds that sites are planted into: effect of one percentage point (``per_point``), and
    the predictions where all of it is moved by so many ``points``, less their mean (``curve``)."""

    per_point: Estimate
    points: list[float]
    curve: list[Estimate]


class Family(Stored):
    """A motif that the model answers to, and those that are alike.

    Attributes
    ----------
    motif : ID and name of the one that did the most. family : of its factor, as the database has it. others : alike.
    site : as it was planted; N left the background's base.
    effect : of one site over its shuffle, in standard deviations of the model's predictions.
    dose : of 1, 2, ... sites. position : by region, from the 5' end.
    gc_points : percentage points of GC that one site is worth; None where GC does nothing for sure.
    """

    motif: str
    family: str
    others: list[str]
    site: str
    effect: Estimate
    dose: list[Estimate]
    position: list[Estimate]
    gc_points: Number = None


class Spacing(Stored):
    """Effect of two sites beyond the sum of both, by the bases between them."""

    first: str
    second: str
    distances: list[int]
    beyond: list[Estimate]


class PlantedMotifs(Stored):
    """``motifs`` screened in ``backgrounds`` shuffled rows, of which ``tested`` again in ``again`` others.
    ``too_long`` : motifs that are no site in rows this short. ``families`` : those with an effect for sure, the
    strongest first."""

    motifs: int
    too_long: int
    backgrounds: int
    again: int
    tested: int
    exchange: GCExchange
    families: list[Family]
    pairs: list[Spacing]


class Band(Stored):
    """Periods of a model's contributions: ``share`` of a row's power at them, of ``shuffled`` rows too, and by how much
    it is ``more``; ``found`` where that is above 0 for sure."""

    name: str
    share: Estimate
    shuffled: Estimate
    more: Estimate
    found: bool


class Mutated(Stored):
    """``rows`` of which every base was changed to every other. ``composition`` : share of their maps that is each
    base's mean effect wherever it stands. ``bands`` : against ``shuffled`` of the rows, dinucleotide-shuffled.
    The maps are in attributions.npz, what each row's own base does in attributions.bedgraph."""

    rows: int
    shuffled: int
    composition: Estimate
    bands: list[Band]


class TreeColumn(Stored):
    """What boosted trees make of a motif, or of a column: mean ``size`` of its contributions to test rows (both columns
    of a motif together), and their mean where they are ``strongest``, in a tenth of the rows."""

    name: str
    size: Known
    strongest: Known


class Trees(Stored):
    """TreeSHAP of boosted trees on ``rows`` test rows, ``names`` (motifs or columns) in all, the largest first.
    ``off`` : largest difference between a row's contributions with the level and its prediction, in standard deviations
    of predictions."""

    rows: int
    names: int
    off: Known
    columns: list[TreeColumn]


class Gradients(Stored):
    """Gradients of a network on ``rows`` rows.

    Attributes
    ----------
    incomplete : of integrated gradients, |sum − (prediction − prediction at the reference)| over the mean size of that
        difference, its mean over rows. complete : share of rows where it is 5 % at most.
    integrated, times_input : Pearson correlation with what changing bases says, mean over rows.
    """

    rows: int
    incomplete: Estimate
    complete: Known
    integrated: Estimate
    times_input: Estimate


class Match(Stored):
    """The motif of the database that is nearest to a filter's by Tomtom, with the false discovery rate over all filters
    and motifs."""

    motif: str
    family: str
    p: Known
    q: Known


class Filter(Stored):
    """A filter of a network's first convolution.

    Attributes
    ----------
    network, number : which, from 0. windows : of its motif. shares : frequencies of A C G T at every position.
    bits : of information in all. match : None above a false discovery rate of 5 %. cluster : of motifs alike.
    influence : variance of the change of the network's predictions where the filter stands at its mean, over the
        variance of the predictions. loss : of test Spearman.
    gc_index : R² of its response to random windows on their GC. by_gc : R² of its mean response to test rows on theirs.
    shuffled : correlation of the mean responses to rows and to their dinucleotide shuffles.
    counter : whether it counts GC.
    """

    network: int
    number: int
    windows: int
    shares: list[list[float]]
    bits: Known
    match: Match | None
    cluster: int
    influence: Known
    loss: Known
    gc_index: Known
    by_gc: Known
    shuffled: Known
    counter: bool


class Filters(Stored):
    """The first convolutions of ``networks`` of one fold, ``filters`` in all.

    Attributes
    ----------
    rows : test rows that windows are taken from; influence is looked at in ``influence_rows`` of them.
    read : filters whose motif can be read; ``matched`` in the database; ``clusters`` of them.
    counters : filters that count GC; ``counted`` : their share of all influence.
    by_gc : share of the networks' predictions of dinucleotide-shuffled rows that GC explains. shuffled : their
        correlation with those of the rows. counter : whether the networks count GC.
    strongest : those of the most influence whose motif can be read.
    """

    fold: int
    networks: int
    rows: int
    influence_rows: int
    filters: int
    read: int
    matched: int
    clusters: int
    counters: int
    counted: Known
    by_gc: Known
    shuffled: Known
    counter: bool
    strongest: list[Filter]


class Pattern(Stored):
    """A motif that TF-MoDISco put together from the maps. ``sites`` : windows of the rows it is made of. ``raises`` :
    whether they raise the predictions. shares : frequencies of A C G T at every position."""

    name: str
    sites: int
    raises: bool
    shares: list[list[float]]
    bits: Known
    match: Match | None


class Modisco(Stored):
    """Motifs of TF-MoDISco from the maps of ``rows`` rows, those of most sites first; ``version`` of its package."""

    rows: int
    version: str
    patterns: list[Pattern]


class Leaf(Stored):
    """A leaf of a tree: its conditions in words, the ``share`` of rows that meet them, the mean prediction there in
    standard deviations."""

    rule: list[str]
    share: Known
    mean: Known


class Rules(Stored):
    """A decision tree that predicts the model's predictions. ``r2`` : on loci that it did not see, of trees grown in
    the same way; ``leaves`` : of the tree of all ``rows``, the lowest first."""

    rows: int
    r2: Estimate
    leaves: list[Leaf]


class Explanation(Companion):
    """``explain.json``: each answer where it was asked for and can be given.

    Attributes
    ----------
    quick : fewer rows and backgrounds than usual. seconds : by question. motifs : which, in words.
    spread : standard deviation of the model's predictions of test rows within folds, the unit of effects; 0 for one
        that predicts one value.
    left_out : questions that cannot be asked of this model, each with the reason.
    """

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    seed: int
    quick: bool
    motifs: str
    spread: Known
    seconds: dict[str, float]
    left_out: dict[str, str]
    ladder: Ladder | None = None
    planted: PlantedMotifs | None = None
    mutated: Mutated | None = None
    rules: Rules | None = None
    trees: Trees | None = None
    gradients: Gradients | None = None
    filters: Filters | None = None
    modisco: Modisco | None = None


class StudyPoint(Stored):
    """A model fitted in one simulated world, and what explaining it found of what was written there.

    Attributes
    ----------
    signal : share of the variance of what is measured that sites have. world : number of the world.
    score, attainable : Spearman on test rows of the model (None for one that predicts one value) and of the truth.
    bases_auroc, bases_precision : bases of sites by what changing them does, in the rows predicted highest; precision
        among as many as there are. None without a site there.
    motifs_recall : of the motifs that were written, those found by planting; ``motifs_precision`` : of those that were
        found, those that were written, None where none was found.
    """

    signal: float
    world: int
    score: Number
    attainable: float
    bases_auroc: Number = None
    bases_precision: Number = None
    motifs_recall: float = 0.0
    motifs_precision: Number = None

    @property
    def share(self) -> float:
        """The score as a share of what is attainable; 0 for a model that predicts one value."""
        return 0.0 if self.score is None else self.score / self.attainable


class Study(Record):
    """How good a model of one pair must be before its explanation is right, on worlds made of a task's rows.

    Attributes
    ----------
    rows, test_rows : of a world. motifs : the database, in words.
    of_ceiling : the pair's own score on the task over its noise ceiling; None where there is none yet.
    """

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    quick: bool
    rows: int
    test_rows: int
    motifs: str
    points: list[StudyPoint]
    of_ceiling: Number = None

    @property
    def pair(self) -> str:
        """Featurizer and model, as on the board."""
        return f"{self.featurizer} + {self.model}"

    @property
    def file(self) -> str:
        """Name of its file, which no other study has."""
        quick = "quick" if self.quick else "full"
        return safe_name(f"{self.task} {self.target} {self.split} {self.pair} {self.motifs} {quick}") + ".json"
