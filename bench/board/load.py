"""From the store to boards: one board is one (task, target, split) with every result that belongs to it.

Two steps, because the first is cheap and the second is not: ``find_tasks`` reads the small JSON records only, which is
enough to tell whether anything changed; ``load_board`` reads rows and predictions.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.board.schema import SUMMARY, Summary, read_summary
from bench.errors import BenchError
from bench.store.predictions import read_predictions
from bench.store.record import FailureRecord, PlanRecord, ResultRecord, Role, SkipRecord, State, TaskRecord, read_record
from bench.store.store import PLAN, PREDICTIONS, ROWS, TASK, Store
from bench.tasks.task import TEST, Target

if TYPE_CHECKING:
    import pandas as pd


class SeedResult(NamedTuple):
    """One finished result: its folder and its record."""

    folder: Path
    record: ResultRecord

    def __str__(self) -> str:
        record = self.record
        return f"{record.featurizer} + {record.model}, seed {record.seed}"


class Failure(NamedTuple):
    """One fit that failed: its folder and its record."""

    folder: Path
    record: FailureRecord


@dataclass(frozen=True)
class BoardFiles:
    """Records of one board.

    ``results`` maps (featurizer, model) to its results, by seed; ``left_out`` says which finished results do not count,
    and why.
    """

    target: str
    split: str
    folds_digest: str
    results: dict[tuple[str, str], list[SeedResult]]
    failed: list[Failure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TaskFiles:
    """One task folder of the store.

    ``record`` is the task's own, None where only its published numbers are there; ``summary`` is the ``summary.json``
    that is there, if any. One of them always is.
    """

    folder: Path
    record: TaskRecord | None
    summary: Summary | None
    boards: list[BoardFiles] = field(default_factory=list)
    skipped: list[SkipRecord] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The task's name."""
        if self.record is not None:
            return self.record.card.name
        return self.folder.name if self.summary is None else self.summary.task.name


@dataclass(frozen=True, eq=False)
class PairScores:
    """Predictions of one pair on a board's test rows: ``test`` is float64 (seeds, m), in the order of ``test_row``;
    ``shuffled`` the same on dinucleotide shuffles of the rows (NaN where a row has none), None without any."""

    featurizer: str
    model: str
    records: list[ResultRecord]
    test: NDArray[np.float64]
    shuffled: NDArray[np.float64] | None = None

    @property
    def name(self) -> str:
        """``featurizer + model``."""
        return f"{self.featurizer} + {self.model}"

    @property
    def gc_only(self) -> bool:
        """Whether it sees nothing but G and C."""
        return self.records[0].gc_only

    @property
    def deep(self) -> bool:
        """Whether its model takes the sequence itself."""
        return self.records[0].deep

    @property
    def role(self) -> Role:
        """What it sees."""
        return self.records[0].role


@dataclass(frozen=True, eq=False)
class Board:
    """Everything a board's figures follow from.

    Attributes
    ----------
    rows : rows.parquet of the task (n rows).
    target : as it was fitted. replicates : float64 (n, k), NaN where unmeasured. value : float64 (n,), what they make.
    test_row, test_fold : int64 (m,): every measured test row with its fold, sorted by fold and row.
    """

    files: BoardFiles
    rows: pd.DataFrame
    target: Target
    test_row: NDArray[np.int64]
    test_fold: NDArray[np.int64]
    results: list[PairScores]
    left_out: list[str]
    minimum: list[str] = field(default_factory=list)

    @property
    def replicates(self) -> NDArray[np.float64]:
        """Replicates of the target."""
        return self.target.replicates

    @property
    def value(self) -> NDArray[np.float64]:
        """The target's value."""
        return self.target.value


def find_tasks(root: Path, troubles: list[str] | None = None) -> list[TaskFiles]:
    """Tasks of an output folder, by name. Only JSON is read.

    Parameters
    ----------
    troubles : gets a line for every published summary that cannot be read.

    Raises
    ------
    BenchError : when there is no task at all, or one is of a newer format.
    """
    root = Path(root)
    store = Store(root)
    finished: dict[Path, list[tuple[SeedResult, State]]] = defaultdict(list)
    for kept in store.results():
        if kept.record is not None:
            finished[kept.folder.parents[3]].append((SeedResult(kept.folder, kept.record), kept.state))
    failed: dict[Path, list[Failure]] = defaultdict(list)
    for folder, note in store.failures():
        failed[folder.parents[3]].append(Failure(folder, note))
    tasks = []
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        found = read_record(TaskRecord, folder / TASK)
        if found.state == State.NEWER:
            raise BenchError(f"{folder / TASK}: {found.why}.")
        record = found.record if (folder / ROWS).is_file() and (finished[folder] or failed[folder]) else None
        try:
            summary = read_summary(folder / SUMMARY)
        except BenchError as error:
            if error.status != 1:
                raise
            summary = None
            if record is None and troubles is not None:  # with predictions it is computed again
                troubles.append(str(error))
        if record is not None:
            boards = _boards(record, finished[folder], failed[folder])
            plan = read_record(PlanRecord, folder / PLAN).record
            tasks.append(TaskFiles(folder, record, summary, boards, [] if plan is None else plan.skipped))
        elif summary is not None:
            tasks.append(TaskFiles(folder, None, summary))
    if not tasks:
        raise BenchError(
            f"{root}: no results there. Run `bench run --out {root}` first, or name the folder that has them."
        )
    return tasks


