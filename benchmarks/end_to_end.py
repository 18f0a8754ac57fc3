"""`bench run` against the straightforward script, from the counts file and the genome to a test Spearman.

The script is what most people write: pandas reads the counts, pyfaidx cuts every fragment, CountVectorizer counts its
words, XGBoost learns from the sparse matrix. Both have the same rows, words, target, split and hyper-parameters; whole
processes are timed, one after the other, on a stand-in of the SuRE counts (100,000 fragments of 10 plasmid reads).

    python benchmarks/end_to_end.py [--fragments 100000] [--k 5] [--rounds 300]

k = 5 and 300 rounds keep the two runs at a few minutes; with k = 6 and early stopping CountVectorizer's share falls and
XGBoost's, which is the same on both sides, grows.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bench.datasets.sure2017 import COUNTS, GENOMES
from bench.stats.ranks import spearman
from bench.tasks.task import TEST

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from standin import write_standin

#: Rows of a stand-in for one with 10 plasmid reads, and bases for one fragment (benchmarks/sure_standin.py).
ROWS, BASES = 5, 136

PLAIN = """
import json, sys, time
began = time.perf_counter()
spent = {}
def lap(name):
    global began
    spent[name] = round(time.perf_counter() - began, 1)
    began = time.perf_counter()

import numpy as np
import pandas as pd
import pyfaidx
import xgboost
from scipy.stats import norm, rankdata, spearmanr
from sklearn.feature_extraction.text import CountVectorizer

counts, genome, out, k, rounds, threads = *sys.argv[1:4], *map(int, sys.argv[4:])
lap("imports")
table = pd.read_csv(counts, sep="\\t")
table["rna1"] = table.filter(like="Biorep1").sum(axis=1)
table["rna2"] = table.filter(like="Biorep2").sum(axis=1)
table["dna"] = table.filter(like="plasmid").sum(axis=1)
total = table[["rna1", "rna2", "dna"]].sum()
table = table[(table["dna"] >= 10) & (table["end"] - table["start"] <= 2000) & ~table["chr"].isin(["chrX", "chrY"])]
dna = np.log2((table["dna"] + 1) / total["dna"])
y = np.mean([np.log2((table[r] + 1) / total[r]) - dna for r in ("rna1", "rna2")], axis=0)
lap("read the counts")
complement = str.maketrans("ACGTN", "TGCAN")
fasta = pyfaidx.Fasta(genome, as_raw=True, sequence_always_upper=True)
texts = []
for chrom, start, end, strand in zip(table["chr"], table["start"], table["end"], table["strand"]):
    text = fasta[chrom][start:end]
    texts.append(text if strand == "+" else text[::-1].translate(complement))
lap("cut the fragments")
x = CountVectorizer(analyzer="char", ngram_range=(1, k), lowercase=False, dtype=np.float32).fit_transform(texts)
lap("count words")
test, valid = (table["chr"].to_numpy() == chrom for chrom in ("chr8", "chr18"))
train = ~test & ~valid
z = norm.ppf((rankdata(y[train]) - 0.5) / train.sum())
order = np.argsort(y[train])
z_valid = np.interp(y[valid], y[train][order], z[order])
model = xgboost.XGBRegressor(
    n_estimators=rounds, learning_rate=0.05, max_depth=3, min_child_weight=20, subsample=0.5, colsample_bytree=0.2,
    max_bin=64, tree_method="hist", early_stopping_rounds=50, n_jobs=threads, random_state=0,
)
model.fit(x[train], z, eval_set=[(x[train], z), (x[valid], z_valid)], verbose=False)
lap("fit")
model.predict(x[train]), model.predict(x[valid])
predicted = model.predict(x[test])
lap("predict")
np.save(out, [predicted, y[test]])
print(json.dumps({"rows": len(table), "columns": x.shape[1], "seconds": spent}))
"""


def children_cpu() -> float:
    """CPU seconds of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def plain(data: Path, k: int, rounds: int, threads: int, folder: Path) -> tuple[float, dict]:
    """Seconds of the straightforward script, and what it says of itself. ``plain.npy``: predictions and targets of the
    test rows."""
    words = [data / COUNTS, data / GENOMES[0], folder / "plain.npy", k, rounds, threads]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PLAIN, *map(str, words)], check=True, capture_output=True, text=True)
    return time.perf_counter() - began, json.loads(done.stdout)


