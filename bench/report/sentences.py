"""The board's plain sentences, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from typing import Any

from bench.report.text import (
    NOTHING,
    code,
    escape,
    interval,
    joined,
    number,
    percent,
    percent_bare,
    percent_interval,
    signed,
)

#: A share of variance below this is called "almost none".
ALMOST_NONE = 0.01


def _share(value: dict[str, float | None] | None) -> str:
    if not value:
        return NOTHING
    return joined(percent(value["value"]), percent_interval(value.get("low"), value.get("high")))


def share_sentence(board: dict[str, Any], *, short: bool = False) -> str:
    """What GC content explains, with both denominators named; without replicates only the one that exists."""
    share = board["share"]
    if not share:
        missing = "a GC-only model" if board["best_gc"] is None else "a model that sees more than GC content"
        return f"GC's share is {NOTHING}: {missing} has not been run."
    what = "the explainable variance" if short else f"the explainable variance of {escape(board['target'])}"
    learned = f"{_share(share['of_learned'])} of what the best model learned"
    if share["of_explainable"] is None:
        unknown = f"its share of the explainable variance is {NOTHING} without replicates"
        sentence = f"GC content alone accounts for {learned}; {unknown}"
    else:
        sentence = f"GC content alone explains {_share(share['of_explainable'])} of {what} and {learned}"
    if short:
        return sentence + "."
    return f"{sentence}; {_alone(share)}."


def _alone(share: dict[str, Any]) -> str:
    low, high = share["unique_gc"], share["of_explainable"] or share["of_total"]
    of = "explainable" if share["of_explainable"] else "total"
    alone = f"{percent(low['value'])} of the {of} variance"
    alone = f"almost none of it ({alone})" if abs(low["value"]) < ALMOST_NONE else alone
    return (
        f"{alone} is GC's alone, so that GC's share lies in "
        f"[{percent_bare(low['value'])}, {percent_bare(high['value'])}] %"
    )


def parts_sentence(share: dict[str, Any], *, windows: bool = False) -> str:
    """The parts that a share is made of, in full."""
    of = "explainable" if share["of_explainable"] else "total"
    if windows:
        total = _share(share["of_explainable"] or share["of_total"])
        learner = f"{code(share['gc'])}, the best of its kind on validation rows"
        return f"GC in windows along the sequence ({learner}) explains {total} of the {of} variance."
    return (
        f"Parts of the {of} variance: GC's alone U_G {_share(share['unique_gc'])}, the best model's alone U_D "
        f"{_share(share['unique_best'])}, common C {_share(share['common'])}; Shapley share of GC "
        f"{_share(share['shapley'])}. G is {code(share['gc'])}, D is {code(share['best'])}, both chosen on validation "
        "rows."
    )


def verdict_sentence(board: dict[str, Any]) -> str:
    """Whether the best deep model counts GC, with the figures that the verdict follows from."""
    verdict = board.get("verdict")
    if not verdict:
        return ""
    pieces = [
        f"{label} {joined(show(verdict[key]['value']), bracket(verdict[key]))}"
        for key, label, show, bracket in (
            ("with_gc", "ρ(prediction, GC)", signed, _plain_interval),
            ("given_gc", "Spearman given GC", number, _plain_interval),
            ("beyond", "beyond GC", percent, lambda value: percent_interval(value["low"], value["high"])),
            ("shuffled", "Spearman on dinucleotide shuffles", number, _plain_interval),
        )
        if verdict.get(key)
    ]
    figures = f" ({'; '.join(pieces)})" if pieces else ""
    return f"Is the deep model only counting GC? {code(verdict['name'])}: **{escape(verdict['word'])}**{figures}."


def _plain_interval(value: dict[str, float | None]) -> str:
    return interval(value.get("low"), value.get("high"))
