"""A result - one (task, target, featurizer, model, seed) under one split - and its cache key."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from typing import Any

from bench.plugins.registry import Made
from bench.plugins.source import source_digest
from bench.store.result import ResultId

#: Raised when the way the engine prepares targets or rows changes what a fit predicts, or what it predicts on (2: the
#: dinucleotide shuffles of its test rows too).
PROTOCOL = 2
#: Packages besides a model's own that decide predictions.
COMMON_LIBRARIES = ("numpy",)


def library_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions of packages, by the first distribution that provides each import name."""
    versions = {}
    for name in (*COMMON_LIBRARIES, *names):
        versions[name] = _version(name)
    return dict(sorted(versions.items()))


_PROVIDERS: dict[str, str] = {}


def _version(name: str) -> str:
    if name not in _PROVIDERS:
        found = ""
        for candidate in (name, f"{name}-cpu", f"{name}_cpu"):
            try:
                found = importlib.metadata.version(candidate)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
        if not found and name in sys.stdlib_module_names:
            found = ".".join(map(str, sys.version_info[:2]))
        _PROVIDERS[name] = found or "not installed"
    return _PROVIDERS[name]


def result_key(
    result: ResultId,
    featurizer: Made | None,
    model: Made,
    *,
    task_digest: str,
    folds_digest: str,
    joint: tuple[str, ...],
    orientation: str = "stranded",
) -> str:
    """The content key of a result: what its predictions follow from, and nothing else.

    ``joint`` are the targets fitted together with this one (itself alone for most models). Device, threads, output
    folder,
    other plugins, argument order and comments do not enter.
    """
    parts: dict[str, Any] = {
        "protocol": PROTOCOL,
        "task": task_digest,
        "target": result.target,
        "joint": list(joint),
        "folds": folds_digest,
        "seed": result.seed,
        "model": [source_digest(model.cls), _plain(model.parameters), model.target],
        "featurizer": None if featurizer is None else [source_digest(featurizer.cls), _plain(featurizer.parameters)],
        "libraries": library_versions(tuple(model.cls.libraries)),
    }
    if orientation == "free":  # models may then use the other strand
        parts["orientation"] = orientation
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _plain(parameters: dict[str, Any]) -> dict[str, str]:
    return {key: repr(value) for key, value in parameters.items()}
