"""CPU seconds and scores of single fits of this tree against another tree, one after the other in the same run.

    python benchmarks/fits.py --against ../base [--python ../base/.venv/bin/python] [--data-dir DIR]
        [--tasks fly-promoters klein2020 mattioli2020] [--models cnn ridge xgboost lightgbm random_forest]
        [--seeds 3] [--fold 1] [--threads 2]

Both trees are handed the same features and targets (one-hot for ``cnn``, 6-mers for the others; ``cnn`` and ``ridge``
all targets, the others the first) in a process of their own per fit, and are asked for their default model. Seconds are
user + system of fit and predictions of validation and test rows, the import of the learner's library included. Fold
``--fold`` (from 0) of the task's own split; the only one where there is one. Scores: mean Spearman over targets.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

TASKS = ("fly-promoters", "klein2020", "mattioli2020")
CLASSES = {
    "cnn": "CNN", "ridge": "Ridge", "xgboost": "XGBoost", "lightgbm": "LightGBM", "random_forest": "RandomForest"
}  # fmt: skip
PARTS = ("train", "valid", "test")
#: As it was before this process imported `bench`, which sets how threads wait.
ENVIRONMENT = dict(os.environ)


def prepare(task_name: str, fold: int, data_dir: Path | None, out: Path) -> None:
    """Features of each part, and its targets as measured (``raw``) and on the fitted scale (``y``), in a file."""
    from bench.fit.features import compute_features
    from bench.fit.scale import TargetScale
    from bench.plugins.registry import Registry
    from bench.tasks.load import TaskSource, load_planned

    registry = Registry()
    planned = load_planned(TaskSource(task_name, data_dir=data_dir), registry)
    task, folds = planned.task, planned.folds
    raw = np.stack([target.value for target in task.targets.values()], axis=1)
    part = folds.part[min(fold, len(folds) - 1)]
    rows = [np.flatnonzero((part == code) & np.isfinite(raw).any(axis=1)) for code in range(3)]
    scales = [TargetScale(column, "rank") for column in raw[rows[0]].T]
    values: dict[str, Any] = {}
    for name, index in zip(PARTS, rows, strict=True):
        values[f"{name}-raw"] = raw[index]
        values[f"{name}-y"] = np.stack([scale(raw[index, j]) for j, scale in enumerate(scales)], axis=1)
        for featurizer in ("one-hot", "kmers[k=6]"):
            made = registry.make("featurizer", featurizer)
            features = compute_features(task, made).take(index)
            values[f"{name}-{featurizer}"] = np.asarray(features.values)
    np.savez(out, **values)


def one_fit(file: Path, model: str, seed: int, threads: int, out: Path) -> None:
    """Fit by whichever tree this process imports, and print what it took and scored."""
    from scipy.stats import spearmanr

    from bench.featurizer import Features
    from bench.model import Part, Setting

    cls = getattr(importlib.import_module(f"bench.models.{model}"), CLASSES[model])
    many = model in ("cnn", "ridge")
    with np.load(file) as values:
        x = {
            name: Features(values[f"{name}-{'one-hot' if model == 'cnn' else 'kmers[k=6]'}"],
                           "codes" if model == "cnn" else "table")
            for name in PARTS
        }  # fmt: skip
        raw = {name: values[f"{name}-raw"][:, : None if many else 1] for name in PARTS}
        y = {name: values[f"{name}-y"][:, : None if many else 1] for name in PARTS}
    measured = {name: np.isfinite(y[name]).any(axis=1) for name in PARTS}
    train, valid = (
        Part(x[name].take(measured[name]), np.squeeze(y[name][measured[name]], 1 if y[name].shape[1] == 1 else ()))
        for name in ("train", "valid")
    )
    learner = cls()
    wall, cpu = time.perf_counter(), time.process_time()
    learner.fit(train, valid, Setting(seed=seed, threads=threads))
    predicted = {name: np.asarray(learner.predict(x[name])).reshape(len(x[name]), -1) for name in ("valid", "test")}
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    scores = {}
    for name, values in predicted.items():
        known = np.isfinite(raw[name])
        pairs = [(values[k, j], raw[name][k, j]) for j, k in enumerate(known.T)]
        scores[name] = float(np.mean([spearmanr(a, b).statistic for a, b in pairs]))
    np.save(out, predicted["test"])
    print(json.dumps({"cpu": cpu, "wall": wall, **scores}))


def run(tree: Path, python: str, file: Path, model: str, seed: int, threads: int, out: Path) -> dict[str, float]:
    """One fit in a process that imports ``tree``."""
    words = [python, __file__, "--worker", file, model, seed, threads, out]
    variables = ENVIRONMENT | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run([*map(str, words)], check=True, capture_output=True, text=True, env=variables, cwd=out.parent)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(given: argparse.Namespace, folder: Path, task: str, model: str) -> None:
    """Fit a model by both trees, seed after seed, and print ratios and scores."""
    here = Path(__file__).resolve().parents[1]
    trees = {"ours": (here, sys.executable), "theirs": (given.against.resolve(), given.python or sys.executable)}
    found: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    apart = 0.0
    for seed in range(1 if model == "ridge" else given.seeds):
        predicted = {}
        for name, (tree, python) in trees.items():
            out = folder / f"{name}.npy"
            found[name].append(run(tree, python, folder / f"{task}.npz", model, seed, given.threads, out))
            predicted[name] = np.load(out)
        spread = predicted["theirs"].std(axis=0)
        apart = max(apart, float((np.abs(predicted["ours"] - predicted["theirs"]).max(axis=0) / spread).max()))
    cpu = {name: float(np.mean([each["cpu"] for each in fits])) for name, fits in found.items()}
    for part in ("valid", "test"):
        means, errors = {}, {}
        for name, fits in found.items():
            scores = np.array([each[part] for each in fits])
            means[name] = scores.mean()
            errors[name] = scores.std(ddof=1) / np.sqrt(len(scores)) if len(scores) > 1 else 0.0
        print(
            f"{task} {model} {part}: ours {means['ours']:.4f} +- {errors['ours']:.4f}, theirs {means['theirs']:.4f}"
            f" +- {errors['theirs']:.4f}"
        )
    print(f"{task} {model}: predictions of test rows apart by {apart:.1e} of their spread at most")
    print(
        f"=> {task} {model}, CPU seconds per fit: ours {cpu['ours']:.1f}, theirs {cpu['theirs']:.1f}, ratio"
        f" {cpu['ours'] / cpu['theirs']:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, required=True, help="the other tree")
    parser.add_argument("--python", help="its interpreter; this one by default")
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--models", nargs="+", default=tuple(CLASSES), choices=tuple(CLASSES))
    for name, default in (("seeds", 3), ("fold", 1), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for task in given.tasks:
            prepare(task, given.fold, given.data_dir, Path(folder) / f"{task}.npz")
            for model in given.models:
                compare(given, Path(folder), task, model)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        one_fit(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]), Path(sys.argv[6]))
    else:
        main()
