"""Speed of the paired block bootstrap, and of naive re-ranking on the same data in the same run.

2,000 paired draws for 20 models at 60,000 rows in 6,000 loci. The naive side resamples loci, gathers their rows and
calls ``scipy.stats.spearmanr`` on each model; it is run for a few draws and extrapolated, and says so.

    python benchmarks/bootstrap.py [--rows 60000] [--loci 6000] [--models 20] [--draws 2000] [--naive-draws 3]
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from scipy import stats

from bench.stats.bootstrap import Draws, spearman_draws


def naive_draws(y: np.ndarray, predictions: np.ndarray, locus: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman of every model in each draw by gathering the resampled rows and ranking them again."""
    by_locus = np.split(np.argsort(locus, kind="stable"), np.cumsum(np.bincount(locus))[:-1])
    scores = np.empty((len(weights), predictions.shape[1]))
    for b, multiplicity in enumerate(weights):
        rows = np.concatenate([by_locus[i] for i in np.repeat(np.arange(len(multiplicity)), multiplicity)])
        scores[b] = [stats.spearmanr(y[rows], predictions[rows, m])[0] for m in range(predictions.shape[1])]
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 60_000), ("loci", 6_000), ("models", 20), ("draws", 2_000), ("naive-draws", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    size = parser.parse_args()

    rng = np.random.default_rng(0)
    y = rng.normal(size=size.rows)
    predictions = y[:, None] + rng.normal(size=(size.rows, size.models))
    locus = rng.permutation(np.arange(size.rows) % size.loci)
    spearman_draws(y[:100], predictions[:100], draws=Draws(100, 4))  # compile

    draws = Draws(size.loci, size.draws, seed=1)
    wall, cpu = time.perf_counter(), time.process_time()
    exact = spearman_draws(y, predictions, locus, draws)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu

    _, weights = next(draws.block_weights())
    naive_wall, naive_cpu = time.perf_counter(), time.process_time()
    naive = naive_draws(y, predictions, locus, weights[: size.naive_draws])
    scale = size.draws / size.naive_draws
    naive_wall, naive_cpu = time.perf_counter() - naive_wall, time.process_time() - naive_cpu

    worst = np.abs(naive - exact[: size.naive_draws]).max()
    print(f"{size.draws} draws, {size.models} models, {size.rows} rows, {size.loci} loci, {os.cpu_count()} CPUs")
    print(f"exact weighted mid-ranks: {wall:.2f} s wall, {cpu:.2f} s CPU")
    print(f"naive re-ranking: {naive_wall * scale:.0f} s wall, {naive_cpu * scale:.0f} s CPU")
    print(f"  (extrapolated from {size.naive_draws} draws, which took {naive_wall:.2f} s)")
    ratios = f"{naive_wall * scale / wall:.0f} wall, {naive_cpu * scale / cpu:.0f} CPU"
    print(f"=> bootstrap draws, exact weighted ranks against re-ranking: ratio {ratios}")
    print(f"largest difference between the two: {worst:.1e}")


if __name__ == "__main__":
    main()
