"""The plan of a call: which pairs make sense on which task, what is there already, and what the rest will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from bench.audit.audit import quick_failures
from bench.audit.finding import Finding, Subject
from bench.dataset import Unavailable
from bench.errors import BenchError
from bench.fit.messages import JobFailed, plain_reason
from bench.fit.recipe import plugin_recipe, recipe_of
from bench.fit.worker import Cost, ForOrganism, JobSpec, ModelCost, Probe, model_cost, name_for_organism, probe_features
from bench.names import parse_name
from bench.plugins.declared import not_installed
from bench.plugins.described import PluginRecipe
from bench.plugins.feature_sets import places_of
from bench.plugins.parameters import expand_sweep
from bench.plugins.registry import Made, Registry
from bench.run.job import Job
from bench.run.places.outside import Outside
from bench.store.result import NO_FEATURES, ResultId
from bench.store.store import Store
from bench.tasks.load import PlannedTask, TaskSource, load_planned
from bench.tasks.splits import Split
from bench.tasks.task import TRAIN, Task

#: Seconds of fitting that a quick look at a task takes at most (``--quick``), of the 20 that it may take in all.
QUICK_SECONDS = 12.0

CacheMode = Literal["reuse", "refresh", "only"]


@dataclass(frozen=True)
class Selection:
    """What a call asked for. ``None`` for tasks, featurizers or models: all of them, paired by what makes sense.
    ``keep_models`` : a result counts as there only with its fitted models."""

    tasks: tuple[str, ...] | None
    featurizers: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    seeds: int = 1
    split: str | None = None
    quick: bool = False
    data_dir: Path | None = None
    cache: CacheMode = "reuse"
    keep_models: bool = False

    @property
    def open(self) -> bool:
        """Whether every featurizer and model was asked for, so that what is skipped is what makes no sense."""
        return self.featurizers is None and self.models is None

    @property
    def all_named(self) -> bool:
        """Whether every task, featurizer and model was asked for by name, so that others do not matter."""
        return None not in (self.tasks, self.featurizers, self.models)

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
    """What was asked for, the work to do (in order), results that are there already, and what is skipped. ``broken`` :
    plugins that nobody named and that cannot be used at all, each with the reason; ``unavailable`` : those whose
    libraries are not installed here, with the fix; ``notes`` : of a task, what people are told of its features."""

    selection: Selection
    tasks: list[PlannedTask] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    reused: list[ResultId] = field(default_factory=list)
    absent: list[ResultId] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    _subjects: dict[str, tuple[Subject, list[Finding]]] = field(default_factory=dict, repr=False)

    def subject(self, planned: PlannedTask) -> Subject:
        """One of the tasks under its folds, as the checks of an audit see it: what they found out is kept."""
        return self._checked(planned)[0]

    def failed_checks(self, planned: PlannedTask) -> list[Finding]:
        """What the quick checks of an audit FAIL of one of the tasks."""
        return self._checked(planned)[1]

    def _checked(self, planned: PlannedTask) -> tuple[Subject, list[Finding]]:
        if planned.name not in self._subjects:
            subject = Subject(planned.task, planned.folds)
            self._subjects[planned.name] = subject, quick_failures(subject)
        return self._subjects[planned.name]

    @property
    def seconds(self) -> float:
        """Estimated seconds of the work to do, on two cores."""
        return sum(job.seconds for job in self.jobs)

    @property
    def fits(self) -> int:
        """Fits to do, one for each result that the jobs will write."""
        return sum(len(job.results) for job in self.jobs)


def make_plan(selection: Selection, registry: Registry, store: Store, *, outside: Outside | None = None) -> Plan:
    """Load the tasks and lay out every fit.

    Parameters
    ----------
    outside : where third-party plugins are tried. One with the default limit of time where none is given.

    Raises
    ------
    BenchError : for unknown names and parameters, bad task files and splits, pairs of which none makes sense, and for
        tasks and plugins that were asked for by name but cannot be loaded or run. What nobody named is left out, with
        the reason.
    """
    if selection.cache not in ("reuse", "refresh", "only"):
        raise BenchError(f"--cache must be reuse, refresh or only. Got {selection.cache!r}.")
    if selection.seeds < 1:
        raise BenchError(f"--seeds must be 1 or more. Got {selection.seeds}.")
    if selection.split is not None:
        Split.parse(selection.split, "--split")
    plan = Plan(selection)
    with nullcontext(outside) if outside is not None else Outside() as place:
        planner = _Planner(plan, registry, store, place)
        for planned in _load_tasks(plan, registry):
            planner.add_task(planned)
    # People look at GC first, across all tasks, then at k-mers, and wait longest for networks. Within a step tasks and
    # featurizers stay together, so that features are made once.
    plan.jobs.sort(key=step_of)
    if selection.quick:
        plan.jobs = _in_a_look(plan.jobs)
    plan.broken |= registry.broken
    pairs = [skip for skip in plan.skipped if skip.featurizer is not None]
    _refuse_unused(plan, registry)
    if pairs and not (plan.jobs or plan.reused or plan.absent):
        raise BenchError(f"nothing to run: no pair asked for makes sense. {pairs[0].what}: {pairs[0].reason}.")
    return plan


def _refuse_unused(plan: Plan, registry: Registry) -> None:
    """Refuse features made elsewhere of which no task has a row: somebody named the file."""
    used = {result.featurizer for result in (*plan.reused, *plan.absent)}
    used |= {result.featurizer for job in plan.jobs for result in job.results}
    for skip in plan.skipped:
        if skip.model is None and skip.featurizer not in used and registry.features_of(skip.featurizer) is not None:
            raise BenchError(f"{skip.featurizer}: {skip.reason}.")


def _load_tasks(plan: Plan, registry: Registry) -> list[PlannedTask]:
    selection = plan.selection
    named = selection.tasks is not None
    planned: dict[str, PlannedTask] = {}
    for name in dict.fromkeys(selection.tasks or registry.names("dataset")):
        try:
            if not named and not getattr(registry.find("dataset", name), "in_all", True):
                continue
            loaded = load_planned(selection.source(name), registry)
        except Unavailable as absent:
            if named:
                raise BenchError(f"{name}: {absent}") from None
            plan.skipped.append(Skip(name, str(absent)))
            continue
        except (Exception, SystemExit) as error:
            plain = isinstance(error, BenchError)
            reason = str(error) if plain else f"{name}: cannot be loaded: {plain_reason(error)}. Leave it out."
            if named and plain:
                raise
            if named:
                raise BenchError(reason) from error
            if registry.entry("dataset", name).built_in:  # public files that are cut short
                plan.skipped.append(Skip(name, reason))
            else:
                plan.broken[f"dataset {name}"] = reason
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

    def __init__(self, plan: Plan, registry: Registry, store: Store, outside: Outside) -> None:
        self._plan, self._registry, self._store, self._outside = plan, registry, store, outside
        self._recipes: dict[tuple[str, str, str], PluginRecipe] = {}
        self._featurizers = self._made("featurizer", plan.selection.featurizers)
        self._models = self._made("model", plan.selection.models)

    def _made(self, kind: Literal["featurizer", "model"], asked: tuple[str, ...] | None) -> list[Made]:
        """The plugins that were asked for. Of all that there are, one that cannot be used is noted and left out."""
        named = [text for each in asked or () for text in expand_sweep(each)]
        made: dict[str, Made] = {}
        for text in self._open(kind) if asked is None else named:
            try:
                missing = not_installed(self._registry.find(kind, parse_name(text)[0]))
                if missing is not None and asked is None:
                    self._plan.unavailable[f"{kind} {text}"] = missing
                    continue
                if missing is not None:
                    raise BenchError(f"{text}: {missing}.", status=1)
                plugin = self._registry.make(kind, text)
                self._recipe(plugin)
                made[plugin.name] = plugin
            except BenchError as error:
                if asked is not None:
                    raise
                self._plan.broken[f"{kind} {text}"] = str(error)
        return list(made.values())

    def _open(self, kind: Literal["featurizer", "model"]) -> Iterator[str]:
        """All that there are, each with the parameters that it wants to be run with too."""
        for name in self._registry.names(kind):
            yield name
            try:
                cls = self._registry.find(kind, name)
            except BenchError:  # said where it is made
                continue
            yield from (f"{name}[{parameters}]" for parameters in getattr(cls, "also", ()))

    def _recipe(self, made: Made) -> PluginRecipe:
        """What a plugin is made of, once for all tasks."""
        key = made.kind, made.name, made.cls.__module__  # a classifier has its regressor's name
        if key not in self._recipes:
            self._recipes[key] = plugin_recipe(made)
        return self._recipes[key]

    def add_task(self, planned: PlannedTask) -> None:
        """Every pair that makes sense on a task, every seed, every target."""
        self._plan.tasks.append(planned)
        rows = int((planned.folds.part[0] == TRAIN).sum())
        for pair in list(self._pairs(planned)):  # all are probed before the first key is made
            cost = self._cost(planned, pair, rows)
            seeds = range(self._plan.selection.seeds) if pair.model.cls.stochastic else range(1)
            for group in _together(planned.task, pair.model.multitask):
                model = pair.model.of_kind(planned.task.targets[group[0]].kind)
                for seed in seeds:
                    self._add_job(planned, replace(pair, model=model), group, seed, cost)

    def _pairs(self, planned: PlannedTask) -> Iterator[_Pair]:
        """Pairs to run; those that make no sense are noted as skipped."""
        blind = [model for model in self._models if not model.cls.needs_features]
        yield from (_Pair(None, model, Probe("table", 0, 1)) for model in blind)
        for featurizer in self._for_organism(planned):
            missing = lacks(featurizer, planned.task)
            if missing:
                self._skip(planned, f"the task has no {missing}", featurizer)
                continue
            if not self._has_features(planned, featurizer):
                continue
            probe = self._probe(planned, featurizer)
            for model in self._models:
                if model.cls.needs_features and self._is_wanted(model, featurizer):
                    reason = why_not(featurizer, model, probe, default_suite=self._plan.selection.open)
                    if reason is None:
                        yield _Pair(featurizer, model, probe)
                    else:
                        self._skip(planned, reason, featurizer, model)

    def _is_wanted(self, model: Made, featurizer: Made) -> bool:
        """Whether a model is run on a featurizer, as far as what was asked for says."""
        named = self._plan.selection.models is not None
        return named or bool(model.cls.by_default) or featurizer.cls.role == "outside"

    def _has_features(self, planned: PlannedTask, featurizer: Made) -> bool:
        """Whether a task's rows are in a file of features made elsewhere, if that is what the featurizer stands for."""
        given = self._registry.features_of(featurizer.name)
        if given is None or not given.path:
            return True
        matrix = given.matrix()
        places = places_of(given, planned.task.row_id, planned.name, planned.source.name)
        if places is None:
            there, asked = str(matrix.ids[0]), str(planned.task.row_id[0])
            reason = f"{matrix.path} has no row of this task: its ids are as {there!r}, the task's as {asked!r}"
            self._skip(planned, reason, featurizer)
            return False
        more = len(matrix.ids) - len(places)
        said = f"{featurizer.name}: {matrix.columns:,} columns of {matrix.values.dtype} for every row"
        said += f"; {more:,} ids of {matrix.path.name} are not of this task" if more else ""
        self._plan.notes.setdefault(planned.name, []).append(said)
        return True

    def _for_organism(self, planned: PlannedTask) -> list[Made]:
        """The featurizers with the parameters that follow from the task's organism, each once; those that make no sense
        for it are noted as skipped."""
        made: dict[str, Made] = {}
        for featurizer in self._featurizers:
            organism = planned.task.card.organism
            outside, files = self._registry.outside([("featurizer", featurizer.name)])
            try:
                if outside:
                    name = self._outside.for_organism(ForOrganism(files, featurizer.name, organism), outside)
                else:
                    name = name_for_organism(self._registry, featurizer, organism)
                adapted = featurizer if name == featurizer.name else self._registry.make("featurizer", name)
            except (BenchError, JobFailed) as reason:
                self._skip(planned, str(reason), featurizer)
            else:
                made[adapted.name] = adapted
        return list(made.values())

    def _skip(self, planned: PlannedTask, reason: str, featurizer: Made, model: Made | None = None) -> None:
        self._plan.skipped.append(Skip(planned.name, reason, featurizer.name, None if model is None else model.name))

    def _probe(self, planned: PlannedTask, featurizer: Made) -> Probe | JobFailed:
        """What a featurizer gives for a task, or its failure. A third party's is asked in a child process, which may
        die of it."""
        if featurizer.built_in:
            try:
                return probe_features(planned.task, featurizer)
            except BenchError as error:
                return JobFailed(str(error), "")
        spec = JobSpec.of(planned, self._registry, featurizer=featurizer.name)
        try:
            return self._outside.probe(spec)
        except JobFailed as failure:
            return failure

    def _cost(self, planned: PlannedTask, pair: _Pair, rows: int) -> ModelCost | JobFailed:
        """What a model needs for all folds, or its failure."""
        if isinstance(pair.probe, JobFailed):
            return pair.probe
        outside, files = self._registry.outside([("model", pair.model.name)])
        size = (len(planned.task), rows, pair.probe.columns, pair.probe.item_bytes)
        ask = Cost(files, pair.model.name, *size)
        try:
            one = self._outside.cost(ask, outside) if outside else model_cost(pair.model, ask)
        except JobFailed as failure:
            return failure
        except BenchError as error:
            return JobFailed(str(error), "")
        return ModelCost(one.seconds * len(planned.folds), one.memory)

    def _add_job(
        self, planned: PlannedTask, pair: _Pair, targets: tuple[str, ...], seed: int, cost: ModelCost | JobFailed
    ) -> None:
        folds = planned.folds
        shown = NO_FEATURES if pair.featurizer is None else pair.featurizer.name
        results = tuple(ResultId(planned.name, target, folds.name, shown, pair.model.name, seed) for target in targets)
        plugins = None if pair.featurizer is None else self._recipe(pair.featurizer), self._recipe(pair.model)
        recipe = recipe_of(planned.task, folds, pair.featurizer, pair.model, seed, targets, plugins=plugins)
        plan, cache = self._plan, self._plan.selection.cache
        there = [
            has_result(self._store, result, recipe.key(place), plan.selection.keep_models)
            for place, result in enumerate(results)
        ]
        if cache != "refresh" and all(there):
            plan.reused.extend(results)
        elif cache == "only":
            plan.absent.extend(result for result, is_there in zip(results, there, strict=True) if not is_there)
        else:
            found = pair.probe if isinstance(pair.probe, Probe) else Probe("table", 0, 0)
            needs = cost if isinstance(cost, ModelCost) else ModelCost()
            plan.jobs.append(
                Job(
                    planned,
                    pair.featurizer,
                    pair.model,
                    seed,
                    results,
                    recipe,
                    needs.seconds,
                    columns=found.columns,
                    item_bytes=found.item_bytes,
                    memory=needs.memory,
                    trouble=cost if isinstance(cost, JobFailed) else None,
                    keep=plan.selection.keep_models,
                )
            )


