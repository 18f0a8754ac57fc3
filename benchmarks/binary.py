"""Coverage of the intervals of binary targets: AUROC, average precision, GC-matched AUROC and the attainable AUROC, on
simulated boards whose truth is known (``tests/support/binary_worlds.py``). Markdown on standard output.

    python benchmarks/binary.py [--boards 400] [--draws 1000] [--only "rare"]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from binary_worlds import MANY, Rows, World, simulate, true_scores
from sklearn.metrics import average_precision_score, roc_auc_score

from bench.stats.attainable import attainable
from bench.stats.binary import binary_draws, fraction_interval, given_gc, matched_bins
from bench.stats.bootstrap import Draws
from bench.stats.intervals import Estimate

WORLDS = {
    "300 loci x 3": World(),
    "rare, prevalence .1": World(prevalence=0.1),
    "100 loci x 3": World(loci=100),
    "20 loci x 50": World(loci=20, tiles=50),
    "flipped labels, e = .15": World(flip=0.15),
    "cut activity, noise 1.5": World(noise=1.5),
    "no motif": World(motif=0.0),
}
FIGURES = ("AUROC", "average precision", "GC-matched", "GC-matched, GC in steps", "attainable")


def board(rows: Rows, world: World, draws: Draws) -> dict[str, Estimate]:
    """The figures of one board, with intervals."""
    names = ["learned", "GC in steps"]
    matrix = np.column_stack([rows.predictions[name] for name in names])
    loci = int(rows.locus.max()) + 1
    scores = binary_draws(rows.y, matrix, rows.locus, draws, rows.fold)
    bins = matched_bins(rows.gc, rows.fold)
    left = given_gc(matrix, rows.gc, rows.fold, bins)
    matched = binary_draws(rows.y, left, rows.locus, draws, rows.fold, bins)
    found = {
        "AUROC": fraction_interval(scores.auroc[0], scores.auroc_drawn[:, 0], loci),
        "average precision": fraction_interval(scores.ap[0], scores.ap_drawn[:, 0], loci, biased=True),
        "GC-matched": fraction_interval(matched.auroc[0], matched.auroc_drawn[:, 0], loci),
        "GC-matched, GC in steps": fraction_interval(matched.auroc[1], matched.auroc_drawn[:, 1], loci),
    }
    if world.noise or world.flip:
        most = attainable(rows.y, rows.replicates, rows.locus, draws, loci, cut_at=False)
        none = Estimate(float("nan"))
        found["attainable"] = Estimate(most.flips_auroc) if world.flip else most.auroc or none
    return found


def truths(world: World, seed: int = 7) -> dict[str, float]:
    """The true figures, from many rows."""
    rows = simulate(world, np.random.default_rng(seed), MANY // world.tiles)
    auroc, ap, matched = true_scores(rows, "learned")
    y, z = rows.replicates[:, 0], rows.truth
    assert average_precision_score(y, z) > 0
    most = float(roc_auc_score(y, z))
    return dict(zip(FIGURES, (auroc, ap, matched, 0.5, most), strict=True))


def study(world: World, boards: int, count: int) -> list[tuple[str, float, float, float, float]]:
    """Figure, truth, mean, coverage of the 95 % interval, and its mean width."""
    true = truths(world)
    found: dict[str, list[Estimate]] = {}
    for number in range(boards):
        rows = simulate(world, np.random.default_rng(np.random.SeedSequence([number, 17])))
        made = board(rows, world, Draws(int(rows.locus.max()) + 1, count, seed=number))
        for name, figure in made.items():
            found.setdefault(name, []).append(figure)
    out = []
    for name, figures in found.items():
        ends = np.array([[f.value, f.low, f.high] for f in figures])
        known = np.isfinite(ends[:, 1])
        inside = (ends[:, 1] <= true[name]) & (true[name] <= ends[:, 2])
        coverage = float(inside[known].mean()) if known.any() else float("nan")
        out.append((name, true[name], float(ends[:, 0].mean()), coverage, float((ends[:, 2] - ends[:, 1]).mean())))
    return out


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=400)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    print("| world | figure | truth | mean | coverage of 95 % | width |\n|---|---|---|---|---|---|")
    for name, world in WORLDS.items():
        if asked.only and not any(each in name for each in asked.only.split(";")):
            continue
        began = time.process_time()
        for figure, true, mean, coverage, width in study(world, asked.boards, asked.draws):
            print(f"| {name} | {figure} | {true:.3f} | {mean:.3f} | {coverage:.3f} | {width:.3f} |", flush=True)
        print(f"{name}: {time.process_time() - began:.0f} CPU seconds", file=sys.stderr)


if __name__ == "__main__":
    main()
