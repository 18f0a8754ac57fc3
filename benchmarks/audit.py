"""The measurements behind the thresholds of `bench audit`; `docs/audit.md` holds what it prints.

python benchmarks/audit.py
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from bench.audit import duplicates, hashfrag
from bench.audit.confounders import RHO_WARN
from bench.datasets.simulate import simulate
from bench.sequences import Sequences
from bench.stats.bootstrap import Draws, correlation_draws, estimate
from bench.stats.ranks import mid_ranks, spearman
from bench.tasks.duplicates import across_split
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN, VALID, Card, Folds, Target, Task

RNG = np.random.default_rng(0)


def interval(a: NDArray[Any], b: NDArray[Any], locus: NDArray[Any], draws: int = 300) -> Any:
    """Spearman with its 95 % interval by locus, as the audit computes it."""
    ranks = np.column_stack([mid_ranks(a), mid_ranks(b)])
    many = correlation_draws(ranks, [(0, 1)], locus, Draws(int(locus.max()) + 1, draws))
    return estimate(spearman(a, b), many[:, 0, 0])


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
    print(f"\n## Test rows called near duplicates ({length} bases, {duplicates.K}-mers, {duplicates.NEAR:.0%} shared)")
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
        rates = [duplicates.near_across_split(task, folds, share).near / rows for share in (0.1, 0.3, 0.5, 0.7)]
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


def speed() -> None:
    """Seconds of the two counts of duplicates."""
    print("\n## Seconds")
    for rows, length in ((15_000, 200), (60_000, 200)):
        task, folds = as_task(RNG.integers(0, 4, (rows, length), dtype=np.uint8), rows // 2)
        for count in (across_split, duplicates.near_across_split):
            best = np.inf
            for _ in range(3):
                began = time.perf_counter()
                count(task, folds)
                best = min(best, time.perf_counter() - began)
            print(f"{count.__name__}, {rows:,} rows of {length}: {best:.2f}")


if __name__ == "__main__":
    for measure in (near, leaks, ties, reliability, gc_and_dna, speed, folds, confounders):
        measure()
