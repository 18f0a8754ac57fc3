"""The JSON files of a folder of results: one class each, which writes and reads it."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.featurizer import Kind
from bench.files.atomic import atomic, read_json
from bench.store.format import FORMAT, upgrade
from bench.store.predictions import PartName
from bench.store.result import ResultId
from bench.tasks.task import Card

#: Bytes read at a time for a checksum.
_PIECE = 1 << 22
#: What the featurizer of a result is: it sees bases, it sees a covariate alone, or there is none (the null model).
Role = Literal["sequence", "confounder", "null"]


class Stored(BaseModel):
    """Of this very shape and nothing beyond: a field that is not known here may change what the others mean."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Record(Stored):
    """One whole file."""

    format: int = FORMAT


R = TypeVar("R", bound=Record)


class Fitted(Stored):
    """What a fit leaves besides its predictions.

    Attributes
    ----------
    device : where it was fitted: cpu, cuda, "cpu × 3" for three workers together, "elsewhere" for predictions that
        were made by other programs.
    seconds : by step (features, fit, predict, shuffled).
    rows : measured rows of each part, one number per fold. fitted_rows : training rows that the model was handed, one
        number per fold; fewer than ``rows`` where memory did not allow all.
    spearman : within every fold, for each part; None where it is not defined (a constant prediction).
    history : what the model noted while it learned: for each fold, one entry per round or epoch.
    versions : of the libraries that took part. finished : ISO 8601 with time zone.
    """

    device: str
    threads: int
    seconds: dict[str, float]
    rows: dict[PartName, list[int]]
    fitted_rows: list[int]
    spearman: dict[PartName, list[float | None]]
    history: list[list[dict[str, float]]]
    versions: dict[str, str]
    finished: str


class Description(Stored):
    """What is known of a result before it is fitted: which one it is, of which data, and what its plugins say of
    themselves.

    Attributes
    ----------
    role : of its featurizer. gc_only : the featurizer sees nothing but G and C. kind : of its features.
    deep : the model takes no table. stochastic : another seed gives other predictions.
    joint : the targets that were learned together, this one among them.
    """

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    seed: int
    task_digest: str
    folds_digest: str
    role: Role
    gc_only: bool
    kind: Kind
    deep: bool
    stochastic: bool
    joint: list[str]

    @property
    def result(self) -> ResultId:
        """Which result it is."""
        return ResultId(self.task, self.target, self.split, self.featurizer, self.model, self.seed)


class ResultRecord(Fitted, Description, Record):
    """``result.json``. ``key`` : hash of all that the predictions depend on. ``external`` : the predictions were made
    by another program. ``bytes`` and ``crc32`` : of predictions.parquet; no checksum in the oldest files."""

    key: str
    external: bool = False
    bytes: int
    crc32: int | None = None

    @classmethod
    def of(cls, about: Description, fitted: Fitted, key: str, mark: Mark, *, external: bool = False) -> ResultRecord:
        """The record of a finished fit."""
        parts = {name: getattr(part, name) for part in (about, fitted) for name in type(part).model_fields}
        return cls(key=key, external=external, bytes=mark.bytes, crc32=mark.crc32, **parts)


class FailureRecord(Description, Record):
    """``failed.json``: a fit that failed, and why, in one line. The traceback is in ``failed.log`` next to it."""

    reason: str

    @classmethod
    def of(cls, about: Description, reason: str) -> FailureRecord:
        """The note on a failed fit."""
        return cls(reason=reason, **{name: getattr(about, name) for name in Description.model_fields})


class CardRecord(Stored):
    """What a reader must know of a task before its numbers: `bench.tasks.task.Card`, as it is kept."""

    name: str
    title: str
    assay: str
    organism: str
    genome: str
    citation: str
    licence: str
    orientation: Literal["stranded", "free"]
    note: str

    @classmethod
    def of(cls, card: Card) -> CardRecord:
        """The card of a task."""
        text = {name: str(getattr(card, name)) for name in cls.model_fields}
        return cls.model_validate(text | {"orientation": "free" if card.orientation == "free" else "stranded"})


