"""Pairs on the board: predicted differences against measured ones, all pairs and those of equal GC alone."""

from __future__ import annotations

from collections.abc import Mapping

from bench.board.pairs_schema import PairRowSummary, PairSetSummary, PairsSummary
from bench.board.schema import BoardSummary, RowSummary
from bench.report.columns import row_name
from bench.report.text import (
    NOTHING,
    count,
    escape,
    estimate,
    number,
    percent,
    point,
    signed_estimate,
    table,
)
from bench.stats.pairs import CLEAR

HEADER = [
    "featurizer + model",
    "Spearman of differences [95 %]",
    "% of noise ceiling",
    "signs right [95 %]",
    "equal GC: Spearman of differences [95 %]",
    "equal GC: % of noise ceiling",
    "equal GC: signs right [95 %]",
]


#: What stands above the tables.
WORDS = (
    "**Pairs.** Figures of differences within a pair, the other row less its reference: predicted against measured."
    " What both rows share cancels, and where both have the same GC content a model that counts GC has nothing to say."
    " The noise ceiling is that of the differences, from the replicates' own. *Signs right* is of the pairs whose"
    f" difference exceeds noise: its mean over replicates lies {CLEAR:g} standard errors or more from 0, by the spread"
    " of the replicates within a pair, pooled over pairs."
)


def pairs_section(board: BoardSummary) -> list[str]:
    """Lines on the pairs of a board; none where it has none."""
    lines: list[str] = []
    for pairs in board.pairs:
        lines += [_lead(pairs), "", *_facts(pairs), *_table(board, pairs)]
    if lines:
        lines = [WORDS, "", *lines]
    return lines


def _lead(pairs: PairsSummary) -> str:
    whole, same = pairs.all, pairs.neutral
    left = [f"{count(pairs.split)} with their rows in two folds"] if pairs.split else []
    left += [f"{count(pairs.untested)} with a row that is not tested or was not measured"] if pairs.untested else []
    return (
        f"*{escape(pairs.kind)}*: {count(whole.pairs)} pairs in {count(whole.loci)} loci, {count(same.pairs)} of them"
        f" with equal GC{'; left out: ' * bool(left)}{', '.join(left)}."
    )


def _facts(pairs: PairsSummary) -> list[str]:
    lines = []
    for name, some in (("All", pairs.all), ("Equal GC", pairs.neutral)):
        if some.left_out:
            lines.append(f"- {name}: n/a ({escape(some.left_out)})")
            continue
        pieces = []
        if some.rho_gc is not None:
            pieces.append(f"ρ(difference of GC, difference) {signed_estimate(some.rho_gc)}")
        if some.ceiling is None:
            pieces.append(f"noise ceiling n/a ({escape(some.reason or 'no reason is stored')})")
        else:
            pieces.append(f"Spearman between two replicates of the differences {number(some.replicate_rho)}")
        if some.clear is None:
            pieces.append("signs n/a (one replicate)")
        else:
            pieces.append(
                f"{count(some.clear)} exceed noise; always saying the commoner sign is right in"
                f" {percent(some.commoner)} of them"
            )
        lines.append(f"- {name}: {'; '.join(pieces)}")
    return [*lines, ""]


def _table(board: BoardSummary, pairs: PairsSummary) -> list[str]:
    if pairs.all.left_out:
        return []
    ceiling = ["*noise ceiling (replicates)*", *_ceiling(pairs.all), *_ceiling(pairs.neutral)]
    same = {row.name: row for row in pairs.neutral.rows}
    by_name: Mapping[str, RowSummary] = {row.name: row for row in board.rows}
    ordered = sorted(pairs.all.rows, key=lambda row: (2.0 if row.spearman is None else -row.spearman.value, row.name))
    body = [
        [
            row_name(by_name[row.name]) if row.name in by_name else escape(row.name),
            *_figures(row, pairs.all),
            *_figures(same.get(row.name), pairs.neutral),
        ]
        for row in ordered
    ]
    return table(HEADER, [ceiling, *body])


def _ceiling(some: PairSetSummary) -> list[str]:
    return [estimate(some.ceiling), NOTHING if some.ceiling is None else "100 %", ""]


def _figures(row: PairRowSummary | None, some: PairSetSummary) -> list[str]:
    if row is None:
        return [f"n/a ({escape(some.left_out)})" if some.left_out else NOTHING, NOTHING, NOTHING]
    if row.reason:
        return [f"n/a ({escape(row.reason)})", NOTHING, NOTHING]
    return [estimate(row.spearman), percent(point(row.of_ceiling)), estimate(row.sign, 2)]
