"""A cell - one (task, target, featurizer, model, seed) under one split - and its cache key."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from bench.plugins import Made, source_digest

#: Raised when the way the engine prepares targets or rows changes what a cell predicts, or what it predicts on (2: the
#: dinucleotide shuffles of its test rows too).
PROTOCOL = 2
#: Packages besides a model's own that decide predictions.
COMMON_LIBRARIES = ("numpy",)
#: The featurizer of a model that looks at no features.
NO_FEATURES = "none"
#: Endings of the files that lie beside the folders of tasks and targets.
_ENDINGS = (".md", ".html", ".json", ".parquet", ".svg", ".log", ".tmp")


@dataclass(frozen=True, order=True)
class Cell:
    """One entry of the board. ``featurizer`` and ``model`` are names in normal form."""

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    seed: int

    @property
    def path(self) -> PurePosixPath:
        """Where the cell lives below the output folder."""
        pair = f"{safe_name(self.featurizer)}+{safe_name(self.model)}"
        return PurePosixPath(
            safe_name(self.task), safe_name(self.target), safe_name(self.split), pair, f"seed-{self.seed}"
        )

    def __str__(self) -> str:
        return f"{self.task} · {self.target} · {self.featurizer} + {self.model} · seed {self.seed}"


def safe_name(text: str) -> str:
    """A file name for any text: letters, digits and ``._+=,[]-`` stay, the rest becomes ``~`` and its hash is appended,
    so that two texts never share a folder and none leaves the output folder or meets a file of its own."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._+=,[]-") else "~" for c in text)
    free = not text.lower().endswith(_ENDINGS) and not text.startswith(".")
    if kept == text and 0 < len(text) <= 120 and free:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kept.lstrip('.')[:100]}~{digest}"


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


def cell_key(
    cell: Cell,
    featurizer: Made | None,
    model: Made,
    *,
    task_digest: str,
    folds_digest: str,
    joint: tuple[str, ...],
    orientation: str = "stranded",
) -> str:
    """The content key of a cell: what its predictions follow from, and nothing else.

    ``joint`` are the targets fitted together with this one (itself alone for most models). Device, threads, output
    folder,
    other plugins, argument order and comments do not enter.
    """
    parts: dict[str, Any] = {
        "protocol": PROTOCOL,
        "task": task_digest,
        "target": cell.target,
        "joint": list(joint),
        "folds": folds_digest,
        "seed": cell.seed,
        "model": [source_digest(model.cls), _plain(model.parameters), model.target],
        "featurizer": None if featurizer is None else [source_digest(featurizer.cls), _plain(featurizer.parameters)],
        "libraries": library_versions(tuple(model.cls.libraries)),
    }
    if orientation == "free":  # models may then use the other strand
        parts["orientation"] = orientation
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


def _plain(parameters: dict[str, Any]) -> dict[str, str]:
    return {key: repr(value) for key, value in parameters.items()}
