"""The plan of a shift panel, and how alike test rows are to the rows that trained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.run.over_splits import Pair, plan_over_splits
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection
from bench.store.store import Store
from bench.tasks.load import PlannedTask, load_planned
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN

#: What the task's own split is beside: halves of GC, and a split that leaks.
BESIDE = (Split.parse("gc-shift"), Split.parse("random-kfold[k=5]"))
#: Fitted where nothing is named: GC, composition, k-mers, motifs, and the value of the nearest training row.
DEFAULT_PAIRS: tuple[Pair, ...] = (
    ("gc", "gc-curve"),
    ("composition", "lightgbm"),
    ("kmers", "ridge"),
    ("motifs", "lightgbm"),
    ("one-hot", "nearest"),
)
#: Rows are alike where a local alignment has this part of its columns equal over this part of the row asked for.
IDENTITY, COVERED = 0.7, 0.2


def plan_shift(
    selection: Selection, pairs: list[Pair], registry: Registry, store: Store, outside: Outside
) -> tuple[Plan, PlannedTask]:
    """One plan of a task's own split (or the one given) and those of ``BESIDE``; and the task on its own split.

    Raises
    ------
    BenchError : as ``over_splits.plan_over_splits``; where the split asked for is one of ``BESIDE``.
    """
    assert selection.tasks is not None
    (task,) = selection.tasks
    planned = load_planned(selection.source(task), registry)
    own = Split.parse(planned.folds.name)
    if any(own.kind == other.kind for other in BESIDE):
        raise BenchError(f"{task}: the panel sets {own} beside the split of the task. Name another with --split.")
    plan = plan_over_splits(selection, (own, *BESIDE), pairs, DEFAULT_PAIRS, registry, store, outside)
    return plan, planned


def likeness(planned: PlannedTask) -> NDArray[np.float32]:
    """Of every test row the bases that the most similar training row of its fold shares with it, as a part of its own.

    Returns
    -------
    float32 (folds, n), 0 where no training row is alike (``IDENTITY``, ``COVERED``), NaN where a row is not tested.
    """
    from bench.kernels.codes import padded_codes
    from bench.kernels.similar import index_of, most_similar

    codes = padded_codes(planned.task.sequences)
    found = np.full(planned.folds.part.shape, np.nan, np.float32)
    for fold, part in enumerate(planned.folds.part):
        trains, tested = np.flatnonzero(part == TRAIN), np.flatnonzero(part == TEST)
        if len(trains) and len(tested):
            found[fold, tested] = most_similar(
                index_of(codes[trains]), codes[tested], identity=IDENTITY, covered=COVERED
            )[1]
    return found
