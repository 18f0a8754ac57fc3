"""Models of one task asked for the rows of another."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.board.figure import shown
from bench.board.transfer import CarriedSummary, Side, TransferRecord, write_transfer
from bench.errors import BenchError, nearest
from bench.fit.lengths import Lengths, fit_lengths
from bench.plugins.registry import Registry
from bench.run.device import cpu_threads
from bench.run.explaining import Wanted, fitted_job, has_models, pairs_to_ask
from bench.run.job import Job
from bench.run.places.outside import Outside
from bench.run.predictors import Predictors
from bench.run.queue import Options
from bench.stats.bootstrap import Draws, block_codes
from bench.stats.transfer import TransferFigures, average, transfer_figures
from bench.store.record import ResultRecord
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.digest import content_of
from bench.tasks.load import PlannedTask, TaskSource, base_name, load_planned
from bench.tasks.seen import seen_rows
from bench.tasks.task import TEST

#: The GC-only learner that every transfer stands beside, where none is named.
GC = ("gc", "gc-curve")
#: Fewest rows that a transfer is scored on.
FEW_ROWS = 20


@dataclass(frozen=True)
class Asked:
    """What a call of `bench transfer` asked for. ``source`` : the task whose models are asked; ``onto`` : the one whose
    rows they predict. ``all_rows`` : all rows of it, not those that its own split tests."""

    source: TaskSource
    onto: TaskSource
    source_target: str | None = None
    onto_target: str | None = None
    featurizers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    seeds: int = 1
    lengths: Lengths = "centre"
    all_rows: bool = False
    trust: bool = False


@dataclass(frozen=True, eq=False)
class _Learner:
    """A learner's jobs, one a seed, and the target's place among theirs."""

    jobs: list[Job]
    place: int

    @property
    def gc_only(self) -> bool:
        featurizer = self.jobs[0].featurizer
        return featurizer is not None and bool(featurizer.cls.gc_only) and featurizer.cls.kind == "table"

    @property
    def pair(self) -> tuple[str, str]:
        result = self.jobs[0].results[self.place]
        return result.featurizer, result.model

    @property
    def name(self) -> str:
        return " + ".join(self.pair)


def transfer(
    asked: Asked,
    registry: Registry,
    store: Store,
    console: Console,
    options: Options,
    say: Callable[[str], None],
    outside: Outside,
) -> list[TransferRecord]:
    """Score models of a task on another's rows, fitting what is missing, and keep what is found.

    Raises
    ------
    BenchError : for unknown names, tasks whose rows the models have all seen, and fits that fail.
    """
    source, onto = load_planned(asked.source, registry), load_planned(asked.onto, registry)
    whole = None
    if base_name(asked.source.name) == base_name(asked.onto.name):
        whole = onto.task  # whatever the splits: rows of one locus are not strangers
        if source.name != onto.name:
            whole = load_planned(replace(asked.onto, name=base_name(asked.onto.name), split=None), registry).task
    targets = _targets(asked, source, onto)
    learners_of = {
        mine: _learners(asked, source, mine, registry, store, console, options, outside, say)
        for mine in dict.fromkeys(mine for mine, _ in targets)
    }
    seen = seen_rows(onto.task, source.task, source.folds, whole)
    made = []
    for mine, theirs in targets:
        with Predictors(
            registry, store, threads=options.threads or cpu_threads(), device=options.device, trust=asked.trust, say=say
        ) as predictors:
            record = _scored(asked, source, onto, mine, theirs, learners_of[mine], seen, predictors, store)
        write_transfer(store.root, record)
        made.append(record)
    return made


def _targets(asked: Asked, source: PlannedTask, onto: PlannedTask) -> list[tuple[str, str]]:
    """Target of the models and target of the rows, in pairs: those named; else those of one name; else every target of
    the rows by the only one of the models."""
    mine, theirs = list(source.task.targets), list(onto.task.targets)
    for name, planned, option in (
        (asked.source_target, source, "--target"),
        (asked.onto_target, onto, "--to-target"),
    ):
        if name is not None and name not in planned.task.targets:
            raise BenchError(f"{option}: {planned.name} has no target {name!r}.{nearest(name, planned.task.targets)}")
    mine = mine if asked.source_target is None else [asked.source_target]
    theirs = theirs if asked.onto_target is None else [asked.onto_target]
    same = [(name, name) for name in mine if name in theirs]
    if len(mine) == 1:
        return [(mine[0], name) for name in theirs]
    if same:
        return same
    raise BenchError(
        f"{source.name} has {len(mine)} targets and none of them is one of {onto.name}: choose with --target. There is:"
        f" {', '.join(mine)}."
    )


def _learners(
    asked: Asked,
    source: PlannedTask,
    target: str,
    registry: Registry,
    store: Store,
    console: Console,
    options: Options,
    outside: Outside,
    say: Callable[[str], None],
) -> list[_Learner]:
    """The learners to ask, the GC-only one among them, fitted where they or their models are missing."""
    for name in asked.featurizers:
        _refuse_confounder(name, registry)
    wanted = Wanted(asked.source, target, asked.featurizers, asked.models, asked.seeds)
    pairs = pairs_to_ask(wanted, source, target, store)
    if not asked.featurizers:
        pairs = [pair for pair in pairs if has_models(pair, source, target, asked.seeds, store, say)]
    found: list[_Learner] = []
    for featurizer, model in [*pairs, GC]:
        if (featurizer, model) == GC and any(learner.gc_only for learner in found):
            continue
        jobs = [
            fitted_job(wanted, source, featurizer, model, seed, registry, store, console, options, outside)
            for seed in range(asked.seeds)
        ]
        there = [job for job in jobs if job is not None]  # a model that draws nothing has one seed
        found.append(_Learner(there, there[0].targets.index(target)))
    return list({learner.name: learner for learner in found}.values())


def _refuse_confounder(name: str, registry: Registry) -> None:
    cls = registry.make("featurizer", name).cls
    if cls.role != "sequence" or cls.covariates:
        what = " and ".join(cls.covariates) or "no sequence"
        raise BenchError(f"{name}: sees {what}, which says nothing of the rows of another task. Leave it out.")


def _scored(
    asked: Asked,
    source: PlannedTask,
    onto: PlannedTask,
    mine: str,
    theirs: str,
    learners: list[_Learner],
    seen: NDArray[np.bool_],
    predictors: Predictors,
    store: Store,
) -> TransferRecord:
    """The transfer of some learners from one target to another."""
    fitting = fit_lengths(onto.task.sequences, source.task.sequences, asked.lengths)
    target = onto.task.targets[theirs]
    tested = (onto.folds.part == TEST).any(axis=0)
    measured = np.isfinite(target.value) & (tested | asked.all_rows)
    rows = np.flatnonzero(measured & ~seen.all(axis=1))
    if len(rows) < FEW_ROWS:
        raise BenchError(
            f"{source.name} to {onto.name}: {len(rows)} rows are left to score ({int(measured.sum()) - len(rows):,} of"
            f" {int(measured.sum()):,} have been seen by every model of {source.name}). Nothing to transfer to.",
            status=1,
        )
    carried = {}
    for learner in learners:
        runs = []
        for job in learner.jobs:
            windows = predictors.of(job, learner.place).predict(fitting.sequences)
            runs.append(average(fitting.mean(windows, len(onto.task)), ~seen)[rows])
        carried[learner.name] = np.column_stack(runs)
    fold = np.zeros(len(rows), np.int64) if asked.all_rows else np.argmax(onto.folds.part[:, rows] == TEST, axis=0)
    there, missing = _trained_there(onto, theirs, learners, rows, fold, store, asked)
    codes, blocks = block_codes(onto.task.locus[rows])
    found = transfer_figures(
        target.value[rows],
        target.replicates[rows],
        target.combined._replace(value=target.value[rows]),
        codes,
        fold,
        carried,
        there,
        next((learner.name for learner in learners if learner.gc_only), None),
        Draws(blocks),
        raw=target.kind == "binary" or target.combine in ("mean", "centre"),
    )
    lengths = source.task.sequences.lengths
    return TransferRecord(
        source=_side(source, mine),
        onto=_side(onto, theirs),
        lengths=asked.lengths,
        fitted=[int(lengths.min()), int(lengths.max())],
        cut=fitting.cut,
        padded=fitting.padded,
        rows=found.rows,
        loci=found.loci,
        seen=int(measured.sum()) - len(rows),
        partly=int(seen[rows].any(axis=1).sum()),
        ceiling=shown(found.ceiling),
        reason=found.no_ceiling,
        learners=_summaries(found, learners, missing),
    )


def _side(planned: PlannedTask, target: str) -> Side:
    return Side(
        task=planned.name,
        target=target,
        split=planned.folds.name,
        digest=content_of(planned.task).of(target),
        folds_digest=planned.folds.digest,
    )


def _trained_there(
    onto: PlannedTask,
    target: str,
    learners: list[_Learner],
    rows: NDArray[np.int64],
    fold: NDArray[np.int64],
    store: Store,
    asked: Asked,
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """Predictions of the same learners by the task's own fits, on the same rows, by name, and why others have none."""
    found, missing = {}, {}
    for learner in learners:
        featurizer, model = learner.pair
        if asked.all_rows:
            missing[learner.name] = "all rows were asked for, and its own fits were trained on most of them"
            continue
        runs = []
        for job in learner.jobs:
            result = ResultId(onto.name, target, onto.folds.name, featurizer, model, job.seed)
            record = store.record(result)
            if record is not None and _current(record, onto, target):
                runs.append(_on_rows(store, result, rows, fold, len(onto.task)))
        if runs:
            found[learner.name] = np.column_stack(runs)
        else:
            words = ["bench", "run", "-t", asked.onto.name, "-f", featurizer, "-m", model, "-o", str(store.root)]
            words += ["--split", asked.onto.split] if asked.onto.split else []
            missing[learner.name] = f"not trained there; run: {shlex.join(words)}"
    return found, missing


