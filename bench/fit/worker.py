"""A job as plain values, and the one loop that takes what is asked and gives an answer: in the process that planned it,
in a child, or in a worker on another machine."""

from __future__ import annotations

import dataclasses
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.errors import BenchError, one_line
from bench.fit.features import Workspace, compute_features
from bench.fit.fit import FitJob, FitResult, fit_job
from bench.fit.kept import unpacked
from bench.fit.messages import LINE, Done, Failed, Said
from bench.fit.predictor import FittedModels
from bench.fit.recipe import Recipe, kind_of_targets, plugin_recipe
from bench.model import Group, Model
from bench.plugins.described import Described, MadeElsewhere, describe
from bench.plugins.feature_sets import FeatureSet
from bench.plugins.files import classes_in_file
from bench.plugins.kinds import PluginKind, kind_of
from bench.plugins.parameters import normal_name
from bench.plugins.registry import Made, Registry
from bench.sequences import Sequences
from bench.tasks.data_files import Action, data_state
from bench.tasks.load import PlannedTask, TaskSource, base_name, load_planned, load_task
from bench.tasks.task import Task

#: Seconds of the longest fit that an estimate may speak of: ten years.
MOST_SECONDS = 10 * 365 * 86_400.0


@dataclass(frozen=True)
class JobSpec:
    """Everything a process needs to run a job, by name. Plugin files and task files are named by absolute path.

    ``plugin_files`` : of the job's own plugins and of no other. ``outside`` : which of its plugins are third-party,
    such as "featurizer mine"; jobs share a process where these are the same. ``recipe`` : what the results follow from.
    ``keep`` : the fitted models are handed back too.
    ``features`` : those made elsewhere that ``featurizer`` stands for.
    """

    source: TaskSource
    task_digest: str
    folds_digest: str
    plugin_files: tuple[str, ...]
    outside: tuple[str, ...] = ()
    featurizer: str | None = None
    model: str = ""
    seed: int = 0
    targets: tuple[str, ...] = ()
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    recipe: Recipe | None = None
    keep: bool = False
    features: FeatureSet | None = None

    @classmethod
    def of(cls, planned: PlannedTask, registry: Registry, **more: Any) -> JobSpec:
        """The spec of something to do on a planned task; ``more`` are the fields that say what."""
        named: list[tuple[PluginKind, str | None]] = [
            ("featurizer", more.get("featurizer")),
            ("model", more.get("model")),
        ]
        if not base_name(planned.source.name).endswith(".toml"):
            named.append(("dataset", base_name(planned.source.name)))
        outside, files = registry.outside([(kind, name) for kind, name in named if name])
        more["features"] = registry.features_of(more.get("featurizer"))
        return cls(planned.source.absolute(), planned.task.digest, planned.folds.digest, files, outside, **more)


@dataclass(frozen=True)
class Probe:
    """What a featurizer gives for a task: the kind, how many columns as a table, and bytes of a value."""

    kind: str
    columns: int
    item_bytes: int


@dataclass(frozen=True)
class Fit:
    """Ask for the results of a job; with ``groups`` (one a fold) for this process's share of it."""

    spec: JobSpec
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, eq=False)
class Predict:
    """Ask for predictions of sequences by fitted models: float32 (n, folds).

    Attributes
    ----------
    place : of the target among those of the spec.
    models : of every fold, as bytes; empty: those of the last fit in this process, which must be of this spec.
    trusted : the bytes may hold anything (`bench.fit.kept`).
    """

    spec: JobSpec
    sequences: Sequences
    folds: tuple[int, ...]
    place: int = 0
    models: tuple[bytes, ...] = ()
    trusted: bool = False


@dataclass(frozen=True, eq=False)
class Mutate(Predict):
    """Ask for predictions of every row with one base changed, by one fold's model: float32, or None."""


@dataclass(frozen=True, eq=False)
class LookInside(Predict):
    """Ask what the library of fitted models tells of one fold's (the first of ``folds``): an `Inside`."""

    reference: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)


@dataclass(frozen=True, eq=False)
class LookAtFilters(Predict):
    """Ask for the first convolutions of one fold's networks, ``most`` at most, of ``few`` rows with each filter at its
    mean: a list of `FirstLayer`, or None."""

    most: int = 1
    few: int = 0


@dataclass(frozen=True)
class Prepare:
    """Ask for what a fit needs before it fits: the task and its features, kept for the fit."""

    spec: JobSpec


@dataclass(frozen=True)
class ProbeFeatures:
    """Ask what a featurizer gives for a task: a `Probe`."""

    spec: JobSpec


@dataclass(frozen=True)
class ForOrganism:
    """Ask for the name that a featurizer goes by on a task of some organism; a `BenchError` where it makes no sense."""

    files: tuple[str, ...]
    featurizer: str
    organism: str


@dataclass(frozen=True)
class Cost:
    """Ask what a model needs for so many rows: a `ModelCost`."""

    files: tuple[str, ...]
    model: str
    rows: int
    train_rows: int
    columns: int
    item_bytes: int


