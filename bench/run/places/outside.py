"""Third-party plugins as the plan sees them: described, made and tried in processes of their own, never in this one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from bench.errors import BenchError, Unavailable
from bench.fit.messages import JobFailed
from bench.fit.worker import (
    Ask,
    Cost,
    DataFiles,
    DescribePlugins,
    ForOrganism,
    JobSpec,
    LoadTask,
    MakePlugin,
    ModelCost,
    Probe,
    ProbeFeatures,
)
from bench.plugins.described import Described, MadeElsewhere, PluginRecipe
from bench.plugins.kinds import PluginKind
from bench.plugins.parameters import Scale, Value
from bench.run.places.child import Child
from bench.tasks.data_files import Action, DataState
from bench.tasks.load import TaskSource, base_name
from bench.tasks.task import Task

#: Seconds that a plugin has to be imported, made, or to give the features of two rows, where no --timeout is given.
LOOK_SECONDS = 120.0
#: Seconds that a data set has to be loaded or compared with its checksums, where no --timeout is given.
LOAD_SECONDS = 3600.0
#: Processes kept for the next question to the same plugins.
MOST_CHILDREN = 8

T = TypeVar("T")


class Outside:
    """One child for each plugin file or entry point, the last few of them kept. `bench.plugins.described.Describer`.

    Parameters
    ----------
    timeout : seconds for each question; ``LOOK_SECONDS`` by default, ``LOAD_SECONDS`` for those on data.
    settable : whether the call that is under way has an option --timeout.
    """

    def __init__(self, timeout: float | None = None, *, settable: bool = True) -> None:
        self.timeout = timeout
        self._limit = "--timeout" if timeout is not None else "the default"
        if timeout is None and settable:
            self._limit += "; --timeout sets another"
        self._children: dict[tuple[str, ...], Child] = {}

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all children."""
        while self._children:
            self._children.popitem()[1].close()

    def describe(self, file: Path | None, kind: PluginKind | None = None, name: str = "") -> list[Described]:
        """Every plugin of a file, or the one of an entry point.

        Raises
        ------
        BenchError : also where the plugin ends its process, or takes too long.
        """
        path = None if file is None else str(file)
        origin = path or f"the {kind} {name!r}"
        return self._of_person(origin, DescribePlugins(path, kind, name), (path or f"{kind} {name}",), _described)

    def make(self, file: Path | None, kind: PluginKind, text: str) -> MadeElsewhere:
        """Make ``name[key=value]``. Raises as ``describe`` does."""
        name = text.partition("[")[0]
        files = () if file is None else (str(file),)
        return self._of_person(text, MakePlugin(files, kind, text), files or (f"{kind} {name}",), _made)

    def load(self, file: Path | None, source: TaskSource) -> Task:
        """The task of a third-party data set. Raises as ``describe`` does, and `Unavailable`."""
        files = () if file is None else (str(file),)
        serves = files or (f"dataset {base_name(source.name)}",)
        return self._of_person(source.name, LoadTask(source.absolute(), files), serves, _is(Task), LOAD_SECONDS)

    def data(self, file: Path | None, name: str, data_dir: Path | None, action: Action) -> DataState:
        """What there is of the files of a third-party data set. Raises as ``load`` does. A download has no limit."""
        files = () if file is None else (str(file),)
        ask = DataFiles(files, name, data_dir, action)
        seconds = {"look": LOOK_SECONDS, "card": LOOK_SECONDS, "verify": LOAD_SECONDS, "fetch": None}[action]
        return self._of_person(name, ask, files or (f"dataset {name}",), _is(DataState), seconds)

    def probe(self, spec: JobSpec) -> Probe:
        """What a featurizer gives for the first two rows of a task.

        Raises
        ------
        JobFailed : where it raises, ends its process or takes too long.
        """
        serves = spec.plugin_files or spec.outside
        return self._ask(ProbeFeatures(spec), serves, "its features of two rows ran", _is(Probe))

    def for_organism(self, ask: ForOrganism, outside: tuple[str, ...]) -> str:
        """The name of a featurizer on a task. Raises as ``probe`` does."""
        return self._ask(ask, ask.files or outside, "its for_organism ran", _is(str))

    def cost(self, ask: Cost, outside: tuple[str, ...]) -> ModelCost:
        """What a model needs. Raises as ``probe`` does."""
        return self._ask(ask, ask.files or outside, "its own estimate ran", _is(ModelCost))

    def _of_person(
        self,
        origin: str,
        ask: Ask,
        serves: tuple[str, ...],
        read: Callable[[Any], T],
        seconds: float | None = LOOK_SECONDS,
    ) -> T:
        """As ``_ask``, with errors for people."""
        doing = {LoadTask: "loading it", DataFiles: "looking for its files"}.get(type(ask), "importing it")
        try:
            return self._ask(ask, serves, f"{doing} ran", read, seconds)
        except JobFailed as failure:
            if failure.fix is not None:
                raise Unavailable(str(failure), failure.fix) from None
            if failure.status is not None:
                raise BenchError(str(failure), status=failure.status) from failure
            raise BenchError(f"{origin}: {failure}. Nothing of it can be run.", status=1) from failure

    def _ask(
        self,
        ask: Ask,
        serves: tuple[str, ...],
        doing: str,
        read: Callable[[Any], T],
        seconds: float | None = LOOK_SECONDS,
    ) -> T:
        """The answer of the child of some plugins. ``seconds`` : the limit where no --timeout was given."""
        child = self._children.pop(serves, None) or Child()
        self._children[serves] = child
        if len(self._children) > MOST_CHILDREN:
            oldest = next(iter(self._children))
            self._children.pop(oldest).close()
        limit = seconds if self.timeout is None or seconds is None else self.timeout
        answer = child.ask(ask, serves, timeout=limit, limit=self._limit, doing=doing)
        try:
            return read(answer)
        except (ValidationError, TypeError, AttributeError) as error:
            raise JobFailed("what it says of itself cannot be understood", str(error)) from None


def _is(wanted: type[T]) -> Callable[[Any], T]:
    def read(answer: Any) -> T:
        if not isinstance(answer, wanted):
            raise TypeError(f"not a {wanted.__name__}")
        return answer

    return read


def _described(answer: Any) -> list[Described]:
    return [Described.model_validate(each.model_dump()) for each in answer]


def _made(answer: Any) -> MadeElsewhere:
    made = _is(MadeElsewhere)(answer)
    parameters: dict[str, Value] = {}
    for key, value in made.parameters.items():
        if value is not None and type(value) not in (bool, int, float, str):
            raise TypeError(f"{key} is a {type(value).__name__}")
        parameters[str(key)] = value
    scale: Scale = "raw" if made.target == "raw" else "rank"
    return MadeElsewhere(str(made.name), parameters, scale, bool(made.multitask), _recipe(made.recipe))


def _recipe(given: PluginRecipe) -> PluginRecipe:
    """What a plugin is made of, as plain text."""
    return PluginRecipe(
        str(given.name),
        str(given.source),
        tuple((str(key), str(value)) for key, value in given.parameters),
        tuple((str(key), str(value)) for key, value in given.libraries),
        tuple(map(str, given.files)),
        str(given.backend),
        str(given.residualise),
    )
