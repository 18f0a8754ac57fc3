"""The store of predictions: ``<out>/<task>/<target>/<split>/<featurizer>+<model>/seed-<s>/``.

Every file is written under a temporary name and renamed, so that a kill at any moment loses at most the result in
flight. What counts as a result is decided in ``bench.store.reading``.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.atomic import NotWritable, atomic, disk_errors
from bench.files.locks import locked
from bench.stats.intervals import Estimate
from bench.store.companions import (
    MODELS,
    ModelsRecord,
    copy_companions,
    read_beside,
    read_companion,
    remove_companions,
    write_companion,
)
from bench.store.feature_record import FeaturesRecord, features_file
from bench.store.pairs import finish, placed_pair
from bench.store.predictions import Predictions, read_predictions, write_predictions
from bench.store.reading import (
    FAILED,
    LINK,
    LOG,
    OLD_RECORDS,
    PLAN,
    PREDICTIONS,
    RECORD,
    ROWS,
    TASK,
    StoredResult,
    StoredTask,
    Trouble,
    find_task,
    folds_file,
    linked,
    lock_file,
    read_result,
    seed_folders,
    seed_places,
    stored_task,
    task_folders,
    trouble,
    whole_record,
)
from bench.store.record import (
    CardRecord,
    Description,
    Duplicates,
    EstimateRecord,
    FailedCheck,
    FailureRecord,
    Fitted,
    FoldsRecord,
    Mark,
    NearDuplicates,
    PlanRecord,
    Record,
    ResultRecord,
    RowsFile,
    SkipRecord,
    State,
    StratumRecord,
    TargetRecord,
    TaskRecord,
    mark,
    read_record,
    record_text,
    write_record,
)
from bench.store.result import ResultId, safe_name
from bench.tasks.digest import content_of
from bench.tasks.pair_spec import columns_of

if TYPE_CHECKING:
    import pandas as pd

    from bench.tasks.task import Folds, Task


class Store:
    """Reads and writes one output folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    # ---- what is there ---------------------------------------------------------------------------------------------
    def tasks(self) -> Iterator[StoredTask]:
        """Every task's folder, by name, with the state of its records."""
        for folder in task_folders(self.root):
            yield stored_task(folder)

    def results(self, *tasks: StoredTask, checksum: bool = True) -> Iterator[StoredResult]:
        """Every result, of all tasks or of some, in path order, with its state: run, report, merge and clean read
        results through this and ``read_result`` (which says what ``checksum`` is) alone."""
        for task in tasks or self.tasks():
            links: list[Path] = []
            for folder in seed_folders(task.folder, links):
                stored = read_result(folder, task, checksum=checksum)
                if stored is not None:
                    yield stored
            yield from (StoredResult(link, None, State.FOREIGN, LINK) for link in sorted(links))

    def records(self) -> Iterator[tuple[Path, ResultRecord]]:
        """(folder, record) of every whole result, in path order. Its predictions were not read."""
        for task in task_folders(self.root):
            for split, place in seed_places(task):
                record = whole_record(f"{split}/{place}", checksum=False)
                if record is None:
                    stored = read_result(split / place, checksum=False)
                    record = stored.record if stored is not None and stored.whole else None
                if record is not None:
                    yield split / place, record

    def failures(self) -> Iterator[tuple[Path, FailureRecord]]:
        """(folder, note) of every fit that failed, in path order; of some there is an earlier result."""
        for stored in self.results():
            if stored.failure is not None:
                yield stored.folder, stored.failure

    def unreadable(self) -> Iterator[tuple[Path, str]]:
        """(file, what is wrong and how to fix it) of what counts as absent though it is there."""
        for task in self.tasks():
            yield from ((each.path, each.why) for each in task.troubles)
            for stored in self.results(task):
                yield from ((each.path, each.why) for each in troubles_of(stored))

    # ---- results -----------------------------------------------------------------------------------------------------
    def folder(self, result: ResultId) -> Path:
        """Folder of a result."""
        return self.root / result.path

    def record(self, result: ResultId) -> ResultRecord | None:
        """Record of a finished result; None when it is missing, cut off, or its predictions are.

        Raises
        ------
        BenchError : where the result is of a newer format, and must not be replaced.
        """
        folder = self.folder(result)
        if linked(self.root, folder) is not None:
            return None
        record = whole_record(f"{self.root}/{result.place}")
        if record is not None:
            return record
        stored = read_result(folder)
        if stored is None:
            return None
        if stored.state == State.NEWER:
            raise BenchError(f"{stored.path}: {stored.why}.")
        return stored.record if stored.whole else None

    def has(self, result: ResultId, key: str) -> bool:
        """Whether the result is there with this very key, and its predictions are those that were written."""
        record = self.record(result)
        return record is not None and record.key == key

    def write_result(
        self, about: Description, key: str, fitted: Fitted, predictions: Predictions, *, external: bool = False
    ) -> None:
        """Store a finished result. An old one is whole until the new one is."""
        with self._placed(about.result) as (new_predictions, new_record):
            write_predictions(new_predictions, predictions)
            record = ResultRecord.of(about, fitted, key, mark(new_predictions), external=external)
            new_record.write_text(record_text(record), encoding="utf-8")
        with disk_errors(self.folder(about.result)):
            remove_companions(self.folder(about.result), key)

    def copy_result(self, record: ResultRecord, source: Path) -> None:
        """Store a result of another folder: its record, and the predictions in the folder ``source``.

        Raises
        ------
        BenchError : where the predictions are not those of the record.
        """
        with self._placed(record.result) as (new_predictions, new_record):
            shutil.copyfile(source / PREDICTIONS, new_predictions, follow_symlinks=False)
            copied = None if new_predictions.is_symlink() else mark(new_predictions)
            if copied is None or copied.bytes != record.bytes or record.crc32 not in (None, copied.crc32):
                raise BenchError(f"{source / PREDICTIONS}: changed while it was copied. Merge again.", status=1)
            whole = record.model_copy(update={"crc32": copied.crc32})
            new_record.write_text(record_text(whole), encoding="utf-8")
        folder = self.folder(record.result)
        with disk_errors(folder):
            remove_companions(folder, record.key)
            copy_companions(source, folder, record.key)

    @contextlib.contextmanager
    def _placed(self, result: ResultId) -> Iterator[tuple[Path, Path]]:
        """Where to write a result's predictions and record. Both take the place of what is there once both are
        whole."""
        folder = self.folder(result)
        with disk_errors(folder):
            self._make(folder)
            there = read_result(folder)
            if there is not None and there.whole:
                finish(there.path, RECORD)
            with placed_pair(folder / PREDICTIONS, folder / RECORD) as (predictions, record):
                yield predictions, record
            for stale in (*OLD_RECORDS, FAILED, LOG):
                (folder / stale).unlink(missing_ok=True)

    def write_models(
        self, result: ResultId, key: str, models: Sequence[bytes], *, third_party: bool, versions: dict[str, str]
    ) -> None:
        """Keep the fitted models of a result that is stored under a key, one of every fold; none where they cannot be
        written as bytes, which is then known."""
        record = ModelsRecord(key=key, sizes=[*map(len, models)], third_party=third_party, versions=versions)
        files = {"models.bin": lambda path: path.write_bytes(b"".join(models))}
        write_companion(self.folder(result), MODELS, record, files)

    def has_models(self, result: ResultId, key: str) -> bool:
        """Whether the fitted models of a result are there, of this very key. They were not read."""
        return read_companion(self.folder(result), MODELS, ModelsRecord, key) is not None

    def models(self, result: ResultId, key: str) -> tuple[ModelsRecord, tuple[bytes, ...]] | None:
        """The fitted models of a result as bytes (`bench.fit.kept` reads them); None where they are not there, not of
        this key, or not what was written."""
        record = read_companion(self.folder(result), MODELS, ModelsRecord, key)
        content = None if record is None else read_beside(self.folder(result), record, "models.bin")
        if record is None or content is None or sum(record.sizes) != len(content):
            return None
        edges = [sum(record.sizes[:i]) for i in range(len(record.sizes) + 1)]
        return record, tuple(content[a:b] for a, b in itertools.pairwise(edges))

    def predictions(self, result: ResultId) -> Predictions:
        """Predictions of a finished result."""
        return read_predictions(self.folder(result) / PREDICTIONS)

    def write_failure(self, about: Description, reason: str, trace: str = "") -> Path:
        """Note that a result failed; the traceback goes to a log next to the note. A result that is there stays.
        Returns the log's path."""
        folder = self.folder(about.result)
        log = folder / LOG
        with disk_errors(folder):
            self._make(folder)
            with atomic(log) as path:
                path.write_text(trace, encoding="utf-8")
            write_record(folder / FAILED, FailureRecord.of(about, reason))
        return log

    # ---- tasks -----------------------------------------------------------------------------------------------------
    def task_folder(self, task: str) -> Path:
        """Folder of a task."""
        return self.root / safe_name(task)

    def write_task(self, task: Task, gc: NDArray[np.float32]) -> None:
        """Keep what the board needs of a task's rows, so that a report needs no data set: see ``rows_frame``. What is
        there stays where nothing of it changed; what only tells of the task (its card) is written alone.

        Raises
        ------
        BenchError : where what is there is of a newer format.
        """
        folder = self.task_folder(task.card.name)
        path, known = find_task(folder)
        if known.state == State.NEWER:
            raise BenchError(f"{path}: {known.why}.")
        with disk_errors(folder):
            self._make(folder)
            if known.state == State.WHOLE and known.record is not None:
                finish(path, TASK)
                if known.record.digest == task.digest:
                    record = task_record(task, None).model_copy(update={"rows_file": known.record.rows_file})
                    _write_changed(folder / TASK, record)
                    return
            with placed_pair(folder / ROWS, folder / TASK) as (new_rows, new_record):
                with new_rows.open("wb") as stream:
                    rows_frame(task, gc).to_parquet(stream, compression="zstd", index=False)
                new_record.write_text(record_text(task_record(task, mark(new_rows))), encoding="utf-8")

    def copy_task(self, record: TaskRecord, source: Path) -> None:
        """Keep a task of another folder: its record, and the rows in the folder ``source``.

        Raises
        ------
        BenchError : where the rows are not those of the record.
        """
        folder = self.task_folder(record.card.name)
        with disk_errors(folder):
            self._make(folder)
            path, known = find_task(folder)
            if known.state == State.WHOLE:
                finish(path, TASK)
            with placed_pair(folder / ROWS, folder / TASK) as (new_rows, new_record):
                shutil.copyfile(source / ROWS, new_rows, follow_symlinks=False)
                copied, noted = None if new_rows.is_symlink() else mark(new_rows), record.rows_file
                if copied is None or (noted is not None and noted.crc32 not in (None, copied.crc32)):
                    raise BenchError(f"{source / ROWS}: changed while it was copied. Merge again.", status=1)
                rows_file = RowsFile(bytes=copied.bytes, crc32=copied.crc32)
                new_record.write_text(record_text(record.model_copy(update={"rows_file": rows_file})), encoding="utf-8")

    def write_skipped(self, task: str, skipped: list[SkipRecord]) -> None:
        """Keep what a full run leaves out of a task, and why, for the board."""
        with disk_errors(self.task_folder(task)):
            _write_changed(self.task_folder(task) / PLAN, PlanRecord(skipped=skipped))

    def write_features(self, task: str, record: FeaturesRecord) -> None:
        """Keep what the board says of features made elsewhere."""
        with disk_errors(self.task_folder(task)):
            _write_changed(self.task_folder(task) / features_file(record.name), record)

    def write_folds(
        self,
        task: str,
        folds: Folds,
        duplicates: dict[str, int],
        near: NearDuplicates | None = None,
        failed_checks: Sequence[FailedCheck] = (),
    ) -> None:
        """Keep what the board says of a split: its name, the test rows whose bases a model sees while training (or
        nearly), and what the quick checks of an audit found wrong."""
        record = FoldsRecord(
            split=folds.name,
            folds_digest=folds.digest,
            duplicates=Duplicates(**duplicates),
            near=near,
            failed_checks=list(failed_checks),
        )
        with disk_errors(self.task_folder(task)):
            _write_changed(self.task_folder(task) / folds_file(folds.digest), record)

    def _make(self, folder: Path) -> None:
        """Make one of the folders below the root.

        Raises
        ------
        NotWritable : where a link stands on the way: what is written behind it would lie outside, and would not count.
        """
        link = linked(self.root, folder)
        if link is not None:
            raise NotWritable(f"{link}: {LINK}. Put the folder itself there, or delete the link.")
        folder.mkdir(parents=True, exist_ok=True)

    # ---- who may write -----------------------------------------------------------------------------------------------
    def check_writable(self) -> None:
        """Fail early, in words, when nothing can be written here. A folder that is missing is not made yet, for what
        was asked for may turn out to be wrong: the nearest one above it is tried."""
        with disk_errors(self.root):
            folder = next(folder for folder in (self.root, *self.root.absolute().parents) if folder.exists())
            probe = folder / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()

    @contextlib.contextmanager
    def claim(self, *results: ResultId, wait: bool) -> Iterator[bool]:
        """Hold results against other runs in the same folder: gives False when another run holds one of them and
        ``wait`` is off. The lock goes when its process dies."""
        with contextlib.ExitStack() as stack:
            # In one order everywhere, so that two runs never wait for each other.
            files = sorted({lock_file(self.root, result.path) for result in results})
            yield all(stack.enter_context(locked(file, wait=wait)) for file in files)


