"""The identity of a result: one (task, target, split, featurizer, model, seed), and where it lies in a folder."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

#: The featurizer of a model that looks at no features.
NO_FEATURES = "none"
#: Endings of the files that lie next to the folders of tasks and targets.
_ENDINGS = (".md", ".html", ".json", ".parquet", ".svg", ".log", ".tmp")


@dataclass(frozen=True, order=True)
class ResultId:
    """One entry of the board. ``featurizer`` and ``model`` are names in normal form."""

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    seed: int

    @property
    def path(self) -> PurePosixPath:
        """Where the result lives below the output folder."""
        return PurePosixPath(self.place)

    @property
    def place(self) -> str:
        """``path`` as text."""
        return place_of(self.task, self.target, self.split, self.featurizer, self.model, self.seed)

    def __str__(self) -> str:
        return f"{self.task} · {self.target} · {self.featurizer} + {self.model} · seed {self.seed}"


def place_of(task: str, target: str, split: str, featurizer: str, model: str, seed: int) -> str:
    """Where a result lives below the output folder."""
    pair = f"{safe_name(featurizer)}+{safe_name(model)}"
    return f"{safe_name(task)}/{safe_name(target)}/{safe_name(split)}/{pair}/seed-{seed}"


@functools.lru_cache(4096)
def safe_name(text: str) -> str:
    """A file name for any text: letters, digits and ``._+=,[]-`` stay, the rest becomes ``~`` and its hash is appended,
    so that two texts never share a folder and none leaves the output folder or meets a file of its own."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._+=,[]-") else "~" for c in text)
    free = not text.lower().endswith(_ENDINGS) and not text.startswith(".")
    if kept == text and 0 < len(text) <= 120 and free:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{kept.lstrip('.')[:100]}~{digest}"
