"""A job as plain values, and how a process that did not plan it fits it: a child, or a worker on another machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bench.errors import BenchError
from bench.fit.features import Workspace, compute_features
from bench.fit.fit import FitJob, FitResult, fit_job
from bench.fit.recipe import Recipe
from bench.model import Group
from bench.plugins.registry import Made, Registry
from bench.tasks.load import PlannedTask, TaskSource, load_planned
from bench.tasks.task import Task


@dataclass(frozen=True)
class JobSpec:
    """Everything a process needs to run a job, by name. Plugin files and task files are named by absolute path."""

    source: TaskSource
    task_digest: str
    folds_digest: str
    plugin_files: tuple[str, ...]
    featurizer: str | None = None
    model: str = ""
    seed: int = 0
    targets: tuple[str, ...] = ()
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    recipe: Recipe | None = None

    @classmethod
    def of(cls, planned: PlannedTask, registry: Registry, **more: Any) -> JobSpec:
        """The spec of something to do on a planned task; ``more`` are the fields that say what."""
        return cls(
            planned.source.absolute(),
            planned.task.digest,
            planned.folds.digest,
            registry.every_file(),
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


class Worker:
    """What a process keeps between the jobs it is sent: registries, the last task, the last features."""

    def __init__(self) -> None:
        self._registries: dict[tuple[str, ...], Registry] = {}
        self._planned: tuple[tuple[Any, ...], PlannedTask] | None = None
        self._workspace = Workspace()

    def fit(
        self, spec: JobSpec, say: Callable[[str], None] = lambda line: None, groups: tuple[Group, ...] = ()
    ) -> list[FitResult]:
        """Run a job, or with ``groups`` (one a fold) this process's share of it.

        Raises
        ------
        BenchError : also when this process does not see the task the plan saw.
        """
        planned, featurizer, registry = self._planned_of(spec)
        model = registry.make("model", spec.model)
        job = FitJob(
            planned.task,
            planned.folds,
            featurizer,
            model,
            spec.seed,
            spec.targets,
            spec.device,
            spec.threads,
            groups,
            spec.recipe,
        )
        return fit_job(job, self._workspace, say)

    def prepare(self, spec: JobSpec) -> None:
        """Make ready what `fit` needs before it fits: the task and its features.

        Raises
        ------
        BenchError : as `fit` does.
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
                    f"{spec.source.name}: this worker reads another {what} ({mine[:12]}) than the plan ({theirs[:12]})."
                    " Give every machine the same files and versions.",
                    status=1,
                )
        return planned, None if spec.featurizer is None else registry.make("featurizer", spec.featurizer), registry

    def _registry(self, spec: JobSpec) -> Registry:
        if spec.plugin_files not in self._registries:
            self._registries[spec.plugin_files] = Registry(spec.plugin_files)
        return self._registries[spec.plugin_files]

    def _task(self, spec: JobSpec, registry: Registry) -> PlannedTask:
        key = (spec.source, spec.plugin_files)
        if self._planned is None or self._planned[0] != key:
            self._planned = (key, load_planned(spec.source, registry))
        return self._planned[1]


#: The worker of this process, for those that are only sent messages.
WORKER = Worker()
