"""Every figure of one target of a task: scores with intervals, noise ceiling, GC's share, what is beyond GC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench.stats import ceilings
from bench.stats.beyond import beyond_gc
from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.compare import effective_n
from bench.stats.correlations import Correlations, DrawnCorrelations
from bench.stats.gc_share import ShareFigures, share_figures
from bench.stats.intervals import FEW_LOCI, Estimate, t_interval
from bench.stats.library import Bound, LibraryKind, LibraryTest, dropout_columns, lower_bound
from bench.stats.noise_ceiling import NoiseCeiling, noise_ceiling
from bench.stats.observations import ROLES, HeldOut, Learners, Observations, Role, held_out
from bench.stats.pooled import prediction_places_each
from bench.stats.ranks import (
    Array,
    fold_rows,
    fold_scores,
    fold_scores_of,
    mid_ranks,
    pearson_each,
    places,
    places_each,
    tied_fraction,
)
from bench.stats.rows import GIVEN_GC, OF_GC, PREDICTED, RANK, Choice, RowFigures, Scores, row_figures
from bench.stats.share import choose_per_fold

NAN = float("nan")
#: A chromosome with this part of the rows' weight is named: all of 400 boards of 80/15/5 %, none of equal ones.
DOMINATES = 0.5


@dataclass(frozen=True)
class Confounder:
    """A covariate of the rows: Spearman with y and with GC."""

    name: str
    with_y: Estimate
    with_gc: Estimate


@dataclass(frozen=True)
class TargetFigures:
    """All figures of one target of a task, on its held-out rows.

    rows, loci, folds : counts. effective_rows : n/(1 + (m − 1)·ICC). tied : mean tied fraction of the replicates.
    ceiling : noise ceiling of the combined target, None ("n/a") for ``no_ceiling``; ceiling_best : √ρk with its
        interval. ceiling_given_dna : by the replicate correlation given log DNA (equal replicates), None without.
    at_least : why shares are lower bounds (``library.lower_bound``).
    gc_with_y : Spearman of GC with y. choices : who was chosen, fold by fold, with figures as of a learner.
    shares : "gc" and "windows" → GC's share by that choice, against the best learner.
    learners : the rows of the board, in the order given. confounders : in the order given.
    library : why the share may be the library's, everything that was tested.
    largest_locus : part of the rows of the largest locus; capped : it counts for less. chromosome : name and part of
        the rows of one that has half or more.
    draws : bootstrap draws behind the intervals.
    """

    rows: int
    loci: int
    folds: int
    effective_rows: float
    tied: float
    ceiling: ceilings.Ceiling | None
    no_ceiling: str | None
    ceiling_best: Estimate
    ceiling_given_dna: ceilings.Ceiling | None
    at_least: tuple[Bound, ...]
    gc_with_y: Estimate
    choices: Mapping[Role, Choice]
    shares: Mapping[Role, ShareFigures]
    learners: tuple[RowFigures, ...]
    confounders: tuple[Confounder, ...]
    library: tuple[LibraryTest, ...]
    largest_locus: float
    capped: bool
    chromosome: tuple[str, float] | None
    draws: int

    @property
    def share(self) -> ShareFigures | None:
        """GC's share; None without a GC-only learner."""
        return self.shares.get("gc")

    @property
    def few_loci(self) -> bool:
        """Whether there are too few loci for letters, verdicts and sentences."""
        return self.loci < FEW_LOCI

    def chosen(self, role: Role) -> str | None:
        """The name that was chosen in most folds; None where there was none to choose."""
        return self.choices[role].name if role in self.choices else None

    def of(self, name: str | None) -> RowFigures | None:
        """The figures of a learner by its name; None where there is none."""
        return next((row for row in self.learners if row.name == name), None)


