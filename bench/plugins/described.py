"""What a third-party plugin says of itself, as seen in a process of its own: the parent plans with it and imports
nothing of the plugin."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import BenchError
from bench.plugins.kinds import PluginKind, plugin_name
from bench.plugins.parameters import Scale, Value, signature_of, to_text
from bench.plugins.source import source_digest


class Described(BaseModel):
    """The class attributes of a plugin, under the names that they have in the class, so that it stands in for it.

    Attributes
    ----------
    plugin : which kind of plugin. where : module and name of its class.
    what : the first sentence of its documentation. defaults : parameters, each with its default as text.
    source : digest of the code it runs. files : names of the files that a data set downloads.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    plugin: PluginKind
    name: str
    where: str
    what: str
    defaults: dict[str, str]
    source: str
    shown: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    on_request: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    # of a featurizer
    kind: Literal["table", "signal", "codes"] = "table"
    role: Literal["sequence", "confounder", "outside"] = "sequence"
    gc_only: bool = False
    covariates: tuple[str, ...] = ()
    cheap: bool = False
    # of a model
    takes: tuple[str, ...] = ("table",)
    stochastic: bool = True
    max_columns: int | None = None
    deep: bool | None = None
    needs_features: bool = True
    devices: tuple[str, ...] = ("cpu",)
    spreads: bool = False
    half_processors: bool = False
    by_default: bool = True
    # of a data set
    title: str = ""
    in_all: bool = True


@dataclass(frozen=True)
class PluginRecipe:
    """What a featurizer or model is made of: all of it that predictions may depend on.

    Attributes
    ----------
    name : in normal form, for messages; not part of a key.
    source : hash of its code. parameters : as written in code, by name; the scale of the target among a model's.
    libraries : versions of those it declares, by name. files : hashes of those it declares, in its order.
    backend : that Keras computes with; empty for one without Keras.
    residualise : what a featurizer has taken out of its columns.
    """

    name: str = field(compare=False)
    source: str
    parameters: tuple[tuple[str, str], ...] = ()
    libraries: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    backend: str = ""
    residualise: str = ""


@dataclass(frozen=True)
class MadeElsewhere:
    """What making a plugin in another process gave: its normal name, its parameters, the scale that it fits (a model),
    whether it learns several targets at once, and what it is made of."""

    name: str
    parameters: dict[str, Value]
    target: Scale
    multitask: bool
    recipe: PluginRecipe


class Describer(Protocol):
    """Looks at third-party plugins in a process of their own. ``file`` is that of a plugin file; None for an entry
    point.

    All of them raise a `BenchError`, also where the plugin ends its process or takes too long.
    """

    def describe(self, file: Path | None, kind: PluginKind | None = None, name: str = "") -> list[Described]:
        """Every plugin of a file, or the one of an entry point."""

    def make(self, file: Path | None, kind: PluginKind, text: str) -> MadeElsewhere:
        """Make ``name[key=value]``."""

    def load(self, file: Path | None, source: Any) -> Any:
        """The task (`bench.tasks.task.Task`) of a data set, given its `bench.tasks.load.TaskSource`. Raises
        `Unavailable` where the data are not here."""

    def data(self, file: Path | None, name: str, data_dir: Path | None, action: Any) -> Any:
        """What there is of the public files of a data set (`bench.tasks.data_files.DataState`)."""


def describe(cls: Any, plugin: PluginKind) -> Described:
    """What a plugin class says of itself.

    Raises
    ------
    BenchError : for an attribute that is not what it must be.
    """
    fields = {name for name in Described.model_fields if name not in _OWN[plugin]}
    said = {name: _plain(getattr(cls, name)) for name in fields if hasattr(cls, name)}
    try:
        return Described(
            **said,
            plugin=plugin,
            name=plugin_name(cls),
            where=f"{cls.__module__}:{cls.__qualname__}",
            what=first_sentence(cls),
            defaults={} if plugin == "dataset" else _defaults(cls),
            source="" if plugin == "dataset" else source_digest(cls),
            files=tuple(str(getattr(file, "path", file)) for file in _several(getattr(cls, "files", ())))
            if plugin == "dataset"
            else (),
            libraries=tuple(map(str, _several(getattr(cls, "libraries", ())))),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BenchError(
            f"the {where!r} of {cls.__name__} is wrong: {first['msg']}. Got {str(first['input'])[:100]!r}."
        ) from None


#: What is not read from the class under its own name, by kind of plugin: words of one kind mean nothing in another.
_COMMON = {"plugin", "name", "where", "what", "defaults", "source", "files", "libraries"}
_OF = {
    "featurizer": {"kind", "role", "gc_only", "covariates", "cheap", "shown", "also", "on_request"},
    "model": {
        "takes",
        "stochastic",
        "max_columns",
        "deep",
        "needs_features",
        "devices",
        "spreads",
        "half_processors",
        "by_default",
        "shown",
        "also",
    },
    "dataset": {"title", "in_all"},
}
_OWN: dict[PluginKind, set[str]] = {
    "featurizer": _COMMON | (_OF["model"] | _OF["dataset"]) - _OF["featurizer"],
    "model": _COMMON | (_OF["featurizer"] | _OF["dataset"]) - _OF["model"],
    "dataset": _COMMON | (_OF["featurizer"] | _OF["model"]) - _OF["dataset"],
}


def _several(value: Any) -> Iterable[Any]:
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else value


def _plain(value: Any) -> Any:
    """A list as a tuple; numpy's bool and numbers as Python's."""
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(map(_plain, sorted(value) if isinstance(value, set | frozenset) else value))
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        return value.item()
    return str(value) if isinstance(value, str) else value


def _defaults(cls: type) -> dict[str, str]:
    known = signature_of(cls).items()
    return {key: "" if default is inspect.Parameter.empty else to_text(default) for key, (_, default) in known}


def first_sentence(cls: type) -> str:
    """The first sentence of a class's documentation; empty where it has none."""
    text = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".").replace("``", "")
