"""Splits, filters, ties and replicates: whether the numbers can say anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bench.audit.finding import Finding, Status, Subject, label
from bench.stats.ceilings import ceiling
from bench.stats.ranks import tied_fraction
from bench.stats.replicate_checks import copies
from bench.stats.replicates import combine
from bench.tasks.chromosomes import UNPLACED
from bench.tasks.loci import overlapping
from bench.tasks.task import DROPPED, PART_NAMES, TEST, TRAIN, VALID

#: Names of columns that are measured on RNA, or made from it.
_OUTCOME = re.compile(
    r"(?<![a-z])(m?rna|cdna|expr|expression|activity|ratio|signal|score|log2fc|fold_?change)(?![a-z])", re.IGNORECASE
)
#: A covariate that ranks a target this well and filters the rows may be made from it.
FILTER_RHO = 0.5
#: Test loci of a fold. With 10 rows per locus (ICC .5) the 95 % interval of a Spearman of .5 reaches .15 to either side
#: with 20 loci and .11 with 50, and from 5 to 50 loci it holds the truth in 88 to 93 % of cases (docs/audit.md).
LOCI_WARN, LOCI_FAIL = 50, 20
#: Test rows of a fold. The standard error of a fold's Spearman is .10 at 100 rows and .07 at 200.
ROWS_WARN, ROWS_FAIL = 200, 50
#: Distance of a part's mean GC from that of the training rows, in their standard deviations. By chance it stays below
#: .25 in 90 % of cases with 50 loci in the part, and in all of 200 trials with 100 (docs/audit.md).
GC_SHIFT = 0.25
#: Share of rows at the most frequent value. A perfect model's Spearman is .94 where half of the rows are tied at the
#: bottom, .76 at .75 and .52 at .9 (docs/audit.md).
MODE_WARN, MODE_FAIL = 0.5, 0.9
#: Reliability of the mean of the replicates. With 1,000 independent rows the 95 % range of a share of explainable
#: variance (truth .3) is .23 to .39 at .5, .16 to .67 at .2, and has no upper end at .1 (docs/audit.md).
RELIABILITY_WARN, RELIABILITY_FAIL = 0.5, 0.1


def check_loci(subject: Subject) -> Iterator[Finding]:
    """Loci in two parts of a fold, rows that were left out to keep loci whole, and overlaps that loci do not know."""
    task, folds = subject.task, subject.folds
    codes, loci = np.unique(task.locus, return_inverse=True)[1], len(np.unique(task.locus))
    straddling, overlaps = np.zeros(loci, np.bool_), np.zeros(len(task), np.bool_)
    placed = (task.position >= 0) & (task.chrom != UNPLACED)
    block = np.full(len(task), -1, np.int64)
    block[placed] = overlapping(
        task.chrom[placed], task.position[placed], (task.position + task.sequences.lengths)[placed]
    )
    for part in folds.part:
        where = [np.bincount(codes[part == code], minlength=loci) > 0 for code in PART_NAMES]
        straddling |= np.sum(where, axis=0) > 1
        seen = block[(part == TRAIN) | (part == VALID)]
        overlaps |= (part == TEST) & placed & np.isin(block, seen)
    tested = int((folds.part == TEST).any(axis=0).sum())
    n = int(straddling.sum())
    yield Finding(
        "loci",
        "FAIL" if n else "PASS",
        "straddling",
        f"{n:,} of {loci:,} loci have rows in two parts of a fold",
        {"loci": loci, "straddling": n},
    )
    dropped = int((folds.part == DROPPED).any(axis=0).sum())
    yield Finding(
        "loci",
        "WARN" if dropped > 0.1 * len(task) else "PASS",
        "left out",
        f"{dropped:,} of {len(task):,} rows are left out of a fold, by the split or to keep a locus whole",
        {"rows": len(task), "left_out": dropped},
    )
    if not placed.any():
        yield Finding("loci", "SKIPPED", "overlaps", "the rows have no coordinates")
        return
    n = int(overlaps.sum())
    yield Finding(
        "loci",
        "FAIL" if n else "PASS",
        "overlaps",
        f"{n:,} of {tested:,} test rows overlap, by their coordinates, a training or validation row or a chain of them",
        {"test_rows": tested, "overlapping": n},
    )


def check_chromosomes(subject: Subject) -> Iterator[Finding]:
    """Rows and loci that each fold tests, for the targets with the fewest."""
    for target in subject.task.targets.values():
        measured = np.isfinite(target.value)
        tests = [(part == TEST) & measured for part in subject.folds.part]
        rows = [int(test.sum()) for test in tests]
        loci = [len(np.unique(subject.task.locus[test])) for test in tests]
        few_rows, few_loci = min(rows), min(loci)
        status: Status = "PASS"
        if few_rows < ROWS_WARN or few_loci < LOCI_WARN:
            status = "WARN"
        if few_rows < ROWS_FAIL or few_loci < LOCI_FAIL:
            status = "FAIL"
        tail = "" if status == "PASS" else ": scores and intervals of a fold this small say little"
        yield Finding(
            "fold-sizes",
            status,
            label(subject, target),
            f"the smallest test fold of {len(rows)} has {few_rows:,} measured rows, the fewest loci are"
            f" {few_loci:,}{tail}",
            {"rows": few_rows, "loci": few_loci},
        )


def check_gc_balance(subject: Subject) -> Iterator[Finding]:
    """Mean GC of the validation and test rows against the training rows, in standard deviations."""
    worst, where = 0.0, ""
    for fold, part in enumerate(subject.folds.part):
        train = subject.gc[part == TRAIN]
        for code, name in ((VALID, "validation"), (TEST, "test")):
            shift = float((subject.gc[part == code].mean() - train.mean()) / (train.std() or np.inf))
            if abs(shift) >= abs(worst):
                worst, where = shift, f"{name} rows of fold {fold + 1}"
    yield Finding(
        "gc-balance",
        "WARN" if abs(worst) >= GC_SHIFT else "PASS",
        "",
        f"the {where} lie {worst:+.2f} standard deviations of GC from the training rows",
        {"shift": worst},
    )


def check_ties(subject: Subject) -> Iterator[Finding]:
    """Tied values of every target, and the share at the most frequent one (zeros, a detection limit)."""
    for target in subject.task.targets.values():
        if target.kind == "binary":
            yield Finding("ties", "SKIPPED", label(subject, target), "a binary target")
            continue
        raw = combine(target.replicates, "mean").value  # as measured: places would name no value that people know
        y = raw[np.isfinite(target.value)]
        values, times = np.unique(y, return_counts=True)
        mode, share = float(values[times.argmax()]), float(times.max() / len(y))
        status: Status = "FAIL" if share >= MODE_FAIL else "WARN" if share >= MODE_WARN else "PASS"
        many = f", {share:.0%} of them at {mode:g}" if times.max() > 1 else ""
        tail = "" if status == "PASS" else ": not even a perfect model can rank them"
        yield Finding(
            "ties",
            status,
            label(subject, target),
            f"{tied_fraction(y):.1%} of the rows share their value with another{many}{tail}",
            {"tied": tied_fraction(y), "mode": mode, "at_mode": share},
        )


def check_filters(subject: Subject) -> Iterator[Finding]:
    """Filters of the task's file that select on the outcome: a minimum on something measured on RNA."""
    if not subject.task.minimum:
        yield Finding("filters", "PASS", "", "no minimum is asked of any column")
    for name, least in subject.task.minimum.items():
        column = subject.task.sequences.covariates.get(name)
        found = [] if column is None else [subject.correlation(column, t.value) for t in subject.task.targets.values()]
        most = max(found, key=lambda figure: abs(np.nan_to_num(figure.value)), default=None)
        rule = f"{name} must be {least:g} or more"
        if _OUTCOME.search(name):
            said = "selects on the outcome, which inflates replicate agreement and hides GC. Filter on DNA or barcodes"
            yield Finding("filters", "FAIL", name, f"{rule}: by its name it {said}", {"minimum": least})
        elif most is not None and abs(np.nan_to_num(most.value)) >= FILTER_RHO:
            yield Finding(
                "filters",
                "WARN",
                name,
                f"{rule}, and it ranks a target at {most.value:+.2f}: make sure that it is not measured on RNA",
                {"minimum": least, "rho": float(most.value)},
            )
        else:
            yield Finding("filters", "PASS", name, f"{rule}, which is not measured on RNA", {"minimum": least})


