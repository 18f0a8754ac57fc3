"""Bias, coverage and warnings of GC's share in simulated worlds whose truth is known (``tests/support/worlds.py``).

Predictions are made at a stored noise level, and the figures are those of ``bench.stats.figures``, so that hundreds of
boards of each world are affordable. Every figure has its Monte-Carlo standard error. Markdown on standard output.

    python benchmarks/calibration.py [--repetitions 400] [--draws 300] [--only "equal;step"] [--first 0]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
import worlds

from bench.stats.bootstrap import Draws
from bench.stats.figures import TargetFigures, target_figures
from bench.stats.observations import Learners, Observations
from bench.stats.replicates import combine
from bench.stats.strata import by_stratum

NOISE = "pure noise, 20 learners"


def board(world: worlds.World, draws: Draws) -> TargetFigures:
    """All figures of one simulated board: G, D, and the noise-free activity T as one more learner."""
    combined = combine(world.y, loci=len(np.unique(world.locus)))
    dna = None if world.dna is None else world.dna.astype(float)
    predictions = {"G": world.G, "D": world.D, "T": world.T}
    baselines, validation = ["T"], {"G": 1.0, "D": 1.0, "T": 1.0}
    if world.models is not None:
        models = {f"m{i}": column for i, column in enumerate(world.models.T)}
        predictions |= models
        baselines += ["D"]
        # the validation rows of fold f are test rows of fold f + 1
        validation |= {name: np.roll(scores(combined.value, column, world.fold), -1) for name, column in models.items()}
    observed = Observations(
        combined.value,
        world.fold,
        world.locus,
        world.y,
        world.gc,
        dna=dna,
        confounders={} if dna is None else {"log DNA count": np.log(np.maximum(dna, 0.5))},
        library={} if dna is None else {"log DNA count": "DNA"},
        chrom=world.chrom,
        control=world.control,
        combined=combined,
    )
    learners = Learners(predictions, gc_only=["G"], baselines=baselines, validation=validation)
    return target_figures(observed, learners, draws=draws)


def scores(y: np.ndarray, prediction: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Spearman within every fold."""
    from scipy.stats import spearmanr

    return np.array([spearmanr(y[fold == f], prediction[fold == f]).statistic for f in np.unique(fold)])


def one(name: str, seed: int, count: int) -> dict[str, float]:
    """What is kept of one board."""
    world = worlds.make(name, seed)
    draws = Draws(int(world.locus.max()) + 1, count, seed % 8)
    found = board(world, draws)
    share = found.share
    assert share is not None
    product = share.shown
    kept = {
        "value": share.value.value,
        "low": share.value.low,
        "high": share.value.high,
        "wide": product is not None and product.wide,
        "wide low": np.nan if product is None else product.by_chromosome.low,
        "wide high": np.nan if product is None else product.by_chromosome.high,
        "at least": bool(share.at_least),
        "warned": any(test.matters for test in found.library),
        "line": found.chromosome is not None,
        "oracle": oracle.of_ceiling.value if (oracle := found.of("T")) is not None else np.nan,
    }
    if share.given is not None:
        given = share.given.share.value
        kept |= {"given": given.value, "given low": given.low, "given high": given.high}
    stratum = world.stratum if world.stratum is not None else np.where(world.locus % 2, "a", "b")
    combined = combine(world.y, loci=len(np.unique(world.locus))).value
    story = by_stratum(combined, {"GC": world.gc}, stratum, world.fold, world.locus, draws).stories["GC"]
    kept["simpson"] = bool(story.opposite) or story.pooled_only
    if name == NOISE:
        best = found.choices["best"].figures
        assert best is not None
        kept |= {"chosen": best.spearman.value, "verdict": best.verdict != "none"}
    return kept


def line(name: str, rows: list[dict[str, float]]) -> str:
    """One row of the table."""

    def of(key: str) -> np.ndarray:
        return np.array([row.get(key, np.nan) for row in rows], float)

    def rate(hit: np.ndarray) -> str:
        return f"{hit.mean():.3f} ± {np.sqrt(hit.mean() * (1 - hit.mean()) / max(len(hit), 1)):.3f}" if len(hit) else ""

    truth, known = worlds.truth(name), np.isfinite(of("value"))
    value, low, high = (of(key)[known] for key in ("value", "low", "high"))
    wide = of("wide")[known] == 1
    wide_low, wide_high = np.where(wide, of("wide low")[known], low), np.where(wide, of("wide high")[known], high)
    spread = float(np.diff(np.quantile(value, [0.025, 0.975]))[0]) if len(value) > 20 else np.nan
    given = np.isfinite(of("given"))
    inside = (of("given low") <= truth) & (truth <= of("given high"))
    cells = [
        name,
        str(len(rows)),
        f"{truth:.3f}",
        f"{1 - known.mean():.2f}",
        f"{value.mean() - truth:+.3f} ± {value.std() / np.sqrt(max(len(value), 1)):.3f}" if len(value) else "",
        rate((low <= truth) & (truth <= high)),
        f"{np.median(high - low) / spread:.2f}" if len(value) else "",
        rate((wide_low <= truth) & (truth <= wide_high)),
        f"{np.median(wide_high - wide_low) / spread:.2f}, {of('wide').mean():.2f}" if len(value) else "",
        f"{100 * np.nanmean(of('oracle')):.1f}" if np.isfinite(of("oracle")).any() else "n/a",
        *(f"{of(key).mean():.3f}" for key in ("warned", "at least", "line", "simpson")),
        f"{of('given')[given].mean():.3f}, {rate(inside[given])}" if given.any() else "",
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "world", "boards", "truth", "n/a", "bias", "coverage", "width/range", "by the wider: coverage", "width, shown",
    "oracle %", "warned", "at least", "chromosome", "Simpson", "given DNA: mean, coverage",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--only", default="", help="names of worlds, with semicolons between them")
    call = parser.parse_args()
    names = call.only.split(";") if call.only else list(worlds.W)
    began = time.process_time()
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}")
    for name in names:
        rows = [one(name, call.first + i, call.draws) for i in range(call.repetitions)]
        print(line(name, rows), flush=True)
        if name == NOISE:
            chosen = np.array([row["chosen"] for row in rows])
            error, other = chosen.std() / np.sqrt(len(chosen)), np.mean([row["verdict"] for row in rows])
            print(f"\nchosen of 20 noise learners: {chosen.mean():+.4f} ± {error:.4f}; verdict not none {other:.3f}")
    print(f"\n{time.process_time() - began:.0f} s of CPU time")


if __name__ == "__main__":
    main()
