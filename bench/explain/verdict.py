"""What a model reads, in words, by written rules (docs/explain.md has them too).

1. **GC alone**: GC, or GC in windows, explains 80 % of its predictions, and no planted motif is worth as much as five
   points of GC, where motifs were planted.
2. **composition**: what is no motif yet (up to dinucleotides) explains 80 %.
3. **motifs**: the motif rung adds 15 points or more, 5 for sure, and where motifs were planted at least one family has
   an effect. **motifs and GC**, where GC in windows explains 15 % or more besides.
4. **composition and words**: otherwise, where all rungs together explain half.
5. **something else**: less than half is explained: position, spacing, longer words, or chance.

Before them: **nothing**, where a model predicts one value.
"""

from __future__ import annotations

from bench.explain.record import Explanation, Ladder

#: Shares of the rules.
ALL, SOME, SURE, HALF = 0.8, 0.15, 0.05, 0.5
#: From so much more on, GC in windows is named and not GC.
APART = 0.03
#: Points of GC from which a family speaks against a model that counts GC alone, and standard deviations where no point
#: of GC has a price.
POINTS, SD = 5.0, 0.25


def verdict(answer: Explanation) -> tuple[str, str] | None:
    """The name of the rule that holds, and a sentence; None without a ladder."""
    ladder = answer.ladder
    if ladder is None:
        return None
    if answer.spread == 0:
        return "nothing", "reads nothing: it predicts one value for all rows of a fold"
    r2 = {rung.name: rung.r2.value for rung in ladder.rungs}
    gc = max(r2["GC"], r2["GC in windows"])
    name = "GC" if r2["GC in windows"] - r2["GC"] < APART else "GC in windows"
    last = max(r2.values())
    motif = next(rung for rung in ladder.rungs if rung.name == "motifs")
    families = None if answer.planted is None else answer.planted.families
    strong = [] if families is None else [each for each in families if _speaks(each.gc_points, each.effect.value)]
    if gc >= ALL and not strong:
        more = "" if families is None else ", and no planted motif is worth five points of GC"
        return "GC alone", f"reads GC alone: {name} explains {gc:.0%} of its predictions{more}"
    if r2["dinucleotides"] >= ALL:
        return "composition", f"reads composition: up to dinucleotides, it explains {r2['dinucleotides']:.0%}"
    adds = motif.more.value >= SOME and motif.more.low is not None and motif.more.low >= SURE
    if adds and families != []:
        named = "" if not families else f"; {families[0].motif} does most"
        if gc >= SOME:
            return "motifs and GC", f"reads motifs and GC: {name} explains {gc:.0%}, motifs add {_more(ladder)}{named}"
        return "motifs", f"reads motifs: they add {_more(ladder)}, {name} explains {max(gc, 0):.0%}{named}"
    if last >= HALF:
        return "composition and words", f"reads composition and short words: all rungs together explain {last:.0%}"
    return "something else", f"reads something else: these questions explain {max(last, 0):.0%} of its predictions"


def _speaks(points: float | None, effect: float) -> bool:
    return abs(points) >= POINTS if points is not None else abs(effect) >= SD


def _more(ladder: Ladder) -> str:
    motif = next(rung for rung in ladder.rungs if rung.name == "motifs")
    return f"{motif.more.value:.0%}"
