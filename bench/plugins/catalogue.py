"""Every plugin with its parameters, one line on what it is, and what keeps it from running."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, Unavailable
from bench.plugins.declared import not_installed
from bench.plugins.kinds import PluginKind
from bench.plugins.parameters import signature_of, to_text
from bench.plugins.registry import Registry

TITLES: dict[PluginKind, str] = {"dataset": "Tasks", "featurizer": "Featurizers", "model": "Models"}


@dataclass(frozen=True)
class CatalogueRow:
    """One plugin: its name, its parameters with their defaults, what it is, where from, and why it cannot run."""

    name: str
    what: str
    origin: str
    parameters: str = ""
    problem: str | None = None


def catalogue(registry: Registry, data_dir: Path | None) -> dict[str, list[CatalogueRow]]:
    """Rows by title: tasks, featurizers, models."""
    return {
        title: [_row(registry, kind, name, data_dir) for name in registry.names(kind)] for kind, title in TITLES.items()
    }


def _row(registry: Registry, kind: PluginKind, name: str, data_dir: Path | None) -> CatalogueRow:
    entry = registry.entry(kind, name)
    try:
        cls: Any = entry.load()
        if kind == "dataset":
            return CatalogueRow(name, cls.title, entry.origin, problem=_files_problem(cls, data_dir))
        known = signature_of(cls)
        parameters = ", ".join(_shown(key, default) for key, (_, default) in known.items())
        problem: str | None
        if any(default is inspect.Parameter.empty for _, default in known.values()):
            problem = not_installed(cls) or "has a parameter without a default: give every one a default"
        else:
            problem = not_installed(registry.make(kind, name).cls)
    except BenchError as error:
        return CatalogueRow(name, "", entry.origin, problem=str(error))
    return CatalogueRow(name, _first_sentence(cls), entry.origin, parameters, problem)


def _shown(key: str, default: Any) -> str:
    return key if default is inspect.Parameter.empty else f"{key}={to_text(default)}"


def _files_problem(cls: Any, data_dir: Path | None) -> str | None:
    try:
        cls().locate(data_dir)
    except (Unavailable, BenchError) as absent:
        return str(absent)
    except Exception as error:
        return f"cannot be located: {type(error).__name__}: {error}"
    return None


def _first_sentence(cls: type) -> str:
    text = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return text.split(". ")[0].rstrip(".").replace("``", "")
