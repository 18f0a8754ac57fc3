"""Learners on a CUDA device against the CPU of the same machine, at three sizes; writes ``benchmarks/gpu.md``.

    python benchmarks/gpu.py [--rows 5000,20000,100000] [--out benchmarks/gpu.md]

The data are simulated: random sequences whose activity follows GC content, one motif and noise. Boosters and the forest
get counts of 1- to 6-mers (5,460 columns, uint8), networks one-hot codes of 200 bases, once per backend that is
installed and sees the device. Every figure is the median of ``--repeats`` fits after one that is not counted (imports,
compiling, tracing), with the Spearman of the prediction on 2,000 rows that were not fitted beside it: a speed without
its score says nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

#: Bases of a sequence, and rows held out for the score.
LENGTH, HELD_OUT = 200, 2_000
#: Rounds, trees and epochs: enough that start-up does not decide, few enough for a borrowed machine.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "xgboost": ("table", {"rounds": 200}),
    "random-forest": ("table", {"trees": 50}),
    "cnn": ("codes", {"epochs": 3}),
}
BACKENDS = ("tensorflow", "jax", "torch")
MOTIF = np.array([3, 2, 0, 2, 3, 1, 0], np.uint8)  # TGAGTCA


def data(rows: int) -> tuple[Any, np.ndarray]:
    """Random sequences and a target that follows their GC content and the best match of one motif."""
    from bench.sequences import Sequences

    rng = np.random.default_rng(1)
    gc = np.clip(rng.normal(0.45, 0.08, (rows, 1)), 0.1, 0.9)
    strong, second = rng.random((2, rows, LENGTH))
    codes = np.where(strong < gc, 1 + (second < 0.5), 3 * (second < 0.5)).astype(np.uint8)
    sites = rng.poisson(1.0, rows)
    for row in np.flatnonzero(sites):
        for place in rng.integers(0, LENGTH - len(MOTIF), sites[row]):
            codes[row, place : place + len(MOTIF)] = MOTIF
    share = ((codes == 1) | (codes == 2)).mean(axis=1)
    y = (share - share.mean()) / share.std() + sites - 1 + rng.normal(size=rows)
    stop = (1 + np.arange(rows)) * LENGTH
    return Sequences.from_intervals(codes.ravel(), stop - LENGTH, stop), y.astype(np.float32)


def measure(name: str, device: str, rows: int, repeats: int, threads: int) -> dict[str, Any]:
    """Median seconds of a fit and of predicting ``HELD_OUT`` rows, and the Spearman there."""
    from scipy.stats import spearmanr

    from bench.featurizer import Features
    from bench.model import Part, Setting
    from bench.plugins.registry import Registry

    registry = Registry()
    kind, parameters = MODELS[name]
    featurizer = registry.make("featurizer", "kmers[k=6]" if kind == "table" else "one-hot").new()
    sequences, y = data(rows + 2 * HELD_OUT)
    x = featurizer.transform(sequences)
    train, valid, test = (
        slice(0, rows), slice(rows, rows + HELD_OUT), slice(rows + HELD_OUT, None)
    )  # fmt: skip
    parts = [Part(Features(x[place], kind), y[place]) for place in (train, valid)]  # type: ignore[arg-type]
    held_out = Features(x[test], kind)  # type: ignore[arg-type]
    fits, predicts = [], []
    for _ in range(repeats + 1):
        model = registry.find("model", name)(**parameters)
        model.history = []
        began = time.perf_counter()
        model.fit(parts[0], parts[1], Setting(seed=1, device=device, threads=threads))  # type: ignore[arg-type]
        fitted = time.perf_counter()
        prediction = model.predict(held_out)
        fits.append(fitted - began)
        predicts.append(time.perf_counter() - fitted)
    return {
        "fit": statistics.median(fits[1:]),
        "predict": statistics.median(predicts[1:]),
        "score": float(spearmanr(prediction, y[test]).statistic),
        "device": model.device_used,
    }


def in_a_process(name: str, device: str, rows: int, backend: str, options: argparse.Namespace) -> dict[str, Any] | str:
    """As `measure`, in a process of its own with one Keras backend; the last line of its error where it failed."""
    call = [sys.executable, __file__, "--one", name, device, str(rows), "--repeats", str(options.repeats)]
    environment = os.environ | ({"KERAS_BACKEND": backend} if backend else {})
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:160]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def version(*names: str) -> str:
    """The version of the first distribution of these names that is installed."""
    for name in names:
        try:
            return f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="5000,20000,100000")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--backends", default=",".join(BACKENDS), help="Keras backends to try")
    parser.add_argument("--limit", type=float, default=420.0, help="seconds after which no new measurement is begun")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "gpu.md")
    parser.add_argument("--one", nargs=3, metavar=("MODEL", "DEVICE", "ROWS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    from bench.run.device import cpu_threads, cuda_devices

    if options.one:
        name, device, rows = options.one
        print(json.dumps(measure(name, device, int(rows), options.repeats, cpu_threads())))
        return
    if not cuda_devices():
        raise SystemExit("no CUDA device is visible here (nvidia-smi names none).")
    began = time.perf_counter()
    libraries = [
        version("xgboost", "xgboost-cpu"), version("keras"), version("tensorflow", "tensorflow-cpu"), version("jax"),
        version("torch"), version("numpy"),
    ]  # fmt: skip
    lines = [
        "# Learners on a GPU",
        "",
        f"Made by `python benchmarks/gpu.py` on {', '.join(cuda_devices())} and {cpu_threads()} CPU threads of the same"
        f" machine; Python {platform.python_version()}, {', '.join(filter(None, libraries))}. Seconds of one fit, the"
        f" median of {options.repeats} after one that is not counted; the Spearman on {HELD_OUT:,} held-out rows beside"
        " it. Simulated sequences of 200 bases; 5,460 columns of k-mer counts, or one-hot codes.",
        "",
        "| learner | rows | GPU, s | CPU, s | CPU / GPU | Spearman GPU | Spearman CPU |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for rows in map(int, options.rows.split(",")):
        for name in MODELS:
            backends = [b for b in options.backends.split(",") if name == "cnn" and find_spec(b)] or [""]
            for backend in backends:
                label = f"{name} ({backend})" if backend else name
                if time.perf_counter() - began > options.limit:
                    lines.append(f"| {label} | {rows:,} | not run: the time was up | | | | |")
                    continue
                gpu, cpu = (in_a_process(name, device, rows, backend, options) for device in ("cuda", "cpu"))
                if isinstance(gpu, str) or isinstance(cpu, str):
                    reason = gpu if isinstance(gpu, str) else cpu
                    lines.append(f"| {label} | {rows:,} | failed: {reason} | | | | |")
                else:
                    lines.append(
                        f"| {label} | {rows:,} | {gpu['fit']:.1f} | {cpu['fit']:.1f} | {cpu['fit'] / gpu['fit']:.1f} |"
                        f" {gpu['score']:.3f} | {cpu['score']:.3f} |"
                    )
                print(lines[-1], flush=True)
                options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
