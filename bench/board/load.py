"""From the store to boards: one board is one (task, target, split) with every result that belongs to it.

Two steps, because the first is cheap and the second is not: ``find_tasks`` reads the small JSON records only, which is
enough to tell whether anything changed; ``load_board`` reads rows and predictions.
"""

from __future__ import annotations

import contextlib
import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.board.published import read_summary
from bench.board.schema import SUMMARY, Summary
from bench.errors import BenchError
from bench.stats.intervals import Estimate
from bench.stats.library import LibraryTest
from bench.store.feature_record import FeaturesRecord
from bench.store.predictions import impossible, read_predictions
from bench.store.reading import PREDICTIONS, ROWS, StoredResult, StoredTask, linked_tasks, trouble
from bench.store.record import (
    FailureRecord,
    FoldsRecord,
    ResultRecord,
    Role,
    SkipRecord,
    State,
    StratumRecord,
    TaskRecord,
)
from bench.store.result import safe_name
from bench.store.store import Store, troubles_of
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
    """One fit that failed: its folder and its record. ``refit`` : there is an earlier result, which stays."""

    folder: Path
    record: FailureRecord
    refit: bool = False


@dataclass(frozen=True)
class BoardFiles:
    """Records of one board.

    ``results`` maps (featurizer, model) to its results, by seed; ``left_out`` says which finished results do not count,
    and why. ``folds`` : what is told of the split, where it is.
    """

    target: str
    split: str
    folds_digest: str
    results: dict[tuple[str, str], list[SeedResult]]
    failed: list[Failure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    folds: FoldsRecord | None = None


@dataclass(frozen=True)
class TaskFiles:
    """One task folder of the store.

    ``record`` is the task's own, None where only its published numbers are there; ``summary`` is the ``summary.json``
    that is there, if any. One of them always is. ``features`` : those made elsewhere that its results were made from.
    """

    folder: Path
    record: TaskRecord | None
    summary: Summary | None
    boards: list[BoardFiles] = field(default_factory=list)
    skipped: list[SkipRecord] = field(default_factory=list)
    features: list[FeaturesRecord] = field(default_factory=list)

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
    minimum : columns that rows were filtered by. unmeasured : whether rows without any measurement follow GC.
    strata : how strata were made that are no column.
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
    unmeasured: LibraryTest | None = None
    strata: Mapping[str, StratumRecord] = field(default_factory=dict)

    @property
    def replicates(self) -> NDArray[np.float64]:
        """Replicates of the target."""
        return self.target.replicates

    @property
    def value(self) -> NDArray[np.float64]:
        """The target's value."""
        return self.target.value


def find_tasks(root: Path, troubles: list[str] | None = None) -> list[TaskFiles]:
    """Tasks of an output folder, by name. Of results, whose checksums are compared, only the JSON is kept.

    Parameters
    ----------
    troubles : gets a line for every file that does not count, with the fix.

    Raises
    ------
    BenchError : when there is no task at all, or one is of a newer format.
    """
    with _uncollected():
        return _find_tasks(Path(root), troubles)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage meanwhile: what is read is kept, there is a lot of it, and nothing in it refers to itself.
    It took a third of the time."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


def _find_tasks(root: Path, troubles: list[str] | None) -> list[TaskFiles]:
    store = Store(root)
    noted = [f"{each.path.relative_to(root)}: {each.why}" for each in linked_tasks(root)]
    tasks = []
    for task in store.tasks():
        if task.state == State.NEWER:
            raise BenchError(f"{task.path}: {task.why}.")
        results = list(store.results(task))
        wrong = [*task.troubles, *(each for result in results for each in troubles_of(result))]
        there = any(result.whole or result.failure is not None for result in results)
        if there and task.record is None and not task.troubles:
            wrong.append(trouble(task.path, State.DAMAGED, "is missing, so its results are on no board"))
        noted += [f"{each.path.relative_to(root)}: {each.why}" for each in wrong]
        there = there or any(result.record is not None for result in results)
        found = _task_files(task, results if there else [], root, noted)
        if found is not None:
            tasks.append(found)
    if not tasks and not noted:
        raise BenchError(
            f"{root}: no results there. Run `bench run --out {root}` first, or name the folder that has them."
        )
    if troubles is not None:
        troubles += noted
    return tasks


def _task_files(task: StoredTask, results: list[StoredResult], root: Path, noted: list[str]) -> TaskFiles | None:
    """A task with its boards, or with its published numbers alone; None where neither can be read."""
    record = task.record if task.state == State.WHOLE and results else None
    path = task.folder / SUMMARY
    summary: Summary | None = None
    why = "cannot be read"
    try:
        summary = read_summary(path)
    except BenchError as error:
        if error.status != 1:
            raise
        why = str(error).removeprefix(f"{path}: ")
    if summary is not None and safe_name(summary.task.name) != task.folder.name:
        why = f"is of {summary.task.name!r}, which has another folder. Put the folder in its own place, or delete it"
        summary = None
    if record is not None:
        skipped = [] if task.plan is None else task.plan.skipped
        return TaskFiles(
            task.folder, record, summary, _boards(record, task, results), skipped, [*task.features.values()]
        )
    if summary is not None:
        return TaskFiles(task.folder, None, summary)
    if path.is_file():  # with predictions it is computed again, so that it matters to nobody
        noted.append(f"{path.relative_to(root)}: {why}")
    return None


def _boards(record: TaskRecord, task: StoredTask, results: list[StoredResult]) -> list[BoardFiles]:
    """The boards of a task: its targets in order, each under the task's own split first."""
    groups: dict[tuple[str, str], list[StoredResult]] = defaultdict(list)
    for stored in results:
        about = stored.record if stored.record is not None else stored.failure
        if about is not None and stored.state not in (State.FOREIGN, State.IN_FLIGHT, State.NEWER):
            groups[about.target, about.split].append(stored)
    order = {target.name: i for i, target in enumerate(record.targets)}
    wanted = [key for key in groups if key[0] in order]
    wanted.sort(key=lambda key: (order[key[0]], key[1] != record.split, key[1]))
    return [_board_files(task, *key, groups[key]) for key in wanted]


def _board_files(task: StoredTask, target: str, split: str, stored: list[StoredResult]) -> BoardFiles:
    """The records of one board; results that do not count are left out, with the reason."""
    left_out = []
    current = []
    failed = []
    for each in stored:
        if each.failure is not None:
            failed.append(Failure(each.folder, each.failure, refit=each.whole))
        if each.record is None:
            continue
        result = SeedResult(each.folder, each.record)
        if each.state == State.CURRENT:
            current.append(result)
        elif each.state == State.DAMAGED:
            left_out.append(f"{result}: its predictions are missing, cut off or damaged; run again to refit")
        else:
            left_out.append(f"{result}: {each.why}")
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
    folds = task.folds.get(digest)
    return BoardFiles(target, split, digest, dict(sorted(results.items())), failed, left_out, folds)


def load_rows(folder: Path, record: TaskRecord) -> pd.DataFrame:
    """rows.parquet of a task folder.

    Raises
    ------
    BenchError : where it cannot be read, or is not what the task's record says.
    """
    import pandas as pd

    try:
        rows = pd.read_parquet(folder / ROWS)
        numbers = ["locus", "position", "length", "gc", *(f"x:{name}" for name in record.covariates)]
        numbers += [f"y:{target.name}:{name}" for target in record.targets for name in target.replicates]
        if len(rows) != record.rows or not set(numbers) | {f"s:{name}" for name in record.strata} <= set(rows):
            raise ValueError("it has other rows or columns than task.json says")
        rows[numbers].to_numpy(np.float64)
    except (OSError, ValueError, TypeError) as error:
        raise BenchError(
            f"{folder / ROWS}: cannot be read ({error}). Delete the file and run again to write it again.", status=1
        ) from error
    return rows


def board_place(files: BoardFiles, value: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Test rows of a board and their folds, int64 (m,) each; None where no result can be read.

    They follow from the task's data and its folds, so that nearly every result has them: most of the results decide,
    not the first one.
    """
    seeds = [result for each in files.results.values() for result in each]
    often = Counter(tuple(result.record.rows["test"]) for result in seeds)

    def rank(result: SeedResult) -> tuple[int, int]:
        counts = tuple(result.record.rows["test"])
        return -often[counts], -sum(counts)

    for result in sorted(seeds, key=rank):
        try:
            found = load_part(result, TEST, value)
        except BenchError:
            continue
        return found.row, found.fold
    return None


def load_board(task: TaskFiles, files: BoardFiles, rows: pd.DataFrame) -> Board | None:
    """A board's rows and predictions; None when no result of it can be read.

    Results that cannot be read, or that cover other rows than most, are left out and named.
    """
    target = target_of(task, files.target, rows)
    value = target.value
    left_out = list(files.left_out)
    place = board_place(files, value)
    results = []
    for (featurizer, model), seeds in files.results.items():
        kept: list[tuple[ResultRecord, PartPredictions]] = []
        for result in seeds:
            try:
                found = load_part(result, TEST, value)
            except BenchError as error:
                left_out.append(f"{result}: {error.args[0].partition(': ')[2]}")
                continue
            assert place is not None, "a result that can be read has rows"
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
    return Board(
        files,
        rows,
        target,
        *place,
        results,
        left_out,
        task.record.minimum if task.record else [],
        _unmeasured(task, files.target),
        task.record.stratum_cards if task.record else {},
    )


def _unmeasured(task: TaskFiles, target: str) -> LibraryTest | None:
    """Whether rows without any measurement follow GC, as the task was read; None where nothing says so."""
    known = None if task.record is None else next(t for t in task.record.targets if t.name == target).unmeasured
    if known is None:
        return None
    ends = (np.nan if end is None else end for end in (known.low, known.high))
    return LibraryTest("unmeasured", "", Estimate(known.value, *ends))


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
        label=rows[f"l:{target}"].to_numpy(np.float64) if f"l:{target}" in rows else None,
        positive=known.positive,
    )


class PartPredictions(NamedTuple):
    """Rows of one part: ``row`` and ``fold`` int64, ``prediction`` float64 (all (m,)), and ``shuffled``, the prediction
    on shuffles (NaN where a row has none), None for a result without any."""

    row: NDArray[np.int64]
    fold: NDArray[np.int64]
    prediction: NDArray[np.float64]
    shuffled: NDArray[np.float64] | None


def load_part(result: SeedResult, part: int, value: NDArray[np.float64]) -> PartPredictions:
    """One part's measured rows of a result, sorted by fold and row.

    Raises
    ------
    BenchError : where its predictions cannot be read, or no fit on this task can have made them.
    """
    path = result.folder / PREDICTIONS
    predictions = read_predictions(path, result.record.crc32)
    wrong = impossible(predictions, len(value), result.record.rows)
    if wrong:
        raise BenchError(f"{path}: {wrong}. Run again to refit.", status=1)
    chosen = np.flatnonzero(predictions.part == part)
    chosen = chosen[np.isfinite(value[predictions.row[chosen]])]
    chosen = chosen[np.lexsort((predictions.row[chosen], predictions.fold[chosen]))]
    return PartPredictions(
        predictions.row[chosen].astype(np.int64),
        predictions.fold[chosen].astype(np.int64),
        predictions.prediction[chosen].astype(np.float64),
        None if predictions.shuffled is None else predictions.shuffled[chosen].astype(np.float64),
    )
