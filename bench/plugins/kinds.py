"""The three kinds of plugin: where each is declared, what it derives from, what it may be called."""

from __future__ import annotations

import re
from typing import Literal

from bench.errors import BenchError

PluginKind = Literal["featurizer", "model", "dataset"]
#: What this package is installed as.
DISTRIBUTION = "bench-gc"
#: Entry-point group of each kind.
GROUPS: dict[PluginKind, str] = {
    "featurizer": "bench.featurizers",
    "model": "bench.models",
    "dataset": "bench.datasets",
}
#: Base class of each kind, by its full name: compared as text, so that to know a kind imports no contract. (A data set
#: knows what a task is, and tasks are found through this package.)
BASES: dict[PluginKind, str] = {
    "featurizer": "bench.featurizer.Featurizer",
    "model": "bench.model.Model",
    "dataset": "bench.dataset.Dataset",
}
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]*\Z")


def is_kind(cls: object, kind: PluginKind) -> bool:
    """Whether an object is a class that derives from the base class of a kind (and is not that class itself)."""
    return isinstance(cls, type) and BASES[kind] in (
        f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__[1:]
    )


def kind_of(cls: type) -> PluginKind:
    """Which kind of plugin a class is.

    Raises
    ------
    BenchError : for a class that derives from none of the base classes.
    """
    for kind in BASES:
        if is_kind(cls, kind):
            return kind
    raise BenchError(f"{cls.__name__} is no plugin: derive it from bench.Featurizer or bench.Model.")


def plugin_name(cls: type) -> str:
    """The declared name of a plugin class, checked.

    Raises
    ------
    BenchError : where it has none, or one of other characters.
    """
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not NAME_PATTERN.match(name):
        raise BenchError(f"the 'name' of {cls.__name__} must be lower-case letters, digits and dashes. Got {name!r}.")
    return name
