"""Columns of a board's tables: a heading, and what it shows of a row of ``summary.json``."""

from __future__ import annotations

from collections.abc import Callable

from bench.board.schema import BoardSummary, RowSummary
from bench.report import text
from bench.report.text import code, count, escape, estimate, joined, number, percent, point, signed_estimate

#: A heading, and what its column shows of a row of a board.
Column = tuple[str, Callable[[RowSummary, BoardSummary], str]]

#: What the rows score, with intervals, seeds and rows.
SCORES: list[Column] = [
    ("featurizer + model", lambda row, board: row_name(row)),
    ("", lambda row, board: "" if board.few_loci else escape(row.letter)),
    ("Spearman [95 %]", lambda row, board: estimate(row.score)),
    ("Pearson r", lambda row, board: number(row.pearson)),
    ("% of noise ceiling", lambda row, board: percent(point(row.of_ceiling))),
    ("gain over GC [95 %]", lambda row, board: gain(row)),
    ("given GC", lambda row, board: estimate(row.given_gc)),
    ("ρ(prediction, GC)", lambda row, board: sequence_only(row, signed_estimate(row.with_gc))),
    ("dinucleotide-shuffled", lambda row, board: sequence_only(row, estimate(row.dinucleotide_shuffled))),
    ("verdict", lambda row, board: "" if board.few_loci else verdict(row)),
    ("seeds", lambda row, board: seeds(row)),
    ("n", lambda row, board: count(row.n)),
]

#: How they were fitted: a table of its own, since one of fifteen columns is wider than any page.
FITS: list[Column] = [
    ("featurizer + model", lambda row, board: row_name(row)),
    ("Spearman on training rows", lambda row, board: number(row.train)),
    ("on validation rows", lambda row, board: number(row.valid)),
    ("on test rows", lambda row, board: number(point(row.score))),
    ("seeds", lambda row, board: str(len(row.seeds))),
    ("time", lambda row, board: text.seconds(row.seconds)),
    ("device", lambda row, board: escape(row.device)),
    ("folds", lambda row, board: code(board.folds_digest)),
]

#: Headings of columns that hold words.
LEFT = frozenset(
    {
        "featurizer + model",
        "",
        "verdict",
        "device",
        "folds",
        "task",
        "target",
        "GC-only",
        "best",
        "best deep",
        "in words",
    }
)


def pair_name(row: RowSummary) -> str:
    """``featurizer + model`` without marks."""
    return f"{code(row.featurizer)} + {code(row.model)}"


def row_name(row: RowSummary) -> str:
    """``featurizer + model``, with a mark for GC-only, deep, confounder and null model rows."""
    name = code(row.model) if row.role == "null" else pair_name(row)
    marks = [{"null": "null model"}.get(row.role, row.role)] if row.role != "sequence" else []
    marks += ["GC-only"] if row.gc_only else []
    marks += ["deep"] if row.deep else []
    return joined(name, f"*({', '.join(marks)})*" if marks else "")


def gain(row: RowSummary) -> str:
    """The paired gain over the GC-only row, or that this is that row."""
    return "*GC baseline*" if row.is_gc_baseline else signed_estimate(row.gain)


def sequence_only(row: RowSummary, shown: str) -> str:
    """What is shown of a model that sees bases; nothing for confounders and the null model."""
    return shown if row.role == "sequence" else ""


def verdict(row: RowSummary) -> str:
    """The word on whether a sequence model counts GC; nothing for GC itself, confounders and the null model."""
    return "" if row.role != "sequence" or row.gc_only else escape(row.verdict)


def seeds(row: RowSummary) -> str:
    """Number of seeds and the standard deviation of the score over them."""
    if row.spread is None:
        return str(len(row.seeds))
    return f"{len(row.seeds)} (±{number(row.spread)})"