class TargetRecord(Stored):
    """A target of ``task.json``. ``combine``, ``minimum_replicates`` : how its value is made of the replicates; before
    there was a choice it was their mean."""

    name: str
    kind: Literal["regression", "binary"]
    replicates: list[str]
    combine: Literal["rank", "scale", "centre", "mean"] = "mean"
    minimum_replicates: int = 1


class RowsFile(Stored):
    """Size and checksum of rows.parquet."""

    bytes: int
    crc32: int | None = None


class TaskRecord(Record):
    """``task.json``.

    Attributes
    ----------
    digest : hash of the task's content. rows : how many there are. rows_file : None in the oldest files.
    split : the task's own. card : what a reader must know. counts : what was counted while reading.
    strata, covariates, targets : names, as in rows.parquet. minimum : covariates that rows were filtered by.
    """

    digest: str
    rows: int
    rows_file: RowsFile | None = None
    split: str
    card: CardRecord
    counts: dict[str, int]
    strata: list[str]
    covariates: list[str]
    targets: list[TargetRecord]
    minimum: list[str] = []


class SkipRecord(Stored):
    """Something that a full run leaves out of a task: ``what`` is its name in words."""

    task: str
    reason: str
    featurizer: str | None
    model: str | None
    what: str


class PlanRecord(Record):
    """``plan.json``: what the last full run of a task left out, and why."""

    skipped: list[SkipRecord]


class Duplicates(Stored):
    """Test rows whose bases a model sees while training: an exact copy, or else one on the other strand."""

    exact: int
    reverse_complement: int
    test_rows: int


class FoldsRecord(Record):
    """``folds-<digest>.json``: a split made concrete."""

    split: str
    folds_digest: str
    duplicates: Duplicates


class State(StrEnum):
    """What a stored file is to a reader."""

    #: As it was written, by this or by an older format.
    WHOLE = "whole"
    #: Missing, cut off, or not what it should be.
    DAMAGED = "damaged"
    #: Of a format that this version of bench does not know yet.
    NEWER = "newer"


@dataclass(frozen=True)
class Read(Generic[R]):
    """A record that was read, or why it was not: ``why`` ends a sentence that begins with the file's name."""

    record: R | None
    state: State
    why: str = ""


def read_record(kind: type[R], path: Path) -> Read[R]:
    """Read a record of any format so far. Never an error: a file that cannot be read is a state of it."""
    content = read_json(path)
    if content is None:
        return Read(None, State.DAMAGED, "cannot be read")
    version = content.get("format")
    if type(version) is not int or version < 1:
        return Read(None, State.DAMAGED, "has no proper 'format'")
    if version > FORMAT:
        return Read(
            None,
            State.NEWER,
            f"is of format {version}, newer than this version of bench reads ({FORMAT}). Upgrade bench to read it",
        )
    try:
        return Read(kind.model_validate(upgrade(kind.__name__, content)), State.WHOLE)
    except (ValidationError, RecursionError) as error:
        return Read(None, State.DAMAGED, _words(error))


def _words(error: ValidationError | RecursionError) -> str:
    first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("?",), "type": ""}
    what = "has an unknown field" if first["type"] == "extra_forbidden" else "has no proper"
    return f"{what} {'.'.join(map(str, first['loc']))!r}"


def json_text(record: Record) -> str:
    """The text of a record's file: format and key first."""
    content = record.model_dump()
    first = {name: content.pop(name) for name in ("format", "key") if name in content}
    return json.dumps(first | content, indent=1, ensure_ascii=False) + "\n"


def write_record(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json_text(record), encoding="utf-8")


class Mark(NamedTuple):
    """Size and CRC-32 of a file: a bit that fell over changes the second, a cut the first."""

    bytes: int
    crc32: int


def mark(path: Path) -> Mark:
    """Size and checksum of a file.

    Raises
    ------
    OSError : where it cannot be read.
    """
    crc = size = 0
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            crc = zlib.crc32(piece, crc)
            size += len(piece)
    return Mark(size, crc)


def is_whole(path: Path, noted: ResultRecord | RowsFile, *, checksum: bool = True) -> bool:
    """Whether a file has the size and, where one was noted, the checksum it was written with."""
    try:
        if path.stat().st_size != noted.bytes:
            return False
        return not checksum or noted.crc32 is None or mark(path).crc32 == noted.crc32
    except OSError:
        return False