@dataclass(frozen=True)
class ModelCost:
    """Seconds of one fit, as its model guesses them, and bytes of memory where it states them."""

    seconds: float = 0.0
    memory: float | None = None


@dataclass(frozen=True)
class DescribePlugins:
    """Ask what the plugins of a file, or the one of an entry point, say of themselves: a list of `Described`."""

    file: str | None = None
    kind: PluginKind | None = None
    name: str = ""


@dataclass(frozen=True)
class MakePlugin:
    """Ask to make a plugin of ``name[key=value]``, and for its parameters: a `MadeElsewhere`."""

    files: tuple[str, ...]
    kind: PluginKind
    text: str


@dataclass(frozen=True)
class LoadTask:
    """Ask for the task of a data set. ``files`` : the plugin file that defines it, if one does."""

    source: TaskSource
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataFiles:
    """Ask what there is of the public files of a data set: a `DataState`."""

    files: tuple[str, ...]
    name: str
    data_dir: Path | None
    action: Action


Ask = (
    Fit
    | Predict
    | Mutate
    | LookInside
    | LookAtFilters
    | Prepare
    | ProbeFeatures
    | ForOrganism
    | Cost
    | DescribePlugins
    | MakePlugin
    | LoadTask
    | DataFiles
)


def _models_key(spec: JobSpec, models: tuple[bytes, ...]) -> tuple[Any, ...]:
    """What tells fitted models from others."""
    which = (spec.source, spec.task_digest, spec.folds_digest, spec.featurizer, spec.model, spec.seed, spec.targets)
    return (*which, tuple(zlib.crc32(each) for each in models))


def name_for_organism(registry: Registry, featurizer: Made, organism: str) -> str:
    """The name of a featurizer with the parameters that follow from a task's organism.

    Raises
    ------
    BenchError : where its features make no sense for the organism.
    """
    changed = featurizer.new().for_organism(organism)
    name = normal_name(featurizer.cls, {**featurizer.parameters, **changed})
    return registry.make("featurizer", name).name


def model_cost(model: Made, ask: Cost) -> ModelCost:
    """What a model needs. The seconds only order the plan: those of a model that raises, or states no number, count as
    none.

    Raises
    ------
    BenchError : where it states its memory, but not as a number of bytes.
    """
    try:
        seconds = float(model.cls.estimate(ask.train_rows, ask.columns))
    except Exception:
        seconds = 0.0
    seconds = min(max(seconds, 0.0), MOST_SECONDS) if math.isfinite(seconds) else 0.0
    stated = model.new().memory(ask.rows, ask.columns, ask.item_bytes)
    if stated is None:
        return ModelCost(seconds)
    try:
        needed = float(stated)
    except (TypeError, ValueError, OverflowError):
        needed = math.nan
    if not 0 <= needed < math.inf:
        said = (
            f"{model.name}: memory must give a number of bytes, 0 or more, or None. Got {one_line(repr(stated))[:50]}."
        )
        raise BenchError(said, status=1)
    return ModelCost(seconds, needed)


def probe_features(task: Task, featurizer: Made) -> Probe:
    """Featurize the first two rows of a task."""
    first = dataclasses.replace(task, sequences=task.sequences.take(slice(0, 2)), row_id=task.row_id[:2])
    features = compute_features(first, featurizer)
    return Probe(features.kind, features.columns, features.values.dtype.itemsize)


class _Line:
    """``say`` of one job. It never fails a fit, and says nothing once its job has ended: a thread may outlive it."""

    def __init__(self, number: int, tell: Callable[[Said], None]) -> None:
        self._number, self._tell, self.open = number, tell, True

    def __call__(self, line: object) -> None:
        try:
            if self.open:
                self._tell(Said(self._number, one_line(line)[:LINE]))
        except Exception:
            return


