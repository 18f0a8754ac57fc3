"""The page of transfers, ``transfer/transfer.md``, and what a call prints."""

from __future__ import annotations

from pathlib import Path

from bench.board.transfer import FOLDER, CarriedSummary, TransferRecord, read_transfers
from bench.report.text import (
    NOTHING,
    code,
    count,
    escape,
    estimate,
    joined,
    number,
    percent,
    point,
    signed_estimate,
    table,
)

PAGE = "transfer.md"
TITLE = """\
# Transfer: models of one task on the rows of another

Each row is a learner that was fitted on one task and asked for the rows of another, unchanged. *Carried over* is the
mean over the other task's folds of the within-fold Spearman with what was measured there, *gain over GC* that less what
the GC-only learner carries over, and *trained there* the same featurizer and model fitted on the other task itself,
scored on the same rows. Intervals are by locus and differences are paired.

A row is predicted by the models of all folds that have not seen it: no training or validation row of theirs is the
same sequence, holds half of its 12-mers, overlaps it in the same genome, or shares its locus. Rows that all have seen
are left out. Predictions of the folds' models are put on one scale before they are averaged.
"""
HEADER = [
    "from → to",
    "featurizer + model",
    "carried over: Spearman [95 %]",
    "% of noise ceiling",
    "gain over GC [95 %]",
    "trained there: Spearman [95 %]",
    "trained there less carried over [95 %]",
]
_LEFT = frozenset(HEADER[:2])
#: What each rule does with rows outside the lengths that were fitted.
_LENGTHS = {
    "centre": ("cut to their middle", "left as they are"),
    "pad": ("cut to their middle", "put between N"),
    "tile": ("read in windows half a window apart, whose predictions are averaged", "left as they are"),
}


def write_transfers(root: Path) -> Path:
    """Write the page of all transfers of a folder of results, and return its path."""
    from bench.files.atomic import atomic, disk_errors

    records, wrong = read_transfers(root)
    body, facts = [], []
    for record in records:
        body += [[_arrow(record), *_cells(learner)] for learner in _ordered(record)]
        facts += [f"- {_arrow(record)}: {each}" for each in _facts(record)]
    lines = [TITLE, *table(HEADER, body, _LEFT), *facts, ""]
    if wrong:
        lines += ["What could not be read and is left out:", "", *(f"- {escape(line)}" for line in wrong), ""]
    path = root / FOLDER / PAGE
    with disk_errors(path.parent), atomic(path) as new:
        new.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return path


def told(record: TransferRecord) -> list[str]:
    """Lines on a transfer for the terminal."""
    lines = [_plain(record)]
    for learner in _ordered(record):
        gain = (
            "GC-only" if learner.gc_only and learner.gain is None else f"gain over GC {signed_estimate(learner.gain)}"
        )
        there = learner.reason or f"trained there {estimate(learner.there)}"
        lines.append(f"  {learner.name}: carried over {signed_estimate(learner.carried)}; {gain}; {there}")
    return lines + [f"  {each}" for each in _facts(record)]


def _plain(record: TransferRecord) -> str:
    source, onto = record.source, record.onto
    return f"{source.task}, {source.target} to {onto.task}, {onto.target}"


def _arrow(record: TransferRecord) -> str:
    source, onto = record.source, record.onto
    return f"{escape(source.task)}, {escape(source.target)} → {escape(onto.task)}, {escape(onto.target)}"


def _ordered(record: TransferRecord) -> list[CarriedSummary]:
    return sorted(record.learners, key=lambda row: (2.0 if row.carried is None else -row.carried.value, row.name))


def _cells(row: CarriedSummary) -> list[str]:
    there = f"n/a ({escape(row.reason)})" if row.reason else estimate(row.there)
    return [
        joined(f"{code(row.featurizer)} + {code(row.model)}", "*(GC-only)*" * row.gc_only),
        estimate(row.carried),
        percent(point(row.of_ceiling)),
        "*GC baseline*" if row.gc_only and row.gain is None else signed_estimate(row.gain),
        there,
        signed_estimate(row.lost) if row.lost is not None else NOTHING,
    ]


def _facts(record: TransferRecord) -> list[str]:
    """What was scored, what was left out, and what became of rows of other lengths."""
    said = f"{count(record.rows)} rows in {count(record.loci)} loci"
    said += f", noise ceiling {number(point(record.ceiling))}"
    said += f" ({escape(record.reason)})" if record.ceiling is None and record.reason else ""
    if record.seen:
        said += f"; {count(record.seen)} rows left out, seen by all models"
    if record.partly:
        said += f"; {count(record.partly)} predicted by the models that have not seen them"
    lines = [said]
    if record.cut or record.padded:
        longer, shorter = _LENGTHS[record.lengths]
        low, high = record.fitted
        fitted = f"{low}" if low == high else f"{low} to {high}"
        changed = [f"{count(record.cut)} longer rows {longer}"] if record.cut else []
        changed += [f"{count(record.padded)} shorter rows {shorter}"] if record.padded else []
        lines.append(f"fitted on rows of {fitted} bases: {'; '.join(changed)} (--lengths {record.lengths})")
    return lines