def _boards(task: TaskRecord, finished: list[tuple[SeedResult, State]], failed: list[Failure]) -> list[BoardFiles]:
    """The boards of a task: its targets in order, each under the task's own split first."""
    groups: dict[tuple[str, str], list[tuple[SeedResult, State]]] = defaultdict(list)
    notes: dict[tuple[str, str], list[Failure]] = defaultdict(list)
    for result, state in finished:
        groups[result.record.target, result.record.split].append((result, state))
    for failure in failed:
        notes[failure.record.target, failure.record.split].append(failure)
    order = {target.name: i for i, target in enumerate(task.targets)}
    wanted = [key for key in {*groups, *notes} if key[0] in order]
    wanted.sort(key=lambda key: (order[key[0]], key[1] != task.split, key[1]))
    return [_board_files(task, *key, groups[key], notes[key]) for key in wanted]


def _board_files(
    task: TaskRecord, target: str, split: str, finished: list[tuple[SeedResult, State]], failed: list[Failure]
) -> BoardFiles:
    """The records of one board; results that do not count are left out, with the reason."""
    left_out = []
    current = []
    for result, state in finished:
        if result.record.task_digest != task.digest:
            left_out.append(f"{result}: made from an older version of the task's data")
        elif state != State.WHOLE:
            left_out.append(f"{result}: its predictions are missing or cut off")
        else:
            current.append(result)
    # Two sets of folds under one split's name: the newest result's are the ones that hold.
    newest = max(current, key=lambda result: result.record.finished, default=None)
    digest = "" if newest is None else newest.record.folds_digest
    results: dict[tuple[str, str], list[SeedResult]] = defaultdict(list)
    for result in current:
        if result.record.folds_digest == digest:
            results[result.record.featurizer, result.record.model].append(result)
        else:
            left_out.append(f"{result}: made on other folds of this split")
    for seeds in results.values():
        seeds.sort(key=lambda result: result.record.seed)
    return BoardFiles(target, split, digest, dict(sorted(results.items())), failed, left_out)


def load_rows(folder: Path) -> pd.DataFrame:
    """rows.parquet of a task folder."""
    import pandas as pd

    try:
        return pd.read_parquet(folder / ROWS)
    except (OSError, ValueError) as error:
        raise BenchError(
            f"{folder / ROWS}: cannot be read ({error}). Delete the file and run again to write it again.", status=1
        ) from error


def load_board(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame) -> Board | None:
    """A board's rows and predictions; None when no result of it can be read.

    Results that cannot be read, or that cover other rows than the first one, are left out and named.
    """
    target = target_of(task, files.target, rows)
    value = target.value
    left_out = list(files.left_out)
    place: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    results = []
    for (featurizer, model), seeds in files.results.items():
        kept: list[tuple[ResultRecord, PartPredictions]] = []
        for result in seeds:
            try:
                found = load_part(result.folder, TEST, value)
            except (BenchError, IndexError):
                left_out.append(f"{result}: its predictions cannot be read; run again to refit")
                continue
            if not np.isfinite(found.prediction).all():
                left_out.append(f"{result}: some of its predictions are not numbers")
                continue
            place = (found.row, found.fold) if place is None else place
            if np.array_equal(found.row, place[0]) and np.array_equal(found.fold, place[1]):
                kept.append((result.record, found))
            else:
                left_out.append(f"{result}: it predicts other rows than the rest of the board")
        if kept:
            shuffles = [found.shuffled for _, found in kept if found.shuffled is not None]
            results.append(
                PairScores(
                    featurizer,
                    model,
                    [record for record, _ in kept],
                    np.stack([found.prediction for _, found in kept]),
                    np.stack(shuffles) if len(shuffles) == len(kept) else None,
                )
            )
    if place is None or not results:
        return None
    return Board(files, rows, target, *place, results, left_out, task.record.minimum if task.record else [])


def target_values(task: TaskFiles, target: str, rows: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Replicates of a target, float64 (n, k), NaN where unmeasured, and the value they make, float64 (n,)."""
    found = target_of(task, target, rows)
    return found.replicates, found.value


def target_of(task: TaskFiles, target: str, rows: pd.DataFrame) -> Target:
    """A target of the task as it was fitted."""
    assert task.record is not None, "a task without predictions has no rows"
    known = next(t for t in task.record.targets if t.name == target)
    return Target(
        target,
        np.column_stack([rows[f"y:{target}:{name}"].to_numpy(np.float64) for name in known.replicates]),
        tuple(known.replicates),
        known.kind,
        combine=known.combine,
        minimum_replicates=known.minimum_replicates,
        loci=rows["locus"].nunique(),
    )


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