class Worker:
    """What a process keeps between the jobs it is sent: registries, the last task, the last features."""

    def __init__(self) -> None:
        self._registries: dict[tuple[tuple[str, ...], FeatureSet | None], Registry] = {}
        self._planned: tuple[tuple[Any, ...], PlannedTask] | None = None
        self.workspace = Workspace()
        #: The models of the last fit, or those read last, by what they are of.
        self._models: tuple[Any, FittedModels] | None = None

    def answer(self, number: int, ask: Ask, tell: Callable[[Said], None] = lambda said: None) -> Done | Failed:
        """Do what is asked. Whatever it raises is an answer too, but for Ctrl-C.

        Parameters
        ----------
        number : of the job; it stands in the answer and in what is told meanwhile.
        """
        say = _Line(number, tell)
        process = os.getpid()
        try:
            done = Done(number, self._do(ask, say))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if os.getpid() != process:  # the copy that a fork in a plugin made, on its way out
                os._exit(1)
            return Failed.of(number, error)
        finally:
            say.open = False
        return done

    def hold(self, spec: JobSpec, planned: PlannedTask) -> None:
        """Use a task that is loaded already for this spec and those on the same task."""
        self._planned = (self._task_key(spec), planned)

    def _do(self, ask: Ask, say: Callable[[str], None]) -> Any:
        match ask:
            case Fit():
                return self._fit(ask, say)
            case Mutate():
                return self._fitted(ask).mutants(ask.sequences, ask.place, ask.folds[0])
            case LookInside():
                reference = np.array(ask.reference, np.float32)
                return self._fitted(ask).inside(ask.sequences, ask.place, ask.folds[0], reference)
            case LookAtFilters():
                return self._fitted(ask).first_layers(ask.sequences, ask.place, ask.folds[0], ask.most, ask.few)
            case Predict():
                return self._fitted(ask).predict(ask.sequences, ask.place, ask.folds)
            case Prepare():
                planned, featurizer, _ = self._planned_of(ask.spec)
                self.workspace.features_of(planned.task, featurizer)
                return None
            case ProbeFeatures():
                registry = self._registry(ask.spec.plugin_files, ask.spec.features)
                featurizer = registry.make("featurizer", str(ask.spec.featurizer))
                return probe_features(self._task(ask.spec, registry).task, featurizer)
            case ForOrganism():
                registry = self._registry(ask.files)
                return name_for_organism(registry, registry.make("featurizer", ask.featurizer), ask.organism)
            case Cost():
                return model_cost(self._registry(ask.files).make("model", ask.model), ask)
            case DescribePlugins():
                return self._describe(ask)
            case MakePlugin():
                made = self._registry(ask.files).make(ask.kind, ask.text)
                return MadeElsewhere(made.name, made.parameters, made.target, made.multitask, plugin_recipe(made))
            case LoadTask():
                return load_task(ask.source.name, self._registry(ask.files), ask.source.data_dir)
            case DataFiles():
                return data_state(ask.name, self._registry(ask.files), ask.data_dir, ask.action)

    def _fit(self, ask: Fit, say: Callable[[str], None]) -> list[FitResult]:
        planned, featurizer, registry = self._planned_of(ask.spec)
        spec = ask.spec
        model = registry.make("model", spec.model).of_kind(kind_of_targets(planned.task, spec.targets))
        job = FitJob(
            planned.task,
            planned.folds,
            featurizer,
            model,
            spec.seed,
            spec.targets,
            spec.device,
            spec.threads,
            ask.groups,
            spec.recipe,
            spec.keep,
        )
        models: list[Model] = []
        results = fit_job(job, self.workspace, say, models.append if spec.keep else lambda model: None)
        if spec.keep and not ask.groups:
            fitted = FittedModels(planned.task, featurizer, model.name, tuple(models), len(spec.targets))
            self._models = _models_key(spec, ()), fitted
        return results

    def _fitted(self, ask: Predict) -> FittedModels:
        """The models that are asked: read once, and kept until others are asked for."""
        key = _models_key(ask.spec, ask.models)
        if self._models is None or self._models[0] != key:
            if not ask.models:
                raise BenchError(f"{ask.spec.model}: this process has not fitted it. Fit it again.", status=1)
            planned, featurizer, registry = self._planned_of(ask.spec)
            name = registry.make("model", ask.spec.model).name
            models = tuple(unpacked(each, name, trusted=ask.trusted) for each in ask.models)
            self._models = key, FittedModels(planned.task, featurizer, name, models, len(ask.spec.targets))
        return self._models[1]

    def _describe(self, ask: DescribePlugins) -> list[Described]:
        if ask.file is not None:
            return [describe(cls, kind_of(cls)) for cls in classes_in_file(ask.file)]
        assert ask.kind is not None
        return [describe(self._registry(()).find(ask.kind, ask.name), ask.kind)]

    def _planned_of(self, spec: JobSpec) -> tuple[PlannedTask, Made | None, Registry]:
        """Task and featurizer of a spec, and the registry they come from."""
        registry = self._registry(spec.plugin_files, spec.features)
        planned = self._task(spec, registry)
        for what, mine, theirs in (
            ("task", planned.task.digest, spec.task_digest),
            ("folds", planned.folds.digest, spec.folds_digest),
        ):
            if mine != theirs:
                raise BenchError(
                    f"{spec.source.name}: this worker reads another {what} ({mine[:12]}) than the plan ({theirs[:12]})."
                    " Give every machine the same files and versions.",
                    status=1,
                )
        return planned, None if spec.featurizer is None else registry.make("featurizer", spec.featurizer), registry

    def _registry(self, files: tuple[str, ...], features: FeatureSet | None = None) -> Registry:
        if (files, features) not in self._registries:
            several = () if features is None else (features,)
            self._registries[files, features] = Registry(files, dropped=False, features=several)
        return self._registries[files, features]

    @staticmethod
    def _task_key(spec: JobSpec) -> tuple[Any, ...]:
        return (spec.source, spec.task_digest)

    def _task(self, spec: JobSpec, registry: Registry) -> PlannedTask:
        key = self._task_key(spec)
        if self._planned is None or self._planned[0] != key:
            self._planned = (key, load_planned(spec.source, registry))
        return self._planned[1]


#: The worker of this process, for those that are only sent messages.
WORKER = Worker()
