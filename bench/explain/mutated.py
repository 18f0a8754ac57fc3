"""In-silico mutagenesis: what every base of a row does to its prediction, for any model.

A row's **map** is, for every position and base, the prediction with that base there less the prediction of the row
itself (0 for the row's own base), in standard deviations of the model's predictions. From it: the part that is
composition alone (each base's mean effect, wherever it stands), and the periods of what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate
from bench.explain.asked import Asked
from bench.explain.designed import Codes, mutants
from bench.explain.estimates import estimate
from bench.explain.record import Band, Mutated
from bench.explain.subject import Effort, Subject
from bench.kernels.shuffle import dinucleotide_shuffle
from bench.stats.ranks import mid_ranks

#: One of so many rows is shuffled and changed too: what periods are compared with.
SHUFFLED = 4
#: Bands of periods in bases. More than 50: composition of regions; the turn of the helix; a nucleosome.
BANDS = {"longer than 50 bases": (50.0, 1e9), "10 to 11 bases": (10.0, 11.0), "140 to 155 bases": (140.0, 155.0)}
#: Rows hold a period from so many turns on.
TURNS = 3.0


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of some rows. ``place`` : int64 (k,) among the subject's test rows. ``codes`` : of each row. ``delta`` :
    float32 (length, 4) of each, 0 where the base is the row's own, and at N. ``level`` : float64 (k,), the rows' own
    predictions, in the same unit."""

    place: NDArray[np.int64]
    codes: list[Codes]
    delta: list[NDArray[np.float32]]
    level: NDArray[np.float64]

    def contributions(self) -> list[NDArray[np.float64]]:
        """What the row's own base does against the mean of the other three, float64 (length,) of each row."""
        return [-each.sum(axis=1, dtype=np.float64) / 3 for each in self.delta]


def chosen(subject: Subject, count: int) -> NDArray[np.int64]:
    """Rows to look at: half of them those with the highest predictions, half those that are high in both what was
    predicted and what was measured (where the model is right), int64 (k,)."""
    measured = mid_ranks(subject.task.targets[subject.target].value[subject.row])
    predicted = mid_ranks(subject.centred)
    top = np.argsort(-predicted, kind="stable")
    right = np.argsort(-np.minimum(predicted, measured), kind="stable")
    taken = dict.fromkeys(int(i) for pair in zip(top, right, strict=True) for i in pair)
    return np.sort(np.array(list(taken)[:count], np.int64))


def mutate(subject: Subject, place: NDArray[np.int64], rows: list[Codes] | None = None) -> Maps:
    """Maps of test rows, or of ``rows`` designed from them.

    Every changed row is predicted by the whole model: 3 · length predictions a row. Features of a row with one base
    changed are made from those of the row itself where its featurizer can (motifs, k-mers).
    """
    codes = subject.codes(place) if rows is None else rows
    asked = Asked(subject, place)
    near = [
        _near(subject, int(subject.fold[at]), row, int(subject.row[at])) for at, row in zip(place, codes, strict=True)
    ]
    for i, row in enumerate(codes):
        asked.ask(row, i)
        if near[i] is None:
            asked.ask_all(mutants(row)[0], i)
    found = asked.answers()
    delta, level, first = [], np.empty(len(codes)), 0
    for i, row in enumerate(codes):
        _, position, base = mutants(row)
        level[i] = found[first]
        first += 1
        changed = near[i]
        if changed is None:
            changed = found[first : first + len(position)]
            first += len(position)
        each = np.zeros((len(row), 4), np.float32)
        each[position, base] = changed - level[i]
        delta.append(each)
    return Maps(place, codes, delta, level)


def _near(subject: Subject, fold: int, row: Codes, number: int) -> NDArray[np.float64] | None:
    """Predictions of a row's changes, from features that follow from its own; None where the model has none."""
    assert subject.predictor is not None
    found = subject.predictor.mutants(subject.sequences([row], np.array([number], np.int64)), fold)
    return None if found is None else found.astype(np.float64) / subject.spread


def ask_mutated(subject: Subject, effort: Effort) -> tuple[Mutated, Maps]:
    """The question of `bench explain`: maps of the rows that are looked at, and what follows from them."""
    maps = mutate(subject, chosen(subject, effort.rows))
    few = maps.place[:: SHUFFLED if len(maps.place) >= 8 * SHUFFLED else 1]
    plain = subject.sequences(subject.codes(few), subject.row[few])
    made = dinucleotide_shuffle(plain, seed=int(subject.rng(7).integers(1 << 31)))
    control = mutate(subject, few, [made.codes(i) for i in range(len(made))])
    return (
        Mutated(
            rows=len(maps.place),
            shuffled=len(few),
            composition=estimate(composition_share(maps)),
            bands=list(_bands(maps, control)),
        ),
        maps,
    )


