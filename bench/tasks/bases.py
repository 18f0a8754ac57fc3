"""The bases of a table's rows, checked letter by letter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.sequences import CODE_OF_BYTE, Sequences
from bench.tasks.columns import Columns
from bench.tasks.problems import such

#: Kind of every byte of a sequence: 0 a base, 1 N, 2 another IUPAC letter, 3 nothing that belongs there.
_BYTE = np.full(256, 3, np.uint8)
for _kind, _letters in enumerate((b"ACGTUacgtu", b"Nn", b"RYSWKMBDHVryswkmbdhv")):
    _BYTE[list(_letters)] = _kind

#: What stands for missing bases and consists of IUPAC letters.
_MISSING = ("NA", "na", "NaN", "nan", "NAN")


def read_bases(
    table: Columns, column: str, covariates: Mapping[str, NDArray[np.float64]]
) -> tuple[Sequences, dict[str, int]]:
    """Sequences of a column, as written (strand is not applied to them), and what was read as N, counted for people.

    An empty sequence, and a letter that is none of the IUPAC code, are problems of the table.
    """
    import pyarrow as pa
    from pyarrow import compute

    strings = pa.array(table.strings(column), pa.large_string(), from_pandas=True).fill_null("")
    # Letter by letter they would be bases, most of them N.
    strings = compute.if_else(compute.is_in(strings, pa.array(_MISSING, pa.large_string())), "", strings)
    raw, stop = _bytes(strings)
    start = np.concatenate([[0], stop[:-1]]).astype(np.int64)
    empty = start == stop
    if empty.any():
        table.say(
            f"{table.where(int(np.argmax(empty)))} has an empty sequence{such(int(empty.sum()))}. Give its bases or"
            " drop it.",
            "empty sequence",
        )
    kind = _BYTE[raw]
    known = np.concatenate([[0], np.cumsum(kind == 0)])
    void = int((~empty & (known[stop] == known[start])).sum())
    if (wrong := kind == 3).any():
        at = int(np.argmax(wrong))
        row = int(np.searchsorted(stop, at, side="right"))
        letter = bytes(raw[at : int(stop[row])]).decode("utf-8", "replace")[0]
        rows = len(np.unique(np.searchsorted(stop, np.flatnonzero(wrong), side="right")))
        table.say(
            f"{table.where(row)}, column {column!r} has {letter!r}, which is no base{such(rows)}. Only A, C, G, T, U, N"
            " and the IUPAC letters may stand there.",
            "no base",
        )
    said = {"IUPAC letters read as N": int((kind == 2).sum()), "rows of nothing but N": void}
    sequences = Sequences.from_intervals(CODE_OF_BYTE[raw], start, stop, covariates=covariates)
    return sequences, {what: count for what, count in said.items() if count}


def _bytes(strings: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all strings end to end, and where each ends. No string becomes an object of Python."""
    import pyarrow as pa

    if isinstance(strings, pa.ChunkedArray):
        strings = strings.combine_chunks()
    _, offsets, content = strings.buffers()
    stops = np.frombuffer(offsets, np.int64)[strings.offset : strings.offset + len(strings) + 1]
    raw = np.frombuffer(content or b"", np.uint8)[int(stops[0]) : int(stops[-1])]
    return raw, (stops[1:] - stops[0]).astype(np.int64)