def troubles_of(stored: StoredResult) -> list[Trouble]:
    """What is wrong in a result's folder, each with its fix; nothing about what merely failed or is being fitted."""
    found = list(stored.troubles)
    wrong = stored.state in (State.DAMAGED, State.FOREIGN, State.NEWER)
    if wrong and all(stored.path != each.path for each in found):
        found.insert(0, trouble(stored.path, stored.state, stored.why))
    return found


def _write_changed(path: Path, record: Record) -> None:
    """Write a record where it is not there already: what did not change needs no right to write."""
    known = read_record(type(record), path)
    if known.state == State.NEWER:
        raise BenchError(f"{path}: {known.why}.")
    if known.record != record:
        write_record(path, record)


# ---- tasks -----------------------------------------------------------------------------------------------------------
def rows_frame(task: Task, gc: NDArray[np.float32]) -> pd.DataFrame:
    """rows.parquet: ``row_id, chrom, position, locus, length, gc, cpg``, ``control`` where there are any,
    ``pair`` (number of the row that a row is compared with, -1 for none) and ``pair_kind`` where there are pairs,
    covariates as ``x:<name>``, other columns that rows were filtered by as ``m:<name>``, strata as ``s:<name>``,
    replicates as ``y:<target>:<replicate>``, barcode halves as ``h:<target>:<1|2>``,
    labels that were cut from a combined value as ``l:<target>``."""
    import pandas as pd

    from bench.kernels.cpg import cpg_fraction

    columns: dict[str, Any] = {
        "row_id": task.row_id,
        "chrom": pd.Categorical(task.chrom),
        "position": task.position,
        "locus": task.locus,
        "length": task.sequences.lengths.astype(np.int32),
        "gc": gc.astype(np.float32),
        "cpg": cpg_fraction(task.sequences),
    }
    if task.control is not None:
        columns["control"] = task.control
    columns |= {name: pd.Categorical(c) if c.dtype.kind == "U" else c for name, c in columns_of(task.pairs).items()}
    columns |= {f"x:{name}": values for name, values in task.sequences.covariates.items()}
    columns |= {f"m:{name}": values for name, values in task.filters.items()}
    columns |= {f"s:{name}": pd.Categorical(values) for name, values in task.strata.items()}
    for target in task.targets.values():
        for j, name in enumerate(target.replicate_names):
            columns[f"y:{target.name}:{name}"] = target.replicates[:, j]
        if target.label is not None:
            columns[f"l:{target.name}"] = target.label
        if target.halves is not None:
            columns |= {f"h:{target.name}:{j + 1}": target.halves[:, j] for j in range(2)}
    return pd.DataFrame(columns)


