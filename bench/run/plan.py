"""The plan of a call: which pairs make sense on which task, what is there already, and what the rest will take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.dataset import Unavailable
from bench.errors import BenchError, one_line
from bench.fit.recipe import result_key
from bench.fit.worker import JobSpec, Probe, probe_features
from bench.plugins.parameters import expand_sweep, normal_name
from bench.plugins.registry import Made, Registry
from bench.run.job import Job, JobFailed
from bench.run.places.child import Child
from bench.store.result import NO_FEATURES, ResultId
from bench.store.store import Store
from bench.tasks.load import PlannedTask, TaskSource, load_planned
from bench.tasks.task import TRAIN, Task

CacheMode = Literal["reuse", "refresh", "only"]
#: Seconds a third-party featurizer may take for two rows (its imports and the task's loading counted in).
PROBE_SECONDS = 120.0


@dataclass(frozen=True)
class Selection:
    """What a call asked for. ``None`` for tasks, featurizers or models: all of them, paired by what makes sense."""

    tasks: tuple[str, ...] | None
    featurizers: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    seeds: int = 1
    split: str | None = None
    quick: bool = False
    data_dir: Path | None = None
    cache: CacheMode = "reuse"

    @property
    def open(self) -> bool:
        """Whether every featurizer and model was asked for, so that what is skipped is what makes no sense."""
        return self.featurizers is None and self.models is None

    def source(self, task: str) -> TaskSource:
        """How a task of the selection is loaded."""
        return TaskSource(task, self.split, self.quick, self.data_dir)


@dataclass(frozen=True)
class Skip:
    """Something asked for that is not run: a task, a featurizer on it, or a pair; and the reason, with its fix."""

    task: str
    reason: str
    featurizer: str | None = None
    model: str | None = None

    @property
    def what(self) -> str:
        """Name of what is skipped."""
        pair = " + ".join(name for name in (self.featurizer, self.model) if name is not None)
        return f"{self.task} · {pair}" if pair else self.task


@dataclass
class Plan:
    """What was asked for, the work to do (in order), results that are there already, and what is skipped."""

    selection: Selection
    tasks: list[PlannedTask] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    reused: list[ResultId] = field(default_factory=list)
    absent: list[ResultId] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Estimated seconds of the work to do, on two cores."""
        return sum(job.seconds for job in self.jobs)

    @property
    def fits(self) -> int:
        """Fits to do, one for each result that the jobs will write."""
        return sum(len(job.results) for job in self.jobs)


def make_plan(selection: Selection, registry: Registry, store: Store, *, patience: float = PROBE_SECONDS) -> Plan:
    """Load the tasks and lay out every fit.

    Parameters
    ----------
    patience : seconds that a third-party featurizer may take for two rows.

    Raises
    ------
    BenchError : for unknown names and parameters, bad task files and splits, pairs of which none makes sense, and data
        that were asked for by name but are not there. Under ``--all`` absent data are a ``Skip``.
    """
    if selection.cache not in ("reuse", "refresh", "only"):
        raise BenchError(f"--cache must be reuse, refresh or only. Got {selection.cache!r}.")
    if selection.seeds < 1:
        raise BenchError(f"--seeds must be 1 or more. Got {selection.seeds}.")
    plan = Plan(selection)
    child = Child()
    try:
        planner = _Planner(plan, registry, store, child, patience)
        for planned in _load_tasks(plan, registry):
            planner.add_task(planned)
    finally:
        child.close()
    pairs = [skip for skip in plan.skipped if skip.featurizer is not None]
    if pairs and not (plan.jobs or plan.reused or plan.absent):
        raise BenchError(f"nothing to run: no pair asked for makes sense. {pairs[0].what}: {pairs[0].reason}.")
    return plan


def _load_tasks(plan: Plan, registry: Registry) -> list[PlannedTask]:
    selection = plan.selection
    named = selection.tasks is not None
    planned: dict[str, PlannedTask] = {}
    for name in dict.fromkeys(selection.tasks or registry.names("dataset")):
        if not named and not getattr(registry.find("dataset", name), "in_all", True):
            continue
        try:
            loaded = load_planned(selection.source(name), registry)
        except Unavailable as absent:
            if named:
                raise BenchError(f"{name}: {absent}") from None
            plan.skipped.append(Skip(name, str(absent)))
            continue
        other = planned.get(loaded.name)
        if other is not None and other.source != loaded.source:
            raise BenchError(f"{name}: its task name {loaded.name!r} is also that of {other.source.name}. Rename one.")
        planned[loaded.name] = loaded
    return list(planned.values())


@dataclass(frozen=True)
class _Pair:
    """A model on a featurizer's features (None: on none), and what those are."""

    featurizer: Made | None
    model: Made
    probe: Probe | JobFailed


