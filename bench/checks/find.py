"""Which plugins a person means by a name or a file, and their checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.checks.check import Check
from bench.checks.dataset import dataset_checks
from bench.checks.featurizer import featurizer_checks
from bench.checks.model import model_checks
from bench.errors import BenchError, nearest
from bench.names import parse_name
from bench.plugins.files import classes_in_file
from bench.plugins.kinds import GROUPS, PluginKind, kind_of
from bench.plugins.registry import Entry, Registry


def plugins_of(text: str, registry: Registry, kind: PluginKind | None = None) -> list[tuple[PluginKind, Any]]:
    """(kind, object) of a plugin's name, or of every plugin that a Python file defines.

    Raises
    ------
    BenchError : for a name that is unknown or belongs to plugins of two kinds, and a file with no such plugin.
    """
    if text.endswith(".py"):
        classes = [cls for cls in classes_in_file(text) if kind in (None, kind_of(cls))]
        if not classes:
            raise BenchError(f"{text}: defines no {kind}. Leave --kind out to check what it defines.")
        return [(kind_of(cls), _made(cls)) for cls in classes]
    found, _ = entry_of(text, registry, kind)
    return [(found, registry.make(found, text).new())]


def entry_of(text: str, registry: Registry, kind: PluginKind | None = None) -> tuple[PluginKind, Entry]:
    """The one plugin that a name means; nothing of it is imported.

    Raises
    ------
    BenchError : for a name that is unknown or belongs to plugins of two kinds.
    """
    name, _ = parse_name(text)
    kinds = [each for each in GROUPS if kind in (None, each) and name in registry.names(each)]
    if not kinds:
        known = [known for each in GROUPS if kind in (None, each) for known in registry.names(each)]
        hint = f" Not used: {'; '.join(registry.broken.values())}" if registry.broken else ""
        said = f"unknown {kind or 'plugin'} {name!r}.{nearest(name, known)} A file's name must end in .py.{hint}"
        raise BenchError(said)
    if len(kinds) > 1:
        raise BenchError(f"{name!r} is a {' and a '.join(kinds)}. Say which: --kind {kinds[0]}.")
    return kinds[0], registry.entry(kinds[0], name)


def _made(cls: type) -> Any:
    try:
        return cls()
    except (Exception, SystemExit) as error:
        raise BenchError(
            f"{cls.__name__} must be made without arguments: give every parameter a default. Got"
            f" {type(error).__name__}: {error}"
        ) from error


def checks_of(kind: PluginKind, plugin: Any, registry: Registry, data_dir: Path | None = None) -> list[Check]:
    """The checks of a plugin object."""
    if kind == "dataset":
        return dataset_checks(plugin, registry, data_dir)
    return featurizer_checks(plugin, registry) if kind == "featurizer" else model_checks(plugin, registry)
