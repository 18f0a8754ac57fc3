"""Sequences that stand on both sides of a split: the same bases, the other strand, or nearly so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from bench.audit.finding import Finding, Status, Subject
from bench.tasks.duplicates import CONSTANT, NEAR, K

#: Share of test rows with a copy among the rows that a model sees. A memoriser of copies gains .003 in Spearman at 1 %
#: and .016 at 5 %, for a model at .5 on data of reliability .8 (docs/audit.md).
LEAK_WARN, LEAK_FAIL = 0.01, 0.05
#: What to do about copies across a split.
FIX = ": give each family of copies one locus ([columns] locus = ...), so that no split takes it apart"


def check_duplicates(subject: Subject) -> Iterator[Finding]:
    """Exact and reverse-complement copies across the split."""
    found = subject.duplicates
    status = leak_status(found.exact + found.reverse_complement, found.test_rows)
    yield Finding(
        "duplicates",
        status,
        "",
        f"{found.exact:,} of {found.test_rows:,} test rows have an exact copy among training or validation rows,"
        f" {found.reverse_complement:,} more a reverse-complement one{FIX if status != 'PASS' else ''}",
        asdict(found),
    )


def check_near_duplicates(subject: Subject) -> Iterator[Finding]:
    """Near copies across the split."""
    found = subject.near_duplicates
    status = leak_status(found.near, found.compared)
    sample = f" (a random sample of {found.test_rows:,})" if found.sampled else ""
    aside = f"; {found.set_aside:,} {K}-mers that {CONSTANT:.0%} of the rows hold are set aside" * (found.set_aside > 0)
    yield Finding(
        "near-duplicates",
        status,
        "",
        f"{found.near:,} of {found.compared:,} test rows{sample}, {found.share:.1%}, share {NEAR:.0%} of their {K}-mers"
        f" or more with one training or validation row{aside}{FIX if status != 'PASS' else ''}",
        asdict(found),
    )


def leak_status(copies: int, rows: int) -> Status:
    """Status of so many copies among so many test rows."""
    share = copies / max(rows, 1)
    return "FAIL" if share >= LEAK_FAIL else "WARN" if share >= LEAK_WARN else "PASS"
