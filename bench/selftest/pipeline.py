"""The way of every result - table, task, folds, fits, figures - for simulated data, in memory and through the store."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.board.schema import BoardSummary
from bench.datasets import planted
from bench.datasets.simulate import Simulated
from bench.plugins.registry import Registry
from bench.stats.figures import TargetFigures, target_figures
from bench.stats.observations import Learners, Observations
from bench.stats.partial import spline_residuals
from bench.tasks.splits import Split

#: The GC-only learner, and the one that sees the sequence. Ridge on k-mers of 1 to 4 finds a motif of ten bases
#: as well as k = 5, k = 6 and boosted trees do (Spearman .72 of .73 on 2,600 rows), in a fiftieth of the time.
GC_ONLY, BEST = ("gc", "gc-curve"), ("kmers[k=4]", "ridge")
NAMES = tuple(" + ".join(pair) for pair in (GC_ONLY, BEST))
SPLIT = Split.parse("chromosome-kfold[k=3]")


@cache
def _registry() -> Registry:
    return Registry(dropped=False)


def recover(data: Simulated, *, min_dna: int = planted.MIN_DNA, seed: int = 0) -> TargetFigures:
    """The figures of a simulated data set: its table becomes a task, both learners are fitted on every fold, and their
    held-out predictions make the figures."""
    from bench.fit.features import Workspace
    from bench.fit.fit import FitJob, fit_job
    from bench.kernels.gc import gc_fraction
    from bench.tasks.folds import make_folds
    from bench.tasks.table import build_task
    from bench.tasks.task import TEST

    spec = planted.spec_of(data, min_dna=min_dna, split=SPLIT)
    task = build_task(spec, planted.table_of(data), source=spec.name)
    folds = make_folds(task)
    fold = np.where((folds.part == TEST).any(axis=0), (folds.part == TEST).argmax(axis=0), -1)
    predictions: dict[str, NDArray[Any]] = {}
    validation: dict[str, float] = {}
    for name, (featurizer, model) in zip(NAMES, (GC_ONLY, BEST), strict=True):
        made, learner = _registry().make("featurizer", featurizer), _registry().make("model", model)
        found = fit_job(FitJob(task, folds, made, learner, seed, (planted.TARGET,)), Workspace())[0]
        tested = found.predictions.part == TEST
        predictions[name] = np.zeros(len(task))
        predictions[name][found.predictions.row[tested]] = found.predictions.prediction[tested]
        scores = [score for score in found.record.spearman["valid"] if score is not None]
        validation[name] = float(np.mean(scores)) if scores else float("nan")
    target = task.targets[planted.TARGET]
    return target_figures(
        Observations(target.value, fold, task.locus, target.replicates, gc_fraction(task.sequences)),
        Learners(predictions, gc_only=NAMES[:1], validation=validation),
        seed=seed,
    )


def held_out_curves(data: Simulated, *, seed: int = 0) -> TargetFigures:
    """The figures without the sequences, for studies of many repetitions: G is the curve of GC, D that of GC and the
    number of motif hits, which no learner can better. Three folds by chromosome; every row counts."""
    fold = data.chrom % 3
    columns = {NAMES[0]: data.gc[:, None], NAMES[1]: np.column_stack([data.gc, data.hits])}
    y = data.y
    predictions = {name: _curve(table, y, fold) for name, table in columns.items()}
    return target_figures(
        Observations(y, fold, data.locus, data.replicates, data.gc),
        Learners(predictions, gc_only=NAMES[:1], validation=dict(zip(NAMES, (0.0, 1.0), strict=True))),
        seed=seed,
    )


def _curve(table: NDArray[Any], y: NDArray[Any], fold: NDArray[Any]) -> NDArray[np.float64]:
    """Held-out predictions (n,) of the registry's curve learner: fold i is tested, i + 1 validates, the rest trains."""
    from bench.featurizer import Features
    from bench.fit.scale import TargetScale
    from bench.model import Part, Setting

    made = _registry().make("model", GC_ONLY[1])
    prediction = np.zeros(len(y))
    for test in range(3):
        parts = [np.flatnonzero(fold == (test + offset) % 3) for offset in (2, 1)]
        scale = TargetScale(y[parts[0]], "rank")
        fitted = made.new()
        fitted.fit(*(Part(Features(table[rows], "table"), scale(y[rows])) for rows in parts), Setting())
        prediction[fold == test] = fitted.predict(Features(table[fold == test], "table"))
    return prediction


def with_replicates(data: Simulated, replicates: NDArray[Any]) -> Simulated:
    """The same rows with other measurements, float64 (n, k)."""
    return dataclasses.replace(data, replicates=np.asarray(replicates, np.float64))


def dna_held_fixed(data: Simulated, min_dna: int) -> Simulated:
    """Rows of ``min_dna`` DNA reads, each replicate less its spline of the DNA count: what a bias of the library leaves
    in a ratio of small counts goes with it."""
    kept = rows_of(data, data.dna >= min_dna)
    return with_replicates(kept, spline_residuals(kept.replicates, kept.dna, kept.locus))


def rows_of(data: Simulated, rows: NDArray[Any]) -> Simulated:
    """Some rows of a simulated data set."""
    taken = {
        name: getattr(data, name)[rows]
        for name in ("codes", "locus", "chrom", "dna", "rna", "replicates", "latent", "gc", "hits")
    }
    return dataclasses.replace(data, **taken)


def through_the_store(data: Simulated, folder: Path, *, min_dna: int = planted.MIN_DNA) -> BoardSummary:
    """What a person does: write a task file, ``bench run`` it, read the numbers of the board (``summary.json``)."""
    from rich.console import Console

    from bench.board.load import find_tasks
    from bench.board.summarise import summarise
    from bench.run.execute import run_plan
    from bench.run.plan import Selection, make_plan
    from bench.store.store import Store

    spec = planted.spec_of(data, name="planted-task", min_dna=min_dna, split=SPLIT)
    path, _ = planted.write_task(folder / "task", data, spec)
    store = Store(folder / "out")
    for featurizer, model in (GC_ONLY, BEST):
        call = Selection(tasks=(str(path),), featurizers=(featurizer,), models=(model,))
        plan = make_plan(call, _registry(), store)
        run_plan(plan, _registry(), store, Console(quiet=True))
    return summarise(find_tasks(store.root)[0]).boards[0]
