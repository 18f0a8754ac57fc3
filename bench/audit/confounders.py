"""What else than regulatory sequence moves along with a target: GC, length, DNA, barcodes, strand, stratum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.audit.finding import Finding, Status, Subject, figures_of, in_words, label
from bench.stats.intervals import Estimate
from bench.stats.ranks import mid_ranks
from bench.tasks.task import TEST, TRAIN

#: A confounder is named from this Spearman on, where its interval does not cover 0 as well. Of 200 covariates without
#: any effect (200 loci of 10 rows, ICC .5) the interval alone names 5 %, the two together .5 %. A library whose DNA
#: count follows GC at .12 gives an activity without any effect of GC a false rho(GC, y) of -.11 (docs/audit.md).
RHO_WARN = 0.10
#: A technical covariate that ranks a target this well leaves a model little else to be praised for: half of the score
#: that good models reach on such data (.4 to .6).
RHO_FAIL = 0.30
#: Covariates whose name says how much of an element there was: more noise where there is less, and no biology.
ABUNDANCE = ("dna_count", "barcodes")


def check_gc(subject: Subject) -> Iterator[Finding]:
    """Spearman of GC with every target. Never a failure: it is what the board is about."""
    for target in subject.task.targets.values():
        figure = subject.correlation(subject.gc, target.value)
        status, verdict = graded(figure, fail=np.inf)
        reason = f"rho(GC, y) {in_words(figure)}"
        reason += ": report every score next to that of GC alone" if status == "WARN" else verdict
        yield Finding("gc", status, label(subject, target), reason, figures_of(figure))


def check_covariates(subject: Subject) -> Iterator[Finding]:
    """Spearman of length, strand and every covariate with every target."""
    sequences = subject.task.sequences
    columns: dict[str, NDArray[np.float64]] = {"length": sequences.lengths.astype(np.float64)}
    columns["strand"] = sequences.reverse.astype(np.float64)
    columns |= dict(sequences.covariates)
    for name, column in columns.items():
        known = column[np.isfinite(column)]
        if not len(known) or known.min() == known.max():
            what = "strand is not given" if name == "strand" else "the same in all rows"
            yield Finding("confounder", "SKIPPED", name, what)
            continue
        for target in subject.task.targets.values():
            figure = subject.correlation(column, target.value)
            status, verdict = graded(figure, fail=RHO_FAIL)
            reason = f"rho({name}, y) {in_words(figure)}{verdict}"
            yield Finding("confounder", status, label(subject, target, name), reason, figures_of(figure))
    for name in ABUNDANCE:
        if name not in columns:
            yield Finding("confounder", "SKIPPED", name, "the task has none: its noise by abundance cannot be told")


def check_gc_and_dna(subject: Subject) -> Iterator[Finding]:
    """Spearman of GC with log DNA: where it is not 0, GC's share is partly one of the library's or of sequencing."""
    if subject.dna is None:
        yield Finding("gc-and-dna", "SKIPPED", "", "the task has no dna_count")
        return
    figure = subject.correlation(subject.gc, subject.dna)
    status, _ = graded(figure, fail=np.inf)
    tail = ": part of GC's share may be the library's, look at it with DNA held fixed" if status == "WARN" else ""
    yield Finding("gc-and-dna", status, "", f"rho(GC, log DNA) {in_words(figure)}{tail}", figures_of(figure))


def check_dropout(subject: Subject) -> Iterator[Finding]:
    """Whether rows without any measurement follow GC, and every column that rows are filtered by and that is no
    covariate."""
    for target in subject.task.targets.values():
        figure = subject.task.unmeasured.get(target.name)
        if figure is None:
            continue
        status, _ = graded(figure, fail=np.inf)
        tail = ": what is measured at all follows GC, and so may its share" if status == "WARN" else ""
        reason = f"rho(GC, no replicate measured) {in_words(figure)}{tail}"
        yield Finding("drop-out", status, label(subject, target), reason, figures_of(figure))
    for name, column in subject.task.filters.items():
        figure = subject.correlation(subject.gc, column)
        status, _ = graded(figure, fail=np.inf)
        tail = ": a minimum or maximum of it selects by GC" if status == "WARN" else ""
        yield Finding("drop-out", status, name, f"rho(GC, {name}) {in_words(figure)}{tail}", figures_of(figure))


def check_strata(subject: Subject) -> Iterator[Finding]:
    """What a model scores that knows a row's stratum alone, and whether GC means the same within strata."""
    from bench.stats.strata import by_stratum

    if not subject.task.strata:
        yield Finding("strata", "SKIPPED", "", "the task has none")
    for name, labels in subject.task.strata.items():
        card = subject.task.stratum_cards.get(name)
        if card is not None and card.of:
            yield Finding("strata", "SKIPPED", name, f"bins of {card.of}, which is looked at as it is")
            continue
        for target in subject.task.targets.values():
            y = target.value
            figure = subject.correlation(known_stratum(subject, labels, y), y, subject.test_fold)
            status, verdict = graded(figure, fail=RHO_FAIL, one_sided=True)
            reason = f"a model that knows only {name} scores {in_words(figure)}{verdict}"
            if not np.isfinite(figure.value):
                status, reason = "SKIPPED", _no_score(name, labels[np.isfinite(y)])
            fold = np.where(np.isfinite(y), subject.test_fold, -1)
            inside = by_stratum(y, {"GC": subject.gc}, labels, fold, subject.task.locus)
            if inside.warnings:
                status = status if status == "FAIL" else "WARN"
                reason += f". {inside.warnings[0]}"
            yield Finding("strata", status, label(subject, target, name), reason, figures_of(figure))


def _no_score(name: str, labels: NDArray[np.str_]) -> str:
    """Why a model that knows only a stratum has no score."""
    if len(np.unique(labels)) < 2:
        return f"{name} is the same in all measured rows"
    return f"a model that knows only {name} has no score: it or the target is the same in all test rows of a fold"


def known_stratum(subject: Subject, labels: NDArray[np.str_], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prediction of a model that knows a row's stratum alone: its mean rank of y among the training rows of the
    fold that tests the row. float64 (n,), NaN where not tested or y is unknown."""
    codes = np.unique(labels, return_inverse=True)[1]
    predicted = np.full(len(y), np.nan)
    measured = np.isfinite(y)
    for fold, part in enumerate(subject.folds.part):
        train = (part == TRAIN) & measured
        tested = (part == TEST) & measured & (subject.test_fold == fold)
        ranks = mid_ranks(y[train])
        size = np.bincount(codes[train], minlength=codes.max() + 1)
        mean = np.bincount(codes[train], ranks, minlength=len(size)) / np.maximum(size, 1)
        mean[size == 0] = ranks.mean()
        predicted[tested] = mean[codes[tested]]
    return predicted


def graded(figure: Estimate, *, fail: float, one_sided: bool = False) -> tuple[Status, str]:
    """Status of a correlation with a target, and what is wrong with it, in words.

    ``one_sided`` : a prediction's score, of which a negative one is nothing to worry about.
    """
    if not np.isfinite(figure.value):
        return "SKIPPED", " (too few rows, or one side is constant)"
    size = figure.value if one_sided else abs(figure.value)
    if figure.covers_zero or size < RHO_WARN:
        return "PASS", ""
    if size >= fail:
        return "FAIL", f": {fail:g} or more without a look at the sequence"
    return "WARN", ": a confounder, give it a baseline of its own"