def check_replicates(subject: Subject) -> Iterator[Finding]:
    """Reliability of every target, within the folds that test it."""
    for target in subject.task.targets.values():
        about = label(subject, target)
        twice = [column for _, column, _ in copies(target.replicates, target.replicate_names)]
        y = np.delete(target.replicates, twice, axis=1)
        if y.shape[1] < 2:
            copied = f" besides its {'copy' if len(twice) == 1 else 'copies'}" if twice else ""
            yield Finding("replicates", "SKIPPED", about, f"one replicate{copied}: its noise ceiling is n/a")
            continue
        found = ceiling(y, subject.test_fold)
        if found is None:
            yield Finding("replicates", "FAIL", about, "the replicates do not correlate: there is nothing to explain")
            continue
        status: Status = "PASS"
        if found.reliability < RELIABILITY_WARN:
            status = "FAIL" if found.reliability < RELIABILITY_FAIL else "WARN"
        tail = "" if status == "PASS" else ": shares of so little explainable variance are wide"
        yield Finding(
            "replicates",
            status,
            about,
            f"replicates correlate at {found.r:.2f}, so their mean has a reliability of {found.reliability:.2f} and the"
            f" best possible score is {found.best:.2f}{tail}",
            {"r": found.r, "reliability": found.reliability, "best": found.best},
        )
