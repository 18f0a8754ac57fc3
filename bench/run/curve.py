"""The plan of a learning curve: pairs on 250, 500, ... and all training rows of a task."""

from __future__ import annotations

from dataclasses import replace

from bench.board.curve import FIRST, sizes
from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.over_splits import plan_over_splits
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection
from bench.store.store import Store
from bench.tasks.load import load_planned
from bench.tasks.splits import Split
from bench.tasks.task import TRAIN

#: Fitted where nothing is named: GC, composition, k-mers, motifs and a network, each with the learner that suits it.
DEFAULT_PAIRS = (
    ("gc", "gc-curve"),
    ("composition", "lightgbm"),
    ("kmers", "ridge"),
    ("motifs", "lightgbm"),
    ("one-hot", "cnn"),
)


def plan_curve(
    selection: Selection, pairs: list[tuple[str, str]], registry: Registry, store: Store, outside: Outside
) -> Plan:
    """One plan of all sizes of a task's curve.

    Parameters
    ----------
    selection : of one task, under its own split or the one given.
    pairs : (featurizer, model); ``DEFAULT_PAIRS`` without any, of which those that make no sense are skipped.

    Raises
    ------
    BenchError : as ``make_plan``, for pairs that were named; and where no pair can be run.
    """
    assert selection.tasks is not None
    (task,) = selection.tasks
    planned = load_planned(selection.source(task), registry)
    whole = Split.parse(planned.folds.name)
    rows = int((planned.folds.part == TRAIN).sum(axis=1).mean())
    if len(sizes(rows)) < 2:
        raise BenchError(f"{task}: its folds have {rows} training rows, and a curve begins at {FIRST}: there is none.")
    splits = [replace(whole, train=train) for train in sizes(rows)]
    return plan_over_splits(selection, splits, pairs, DEFAULT_PAIRS, registry, store, outside)
