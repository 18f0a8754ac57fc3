"""Predictions of one result, and the file that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError


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
            f"{path}: cannot be read ({error}). Delete the folder and run again to refit this result.", status=1
        ) from error
    return Predictions(*(column.to_numpy() for column in columns))
