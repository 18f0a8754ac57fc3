"""The board's plain sentences, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from bench.board.schema import BoardSummary, ShareSummary
from bench.report.text import (
    NOTHING,
    code,
    escape,
    estimate,
    joined,
    percent,
    percent_bare,
    percent_estimate,
    point,
    signed_estimate,
)


def share_sentence(board: BoardSummary, *, short: bool = False) -> str:
    """What GC content explains, with both denominators named; without a noise ceiling only the one that exists."""
    share = board.share
    if share is None:
        missing = "a GC-only model" if board.best_gc is None else "a model that sees more than GC content"
        return f"GC's share is {NOTHING}: {missing} has not been run."
    what = "the explainable variance" if short else f"the explainable variance of {escape(board.target)}"
    learned = f"{percent_estimate(share.of_learned)} of what the best model learned"
    if share.of_explainable is None:
        unknown = f"its share of the explainable variance is {NOTHING} ({no_ceiling(board)})"
        sentence = f"GC content accounts for {learned}; {unknown}"
    else:
        sentence = f"GC content explains {percent_estimate(share.of_explainable)} of {what} and {learned}"
    if short:
        return sentence + "."
    return f"{sentence}; {_unique(share)}."


def no_ceiling(board: BoardSummary) -> str:
    """Why a board has no noise ceiling, so that what needs one is n/a."""
    return escape(board.ceiling.reason or "the replicates do not correlate")


def _unique(share: ShareSummary) -> str:
    of = "total" if share.of_explainable is None else "explainable"
    low, high = point(share.unique_gc), point(share.of_explainable or share.of_total)
    return (
        f"{percent(low)} of the {of} variance is unique to GC, so that GC's share lies in "
        f"[{percent_bare(low)}, {percent_bare(high)}] %"
    )


def parts_sentence(share: ShareSummary, *, windows: bool = False) -> str:
    """The parts that a share is made of, in full."""
    of = "total" if share.of_explainable is None else "explainable"
    if windows:
        total = percent_estimate(share.of_explainable or share.of_total)
        learner = f"{code(share.gc)}, the best of its kind on validation rows"
        return f"GC in windows along the sequence ({learner}) explains {total} of the {of} variance."
    return (
        f"Parts of the {of} variance: unique to GC U_G {percent_estimate(share.unique_gc)}, unique to the best model"
        f" U_D {percent_estimate(share.unique_best)}, common C {percent_estimate(share.common)}; Shapley share of GC"
        f" {percent_estimate(share.shapley)}. G is {code(share.gc)}, D is {code(share.best)}, both chosen on"
        " validation rows."
    )


def verdict_sentence(board: BoardSummary) -> str:
    """Whether the best deep model counts GC, with the figures that the verdict follows from."""
    verdict = board.verdict
    if verdict is None:
        return ""
    pieces = [
        joined(label, show(figure))
        for label, figure, show in (
            ("ρ(prediction, GC)", verdict.with_gc, signed_estimate),
            ("partial Spearman given GC (spline)", verdict.given_gc, estimate),
            ("beyond GC", verdict.beyond_gc, percent_estimate),
            ("Spearman on dinucleotide-shuffled sequences", verdict.dinucleotide_shuffled, estimate),
        )
        if figure is not None
    ]
    figures = f" ({'; '.join(pieces)})" if pieces else ""
    return f"Is the deep model only counting GC? {code(verdict.name)}: **{escape(verdict.word)}**{figures}."
