"""Blends: non-negative combinations of stored predictions. Nothing is fitted again.

Weights of fold i are fitted on its validation loci that are test loci of another fold, with the predictions of that
other fold's members, which have neither trained on these rows nor been stopped by them. The members of fold i itself
were stopped by them, and look better there than they are.
"""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.fit.recipe import PROTOCOL, Recipe
from bench.fit.scale import TargetScale
from bench.plugins.described import PluginRecipe
from bench.plugins.libraries import library_versions
from bench.plugins.registry import Registry
from bench.run.places.outside import Outside
from bench.run.plan import Selection, make_plan
from bench.store.predictions import Predictions, rows_of_parts, scores
from bench.store.record import Description, Fitted, ResultRecord
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.digest import content_of
from bench.tasks.load import PlannedTask
from bench.tasks.task import TEST, VALID

#: The model's name on the board; the featurizer's names the members.
NAME = "blend"
#: Raised when the weights follow from the members in another way.
VERSION = "1"
#: Rows that weights are fitted on at least; with fewer the members weigh the same.
FEWEST_ROWS = 50


@dataclass(frozen=True, eq=False)
class Member:
    """One result that a blend is made of."""

    record: ResultRecord
    predictions: Predictions

    @property
    def name(self) -> str:
        """``featurizer+model``."""
        return f"{self.record.featurizer}+{self.record.model}"


def names_as_stored(
    selection: Selection, pairs: list[tuple[str, str]], registry: Registry, store: Store, outside: Outside
) -> list[tuple[str, str]]:
    """The names under which pairs (featurizer, model) of a task lie in a store: ``kmers`` is kept as ``kmers[k=6]``,
    and ``motifs`` with the taxon of the task. Names of results that were made elsewhere stay what they are."""
    known = {(record.featurizer, record.model) for _, record in store.records()}
    found = []
    for pair in pairs:
        if pair not in known:
            asked = replace(selection, featurizers=pair[:1], models=pair[1:], cache="only")
            plan = make_plan(asked, registry, store, outside=outside)
            result = next(iter((*plan.reused, *plan.absent)))  # a plan without any result is refused
            pair = result.featurizer, result.model
        found.append(pair)
    return found


def blend(planned: PlannedTask, store: Store, pairs: list[tuple[str, str]]) -> list[tuple[ResultId, bool]]:
    """Blend the stored results of pairs (featurizer, model), for every target and seed that all of them have.

    A member that is fitted once, as it does not depend on the seed, takes part in the blend of every seed.

    Returns
    -------
    Each result with whether it was made now (it is reused where its members are what they were).

    Raises
    ------
    BenchError : for fewer than two members, one that has no results, and members on other rows than each other.
    """
    if len(set(pairs)) < 2:
        raise BenchError("a blend needs two different pairs at least: bench blend TASK -p 'gc + gc-curve' -p ...")
    records: dict[tuple[str, str, str, int], ResultRecord] = {}
    current = content_of(planned.task)
    for _, record in store.records():
        if (record.task, record.split) == (planned.name, planned.folds.name) and (
            record.target in planned.task.targets
            and record.task_digest == current.of(record.target)
            and record.folds_digest == planned.folds.digest
        ):
            records[record.target, record.featurizer, record.model, record.seed] = record
    there = dict.fromkeys(f"{featurizer} + {model}" for _, featurizer, model, _ in records)
    for featurizer, model in pairs:
        if f"{featurizer} + {model}" not in there:
            wanted = f"{featurizer} + {model}"
            raise BenchError(
                f"{planned.name}: no result of {wanted} in {store.root}.{nearest(wanted, there)} Run it first."
            )
    made = []
    for target in planned.task.targets:
        seeds = [{seed for of, f, m, seed in records if (of, f, m) == (target, *pair)} for pair in dict.fromkeys(pairs)]
        for seed in sorted(set.union(*seeds)):
            found = [
                records.get((target, *pair, seed)) or _only(records, target, pair) for pair in dict.fromkeys(pairs)
            ]
            if all(found):
                made.append(_blend_one(planned, store, target, seed, [each for each in found if each is not None]))
    if not made:
        raise BenchError(f"{planned.name}: no target has results of all members. Run them on the same targets.")
    return made


def _only(
    records: dict[tuple[str, str, str, int], ResultRecord], target: str, pair: tuple[str, str]
) -> ResultRecord | None:
    """The result of a member that two seeds fit alike."""
    found = records.get((target, *pair, 0))
    return found if found is not None and not found.stochastic else None


