"""Features that another program has made: a matrix of numbers and the id of each of its rows, from ``.npy``, Parquet or
zarr."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.scratch import scratch_array

#: Endings of the files that are read.
ENDINGS = (".npy", ".parquet", ".zarr")
#: Bytes of a matrix above which it is read into a file without a name, not into memory (``.npy`` is mapped anyway).
LARGE = 1 << 30
#: Values that are looked at together.
BLOCK = 1 << 24
#: Ids that a message names.
FEW = 3


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """What a file holds.

    Attributes
    ----------
    path : of the matrix. ids : str (n,), each once. values : (n, columns), in the dtype of the file; it may be mapped.
    """

    path: Path
    ids: NDArray[Any]
    values: NDArray[Any]

    @property
    def columns(self) -> int:
        """Columns of the matrix."""
        return int(self.values.shape[1])

    def places(self, wanted: NDArray[Any]) -> NDArray[np.int64]:
        """The row of each id, int64 (m,); -1 where there is none."""
        return np.asarray(_index(self).get_indexer(np.asarray(wanted, object)), np.int64)

    def rows(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """Some rows, (m, columns): numbers with a point as float32, half-precision ones too, others as they are.

        Raises
        ------
        BenchError : for NaN, infinity, and what float32 cannot hold, with row and id.
        """
        values = np.asarray(self.values[places])
        if values.dtype.kind != "f":
            return values
        with np.errstate(over="ignore"):
            values = values.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            row, column = (int(each) for each in np.argwhere(~np.isfinite(values))[0])
            place = int(places[row])
            raise BenchError(
                f"{self.path}: row {place + 1} (id {str(self.ids[place])!r}), column {column + 1} is"
                f" {np.asarray(self.values[place, column])}, which is no finite float32. Write the features again"
                " without it."
            )
        return values

    def check(self, places: NDArray[np.int64]) -> None:
        """Read rows once and refuse what ``rows`` refuses."""
        step = max(BLOCK // max(self.columns, 1), 1)
        places = np.sort(places)
        for first in range(0, len(places), step):
            self.rows(places[first : first + step])


def read_features(path: Path, ids: Path | None = None) -> FeatureMatrix:
    """The matrix and the ids of a file.

    Parameters
    ----------
    ids : a text file with the id of each row, one a line. Without one: ``NAME.ids.txt`` beside a ``NAME.npy`` or a
        zarr array; the id column of a Parquet file; the array ``ids`` of a zarr group.

    Raises
    ------
    BenchError : for a file that is no such matrix, that has no ids, other ids than rows, or an id twice.
    """
    return _read(path, ids, _state(path), None if ids is None else _state(ids))


def ids_beside(path: Path) -> Path:
    """Where the ids of a matrix without ids of its own are looked for."""
    return path.with_name(f"{path.stem}.ids.txt")


def _state(path: Path) -> tuple[int, ...]:
    try:
        about = path.stat()
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    return about.st_size, about.st_mtime_ns, about.st_ino


@functools.lru_cache(maxsize=4)
def _read(path: Path, ids: Path | None, *states: Any) -> FeatureMatrix:
    """``read_features``, once while the files stay the same."""
    readers: dict[str, Callable[[Path], tuple[NDArray[Any], Sequence[Any] | None]]] = {
        ".npy": _npy,
        ".parquet": _parquet,
        ".zarr": _zarr,
    }
    if path.suffix not in readers:
        raise BenchError(f"{path}: features must be a file that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    values, own = readers[path.suffix](path)
    if values.ndim != 2 or values.shape[1] == 0:
        raise BenchError(
            f"{path}: features must be a matrix (rows, columns). Got the shape {values.shape}: average or pool over"
            " positions first."
        )
    if values.dtype.kind not in "buif" or values.dtype.itemsize > 8:
        raise BenchError(f"{path}: features must be numbers. Got dtype {values.dtype}: save float16 or float32.")
    names = _names(path, ids, own)
    if len(names) != len(values):
        where = ids or (path if own is not None else ids_beside(path))
        raise BenchError(f"{where}: has {len(names):,} ids for {len(values):,} rows of {path.name}. Give one id a row.")
    unique, first, times = np.unique(names, return_index=True, return_counts=True)
    if len(unique) < len(names):
        twice = unique[times > 1][np.argsort(first[times > 1])]
        shown = ", ".join(map(repr, map(str, twice[:FEW])))
        more = len(twice) - FEW
        raise BenchError(
            f"{path}: {len(twice):,} ids are there more than once: {shown}{' ...' if more > 0 else ''}. Leave one row"
            " for each."
        )
    return FeatureMatrix(path, names, values)


@functools.lru_cache(maxsize=4)
def _index(matrix: FeatureMatrix) -> Any:
    import pandas as pd

    return pd.Index(matrix.ids.astype(object))


def _names(path: Path, ids: Path | None, own: Sequence[Any] | None) -> NDArray[Any]:
    if ids is None and own is not None:
        if None in own:
            raise BenchError(f"{path}: row {own.index(None) + 1} has no id. Give one id a row.")
        return np.array([each.decode() if isinstance(each, bytes) else str(each) for each in own], np.str_)
    place = ids or ids_beside(path)
    if not place.is_file():
        raise BenchError(
            f"{path}: has no ids of its rows, and there is no {place}. Write one id a line there, in the order of the"
            " rows, or name the file with --ids (bench data export writes the ids of a task)."
        )
    try:
        text = place.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{place}: not a readable text file ({error}). Write one id a line.") from None
    lines = [line.strip() for line in text.splitlines()]
    if "" in lines:
        raise BenchError(f"{place}: line {lines.index('') + 1} is empty. Write one id a line.")
    return np.array(lines, np.str_)


def _npy(path: Path) -> tuple[NDArray[Any], None]:
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BenchError(f"{path}: not a readable .npy of numbers ({error}). Write it with numpy.save.") from None
    return values, None


def _held(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Where a matrix is read to."""
    return np.empty(shape, dtype) if int(np.prod(shape)) * dtype.itemsize <= LARGE else scratch_array(shape, dtype)


