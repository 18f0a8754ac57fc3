"""From the store to boards: one board is one (task, target, split) with every result that belongs to it.

Two steps, because the first is cheap and the second is not: ``find_tasks`` reads the small JSON records only, which is
enough to tell whether anything changed; ``load_board`` reads rows and predictions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.atomic import read_json
from bench.store.predictions import read_predictions
from bench.store.record import (
    FailureRecord,
    PlanRecord,
    ResultRecord,
    SkipRecord,
    State,
    TaskRecord,
    is_whole,
    read_record,
)
from bench.store.store import PLAN, PREDICTIONS, ROWS, TASK, Store
from bench.tasks.task import TEST, Target

if TYPE_CHECKING:
    import pandas as pd

#: Computed numbers of a task, beside its ``task.json``.
SUMMARY = "summary.json"


@dataclass(frozen=True)
class BoardFiles:
    """Records of one board.

    ``results`` maps (featurizer, model) to its (folder, record), one per seed; ``failed`` are the failed fits'
    (folder, note); ``left_out`` says which finished results do not count, and why.
    """

    target: str
    split: str
    folds_digest: str
    results: dict[tuple[str, str], list[tuple[Path, ResultRecord]]]
    failed: list[tuple[Path, FailureRecord]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TaskFiles:
    """One task folder of the store.

    ``summary`` is the ``summary.json`` that is there, if any; ``rows`` says whether rows and predictions are there too,
    so that it can be computed again; ``card`` is None where they are not.
    """

    folder: Path
    card: TaskRecord | None
    summary: dict[str, Any] | None
    rows: bool
    boards: list[BoardFiles] = field(default_factory=list)
    skipped: list[SkipRecord] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class PairScores:
    """Predictions of one pair on a board's test rows: ``test`` is float64 (seeds, m), in the order of ``test_row``;
    ``shuffled`` the same on dinucleotide shuffles of the rows (NaN where a row has none), None without any."""

    featurizer: str
    model: str
    records: list[ResultRecord]
    folders: list[Path]
    test: NDArray[np.float64]
    shuffled: NDArray[np.float64] | None = None

    @property
    def name(self) -> str:
        """``featurizer + model``."""
        return f"{self.featurizer} + {self.model}"

    def flag(self, key: str) -> bool:
        """A yes-or-no field of the first record."""
        return bool(getattr(self.records[0], key))

    @property
    def role(self) -> str:
        """ "sequence", "confounder" or "null"."""
        return self.records[0].role


@dataclass(frozen=True, eq=False)
class Board:
    """Everything a board's figures follow from.

    Attributes
    ----------
    rows : rows.parquet of the task (n rows).
    replicates : float64 (n, k), NaN where unmeasured. value : float64 (n,), their mean.
    test_row, test_fold : int64 (m,): every measured test row with its fold, sorted by fold and row.
    """

    files: BoardFiles
    rows: pd.DataFrame
    replicates: NDArray[np.float64]
    value: NDArray[np.float64]
    test_row: NDArray[np.int64]
    test_fold: NDArray[np.int64]
    results: list[PairScores]
    left_out: list[str]


def find_tasks(root: Path) -> list[TaskFiles]:
    """Tasks of an output folder, by name. Only JSON is read.

    Raises
    ------
    BenchError : when there is no task at all.
    """
    root = Path(root)
    store = Store(root)
    finished: dict[Path, list[tuple[Path, ResultRecord]]] = defaultdict(list)
    for folder, record in store.records():
        finished[folder.parents[3]].append((folder, record))
    failed: dict[Path, list[tuple[Path, FailureRecord]]] = defaultdict(list)
    for folder, note in store.failures():
        failed[folder.parents[3]].append((folder, note))
    tasks = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        summary = _summary(read_json(folder / SUMMARY))
        found = read_record(TaskRecord, folder / TASK)
        if found.state == State.NEWER:
            raise BenchError(f"{folder / TASK}: {found.why}.")
        card = found.record
        rows = card is not None and (folder / ROWS).is_file() and bool(finished[folder] or failed[folder])
        if rows and card is not None:
            boards = _boards(card, finished[folder], failed[folder])
            plan = read_record(PlanRecord, folder / PLAN).record
            tasks.append(TaskFiles(folder, card, summary, True, boards, [] if plan is None else plan.skipped))
        elif summary is not None:
            tasks.append(TaskFiles(folder, None, summary, False))
    if not tasks:
        raise BenchError(
            f"{root}: no results there. Run `bench run --out {root}` first, or name the folder that has them."
        )
    return tasks


def _summary(content: dict[str, Any] | None) -> dict[str, Any] | None:
    """A summary that is one; None for anything else, which is then computed anew."""
    if content is None or not isinstance(content.get("format"), int):
        return None
    task, boards = content.get("task"), content.get("boards")
    good = isinstance(task, dict) and isinstance(task.get("name"), str) and isinstance(boards, list)
    good = good and all(isinstance(board, dict) and isinstance(board.get("inputs"), str) for board in boards or [])
    return content if good and isinstance(content.get("pictures", {}), dict) else None


def _boards(
    card: TaskRecord, finished: list[tuple[Path, ResultRecord]], failed: list[tuple[Path, FailureRecord]]
) -> list[BoardFiles]:
    groups: dict[tuple[str, str], list[tuple[Path, ResultRecord]]] = defaultdict(list)
    notes: dict[tuple[str, str], list[tuple[Path, FailureRecord]]] = defaultdict(list)
    for folder, record in finished:
        groups[record.target, record.split].append((folder, record))
    for folder, note in failed:
        notes[note.target, note.split].append((folder, note))
    order = {target.name: i for i, target in enumerate(card.targets)}
    default = card.split
    boards = []
    for target, split in sorted(
        set(groups) | set(notes), key=lambda k: (order.get(k[0], len(order)), k[0], k[1] != default, k[1])
    ):
        if target not in order:
            continue
        left_out = []
        current = []
        for folder, record in groups[target, split]:
            if record.task_digest != card.digest:
                left_out.append(f"{_title(record)}: made from an older version of the task's data")
            elif not is_whole(folder / PREDICTIONS, record, checksum=False):
                left_out.append(f"{_title(record)}: its predictions are missing or cut off")
            else:
                current.append((folder, record))
        # Two sets of folds under one split's name: the newest result's are the ones that hold.
        newest = max(current, key=lambda item: item[1].finished, default=None)
        digest = newest[1].folds_digest if newest else ""
        results: dict[tuple[str, str], list[tuple[Path, ResultRecord]]] = defaultdict(list)
        for folder, record in current:
            if record.folds_digest == digest:
                results[record.featurizer, record.model].append((folder, record))
            else:
                left_out.append(f"{_title(record)}: made on other folds of this split")
        for runs in results.values():
            runs.sort(key=lambda item: item[1].seed)
        boards.append(BoardFiles(target, split, digest, dict(sorted(results.items())), notes[target, split], left_out))
    return boards


def _title(record: ResultRecord) -> str:
    return f"{record.featurizer} + {record.model}, seed {record.seed}"


def load_rows(folder: Path) -> pd.DataFrame:
    """rows.parquet of a task folder."""
    import pandas as pd

    try:
        return pd.read_parquet(folder / ROWS)
    except (OSError, ValueError) as error:
        raise BenchError(
            f"{folder / ROWS}: cannot be read ({error}). Delete the file and run again to write it anew.", status=1
        ) from error


def load_board(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame) -> Board | None:
    """A board's rows and predictions; None when no result of it can be read.

    Results that cannot be read, or that cover other rows than the first one, are left out and named.
    """
    replicates, value = target_values(task, files.target, rows)
    left_out = list(files.left_out)
    place: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    results = []
    for (featurizer, model), runs in files.results.items():
        kept: list[tuple[Path, ResultRecord, NDArray[np.float64], NDArray[np.float64] | None]] = []
        for folder, record in runs:
            try:
                found = load_part(folder, TEST, value)
            except (BenchError, IndexError):
                left_out.append(f"{_title(record)}: its predictions cannot be read; run again to fit it anew")
                continue
            if not np.isfinite(found.prediction).all():
                left_out.append(f"{_title(record)}: some of its predictions are not numbers")
                continue
            place = (found.row, found.fold) if place is None else place
            if np.array_equal(found.row, place[0]) and np.array_equal(found.fold, place[1]):
                kept.append((folder, record, found.prediction, found.shuffled))
            else:
                left_out.append(f"{_title(record)}: it predicts other rows than the rest of the board")
        if kept:
            folders, records, test, shuffles = zip(*kept, strict=True)
            on_shuffles = None if any(each is None for each in shuffles) else np.stack(shuffles)
            results.append(PairScores(featurizer, model, list(records), list(folders), np.stack(test), on_shuffles))
    if place is None or not results:
        return None
    return Board(files, rows, replicates, value, *place, results, left_out)


def target_values(task: TaskFiles, target: str, rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Replicates of a target, float64 (n, k), NaN where unmeasured, and their mean, float64 (n,)."""
    assert task.card is not None, "its rows are there"
    names = next(known.replicates for known in task.card.targets if known.name == target)
    replicates = np.column_stack([rows[f"y:{target}:{name}"].to_numpy(np.float64) for name in names])
    found = Target(target, replicates, tuple(names))
    return replicates, found.value


class PartPredictions(NamedTuple):
    """Rows of one part: ``row`` and ``fold`` int64, ``prediction`` float64 (all (m,)), and ``shuffled``, the prediction
    on shuffles (NaN where a row has none), None for a result without any."""

    row: NDArray[np.int64]
    fold: NDArray[np.int64]
    prediction: NDArray[np.float64]
    shuffled: NDArray[np.float64] | None


def load_part(folder: Path, part: int, value: NDArray[np.float64]) -> PartPredictions:
    """One part's measured rows in a result's folder, sorted by fold and row."""
    predictions = read_predictions(folder / PREDICTIONS)
    chosen = np.flatnonzero(predictions.part == part)
    chosen = chosen[np.isfinite(value[predictions.row[chosen]])]
    chosen = chosen[np.lexsort((predictions.row[chosen], predictions.fold[chosen]))]
    return PartPredictions(
        predictions.row[chosen].astype(np.int64),
        predictions.fold[chosen].astype(np.int64),
        predictions.prediction[chosen].astype(np.float64),
        None if predictions.shuffled is None else predictions.shuffled[chosen].astype(np.float64),
    )