def _together(task: Task, multitask: bool) -> list[tuple[str, ...]]:
    """The targets of a task that are fitted together: one by one, or all of one kind."""
    if not multitask:
        return [(name,) for name in task.targets]
    kinds = dict.fromkeys(target.kind for target in task.targets.values())
    return [tuple(name for name, target in task.targets.items() if target.kind == kind) for kind in kinds]


def has_result(store: Store, result: ResultId, key: str, models: bool) -> bool:
    """Whether a result is there with a key and, where they are wanted, its fitted models."""
    return store.has(result, key) and (not models or store.has_models(result, key))


def _in_a_look(jobs: list[Job]) -> list[Job]:
    """The fastest fit of each featurizer, GC first and k-mers next, then whatever takes least: a look has no time for
    more than some of them."""
    jobs = sorted(jobs, key=lambda job: job.seconds)
    fastest = {(job.results[0].task, job.results[0].featurizer): job for job in reversed(jobs)}
    first = {id(job) for job in fastest.values()}
    order = (0, 3, 1, 2, 4)  # by step
    return sorted(jobs, key=lambda job: (id(job) not in first, order[step_of(job)] if id(job) in first else 0))


def step_of(job: Job) -> int:
    """When a job is fitted: 0 the null model and GC alone, 1 GC in windows, 2 features that are fast to make (k-mers),
    3 other features, 4 models that take whole sequences."""
    seen = job.featurizer
    if "table" not in job.model.cls.takes and job.model.cls.needs_features:
        return 4
    if seen is None or seen.cls.gc_only:
        return 0 if seen is None or seen.cls.kind == "table" else 1
    return 2 if seen.cls.cheap else 3


