"""Columns that are not what they are listed as, found by their numbers (``bench.stats.replicate_checks``)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.audit.duplicates import leak_status
from bench.audit.finding import Finding, Status, Subject, label
from bench.stats.replicate_checks import (
    FEW_VALUES,
    LEAST,
    apart,
    copies,
    holds_counts,
    level_tail,
    level_words,
    mixtures,
    noise_lines,
    noisy,
)
from bench.tasks.duplicates import digests


def check_copies(subject: Subject) -> Iterator[Finding]:
    """Two columns of a target (replicates, or halves of the barcodes) that hold the same numbers."""
    for target in subject.task.targets.values():
        about, found = label(subject, target), False
        for i, j, words in copies(target.replicates, target.replicate_names):
            found = True
            yield Finding(
                "copies",
                "FAIL",
                about,
                f"{words}, which leaves no noise ceiling: leave one of them out of replicates",
                {"column": target.replicate_names[j], "copy_of": target.replicate_names[i]},
            )
        if target.halves is not None:
            for _, _, words in copies(target.halves, ("half 1", "half 2")):
                found = True
                yield Finding("copies", "FAIL", about, f"{words} of the barcodes: name two different columns in halves")
        if not found and target.replicates.shape[1] > 1:
            yield Finding("copies", "PASS", about, "no replicate holds the numbers of another")


def check_averages(subject: Subject) -> Iterator[Finding]:
    """A replicate that is the mean, the sum or another mixture of the others, on their scale or on that of their
    powers (a mean of activities among log activities)."""
    for target in subject.task.targets.values():
        if target.kind == "binary":  # labels that agree are anything's mean
            continue
        for column, others, words in mixtures(target.replicates, target.replicate_names):
            reason = f"{column} is {words} of {', '.join(others)}, which counts them twice: leave it out of replicates"
            yield Finding("averages", "FAIL", label(subject, target), reason, {"column": column})


def check_counts(subject: Subject) -> Iterator[Finding]:
    """Targets that hold whole numbers from 0 up: reads or barcodes that no one divided by the DNA."""
    for target in subject.task.targets.values():
        columns = [
            name
            for name, column in zip(target.replicate_names, target.replicates.T, strict=True)
            if holds_counts(column[np.isfinite(column)])
        ]
        if columns:
            are = "holds" if len(columns) == 1 else "hold"
            yield Finding(
                "counts",
                "FAIL",
                label(subject, target),
                f"{', '.join(columns)} {are} whole numbers from 0 up: counts, which follow the library's DNA. Give"
                " rna = [...] and dna = [...] in place of replicates, or the activity",
                {"columns": len(columns)},
            )


def check_levels(subject: Subject) -> Iterator[Finding]:
    """Replicates that lie apart while values are missing: a mean of the measured ones follows which were. Every other
    way to combine replicates puts them on one scale first."""
    for target in subject.task.targets.values():
        found = apart(target.replicates)
        if found is None or target.kind == "binary":
            continue
        reason = f"{level_words(found, target.replicate_names)}; {level_tail(target.combine)}"
        figures = {"gap": found.gap, "missing": found.missing}
        status: Status = "WARN" if target.combine == "mean" else "PASS"
        yield Finding("levels", status, label(subject, target), reason, figures)


def check_noise(subject: Subject) -> Iterator[Finding]:
    """One replicate of three or more that agrees with no other, or runs against them, while the others agree."""
    for target in subject.task.targets.values():
        y = target.replicates
        for words, (_, _, own, others) in zip(noise_lines(y, target.replicate_names), noisy(y), strict=True):
            reason = f"{words}. Leave it out, or find out what it measured"
            yield Finding("noise", "FAIL", label(subject, target), reason, {"reliability": own, "others": others})


def check_rows(subject: Subject) -> Iterator[Finding]:
    """Rows that repeat another's bases and values: an element exported twice."""
    task = subject.task
    again, n = repeated_rows(subject), len(task)
    status = leak_status(again, n)
    if again and status == "PASS":
        status = "WARN"
    tail = ": keep one of each, or every one counts as evidence of its own" if again else ""
    reason = f"{again:,} of {n:,} rows repeat another row's bases and measured values to the last digit{tail}"
    yield Finding("rows", status, "", reason, {"repeated": again, "rows": n})


#: The checks of this file, in the order they are shown. None takes more than a moment.
CHECKS = (check_copies, check_averages, check_counts, check_levels, check_noise, check_rows)


def repeated_rows(subject: Subject) -> int:
    """Rows whose bases and values are those of a row above. Values that many rows share (zeros) tell nothing: such rows
    are left out."""
    task = subject.task
    values = np.column_stack([target.replicates for target in task.targets.values()])
    telling = np.zeros(len(task), np.bool_)
    for column in values.T:
        known = np.isfinite(column)
        kinds, code, times = np.unique(column[known], return_inverse=True, return_counts=True)
        if len(kinds) >= FEW_VALUES:
            telling[known] |= times[code] < max(0.01 * known.sum(), LEAST)
    rows = np.flatnonzero(telling)
    forward, _ = digests(task.sequences.take(rows))
    key = np.column_stack([forward, np.where(np.isfinite(values[rows]), values[rows] + 0.0, 0.0).view(np.int64)])
    return len(rows) - len(np.unique(key, axis=0))
