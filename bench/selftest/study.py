"""The coverage study of `bench selftest --full`: bias and coverage of GC's share over shares and reliabilities and in
every named world, and the error rate of the letters.

``docs/calibration.md`` is written from what was computed, never by hand.
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets.simulate import noisy_replicates, simulate
from bench.selftest.lines import passed
from bench.selftest.pipeline import held_out_curves, with_replicates
from bench.selftest.worlds import LEARNERS, MARKS, Judged
from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.compare import letters_of
from bench.stats.ranks import spearman

SHARES = (0.0, 0.1, 0.3, 0.5, 1.0)
#: Of each of the two replicates; the mean of both has .33, .67 and .95.
RELIABILITIES = (0.2, 0.5, 0.9)
#: Loci and tiles of each: about as many rows as a data set of the field, and as few loci as its smallest.
BLOCKS = ((1000, 1), (200, 10), (100, 30))
#: Boards of equal models: loci, rows of each, correlation of rows within a locus.
TIES = ((600, 1, 0.0), (200, 10, 0.5), (100, 30, 0.9))
MODELS = (2, 5, 10)
#: The criteria.
MOST_BIAS, COVERAGE, MOST_ERROR = 0.03, (0.90, 0.98), 0.08
#: Draws for tie letters, which need the spread of differences only.
TIE_DRAWS = 500


@dataclass(frozen=True)
class World:
    """True share and reliability, loci and tiles, and the estimates of one world (repetitions, 3): value, low, high."""

    share: float
    reliability: float
    loci: int
    tiles: int
    found: NDArray[np.float64]

    @property
    def bias(self) -> float:
        """Mean of the estimates less the true share."""
        return float(self.found[:, 0].mean() - self.share)

    @property
    def bias_error(self) -> float:
        """Monte-Carlo standard error of the bias."""
        return float(self.found[:, 0].std(ddof=1) / math.sqrt(len(self.found)))

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each interval holds the true share."""
        return (self.found[:, 1] <= self.share) & (self.share <= self.found[:, 2])


@dataclass(frozen=True)
class Ties:
    """Boards of ``models`` equally good models on which the letters told some apart, of ``boards``."""

    loci: int
    rows: int
    correlation: float
    models: int
    told_apart: int
    boards: int


@dataclass(frozen=True)
class Criterion:
    """What must hold, what was found, and whether it did."""

    what: str
    found: str
    passed: bool


@dataclass(frozen=True)
class Study:
    """All that was computed, and how long it took on how much of a processor."""

    worlds: tuple[World, ...]
    ties: tuple[Ties, ...]
    judged: tuple[Judged, ...]
    repetitions: int
    seed: int
    seconds: float
    cpu_seconds: float

    def of_blocks(self, tiles: int) -> list[World]:
        """The worlds of one number of tiles."""
        return [world for world in self.worlds if world.tiles == tiles]

    def criteria(self) -> list[Criterion]:
        """Every line of every named world; bias under .03 wherever reliability is .5 or more; coverage of 90 to 98 %
        with each number of tiles; tie letters wrong on at most 8 % of boards."""
        out = []
        if self.judged:
            bad = [each.world.name for each in self.judged if not passed(each.lines())]
            said = f"{len(self.judged) - len(bad)} of {len(self.judged)}{': not ' * bool(bad)}{', '.join(bad)}"
            out.append(Criterion("named worlds, each by itself", said, not bad))
        firm = [world for world in self.worlds if world.reliability >= 0.5]
        worst = max(firm, key=lambda world: abs(world.bias))
        out.append(
            Criterion(
                f"bias of the share below {MOST_BIAS} where reliability is .5 or more",
                f"largest {worst.bias:+.3f} ± {worst.bias_error:.3f} (share {worst.share:g}, reliability"
                f" {worst.reliability:g}, {worst.tiles} tiles)",
                abs(worst.bias) < MOST_BIAS,
            )
        )
        for _, tiles in BLOCKS:
            covered = np.concatenate([world.covered for world in self.of_blocks(tiles)])
            part = float(covered.mean())
            out.append(
                Criterion(
                    f"coverage of 95 % intervals between 90 and 98 %, {tiles} tiles per locus",
                    f"{_percent(part, len(covered))} of {len(covered)} intervals",
                    COVERAGE[0] <= part <= COVERAGE[1],
                )
            )
        wrong = max(self.ties, key=lambda ties: ties.told_apart / ties.boards)
        rate = wrong.told_apart / wrong.boards
        out.append(
            Criterion(
                "type-I error of tie letters at most 8 %",
                f"largest {_percent(rate, wrong.boards)} ({wrong.models} models, {wrong.loci} loci of {wrong.rows})",
                rate <= MOST_ERROR,
            )
        )
        return out


def _percent(rate: float, trials: int) -> str:
    """``94.3 ± 0.9 %``: a rate with its Monte-Carlo standard error."""
    return f"{100 * rate:.1f} ± {100 * math.sqrt(rate * (1 - rate) / trials):.1f} %"


