"""The store of predictions: ``<out>/<task>/<target>/<split>/<featurizer>+<model>/seed-<s>/``.

Every file is written under a temporary name and renamed, so a kill at any moment loses at most the cell in flight. A
folder
whose ``cell.json`` is missing, cut off or of another key counts as not there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.run.cell import Cell, safe_name
from bench.run.record import CellRecord, TaskRecord, is_whole, mark, problem

if TYPE_CHECKING:
    import pandas as pd

    from bench.tasks.task import Folds, Task

#: Format of what is written here. A reader refuses newer ones in words.
FORMAT = 1
PREDICTIONS = "predictions.parquet"
RECORD = "cell.json"
FAILED = "failed.json"
TASK = "task.json"
ROWS = "rows.parquet"
PLAN = "plan.json"
_NOT_WRITABLE = (
    errno.EACCES,
    errno.EROFS,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.ENAMETOOLONG,
)


def folds_file(digest: str) -> str:
    """Name of the file on a split, beside ``task.json``."""
    return f"folds-{digest}.json"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of one cell: ``row`` int32 (position in rows.parquet), ``fold`` int8, ``part`` int8 (0 train,
    1 valid, 2 test) and ``prediction`` float32, all (m,).

    ``shuffled`` : float32 (m,), the mean prediction over dinucleotide shuffles of a test row, NaN where there is none
    (other parts, and rows beyond the most that are shuffled); None for a cell without any.
    """

    row: NDArray[np.int32]
    fold: NDArray[np.int8]
    part: NDArray[np.int8]
    prediction: NDArray[np.float32]
    shuffled: NDArray[np.float32] | None = None


class Store:
    """Reads and writes one output folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    # ---- cells -----------------------------------------------------------------------------------------------------
    def folder(self, cell: Cell) -> Path:
        """Folder of a cell."""
        return self.root / cell.path

    def record(self, cell: Cell) -> dict[str, Any] | None:
        """``cell.json`` of a finished cell; None when it is missing, cut off, or its predictions are."""
        folder = self.folder(cell)
        record = read_json(folder / RECORD)
        if record is None or record.get("format") != FORMAT or problem(CellRecord, record) is not None:
            return None
        return record if is_whole(folder / PREDICTIONS, {"bytes": record["bytes"]}) else None

    def has(self, cell: Cell, key: str) -> bool:
        """Whether the cell is there with this very key, and its predictions are those that were written."""
        record = self.record(cell)
        return record is not None and record["key"] == key and is_whole(self.folder(cell) / PREDICTIONS, record)

    def write_cell(self, cell: Cell, record: dict[str, Any], predictions: Predictions) -> None:
        """Store a finished cell: predictions first, then ``cell.json``, which makes it count."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = self.folder(cell)
        with _disk_errors(folder):
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

    def predictions(self, cell: Cell) -> Predictions:
        """Predictions of a finished cell."""
        return read_predictions(self.folder(cell) / PREDICTIONS)

    def write_failure(self, cell: Cell, failure: dict[str, Any]) -> Path:
        """Note that a cell failed; the traceback goes to a log beside the note. Returns the log's path."""
        folder = self.folder(cell)
        log = folder / "failed.log"
        with _disk_errors(folder):
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
        with _disk_errors(folder):
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
                    "split": task.split,
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
        with _disk_errors(self.task_folder(task)):
            write_json(self.task_folder(task) / PLAN, {"format": FORMAT, "skipped": skipped})

    def write_folds(self, task: str, folds: Folds, duplicates: dict[str, int]) -> None:
        """Keep what the board says of a split: its name, and the test rows whose bases a model sees while training."""
        with _disk_errors(self.task_folder(task)):
            content = {"format": FORMAT, "split": folds.name, "folds_digest": folds.digest, "duplicates": duplicates}
            write_json(self.task_folder(task) / folds_file(folds.digest), content)

    # ---- what is there ---------------------------------------------------------------------------------------------
    def records(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """(folder, record) of every readable finished cell, in path order."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{RECORD}")):
            record = read_json(path)
            if record is not None and record.get("format") == FORMAT and problem(CellRecord, record) is None:
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
            elif (trouble := problem(CellRecord, record)) is not None:
                yield path, trouble

    def failures(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """(folder, note) of every failed cell."""
        for path in sorted(self.root.glob(f"*/*/*/*/seed-*/{FAILED}")):
            note = read_json(path)
            if note is not None:
                yield path.parent, note

    def check_writable(self) -> None:
        """Fail early, in words, when nothing can be written here. A folder that is missing is not made yet, for what
        was asked for may turn out to be wrong: the nearest one above it is tried."""
        with _disk_errors(self.root):
            folder = next(folder for folder in (self.root, *self.root.absolute().parents) if folder.exists())
            probe = folder / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()

    @contextlib.contextmanager
    def claim(self, cell: Cell, *, wait: bool) -> Iterator[bool]:
        """Hold a cell against other runs in the same folder: yields False when another run holds it and ``wait`` is
        off. The operating system lets go of the lock when its process dies."""
        import fcntl

        # Lock files stay: to delete one that another run waits for would let two runs hold it.
        folder = self.root / ".locks"
        with _disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            name = hashlib.sha256(str(cell.path).encode()).hexdigest()[:16]
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


def read_predictions(path: Path) -> Predictions:
    """Predictions of one file; an unreadable file is an error that names it and the mend."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"row": pa.int32(), "fold": pa.int8(), "part": pa.int8(), "prediction": pa.float32()}
    try:
        table = pq.read_table(path, memory_map=False)
        if "shuffled" in table.column_names:
            types["shuffled"] = pa.float32()
        columns = [table.column(name).cast(kind) for name, kind in types.items()]
        if any(column.null_count for column in columns):
            raise ValueError("it has gaps")
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise BenchError(
            f"{path}: cannot be read ({error}). Delete the folder and run again to refit this cell.", status=1
        ) from error
    return Predictions(*(column.to_numpy() for column in columns))


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where it is missing, cut off or no object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its name when the block ends well and is removed otherwise."""
    # The random part tells apart processes of one number: of two containers, say, that share a folder.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


@contextlib.contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"{place}: the disk is full. Everything finished is kept: make room and run again to go on.", status=1
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise BenchError(
                f"{place}: cannot write there ({error.strerror}). Give a writable folder with --out.", status=2
            ) from error
        raise
