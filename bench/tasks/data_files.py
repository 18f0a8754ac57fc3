"""The public files of a data set: which are here, fetching them, comparing them with what was published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError, Unavailable
from bench.plugins.described import Described
from bench.plugins.registry import Registry
from bench.tasks.cards import card_of

#: look : which are here. fetch : download what is missing. verify : read each and compare its checksum. card : look,
#: and tell what the data are.
Action = Literal["look", "fetch", "verify", "card"]


@dataclass(frozen=True)
class DataState:
    """What there is of a data set's files.

    Attributes
    ----------
    files, bytes : how many were published, and their size together.
    here : how many are here; after ``verify``, how many are what was published.
    problem : why the task cannot be loaded as things stand, with the fix; None when it can.
    wrong : files that are not what was published, in words (``verify`` alone).
    card : headings and text of its card (``card`` alone).
    """

    title: str
    files: int
    bytes: int
    here: int
    problem: str | None = None
    wrong: tuple[str, ...] = ()
    card: tuple[tuple[str, str], ...] = ()


def data_state(name: str, registry: Registry, data_dir: Path | None, action: Action = "look") -> DataState:
    """What there is of the files of a data set. A third-party one is asked in a process of its own where the registry
    has a describer.

    Raises
    ------
    BenchError : for an unknown name, and where a third-party data set raises, ends its process or takes too long.
    Unavailable : where a file cannot be fetched.
    """
    found = registry.find("dataset", name)
    if isinstance(found, Described):
        assert registry.describer is not None
        state: DataState = registry.describer.data(registry.entry("dataset", name).file, name, data_dir, action)
        return state
    return _state(found(), data_dir, action)


def _state(dataset: Any, data_dir: Path | None, action: Action) -> DataState:
    from bench.files.downloads import verify

    if action == "fetch":
        dataset.locate(data_dir, download=True)
    wrong: list[str] = []
    here = 0
    for file in dataset.files:
        path = dataset.find(file, data_dir)
        if path is None:
            continue
        try:
            if action == "verify":
                verify(path, file.sha256, file.bytes, fresh=True)
            here += 1
        except BenchError as error:
            wrong.append(str(error))
    try:
        problem = dataset.problem(data_dir)
    except Unavailable as absent:
        problem = str(absent)
    size = sum(int(file.bytes) for file in dataset.files)
    said = None if problem is None else str(problem)
    card = card_of(dataset) if action == "card" else ()
    return DataState(str(dataset.title), len(dataset.files), size, here, said, tuple(wrong), card)
