"""Which version of a library is installed."""

from __future__ import annotations

import importlib.metadata
import sys

MISSING = "not installed"
_KNOWN: dict[str, str] = {}


def library_version(name: str) -> str:
    """Version of the package that provides an import name; ``MISSING`` where none does. A module of the standard
    library has the version of Python."""
    if name not in _KNOWN:
        _KNOWN[name] = _read(name)
    return _KNOWN[name]


def _read(name: str) -> str:
    for candidate in (name, f"{name}-cpu", f"{name}_cpu"):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ".".join(map(str, sys.version_info[:2])) if name in sys.stdlib_module_names else MISSING