class _Planner:
    """Lays out the fits of one task after the other."""

    def __init__(self, plan: Plan, registry: Registry, store: Store, child: Child, patience: float) -> None:
        self._plan, self._registry, self._store = plan, registry, store
        self._child, self._patience = child, patience
        self._featurizers = _made(registry, "featurizer", plan.selection.featurizers)
        self._models = _made(registry, "model", plan.selection.models)

    def add_task(self, planned: PlannedTask) -> None:
        """Every pair that makes sense on a task, every seed, every target."""
        self._plan.tasks.append(planned)
        rows = int((planned.folds.part[0] == TRAIN).sum())
        targets = tuple(planned.task.targets)
        for pair in list(self._pairs(planned)):  # all are probed before the first key is made
            seconds = 0.0
            if isinstance(pair.probe, Probe):
                seconds = _seconds(pair.model, rows, pair.probe.columns) * len(planned.folds)
            seeds = range(self._plan.selection.seeds) if pair.model.cls.stochastic else range(1)
            together = pair.model.new().multitask and len(targets) > 1
            for group in [targets] if together else [(name,) for name in targets]:
                for seed in seeds:
                    self._add_job(planned, pair, group, seed, seconds)

    def _pairs(self, planned: PlannedTask) -> Iterator[_Pair]:
        """Pairs to run; those that make no sense are noted as skipped."""
        blind = [model for model in self._models if not model.cls.needs_features]
        yield from (_Pair(None, model, Probe("table", 0, 1)) for model in blind)
        for featurizer in self._for_organism(planned):
            missing = lacks(featurizer, planned.task)
            if missing:
                self._skip(planned, f"the task has no {missing}", featurizer)
                continue
            probe = self._probe(planned, featurizer)
            for model in self._models:
                if model.cls.needs_features:
                    reason = why_not(featurizer, model, probe, default_suite=self._plan.selection.open)
                    if reason is None:
                        yield _Pair(featurizer, model, probe)
                    else:
                        self._skip(planned, reason, featurizer, model)

    def _for_organism(self, planned: PlannedTask) -> list[Made]:
        """The featurizers with the parameters that follow from the task's organism, each once; those that make no sense
        for it are noted as skipped."""
        made: dict[str, Made] = {}
        for featurizer in self._featurizers:
            try:
                changed = featurizer.new().for_organism(planned.task.card.organism)
                name = normal_name(featurizer.cls, {**featurizer.parameters, **changed})
                featurizer = self._registry.make("featurizer", name)
            except BenchError as reason:
                self._skip(planned, str(reason), featurizer)
                continue
            except Exception as error:  # a third party's
                self._skip(planned, one_line(f"for_organism raised {type(error).__name__}: {error}"), featurizer)
                continue
            made[featurizer.name] = featurizer
        return list(made.values())

    def _skip(self, planned: PlannedTask, reason: str, featurizer: Made, model: Made | None = None) -> None:
        self._plan.skipped.append(Skip(planned.name, reason, featurizer.name, None if model is None else model.name))

    def _probe(self, planned: PlannedTask, featurizer: Made) -> Probe | JobFailed:
        """What a featurizer gives for a task, or its failure. A third party's is asked in a child process, which may
        die of it."""
        if featurizer.built_in:
            return probe_features(planned.task, featurizer)
        spec = JobSpec.of(planned, self._registry, featurizer=featurizer.name)
        try:
            return self._child.probe(spec, timeout=self._patience)
        except JobFailed as failure:
            return failure

    def _add_job(self, planned: PlannedTask, pair: _Pair, targets: tuple[str, ...], seed: int, seconds: float) -> None:
        task, folds = planned.task, planned.folds
        shown = NO_FEATURES if pair.featurizer is None else pair.featurizer.name
        results = tuple(ResultId(planned.name, target, folds.name, shown, pair.model.name, seed) for target in targets)
        keys = tuple(
            result_key(
                result,
                pair.featurizer,
                pair.model,
                task_digest=task.digest,
                folds_digest=folds.digest,
                joint=targets,
                orientation=task.card.orientation,
            )
            for result in results
        )
        plan, cache = self._plan, self._plan.selection.cache
        there = [self._store.has(result, key) for result, key in zip(results, keys, strict=True)]
        if cache != "refresh" and all(there):
            plan.reused.extend(results)
        elif cache == "only":
            plan.absent.extend(result for result, is_there in zip(results, there, strict=True) if not is_there)
        else:
            found = pair.probe if isinstance(pair.probe, Probe) else Probe("table", 0, 0)
            trouble = pair.probe if isinstance(pair.probe, JobFailed) else None
            plan.jobs.append(
                Job(
                    planned,
                    pair.featurizer,
                    pair.model,
                    seed,
                    results,
                    keys,
                    seconds,
                    columns=found.columns,
                    item_bytes=found.item_bytes,
                    trouble=trouble,
                )
            )


def _made(registry: Registry, kind: Literal["featurizer", "model"], asked: tuple[str, ...] | None) -> list[Made]:
    texts: Sequence[str] = registry.names(kind) if asked is None else [t for text in asked for t in expand_sweep(text)]
    made: dict[str, Made] = {}
    for text in texts:
        plugin = registry.make(kind, text)
        made[plugin.name] = plugin
    return list(made.values())


def _seconds(model: Made, rows: int, columns: int) -> float:
    """The model's guess of one fit's seconds. It only orders the plan: a third party's that raises counts as none."""
    try:
        return max(float(model.cls.estimate(rows, columns)), 0.0)
    except Exception:
        return 0.0


def lacks(featurizer: Made, task: Task) -> str:
    """The covariates that a featurizer needs and a task has not; empty when nothing is missing."""
    return " or ".join(name for name in featurizer.cls.covariates if name not in task.sequences.covariates)


def why_not(featurizer: Made, model: Made, probe: Probe | JobFailed, *, default_suite: bool) -> str | None:
    """Why a model is not run on a featurizer; None when it is. ``default_suite`` adds the one economy of an open
    selection: a confounder is a column or two, and only the learners made for few columns are run on it."""
    takes: tuple[str, ...] = model.cls.takes
    most: int | None = model.cls.max_columns
    kind = featurizer.cls.kind
    if kind not in takes and "table" not in takes:
        return f"{model.name} takes {' or '.join(takes)}, {featurizer.name} gives a {kind}"
    if most is not None and isinstance(probe, Probe) and probe.columns > most:
        return f"{model.name} takes at most {most} columns, {featurizer.name} gives {probe.columns}"
    if default_suite and featurizer.cls.role == "confounder" and most is None:
        return f"a confounder is run on curve learners unless asked for (-f {featurizer.name} -m {model.name})"
    return None
