"""What a model learned, in words and tables, from ``explain.json`` alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.explain.filters import MOSTLY
from bench.explain.record import (
    Explanation,
    Family,
    Filters,
    Gradients,
    Ladder,
    Leaf,
    Modisco,
    Mutated,
    Pattern,
    PlantedMotifs,
    Trees,
)
from bench.explain.seeds import by_pair, elsewhere, rung_ranges
from bench.explain.verdict import verdict
from bench.report.text import (
    code,
    count,
    escape,
    interval,
    joined,
    number,
    percent,
    percent_bare,
    percent_interval,
    signed,
    table,
)

#: Families that a terminal is told of.
FEW = 5


def told(answer: Explanation) -> Iterator[str]:
    """The findings on one model in a few lines, for a terminal."""
    found = verdict(answer)
    if found is not None:
        yield found[1]
    if answer.ladder is not None:
        yield f"what explains its predictions: {_climbed(answer.ladder)}"
    if answer.rules is not None:
        explained = percent_bare(answer.rules.r2.value)
        yield f"rules of one tree explain {explained} %; highest: {_rule(answer.rules.leaves[-1])}"
    if answer.planted is not None:
        yield from (_one(family) for family in answer.planted.families[:FEW])
        if not answer.planted.families:
            yield f"none of {answer.planted.motifs:,} planted motifs does anything for sure"
    if answer.mutated is not None:
        yield f"of its maps of single bases, {_composition(answer.mutated)}"
        yield from (f"period found: {band.name}" for band in answer.mutated.bands if band.found)
    if answer.trees is not None:
        yield "its trees weigh most: " + ", ".join(
            f"{column.name} {signed(column.strongest, 2)}" for column in answer.trees.columns[:FEW]
        )
    if answer.gradients is not None:
        yield _gradients(answer.gradients)
    if answer.filters is not None:
        flag = f"{_flag(answer.filters)}: " if answer.filters.counter else ""
        yield f"its first convolution: {flag}{_counting(answer.filters)}"
        matched = [f"{each.match.motif} ({each.match.family})" for each in answer.filters.strongest if each.match]
        if matched:
            yield "its filters look for: " + ", ".join(dict.fromkeys(matched[:FEW]))
    if answer.modisco is not None:
        yield _modisco(answer.modisco)
    yield from (f"{name}: n/a, {reason}" for name, reason in answer.left_out.items())


def _climbed(ladder: Ladder) -> str:
    return ", ".join(
        f"{rung.name} {percent_bare(rung.r2.value)} %" if not i else f"+ {rung.name} {percent_bare(rung.r2.value)} %"
        for i, rung in enumerate(ladder.rungs)
    )


def _rule(leaf: Leaf) -> str:
    where = " and ".join(leaf.rule) or "everywhere"
    return f"{where}: {signed(leaf.mean, 2)} SD in {percent(leaf.share)} of rows"


def _composition(mutated: Mutated) -> str:
    share = mutated.composition
    return joined(f"{percent_bare(share.value)} %", percent_interval(share.low, share.high)) + " is composition"


def _one(family: Family) -> str:
    worth = "" if family.gc_points is None else f", worth {signed(family.gc_points, 0)} points of GC"
    effect = family.effect
    between = interval(effect.low, effect.high, 2)
    return f"{family.motif} ({family.family}): {signed(effect.value, 2)} SD {between} a site{worth}"


def _modisco(found: Modisco) -> str:
    """What TF-MoDISco found, the patterns of most sites first."""
    if not found.patterns:
        return f"TF-MoDISco finds no motif in the maps of {found.rows:,} rows"
    named = []
    for each in found.patterns[:FEW]:
        lowers = "" if each.raises else ", lowers"
        named.append(f"{each.match.motif if each.match else _consensus(each)} ({each.sites:,} sites{lowers})")
    count = len(found.patterns)
    return f"TF-MoDISco finds {count} motif{'s' * (count > 1)} in the maps of {found.rows:,} rows: {', '.join(named)}"


def _consensus(pattern: Pattern) -> str:
    return "".join("ACGT"[row.index(max(row))] if max(row) >= 0.5 else "N" for row in pattern.shares)


def explained_section(answers: Sequence[Explanation], pictures: dict[str, str]) -> list[str]:
    """Lines of a board on the models that were explained. ``pictures`` : links by the key of the result."""
    if not answers:
        return []
    lines = ["<details><summary><b>What the models learned</b> (`bench explain`)</summary>", ""]
    verdicts = [(answer, verdict(answer)) for answer in answers]
    lines += [f"- {code(_name(answer))} {escape(found[1])}." for answer, found in verdicts if found is not None]
    lines += [""]
    lines += _ladders([each for each in answers if each.ladder is not None])
    for answer in answers:
        if answer.rules is not None:
            r2 = answer.rules.r2
            lines += [
                f"**Rules, {code(_name(answer))}.** One decision tree on motifs (best score in bits, where in the row"
                f" it is), GC and composition explains {percent(r2.value)} {percent_interval(r2.low, r2.high)} of the"
                " predictions on loci that it did not see:",
                "",
                *(f"- {escape(_rule(leaf))}" for leaf in answer.rules.leaves),
                "",
            ]
        seeds = next(each for each in by_pair(answers) if answer in each)
        lines += _planted(answer, answer.planted, seeds) if answer.planted is not None else []
        lines += _mutated(answer, answer.mutated) if answer.mutated is not None else []
        lines += _trees(answer, answer.trees) if answer.trees is not None else []
        if answer.gradients is not None:
            lines += [f"**Gradients, {code(_name(answer))}.** {_gradients(answer.gradients)}.", ""]
        lines += _filters(answer, answer.filters) if answer.filters is not None else []
        if f"{answer.key}-filters" in pictures:
            lines += [f"![Filters of {escape(_name(answer))}]({pictures[f'{answer.key}-filters']})", ""]
        if answer.modisco is not None:
            lines += [f"**TF-MoDISco, {code(_name(answer))}.** {escape(_modisco(answer.modisco))}.", ""]
        if answer.key in pictures:
            lines += [f"![What {escape(_name(answer))} learned]({pictures[answer.key]})", ""]
        lines += [f"- {escape(name)}: n/a, {escape(reason)}" for name, reason in answer.left_out.items()]
        lines += [""] * bool(answer.left_out)
    return [*lines, "</details>", ""]


def _name(answer: Explanation) -> str:
    seed = f", seed {answer.seed}" if answer.seed else ""
    quick = ", quick" if answer.quick else ""
    return f"{answer.featurizer} + {answer.model}{seed}{quick}"


def _ladders(answers: Sequence[Explanation]) -> list[str]:
    ladders = [(answer, answer.ladder) for answer in answers if answer.ladder is not None]
    if not ladders:
        return []
    names = [rung.name for rung in ladders[0][1].rungs]
    rows = []
    for answer, ladder in ladders:
        shown = [joined(number(r.r2.value, 2), interval(r.r2.low, r.r2.high, 2)) for r in ladder.rungs]
        rows.append([code(_name(answer)), *shown])
    for seeds in by_pair(answers):
        ranges = rung_ranges(seeds)
        if ranges:
            shown = [f"{number(low, 2)}–{number(high, 2)}" for low, high in ranges]
            rows.append([f"{code(f'{seeds[0].featurizer} + {seeds[0].model}')}, over {len(seeds)} seeds", *shown])
    first = ladders[0][1]
    said = (
        f"**Surrogate ladder.** R² of a model's own *predictions* of test rows ({count(first.rows)} rows in"
        f" {count(first.loci)} loci) by regressions on GC, then on all features so far; judged on loci that the"
        " regression did not see. What the last rung leaves is position, spacing, or what no regression found."
    )
    header = ["model", names[0], *(f"+ {name}" for name in names[1:])]
    return [said, "", *table(header, rows, left=("model",))]


def _planted(answer: Explanation, planted: PlantedMotifs, seeds: Sequence[Explanation]) -> list[str]:
    slope = planted.exchange.per_point
    said = (
        f"**Planted motifs, {code(_name(answer))}.** {count(planted.motifs)} motifs ({escape(answer.motifs)}), one"
        f" site each in {count(planted.backgrounds)} dinucleotide-shuffled test rows of unchanged GC, against the same"
        f" site shuffled; the {count(planted.tested)} strongest again in {count(planted.again)} other rows, whose"
        " figures are shown. Unit: standard deviations of the model's predictions. One percentage point of GC is worth"
        f" {signed(slope.value, 3)} {interval(slope.low, slope.high)} in the same backgrounds."
    )
    rows = [
        [
            escape(family.motif),
            escape(family.family),
            code(family.site),
            joined(signed(family.effect.value, 2), interval(family.effect.low, family.effect.high, 2)),
            "n/a" if family.gc_points is None else signed(family.gc_points, 0),
            " ".join(signed(each.value, 2) for each in family.dose),
            " ".join(signed(each.value, 2) for each in family.position),
            str(len(family.others)),
            *([" ".join(signed(each, 2) for each in elsewhere(family, answer, seeds))] if len(seeds) > 1 else []),
        ]
        for family in planted.families
    ]
    if not rows:
        return [said, "", "No motif does anything for sure.", ""]
    header = ["motif", "family", "site", "one site [95 %]", "in points of GC", "1, 2, 3, 4 sites", "5' to 3'", "alike"]
    header += ["one site, other seeds"] * (len(seeds) > 1)
    return [said, "", *table(header, rows, left=("motif", "family", "site"))]


def _mutated(answer: Explanation, mutated: Mutated) -> list[str]:
    said = (
        f"**Every base changed, {code(_name(answer))}.** {count(mutated.rows)} test rows that are high in what is"
        f" predicted, half of them in what was measured too: {_composition(mutated)} (each base's mean effect, wherever"
        " it stands: 100 % for a model that counts bases, near 0 for one that reads sites)."
    )
    rows = [
        [
            escape(band.name),
            joined(number(band.share.value, 3), interval(band.share.low, band.share.high)),
            joined(number(band.shuffled.value, 3), interval(band.shuffled.low, band.shuffled.high)),
            joined(signed(band.more.value, 3), interval(band.more.low, band.more.high)),
            "**yes**" if band.found else "no",
        ]
        for band in mutated.bands
    ]
    header = ["period", "share of power", f"in {count(mutated.shuffled)} shuffled rows", "difference", "found"]
    return [said, "", *(table(header, rows) if rows else [])]


def _gradients(found: Gradients) -> str:
    return (
        f"integrated gradients of {count(found.rows)} rows are complete within 5 % in {percent(found.complete)} of them"
        f" (mean error {percent(found.incomplete.value)}); correlation with changed bases"
        f" {number(found.integrated.value, 2)}, of gradient × input {number(found.times_input.value, 2)}"
    )


def _flag(found: Filters) -> str:
    """What is said of a network that counts GC: by filters that do, or by many that share the work."""
    return "GC counter" if found.counted >= MOSTLY else "GC counter by its filters together, not by single ones"


def _counting(found: Filters) -> str:
    """How far the networks count GC."""
    return (
        f"{count(found.counters)} of {count(found.filters)} filters are GC counters, with"
        f" {percent(found.counted)} of all influence; GC explains {percent(max(found.by_gc, 0))} of the network's"
        f" predictions of shuffled rows, which correlate with those of the rows by {number(found.shuffled, 2)}"
    )


def _filters(answer: Explanation, found: Filters) -> list[str]:
    said = (
        f"**Filters, {code(_name(answer))}.** First convolution of {count(found.networks)} networks of fold"
        f" {found.fold}:{f' **{_flag(found)}**;' if found.counter else ''} {_counting(found)}."
        f" {count(found.read)} motifs can be read, {count(found.matched)} of them are in the database"
        f" ({escape(answer.motifs)}; Tomtom), {count(found.clusters)} are unlike one another. Influence: share of the"
        " variance of predictions that changes with the filter at its mean."
    )
    rows = [
        [
            f"{each.network + 1}.{each.number + 1}",
            "none" if each.match is None else escape(each.match.motif),
            "" if each.match is None else escape(each.match.family),
            "" if each.match is None else f"{each.match.q:.1g}",
            number(each.bits, 1),
            percent(each.influence),
            signed(-each.loss, 3),
            number(each.gc_index, 2),
            "**GC counter**" if each.counter else "",
            str(each.cluster),
        ]
        for each in found.strongest[: FEW * 2]
    ]
    header = ["filter", "motif", "family", "q", "bits", "influence", "score without", "GC index", "flag", "cluster"]
    return [said, "", *(table(header, rows, left=("filter", "motif", "family", "flag")) if rows else [])]


def _trees(answer: Explanation, trees: Trees) -> list[str]:
    said = (
        f"**Trees, {code(_name(answer))}.** TreeSHAP of {count(trees.rows)} test rows, summed by motif, the largest of"
        f" {count(trees.names)}; contributions add up to the predictions within {trees.off:.1g} SD."
    )
    rows = [
        [escape(column.name), number(column.size, 3), signed(column.strongest, 2)]
        for column in trees.columns[: FEW * 2]
    ]
    return [said, "", *table(["motif or column", "mean size, SD", "where strongest"], rows)]