def _current(record: ResultRecord, onto: PlannedTask, target: str) -> bool:
    same = record.task_digest == content_of(onto.task).of(target)
    return same and record.folds_digest == onto.folds.digest


def _on_rows(
    store: Store, result: ResultId, rows: NDArray[np.int64], fold: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """Test predictions of a result for rows in their folds, float64 (m,)."""
    held = store.predictions(result)
    at = np.full((int(max(fold.max(), held.fold.max())) + 1, n), np.nan)
    tested = held.part == TEST
    at[held.fold[tested], held.row[tested]] = held.prediction[tested]
    return at[fold, rows]


def _summaries(found: TransferFigures, learners: list[_Learner], missing: dict[str, str]) -> list[CarriedSummary]:
    by_name = {learner.name: learner for learner in learners}
    return [
        CarriedSummary(
            featurizer=by_name[row.name].pair[0],
            model=by_name[row.name].pair[1],
            gc_only=by_name[row.name].gc_only,
            seeds=[job.seed for job in by_name[row.name].jobs],
            key=by_name[row.name].jobs[0].keys[by_name[row.name].place],
            carried=shown(row.carried),
            of_ceiling=shown(row.of_ceiling),
            gain=shown(row.gain),
            there=shown(row.there),
            lost=shown(row.lost),
            reason=missing.get(row.name, ""),
        )
        for row in found.learners
    ]