def _kept(figure: Estimate | None) -> EstimateRecord | None:
    """A figure as JSON holds it; None where there is none."""
    if figure is None or not math.isfinite(figure.value):
        return None
    low, high = (end if math.isfinite(end) else None for end in (figure.low, figure.high))
    return EstimateRecord(value=figure.value, low=low, high=high)


def task_record(task: Task, rows_file: Mark | None) -> TaskRecord:
    """task.json of a task. ``rows_file`` : None where what is there of the rows stays."""
    content = content_of(task)
    return TaskRecord(
        digest=task.digest,
        rows=len(task),
        rows_file=None if rows_file is None else RowsFile(bytes=rows_file.bytes, crc32=rows_file.crc32),
        split=str(task.split),
        card=CardRecord.of(task.card),
        counts={name: int(count) for name, count in task.counts.items()},
        notes=list(task.notes),
        strata=list(task.strata),
        covariates=list(task.sequences.covariates),
        targets=[
            TargetRecord(
                name=target.name,
                kind=target.kind,
                replicates=list(target.replicate_names),
                combine=target.combine,
                minimum_replicates=target.minimum_replicates,
                positive=target.positive,
                unmeasured=_kept(task.unmeasured.get(target.name)),
                digest=content.of(target.name),
            )
            for target in task.targets.values()
        ],
        minimum=list(task.minimum),
        stratum_cards={name: StratumRecord(**asdict(card)) for name, card in task.stratum_cards.items()},
    )
