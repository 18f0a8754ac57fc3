"""Run every check on a task."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from bench.audit import confounders, design, duplicates, hashfrag
from bench.audit.finding import Finding, Subject
from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.tasks.task import Folds, Task

#: Every check, in the order they are shown.
CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    design.check_replicates,
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


def audit(task: Task, folds: Folds, minimum: Mapping[str, float] | None = None) -> Iterator[Finding]:
    """Findings of every check, as they come. ``minimum`` are the filters of the task's file."""
    subject = Subject(task, folds, minimum or {})
    for check in CHECKS:
        yield from check(subject)


def minimum_of(source: str, registry: Registry) -> Mapping[str, float]:
    """The filters of a task file, or of a data set's name: column -> least value."""
    if source.endswith(".toml"):
        content = tomllib.loads(Path(source).read_text(encoding="utf-8"))
        return dict(content.get("minimum", {}))
    return dict(registry.find("dataset", source)().spec().minimum)


def failed(findings: list[Finding], fail_on: Literal["warn", "fail"]) -> bool:
    """Whether an audit fails: on any FAIL, and with "warn" on any WARN too."""
    if fail_on not in ("warn", "fail"):
        raise BenchError(f"--fail-on must be warn or fail. Got {fail_on!r}.")
    return any(finding.status == "FAIL" or (fail_on == "warn" and finding.status == "WARN") for finding in findings)
