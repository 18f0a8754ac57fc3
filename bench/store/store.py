"""The store of predictions: ``<out>/<task>/<target>/<split>/<featurizer>+<model>/seed-<s>/``.

Every file is written under a temporary name and renamed, so that a kill at any moment loses at most the result in
flight. A result whose record is missing, cut off or of another key counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.files.atomic import atomic, disk_errors
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


@dataclass(frozen=True)
class Kept:
    """A result as it lies in a folder. ``path`` : its record's file. ``result`` and ``record`` : None where the record
    cannot be read. ``why`` : what is wrong, in words; empty for a whole one."""

    path: Path
    result: ResultId | None
    record: ResultRecord | None
    state: State
    why: str = ""

    @property
    def folder(self) -> Path:
        """The result's folder."""
        return self.path.parent


def folds_file(digest: str) -> str:
    """Name of the file on a split, beside ``task.json``."""
    return f"folds-{digest}.json"


class Store:
    """Reads and writes one output folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    # ---- results -----------------------------------------------------------------------------------------------------
    def folder(self, result: ResultId) -> Path:
        """Folder of a result."""
        return self.root / result.path

    def read(self, folder: Path, *, checksum: bool = False) -> Kept | None:
        """What lies in a result's folder; None where no fit was finished. Every reader of results goes through here.

        Parameters
        ----------
        checksum : whether the predictions are read to compare their checksum; their size is always compared.
        """
        path = next((folder / name for name in (RECORD, *OLD_RECORDS) if (folder / name).is_file()), None)
        if path is None:
            return None
        found = read_record(ResultRecord, path)
        if found.record is None:
            return Kept(path, None, None, found.state, found.why)
        result = found.record.result
        if not is_whole(folder / PREDICTIONS, found.record, checksum=checksum):
            return Kept(path, result, found.record, State.DAMAGED, "predictions are missing, cut off or damaged")
        return Kept(path, result, found.record, State.WHOLE)

    def results(self, *, checksum: bool = False) -> Iterator[Kept]:
        """Every result that was finished, in path order, with its state: see ``read``."""
        for folder in sorted(self.root.glob("*/*/*/*/seed-*")):
            kept = self.read(folder, checksum=checksum)
            if kept is not None:
                yield kept

    def record(self, result: ResultId) -> ResultRecord | None:
        """Record of a finished result; None when it is missing, cut off, or its predictions are."""
        kept = self.read(self.folder(result))
        return kept.record if kept is not None and kept.state == State.WHOLE else None

    def has(self, result: ResultId, key: str) -> bool:
        """Whether the result is there with this very key, and its predictions are those that were written."""
        kept = self.read(self.folder(result))
        if kept is None or kept.record is None or kept.state != State.WHOLE or kept.record.key != key:
            return False
        return is_whole(self.folder(result) / PREDICTIONS, kept.record)

    def write_result(
        self, about: Description, key: str, fitted: Fitted, predictions: Predictions, *, external: bool = False
    ) -> None:
        """Store a finished result: predictions first, then its record, which makes it count."""
        folder = self.folder(about.result)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / FAILED).unlink(missing_ok=True)
            # Both are written whole before either takes its place: the block's last file takes it first.
            with atomic(folder / RECORD) as new_record, atomic(folder / PREDICTIONS) as new_predictions:
                write_predictions(new_predictions, predictions)
                record = ResultRecord.of(about, fitted, key, mark(new_predictions), external=external)
                new_record.write_text(json_text(record), encoding="utf-8")
            for old in OLD_RECORDS:
                (folder / old).unlink(missing_ok=True)

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
        """Keep what the board needs of a task's rows, so that a report needs no data set: see ``rows_frame``."""
        folder = self.task_folder(task.card.name)
        known = read_record(TaskRecord, folder / TASK).record
        if known is not None and known.digest == task.digest and task_problem(folder) is None:
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
        for kept in self.results():
            if kept.record is not None:
                yield kept.folder, kept.record

    def unreadable(self) -> Iterator[tuple[Path, str]]:
        """(file, why) of what counts as absent though it is there: records that are cut off or no records. A run fits
        and writes them again."""
        for path in sorted(self.root.glob(f"*/{TASK}")):
            trouble = task_problem(path.parent)
            if trouble is not None:
                yield path, trouble
        for kept in self.results():
            if kept.record is None:
                yield kept.path, kept.why

    def failures(self) -> Iterator[tuple[Path, FailureRecord]]:
        """(folder, note) of every failed fit."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{FAILED}")):
            note = read_record(FailureRecord, path).record
            if note is not None:
                yield path.parent, note

    def check_writable(self) -> None:
        """Fail early, in words, when nothing can be written here. A folder that is missing is not made yet, for what
        was asked for may turn out to be wrong: the nearest one above it is tried."""
        with disk_errors(self.root):
            folder = next(folder for folder in (self.root, *self.root.absolute().parents) if folder.exists())
            probe = folder / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()

    @contextlib.contextmanager
    def claim(self, result: ResultId, *, wait: bool) -> Iterator[bool]:
        """Hold a result against other runs in the same folder: yields False when another run holds it and ``wait`` is
        off. The operating system lets go of the lock when its process dies."""
        import fcntl

        # Lock files stay: to delete one that another run waits for would let two runs hold it.
        folder = self.root / ".locks"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            name = hashlib.sha256(str(result.path).encode()).hexdigest()[:16]
            handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)


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
            TargetRecord(name=target.name, kind=target.kind, replicates=list(target.replicate_names))
            for target in task.targets.values()
        ],
    )


def task_problem(folder: Path) -> str | None:
    """What is wrong with ``task.json`` and ``rows.parquet`` of a task's folder, in words; None where both are whole."""
    found = read_record(TaskRecord, folder / TASK)
    if found.record is None:
        return found.why
    noted, rows = found.record.rows_file, folder / ROWS
    if not rows.is_file() or (noted is not None and not is_whole(rows, noted)):
        return f"{ROWS} beside it is missing or damaged"
    return None
