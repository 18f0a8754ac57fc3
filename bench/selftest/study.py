"""The coverage study of `bench selftest --full`: bias and coverage of GC's share, and the error rate of tie letters.

``docs/calibration.md`` is written from what was computed, never by hand.
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.datasets.simulate import noisy_replicates, simulate
from bench.selftest.pipeline import held_out_curves, with_replicates
from bench.stats.bootstrap import Draws, spearman_draws
from bench.stats.compare import tie_letters
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
class Cell:
    """Planted share and reliability, loci and tiles, the estimates (repetitions, 3): value, low, high."""

    share: float
    reliability: float
    loci: int
    tiles: int
    found: NDArray[np.float64]

    @property
    def bias(self) -> float:
        """Mean of the estimates less the planted share."""
        return float(self.found[:, 0].mean() - self.share)

    @property
    def bias_error(self) -> float:
        """Monte-Carlo standard error of the bias."""
        return float(self.found[:, 0].std(ddof=1) / math.sqrt(len(self.found)))

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Whether each interval holds the planted share."""
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

    cells: tuple[Cell, ...]
    ties: tuple[Ties, ...]
    repetitions: int
    seed: int
    seconds: float
    cpu_seconds: float

    def of_blocks(self, tiles: int) -> list[Cell]:
        """The cells of one number of tiles."""
        return [cell for cell in self.cells if cell.tiles == tiles]

    def criteria(self) -> list[Criterion]:
        """Bias under .03 in every cell of reliability .5 or more; coverage of 90 to 98 % with each number of tiles;
        tie letters wrong on at most 8 % of boards."""
        out = []
        firm = [cell for cell in self.cells if cell.reliability >= 0.5]
        worst = max(firm, key=lambda cell: abs(cell.bias))
        out.append(
            Criterion(
                f"bias of the share below {MOST_BIAS} where reliability is .5 or more",
                f"largest {worst.bias:+.3f} ± {worst.bias_error:.3f} (share {worst.share:g}, reliability"
                f" {worst.reliability:g}, {worst.tiles} tiles)",
                abs(worst.bias) < MOST_BIAS,
            )
        )
        for _, tiles in BLOCKS:
            covered = np.concatenate([cell.covered for cell in self.of_blocks(tiles)])
            part = float(covered.mean())
            out.append(
                Criterion(
                    f"coverage of 95 % intervals between 90 and 98 %, {tiles} tiles a locus",
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


def share_cell(share: float, loci: int, tiles: int, repetitions: int, seed: int) -> list[Cell]:
    """The cells of all reliabilities at one planted share: the same simulated rows, measured three ways.

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
                found[r, repetition] = part.of_explainable
    return [Cell(share, reliability, loci, tiles, found[r]) for r, reliability in enumerate(RELIABILITIES)]


def tie_cell(loci: int, rows: int, correlation: float, boards: int, seed: int) -> list[Ties]:
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
            told_apart[count] += len(set(tie_letters(scores[:count], draws[:, :count], loci))) > 1
    return [Ties(loci, rows, correlation, count, told_apart[count], boards) for count in MODELS]


def run_study(repetitions: int, seed: int, say: Callable[[str], None] = lambda line: None) -> Study:
    """The whole study; ``say`` is told after each part. Tie letters get ten boards a repetition."""
    began, cpu = time.perf_counter(), time.process_time()
    cells: list[Cell] = []
    ties: list[Ties] = []
    for loci, tiles in BLOCKS:
        for share in SHARES:
            cells += share_cell(share, loci, tiles, repetitions, seed)
            for cell in cells[-len(RELIABILITIES) :]:
                say(
                    f"  {tiles:>2} tiles, share {share:.1f}, reliability {cell.reliability:.1f}: bias {cell.bias:+.3f}"
                    f" ± {cell.bias_error:.3f}, covered {cell.covered.sum()} of {repetitions}"
                )
    for loci, rows, correlation in TIES:
        ties += tie_cell(loci, rows, correlation, 10 * repetitions, seed)
        for found in ties[-len(MODELS) :]:
            say(
                f"  {loci} loci of {rows}: {found.models} equal models told apart on {found.told_apart} of"
                f" {found.boards}"
            )
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    return Study(tuple(cells), tuple(ties), repetitions, seed, seconds, cpu_seconds)


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
        "Does the board say what is true? Here the truth is planted: simulated assays in which GC has a known share of",
        "the explainable variance go through the functions of every result, and what comes back is held against it.",
        "Written by `bench selftest --full`; do not edit.",
        "",
        "| criterion | found | |",
        "| --- | --- | --- |",
        *(f"| {each.what} | {each.found} | {'PASS' if each.passed else 'FAIL'} |" for each in study.criteria()),
        "",
        "## GC's share: bias and coverage",
        "",
        "Share of explainable variance, R²(G)/ρk, of two replicates. Reliability is that of one replicate. Bias: mean",
        f"estimate less planted share ± Monte-Carlo standard error, {study.repetitions} data sets a cell. Coverage:",
        "95 % intervals that hold the planted share.",
    ]
    for loci, tiles in BLOCKS:
        cells = {(cell.share, cell.reliability): cell for cell in study.of_blocks(tiles)}
        heads = [f"reliability {r:g}: bias | coverage" for r in RELIABILITIES]
        lines += ["", f"{loci:,} loci of {tiles} row{'s' if tiles > 1 else ''}:", ""]
        lines += [f"| planted | {' | '.join(heads)} |", "| --: |" + " --: |" * (2 * len(RELIABILITIES))]
        for share in SHARES:
            row = [cells[share, r] for r in RELIABILITIES]
            shown = [f"{c.bias:+.3f} ± {c.bias_error:.3f} | {100 * c.covered.mean():.0f} %" for c in row]
            lines.append(f"| {share:g} | {' | '.join(shown)} |")
    lines += [
        "",
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
    lines += [
        "",
        "## How it was made",
        "",
        f"`bench selftest --full --repetitions {study.repetitions} --seed {study.seed}` on"
        f" {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {_versions()};",
        f"{study.cpu_seconds:.0f} s of processor time, {study.seconds:.0f} s by the clock. Each cell has"
        f" {study.repetitions} simulated data sets,",
        "the same ones for the three reliabilities; each interval 2,000 draws over loci; tie letters"
        f" {study.ties[0].boards} boards a row",
        f"of the table, {TIE_DRAWS} draws each. A motif has .3 of the activity (less where GC leaves less), the rest",
        "is noise of the locus. GC's learner is `gc-curve` on GC, the best learner the same curve on GC and the number",
        "of planted hits, held out in three folds by chromosome. Replicates are activity plus Gaussian noise; what",
        "small counts and DNA noise do is checked by `bench selftest` itself.",
    ]
    return "\n".join(lines) + "\n"


def _versions() -> str:
    import importlib.metadata
    import platform

    import bench

    found = [f"bench {bench.__version__}", f"Python {platform.python_version()}"]
    found += [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "numba", "scikit-learn")]
    return ", ".join(found)