def _parquet(path: Path) -> tuple[NDArray[Any], Sequence[Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
        name = _id_column(path, schema)
        dtype, width = _numbers(path, schema, name)
        values: NDArray[Any] | None = None
        ids: list[Any] = []
        for batch in file.iter_batches(batch_size=4096):
            columns = [batch.column(i) for i in range(len(schema)) if schema.names[i] != name]
            if width is None:
                width = len(columns[0].flatten()) // max(len(batch), 1)
            if values is None:
                values = _held((file.metadata.num_rows, width), dtype)
            values[len(ids) : len(ids) + len(batch)] = _block(path, columns, len(batch), width, dtype, len(ids))
            ids += batch.column(schema.names.index(name)).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise BenchError(f"{path}: not a readable Parquet file ({error}).") from None
    return np.zeros((0, 1), dtype) if values is None else values, ids


def _id_column(path: Path, schema: Any) -> str:
    """The column ``id``, else the only one of text."""
    import pyarrow as pa

    text = [each.name for each in schema if pa.types.is_string(each.type) or pa.types.is_large_string(each.type)]
    if "id" in schema.names:
        return "id"
    if len(text) != 1:
        raise BenchError(f"{path}: needs a column 'id' besides those of the features. It has {len(text)} of text.")
    return str(text[0])


def _numbers(path: Path, schema: Any, name: str) -> tuple[np.dtype[Any], int | None]:
    """The common dtype of the columns but one, and how many they make; None where one column of lists makes them."""
    import pyarrow as pa

    others = [each for each in schema if each.name != name]
    if len(others) == 1 and (pa.types.is_list(others[0].type) or pa.types.is_fixed_size_list(others[0].type)):
        return np.dtype(others[0].type.value_type.to_pandas_dtype()), None
    for each in others:
        numbers = pa.types.is_integer(each.type) or pa.types.is_floating(each.type) or pa.types.is_boolean(each.type)
        if not numbers:
            raise BenchError(f"{path}: column {each.name!r} holds no numbers ({each.type}). Leave it out.")
    return np.result_type(np.bool_, *(each.type.to_pandas_dtype() for each in others)), len(others)


def _block(path: Path, columns: list[Any], rows: int, width: int, dtype: np.dtype[Any], before: int) -> NDArray[Any]:
    """Some rows of the columns as an array; a gap becomes NaN, which is refused with its row."""
    import pyarrow as pa

    if pa.types.is_list(columns[0].type) or pa.types.is_fixed_size_list(columns[0].type):
        import pyarrow.compute as pc

        lengths = np.asarray(pc.list_value_length(columns[0]).fill_null(0))
        if (lengths != width).any():
            row = before + int(np.argmax(lengths != width)) + 1
            raise BenchError(f"{path}: row {row} has not {width} values, as the first has. Give every row as many.")
        return np.asarray(columns[0].flatten().to_numpy(zero_copy_only=False), dtype).reshape(rows, width)
    gaps = next((i for i, column in enumerate(columns) if column.null_count), None)
    if gaps is not None and dtype.kind != "f":
        row = before + int(np.argmax(np.asarray(columns[gaps].is_null()))) + 1
        raise BenchError(f"{path}: row {row}, column {gaps + 1} is empty. Write the features again without it.")
    return np.column_stack([np.asarray(column.to_numpy(zero_copy_only=False), dtype) for column in columns])


def _zarr(path: Path) -> tuple[NDArray[Any], Sequence[Any] | None]:
    try:
        import zarr
    except ImportError:
        raise BenchError(
            f"{path}: zarr is not installed (pip install zarr), or save the features as .npy or .parquet."
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr's own, of arrays of text
            found: Any = zarr.open(str(path), mode="r")
            return _of_zarr(path, found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{path}: not a readable zarr array or group ({error}).") from None


def _of_zarr(path: Path, found: Any) -> tuple[NDArray[Any], Sequence[Any] | None]:
    ids: list[Any] | None = None
    if not hasattr(found, "shape"):
        arrays = dict(found.arrays())
        matrices = [name for name, array in arrays.items() if len(array.shape) == 2]
        if "ids" not in arrays or len(matrices) != 1:
            raise BenchError(f"{path}: a zarr group needs the array 'ids' and one matrix. It has {sorted(arrays)}.")
        ids, found = np.asarray(arrays["ids"][:]).ravel().tolist(), arrays[matrices[0]]
    values = _held(tuple(found.shape), np.dtype(found.dtype))
    step = max(BLOCK // max(int(np.prod(found.shape[1:])), 1), 1)
    for first in range(0, found.shape[0], step):
        values[first : first + step] = found[first : first + step]
    return values, ids
