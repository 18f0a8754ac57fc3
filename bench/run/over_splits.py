"""A plan of the same pairs on one task under several splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection, Skip, make_plan
from bench.store.store import Store
from bench.tasks.splits import Split

#: (featurizer, model).
Pair = tuple[str, str]


def plan_over_splits(
    selection: Selection,
    splits: Sequence[Split],
    pairs: Sequence[Pair],
    otherwise: Sequence[Pair],
    registry: Registry,
    store: Store,
    outside: Outside,
) -> Plan:
    """One plan of all splits, in their order.

    Parameters
    ----------
    selection : of one task.
    pairs : what was named; without any ``otherwise``, of which those that make no sense are skipped.

    Raises
    ------
    BenchError : as ``make_plan``, for pairs that were named; and where no pair can be run.
    """
    assert selection.tasks is not None
    (task,) = selection.tasks
    plan = Plan(selection)
    for split in splits:
        for featurizer, model in pairs or otherwise:
            one = replace(selection, featurizers=(featurizer,), models=(model,), split=str(split))
            try:
                part = make_plan(one, registry, store, outside=outside)
            except BenchError as error:  # no motifs of this organism, say
                if pairs:
                    raise
                plan.skipped.append(Skip(task, str(error), featurizer, model))
                continue
            plan.tasks += part.tasks
            plan.jobs += part.jobs
            plan.reused += part.reused
            plan.skipped += part.skipped
    if not plan.tasks:
        raise BenchError(f"{task}: none of the pairs can be run on it. Name others with --pair.")
    return plan