def ours(data: Path, k: int, rounds: int, threads: int, folder: Path) -> tuple[float, dict]:
    """Seconds of ``bench run``, with nothing kept from another run but compiled kernels, and its stored result."""
    words = ["run", "-t", "sure2017", "--data-dir", data, "-f", f"kmers[k={k}]", "-m", f"xgboost[rounds={rounds}]"]
    words += ["--threads", threads, "--device", "cpu", "-o", folder / "out"]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bench", *map(str, words)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"BENCH_CACHE_DIR": str(folder / "cache")},
    )
    took = time.perf_counter() - began
    [result] = (folder / "out").rglob("result.json")
    return took, json.loads(result.read_text(encoding="utf-8"))


def compared(folder: Path, draws: int = 300) -> str:
    """Spearman of both on the test rows (the same, in file order), and the standard error of their difference when rows
    are drawn again: how far equal methods differ by the random columns and rows of their trees."""
    theirs, y = np.load(folder / "plain.npy")
    [path] = (folder / "out").rglob("predictions.parquet")
    stored = pd.read_parquet(path)
    mine = stored.loc[stored["part"] == TEST].sort_values("row")["prediction"].to_numpy()
    if len(mine) != len(y):
        raise SystemExit(f"the test rows differ: {len(mine)} of bench run, {len(y)} of the script")
    rng = np.random.default_rng(0)
    both = [(spearman(mine, y), spearman(theirs, y))]
    for _ in range(draws):
        rows = rng.integers(0, len(y), len(y))
        both.append((spearman(mine[rows], y[rows]), spearman(theirs[rows], y[rows])))
    difference = np.diff(both, axis=1)[:, 0] * -1
    return (
        f"test Spearman on {len(y):,} rows: script {both[0][1]:.4f}, bench run {both[0][0]:.4f}, difference"
        f" {difference[0]:+.4f} (standard error {difference[1:].std():.4f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("fragments", 100_000), ("k", 5), ("rounds", 300), ("threads", os.cpu_count() or 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_standin(folder / "data", rows=ROWS * given.fragments, bases=max(BASES * given.fragments, 3_000_000))
        mine, result = ours(folder / "data", given.k, given.rounds, given.threads, folder)
        my_cpu = children_cpu()
        theirs, said = plain(folder / "data", given.k, given.rounds, given.threads, folder)
        their_cpu = children_cpu() - my_cpu
        quality = compared(folder)
    spent = result["seconds"]
    rest = mine - sum(spent.values())
    print(f"{said['rows']:,} fragments, words of 1 to {given.k} ({said['columns']:,}), {given.rounds} rounds,", end=" ")
    print(f"{given.threads} threads; wall seconds of whole processes")
    print(f"script {theirs:.0f}: " + ", ".join(f"{name} {value:.0f}" for name, value in said["seconds"].items()))
    print(
        f"bench run {mine:.0f}: features {spent['features']:.1f}, fit {spent['fit']:.0f}, predict"
        f" {spent['predict']:.1f}, shuffled sequences {spent.get('shuffled', 0):.1f}, all else (start, counts, genome,"
        f" checks, audit, report) {rest:.1f}"
    )
    besides = (theirs - said["seconds"]["fit"]) / (mine - spent["fit"])
    print(
        f"=> end to end, seconds: ours {mine:.0f} ({my_cpu:.0f} CPU), straightforward script {theirs:.0f}"
        f" ({their_cpu:.0f} CPU), ratio {theirs / mine:.2f} (CPU {their_cpu / my_cpu:.2f};"
        f" {besides:.1f} without XGBoost's fit)"
    )
    print(quality)


if __name__ == "__main__":
    main()
