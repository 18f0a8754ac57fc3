"""The JSON files of a folder of results: one class each, which writes and reads it."""

from __future__ import annotations

import errno
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, field_validator

from bench.featurizer import Kind
from bench.files.atomic import CHECKSUM, has_its_checksum, json_object, json_text, read_file, write_json
from bench.store.format import FORMAT, upgrade
from bench.store.predictions import PARTS, PartName
from bench.store.result import ResultId, place_of
from bench.tasks.task import Card

#: Bytes read at a time for a checksum.
_PIECE = 1 << 22
#: What the featurizer of a result is: it sees bases, it sees a covariate alone, or there is none (the null model).
Role = Literal["sequence", "confounder", "null"]
#: Something of every part.
_EveryPart = Field(min_length=len(PARTS), max_length=len(PARTS))
_Correlation: TypeAlias = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
_Rows: TypeAlias = Annotated[int, Field(ge=0)]


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
    seconds: dict[str, FiniteFloat]
    rows: Annotated[dict[PartName, list[_Rows]], _EveryPart]
    fitted_rows: list[int]
    spearman: Annotated[dict[PartName, list[_Correlation | None]], _EveryPart]
    history: list[list[dict[str, float]]]
    versions: dict[str, str]
    finished: str

    @field_validator("rows")
    @classmethod
    def _counts(cls, rows: dict[PartName, list[int]]) -> dict[PartName, list[int]]:
        train, valid, test = rows.values()
        if not len(train) == len(valid) == len(test):
            raise ValueError("one number for each part and fold")
        return rows


class Description(Stored):
    """What is known of a result before it is fitted: which one it is, of which data, and what its plugins say of
    themselves.

    Attributes
    ----------
    role : of its featurizer. gc_only : the featurizer sees nothing but G and C. kind : of its features.
    deep : the model takes no table. stochastic : another seed gives other predictions.
    joint : the targets that were learned together, this one among them.
    task_digest : of the rows' sequences and the target's values (`TaskRecord.digest_of`).
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

    @property
    def place(self) -> str:
        """Where its result lives below the output folder."""
        return place_of(self.task, self.target, self.split, self.featurizer, self.model, self.seed)


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


class EstimateRecord(Stored):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float | None = None
    high: float | None = None


class TargetRecord(Stored):
    """A target of ``task.json``. ``combine``, ``minimum_replicates`` : how its value is made of the replicates; before
    there was a choice it was their mean. ``digest`` : hash of the rows' sequences and of its values; empty in older
    files. ``unmeasured`` : Spearman of GC with being measured in no replicate, over all rows of the table; None where
    few rows are, or where it is not known. ``positive`` : what a binary target's 1 stands for."""

    name: str
    kind: Literal["regression", "binary"]
    replicates: list[str]
    combine: Literal["rank", "scale", "centre", "mean"] = "mean"
    minimum_replicates: int = 1
    digest: str = ""
    unmeasured: EstimateRecord | None = None
    positive: str = ""


class RowsFile(Stored):
    """Size and checksum of rows.parquet."""

    bytes: int
    crc32: int | None = None


class StratumRecord(Stored):
    """How a stratum was made that is no column of the table: see ``bench.tasks.task.StratumCard``."""

    how: str
    of: str = ""
    levels: dict[str, str] = {}
    file: str = ""
    sha256: str = ""


class TaskRecord(Record):
    """``task.json``.

    Attributes
    ----------
    digest : hash of the task's content. rows : how many there are. rows_file : None in the oldest files.
    split : the task's own. card : what a reader must know. counts : what was counted while reading.
    notes : how the table was read. strata, covariates, targets : names, as in rows.parquet. minimum : covariates that
    rows were filtered by. stratum_cards : how strata were made that are no column.
    """

    digest: str
    rows: int
    rows_file: RowsFile | None = None
    split: str
    card: CardRecord
    counts: dict[str, int]
    notes: list[str] = []
    strata: list[str]
    covariates: list[str]
    targets: list[TargetRecord]
    minimum: list[str] = []
    stratum_cards: dict[str, StratumRecord] = {}

    def digest_of(self, target: str) -> str:
        """What ``task_digest`` of a result of a target is where it was made from these data. In older files every
        result has the digest of the whole task."""
        return next((each.digest for each in self.targets if each.name == target and each.digest), self.digest)


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


class FitNote(Stored):
    """What a fit was thought to take, and took, in seconds.

    Attributes
    ----------
    targets : how many results it made. planned : by the plan. at_start : by what was known when it began.
    after_first_fold : by its first fold; None where there is one alone, or where nothing is heard from inside.
    """

    task: str
    targets: int
    pair: str
    seed: int
    planned: FiniteFloat
    at_start: FiniteFloat
    after_first_fold: FiniteFloat | None
    took: FiniteFloat