def target_figures(
    observations: Observations, learners: Learners, *, draws: Draws | None = None, seed: int = 0
) -> TargetFigures:
    """All figures of one target of a task.

    Parameters
    ----------
    observations, learners : rows, and predictions of them.
    draws : bootstrap multiplicities; 2,000 over the loci of the rows used without it, seeded with ``seed``.

    Raises
    ------
    ValueError : arrays of unlike length; no row that is measured and held out; a prediction that is not finite on one.
    """
    own = held_out(observations, learners, draws, seed)
    choices = _choices(own, learners)
    # what was chosen in different folds is one more learner
    held = replace(own, runs=own.runs | {c.key: _composite(own, c) for c in choices.values() if c.key not in own.runs})
    scores = _scores(held)
    library = _library_columns(held)
    found = _correlations(held, learners, choices, library)
    at_least = tuple(lower_bound(held.replicates, held.dna, held.blocks))
    ceiling, no_ceiling, ceiling_best, ceiling_drawn = _ceiling(held, found, choices, at_least)
    rows = row_figures(held, scores, found, ceiling_best.value, ceiling_drawn, choices.get("gc"))
    by_key = {row.name: row for row in rows}
    chromosome = _dominating(held)
    return TargetFigures(
        rows=len(held.y),
        loci=held.blocks,
        folds=len(held.labels),
        effective_rows=effective_n(mid_ranks(held.y), held.locus),
        tied=_tied(held),
        ceiling=ceiling,
        no_ceiling=no_ceiling,
        ceiling_best=ceiling_best,
        ceiling_given_dna=_ceiling_given_dna(held) if ceiling is not None else None,
        at_least=at_least,
        gc_with_y=t_interval(*found.means(("GC with y",)), held.blocks),
        choices={role: replace(choice, figures=by_key[choice.key]) for role, choice in choices.items()},
        shares={
            role: share_figures(held, found, choices[role], choices.get("best"), at_least, by_key[choices[role].key])
            for role in ("gc", "windows")
            if role in choices
        },
        learners=tuple(by_key[name] for name in own.runs),
        confounders=tuple(
            Confounder(
                name,
                with_y=t_interval(*found.means(("confounder with y", name)), held.blocks),
                with_gc=t_interval(*found.means(("confounder with GC", name)), held.blocks),
            )
            for name in held.confounders
        ),
        library=tuple(
            LibraryTest(kind, name, t_interval(*found.means(("library", kind, name)), held.blocks))
            for kind, name in library
        ),
        largest_locus=float(np.bincount(held.codes).max() / len(held.codes)),
        capped=bool((held.weights < 1).any()),
        chromosome=chromosome,
        draws=held.draws.count,
    )


def _tied(held: HeldOut) -> float:
    """Mean tied fraction of the replicates. Sums of two ranks are often equal, which says nothing of what was
    measured."""
    columns = list(held.replicates.T) if held.replicates.shape[1] else [held.y]
    return float(np.mean([tied_fraction(column) for column in columns]))


def _dominating(held: HeldOut) -> tuple[str, float] | None:
    if held.groups is None or len(held.chromosomes) < 2:
        return None
    part = np.bincount(held.groups[held.codes], held.weights) / held.weights.sum()
    largest = int(part.argmax())
    return (held.chromosomes[largest], float(part[largest])) if part[largest] >= DOMINATES else None


# ---- scores and choices ----------------------------------------------------------------------------------------------
def _scores(held: HeldOut) -> Scores:
    matrix = held.matrix
    found = fold_scores_of(held.y, matrix, held.fold)
    owners = np.array(held.owners)
    replicates = held.replicates
    with np.errstate(invalid="ignore"):
        measured = np.isfinite(replicates)
        y = np.where(measured, replicates, 0).sum(axis=1) / measured.sum(axis=1) if replicates.shape[1] else held.y
    folds = fold_rows(held.fold, len(y))
    r = np.mean([np.nan_to_num(pearson_each(y[rows], matrix[rows])) for rows in folds], axis=0)
    mean = held.over_seeds(np.array([score.mean for score in found]))
    return Scores(
        by_fold=held.over_seeds(np.array([score.by_fold for score in found]).T).T,
        mean=mean,
        undefined=np.array([max(found[i].undefined for i in np.flatnonzero(owners == name)) for name in held.runs]),
        pearson=np.where(np.isfinite(mean), held.over_seeds(r), NAN),
        drawn=np.asfortranarray(held.over_seeds(spearman_draws(held.y, matrix, held.codes, held.draws, held.fold))),
    )


def _choices(held: HeldOut, learners: Learners) -> dict[Role, Choice]:
    """Who is chosen in every fold, by that fold's validation rows."""
    labels = held.labels
    if learners.validation is None:
        table = {name: _by_other_folds(held, name) for name in learners.names}
    else:
        table = {name: _by_label(learners.validation.get(name, NAN), labels) for name in learners.names}
    found: dict[Role, Choice] = {}
    for role in ROLES:
        names = choose_per_fold(learners.of(role), table, len(labels))
        if names is not None:
            usual = Counter(names).most_common(1)[0][0]
            key = names[0] if len(set(names)) == 1 else f"{role}, chosen per fold"
            found[role] = Choice(usual, tuple(names), key)
    return found


def _by_label(scores: object, labels: list[int]) -> Array:
    """Validation scores of the folds that are there, from those of all folds, or one for all."""
    known = np.asarray(scores, float).reshape(-1)
    return known[labels] if len(known) > max(labels) and len(known) > 1 else np.broadcast_to(known, len(labels))


def _by_other_folds(held: HeldOut, name: str) -> Array:
    """For each fold the mean test score of the other folds; its own where there is one fold."""
    by_fold = np.mean([fold_scores(held.y, run, held.fold).by_fold for run in held.runs[name].T], axis=0)
    if len(by_fold) == 1 or not np.isfinite(by_fold).all():
        return np.full(len(by_fold), np.nanmean(by_fold) if np.isfinite(by_fold).any() else NAN)
    others: Array = (by_fold.sum() - by_fold) / (len(by_fold) - 1)
    return others