def lacks(featurizer: Made, task: Task) -> str:
    """The covariates that a featurizer needs and a task has not (in any row); empty when nothing is missing."""
    there = task.sequences.covariates
    void = (name for name in featurizer.cls.covariates if name not in there or np.isnan(there[name]).all())
    return " or ".join(void)


def why_not(featurizer: Made, model: Made, probe: Probe | JobFailed, *, default_suite: bool) -> str | None:
    """Why a model is not run on a featurizer; None when it is. ``default_suite`` adds the economies of an open
    selection: a confounder is a column or two, and only the learners made for few columns are run on it; and what a
    featurizer leaves for request."""
    takes: tuple[str, ...] = model.cls.takes
    most: int | None = model.cls.max_columns
    kind = featurizer.cls.kind
    if kind not in takes and "table" not in takes:
        return f"{model.name} takes {' or '.join(takes)}, {featurizer.name} gives a {kind}"
    if most is not None and isinstance(probe, Probe) and probe.columns > most:
        return f"{model.name} takes at most {most} columns, {featurizer.name} gives {probe.columns}"
    if default_suite and featurizer.cls.role == "confounder" and most is None:
        return f"a confounder is run on curve learners unless asked for (-f {featurizer.name} -m {model.name})"
    if default_suite and parse_name(model.name)[0] in getattr(featurizer.cls, "on_request", ()):
        return f"takes long, and other learners stand for it, unless asked for (-f {featurizer.name} -m {model.name})"
    return None
