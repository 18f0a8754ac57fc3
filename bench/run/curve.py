"""The plan of a learning curve: pairs on 250, 500, ... and all training rows of a task."""

from __future__ import annotations

from dataclasses import replace

from bench.board.curve import FIRST, sizes
from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection, Skip, make_plan
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
    plan = Plan(selection)
    for train in sizes(rows):
        for featurizer, model in pairs or DEFAULT_PAIRS:
            of_size = replace(
                selection, featurizers=(featurizer,), models=(model,), split=str(replace(whole, train=train))
            )
            try:
                part = make_plan(of_size, registry, store, outside=outside)
            except BenchError as error:  # no motifs of this organism, say
                if pairs:
                    raise
                plan.skipped.append(Skip(planned.name, str(error), featurizer, model))
                continue
            plan.tasks += part.tasks
            plan.jobs += part.jobs
            plan.reused += part.reused
            plan.skipped += part.skipped
    if not plan.tasks:
        raise BenchError(f"{task}: none of the pairs can be run on it. Name others with --pair.")
    return plan
