"""Predictions made elsewhere, as a result of the store: they stand on the same board with the same statistics."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.files.tables import read_table
from bench.stats.ranks import mean_of_scores
from bench.store.predictions import PARTS, PartName, Predictions, rows_of_parts, scores
from bench.store.record import Description, Fitted
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.columns import Columns
from bench.tasks.digest import content_of
from bench.tasks.problems import Problems, such
from bench.tasks.task import DROPPED, PART_NAMES, TEST, Folds, Task

if TYPE_CHECKING:
    import pandas as pd

#: Featurizer of a model whose features are not this package's.
EXTERNAL = "external"
#: Longest name: it heads a row of the board.
NAME_LENGTH = 80
#: Columns of a table of predictions; ``id`` and ``fold`` may also be called so in the task's own table.
ID, PREDICTION, FOLD = "id", "prediction", "fold"


@dataclass(frozen=True)
class Scored:
    """What became of a table of predictions: its result, the rows that were used (by part) and those that were not.
    ``means`` : mean over folds of the Spearman of each part, None where no fold has one."""

    result: ResultId
    spearman: dict[PartName, list[float | None]]
    means: dict[PartName, float | None]
    rows: dict[PartName, int]
    unused: int
    replaced: bool


def read_predictions_table(path: Path) -> pd.DataFrame:
    """Columns ``id`` (or ``row_id``) as str, ``prediction`` float64 and, where there is one, ``fold`` int64.

    The table is read as that of a task is.

    Raises
    ------
    BenchError : for a file that is missing or no such table, a missing column, an empty id, a prediction or fold that
        is not a finite number. The message names the row, counted from 1 below the header, and all that is wrong.
    """
    import pandas as pd

    frame = read_table(path, missing=f"Give a table with the columns {ID} and {PREDICTION}.").frame
    frame = frame.rename(columns={"row_id": ID} if ID not in frame else {})
    if not len(frame):
        raise BenchError(f"{path}: has no rows. Give one row per test sequence.")
    for column in (ID, PREDICTION):
        if column not in frame:
            raise BenchError(f"{path}: column {column!r} is missing.{nearest(column, map(str, frame.columns))}")
    problems = Problems(str(path))
    table = Columns.of(frame, str(path), ID, problems)
    ids = table.text(ID)
    if (ids == "").any():
        table.say(f"row {_first(ids == '')} has no {ID}{such(int((ids == '').sum()))}. Give every row one.")
    found: dict[str, Any] = {ID: ids.astype(object)}
    for column in (PREDICTION, FOLD):
        if column in frame:
            values = table.numbers(column)
            bad = ~np.isfinite(values) | (values % 1 != 0 if column == FOLD else np.abs(values) > 3e38)
            if not problems:
                must = "a whole number" if column == FOLD else "a finite number"
                table.refuse(bad, column, must, table.strings(column), "")
            found[column] = values if bad.any() else values.astype(np.int64) if column == FOLD else values
    problems.stop()
    return pd.DataFrame(found)


def place_predictions(
    frame: pd.DataFrame, task: Task, folds: Folds, target: str, source: str
) -> tuple[Predictions, int]:
    """Predictions of one target in the store's form, and how many rows of the table were not used.

    Without a column ``fold`` a row is taken for the fold that tests it (under a split of one fold: for that fold,
    whatever its part). With one (counted from 1) a row may stand once per fold. Every measured test row must be there;
    of the validation and of the training rows of a fold all or none. Rows whose target was not measured, that the split
    leaves out, or that the task drops from its table, are not used.

    Raises
    ------
    BenchError : for unknown or repeated ids, folds that are not there, and missing rows.
    """
    given = len(frame)
    if len(task.left_out):
        frame = frame[~frame[ID].isin(task.left_out)]
    row = _rows(frame, task, source)
    fold = _folds(frame, row, folds, source)
    measured = np.isfinite(task.targets[target].value)
    part = np.where(fold >= 0, folds.part[fold, row], DROPPED)
    used = np.flatnonzero((part != DROPPED) & measured[row])
    order = used[np.lexsort((row[used], part[used], fold[used]))]
    placed = Predictions(
        row[order].astype(np.int32),
        fold[order].astype(np.int8),
        part[order].astype(np.int8),
        frame[PREDICTION].to_numpy()[order].astype(np.float32),
    )
    _check_complete(placed, folds, measured, task.row_id, source)
    return placed, given - len(order)


def _rows(frame: pd.DataFrame, task: Task, source: str) -> NDArray[np.intp]:
    """Position in the task of every row of the table."""
    import pandas as pd

    row = pd.Index(task.row_id).get_indexer(pd.Index(frame[ID]))
    if (row < 0).any():
        at = int(np.argmax(row < 0))
        raise BenchError(
            f"{source}: row {_number(frame, at)} has the {ID} {str(frame[ID].iloc[at])!r}, which"
            f" {task.card.name} does not have ({int((row < 0).sum()):,} such rows of {len(row):,}). Its ids are like"
            f" {str(task.row_id[0])!r}."
        )
    return row


def _folds(frame: pd.DataFrame, row: NDArray[np.intp], folds: Folds, source: str) -> NDArray[np.int64]:
    """Fold of every row of the table, from 0; -1 for one that no fold tests. No row stands twice in a fold."""
    import pandas as pd

    tested = (folds.part == TEST).sum(axis=0)
    if FOLD in frame:
        fold = frame[FOLD].to_numpy(np.int64) - 1
        if (wrong := (fold < 0) | (fold >= len(folds))).any():
            at = int(np.argmax(wrong))
            raise BenchError(
                f"{source}: row {_number(frame, at)} has fold {fold[at] + 1}; split {folds.name} has the folds 1 to"
                f" {len(folds)}."
            )
    elif len(folds) == 1:
        fold = np.zeros(len(row), np.int64)
    elif (tested > 1).any():
        raise BenchError(f"{source}: split {folds.name} tests a row in several folds: add the column {FOLD!r}.")
    else:
        fold = np.where(tested[row] > 0, np.argmax(folds.part == TEST, axis=0)[row], -1)
    repeated = pd.DataFrame({"row": row, "fold": fold}).duplicated().to_numpy()
    if repeated.any():
        at = int(np.argmax(repeated))
        within = f" in fold {fold[at] + 1}" if FOLD in frame else ""
        raise BenchError(
            f"{source}: row {_number(frame, at)} repeats the {ID} {str(frame[ID].iloc[at])!r}{within}. Give one"
            " prediction per row."
        )
    return fold


def _number(frame: pd.DataFrame, place: int) -> int:
    """The number of a row in its file, counted from 1 below the header."""
    return int(frame.index[place]) + 1


def _check_complete(
    placed: Predictions, folds: Folds, measured: NDArray[np.bool_], row_id: NDArray[Any], source: str
) -> None:
    """Every measured test row of every fold is there; of its validation and training rows all or none."""
    for code, what in sorted(PART_NAMES.items(), reverse=True):
        for number, parts in enumerate(folds.part):
            wanted = np.flatnonzero((parts == code) & measured)
            given = placed.row[(placed.part == code) & (placed.fold == number)]
            missing = np.setdiff1d(wanted, given)
            if len(missing) and (code == TEST or len(given)):
                must = "every measured test row" if code == TEST else f"all measured {what} rows of a fold, or none"
                raise BenchError(
                    f"{source}: {len(missing):,} of {len(wanted):,} {what} rows of fold {number + 1} of {len(folds)}"
                    f" are missing, first {str(row_id[missing[0]])!r}. Give {must}."
                )


def score_predictions(
    store: Store,
    task: Task,
    folds: Folds,
    target: str | None,
    table: Path,
    name: str,
    *,
    featurizer: str = EXTERNAL,
    seed: int = 0,
    deep: bool = False,
) -> Scored:
    """Put a table of predictions into the store as the result ``featurizer + name``.

    Scoring a name again replaces its earlier predictions; a result that was fitted here is never replaced.

    Raises
    ------
    BenchError : for a name that cannot be shown, a target that is not there, and whatever is wrong with the table.
    """
    for what, text in (("--name", name), ("--featurizer", featurizer)):
        if not text.strip() or len(text) > NAME_LENGTH or not text.isprintable():
            raise BenchError(f"{what} must be 1 to {NAME_LENGTH} printable characters. Got {text[:100]!r}.")
    if target is None:
        if len(task.targets) > 1:
            raise BenchError(
                f"{task.card.name} has {len(task.targets)} targets: choose one with --target."
                f" There is: {', '.join(task.targets)}."
            )
        target = next(iter(task.targets))
    if target not in task.targets:
        raise BenchError(f"{task.card.name} has no target {target!r}.{nearest(target, task.targets)}")
    predictions, unused = place_predictions(read_predictions_table(table), task, folds, target, str(table))
    result = ResultId(task.card.name, target, folds.name, featurizer.strip(), name.strip(), seed)
    with store.claim(result, wait=True):
        earlier = store.record(result)
        if earlier is not None and not earlier.external:
            raise BenchError(f"{result}: was fitted here and is not replaced. Choose another --name or --featurizer.")
        about = _describe(result, task, folds, deep)
        found = scores(predictions, task.targets[target].value, len(folds))
        fitted = Fitted(
            device="elsewhere",
            threads=0,
            seconds={},
            rows=rows_of_parts(predictions, len(folds)),
            fitted_rows=[],
            spearman=found,
            history=[],
            versions={},
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
        store.write_result(about, _key(about, predictions), fitted, predictions, external=True)
    rows = {what: int((predictions.part == code).sum()) for what, code in PARTS.items()}
    means = {what: mean_of_scores(found[what], fitted.rows[what]) for what in PARTS}
    return Scored(result, found, means, rows, unused, earlier is not None)


def _describe(result: ResultId, task: Task, folds: Folds, deep: bool) -> Description:
    """What is known of a model that is not of this package: nothing but what its author says."""
    return Description(
        task=result.task,
        target=result.target,
        split=result.split,
        featurizer=result.featurizer,
        model=result.model,
        seed=result.seed,
        task_digest=content_of(task).of(result.target),
        folds_digest=folds.digest,
        role="sequence",
        gc_only=False,
        kind="table",
        deep=deep,
        stochastic=True,
        joint=[result.target],
    )


def _key(about: Description, predictions: Predictions) -> str:
    """Key of a result whose recipe is unknown: a hash of what it predicts, and of what."""
    content = hashlib.sha256(f"{about.result}\n{about.task_digest}\n{about.folds_digest}\n".encode())
    for values in (predictions.row, predictions.fold, predictions.part, predictions.prediction):
        content.update(np.ascontiguousarray(values).tobytes())
    return content.hexdigest()[:24]


def _first(wrong: NDArray[np.bool_] | pd.Series) -> int:
    """The first row of a mask, counted from 1."""
    return int(np.argmax(np.asarray(wrong))) + 1