def _composite(held: HeldOut, choice: Choice) -> Array:
    """The chosen predictions (n, seeds), each in its fold; a learner with fewer seeds than another repeats them."""
    seeds = max(held.runs[name].shape[1] for name in choice.by_fold)
    found = np.full((len(held.y), seeds), NAN)
    for label, name in zip(held.labels, choice.by_fold, strict=True):
        rows = held.fold == label
        run = held.runs[name]
        found[rows] = run[rows][:, np.arange(seeds) % run.shape[1]]
    return found


# ---- correlations ----------------------------------------------------------------------------------------------------
def _library_columns(held: HeldOut) -> dict[tuple[LibraryKind, str], tuple[str, str] | Array]:
    """What is tested against GC: (kind, name) → a confounder's place in the table, or a column (n,)."""
    found: dict[tuple[LibraryKind, str], tuple[str, str] | Array] = {}
    for name, kind in held.library.items():
        if name in held.confounders:
            found[kind, name] = (RANK, f"covariate {name}")
    for kind, column in dropout_columns(held.replicates).items():
        found[kind, ""] = column
    if held.control is not None and held.control.sum() >= 20:
        found["controls", ""] = np.where(held.control, held.y, NAN)
    return found


def _correlations(
    held: HeldOut,
    learners: Learners,
    choices: Mapping[Role, Choice],
    library: Mapping[tuple[LibraryKind, str], tuple[str, str] | Array],
) -> DrawnCorrelations:
    """Every correlation that a figure needs, drawn in one pass."""
    weights, k = held.weights, held.replicates.shape[1]
    owners = held.owners
    ranked = prediction_places_each(held.matrix, held.fold, held.codes, weights)
    within = _places_in_folds(held.matrix, held.fold)
    chosen = [choices["gc"].key] if "gc" in choices else []
    gc_only = np.array([owner in {*learners.gc_only, *chosen} for owner in owners])
    left = beyond_gc(within, held.gc, held.codes, held.fold, gc_only)
    by_gc = prediction_places_each(within - left, held.fold, held.codes, weights)
    table = Correlations()
    table.add(RANK, ["GC"], places(held.gc, weights)[:, None])
    table.add(RANK, ["y"], places(held.y, weights)[:, None])
    if k:
        table.add(RANK, ["replicates"] * k, places_each(held.replicates, weights))
    for scale, columns in ((PREDICTED, ranked), (GIVEN_GC, left), (OF_GC, by_gc)):
        table.add(scale, owners, columns)
    for name, column in held.confounders.items():
        table.add(RANK, [f"covariate {name}"], places(column, weights)[:, None])

    table.within(("replicates",), (RANK, "replicates"))
    table.between(("GC with y",), (RANK, "GC"), (RANK, "y"))
    for name in held.runs:
        if k:
            table.between(("with replicates", name), (PREDICTED, name), (RANK, "replicates"))
        table.between(("with y", name), (PREDICTED, name), (RANK, "y"))
        table.between(("given GC", name), (GIVEN_GC, name), (RANK, "y"))
        table.between(("by GC", name), (OF_GC, name), (RANK, "y"))
        table.between(("with GC", name), (PREDICTED, name), (RANK, "GC"))
    for name in held.confounders:
        for side in ("y", "GC"):
            table.between((f"confounder with {side}", name), (RANK, f"covariate {name}"), (RANK, side))
    for (kind, name), place in library.items():
        if not isinstance(place, tuple):
            table.add("library", [kind], places(place, weights)[:, None])
            place = ("library", kind)
        table.between(("library", kind, name), place, (RANK, "GC"))
    if "best" in choices:
        for key in {choices[role].key for role in ("gc", "windows") if role in choices}:
            table.between(("G with D", key), (PREDICTED, key), (PREDICTED, choices["best"].key))
    return table.draw(held.codes, held.draws, held.fold, weights, held.groups)


def _places_in_folds(columns: Array, fold: Array) -> Array:
    found = np.full(columns.shape, NAN)
    for rows in fold_rows(fold, len(columns)):
        found[rows] = places_each(columns[rows])
    return found


# ---- ceiling ---------------------------------------------------------------------------------------------------------
def _ceiling(
    held: HeldOut, found: DrawnCorrelations, choices: Mapping[Role, Choice], at_least: tuple[Bound, ...]
) -> NoiseCeiling:
    """The noise ceiling of the board's rows."""
    between = found.means(("replicates",)) if held.replicates.shape[1] > 1 else (NAN, np.full(held.draws.count, NAN))
    chosen = choices.get("best") or choices.get("gc")
    return noise_ceiling(
        held.replicates,
        held.combined,
        held.fold,
        between,
        None if chosen is None else held.runs[chosen.key],
        held.blocks,
        copied=held.copied,
        at_least=at_least,
        raw=held.raw,
    )


def _ceiling_given_dna(held: HeldOut) -> ceilings.Ceiling | None:
    if held.dna is None:
        return None
    log_dna = np.log(np.where(held.dna > 0, held.dna, NAN))
    return ceilings.ceiling_given_dna(held.replicates, log_dna, held.fold)
