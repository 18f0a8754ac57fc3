"""Which version of a library is installed, by whichever name it is called."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import sys
from collections.abc import Iterable, Mapping

MISSING = "not installed"
#: The backend of Keras where ``KERAS_BACKEND`` names none.
KERAS_BACKEND = "tensorflow"
_KNOWN: dict[str, str] = {}


def library_version(name: str) -> str:
    """Version of a distribution (``scikit-learn``), or of the one that provides an import name (``sklearn``);
    ``MISSING`` where there is none. A module of the standard library has the version of Python."""
    name = distribution_name(name)
    if name not in _KNOWN:
        _KNOWN[name] = _read(name)
    return _KNOWN[name]


@functools.cache
def distribution_name(name: str) -> str:
    """``scikit-learn`` for ``sklearn``, ``scikit-learn`` and ``sklearn.svm``; the name itself where nothing installed
    is called so."""
    if _installed(name) is not None or name in sys.stdlib_module_names:
        return name
    providers = _providers().get(name.partition(".")[0], ())
    return min(providers, default=name)


def library_versions(names: Iterable[str]) -> dict[str, str]:
    """Versions by the distribution's name, in its order."""
    return {name: library_version(name) for name in sorted({distribution_name(each) for each in names})}


def missing_libraries(names: Iterable[str]) -> list[str]:
    """Those that are not installed."""
    return [name for name, version in library_versions(used_libraries(names)).items() if version == MISSING]


def used_libraries(declared: Iterable[str]) -> set[str]:
    """The libraries that take part where these are declared: with Keras, the backend that is chosen and no other."""
    names = set(declared)
    if keras_backend_of(names):
        names = (names - {"tensorflow"} if "keras" in names else names) | {"keras", keras_backend()}
    return names


def keras_backend_of(declared: Iterable[str]) -> str:
    """The backend that a plugin which declares these libraries computes with; empty for one without Keras."""
    return keras_backend() if {"keras", "tensorflow"} & set(declared) else ""


def keras_backend() -> str:
    """The backend of Keras in this process: the one it was imported with, else what ``KERAS_BACKEND`` says."""
    keras = sys.modules.get("keras")
    loaded = getattr(getattr(keras, "config", None), "backend", None)
    return str(loaded()) if callable(loaded) else os.environ.get("KERAS_BACKEND") or KERAS_BACKEND


@functools.cache
def _providers() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _installed(name: str) -> str | None:
    for candidate in (name, f"{name}-cpu", f"{name}_cpu"):
        try:
            return importlib.metadata.version(candidate)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
    return None


def _read(name: str) -> str:
    version = _installed(name)
    if version is None and name in sys.stdlib_module_names:
        return ".".join(map(str, sys.version_info[:2]))
    return MISSING if version is None else version