def share_worlds(share: float, loci: int, tiles: int, repetitions: int, seed: int) -> list[World]:
    """The worlds of all reliabilities at one true share: the same simulated rows, measured three ways.

    A motif has .3 of the activity (what is left, where less is). G and D are curves, held out in three folds.
    """
    found = np.full((len(RELIABILITIES), repetitions, 3), np.nan)
    for repetition in range(repetitions):
        own = seed + 1_000 * repetition + 31 * tiles + round(100 * share) * 1_000_003
        data = simulate(loci, tiles, gc_share=share, motif_share=min(0.3, 1 - share), length=60, seed=own)
        for r, reliability in enumerate(RELIABILITIES):
            measured = with_replicates(data, noisy_replicates(data.latent, reliability, 2, own + r))
            part = held_out_curves(measured, seed=repetition).share
            if part is not None:
                found[r, repetition] = part.value
    return [World(share, reliability, loci, tiles, found[r]) for r, reliability in enumerate(RELIABILITIES)]


def tie_boards(loci: int, rows: int, correlation: float, boards: int, seed: int) -> list[Ties]:
    """Boards of ten equally good models, of which two and five are the first.

    Activity, its noise and the error of every model have ``correlation`` between the rows of a locus.
    """
    block = np.repeat(np.arange(loci), rows)
    told_apart = dict.fromkeys(MODELS, 0)
    for number in range(boards):
        rng = np.random.default_rng(np.random.SeedSequence([seed, loci, number]))
        shape = (2 + max(MODELS), loci)
        parts = math.sqrt(correlation) * rng.normal(size=shape)[:, block]
        parts += math.sqrt(1 - correlation) * rng.normal(size=(len(parts), len(block)))
        y, models = parts[0] + parts[1], (parts[0] + parts[2:]).T
        scores = np.array([spearman(y, model) for model in models.T])
        draws = spearman_draws(y, models, block, Draws(loci, TIE_DRAWS, number))
        for count in MODELS:
            told_apart[count] += len(set(letters_of(scores[:count], draws[:, :count], loci))) > 1
    return [Ties(loci, rows, correlation, count, told_apart[count], boards) for count in MODELS]


def run_study(
    repetitions: int, seed: int, say: Callable[[str], None] = lambda line: None, judged: Sequence[Judged] = ()
) -> Study:
    """The whole study; ``say`` is told after each part. Tie letters get ten boards per repetition. ``judged`` : the
    named worlds, which the report tells of too."""
    began, cpu = time.perf_counter(), time.process_time()
    worlds: list[World] = []
    ties: list[Ties] = []
    for loci, tiles in BLOCKS:
        for share in SHARES:
            worlds += share_worlds(share, loci, tiles, repetitions, seed)
            for world in worlds[-len(RELIABILITIES) :]:
                say(
                    f"  {tiles:>2} tiles, share {share:.1f}, reliability {world.reliability:.1f}:"
                    f" bias {world.bias:+.3f} ± {world.bias_error:.3f}, covered {world.covered.sum()} of {repetitions}"
                )
    for loci, rows, correlation in TIES:
        ties += tie_boards(loci, rows, correlation, 10 * repetitions, seed)
        for found in ties[-len(MODELS) :]:
            say(
                f"  {loci} loci of {rows}: {found.models} equal models told apart on {found.told_apart} of"
                f" {found.boards}"
            )
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    return Study(tuple(worlds), tuple(ties), tuple(judged), repetitions, seed, seconds, cpu_seconds)


