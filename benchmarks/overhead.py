"""What `bench run` costs beside a plain script: k-mers and XGBoost on the largest downloaded task, whole processes.

The plain script does only this: load the table, count k-mers with the project's kernel, and for every target and fold
fit XGBoost with the same parameters on the same rows and predict. `bench run` also plans, stores, scores, bootstraps
and draws.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

#: Fewer rounds than the default's early stopping takes: fits are then shorter, and the overhead weighs more.
TASK, FEATURIZER, MODEL = "mattioli2020", "kmers", "xgboost[rounds=200]"

SCRIPT = f"""
import numpy as np
import xgboost as xgb
from scipy.stats import rankdata, norm

from bench.kernels.kmers import count_kmers
from bench.plugins.registry import Registry
from bench.tasks.folds import make_folds

registry = Registry()
task = registry.find("dataset", "{TASK}")().load()
model = registry.make("model", "{MODEL}").new()
folds = make_folds(task)
x = count_kmers(task.sequences, 1, 6)
for target in task.targets.values():
    y = target.value
    for part in folds.part:
        train, valid, test = (np.flatnonzero((part == code) & np.isfinite(y)) for code in (0, 1, 2))
        z = norm.ppf((rankdata(y[train]) - 0.5) / len(train))
        order = np.argsort(y[train])
        z_valid = np.interp(y[valid], y[train][order], z[order])
        d_train = xgb.QuantileDMatrix(x[train], z, max_bin=model.max_bin)
        d_valid = xgb.QuantileDMatrix(x[valid], z_valid, max_bin=model.max_bin, ref=d_train)
        booster = xgb.train(
            {{"tree_method": "hist", "learning_rate": model.learning_rate, "max_depth": model.max_depth,
              "min_child_weight": model.min_child_weight, "subsample": model.subsample,
              "colsample_bytree": model.colsample, "reg_lambda": model.reg_lambda, "max_bin": model.max_bin,
              "seed": 0}},
            d_train, model.rounds, evals=[(d_valid, "valid")], early_stopping_rounds=model.patience, verbose_eval=False,
        )
        for rows in (train, valid, test):
            booster.inplace_predict(x[rows], iteration_range=(0, booster.best_iteration + 1))
"""


def whole_process(arguments: list[str]) -> float:
    """Wall seconds of a command."""
    began = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main(pairs: int = 3) -> None:
    """Both commands in turn; the ratio pair by pair."""
    ratios = []
    print(f"{TASK}, {FEATURIZER} x {MODEL}: wall seconds of whole processes")
    for pair in range(pairs):
        plain = whole_process([sys.executable, "-c", SCRIPT])
        with tempfile.TemporaryDirectory() as out:
            words = ["run", "-t", TASK, "-f", FEATURIZER, "-m", MODEL, "-o", out]
            ours = whole_process([sys.executable, "-m", "bench", *words])
        ratios.append(ours / plain)
        print(f"pair {pair + 1}: plain script {plain:.1f}, bench run {ours:.1f}, ratio {ours / plain:.3f}")
    print(f"=> bench run against a plain script with the same kernels: ratio {sorted(ratios)[len(ratios) // 2]:.3f}")


if __name__ == "__main__":
    main()
