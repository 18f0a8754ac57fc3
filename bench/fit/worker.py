"""A job as plain values, and how a process that did not plan it runs it: a child, or a worker on another machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from bench.errors import BenchError
from bench.fit.fit import FitResult, Workspace, compute_features, fit_job
from bench.model import Group
from bench.plugins.registry import Made, Registry
from bench.store.predictions import Predictions
from bench.store.record import Fitted
from bench.tasks.load import PlannedTask, Selection, concrete_folds, load_task
from bench.tasks.task import Task


@dataclass(frozen=True)
class JobSpec:
    """Everything a process needs to run a job, by name. Plugin files and task files are named by absolute path."""

    source: str
    split: str | None
    quick: bool
    data_dir: str | None
    task_digest: str
    folds_digest: str
    plugin_files: tuple[str, ...]
    featurizer: str | None = None
    model: str = ""
    seed: int = 0
    targets: tuple[str, ...] = ()
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1

    @classmethod
    def of(cls, planned: PlannedTask, call: Selection, registry: Registry, **more: Any) -> JobSpec:
        """The spec of something to do on a planned task; ``more`` are the fields that say what."""
        source = planned.source
        return cls(
            source=str(Path(source).resolve()) if source.endswith(".toml") else source,
            split=call.split,
            quick=call.quick,
            data_dir=None if call.data_dir is None else str(Path(call.data_dir).resolve()),
            task_digest=planned.task.digest,
            folds_digest=planned.folds.digest,
            plugin_files=registry.every_file(),
            **more,
        )


@dataclass(frozen=True)
class Probe:
    """What a featurizer gives for a task: the kind, how many columns as a table, and bytes of a value."""

    kind: str
    columns: int
    item_bytes: int


def probe_features(task: Task, featurizer: Made) -> Probe:
    """Featurize the first two rows of a task."""
    first = dataclasses.replace(task, sequences=task.sequences.take(slice(0, 2)), row_id=task.row_id[:2])
    features = compute_features(first, featurizer)
    return Probe(features.kind, features.columns, features.values.dtype.itemsize)


class Here:
    """What a process keeps between the jobs it is sent: registries, the last task, the last features."""

    def __init__(self) -> None:
        self._registries: dict[tuple[str, ...], Registry] = {}
        self._planned: tuple[tuple[Any, ...], PlannedTask] | None = None
        self._workspace = Workspace()

    def run(
        self, spec: JobSpec, say: Callable[[str], None] = lambda line: None, groups: tuple[Group, ...] = ()
    ) -> list[FitResult]:
        """Run a job, or with ``groups`` (one a fold) this process's share of it.

        Raises
        ------
        BenchError : also when this process does not see the task the plan saw.
        """
        planned, featurizer, registry = self._planned_of(spec)
        return fit_job(
            planned.task,
            planned.folds,
            featurizer,
            registry.make("model", spec.model),
            spec.seed,
            spec.targets,
            workspace=self._workspace,
            device=spec.device,
            threads=spec.threads,
            say=say,
            groups=groups,
        )

    def prepare(self, spec: JobSpec) -> None:
        """Make ready what `run` needs before it fits: the task and its features.

        Raises
        ------
        BenchError : as `run` does.
        """
        planned, featurizer, _ = self._planned_of(spec)
        self._workspace.features_of(planned.task, featurizer)

    def probe(self, spec: JobSpec) -> Probe:
        """What the featurizer of a spec gives for its task."""
        registry = self._registry(spec)
        return probe_features(self._task(spec, registry).task, registry.make("featurizer", str(spec.featurizer)))

    def _planned_of(self, spec: JobSpec) -> tuple[PlannedTask, Made | None, Registry]:
        """Task and featurizer of a spec, and the registry they come from."""
        registry = self._registry(spec)
        planned = self._task(spec, registry)
        for what, mine, theirs in (
            ("task", planned.task.digest, spec.task_digest),
            ("folds", planned.folds.digest, spec.folds_digest),
        ):
            if mine != theirs:
                raise BenchError(
                    f"{spec.source}: this worker reads another {what} ({mine[:12]}) than the plan ({theirs[:12]})."
                    " Give every machine the same files and versions.",
                    status=1,
                )
        return planned, None if spec.featurizer is None else registry.make("featurizer", spec.featurizer), registry

    def _registry(self, spec: JobSpec) -> Registry:
        if spec.plugin_files not in self._registries:
            self._registries[spec.plugin_files] = Registry(spec.plugin_files)
        return self._registries[spec.plugin_files]

    def _task(self, spec: JobSpec, registry: Registry) -> PlannedTask:
        key = (spec.source, spec.split, spec.quick, spec.data_dir, spec.plugin_files)
        if self._planned is None or self._planned[0] != key:
            task = load_task(spec.source, registry, None if spec.data_dir is None else Path(spec.data_dir))
            folds = concrete_folds(task, spec.split, spec.quick)
            self._planned = (key, PlannedTask(spec.source, task, folds))
        return self._planned[1]


_HERE = Here()


class PlainResult(TypedDict):
    """A `FitResult` as values that any version of the libraries can unpickle."""

    target: str
    record: dict[str, Any]
    predictions: dict[str, Any]


def run_remotely(spec: JobSpec, groups: tuple[Group, ...] = ()) -> list[PlainResult]:
    """Run a job, or a share of it, in this process and return plain values: what a cluster's worker is asked for."""
    return [
        PlainResult(
            target=result.target,
            record=result.record.model_dump(),
            predictions=dataclasses.asdict(result.predictions),
        )
        for result in _HERE.run(spec, groups=groups)
    ]


def prepare(spec: JobSpec) -> None:
    """Make ready in this process what a job needs before it is fitted."""
    _HERE.prepare(spec)


def from_plain(plain: list[PlainResult]) -> list[FitResult]:
    """Results as `run_remotely` wrote them down."""
    return [
        FitResult(each["target"], Fitted.model_validate(each["record"]), Predictions(**each["predictions"]))
        for each in plain
    ]
