"""The store of predictions: ``<out>/<task>/<target>/<split>/<featurizer>+<model>/seed-<s>/``.

Every file is written under a temporary name and renamed, so a kill at any moment loses at most the result in flight. A
folder
whose ``result.json`` is missing, cut off or of another key counts as not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.files.atomic import atomic, disk_errors, read_json, write_json
from bench.store.predictions import Predictions, read_predictions
from bench.store.record import ResultRecord, TaskRecord, is_whole, mark, problem
from bench.store.result import ResultId, safe_name

if TYPE_CHECKING:
    import pandas as pd

    from bench.tasks.task import Folds, Task

#: Format of what is written here. A reader refuses newer ones in words.
FORMAT = 1
PREDICTIONS = "predictions.parquet"
RECORD = "result.json"
FAILED = "failed.json"
TASK = "task.json"
ROWS = "rows.parquet"
PLAN = "plan.json"


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

    def record(self, result: ResultId) -> dict[str, Any] | None:
        """``result.json`` of a finished result; None when it is missing, cut off, or its predictions are."""
        folder = self.folder(result)
        record = read_json(folder / RECORD)
        if record is None or record.get("format") != FORMAT or problem(ResultRecord, record) is not None:
            return None
        return record if is_whole(folder / PREDICTIONS, {"bytes": record["bytes"]}) else None

    def has(self, result: ResultId, key: str) -> bool:
        """Whether the result is there with this very key, and its predictions are those that were written."""
        record = self.record(result)
        return record is not None and record["key"] == key and is_whole(self.folder(result) / PREDICTIONS, record)

    def write_result(self, result: ResultId, record: dict[str, Any], predictions: Predictions) -> None:
        """Store a finished result: predictions first, then ``result.json``, which makes it count."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = self.folder(result)
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            for stale in (RECORD, FAILED):
                (folder / stale).unlink(missing_ok=True)
            columns = {
                "row": predictions.row.astype(np.int32),
                "fold": predictions.fold.astype(np.int8),
                "part": predictions.part.astype(np.int8),
                "prediction": predictions.prediction.astype(np.float32),
            }
            if predictions.shuffled is not None:
                columns["shuffled"] = predictions.shuffled.astype(np.float32)
            table = pa.table(columns)
            with atomic(folder / PREDICTIONS) as path:
                pq.write_table(table, path, compression="zstd", use_dictionary=["fold", "part"])
                noted = mark(path)
            write_json(folder / RECORD, {"format": FORMAT, **record, **noted})

    def predictions(self, result: ResultId) -> Predictions:
        """Predictions of a finished result."""
        return read_predictions(self.folder(result) / PREDICTIONS)

    def write_failure(self, result: ResultId, failure: dict[str, Any]) -> Path:
        """Note that a result failed; the traceback goes to a log beside the note. Returns the log's path."""
        folder = self.folder(result)
        log = folder / "failed.log"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / RECORD).unlink(missing_ok=True)
            with atomic(log) as path:
                path.write_text(failure.pop("traceback", ""), encoding="utf-8")
            write_json(folder / FAILED, {"format": FORMAT, **failure})
        return log

    # ---- tasks -----------------------------------------------------------------------------------------------------
    def task_folder(self, task: str) -> Path:
        """Folder of a task."""
        return self.root / safe_name(task)

    def write_task(self, task: Task, gc: NDArray[np.float32]) -> None:
        """Keep what the board needs of a task's rows, so that a report needs no data set: see ``rows_frame``."""
        folder = self.task_folder(task.card.name)
        known = read_json(folder / TASK)
        if known is not None and known.get("digest") == task.digest and task_problem(folder) is None:
            return
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with atomic(folder / ROWS) as path:
                rows_frame(task, gc).to_parquet(path, compression="zstd", index=False)
                noted = mark(path)
            write_json(
                folder / TASK,
                {
                    "format": FORMAT,
                    "digest": task.digest,
                    "rows": len(task),
                    "rows_file": noted,
                    "split": str(task.split),
                    "card": vars(task.card),
                    "counts": dict(task.counts),
                    "strata": list(task.strata),
                    "covariates": list(task.sequences.covariates),
                    "targets": [
                        {"name": t.name, "kind": t.kind, "replicates": list(t.replicate_names)}
                        for t in task.targets.values()
                    ],
                },
            )

    def write_skipped(self, task: str, skipped: list[dict[str, Any]]) -> None:
        """Keep what a full run leaves out of a task, and why, for the board."""
        with disk_errors(self.task_folder(task)):
            write_json(self.task_folder(task) / PLAN, {"format": FORMAT, "skipped": skipped})

    def write_folds(self, task: str, folds: Folds, duplicates: dict[str, int]) -> None:
        """Keep what the board says of a split: its name, and the test rows whose bases a model sees while training."""
        with disk_errors(self.task_folder(task)):
            content = {"format": FORMAT, "split": folds.name, "folds_digest": folds.digest, "duplicates": duplicates}
            write_json(self.task_folder(task) / folds_file(folds.digest), content)

    # ---- what is there ---------------------------------------------------------------------------------------------
    def records(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """(folder, record) of every readable finished result, in path order."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{RECORD}")):
            record = read_json(path)
            if record is not None and record.get("format") == FORMAT and problem(ResultRecord, record) is None:
                yield path.parent, record

    def unreadable(self) -> Iterator[tuple[Path, str]]:
        """(file, why) of what counts as absent though it is there: records that are cut off or no records. A run fits
        and writes them anew."""
        for path in sorted(self.root.glob(f"*/{TASK}")):
            trouble = task_problem(path.parent)
            if trouble is not None:
                yield path, trouble
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{RECORD}")):
            record = read_json(path)
            version = None if record is None else record.get("format")
            if record is not None and isinstance(version, int) and version != FORMAT:
                age = "a newer" if version > FORMAT else "an older"
                yield path, f"is of {age} format ({version}) than this version of bench reads"
            elif (trouble := problem(ResultRecord, record)) is not None:
                yield path, trouble

    def failures(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """(folder, note) of every failed fit."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{FAILED}")):
            note = read_json(path)
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


def task_problem(folder: Path) -> str | None:
    """What is wrong with ``task.json`` and ``rows.parquet`` of a task's folder, in words; None where both are whole."""
    content = read_json(folder / TASK)
    if content is None or not isinstance(version := content.get("format"), int) or version <= FORMAT:
        trouble = problem(TaskRecord, content)
        if trouble is not None:
            return trouble
    noted = (content or {}).get("rows_file")
    rows = folder / ROWS
    if not rows.is_file() or (noted is not None and not is_whole(rows, noted)):
        return f"{ROWS} beside it is missing or damaged"
    return None
