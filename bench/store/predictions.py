"""Predictions of one result: the file that holds them, and what is counted and scored from them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.atomic import read_file
from bench.tasks.task import TEST, TRAIN, VALID

PartName = Literal["train", "valid", "test"]
PARTS: dict[PartName, int] = {"train": TRAIN, "valid": VALID, "test": TEST}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of one result: ``row`` int32 (position in rows.parquet), ``fold`` int8, ``part`` int8 (0 train,
    1 valid, 2 test) and ``prediction`` float32, all (m,).

    ``shuffled`` : float32 (m,), the mean prediction over dinucleotide shuffles of a test row, NaN where there is none
    (other parts, and rows beyond the most that are shuffled); None for a result without any.
    """

    row: NDArray[np.int32]
    fold: NDArray[np.int8]
    part: NDArray[np.int8]
    prediction: NDArray[np.float32]
    shuffled: NDArray[np.float32] | None = None


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions.parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "row": predictions.row.astype(np.int32),
        "fold": predictions.fold.astype(np.int8),
        "part": predictions.part.astype(np.int8),
        "prediction": predictions.prediction.astype(np.float32),
    }
    if predictions.shuffled is not None:
        columns["shuffled"] = predictions.shuffled.astype(np.float32)
    with path.open("wb") as stream:
        pq.write_table(pa.table(columns), stream, compression="zstd", use_dictionary=["fold", "part"])


def read_predictions(path: Path, crc32: int | None = None) -> Predictions:
    """Predictions of one file, with the checksum ``crc32`` where one was noted; an unreadable file is an error that
    names it and the fix."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"row": pa.int32(), "fold": pa.int8(), "part": pa.int8(), "prediction": pa.float32()}
    try:
        content = read_file(path)
        if crc32 is not None and zlib.crc32(content) != crc32:
            raise ValueError("it does not have the checksum that it was written with")
        # Not read_table: what it sets up for folders of files takes five times as long as a small file.
        table = pq.ParquetFile(pa.BufferReader(content)).read()
        if "shuffled" in table.column_names:
            types["shuffled"] = pa.float32()
        columns = [table.column(name).cast(kind) for name, kind in types.items()]
        if any(column.null_count for column in columns):
            raise ValueError("it has gaps")
    except (OSError, KeyError, ValueError, pa.ArrowException) as error:
        raise BenchError(
            f"{path}: cannot be read ({error}). Delete the folder and run again to refit this result.", status=1
        ) from error
    return Predictions(*(column.to_numpy() for column in columns))


def impossible(predictions: Predictions, rows: int, counts: dict[PartName, list[int]]) -> str:
    """What makes predictions ones that no fit on a task of so many rows can have made, in words; empty where nothing
    does. ``counts`` : rows of each part that the fit's record tells of, one number per fold."""
    row, fold, part = predictions.row, predictions.fold, predictions.part
    folds = len(counts["test"])
    if not len(row):
        return "holds no prediction"
    if row.min() < 0 or row.max() >= rows:
        return "predicts rows that the task does not have"
    if fold.min() < 0 or fold.max() >= folds or part.min() < TRAIN or part.max() > TEST:
        return "predicts for folds or parts that the split does not have"
    seen = np.zeros(rows * folds, np.bool_)
    seen[fold.astype(np.int64) * rows + row] = True
    if np.count_nonzero(seen) != len(row):
        return "predicts a row of a fold twice"
    if rows_of_parts(predictions, folds) != counts:
        return "holds other rows than its record says"
    shuffled = predictions.shuffled
    if not np.isfinite(predictions.prediction).all() or (shuffled is not None and np.isinf(shuffled).any()):
        return "some of its predictions are not numbers"
    return ""


def join(pieces: list[Predictions]) -> Predictions:
    """Predictions of several folds, or shares of their rows, one after the other."""
    shuffled = [piece.shuffled for piece in pieces if piece.shuffled is not None]
    names = ("row", "fold", "part", "prediction")
    joined = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in names}
    return Predictions(**joined, shuffled=np.concatenate(shuffled) if shuffled else None)


def rows_of_parts(predictions: Predictions, folds: int) -> dict[PartName, list[int]]:
    """Rows of each part, one number per fold."""
    return {
        what: np.bincount(predictions.fold[predictions.part == code], minlength=folds).tolist()
        for what, code in PARTS.items()
    }


def scores(predictions: Predictions, values: NDArray[np.float64], folds: int) -> dict[PartName, list[float | None]]:
    """Spearman within every fold, for each part; None where it is not defined (a constant prediction)."""
    from bench.stats.ranks import spearman

    out: dict[PartName, list[float | None]] = {}
    for what, code in PARTS.items():
        out[what] = []
        for fold in range(folds):
            mine = (predictions.part == code) & (predictions.fold == fold)
            rho = float(spearman(values[predictions.row[mine]], predictions.prediction[mine]))
            out[what].append(round(rho, 6) if np.isfinite(rho) else None)
    return out
