"""A job: one unit of a plan's work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.fit.messages import JobFailed
from bench.fit.recipe import Recipe
from bench.fit.worker import JobSpec
from bench.plugins.registry import Made, Registry
from bench.store.result import ResultId
from bench.tasks.load import PlannedTask


@dataclass(frozen=True)
class Job:
    """A model on one featurizer's features under one seed, for the targets it learns together.

    ``recipe`` : all that its predictions follow from.
    ``seconds`` : the estimate. ``columns``, ``item_bytes`` : of its features. ``memory`` : bytes, where its model
    states them. ``trouble`` : why it cannot work, where that was known already when it was planned. ``keep`` : its
    fitted models are kept.
    """

    planned: PlannedTask
    featurizer: Made | None
    model: Made
    seed: int
    results: tuple[ResultId, ...]
    recipe: Recipe
    seconds: float
    columns: int
    item_bytes: int
    memory: float | None = None
    trouble: JobFailed | None = None
    keep: bool = False

    @property
    def built_in(self) -> bool:
        """Whether all its code is this package's own."""
        return self.model.built_in and (self.featurizer is None or self.featurizer.built_in)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each result."""
        return tuple(map(self.recipe.key, range(len(self.results))))

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets fitted together, one result each."""
        return tuple(result.target for result in self.results)

    def spec(self, registry: Registry, device: Literal["cpu", "cuda"], threads: int) -> JobSpec:
        """The job by name, as it travels to the process that fits it."""
        return JobSpec.of(
            self.planned,
            registry,
            featurizer=None if self.featurizer is None else self.featurizer.name,
            model=self.model.name,
            seed=self.seed,
            targets=self.targets,
            device=device,
            threads=threads,
            recipe=self.recipe,
            keep=self.keep,
        )

    def __str__(self) -> str:
        first = self.results[0]
        what = first.target if len(self.results) == 1 else f"{len(self.results)} targets"
        seed = f" · seed {self.seed}" if self.model.cls.stochastic else ""
        return f"{first.task} · {what} · {first.featurizer} + {first.model}{seed}"