class RunRecord(Record):
    """``runs/<UTC time>-<process>.json``: one call of `bench run`. No board reads it.

    Attributes
    ----------
    command : words of the command line. folder : where it was called.
    started, ended : ISO 8601 with time zone; ``ended`` is empty while it runs, and for ever where it was killed.
    status : running, finished, interrupted, failed (ended by an error).
    versions : of bench, Python and the libraries that took part.
    commit, bench_commit : that the working folder, and bench itself, are at under git ("+changes": files changed
        since); empty where they are not.
    counts : results by what became of them.
    machine : hash of its name, since what one took says nothing of another. fits : what each was thought to take.
    stages : seconds by stage (`bench.store.stages`), summed over what ran side by side.
    """

    command: list[str]
    folder: str
    started: str
    ended: str
    status: str
    versions: dict[str, str]
    commit: str
    bench_commit: str
    counts: dict[str, int]
    machine: str = ""
    stages: dict[str, FiniteFloat] = {}
    fits: list[FitNote] = []


class Duplicates(Stored):
    """Test rows whose bases a model sees while training: an exact copy, or else one on the other strand."""

    exact: int
    reverse_complement: int
    test_rows: int


class NearDuplicates(Stored):
    """Test rows that share half of their 12-mers with one row that a model sees while training: ``near`` of
    ``compared``, which are all ``test_rows`` or a random sample. ``set_aside`` : 12-mers that nearly all rows hold, and
    that were not counted."""

    near: int
    compared: int
    test_rows: int
    set_aside: int


class FailedCheck(Stored):
    """What a quick check of ``bench audit`` FAILs: of which target ("" for all), and why."""

    check: str
    target: str
    reason: str


class FoldsRecord(Record):
    """``folds-<digest>.json``: a split made concrete, and what the run found wrong with the task under it. ``near`` is
    None in files of older versions."""

    split: str
    folds_digest: str
    duplicates: Duplicates
    near: NearDuplicates | None = None
    failed_checks: list[FailedCheck] = []


class State(StrEnum):
    """What a stored file, or a result, is to a reader."""

    #: As it was written, by this or by an older format.
    WHOLE = "whole"
    #: Whole, in its own folder, and made from its task's present data.
    CURRENT = "current"
    #: The same, of an older version of the data.
    OUTDATED = "outdated"
    #: Missing in part, cut off, or not what was written.
    DAMAGED = "damaged"
    #: Whole, but of another place: a copied or moved folder. Or a link, which is not followed.
    FOREIGN = "foreign"
    #: Being written by a run, here or on another machine.
    IN_FLIGHT = "in flight"
    #: Of a format that this version of bench does not know yet.
    NEWER = "newer"
    #: There is no result, but a note that its fit failed.
    FAILED = "failed"
    #: There is no result, and no note: what a killed run has left.
    UNFINISHED = "unfinished"


class Read(NamedTuple, Generic[R]):
    """A record that was read, or why it was not: ``why`` ends a sentence that begins with the file's name."""

    record: R | None
    state: State
    why: str = ""


def read_record(kind: type[R], path: str | Path) -> Read[R]:
    """Read a record of any format so far. Never an error: a file that cannot be read is a state of it. Links are not
    followed."""
    try:
        content = json_object(read_file(path))
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Read(None, State.FOREIGN, "is a link, and links are not followed")
        content = None
    if content is None:
        return Read(None, State.DAMAGED, "cannot be read")
    # Before anything else is believed, the number of the format among it. Format 1 had no checksums.
    if CHECKSUM in content and not has_its_checksum(content):
        return Read(None, State.DAMAGED, "does not have the checksum that it was written with")
    version = content.get("format")
    if type(version) is not int or version < 1:
        return Read(None, State.DAMAGED, "has no proper 'format'")
    if version > FORMAT:
        return Read(
            None,
            State.NEWER,
            f"is of format {version}, newer than this version of bench reads ({FORMAT}). Upgrade bench to read it",
        )
    if content.pop(CHECKSUM, None) is None and version > 1:
        return Read(None, State.DAMAGED, "has no checksum")
    try:
        return Read(kind.model_validate(upgrade(kind.__name__, content)), State.WHOLE)
    except (ValidationError, RecursionError) as error:
        return Read(None, State.DAMAGED, _words(error))


def _words(error: ValidationError | RecursionError) -> str:
    first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("?",), "type": ""}
    what = "has an unknown field" if first["type"] == "extra_forbidden" else "has no proper"
    return f"{what} {'.'.join(map(str, first['loc']))!r}"


def record_text(record: Record) -> str:
    """The text of a record's file: format and key first, the checksum last."""
    return json_text(_content(record))


def write_record(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    write_json(path, _content(record))


def _content(record: Record) -> dict[str, Any]:
    content = record.model_dump()
    first = {name: content.pop(name) for name in ("format", "key") if name in content}
    return first | content


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
