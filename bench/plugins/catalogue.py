"""Every plugin with its parameters, one line on what it is, and what keeps it from running."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, Unavailable
from bench.files.downloads import data_folders
from bench.plugins.declared import not_installed
from bench.plugins.described import Described, first_sentence
from bench.plugins.kinds import PluginKind
from bench.plugins.parameters import signature_of, to_text
from bench.plugins.registry import Entry, Registry

TITLES: dict[PluginKind, str] = {"dataset": "Tasks", "featurizer": "Featurizers", "model": "Models"}

#: Title of files that were dropped into a plugin folder and cannot be used.
BROKEN = "Plugin files that cannot be used"


@dataclass(frozen=True)
class CatalogueRow:
    """One plugin: its name, its parameters with their defaults, what it is, where from, and why it cannot run."""

    name: str
    what: str
    origin: str
    parameters: str = ""
    problem: str | None = None


def catalogue(registry: Registry, data_dir: Path | None) -> dict[str, list[CatalogueRow]]:
    """Rows by title: tasks, featurizers, models, and files that cannot be used."""
    found = {
        title: [_row(registry, kind, name, data_dir) for name in registry.names(kind)] for kind, title in TITLES.items()
    }
    broken = [CatalogueRow(Path(file).name, "", file, problem=reason) for file, reason in registry.broken.items()]
    return found | ({BROKEN: broken} if broken else {})


def _row(registry: Registry, kind: PluginKind, name: str, data_dir: Path | None) -> CatalogueRow:
    entry = registry.entry(kind, name)
    try:
        cls: Any = entry.load()
        if isinstance(cls, Described):
            return _described_row(entry, cls, data_dir)
        if kind == "dataset":
            return CatalogueRow(name, cls.title, entry.origin, problem=_files_problem(cls, data_dir))
        known = signature_of(cls).items()
    except BenchError as error:
        return CatalogueRow(name, "", entry.origin, problem=str(error))
    void = inspect.Parameter.empty
    parameters = ", ".join(key if default is void else f"{key}={to_text(default)}" for key, (_, default) in known)
    return CatalogueRow(name, first_sentence(cls), entry.origin, parameters, not_installed(cls))


def _described_row(entry: Entry, cls: Described, data_dir: Path | None) -> CatalogueRow:
    """The row of a third-party plugin, of which this process imports nothing."""
    parameters = ", ".join(f"{key}={default}" if default else key for key, default in cls.defaults.items())
    if cls.plugin == "dataset":
        folders = data_folders(data_dir)
        missing = [file for file in cls.files if not any((folder / file).is_file() for folder in folders)]
        problem = f"{len(missing)} of {len(cls.files)} files of {cls.name} are not here" if missing else None
        return CatalogueRow(cls.name, cls.title, entry.origin, problem=problem)
    return CatalogueRow(cls.name, cls.what, entry.origin, parameters, not_installed(cls))


def _files_problem(cls: Any, data_dir: Path | None) -> str | None:
    try:
        cls().locate(data_dir)
    except (Unavailable, BenchError) as absent:
        return str(absent)
    except Exception as error:
        return f"cannot be located: {type(error).__name__}: {error}"
    return None
