"""The store of predictions: ``<out>/<task>/<target>/<split>/<featurizer>+<model>/seed-<s>/``.

Every file is written under a temporary name and renamed, so that a kill at any moment loses at most the result in
flight. A result whose record is missing, cut off or of another key counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.atomic import atomic, disk_errors, locked
from bench.store.predictions import Predictions, read_predictions, write_predictions
from bench.store.record import (
    CardRecord,
    Description,
    Duplicates,
    FailureRecord,
    Fitted,
    FoldsRecord,
    Mark,
    PlanRecord,
    Read,
    ResultRecord,
    RowsFile,
    SkipRecord,
    State,
    TargetRecord,
    TaskRecord,
    is_whole,
    json_text,
    mark,
    read_record,
    write_record,
)
from bench.store.result import ResultId, safe_name

if TYPE_CHECKING:
    import pandas as pd

    from bench.tasks.task import Folds, Task

PREDICTIONS = "predictions.parquet"
RECORD = "result.json"
#: What the record was called in earlier formats: it is read where the new one is not there yet.
OLD_RECORDS = ("cell.json",)
FAILED = "failed.json"
TASK = "task.json"
ROWS = "rows.parquet"
PLAN = "plan.json"


def folds_file(digest: str) -> str:
    """Name of the file on a split, next to ``task.json``."""
    return f"folds-{digest}.json"


class Store:
    """Reads and writes one output folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    # ---- results -----------------------------------------------------------------------------------------------------
    def folder(self, result: ResultId) -> Path:
        """Folder of a result."""
        return self.root / result.path

    def results(self, *, checksum: bool = False) -> Iterator[StoredResult]:
        """Every result that a fit or a table of predictions has left, in path order, with its state: run, report, merge
        and clean read results through this and ``read_result`` alone."""
        for folder in sorted(self.root.glob("*/*/*/*/seed-*")):
            stored = read_result(folder, checksum=checksum)
            if stored is not None:
                yield stored

    def record(self, result: ResultId) -> ResultRecord | None:
        """Record of a finished result; None when it is missing, cut off, or its predictions are.

        Raises
        ------
        BenchError : where the result is of a newer format, and must not be replaced.
        """
        stored = read_result(self.folder(result))
        if stored is None:
            return None
        if stored.state == State.NEWER:
            raise BenchError(f"{stored.path}: {stored.why}.")
        return stored.record if stored.state == State.WHOLE else None

    def has(self, result: ResultId, key: str) -> bool:
        """Whether the result is there with this very key, and its predictions are those that were written."""
        record = self.record(result)
        return record is not None and record.key == key and is_whole(self.folder(result) / PREDICTIONS, record)

    def write_result(
        self, about: Description, key: str, fitted: Fitted, predictions: Predictions, *, external: bool = False
    ) -> None:
        """Store a finished result. Its record, which makes it count, comes last."""
        with self._placed(about.result) as (new_predictions, new_record):
            write_predictions(new_predictions, predictions)
            record = ResultRecord.of(about, fitted, key, mark(new_predictions), external=external)
            new_record.write_text(json_text(record), encoding="utf-8")

    def copy_result(self, record: ResultRecord, source: Path) -> None:
        """Store a result of another folder: its record, and the predictions in the folder ``source``."""
        with self._placed(record.result) as (new_predictions, new_record):
            shutil.copyfile(source / PREDICTIONS, new_predictions)
            new_record.write_text(json_text(record), encoding="utf-8")

    @contextlib.contextmanager
    def _placed(self, result: ResultId) -> Iterator[tuple[Path, Path]]:
        """Where to write a result's predictions and record. Both take the place of what is there once both are whole:
        the predictions first, whose checksum tells that an older record is not theirs."""
        folder = self.folder(result)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # Contexts end from the last to the first.
            with atomic(folder / RECORD) as record, atomic(folder / PREDICTIONS) as predictions:
                yield predictions, record
            for stale in (*OLD_RECORDS, FAILED):
                (folder / stale).unlink(missing_ok=True)

    def predictions(self, result: ResultId) -> Predictions:
        """Predictions of a finished result."""
        return read_predictions(self.folder(result) / PREDICTIONS)

    def write_failure(self, about: Description, reason: str, trace: str = "") -> Path:
        """Note that a result failed; the traceback goes to a log next to the note. Returns the log's path."""
        folder = self.folder(about.result)
        log = folder / "failed.log"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for old in (RECORD, *OLD_RECORDS):
                (folder / old).unlink(missing_ok=True)
            with atomic(log) as path:
                path.write_text(trace, encoding="utf-8")
            write_record(folder / FAILED, FailureRecord.of(about, reason))
        return log

    # ---- tasks -----------------------------------------------------------------------------------------------------
    def task_folder(self, task: str) -> Path:
        """Folder of a task."""
        return self.root / safe_name(task)

    def write_task(self, task: Task, gc: NDArray[np.float32]) -> None:
        """Keep what the board needs of a task's rows, so that a report needs no data set: see ``rows_frame``.

        Raises
        ------
        BenchError : where what is there is of a newer format.
        """
        folder = self.task_folder(task.card.name)
        known = read_task(folder)
        if known.state == State.NEWER:
            raise BenchError(f"{folder / TASK}: {known.why}.")
        if known.state == State.WHOLE and known.record is not None and known.record.digest == task.digest:
            return
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with atomic(folder / ROWS) as path:
                rows_frame(task, gc).to_parquet(path, compression="zstd", index=False)
                noted = mark(path)
            write_record(folder / TASK, task_record(task, noted))

    def write_skipped(self, task: str, skipped: list[SkipRecord]) -> None:
        """Keep what a full run leaves out of a task, and why, for the board."""
        with disk_errors(self.task_folder(task)):
            write_record(self.task_folder(task) / PLAN, PlanRecord(skipped=skipped))

    def write_folds(self, task: str, folds: Folds, duplicates: dict[str, int]) -> None:
        """Keep what the board says of a split: its name, and the test rows whose bases a model sees while training."""
        record = FoldsRecord(split=folds.name, folds_digest=folds.digest, duplicates=Duplicates(**duplicates))
        with disk_errors(self.task_folder(task)):
            write_record(self.task_folder(task) / folds_file(folds.digest), record)

    # ---- what is there ---------------------------------------------------------------------------------------------
    def records(self) -> Iterator[tuple[Path, ResultRecord]]:
        """(folder, record) of every finished result whose record is sound, in path order. Its predictions may be
        missing or damaged: see ``results``."""
        for stored in self.results():
            if stored.record is not None:
                yield stored.folder, stored.record

    def unreadable(self) -> Iterator[tuple[Path, str]]:
        """(file, what is wrong and how to fix it) of what counts as absent though it is there."""
        found = [(path, read_task(path.parent)) for path in sorted(self.root.glob(f"*/{TASK}"))]
        troubles = [(path, task.state, task.why) for path, task in found if task.why]
        troubles += [(stored.path, stored.state, stored.why) for stored in self.results() if stored.record is None]
        for path, state, why in troubles:
            yield path, why if state == State.NEWER else f"{why}. Run again to write it again"

    def failures(self) -> Iterator[tuple[Path, FailureRecord]]:
        """(folder, note) of every failed fit of which there is no result, in path order."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{FAILED}")):
            note = read_record(FailureRecord, path).record
            if note is not None and record_file(path.parent) is None:
                yield path.parent, note

    def check_writable(self) -> None:
        """Fail early, in words, when nothing can be written here. A folder that is missing is not made yet, for what
        was asked for may turn out to be wrong: the nearest one above it is tried."""
        with disk_errors(self.root):
            folder = next(folder for folder in (self.root, *self.root.absolute().parents) if folder.exists())
            probe = folder / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()

    def claim(self, result: ResultId, *, wait: bool) -> AbstractContextManager[bool]:
        """Hold a result against other runs in the same folder: gives False when another run holds it and ``wait`` is
        off. The operating system lets go of the lock when its process dies."""
        name = hashlib.sha256(str(result.path).encode()).hexdigest()[:16]
        return locked(self.root / ".locks" / name, wait=wait)


# ---- reading one folder ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class StoredResult:
    """A result as it lies in a folder. ``path`` : its record's file. ``result`` and ``record`` : None where the record
    cannot be read. ``why`` : what is wrong, in words that follow the name of the file; empty for a whole one."""

    path: Path
    result: ResultId | None
    record: ResultRecord | None
    state: State
    why: str = ""

    @property
    def folder(self) -> Path:
        """The result's folder."""
        return self.path.parent


