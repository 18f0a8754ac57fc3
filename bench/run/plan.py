"""Which results a call asks for, which of them are there already, and what the rest will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.errors import BenchError
from bench.fit.recipe import result_key
from bench.fit.worker import JobSpec, Probe, probe_features
from bench.plugins.parameters import expand_sweep
from bench.plugins.registry import Made, Registry
from bench.run.places.child import Child, JobFailed
from bench.store.result import NO_FEATURES, ResultId
from bench.store.store import Store
from bench.tasks.load import PlannedTask, Selection, concrete_folds, load_task
from bench.tasks.task import TRAIN, Task

CacheMode = Literal["reuse", "refresh", "only"]
#: Seconds a stranger's featurizer may take for two rows (its imports and the task's loading counted in).
PROBE_SECONDS = 120.0


@dataclass(frozen=True)
class Job:
    """One unit of work: a model on one featurizer's features under one seed, for the targets it learns together.

    ``trouble`` is why it cannot work, known already when it was planned.
    """

    planned: PlannedTask
    featurizer: Made | None
    model: Made
    seed: int
    results: tuple[ResultId, ...]
    keys: tuple[str, ...]
    seconds: float
    columns: int
    item_bytes: int
    trouble: JobFailed | None = None

    @property
    def built_in(self) -> bool:
        """Whether all its code is this package's own."""
        return self.model.built_in and (self.featurizer is None or self.featurizer.built_in)

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets fitted together, one result each."""
        return tuple(result.target for result in self.results)

    def __str__(self) -> str:
        first = self.results[0]
        what = first.target if len(self.results) == 1 else f"{len(self.results)} targets"
        seed = f" · seed {self.seed}" if self.model.cls.stochastic else ""
        return f"{first.task} · {what} · {first.featurizer} + {first.model}{seed}"


@dataclass(frozen=True)
class Skip:
    """Something asked for that is not run: a task, a featurizer on it, or a pair; and the reason, with its mend."""

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
    """Work to do (in order), results that are there already, and what is skipped. ``open``: every featurizer and model
    was asked for, so what is skipped is what makes no sense."""

    tasks: list[PlannedTask] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    reused: list[ResultId] = field(default_factory=list)
    absent: list[ResultId] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    open: bool = False

    @property
    def seconds(self) -> float:
        """Estimated seconds of the work to do, on two cores."""
        return sum(job.seconds for job in self.jobs)

    @property
    def results_to_fit(self) -> int:
        """Results that the jobs will write."""
        return sum(len(job.results) for job in self.jobs)


def make_plan(
    selection: Selection,
    registry: Registry,
    store: Store,
    cache: CacheMode = "reuse",
    *,
    patience: float = PROBE_SECONDS,
) -> Plan:
    """Load the tasks and lay out every result.

    Parameters
    ----------
    patience : seconds that a stranger's featurizer may take for two rows.

    Raises
    ------
    BenchError : for unknown names and parameters, bad task files and splits, pairs of which none makes sense, and data
        that were asked for by name but are not there. Under ``--all`` absent data are a ``Skip``.
    """
    if cache not in ("reuse", "refresh", "only"):
        raise BenchError(f"--cache must be reuse, refresh or only. Got {cache!r}.")
    if selection.seeds < 1:
        raise BenchError(f"--seeds must be 1 or more. Got {selection.seeds}.")
    plan = Plan(open=selection.featurizers is None and selection.models is None)
    featurizers = _made(registry, "featurizer", selection.featurizers)
    models = _made(registry, "model", selection.models)
    child = Child()
    try:
        for planned in _load_tasks(selection, registry, plan):
            plan.tasks.append(planned)
            probes = {made.name: _probe(planned, made, selection, registry, child, patience) for made in featurizers}
            _plan_task(plan, planned, featurizers, models, selection, store, cache, probes)
    finally:
        child.close()
    pairs = [skip for skip in plan.skipped if skip.featurizer is not None]
    if pairs and not (plan.jobs or plan.reused or plan.absent):
        raise BenchError(f"nothing to run: no pair asked for makes sense. {pairs[0].what}: {pairs[0].reason}.")
    return plan


def _made(registry: Registry, kind: Literal["featurizer", "model"], asked: tuple[str, ...] | None) -> list[Made]:
    texts: Sequence[str] = registry.names(kind) if asked is None else [t for text in asked for t in expand_sweep(text)]
    made: dict[str, Made] = {}
    for text in texts:
        plugin = registry.make(kind, text)
        made[plugin.name] = plugin
    return list(made.values())


def _load_tasks(selection: Selection, registry: Registry, plan: Plan) -> list[PlannedTask]:
    from bench.dataset import Unavailable

    named = selection.tasks is not None
    planned: dict[str, PlannedTask] = {}
    for source in dict.fromkeys(selection.tasks or registry.names("dataset")):
        if not named and not getattr(registry.find("dataset", source), "in_all", True):
            continue
        try:
            task = load_task(source, registry, selection.data_dir)
        except Unavailable as absent:
            if named:
                raise BenchError(f"{source}: {absent}") from None
            plan.skipped.append(Skip(source, str(absent)))
            continue
        name = task.card.name
        if name in planned and planned[name].source != source:
            raise BenchError(f"{source}: its task name {name!r} is also that of {planned[name].source}. Rename one.")
        planned[name] = PlannedTask(source, task, concrete_folds(task, selection.split, selection.quick))
    return list(planned.values())


def _plan_task(
    plan: Plan,
    planned: PlannedTask,
    featurizers: list[Made],
    models: list[Made],
    selection: Selection,
    store: Store,
    cache: CacheMode,
    probes: dict[str, Probe | JobFailed | None],
) -> None:
    task, folds = planned.task, planned.folds
    rows = int((folds.part[0] == TRAIN).sum())
    blind = [model for model in models if not model.cls.needs_features]
    nothing = Probe("table", 0, 1)
    pairs: list[tuple[Made | None, Made, Probe | JobFailed]] = [(None, model, nothing) for model in blind]
    for featurizer in featurizers:
        found = probes[featurizer.name]
        if found is None:
            plan.skipped.append(Skip(task.card.name, f"the task has no {lacks(featurizer, task)}", featurizer.name))
            continue
        for model in models:
            if model in blind:
                continue
            reason = why_not(featurizer, model, found, default_suite=plan.open)
            if reason is not None:
                plan.skipped.append(Skip(task.card.name, reason, featurizer.name, model.name))
            else:
                pairs.append((featurizer, model, found))
    for given, model, probe in pairs:
        seconds = 0.0 if isinstance(probe, JobFailed) else _seconds(model, rows, probe.columns) * len(folds)
        seeds = range(selection.seeds) if model.cls.stochastic else range(1)
        together = model.new().multitask and len(task.targets) > 1
        groups = [tuple(task.targets)] if together else [(name,) for name in task.targets]
        for targets in groups:
            for seed in seeds:
                _add_job(plan, planned, given, model, seed, targets, seconds, probe, store, cache)


def _add_job(
    plan: Plan,
    planned: PlannedTask,
    featurizer: Made | None,
    model: Made,
    seed: int,
    targets: tuple[str, ...],
    seconds: float,
    probe: Probe | JobFailed,
    store: Store,
    cache: CacheMode,
) -> None:
    task, folds = planned.task, planned.folds
    shown = NO_FEATURES if featurizer is None else featurizer.name
    results = tuple(ResultId(task.card.name, target, folds.name, shown, model.name, seed) for target in targets)
    keys = tuple(
        result_key(
            result,
            featurizer,
            model,
            task_digest=task.digest,
            folds_digest=folds.digest,
            joint=targets,
            orientation=task.card.orientation,
        )
        for result in results
    )
    there = [store.has(result, key) for result, key in zip(results, keys, strict=True)]
    if cache != "refresh" and all(there):
        plan.reused.extend(results)
    elif cache == "only":
        plan.absent.extend(result for result, is_there in zip(results, there, strict=True) if not is_there)
    elif isinstance(probe, JobFailed):
        plan.jobs.append(Job(planned, featurizer, model, seed, results, keys, seconds, 0, 0, probe))
    else:
        job = Job(planned, featurizer, model, seed, results, keys, seconds, probe.columns, probe.item_bytes)
        plan.jobs.append(job)


def _seconds(model: Made, rows: int, columns: int) -> float:
    """The model's guess of one fit's seconds. It only orders the plan: a stranger's that raises counts as none."""
    try:
        return max(float(model.cls.estimate(rows, columns)), 0.0)
    except Exception:
        return 0.0


def lacks(featurizer: Made, task: Task) -> str:
    """The covariates that a featurizer needs and a task has not; empty when nothing is missing."""
    return " or ".join(name for name in featurizer.cls.covariates if name not in task.sequences.covariates)


def _probe(
    planned: PlannedTask, featurizer: Made, selection: Selection, registry: Registry, child: Child, patience: float
) -> Probe | JobFailed | None:
    """What a featurizer gives for a task: None where the task lacks a covariate, the failure where it fails. A
    stranger's is asked in a child process, which may die of it."""
    if lacks(featurizer, planned.task):
        return None
    if featurizer.built_in:
        return probe_features(planned.task, featurizer)
    spec = JobSpec.of(planned, selection, registry, featurizer=featurizer.name)
    try:
        return child.probe(spec, timeout=patience)
    except JobFailed as failure:
        return failure


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
