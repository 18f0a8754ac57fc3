"""Run every check on a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from bench.audit import confounders, design, duplicates, hashfrag
from bench.audit.finding import Finding, Subject
from bench.errors import BenchError
from bench.tasks.task import Folds, Task

#: Every check, in the order they are shown.
CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    design.check_replicates,
    design.check_counts,
    confounders.check_gc,
    confounders.check_gc_and_dna,
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


def failed(findings: Sequence[Finding], fail_on: Literal["warn", "fail"]) -> bool:
    """Whether an audit fails: on any FAIL, and with "warn" on any WARN too."""
    if fail_on not in ("warn", "fail"):
        raise BenchError(f"--fail-on must be warn or fail. Got {fail_on!r}.")
    return any(finding.status == "FAIL" or (fail_on == "warn" and finding.status == "WARN") for finding in findings)
