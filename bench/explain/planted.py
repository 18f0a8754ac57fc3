"""Planted motifs (global importance analysis): what one site does to a model's prediction, whatever the model.

Every motif is written into dinucleotide-shuffled test rows whose GC stays as it was, and compared with its own bases
shuffled at the same place of the same background. So neither GC nor composition of the site can be what differs.

Source: Koo et al., PLoS Computational Biology 17:e1008925 (2021); controls and matched GC are this package's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.explain.asked import Asked
from bench.explain.designed import Codes, controls, moved, other_strand, planted
from bench.explain.estimates import estimate
from bench.explain.record import Family, GCExchange, PlantedMotifs, Spacing
from bench.explain.subject import Effort, Subject
from bench.kernels.shuffle import dinucleotide_shuffle
from bench.motifs.motif import Motif
from bench.motifs.similar import alike, centred, consensus, grouped
from bench.stats.intervals import student

#: Controls of a motif, dealt to the backgrounds in turn.
CONTROLS = 4
#: Regions of a sequence that a family's effect is looked at in; distances of pairs, between the ends of two sites.
REGIONS = 6
DISTANCES = (0, 3, 6, 10, 15, 20, 30, 50)
#: Percentage points that the backgrounds' GC is moved by.
POINTS = (-10.0, -5.0, 5.0, 10.0)
DOSES = (1, 2, 3, 4)
#: Motifs of a group that are looked at again, and how many times as many as are taken are looked through for groups.
ALIKE_MOST, LOOKED = 3, 4
#: Words at most this share of a background.
MOST = 0.5


@dataclass(frozen=True, eq=False)
class Backgrounds:
    """Shuffled test rows: their bases, the place of the test row each is of, and an order of its positions."""

    codes: list[Codes]
    place: NDArray[np.int64]
    order: list[NDArray[np.intp]]

    def __len__(self) -> int:
        return len(self.codes)


def backgrounds(subject: Subject, count: int, question: int) -> Backgrounds:
    """Dinucleotide shuffles of test rows drawn at random, each row as often as it takes."""
    rng = subject.rng(question)
    repeats = -(-count // len(subject.row))
    place = np.concatenate([rng.permutation(len(subject.row)) for _ in range(repeats)])[:count]
    plain = subject.sequences(subject.codes(place), subject.row[place])
    made = dinucleotide_shuffle(plain, seed=int(rng.integers(1 << 31)))
    codes = [made.codes(i) for i in range(len(made))]
    return Backgrounds(codes, place, [rng.permutation(len(each)) for each in codes])


@dataclass(frozen=True, eq=False)
class _Word:
    """A site as it is written, and its controls."""

    site: Codes
    controls: list[Codes]

    def pair(self, background: int, flip: bool) -> tuple[Codes, Codes]:
        other = self.controls[background % len(self.controls)]
        return (other_strand(self.site), other_strand(other)) if flip else (self.site, other)


@dataclass
class _Effects:
    """Effects of motifs, in standard deviations of the predictions: one row a motif, one column a background."""

    values: NDArray[np.float64]
    mean: NDArray[np.float64] = field(init=False)
    error: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        n = self.values.shape[1]
        self.mean = self.values.mean(axis=1)
        self.error = self.values.std(axis=1, ddof=1) / np.sqrt(n)

    def sure(self) -> NDArray[np.float64]:
        """How large each is at least, either way."""
        return np.maximum(np.abs(self.mean) - student(0.975, self.values.shape[1] - 1) * self.error, 0)


def plant(subject: Subject, effort: Effort) -> PlantedMotifs:
    """Screen all motifs of a subject at one copy; then the strongest again in other backgrounds, in groups of those
    that are alike, with dose, position and distance; and what GC does to the same backgrounds."""
    first = backgrounds(subject, effort.backgrounds, question=2)
    shortest = min(map(len, first.codes))
    motifs = [m for m in subject.motifs if len(consensus(m)) <= MOST * shortest]
    rng = subject.rng(3)
    words = [_word(motif, rng) for motif in motifs]
    screened = _screen(subject, first, words, rng)
    # Those that do the most for sure; without doubt about more than are taken, the next by their mean.
    rank = _spread_out(np.lexsort((-np.abs(screened.mean), -screened.sure())), motifs, effort.second)
    again = backgrounds(subject, effort.again, question=4)
    second = _screen(subject, again, [words[i] for i in rank], rng)
    order = np.lexsort((-np.abs(second.mean), -second.sure()))
    ranked = [motifs[rank[i]] for i in order]
    groups = grouped(ranked, effort.families)
    heads = [ranked[group[0]] for group in groups]
    answering = [motifs[i] for i in np.argsort(-screened.sure(), kind="stable") if screened.sure()[i] > 0]
    others = _joined(heads, answering)
    exchange = _gc(subject, again)
    families = [
        _family(subject, again, words[rank[order[group[0]]]], [ranked[group[0]], *more], second, int(order[group[0]]))
        for group, more in zip(groups, others, strict=True)
        if second.sure()[order[group[0]]] > 0
    ]
    paired = [words[rank[order[group[0]]]] for group in groups[: effort.pairs]][: len(families)]
    return PlantedMotifs(
        motifs=len(motifs),
        too_long=len(subject.motifs) - len(motifs),
        backgrounds=len(first),
        again=len(again),
        tested=len(rank),
        exchange=exchange,
        families=[_priced(each, exchange) for each in families],
        pairs=_spacing(subject, again, paired, [each.motif for each in families]),
    )


def _spread_out(order: NDArray[np.intp], motifs: Sequence[Motif], count: int) -> NDArray[np.intp]:
    """The first of an order of motifs, but of those that are alike only a few: AP-1's alone are forty, and would leave
    no room for others."""
    looked = order[: LOOKED * count]
    groups = grouped([motifs[i] for i in looked], count)
    few = sorted(place for group in groups for place in group[:ALIKE_MOST])
    return looked[np.array(few[:count], np.intp)]


def _joined(heads: Sequence[Motif], motifs: Sequence[Motif]) -> list[list[Motif]]:
    """Of each head the motifs that are alike it, in their order, each with the first that it is alike."""
    shapes = [centred(head) for head in heads]
    out: list[list[Motif]] = [[] for _ in heads]
    for motif in motifs:
        if motif in heads:
            continue
        shape = centred(motif)
        mine = next((i for i, head in enumerate(shapes) if alike(head, shape)), None)
        if mine is not None:
            out[mine].append(motif)
    return out


def _word(motif: Motif, rng: np.random.Generator) -> _Word:
    site = consensus(motif)
    return _Word(site, controls(site, motif.log_odds(), CONTROLS, rng))


def _screen(subject: Subject, on: Backgrounds, words: Sequence[_Word], rng: np.random.Generator) -> _Effects:
    """Effect of one copy of each word at a place drawn for each background, on a strand drawn too."""
    where, flip = rng.random(len(on)), rng.random(len(on)) < 0.5
    asked = Asked(subject, on.place)
    for word in words:
        for b in range(len(on)):
            at = int(where[b] * (len(on.codes[b]) - len(word.site) + 1))
            for each in word.pair(b, bool(flip[b])):
                asked.ask(planted(on.codes[b], at, each, on.order[b], _none(on.codes[b])), b)
    found = asked.answers().reshape(len(words), len(on), 2)
    return _Effects(found[:, :, 0] - found[:, :, 1])


def _none(codes: Codes) -> NDArray[np.bool_]:
    return np.zeros(len(codes), np.bool_)


# ---- GC --------------------------------------------------------------------------------------------------------------
def _gc(subject: Subject, on: Backgrounds) -> GCExchange:
    """What a percentage point of GC does to the same backgrounds."""
    asked = Asked(subject, on.place)
    for b, codes in enumerate(on.codes):
        for points in POINTS:
            asked.ask(moved(codes, points, on.order[b]), b)
    found = asked.answers().reshape(len(on), len(POINTS))
    by = np.array(POINTS)
    slopes = found @ by / (by @ by)
    curve = found - found.mean(axis=1, keepdims=True)
    return GCExchange(
        per_point=estimate(slopes),
        points=list(POINTS),
        curve=[estimate(each) for each in curve.T],
    )


def _priced(family: Family, exchange: GCExchange) -> Family:
    """With what one site is worth in percentage points of GC, where GC does anything for sure."""
    slope = exchange.per_point
    if slope.low is None or slope.high is None or slope.low <= 0 <= slope.high:
        return family
    return family.model_copy(update={"gc_points": family.effect.value / slope.value})


# ---- dose, position, distance ----------------------------------------------------------------------------------------
def _family(
    subject: Subject, on: Backgrounds, word: _Word, motifs: Sequence[Motif], effects: _Effects, place: int
) -> Family:
    head = motifs[0]
    return Family(
        motif=head.title,
        family=head.family or head.name,
        others=[motif.title for motif in motifs[1:]],
        site="".join("ACGTN"[code] for code in word.site),
        effect=estimate(effects.values[place]),
        dose=[estimate(each) for each in _dose(subject, on, word)],
        position=[estimate(each) for each in _position(subject, on, word)],
    )


def _dose(subject: Subject, on: Backgrounds, word: _Word) -> Iterable[NDArray[np.float64]]:
    """Effect of 1 to 4 copies, in slots that do not overlap, over as many controls."""
    rng = subject.rng(5)
    asked = Asked(subject, on.place)
    k = len(word.site)
    enough = min(map(len, on.codes)) >= 2 * k * len(DOSES)
    doses = DOSES if enough else DOSES[: max(min(map(len, on.codes)) // (2 * k), 1)]
    for b, codes in enumerate(on.codes):
        slots = rng.permutation(len(codes) // k)[: len(doses)] * k
        for copies in doses:
            for which in range(2):
                out, kept = codes, _none(codes)
                for i, at in enumerate(slots[:copies]):
                    out = planted(out, int(at), word.pair(b, bool((b + i) % 2))[which], on.order[b], kept)
                    kept[at : at + k] = True
                    for other in slots[:copies]:
                        kept[other : other + k] = True
                asked.ask(out, b)
    found = asked.answers().reshape(len(on), len(doses), 2)
    return (found[:, :, 0] - found[:, :, 1]).T


def _position(subject: Subject, on: Backgrounds, word: _Word) -> Iterable[NDArray[np.float64]]:
    """Effect in each region, from the 5' end."""
    rng = subject.rng(6)
    asked = Asked(subject, on.place)
    for b, codes in enumerate(on.codes):
        for region in range(REGIONS):
            share = (region + rng.random()) / REGIONS
            at = int(share * (len(codes) - len(word.site) + 1))
            for each in word.pair(b, bool(b % 2)):
                asked.ask(planted(codes, at, each, on.order[b], _none(codes)), b)
    found = asked.answers().reshape(len(on), REGIONS, 2)
    return (found[:, :, 0] - found[:, :, 1]).T


