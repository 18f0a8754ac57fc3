"""From results to what can be asked for predictions: kept models are read, others are fitted again.

Built-in models run in this process, third-party plugins in a child of their own. Kept models of a third party are read
only where the reader trusts them (reading them may run anything); otherwise they are fitted again, in the child that is
then asked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.fit.first_layer import FirstLayer
from bench.fit.messages import Failed, checked_results
from bench.fit.predictor import Inside, Predictor
from bench.fit.worker import Ask, Fit, JobSpec, LookAtFilters, LookInside, Mutate, Predict, Worker
from bench.plugins.registry import Registry
from bench.run.job import Job
from bench.run.places.child import Child
from bench.run.places.place import local_device
from bench.sequences import Sequences
from bench.store.store import Store


@dataclass(frozen=True, eq=False)
class _Asked:
    """A predictor that asks a process."""

    ask: Callable[[Ask], Any]
    spec: JobSpec
    place: int
    folds: int
    models: tuple[bytes, ...] = ()
    trusted: bool = False

    def predict(self, sequences: Sequences, folds: Sequence[int] | None = None) -> NDArray[np.float32]:
        """As `bench.fit.predictor.Predictor`.

        Raises
        ------
        BenchError, JobFailed : what featurizer or model raised.
        """
        chosen = tuple(range(self.folds)) if folds is None else tuple(folds)
        # What others keep in ``shared`` stays here: it may be large, and is of other rows.
        plain = dataclasses.replace(sequences, shared={})
        answer = self.ask(Predict(self.spec, plain, chosen, self.place, self.models, self.trusted))
        if not isinstance(answer, np.ndarray) or answer.shape != (len(sequences), len(chosen)):
            raise BenchError(f"{self.spec.model}: its process gave no predictions of {len(sequences)} rows.", status=1)
        return answer

    def mutants(self, sequences: Sequences, fold: int) -> NDArray[np.float32] | None:
        """As `bench.fit.predictor.Predictor`."""
        plain = dataclasses.replace(sequences, shared={})
        answer = self.ask(Mutate(self.spec, plain, (fold,), self.place, self.models, self.trusted))
        if answer is not None and not isinstance(answer, np.ndarray):
            raise BenchError(f"{self.spec.model}: its process gave no predictions of changed rows.", status=1)
        return answer

    def inside(self, sequences: Sequences, fold: int, reference: NDArray[np.float32]) -> Inside:
        """As `bench.fit.predictor.Predictor`."""
        plain = dataclasses.replace(sequences, shared={})
        base = (self.spec, plain, (fold,), self.place, self.models, self.trusted)
        answer = self.ask(LookInside(*base, reference=tuple(map(float, reference))))
        if not isinstance(answer, Inside):
            raise BenchError(f"{self.spec.model}: its process gave no answer on its models.", status=1)
        return answer

    def first_layers(self, sequences: Sequences, fold: int, most: int, few: int) -> list[FirstLayer] | None:
        """As `bench.fit.predictor.Predictor`."""
        plain = dataclasses.replace(sequences, shared={})
        base = (self.spec, plain, (fold,), self.place, self.models, self.trusted)
        answer = self.ask(LookAtFilters(*base, most=most, few=few))
        if answer is not None and not all(isinstance(each, FirstLayer) for each in answer):
            raise BenchError(f"{self.spec.model}: its process gave no answer on its networks.", status=1)
        return None if answer is None else list(answer)


class Predictors:
    """Gives the predictor of a result, and holds the processes that answer.

    Parameters
    ----------
    trust : read kept models of third-party plugins, which may run anything.
    """

    def __init__(
        self,
        registry: Registry,
        store: Store,
        *,
        threads: int = 1,
        device: str = "auto",
        trust: bool = False,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._registry, self._store, self._threads, self._device = registry, store, threads, device
        self._trust, self._say = trust, say
        self._numbers = 0
        self._child = Child()

    def __enter__(self) -> Predictors:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close()

    def of(self, job: Job, place: int = 0) -> Predictor:
        """The predictor of a job's result for the target at a place. One that is fitted again must be asked before the
        next one is wanted: its process holds one job.

        Raises
        ------
        BenchError, JobFailed : where it cannot be fitted.
        """
        device = local_device(self._device, job)
        spec = dataclasses.replace(job.spec(self._registry, device, self._threads), keep=True)
        ask = self._asker(job, spec)
        folds = len(job.planned.folds)
        found = self._store.models(job.results[place], job.keys[place])
        if found is not None and len(found[1]) == folds and (job.model.built_in or self._trust):
            kept = _Asked(ask, spec, place, folds, found[1], trusted=not job.model.built_in)
            try:
                kept.predict(job.planned.task.sequences.take(slice(0, 1)), [0])
            except Exception as error:  # of another version of a library, say
                self._say(f"{job}: {error}")
            else:
                return kept
        self._say(f"{job}: fitted again")
        checked_results(ask(Fit(spec)), spec.targets)
        return _Asked(ask, spec, place, folds)

    def _asker(self, job: Job, spec: JobSpec) -> Callable[[Ask], Any]:
        if not job.built_in:
            return lambda ask: self._child.ask(ask, spec.outside, say=self._say)
        worker = Worker()
        worker.hold(spec, job.planned)

        def answer(ask: Ask) -> Any:
            self._numbers += 1
            reply = worker.answer(self._numbers, ask, lambda said: self._say(said.line))
            if isinstance(reply, Failed):
                raise reply.error()
            return reply.answer

        return answer