def composition_share(maps: Maps) -> NDArray[np.float64]:
    """Of each row's map, the share that is composition: with h = map less its mean over the four bases of a position,
    Σ (mean of h over positions)² / mean over positions of Σ h². 1 for a model that adds up its bases wherever they
    stand, near 0 for one that reads sites. NaN for a map of zeros."""
    out = np.full(len(maps.delta), np.nan)
    for i, (delta, codes) in enumerate(zip(maps.delta, maps.codes, strict=True)):
        h = delta[codes < 4] - delta[codes < 4].mean(axis=1, keepdims=True)
        whole = float((h * h).sum(axis=1).mean())
        if whole > 0:
            out[i] = float((h.mean(axis=0) ** 2).sum() / whole)
    return out


def _bands(maps: Maps, control: Maps) -> Iterator[Band]:
    real, null = maps.contributions(), control.contributions()
    for name, (short, long) in BANDS.items():
        fits = [TURNS * (short if long > 1e6 else long) <= len(each) for each in (*real, *null)]
        if not all(fits):
            continue
        here = np.array([power(each, short, long) for each in real])
        there = np.array([power(each, short, long) for each in null])
        here, there = here[np.isfinite(here)], there[np.isfinite(there)]
        if len(here) < 3 or len(there) < 3:
            continue
        more = _difference(here, there)
        yield Band(
            name=name,
            share=estimate(here),
            shuffled=estimate(there),
            more=more,
            found=bool(more.low is not None and more.low > 0),
        )


def _difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> Estimate:
    """Mean of a less mean of b with a 95 % interval that holds for unlike variances (Welch)."""
    from bench.stats.intervals import student

    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    df = (va + vb) ** 2 / max(va**2 / (len(a) - 1) + vb**2 / (len(b) - 1), 1e-300)
    gap, half = float(a.mean() - b.mean()), student(0.975, int(df)) * float(np.sqrt(va + vb))
    return Estimate(value=gap, low=gap - half, high=gap + half)


def power(contribution: NDArray[np.float64], short: float, long: float) -> float:
    """Share of a row's power (variance of its contributions) at periods in a band, by its Fourier coefficients; between
    two of them (a band narrower than their distance), by the largest power at 9 periods of the band over the total."""
    c = contribution - contribution.mean()
    n, total = len(c), float((c * c).sum())
    if total <= 0:
        return float("nan")
    frequency = np.fft.rfftfreq(n)[1:]
    spectrum = np.abs(np.fft.rfft(c)[1:]) ** 2
    inside = (frequency <= 1 / short) & (frequency >= 1 / long)
    if long > 1e6:
        return float(spectrum[inside].sum() / spectrum.sum())
    periods = np.linspace(short, long, 9)
    waves = np.exp(2j * np.pi * np.arange(n)[None] / periods[:, None])
    return float((np.abs(waves @ c) ** 2).max() * 2 / n / total)


# ---- files -----------------------------------------------------------------------------------------------------------
def write_npz(path: Path, subject: Subject, maps: Maps) -> None:
    """``row_id`` (k,), ``length`` (k,), ``codes`` uint8 (k, width; 4 beyond a row's end), ``delta`` float32 (k, width,
    4), ``prediction`` (k,), all in standard deviations of the predictions, ``spread`` of which is there too."""
    width = max(map(len, maps.codes))
    codes = np.full((len(maps.codes), width), 4, np.uint8)
    delta = np.zeros((len(maps.codes), width, 4), np.float32)
    for i, (row, each) in enumerate(zip(maps.codes, maps.delta, strict=True)):
        codes[i, : len(row)], delta[i, : len(row)] = row, each
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            row_id=np.asarray(subject.task.row_id[subject.row[maps.place]], np.str_),
            length=np.array([*map(len, maps.codes)], np.int64),
            codes=codes,
            delta=delta,
            prediction=maps.level,
            spread=np.float64(subject.spread),
        )


def write_bedgraph(path: Path, subject: Subject, maps: Maps) -> None:
    """Contributions as bedGraph: name of the row, positions from 0 on the row's strand, what its own base does."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write('track type=bedGraph name="contribution"\n')
        for place, each in zip(maps.place, maps.contributions(), strict=True):
            name = "_".join(str(subject.task.row_id[subject.row[place]]).split())
            for at, value in enumerate(each):
                stream.write(f"{name}\t{at}\t{at + 1}\t{value:.5g}\n")
