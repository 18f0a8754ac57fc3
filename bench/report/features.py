"""What a board says of features that another program has made."""

from __future__ import annotations

from bench.board.schema import BoardSummary, FeaturesSummary, Summary
from bench.report.text import NOTHING, code, count, escape, estimate, table

#: Columns of words.
LEFT = frozenset({"features", "trained on", "untrained twin", "target", "model"})


def features_section(summary: Summary) -> list[str]:
    """Lines on features made elsewhere: what made them, how much of GC they know, and what training added."""
    if not summary.features:
        return []
    lines = ["**Features made elsewhere.** How well GC content is told from them by a ridge regression that saw no row"]
    lines[0] += " of the locus: R² and Spearman's ρ, 1 where they hold all of it. No sequence but those of the file has"
    lines[0] += " such features, so nothing is shown on shuffled rows."
    header = ["features", "columns", "trained on", "GC content, R² [95 %]", "GC content, ρ [95 %]"]
    rows = [
        [code(each.name), count(each.columns), escape(each.trained_on) or NOTHING, estimate(each.gc_r2),
         estimate(each.gc_rho)]
        for each in summary.features
    ]  # fmt: skip
    lines += ["", *table(header, rows, left=LEFT)]
    unsaid = [each.name for each in summary.features if not each.trained_on]
    lines += [
        f"- **Warning**: nobody said what {code(name)} was trained on: it may have seen test sequences, or what was"
        " measured of them (`--trained-on` says it)."
        for name in unsaid
    ]
    lines += [""] * bool(unsaid)
    return lines + _twins(summary)


def _twins(summary: Summary) -> list[str]:
    """Every learner on the features and on those of the untrained network."""
    twins = {each.twin_of: each for each in summary.features if each.twin_of}
    rows = [
        [escape(board.target), code(model), *_scores(board, each, twins[each.name], model)]
        for each in summary.features
        if each.name in twins
        for board in summary.boards
        for model in sorted({row.model for row in board.rows if row.featurizer == each.name})
    ]
    if not rows:
        return []
    header = ["target", "model", "features", "Spearman [95 %]", "untrained twin", "its Spearman [95 %]"]
    return ["What training added: the same learners on the untrained twin.", "", *table(header, rows, left=LEFT)]


def _scores(board: BoardSummary, features: FeaturesSummary, twin: FeaturesSummary, model: str) -> list[str]:
    shown = []
    for each in (features, twin):
        row = board.row(f"{each.name} + {model}")
        shown += [code(each.name), NOTHING if row is None else estimate(row.score)]
    return shown
