"""What ``result.json`` and ``task.json`` must hold to be read; anything else counts as absent."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

#: Bytes read at a time for a checksum.
_PIECE = 1 << 22
_Part = Literal["train", "valid", "test"]


class _Stored(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class ResultRecord(_Stored):
    """The fields of ``result.json`` that merging, comparing and the board stand on."""

    key: str
    task: str
    target: str
    split: str
    task_digest: str
    folds_digest: str
    featurizer: str
    model: str
    seed: int
    bytes: int
    crc32: int | None = None
    role: str = "sequence"
    kind: str = "table"
    device: str
    finished: str = ""
    seconds: dict[str, float]
    rows: dict[_Part, list[int]]
    spearman: dict[_Part, list[float | None]]


class _Card(_Stored):
    name: str


class _Target(_Stored):
    name: str
    replicates: list[str]


class TaskRecord(_Stored):
    """The fields of ``task.json``."""

    digest: str
    rows: int
    split: str = ""
    card: _Card
    counts: dict[str, int]
    targets: list[_Target]
    rows_file: dict[Literal["bytes", "crc32"], int] | None = None


def problem(kind: type[BaseModel], content: dict[str, Any] | None) -> str | None:
    """Why a JSON object is no such record, in a few words; None for a sound one."""
    if content is None:
        return "cannot be read"
    try:
        kind.model_validate(content)
    except (ValidationError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("?",)}
        return f"has no proper {'.'.join(map(str, first['loc']))!r}"
    return None


def mark(path: Path) -> dict[str, int]:
    """Size and CRC-32 of a file: a bit that fell over changes the second, a cut the first.

    Raises
    ------
    OSError : where it cannot be read.
    """
    crc = size = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            crc = zlib.crc32(piece, crc)
            size += len(piece)
    return {"bytes": size, "crc32": crc}


def is_whole(path: Path, noted: dict[str, Any]) -> bool:
    """Whether a file has the size and, where one was noted, the checksum it was written with."""
    try:
        if path.stat().st_size != noted.get("bytes"):
            return False
        return noted.get("crc32") is None or mark(path)["crc32"] == noted["crc32"]
    except OSError:
        return False
