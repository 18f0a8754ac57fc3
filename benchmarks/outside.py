"""Features made elsewhere: `bench run --features` on simulated embeddings, seconds a fold and peak memory.

    python benchmarks/outside.py [--rows 30000] [--columns 1536] [--models ridge lightgbm] [--folds 5] [--threads 2]

Sequences of 200 bases are drawn with a GC content of their own; an embedding is a random projection of their 1- to
4-mers plus noise, in half precision, its rows in another order than the table's. The run is a process of its own with
`gc` and the embedding. Seconds are those of fit and prediction that the results record, over their folds; memory is the
peak of that process. Goal: 60 s a fold and 3 GB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

GOAL_SECONDS, GOAL_GB = 60.0, 3.0


def write_task(folder: Path, rows: int, columns: int, folds: int) -> Path:
    """A table, its task file, and the embedding with its ids."""
    from bench.plugins.registry import Registry
    from bench.sequences import Sequences

    rng = np.random.default_rng(0)
    gc = rng.uniform(0.3, 0.7, (rows, 1))
    codes = np.where(rng.random((rows, 200)) < gc, rng.integers(1, 3, (rows, 200)), 3 * rng.integers(0, 2, (rows, 200)))
    letters = np.frombuffer(b"ACGT", np.uint8)[codes]
    sequences = [row.tobytes().decode() for row in letters]
    kmers = Registry(dropped=False).make("featurizer", "kmers[k=4]").new()
    counts = kmers.transform(Sequences.from_strings(sequences)).astype(np.float32)
    z = (counts - counts.mean(axis=0)) / np.maximum(counts.std(axis=0), 1e-6)
    embedding = np.empty((rows, columns), np.float16)
    projection = rng.normal(size=(z.shape[1], columns)).astype(np.float32) / np.sqrt(z.shape[1])
    for first in range(0, rows, 4096):
        piece = z[first : first + 4096].astype(np.float32) @ projection
        embedding[first : first + 4096] = piece + 0.5 * rng.normal(size=piece.shape)
    signal = z @ rng.normal(size=z.shape[1]) / np.sqrt(z.shape[1]) + gc[:, 0]
    with (folder / "table.tsv").open("w", encoding="utf-8") as out:
        out.write("id\tsequence\tchrom\tstart\tend\trep1\trep2\n")
        for i, sequence in enumerate(sequences):
            a, b = signal[i] + rng.normal(size=2)
            out.write(f"e{i}\t{sequence}\tchr{1 + i % 20}\t{1000 * i}\t{1000 * i + 200}\t{a:.5f}\t{b:.5f}\n")
    task = folder / "task.toml"
    task.write_text(
        f"name = 'embedded'\ntable = 'table.tsv'\nsplit = 'chromosome-kfold[k={folds}]'\n"
        "[targets.activity]\nreplicates = ['rep1', 'rep2']\n"
    )
    order = rng.permutation(rows)
    np.save(folder / "embedding.npy", embedding[order])
    (folder / "embedding.ids.txt").write_text("".join(f"e{i}\n" for i in order))
    return task


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--columns", type=int, default=1536)
    parser.add_argument("--models", nargs="+", default=["ridge", "lightgbm"])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        task = write_task(folder, given.rows, given.columns, given.folds)
        words = [sys.executable, "-m", "bench", "run", "-t", str(task), "-f", "embedding", "-o", str(folder / "out")]
        words += ["--features", str(folder / "embedding.npy"), "--name", "embedding", "--threads", str(given.threads)]
        for model in given.models:
            words += ["-m", model]
        began = time.perf_counter()
        subprocess.run(words, check=True)
        took = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = usage.ru_maxrss / 2**20
        print(f"{given.rows:,} x {given.columns:,} float16, {given.folds} folds: {took:.0f} s in all, "
              f"{usage.ru_utime + usage.ru_stime:.0f} CPU seconds")  # fmt: skip
        slow = peak > GOAL_GB
        for path in sorted(folder.glob("out/**/result.json")):
            record = json.loads(path.read_text())
            seconds = (record["seconds"]["fit"] + record["seconds"]["predict"]) / given.folds
            slow |= seconds > GOAL_SECONDS
            print(f"=> {record['model']} on {given.rows:,} x {given.columns:,} float16: {seconds:.1f} s a fold"
                  f" (goal {GOAL_SECONDS:g})")  # fmt: skip
        told = json.loads(next(folder.glob("out/*/features-embedding.json")).read_text())
        print(f"=> peak memory {peak:.2f} GB (goal {GOAL_GB:g}); GC known: R2 {told['gc_r2']['value']:.3f}")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
