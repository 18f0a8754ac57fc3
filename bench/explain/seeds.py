"""How far the seeds of one model disagree on what it learned."""

from __future__ import annotations

from collections.abc import Sequence

from bench.explain.record import Explanation, Family


def by_pair(answers: Sequence[Explanation]) -> list[list[Explanation]]:
    """Explanations of one featurizer and model together, by seed, in the order in which they come."""
    pairs: dict[tuple[str, str], list[Explanation]] = {}
    for each in answers:
        pairs.setdefault((each.featurizer, each.model), []).append(each)
    return [sorted(seeds, key=lambda each: each.seed) for seeds in pairs.values()]


def rung_ranges(seeds: Sequence[Explanation]) -> list[tuple[float, float]]:
    """Lowest and highest R² of each rung over the seeds of a model; nothing of a single one."""
    ladders = [each.ladder for each in seeds if each.ladder is not None]
    if len(ladders) < 2:
        return []
    values = [[rung.r2.value for rung in ladder.rungs] for ladder in ladders]
    return [(min(each), max(each)) for each in zip(*values, strict=True)]


def elsewhere(family: Family, own: Explanation, seeds: Sequence[Explanation]) -> list[float | None]:
    """Effect of one site of the same family in the model's other seeds, in their order; None in one that does not name
    it."""
    out: list[float | None] = []
    for each in seeds:
        if each.seed == own.seed or each.planted is None:
            continue
        found = (f for f in each.planted.families if family.motif in (f.motif, *f.others))
        alike = next(found, None) or next((f for f in each.planted.families if f.motif in family.others), None)
        out.append(None if alike is None else alike.effect.value)
    return out
