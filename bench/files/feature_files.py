"""Features that another program has made: a matrix of numbers and the id of each of its rows, from ``.npy``, Parquet or
zarr."""

from __future__ import annotations

import functools
import json
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
    if not len(values):
        raise BenchError(f"{path}: has no rows. Write one for each row of the task.")
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
    if not isinstance(values, np.ndarray):  # numpy opens an archive by its content, whatever the file is called
        values.close()
        raise BenchError(f"{path}: is an archive (.npz) of arrays, not one array. Write it with numpy.save.")
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
        features = _feature_columns(path, schema, name)
        dtype, width = _numbers(path, [schema.field(i) for i in features])
        values: NDArray[Any] | None = None
        ids: list[Any] = []
        for batch in file.iter_batches(batch_size=4096):
            columns = [batch.column(i) for i in features]
            if width is None:
                width = _width(columns[0])
            if values is None:
                values = _held((file.metadata.num_rows, width), dtype)
            values[len(ids) : len(ids) + len(batch)] = _block(path, columns, len(batch), width, dtype, len(ids))
            ids += batch.column(schema.names.index(name)).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise BenchError(f"{path}: not a readable Parquet file ({error}).") from None
    return np.zeros((0, 1), dtype) if values is None else values, ids


def _id_column(path: Path, schema: Any) -> str:
    """The column ``id``, else the only one of text."""
    import pyarrow.types as kind

    if schema.names.count("id") > 1:
        raise BenchError(f"{path}: has {schema.names.count('id')} columns 'id'. Leave one.")
    if "id" in schema.names:
        return "id"
    text = [
        each.name
        for each in schema
        if kind.is_string(each.type) or kind.is_large_string(each.type) or kind.is_string_view(each.type)
    ]
    if len(text) != 1:
        raise BenchError(f"{path}: needs a column 'id' besides those of the features. It has {len(text)} of text.")
    return str(text[0])


def _feature_columns(path: Path, schema: Any, name: str) -> list[int]:
    """Places of the columns of features: all but that of the ids and the index of a pandas table, which counts rows."""
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = {each for each in about.get("index_columns", []) if isinstance(each, str)}
    found = [i for i, each in enumerate(schema.names) if each != name and each not in index]
    if not found:
        raise BenchError(f"{path}: has no features, only the column {name!r}. Write the features beside it.")
    return found


def _is_list(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _numbers(path: Path, fields: Sequence[Any]) -> tuple[np.dtype[Any], int | None]:
    """The common dtype of columns, and how many they make; None where one column of lists makes them."""
    import pyarrow.types as kind

    if len(fields) == 1 and _is_list(fields[0].type):
        return np.dtype(fields[0].type.value_type.to_pandas_dtype()), None
    for each in fields:
        if not (kind.is_integer(each.type) or kind.is_floating(each.type) or kind.is_boolean(each.type)):
            raise BenchError(f"{path}: column {each.name!r} holds no numbers ({each.type}). Leave it out.")
    return np.result_type(np.bool_, *(each.type.to_pandas_dtype() for each in fields)), len(fields)


def _width(lists: Any) -> int:
    """Values in the first list of a column of them."""
    import pyarrow.compute as pc

    return int(pc.list_value_length(lists).fill_null(0)[0].as_py())


def _block(path: Path, columns: list[Any], rows: int, width: int, dtype: np.dtype[Any], before: int) -> NDArray[Any]:
    """Some rows of the columns as an array; a gap among numbers with a point becomes NaN, which is refused with its
    row."""
    if _is_list(columns[0].type):
        import pyarrow.compute as pc

        lengths = np.asarray(pc.list_value_length(columns[0]).fill_null(0))
        if (lengths != width).any() or columns[0].null_count:
            wrong = (lengths != width) | np.asarray(columns[0].is_null())
            row = before + int(np.argmax(wrong)) + 1
            raise BenchError(f"{path}: row {row} has not {width} values, as the first has. Give every row as many.")
        flat = columns[0].flatten()
        if flat.null_count and dtype.kind != "f":
            row, column = divmod(int(np.argmax(np.asarray(flat.is_null()))), width)
            raise _empty(path, before + row + 1, column + 1)
        return np.asarray(flat.to_numpy(zero_copy_only=False), dtype).reshape(rows, width)
    gaps = next((i for i, column in enumerate(columns) if column.null_count), None)
    if gaps is not None and dtype.kind != "f":
        raise _empty(path, before + int(np.argmax(np.asarray(columns[gaps].is_null()))) + 1, gaps + 1)
    return np.column_stack([np.asarray(column.to_numpy(zero_copy_only=False), dtype) for column in columns])


def _empty(path: Path, row: int, column: int) -> BenchError:
    return BenchError(f"{path}: row {row}, column {column} is empty. Write the features again without it.")


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
