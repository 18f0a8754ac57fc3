"""A small store with planted truth, written through bench.store.store: GC and a motif drive the target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from stored import description, fitted

from bench.sequences import Sequences
from bench.store.predictions import Predictions
from bench.store.record import Fitted
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN, VALID, Card, Content, Folds, Target, Task


@dataclass
class Planted:
    """One task of the store: 3 folds over 6 chromosomes, loci of 4 rows, and models that see GC, the motif, or both."""

    name: str = "planted"
    title: str = "Planted truth"
    note: str = ""
    targets: tuple[str, ...] = ("activity",)
    split: str = "chromosome-kfold[k=3]"
    replicates: int = 2
    rows: int = 480
    seeds: int = 1
    digest: str = "d1"
    strata: tuple[str, ...] = ()
    dna: bool = False
    halves: bool = False
    #: the second replicate is the first again
    copy: bool = False
    #: rows that a target lacks
    missing: dict[str, slice] = field(default_factory=dict)
    #: rows of the task, kept for checks against outside references
    task: Task | None = None
    folds: Folds | None = None
    predictions: dict[tuple[str, str, str, int], np.ndarray] = field(default_factory=dict)

    def write(self, out: Path) -> Planted:
        rng = np.random.default_rng(7)
        n = self.rows
        locus = np.arange(n) // 4
        gc = np.clip(0.45 + 0.08 * rng.standard_normal(n // 4)[locus] + 0.02 * rng.standard_normal(n), 0.1, 0.9)
        motif = rng.poisson(1, n) - 1.0
        targets = {}
        for t, name in enumerate(self.targets):
            latent = 0.6 * (gc - 0.45) / 0.08 * (-1) ** t + 0.6 * motif
            values = latent[:, None] + rng.normal(0, 0.7, (n, self.replicates))
            if self.copy:
                values[:, 1] = values[:, 0]
            values[self.missing.get(name, slice(0, 0))] = np.nan
            halves = latent[:, None] + rng.normal(0, 1, (n, 2)) if self.halves else None
            targets[name] = Target(name, values, tuple(f"rep{j + 1}" for j in range(self.replicates)), halves=halves)
        chrom = np.array([f"chr{i % 6}" for i in locus])
        sequences = Sequences.from_strings(["ACGT" * 5] * n)
        if self.dna:
            sequences = replace(
                sequences, covariates={"dna_count": np.exp(3 + 2 * (gc - 0.45) + rng.normal(0, 0.3, n))}
            )
        self.task = Task(
            Card(self.name, self.title, "MPRA", "Homo sapiens", "hg38", "A. Author 2026", "MIT", "stranded", self.note),
            sequences,
            np.array([f"row{i}" for i in range(n)]),
            chrom,
            np.arange(n, dtype=np.int64),
            locus.astype(np.int64),
            targets,
            {name: np.where(locus % 2 == 0, "even", "odd") for name in self.strata},
            Split.parse(self.split),
            self.digest,
            {"letters made N": 3},
            content=Content(self.digest, self.digest, dict.fromkeys(targets, self.digest), {}),
        )
        number = np.array([int(c[3:]) for c in chrom])
        parts = np.full((3, n), TRAIN, np.int8)
        for k in range(3):
            parts[k][number // 2 == k] = TEST
            parts[k][number == (2 * k + 2) % 6] = VALID
        self.folds = Folds(self.split, parts)
        Store(out).write_task(self.task, gc)
        z = (gc - 0.45) / 0.08
        for t, name in enumerate(self.targets):
            sign = (-1) ** t
            self.result(out, name, "none", "mean", np.zeros(n), role="null")
            self.result(out, name, "length", "ridge", rng.standard_normal(n), role="confounder")
            self.result(out, name, "gc", "gc-curve", sign * z + rng.normal(0, 0.1, n), gc_only=True)
            self.result(
                out, name, "gc-windows[n=5]", "ridge", sign * z + rng.normal(0, 0.5, n), gc_only=True, kind="signal"
            )
            for seed in range(self.seeds):
                noise = rng.normal(0, 0.3, n)
                self.result(out, name, "kmers[k=4]", "xgboost", sign * z + motif + noise, seed=seed)
            self.result(
                out, name, "one-hot", "cnn", sign * z + 0.5 * motif + rng.normal(0, 0.5, n), deep=True, kind="codes"
            )
        return self

    def result(self, out: Path, target: str, featurizer: str, model: str, prediction: np.ndarray, **extra: Any) -> Path:
        """Write one finished result; every fold predicts the same values, moved by the fold's number."""
        assert self.task is not None
        assert self.folds is not None
        seed = extra.pop("seed", 0)
        pieces = [np.flatnonzero(part >= 0) for part in self.folds.part]
        row = np.concatenate(pieces)
        fold = np.repeat(np.arange(len(pieces)), [len(p) for p in pieces])
        part = np.concatenate([self.folds.part[k][p] for k, p in enumerate(pieces)])
        values = (prediction[row] + 5 * fold).astype(np.float32)
        self.predictions[target, featurizer, model, seed] = prediction.astype(np.float32)
        codes = {"train": TRAIN, "valid": VALID, "test": TEST}
        sizes = {name: [int((p == code).sum()) for p in self.folds.part] for name, code in codes.items()}
        y = self.task.targets[target].value
        measured = np.isfinite(y)
        scores = {
            name: [_spearman(prediction[(p == code) & measured], y[(p == code) & measured]) for p in self.folds.part]
            for name, code in codes.items()
        }
        of_fit = {name: extra.pop(name) for name in set(extra) & set(Fitted.model_fields)}
        key = extra.pop("key", f"{featurizer}{model}{seed}")
        external = extra.pop("external", False)
        place = ResultId(self.name, target, self.split, featurizer, model, seed)
        about = description(place, task_digest=self.task.content.of(target), folds_digest=self.folds.digest).model_copy(
            update=extra
        )
        known = {"rows": sizes, "fitted_rows": sizes["train"], "spearman": scores, "history": [[], [], []]}
        store = Store(out)
        store.write_result(
            about,
            key,
            fitted(**(known | of_fit)),
            Predictions(row.astype(np.int32), fold.astype(np.int8), part.astype(np.int8), values),
            external=external,
        )
        return store.folder(place)


def _spearman(a: np.ndarray, b: np.ndarray) -> float | None:
    from scipy.stats import spearmanr

    return None if np.isnan(a).any() or np.ptp(a) == 0 else float(spearmanr(a, b).statistic)
