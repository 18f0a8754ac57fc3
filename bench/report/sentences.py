"""The board's plain sentences, from the numbers of ``summary.json`` alone."""

from __future__ import annotations

from typing import Any

from bench.report.text import NOTHING, code, escape, joined, number, percent, percent_bare, percent_interval


def _share(value: dict[str, float | None]) -> str:
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
        sentence = f"GC content alone accounts for {learned}; its share of the explainable variance is {NOTHING} without replicates"
    else:
        sentence = f"GC content alone explains {_share(share['of_explainable'])} of {what} and {learned}"
    if short:
        return sentence + "."
    return f"{sentence}; {_alone(share)}."


def _alone(share: dict[str, Any]) -> str:
    if share["unique"] is None:
        return f"how much of it is GC's alone is {NOTHING}"
    low, high = share["unique"], share["claimable"]
    of = "explainable" if share["of_explainable"] is not None else "total"
    start = "almost none of it" if abs(low) < 0.01 else "of that"
    return (
        f"{start} ({percent(low)} of the {of} variance) is GC's alone, so that GC's share is between "
        f"{percent_bare(low)} and {percent(high)}"
    )


def learned_sentence(board: dict[str, Any]) -> str:
    """The parts that the share is made of, in full."""
    share = board["share"]
    if not share or share["unique"] is None:
        return ""
    of = "explainable" if share["of_explainable"] is not None else "total"
    return (
        f"Parts of the {of} variance: GC's alone U_G {_share(share['unique_estimate'])}, the best model's alone U_D "
        f"{_share(share['unique_best'])}, common C {_share(share['common'])}, GC's Shapley share {_share(share['shapley'])}. "
        f"G is {code(share['gc_name'])} (chosen on validation rows), D is {code(share['best_name'])}."
    )


def verdict_sentence(board: dict[str, Any]) -> str:
    """Whether the best deep model counts GC, with the figures that the verdict follows from."""
    verdict = board.get("verdict")
    if not verdict:
        return ""
    pieces = [
        f"{label} {joined(number(verdict[key]['value']), _plain_interval(verdict[key]))}"
        for key, label in (
            ("with_gc", "ρ(prediction, GC)"),
            ("given_gc", "Spearman given GC"),
            ("shuffled", "score on dinucleotide shuffles"),
        )
        if verdict.get(key)
    ]
    figures = f" ({'; '.join(pieces)})" if pieces else ""
    return f"Is the deep model only counting GC? {code(verdict['name'])}: **{escape(verdict['word'])}**{figures}."


def _plain_interval(value: dict[str, float | None]) -> str:
    if value.get("low") is None or value.get("high") is None:
        return ""
    return f"[{number(value['low'])}, {number(value['high'])}]"