def _blend_one(
    planned: PlannedTask, store: Store, target: str, seed: int, records: list[ResultRecord]
) -> tuple[ResultId, bool]:
    named = " | ".join(f"{record.featurizer}+{record.model}" for record in records)
    result = ResultId(planned.name, target, planned.folds.name, named, NAME, seed)
    key = Recipe(
        task=planned.name,
        protocol=PROTOCOL,
        sequences=records[0].task_digest,
        values=(records[0].task_digest,),
        folds=planned.folds.digest,
        model=PluginRecipe(NAME, VERSION, libraries=tuple(library_versions(("scipy",)).items())),
        featurizer=None,
        seed=seed,
        members=tuple(record.key for record in records),
    ).key()
    if store.has(result, key):
        return result, False
    members = [Member(record, store.predictions(record.result)) for record in records]
    y = planned.task.targets[target].value
    labels = planned.task.targets[target].kind == "binary"
    mixed, weights = mix(y, members, len(planned.folds), labels=labels)
    about = Description(
        task=result.task,
        target=target,
        split=result.split,
        featurizer=named,
        model=NAME,
        seed=seed,
        task_digest=records[0].task_digest,
        folds_digest=planned.folds.digest,
        role="sequence" if any(record.role == "sequence" for record in records) else records[0].role,
        gc_only=all(record.gc_only for record in records),
        kind="table",
        deep=False,
        stochastic=any(record.stochastic for record in records),
        joint=[target],
    )
    fitted = Fitted(
        device="cpu",
        threads=1,
        seconds={},
        rows=rows_of_parts(mixed, len(planned.folds)),
        fitted_rows=[],
        spearman=scores(mixed, y, len(planned.folds)),
        history=[
            [{member.name: round(float(w), 6) for member, w in zip(members, fold, strict=True)}] for fold in weights
        ],
        versions=library_versions(("numpy", "scipy")),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    with store.claim(result, wait=True):
        store.write_result(about, key, fitted, mixed)
    return result, True


def mix(
    y: NDArray[np.float64], members: list[Member], folds: int, *, labels: bool = False
) -> tuple[Predictions, list[NDArray[np.float64]]]:
    """Predictions of a blend, and the weights of its members in every fold.

    Parameters
    ----------
    y : the target's values, float64 (rows of the task,). labels : they are 0 and 1, and the members probabilities, as
        the blend then is.

    Raises
    ------
    BenchError : where the members predict other rows than each other.
    """
    first = members[0].predictions
    table = np.empty((len(members), len(first.row)))
    shuffled = np.empty_like(table)
    places = []
    for i, member in enumerate(members):
        order, held = _ordered(member.predictions)
        places.append(held)
        if held != places[0]:
            raise BenchError(
                f"{members[0].name} and {member.name} predict other rows of {member.record.task}. Run both again."
            )
        table[i] = member.predictions.prediction[order]
        has = member.predictions.shuffled
        shuffled[i] = np.nan if has is None else has[order]
    order = _ordered(first)[0]
    row, fold, part = first.row[order], first.fold[order], first.part[order]
    prediction, on_shuffles = np.empty(len(row)), np.empty(len(row))
    weights = []
    for f in range(folds):
        fitted, level = _weights(y, row, fold, part, table, f, "label" if labels else "rank")
        mine = fold == f
        prediction[mine] = fitted @ table[:, mine] + level
        on_shuffles[mine] = fitted @ shuffled[:, mine] + level
        weights.append(fitted)
    if labels and (table >= 0).all() and (table <= 1).all():
        prediction, on_shuffles = np.clip(prediction, 0, 1), np.clip(on_shuffles, 0, 1)
    return (
        Predictions(
            row,
            fold,
            part,
            prediction.astype(np.float32),
            on_shuffles.astype(np.float32) if np.isfinite(on_shuffles).any() else None,
        ),
        weights,
    )


def _ordered(predictions: Predictions) -> tuple[NDArray[np.int64], str]:
    """The order of predictions by fold, part and row, and a hash of those."""
    order = np.lexsort((predictions.row, predictions.part, predictions.fold))
    digest = hashlib.sha256()
    for values in (predictions.fold, predictions.part, predictions.row):
        digest.update(np.ascontiguousarray(values[order], np.int64).tobytes())
    return order, digest.hexdigest()


def _weights(
    y: NDArray[np.float64],
    row: NDArray[np.int32],
    fold: NDArray[np.int8],
    part: NDArray[np.int8],
    table: NDArray[np.float64],
    f: int,
    scale: Literal["rank", "label"],
) -> tuple[NDArray[np.float64], float]:
    """Non-negative weights of the members (members,) in a fold, and the level that is added."""
    from scipy.optimize import nnls

    equal = np.full(len(table), 1 / len(table))
    valid = row[(fold == f) & (part == VALID)]
    used = np.flatnonzero((fold != f) & (part == TEST) & np.isin(row, valid) & np.isfinite(y[row]))
    if len(used) < FEWEST_ROWS:
        return equal, 0.0
    wanted = np.asarray(TargetScale(y[row[used]], scale)(y[row[used]]), float)
    x = table[:, used]
    found, _ = nnls((x - x.mean(axis=1, keepdims=True)).T, wanted - wanted.mean())
    if not found.any():
        return equal, 0.0
    return found, float(wanted.mean() - found @ x.mean(axis=1))