def _spacing(subject: Subject, on: Backgrounds, words: Sequence[_Word], names: Sequence[str]) -> list[Spacing]:
    """How far the effect of two sites differs from the sum of both, by the bases between them."""
    out = []
    for i, first in enumerate(words):
        for j in range(i, len(words)):
            second = words[j]
            a, b = len(first.site), len(second.site)
            fits = [d for d in DISTANCES if a + b + d <= min(map(len, on.codes))]
            asked = Asked(subject, on.place)
            for at, codes in enumerate(on.codes):
                for distance in fits:
                    start = (len(codes) - a - b - distance) // 2
                    for left in range(2):
                        for right in range(2):
                            kept = _none(codes)
                            kept[start + a + distance : start + a + distance + b] = True
                            word = first.pair(at, False)[left]
                            made = planted(codes, start, word, on.order[at], kept)
                            kept[:] = False
                            kept[start : start + a] = True
                            word = second.pair(at, False)[right]
                            asked.ask(planted(made, start + a + distance, word, on.order[at], kept), at)
            found = asked.answers().reshape(len(on), len(fits), 2, 2)
            beyond = found[:, :, 0, 0] - found[:, :, 0, 1] - found[:, :, 1, 0] + found[:, :, 1, 1]
            out.append(
                Spacing(first=names[i], second=names[j], distances=fits, beyond=[estimate(each) for each in beyond.T])
            )
    return out
