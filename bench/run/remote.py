"""A job as plain values, and how a process that did not plan it runs it: a child, or a worker on another machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.plugins import Registry
from bench.run.fit import CellResult, Workspace, fit_job
from bench.run.plan import Job, PlannedTask, concrete_folds, load_task


@dataclass(frozen=True)
class JobSpec:
    """Everything a process needs to run a job, by name. Plugin files and task files are named by absolute path."""

    source: str
    split: str | None
    quick: bool
    data_dir: str | None
    task_digest: str
    folds_digest: str
    featurizer: str | None
    model: str
    seed: int
    targets: tuple[str, ...]
    device: Literal["cpu", "cuda"]
    threads: int
    plugin_files: tuple[str, ...] = ()


def spec_of(job: Job, *, device: Literal["cpu", "cuda"], threads: int, registry: Registry, call: Any) -> JobSpec:
    """The plain form of a planned job; ``call`` is the ``Selection`` it was planned from."""
    source = job.planned.source
    return JobSpec(
        source=str(Path(source).resolve()) if source.endswith(".toml") else source,
        split=call.split,
        quick=call.quick,
        data_dir=None if call.data_dir is None else str(Path(call.data_dir).resolve()),
        task_digest=job.planned.task.digest,
        folds_digest=job.planned.folds.digest,
        featurizer=None if job.featurizer is None else job.featurizer.name,
        model=job.model.name,
        seed=job.seed,
        targets=job.targets,
        device=device,
        threads=threads,
        plugin_files=registry.every_file(),
    )


class Here:
    """What a process keeps between the jobs it is sent: registries, the last task, the last features."""

    def __init__(self) -> None:
        self._registries: dict[tuple[str, ...], Registry] = {}
        self._planned: tuple[tuple[Any, ...], PlannedTask] | None = None
        self._workspace = Workspace()

    def run(self, spec: JobSpec, say: Callable[[str], None] = lambda line: None) -> list[CellResult]:
        """Run a job.

        Raises
        ------
        BenchError : also when this process does not see the task the plan saw.
        """
        if spec.plugin_files not in self._registries:
            self._registries[spec.plugin_files] = Registry(spec.plugin_files)
        registry = self._registries[spec.plugin_files]
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
        return fit_job(
            planned.task,
            planned.folds,
            None if spec.featurizer is None else registry.make("featurizer", spec.featurizer),
            registry.make("model", spec.model),
            spec.seed,
            spec.targets,
            workspace=self._workspace,
            device=spec.device,
            threads=spec.threads,
            say=say,
        )

    def _task(self, spec: JobSpec, registry: Registry) -> PlannedTask:
        key = (spec.source, spec.split, spec.quick, spec.data_dir, spec.plugin_files)
        if self._planned is None or self._planned[0] != key:
            task = load_task(spec.source, registry, None if spec.data_dir is None else Path(spec.data_dir))
            folds = concrete_folds(task, spec.split, spec.quick)
            self._planned = (key, PlannedTask(spec.source, task, folds))
        return self._planned[1]


_HERE = Here()


def run_remotely(spec: JobSpec) -> list[dict[str, Any]]:
    """Run a job in this process and return plain dictionaries of arrays: what a cluster's worker is asked for."""
    return [
        {"target": r.target, "record": r.record, "predictions": dataclasses.asdict(r.predictions)}
        for r in _HERE.run(spec)
    ]