# ---- the report ------------------------------------------------------------------------------------------------------
def write_report(study: Study, path: Path) -> None:
    """Write the study as Markdown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(study), encoding="utf-8")


def report(study: Study) -> str:
    """The study as Markdown: criteria, tables, and how it was made."""
    lines = [
        "# Calibration",
        "",
        "Does the board say what is true? Here the truth is known: simulated assays in which GC has a given share of",
        "the explainable variance go through the functions of every result, and what comes back is held against it.",
        "Written by `bench selftest --full`; do not edit.",
        "",
        "| criterion | found | |",
        "| --- | --- | --- |",
        *(f"| {each.what} | {each.found} | {'PASS' if each.passed else 'FAIL'} |" for each in study.criteria()),
        "",
        *_named(study),
        *_shares(study),
        "",
        *_ties(study),
        "",
        *_how(study),
    ]
    return "\n".join(lines) + "\n"


def _named(study: Study) -> list[str]:
    """The named worlds: a row each."""
    if not study.judged:
        return []
    lines = [
        "## Named worlds",
        "",
        f"`bench simulate --list` names them. {len(study.judged[0].boards)} boards each, predictions at a stored noise"
        f" level, the best learner chosen among {LEARNERS}",
        "fold by fold. *share*: what must hold the truth: the headline, the share with DNA held fixed, or the headline",
        "by the wider of its intervals; elsewhere the board must say that its figure is not to be trusted.",
        "*oracle*: the noise-free activity as a prediction, in % of the printed noise ceiling, on boards without a",
        "warning. *chosen*: score of the chosen less the mean of the ten. ± standard errors over boards.",
        "",
        "| world | truth | share | bias | coverage | width / range | oracle | chosen | said | |",
        "| --- | --: | --- | --: | --: | --: | --: | --: | --- | --- |",
    ]
    return [*lines, *(f"| {' | '.join(_named_cells(each))} |" for each in study.judged), ""]


def _named_cells(judged: Judged) -> list[str]:
    figure, boards, known = judged.expected.figure, len(judged.boards), len(judged.known)
    cells = ["", "", ""]
    if figure != "none" and known > 1:
        covered = judged.covered / known
        error = math.sqrt(covered * (1 - covered) / known)
        bias = "{:+.3f} ± {:.3f}".format(*judged.bias)
        cells = [bias, f"{covered:.3f} ± {error:.3f}", f"{judged.width:.2f}" if known > 2 else ""]
    oracle = "" if judged.oracle is None else f"{100 * judged.oracle[0]:.1f} ± {100 * judged.oracle[1]:.1f} %"
    said = "; ".join(f"{words} {judged.said(mark)}/{boards}" for mark, words in MARKS.items() if judged.said(mark))
    chosen = "{:+.4f} ± {:.4f}".format(*judged.chosen)
    shown = "" if figure == "none" else figure
    name = f"{judged.world.name}: {judged.world.says}"
    verdict = "PASS" if passed(judged.lines()) else "FAIL"
    return [name, f"{judged.world.truth:.3f}", shown, *cells, oracle, chosen, said, verdict]


def _shares(study: Study) -> list[str]:
    """Bias and coverage: a table for each number of tiles, a row per true share."""
    lines = [
        "## GC's share: bias and coverage",
        "",
        "Share of explainable variance, product form, of two replicates. Reliability is that of one replicate. Bias:",
        "mean estimate less true share ± Monte-Carlo standard error. Coverage: 95 % intervals that hold the truth.",
        f"{study.repetitions} data sets per world.",
    ]
    for loci, tiles in BLOCKS:
        worlds = {(world.share, world.reliability): world for world in study.of_blocks(tiles)}
        heads = [f"reliability {r:g}: bias | coverage" for r in RELIABILITIES]
        lines += ["", f"{loci:,} loci of {tiles} row{'s' if tiles > 1 else ''}:", ""]
        lines += [f"| true share | {' | '.join(heads)} |", "| --: |" + " --: |" * (2 * len(RELIABILITIES))]
        for share in SHARES:
            row = [worlds[share, r] for r in RELIABILITIES]
            shown = [f"{w.bias:+.3f} ± {w.bias_error:.3f} | {100 * w.covered.mean():.0f} %" for w in row]
            lines.append(f"| {share:g} | {' | '.join(shown)} |")
    return lines


def _ties(study: Study) -> list[str]:
    """Error rate of the tie letters: a row per kind of block, a column per number of models."""
    lines = [
        "## Tie letters: type-I error",
        "",
        "Boards of equally good models on which the letters tell some apart (nominal 5 %), ± standard error.",
        "",
        "| loci × rows, correlation within | " + " | ".join(f"{count} models" for count in MODELS) + " |",
        "| --- |" + " --: |" * len(MODELS),
    ]
    for loci, rows, correlation in TIES:
        rates = {
            t.models: _percent(t.told_apart / t.boards, t.boards)
            for t in study.ties
            if (t.loci, t.rows) == (loci, rows)
        }
        lines.append(f"| {loci} × {rows}, {correlation:g} | " + " | ".join(rates[count] for count in MODELS) + " |")
    return lines


def _how(study: Study) -> list[str]:
    """The call, the versions, the time it took, and what was simulated."""
    return [
        "## How it was made",
        "",
        f"`bench selftest --full --repetitions {study.repetitions} --seed {study.seed}` on"
        f" {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_versions()};",
        f"{study.cpu_seconds:.0f} s of processor time, {study.seconds:.0f} s by the clock. Each world has"
        f" {study.repetitions} simulated data sets,",
        "the same ones for the three reliabilities; each interval 2,000 draws over loci; tie letters"
        f" {study.ties[0].boards} boards per row",
        f"of the table, {TIE_DRAWS} draws each. A motif has .3 of the activity (less where GC leaves less), the rest",
        "is noise of the locus. GC's learner is `gc-curve` on GC, the best learner the same curve on GC and the number",
        "of motif hits, held out in three folds by chromosome. Replicates are activity plus Gaussian noise; what",
        "small counts and DNA noise do is checked by `bench selftest` itself.",
    ]


def _versions() -> str:
    import importlib.metadata
    import platform

    import bench

    found = [f"bench {bench.__version__}", f"Python {platform.python_version()}"]
    found += [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "numba", "scikit-learn")]
    return ", ".join(found)
