"""Run every check on a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from bench.audit import confounders, design, duplicates, hashfrag, replicates
from bench.audit.finding import Finding, Subject
from bench.errors import BenchError
from bench.tasks.task import Folds, Task

#: What `bench run` looks at before it fits: less than a second for 10,000 rows.
QUICK: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    *replicates.CHECKS,
    duplicates.check_duplicates,
    duplicates.check_near_duplicates,
)
#: Every check, in the order they are shown.
CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    design.check_replicates,
    *replicates.CHECKS,
    confounders.check_gc,
    confounders.check_gc_and_dna,
    confounders.check_dropout,
    confounders.check_covariates,
    confounders.check_strata,
    duplicates.check_duplicates,
    duplicates.check_near_duplicates,
    hashfrag.check_hashfrag,
    design.check_loci,
    design.check_chromosomes,
    design.check_gc_balance,
    design.check_ties,
    design.check_filters,
)


def audit(task: Task, folds: Folds) -> Iterator[Finding]:
    """Findings of every check, as they come."""
    subject = Subject(task, folds)
    for check in CHECKS:
        yield from check(subject)


def quick_failures(subject: Subject) -> list[Finding]:
    """What the quick checks FAIL, for a run to repeat: all its fits rest on it."""
    return [finding for check in QUICK for finding in check(subject) if finding.status == "FAIL"]


def failed(findings: Sequence[Finding], fail_on: Literal["warn", "fail"]) -> bool:
    """Whether an audit fails: on any FAIL, and with "warn" on any WARN too."""
    if fail_on not in ("warn", "fail"):
        raise BenchError(f"--fail-on must be warn or fail. Got {fail_on!r}.")
    return any(finding.status == "FAIL" or (fail_on == "warn" and finding.status == "WARN") for finding in findings)
