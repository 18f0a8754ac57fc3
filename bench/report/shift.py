"""A shift panel as tables of markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.board.shift import FEWEST, Column, ShiftPanel
from bench.files.atomic import atomic
from bench.report.text import count, escape, interval, joined, number, table
from bench.store.result import safe_name


def write_shift(panels: Sequence[ShiftPanel], folder: Path) -> Path:
    """``shift-<task>.md`` in a folder, of panels of one task. Returns its path."""
    lines = [
        "# Shift and leaks",
        "",
        "Spearman on test rows, the mean over folds and seeds, with its 95 % interval by locus. Two halves of GC: what"
        " only follows GC content does not carry over to rows of another GC content. Random rows: relatives stand on"
        " both sides, so that a model may look values up.",
        "",
    ]
    for panel in panels:
        lines += _section(panel)
    page = folder / f"shift-{safe_name(panels[0].task)}.md"
    with atomic(page) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


def _section(panel: ShiftPanel) -> list[str]:
    return [
        f"## {escape(panel.task)}: {escape(panel.target)}",
        "",
        *_table(panel, panel.splits),
        "",
        f"On the task's own split, by the part of a test row's bases that the most similar training row shares (fewer"
        f" than {FEWEST} rows have no score). A score that rises from left to right rests on relatives of training"
        " rows.",
        "",
        *_table(panel, panel.bins),
        "",
    ]


def _table(panel: ShiftPanel, columns: Sequence[Column]) -> list[str]:
    header = ["", *(escape(column.name) for column in columns)]
    sizes = ["test rows", *(f"{count(column.rows)} of {count(column.loci)} loci" for column in columns)]
    rows = [[escape(pair), *(_score(column, pair) for column in columns)] for pair in panel.pairs]
    return table(header, [sizes, *rows])


def _score(column: Column, pair: str) -> str:
    found = column.scores.get(pair)
    return "n/a" if found is None else joined(number(found.value), interval(found.low, found.high))