def record_file(folder: Path) -> Path | None:
    """The file of the record in a result's folder, of whatever format; None where no fit was finished."""
    return next((folder / name for name in (RECORD, *OLD_RECORDS) if (folder / name).is_file()), None)


def read_result(folder: Path, *, checksum: bool = False) -> StoredResult | None:
    """What lies in a result's folder, and its state; None where no fit was finished.

    Parameters
    ----------
    checksum : whether the predictions are read to compare their checksum; their size is compared in any case.
    """
    path = record_file(folder)
    if path is None:
        return None
    found = read_record(ResultRecord, path)
    if found.record is None:
        return StoredResult(path, None, None, found.state, found.why)
    state, why = found.state, found.why
    if not is_whole(folder / PREDICTIONS, found.record, checksum=checksum):
        state, why = State.DAMAGED, f"{PREDICTIONS} next to it is missing, cut off or damaged"
    return StoredResult(path, found.record.result, found.record, state, why)


# ---- tasks -----------------------------------------------------------------------------------------------------------
def rows_frame(task: Task, gc: NDArray[np.float32]) -> pd.DataFrame:
    """rows.parquet: ``row_id, chrom, position, locus, length, gc``, covariates as ``x:<name>``, strata as ``s:<name>``,
    replicates as ``y:<target>:<replicate>``, barcode halves as ``h:<target>:<1|2>``."""
    import pandas as pd

    columns: dict[str, Any] = {
        "row_id": task.row_id,
        "chrom": pd.Categorical(task.chrom),
        "position": task.position,
        "locus": task.locus,
        "length": task.sequences.lengths.astype(np.int32),
        "gc": gc.astype(np.float32),
    }
    columns |= {f"x:{name}": values for name, values in task.sequences.covariates.items()}
    columns |= {f"s:{name}": pd.Categorical(values) for name, values in task.strata.items()}
    for target in task.targets.values():
        for j, name in enumerate(target.replicate_names):
            columns[f"y:{target.name}:{name}"] = target.replicates[:, j]
        if target.halves is not None:
            columns |= {f"h:{target.name}:{j + 1}": target.halves[:, j] for j in range(2)}
    return pd.DataFrame(columns)


def task_record(task: Task, rows_file: Mark) -> TaskRecord:
    """task.json of a task."""
    return TaskRecord(
        digest=task.digest,
        rows=len(task),
        rows_file=RowsFile(bytes=rows_file.bytes, crc32=rows_file.crc32),
        split=str(task.split),
        card=CardRecord.of(task.card),
        counts={name: int(count) for name, count in task.counts.items()},
        strata=list(task.strata),
        covariates=list(task.sequences.covariates),
        targets=[
            TargetRecord(
                name=target.name,
                kind=target.kind,
                replicates=list(target.replicate_names),
                combine=target.combine,
                minimum_replicates=target.minimum_replicates,
            )
            for target in task.targets.values()
        ],
        minimum=list(task.minimum),
    )


def read_task(folder: Path) -> Read[TaskRecord]:
    """``task.json`` of a task's folder, and whether it and ``rows.parquet`` are whole."""
    found = read_record(TaskRecord, folder / TASK)
    if found.record is None:
        return found
    noted, rows = found.record.rows_file, folder / ROWS
    if not rows.is_file() or (noted is not None and not is_whole(rows, noted)):
        return Read(found.record, State.DAMAGED, f"{ROWS} next to it is missing or damaged")
    return found
