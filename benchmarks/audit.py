"""The measurements behind the thresholds of `bench audit`; `docs/audit.md` holds what it prints.

python benchmarks/audit.py
python benchmarks/audit.py --only speed --base OLDER_CHECKOUT
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench.audit import hashfrag
from bench.audit.confounders import RHO_WARN
from bench.sequences import Sequences
from bench.stats.bootstrap import Draws, correlation_draws
from bench.stats.intervals import estimate
from bench.stats.ranks import mid_ranks, spearman
from bench.tasks.task import TEST, TRAIN, VALID, Card, Folds, Target, Task

try:
    from bench.tasks.duplicates import near_across_split
    from bench.tasks.splits import Split
except ImportError:  # an older version, which is timed against this one
    from bench.audit.duplicates import near_across_split  # type: ignore[attr-defined, no-redef]

    Split = str  # type: ignore[misc, assignment]

RNG = np.random.default_rng(0)


def interval(a: NDArray[Any], b: NDArray[Any], locus: NDArray[Any], draws: int = 300) -> Any:
    """Spearman with its 95 % interval by locus, as the audit computes it."""
    ranks = np.column_stack([mid_ranks(a), mid_ranks(b)])
    blocks = int(locus.max()) + 1
    return estimate(spearman(a, b), correlation_draws(ranks, [(0, 1)], locus, Draws(blocks, draws))[:, 0, 0], blocks)


def clustered(loci: int, tiles: int, icc: float) -> NDArray[np.float64]:
    """Gaussian rows that correlate by ``icc`` within a locus."""
    shared = np.repeat(RNG.normal(size=loci), tiles)
    return np.sqrt(icc) * shared + np.sqrt(1 - icc) * RNG.normal(size=loci * tiles)


def confounders(trials: int = 200) -> None:
    """False alarms of a covariate without any effect."""
    print("\n## Covariates without effect that are named")
    for loci, tiles in ((200, 10), (1000, 5), (5000, 1)):
        locus = np.repeat(np.arange(loci), tiles)
        alone = both = 0
        for _ in range(trials):
            found = interval(clustered(loci, tiles, 0.5), clustered(loci, tiles, 0.5), locus)
            alone += not found.covers_zero
            both += not found.covers_zero and abs(found.value) >= RHO_WARN
        print(f"{loci} loci x {tiles}: interval alone {alone / trials:.1%}, and rho >= {RHO_WARN}: {both / trials:.1%}")


def gc_and_dna() -> None:
    """GC's false score where only the DNA count follows GC."""
    from bench.datasets.simulate import simulate

    print("\n## Activity without any GC effect, DNA count biased by GC")
    for bias in (0.0, 0.05, 0.1, 0.2, 0.3, 0.5):
        found = [simulate(5000, gc_share=0.0, motif_share=0.3, gc_bias=bias, seed=seed) for seed in range(5)]
        with_dna = np.mean([spearman(p.gc, np.log(p.dna + 1.0)) for p in found])
        with_y = np.mean([spearman(p.gc, p.replicates.mean(axis=1)) for p in found])
        print(f"bias {bias}: rho(GC, log DNA) {with_dna:+.2f}, rho(GC, y) {with_y:+.2f}")


def leaks(n: int = 20_000, reliability: float = 0.8, score: float = 0.5) -> None:
    """What copies across the split add to a model that remembers them."""
    print("\n## A model at Spearman .5 that remembers copies (reliability .8)")
    for share in (0.0, 0.001, 0.01, 0.05, 0.1, 0.2):
        latent = RNG.normal(size=n)
        noise = np.sqrt(1 / reliability - 1)
        y, copy = latent + noise * RNG.normal(size=n), latent + noise * RNG.normal(size=n)
        truth = 2 * np.sin(np.pi * score / 6) / np.sqrt(reliability)
        model = truth * latent + np.sqrt(1 - truth**2) * RNG.normal(size=n)
        remembered = np.where(np.arange(n) < share * n, copy, model)
        print(f"{share:.1%} copies: {spearman(remembered, y) - spearman(model, y):+.3f}")


