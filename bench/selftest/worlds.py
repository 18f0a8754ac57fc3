"""The named worlds (``bench.datasets.worlds``) through the figures of every board, each world judged by itself.

Predictions have a stored noise level, so that many boards of a world are affordable: G is what a perfect GC-only
learner predicts with a wiggle of GC; D is *chosen*, fold by fold, among ten equally good learners on the validation
rows of each fold, which are test rows of the next; the *oracle* is the noise-free activity itself, which must reach
100 % of the printed noise ceiling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.datasets.worlds import LINE, WORLDS, Rng, Rows, World, replicates
from bench.selftest.lines import Line
from bench.stats.bootstrap import Draws
from bench.stats.figures import TargetFigures, target_figures
from bench.stats.intervals import student
from bench.stats.observations import Learners, Observations
from bench.stats.ranks import spearman_by_fold
from bench.stats.replicates import combine
from bench.stats.strata import by_stratum

Array = NDArray[np.float64]

#: Stored noise of the predictions: of G over the spread of what is seen, of D's learners over that of activity, and of
#: the level of every fold (in the same units), which no figure may depend on.
G_NOISE, D_NOISE, LEVELS = 0.07, 0.35, 0.1
#: Learners that D is chosen among.
LEARNERS = 10
#: Bias, coverage and width over the central range of the estimates that a world must keep.
MOST_BIAS, LEAST_COVERAGE, MOST_WIDTH = 0.03, 0.92, 1.4
#: What a choice may gain by luck; by the mean over folds of validation scores it gains .02.
MOST_GAIN = 0.003
#: Boards without a reason for a mark that may have one; boards with one that must.
FALSE_MARKS, TRUE_MARKS = 0.05, 0.95
#: A line fails where chance alone carries a figure as far beyond its bound in one of a thousand repetitions.
CHANCE = 0.001
#: Repetitions from which the width of the intervals can be judged.
JUDGE_WIDTH = 20

#: What a board can say about its share.
MARKS = {
    "library": "may be the library's",
    "at least": "at least",
    "strata": "strata tell another story",
    "chromosome": "one chromosome has most rows",
}


@dataclass(frozen=True)
class Expected:
    """What must come back of a world. figure : which share holds the truth: the headline, that with DNA held fixed, or
    the headline with the wider of its two intervals; "none" where no figure can. marks : what the board must say.
    may : what it may say too."""

    figure: str = "share"
    bias: float = MOST_BIAS
    coverage: float = LEAST_COVERAGE
    width: float = MOST_WIDTH
    marks: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()


_LIBRARY, _LEAST = frozenset({"library"}), frozenset({"at least"})
EXPECTED: dict[str, Expected] = {
    "missing-by-gc": Expected(bias=0.05, marks=_LIBRARY),
    "library-bias": Expected("given DNA", marks=_LIBRARY),
    "measurement-bias": Expected("none", marks=_LIBRARY),
    "measurement-bias-controls": Expected("none", marks=_LIBRARY),
    "floor-by-gc": Expected("none", marks=_LIBRARY, may=_LEAST),
    "zeros-88": Expected("none", marks=_LEAST),
    "zeros-97": Expected("none", marks=_LEAST),
    "two-modes": Expected("none", marks=_LEAST),
    "domains": Expected("wider", coverage=0.88, width=1.8),
    "chromosome-slopes": Expected("wider", bias=0.06, coverage=0.88, width=1.8),
    "chromosomes-80-15-5": Expected(marks=frozenset({"chromosome"})),
    "simpson": Expected(marks=frozenset({"strata"})),
    "loci-20": Expected(bias=0.06, width=1.8),
    "loci-20-tiles-50": Expected(bias=0.06, width=1.8),
}
#: A world that differs from "equal" in a prediction, not in its rows.
WRONG_WAY = World("wrong-way", "the GC-only learner runs the wrong way", -LINE, replicates(0.5, 0.5))
ALL = (*WORLDS.values(), WRONG_WAY)


# ---- one board -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Board:
    """What is kept of one board: value, low and high of the share that must hold the truth (NaN where n/a), the oracle
    in parts of the ceiling (NaN without one), the score of the chosen D less the mean of the ten, and what is said."""

    value: float
    low: float
    high: float
    oracle: float
    chosen: float
    marks: frozenset[str]


def one_board(world: World, seed: int, draws: int) -> Board:
    """All figures of one assay of a world, with ``draws`` draws over its loci."""
    rows = world.draw(seed)
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1]))
    rows = replace(rows, seen=-rows.seen) if world is WRONG_WAY else rows
    rows = replace(rows, locus=np.unique(rows.locus, return_inverse=True)[1])
    fold = rows.chrom % world.folds
    drawn = Draws(int(rows.locus.max()) + 1, draws, seed)
    found = _figures(rows, fold, rng, drawn)
    stratum = np.where(rows.locus % 2, "odd", "even") if rows.stratum is None else rows.stratum
    y = combine(rows.replicates, loci=drawn.blocks).value
    inside = np.where(np.isfinite(y), fold, -1)
    story = by_stratum(y, {"GC": rows.gc}, stratum, inside, rows.locus, drawn).stories["GC"]
    share = found.share
    assert share is not None, "G is there"
    said = {
        "library": any(test.matters for test in found.library),
        "at least": bool(found.at_least),
        "strata": bool(story.opposite) or story.pooled_only,
        "chromosome": found.chromosome is not None,
    }
    figure = share.value
    expected = EXPECTED.get(world.name, Expected())
    if expected.figure == "given DNA" and share.given is not None:
        figure = share.given.share.value
    elif expected.figure == "wider" and share.shown is not None and share.shown.wide:
        figure = share.shown.by_chromosome
    scores = {row.name: row.spearman.value for row in found.learners}
    best = found.choices["best"].figures
    assert best is not None, "D is there"
    oracle = found.of("T")
    return Board(
        *figure,
        np.nan if oracle is None else oracle.of_ceiling.value,
        best.spearman.value - float(np.mean([scores[f"D{i}"] for i in range(LEARNERS)])),
        frozenset(mark for mark, there in said.items() if there),
    )


def _figures(rows: Rows, fold: NDArray[np.int64], rng: Rng, draws: Draws) -> TargetFigures:
    combined = combine(rows.replicates, loci=draws.blocks)
    predictions = {"GC": _with_noise(_wiggled(rng, rows), 0.0, fold, rng), "T": rows.latent}
    base = rows.seen * np.std(rows.latent) * 0.55 + 0.4 * (rows.hits - 1.0)
    ten = {f"D{i}": _with_noise(base, D_NOISE * float(np.std(rows.latent)), fold, rng) for i in range(LEARNERS)}
    known = np.isfinite(combined.value)
    validation = {
        name: np.roll(spearman_by_fold(combined.value[known], column[known], fold[known]), -1)
        for name, column in ten.items()
    }
    dna = None if rows.dna is None else rows.dna.astype(float)
    log_dna = {} if dna is None else {"log DNA count": np.log(np.maximum(dna, 0.5))}
    return target_figures(
        Observations(
            combined.value,
            fold,
            rows.locus,
            rows.replicates,
            rows.gc,
            dna=dna,
            confounders=log_dna,
            library={} if dna is None else {"log DNA count": "DNA"},
            chrom=rows.chrom,
            control=rows.control,
            combined=combined,
        ),
        Learners(
            {**predictions, **ten},
            gc_only=["GC"],
            baselines=["T"],
            validation={"GC": 1.0, "T": 1.0, **validation},
        ),
        draws=draws,
    )


def _wiggled(rng: Rng, rows: Rows) -> Array:
    """What a perfect GC-only learner predicts, with a smooth error of GC."""
    place = np.argsort(np.argsort(rows.z, kind="stable"), kind="stable") / len(rows)
    waves = np.cos(np.pi * np.arange(1, 7) * place[:, None]) @ rng.normal(size=6) / np.sqrt(3)
    return rows.seen + G_NOISE * float(np.std(rows.seen)) * waves


def _with_noise(signal: Array, noise: float, fold: NDArray[np.int64], rng: Rng) -> Array:
    """A prediction whose folds have levels of their own, as fits of different rows have."""
    level = LEVELS * float(np.std(signal)) * rng.normal(size=int(fold.max()) + 1)
    return signal + noise * rng.normal(size=len(signal)) + level[fold]


# ---- one world -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Judged:
    """The boards of a world, and what must hold of them."""

    world: World
    boards: tuple[Board, ...]

    @property
    def expected(self) -> Expected:
        """What must come back."""
        return EXPECTED.get(self.world.name, Expected())

    def column(self, name: str) -> Array:
        """One figure of all boards, (boards,)."""
        return np.array([getattr(board, name) for board in self.boards], float)

    @property
    def known(self) -> Array:
        """Value, low, high of the boards that print the share, (boards, 3)."""
        table = np.column_stack([self.column(name) for name in ("value", "low", "high")])
        return table[np.isfinite(table[:, 0])]

    @property
    def bias(self) -> tuple[float, float]:
        """Mean of the estimates less the truth, and its standard error (that of the intervals, on few boards)."""
        value, low, high = self.known.T
        spread = value.std(ddof=1) if len(value) >= JUDGE_WIDTH else max(float(np.mean(high - low)) / 3.92, 1e-3)
        return float(value.mean() - self.world.truth), float(spread / np.sqrt(len(value)))

    @property
    def covered(self) -> int:
        """Intervals that hold the truth."""
        _, low, high = self.known.T
        return int(((low <= self.world.truth) & (self.world.truth <= high)).sum())

    @property
    def width(self) -> float:
        """Median width of the intervals over the central 95 % range of the estimates."""
        value, low, high = self.known.T
        return float(np.median(high - low) / np.diff(np.quantile(value, [0.025, 0.975]))[0])

    @property
    def oracle(self) -> tuple[float, float] | None:
        """Mean and standard error of what the oracle reaches of the ceiling, on boards that print one without a
        warning; None where fewer than two do."""
        clear = [board.oracle for board in self.boards if not board.marks & {"library", "at least"}]
        reached = np.array([part for part in clear if np.isfinite(part)])
        if len(reached) < 2:
            return None
        return float(reached.mean()), float(reached.std(ddof=1) / np.sqrt(len(reached)))

    @property
    def chosen(self) -> tuple[float, float]:
        """Score of the chosen of ten equally good learners less their mean: 0, and its standard error."""
        gain = self.column("chosen")
        return float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))

    def said(self, mark: str) -> int:
        """Boards with a mark."""
        return sum(mark in board.marks for board in self.boards)

    def in_words(self) -> str:
        """All lines on one, without their rules."""
        return "; ".join(f"{line.what} {line.recovered} (truth {line.truth})" for line in self.lines())

    def lines(self) -> list[Line]:
        """Every criterion of the world by itself."""
        return [*self._share(), *self._oracle(), self._chosen(), *self._marks()]

    def _share(self) -> Iterator[Line]:
        expected, truth = self.expected, f"{self.world.truth:.3f}"
        if expected.figure == "none":  # the board must say that the figure is not it
            return
        if len(self.known) < 2:
            yield Line(expected.figure, truth, "n/a", "printed on two boards or more", False)
            return
        bias, error = self.bias
        boards = len(self.known)
        near = abs(bias) <= expected.bias + _errors(boards) * error
        rule = f"|bias| < {expected.bias:g}, but for chance"
        yield Line(expected.figure, truth, f"{self.world.truth + bias:.3f} ± {error:.3f}", rule, near)
        least = _least(boards, expected.coverage)
        held = f"{self.covered} of {boards}"
        yield Line("intervals hold it", f"{expected.coverage:g}", held, f"at least {least}", self.covered >= least)
        if boards >= JUDGE_WIDTH and self.world.truth:  # next to 0 squares have no range
            most = expected.width * (1 + _errors(boards) / np.sqrt(2 * (boards - 1)))
            rule = f"at most {expected.width:g}, but for chance"
            yield Line("width / range of estimates", "1", f"{self.width:.2f}", rule, self.width <= most)

    def _oracle(self) -> Iterator[Line]:
        if self.oracle is None or self.expected.marks & {"library", "at least"}:
            return
        reached, error = self.oracle
        far = _errors(len(self.boards)) * error
        good = 0.96 - far <= reached <= 1.04 + far
        shown = f"{100 * reached:.1f} ± {100 * error:.1f} %"
        yield Line("oracle, of the noise ceiling", "100 %", shown, "96 to 104 %, but for chance", good)

    def _chosen(self) -> Line:
        gain, error = self.chosen
        shown = f"{gain:+.4f} ± {error:.4f}"
        good = abs(gain) <= MOST_GAIN + _errors(len(self.boards)) * error
        return Line("D chosen among ten, less their mean", "0", shown, f"within {MOST_GAIN:g}, but for chance", good)

    def _marks(self) -> Iterator[Line]:
        boards = len(self.boards)
        for mark, words in MARKS.items():
            there, must = self.said(mark), mark in self.expected.marks
            if mark in self.expected.may:
                continue
            if must:
                least = _least(boards, TRUE_MARKS)
                rule, good = f"at least {least}", there >= least
            else:
                most = boards - _least(boards, 1 - FALSE_MARKS)
                rule, good = f"at most {most}", there <= most
            if must or there:
                yield Line(words, "said" if must else "not said", f"{there} of {boards}", rule, good)


def _errors(boards: int) -> float:
    """Standard errors, estimated from ``boards``, that chance goes beyond with CHANCE on either side."""
    return student(1 - CHANCE / 2, max(boards - 1, 1))


def _least(boards: int, rate: float) -> int:
    """Fewest successes of ``boards`` that chance gives at this rate, but for CHANCE."""
    from scipy.stats import binom

    return int(binom.ppf(CHANCE, boards, rate))


def judge(world: World, repetitions: int, draws: int, seed: int) -> Judged:
    """A world drawn again and again."""
    return Judged(world, tuple(one_board(world, 1000 * seed + i, draws) for i in range(repetitions)))


def judge_worlds(repetitions: int, draws: int, seed: int, worlds: Sequence[World] = ALL) -> Iterator[Judged]:
    """Every world, as they finish."""
    for world in worlds:
        yield judge(world, repetitions, draws, seed)
