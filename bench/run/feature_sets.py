"""Features made elsewhere, around a run: those that were used before, and what the board says of those that are new."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.names import parse_name
from bench.plugins.feature_sets import TWIN, FeatureSet, class_of
from bench.plugins.registry import Made, Registry
from bench.run.plan import Plan
from bench.stats.intervals import Estimate
from bench.stats.recovered import Recovered, recovered
from bench.store.feature_record import FeaturesRecord, PluginRecipeRecord, features_file
from bench.store.record import EstimateRecord
from bench.store.store import Store
from bench.tasks.digest import content_of
from bench.tasks.folds import make_folds
from bench.tasks.load import PlannedTask
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN, Target, Task

#: Rows that GC is predicted from features for, evenly spaced: an R² of .5 over 30,000 rows has an error of .004.
MOST_ROWS = 30_000
#: How the loci are divided for it.
GROUPS = Split.parse("locus-kfold[k=5]")


def known_before(store: Store, featurizers: Iterable[str], registry: Registry) -> list[FeatureSet]:
    """Sets that are asked for by name, that no plugin is called, and of which results are in the store."""
    names = {parse_name(each)[0] for each in featurizers} - set(registry.names("featurizer"))
    if not names:
        return []
    found: dict[str, tuple[float, FeaturesRecord]] = {}
    for task in store.tasks():
        for name in names & set(task.features):
            when = (task.folder / features_file(name)).stat().st_mtime
            if name not in found or when > found[name][0]:
                found[name] = when, task.features[name]
    return [
        FeatureSet(name, trained_on=record.trained_on, twin_of=record.twin_of, recipe=record.recipe.recipe(name))
        for name, (_, record) in sorted(found.items())
    ]


def write_features(plan: Plan, registry: Registry, store: Store, threads: int) -> list[FeaturesRecord]:
    """Keep, next to each task, what the board says of the features that were used on it: what they are, and how much
    of GC content they know. What is known of the same features and rows already is not computed again. A quick look has
    no time for it, and `--cache only` writes nothing. Returns the records, one for each task and set."""
    told: list[FeaturesRecord] = []
    if plan.selection.quick or plan.selection.cache == "only":
        return told
    kept = {task.record.card.name: task.features for task in store.tasks() if task.record is not None}
    used = {(r.task, r.featurizer) for r in (*plan.reused, *(r for job in plan.jobs for r in job.results))}
    for planned in plan.tasks:
        for name in sorted(featurizer for task, featurizer in used if task == planned.name):
            given = registry.features_of(name)
            if given is None or not given.path:
                continue
            featurizer = registry.make("featurizer", name)
            before = kept.get(planned.name, {}).get(name)
            record = _record(planned, featurizer, given, before, registry, threads)
            if record != before:
                store.write_features(planned.name, record)
            told.append(record)
    return told


def _record(
    planned: PlannedTask,
    featurizer: Made,
    given: FeatureSet,
    before: FeaturesRecord | None,
    registry: Registry,
    threads: int,
) -> FeaturesRecord:
    from bench.fit.recipe import plugin_recipe

    recipe = PluginRecipeRecord.of(plugin_recipe(featurizer))
    sequences = content_of(planned.task).sequences[:16]
    same = before is not None and (before.recipe, before.sequences) == (recipe, sequences)
    if before is not None and same:
        trained_on = given.trained_on or before.trained_on
        return before.model_copy(update={"trained_on": trained_on, "twin_of": given.twin_of or before.twin_of})
    matrix = given.matrix()
    known = gc_known(planned, featurizer, registry, threads)
    return FeaturesRecord(
        name=given.name,
        file=Path(given.path).name,
        twin_of=given.twin_of,
        trained_on=given.trained_on,
        columns=matrix.columns,
        dtype=str(matrix.values.dtype),
        file_rows=len(matrix.ids),
        recipe=recipe,
        sequences=sequences,
        gc_r2=None if known is None else _kept(known.r2),
        gc_rho=None if known is None else _kept(known.rho),
    )


def _kept(figure: Estimate) -> EstimateRecord | None:
    if not math.isfinite(figure.value):
        return None
    low, high = (float(end) if math.isfinite(end) else None for end in (figure.low, figure.high))
    return EstimateRecord(value=float(figure.value), low=low, high=high)


def gc_known(planned: PlannedTask, featurizer: Made, registry: Registry, threads: int = 1) -> Recovered | None:
    """How much of the rows' GC content a ridge regression recovers from features, cross-fitted over groups of loci;
    None where all rows have one GC content, or where there are fewer than five loci.

    The rows are those of the task, at most ``MOST_ROWS`` evenly spaced ones of them.
    """
    some = np.unique(np.linspace(0, len(planned.task) - 1, min(len(planned.task), MOST_ROWS)).astype(np.int64))
    gc = planned.gc[some].astype(np.float64)
    locus = planned.task.locus[some]
    if np.ptp(gc) == 0 or len(np.unique(locus)) < 5:
        return None
    task = _of_gc(planned.task, some, gc)
    folds = make_folds(task, GROUPS)
    job = FitJob(task, folds, featurizer, registry.make("model", "ridge[target=raw]"), 0, ("GC",), threads=threads)
    [result] = fit_job(job, Workspace())
    predicted = np.full(len(gc), np.nan)
    test = result.predictions.part == TEST
    row, fold = result.predictions.row[test], result.predictions.fold[test]
    # A raw target is fitted as its z-score on the training rows of the fold.
    level = np.array([[gc[part == TRAIN].mean(), gc[part == TRAIN].std()] for part in folds.part])
    predicted[row] = level[fold, 0] + result.predictions.prediction[test] * level[fold, 1]
    there = np.isfinite(predicted)
    return recovered(gc[there], predicted[there], locus[there])


def _of_gc(task: Task, rows: np.ndarray, gc: np.ndarray) -> Task:
    """A task of some rows whose target is their GC content."""
    target = Target("GC", gc[:, None], ("GC",), combine="mean")
    return dataclasses.replace(
        task,
        sequences=task.sequences.take(rows),
        row_id=task.row_id[rows],
        chrom=task.chrom[rows],
        position=task.position[rows],
        locus=task.locus[rows],
        targets={"GC": target},
        strata={},
        labels={},
        control=None,
        filters={},
        content=None,
        left_out=task.left_out[:0],
        digest="",
    )


def feature_sets(
    features: Path | None, name: str | None, ids: Path | None, twin: Path | None, trained_on: str | None
) -> list[FeatureSet]:
    """The sets that the options of ``bench run`` name: the features, and their untrained twin.

    Raises
    ------
    BenchError : for an option without the one that it goes with, and a name that is none.
    """
    if features is None or name is None:
        alone = {"--features": features, "--name": name, "--ids": ids, "--twin": twin, "--trained-on": trained_on}
        given = next((option for option, value in alone.items() if value is not None), None)
        if given is None:
            return []
        missing = "--features FILE" if features is None else "--name NAME"
        raise BenchError(f"{given} needs {missing} too: bench run -t TASK --features FILE --name NAME.")
    named = "" if ids is None else str(ids.resolve())
    sets = [FeatureSet(name, str(features.resolve()), named, trained_on or "")]
    if twin is not None:
        sets.append(FeatureSet(name + TWIN, str(twin.resolve()), named, "nothing: untrained", name))
    for each in sets:
        class_of(each)
        each.matrix()
    return sets


def with_features(featurizers: list[str] | None, given: list[FeatureSet]) -> list[str] | None:
    """The featurizers that are asked for by name, and the sets whose files are: to name a file is to ask for it."""
    if featurizers is None:
        return None
    return [*featurizers, *(each.name for each in given if each.name not in featurizers)]