def near(rows: int = 2000, length: int = 150) -> None:
    """Shared words of unrelated sequences and of copies with substitutions, and the scores of their alignments."""
    print(f"\n## Test rows called near duplicates ({length} bases, 12-mers)")
    base = np.array([1, 2, 0, 3], np.uint8)
    seen = base[RNG.choice(4, (rows, length), p=[0.225, 0.225, 0.275, 0.275])]
    tested: dict[str, NDArray[np.uint8]] = {
        "unrelated": base[RNG.choice(4, (rows, length), p=[0.225, 0.225, 0.275, 0.275])]
    }
    far = np.random.default_rng(1)  # of its own, so that the sections below keep their numbers
    for identity in (0.99, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.75, 0.7):
        rng = RNG if identity >= 0.9 else far
        wrong = rng.random(seen.shape) > identity
        tested[f"identity {identity}"] = np.where(wrong, (seen + rng.integers(1, 4, seen.shape)) % 4, seen).astype(
            np.uint8
        )
    tested["shifted by a third"] = np.concatenate(
        [seen[:, length // 3 :], base[RNG.integers(0, 4, (rows, length // 3))]], axis=1
    )
    tested["shifted by two thirds"] = np.concatenate(
        [seen[:, 2 * length // 3 :], base[RNG.integers(0, 4, (rows, 2 * length // 3))]], axis=1
    )
    for name, codes in tested.items():
        task, folds = as_task(np.concatenate([seen, codes]), rows)
        rates = [near_across_split(task, folds, share).near / rows for share in (0.1, 0.3, 0.5, 0.7)]
        print(f"{name}: " + ", ".join(f"{rate:.1%}" for rate in rates) + " at shares of .1, .3, .5, .7")
        try:
            best = hashfrag.best_scores(task.sequences, np.arange(rows, 2 * rows), np.arange(rows)) / length
        except (hashfrag.Absent, FileNotFoundError) as absent:
            print(f"  hashFrag: {absent}")
            continue
        rates = [float(np.mean(best >= share)) for share in (0.2, 0.3, 0.5, 0.7)]
        print(f"  hashFrag, best {best.max() * length:.0f}: " + ", ".join(f"{rate:.1%}" for rate in rates), end="")
        print(" at scores of .2, .3, .5, .7 a base")


def as_task(codes: NDArray[np.uint8], train: int) -> tuple[Task, Folds]:
    """Rows of codes as a task whose first ``train`` rows are trained on (one of them validates)."""
    n, length = codes.shape
    start = np.arange(n, dtype=np.int64) * length
    part = np.full((1, n), TEST, np.int8)
    part[0, :train], part[0, 0] = TRAIN, VALID
    sequences = Sequences.from_intervals(codes.ravel(), start, start + length)
    names, none = np.arange(n).astype(str), np.full(n, -1, np.int64)
    target = Target("y", RNG.normal(size=(n, 2)), ("1", "2"))
    task = Task(Card("x", "x"), sequences, names, names, none, np.arange(n), {"y": target}, {}, Split("holdout"), "x")
    return task, Folds("holdout", part)


def folds(trials: int = 200) -> None:
    """Coverage and half-width of the interval by the number of loci, and mean GC of a part by chance."""
    print("\n## Coverage of the 95 % interval of a Spearman of .5 (10 rows a locus, ICC .5)")
    for loci in (5, 10, 20, 50, 100):
        locus, held, width = np.repeat(np.arange(loci), 10), 0, 0.0
        for _ in range(trials):
            a = clustered(loci, 10, 0.5)
            r = 2 * np.sin(np.pi * 0.5 / 6)
            found = interval(a, r * a + np.sqrt(1 - r * r) * clustered(loci, 10, 0.5), locus)
            held += found.low <= 0.5 <= found.high
            width += (found.high - found.low) / 2
        print(f"{loci} loci: {held / trials:.1%}, half-width {width / trials:.2f}")
    print("\n## Shift of mean GC by chance (5 rows a locus, ICC .9, ten times as many loci in training)")
    for loci in (20, 50, 100, 200):
        shifts = [abs(clustered(loci, 5, 0.9).mean() - clustered(10 * loci, 5, 0.9).mean()) for _ in range(trials)]
        small, bound = np.mean(np.array(shifts) < 0.25), np.quantile(shifts, 0.95)
        print(f"{loci} loci: below .25 in {small:.1%}, 95 % below {bound:.2f}")


def ties(n: int = 100_000) -> None:
    """Spearman of a perfect model where the lowest values are tied."""
    print("\n## A perfect model where the lowest rows are tied")
    latent = RNG.normal(size=n)
    for share in (0.1, 0.3, 0.5, 0.75, 0.9, 0.97):
        print(f"{share:.0%} tied: {spearman(latent, np.maximum(latent, norm.ppf(share))):.3f}")


def reliability(n: int = 1000, trials: int = 400, share: float = 0.3) -> None:
    """Spread of the share of explainable variance by reliability (two replicates)."""
    print(f"\n## 95 % range of the share of explainable variance (truth {share}, {n} rows, two replicates)")
    for rel in (0.9, 0.7, 0.5, 0.3, 0.2, 0.1):
        single = rel / (2 - rel)
        found = []
        for _ in range(trials):
            gc = RNG.normal(size=n)
            latent = np.sqrt(share) * gc + np.sqrt(1 - share) * RNG.normal(size=n)
            y = latent[:, None] + np.sqrt(1 / single - 1) * RNG.normal(size=(n, 2))
            r = np.corrcoef(y.T)[0, 1]
            found.append(np.corrcoef(gc, y.mean(axis=1))[0, 1] ** 2 / (2 * r / (1 + r)) if r > 0 else np.inf)
        low, high = np.quantile(found, [0.025, 0.975], method="higher")
        print(f"reliability {rel}: [{low:.2f}, {high:.2f}], no positive r in {np.mean(np.isinf(found)):.1%}")


def families(rows: int, ancestors: int, low: float, high: float, length: int = 200) -> NDArray[np.uint8]:
    """Copies of a few ancestors, each at an identity of its own between ``low`` and ``high``."""
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 4, (ancestors, length), dtype=np.uint8)[rng.integers(ancestors, size=rows)]
    wrong = rng.random(codes.shape) > rng.uniform(low, high, rows)[:, None]
    return np.where(wrong, (codes + rng.integers(1, 4, codes.shape)) % 4, codes).astype(np.uint8)


#: Rows, rows that are trained on, and how they are made.
SPEEDS: dict[str, tuple[int, int, Callable[[int], NDArray[np.uint8]]]] = {
    "unrelated": (10_000, 8_000, lambda n: RNG.integers(0, 4, (n, 200), dtype=np.uint8)),
    "many unrelated": (100_000, 80_000, lambda n: RNG.integers(0, 4, (n, 200), dtype=np.uint8)),
    "50 families": (5_000, 3_000, lambda n: families(n, 50, 0.8, 0.97)),
    "5 families": (10_000, 8_000, lambda n: families(n, 5, 0.85, 0.97)),
    "5 large families": (100_000, 80_000, lambda n: families(n, 5, 0.85, 0.97)),
}


def seconds(count: Callable[[Task, Folds], Any]) -> dict[str, tuple[float, int, int]]:
    """By name of ``SPEEDS``: CPU seconds of a count of near duplicates, rows found, rows compared."""
    found = {}
    for name, (rows, train, make) in SPEEDS.items():
        task, folds = as_task(make(rows), train)
        count(*as_task(make(200), 100))  # compiles
        began = time.process_time()
        near = count(task, folds)
        took = time.process_time() - began
        facts = near if isinstance(near, dict) else asdict(near)
        found[name] = (took, facts["near"], facts.get("compared", facts["test_rows"]))
    return found


def speed(base: Path | None = None) -> None:
    """CPU seconds of the count of near duplicates; with ``base``, a checkout of an older version, as a ratio of its."""
    print("\n## CPU seconds of near duplicates (200 bases)")
    mine = seconds(near_across_split)
    theirs: dict[str, list[float]] = {}
    if base is not None:
        code = (
            "import importlib.util, json, sys\n"
            f"spec = importlib.util.spec_from_file_location('bench_audit', {str(Path(__file__).resolve())!r})\n"
            "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
            "print(json.dumps(module.seconds(module.near_across_split)))"
        )
        call = [sys.executable, "-c", code]  # the folder it runs in is the first that it imports from
        done = subprocess.run(call, cwd=base, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        theirs = json.loads(done.stdout.splitlines()[-1])
    for name, (took, near, compared) in mine.items():
        rows = SPEEDS[name][0]
        said = f"{name}, {rows:,} rows: {took:.2f} s, {near:,} of {compared:,} near"
        if name in theirs:
            old, old_near, old_compared = theirs[name]
            said += f"; before {old:.2f} s, {old_near:,} of {old_compared:,} (time x {took / old:.2f})"
        print(said)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="a checkout of an older version to time near duplicates against")
    parser.add_argument("--only", help="one of the measurements, by its name")
    options = parser.parse_args()
    every: dict[str, Callable[[], None]] = {
        measure.__name__: measure for measure in (near, leaks, ties, reliability, gc_and_dna, folds, confounders)
    }
    every["speed"] = lambda: speed(options.base)
    for name, measure in every.items():
        if options.only in (None, name):
            measure()
