"""The recipe of a result: all that its predictions may depend on, and its hash, the result's key."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from bench.plugins.libraries import library_version
from bench.plugins.registry import Made
from bench.plugins.source import source_digest
from bench.store.result import ResultId

#: Raised when the way the engine prepares targets or rows changes what a fit predicts, or what it predicts on (2: the
#: dinucleotide shuffles of its test rows too).
PROTOCOL = 2
#: Packages other than a model's own that decide predictions.
COMMON_LIBRARIES = ("numpy",)


def library_versions(names: tuple[str, ...]) -> dict[str, str]:
    """Installed versions of packages, by the first distribution that provides each import name."""
    return {name: library_version(name) for name in sorted({*COMMON_LIBRARIES, *names})}


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
    folder, other plugins, argument order and comments do not enter.
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
