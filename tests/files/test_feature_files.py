"""Files of features made elsewhere: what is read, and what is refused in one line."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from bench.errors import BenchError
from bench.files.feature_files import read_features

IDS = [f"e{i}" for i in range(50)]


def matrix(dtype="float16"):
    return np.random.default_rng(0).normal(size=(50, 7)).astype(dtype)


def write_npy(folder, values, ids=IDS, name="emb"):
    np.save(folder / f"{name}.npy", values)
    (folder / f"{name}.ids.txt").write_text("\n".join(ids) + "\n")
    return folder / f"{name}.npy"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "int16"])
def test_npy_is_mapped_and_found_by_id(tmp_path, dtype):
    values = (matrix("float64") * 20).astype(dtype)
    found = read_features(write_npy(tmp_path, values))
    assert isinstance(found.values, np.memmap)
    assert found.values.dtype == dtype
    places = found.places(np.array(["e7", "e3", "nobody"]))
    assert places.tolist() == [7, 3, -1]
    rows = found.rows(places[:2])
    assert rows.dtype == (np.float32 if np.dtype(dtype).kind == "f" else dtype)
    np.testing.assert_array_equal(rows, values[[7, 3]].astype(rows.dtype))


@pytest.mark.parametrize("layout", ["columns", "half", "lists", "fixed", "integers"])
def test_parquet(tmp_path, layout):
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = matrix("float32")
    if layout == "integers":
        values = (values * 10).astype(np.int16)
    if layout in ("lists", "fixed"):
        kind = pa.list_(pa.float32()) if layout == "lists" else pa.list_(pa.float32(), 7)
        columns = {"embedding": pa.array(values.tolist(), kind)}
    else:
        held = values.astype(np.float16) if layout == "half" else values
        columns = {f"f{i}": pa.array(held[:, i]) for i in range(7)}
        values = held
    pq.write_table(pa.table({"name": pa.array(IDS), **columns}), tmp_path / "emb.parquet", row_group_size=11)
    found = read_features(tmp_path / "emb.parquet")
    assert found.ids.tolist() == IDS
    np.testing.assert_array_equal(found.rows(np.arange(50)), values.astype(found.rows(np.arange(1)).dtype))


def test_parquet_takes_the_column_called_id(tmp_path):
    import pandas as pd

    pd.DataFrame({"id": range(50), "a": matrix()[:, 0].astype(np.float32)}).to_parquet(tmp_path / "emb.parquet")
    assert read_features(tmp_path / "emb.parquet").ids.tolist() == [str(i) for i in range(50)]


@pytest.mark.parametrize("lists", [False, True])
def test_the_index_of_a_pandas_table_is_no_feature(tmp_path, lists):
    import pandas as pd

    values = matrix("float32")
    columns = {"x": list(values)} if lists else {f"f{i}": values[:, i] for i in range(7)}
    frame = pd.DataFrame({"id": IDS, **columns})
    shuffled = frame.sample(frac=1, random_state=1)  # pandas writes its index then, as __index_level_0__
    for each in (shuffled, shuffled.rename_axis("row"), shuffled.set_index(["id", shuffled.index])):
        each.to_parquet(tmp_path / "emb.parquet")
        found = read_features(tmp_path / "emb.parquet")
        assert found.columns == 7
        np.testing.assert_array_equal(found.rows(found.places(np.array(IDS))), values)


@pytest.mark.parametrize("text", ["large_string", "string_view"])
def test_types_of_other_writers_of_parquet(tmp_path, text):
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = matrix("float32")
    lists = pa.array(values.tolist(), pa.large_list(pa.float32()))  # as polars writes them
    pq.write_table(pa.table({"name": pa.array(IDS, getattr(pa, text)()), "x": lists}), tmp_path / "emb.parquet")
    np.testing.assert_array_equal(read_features(tmp_path / "emb.parquet").rows(np.arange(50)), values)


def test_ids_of_another_file(tmp_path):
    path = write_npy(tmp_path, matrix())
    other = tmp_path / "other.txt"
    other.write_text("\n".join(IDS[::-1]))
    assert read_features(path, other).ids.tolist() == IDS[::-1]


def test_a_file_that_changes_is_read_again(tmp_path):
    path = write_npy(tmp_path, matrix())
    assert read_features(path).columns == 7
    write_npy(tmp_path, matrix()[:, :5])
    assert read_features(path).columns == 5


def refused(path, *ids):
    with pytest.raises(BenchError) as error:
        read_features(path, *ids)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_matrix_is_refused(tmp_path):
    assert "ends in .npy" in refused_name(tmp_path, "emb.csv")
    assert "shape (50, 7, 1)" in refused(write_npy(tmp_path, matrix()[:, :, None]))
    np.save(tmp_path / "words.npy", np.array([["a", "b"]] * 50))
    (tmp_path / "words.ids.txt").write_text("\n".join(IDS))
    assert "must be numbers" in refused(tmp_path / "words.npy")
    np.save(tmp_path / "objects.npy", np.array([[None]] * 50), allow_pickle=True)
    assert "not a readable .npy" in refused(tmp_path / "objects.npy")
    (tmp_path / "cut.npy").write_bytes(write_npy(tmp_path, matrix()).read_bytes()[:200])
    assert "not a readable .npy" in refused(tmp_path / "cut.npy")
    assert "cannot be read" in refused(tmp_path / "absent.npy")
    np.savez(tmp_path / "several.npz", a=matrix())
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    assert "has no rows" in refused(write_npy(tmp_path, matrix()[:0], [], "none"))
    assert "is an archive (.npz)" in refused(tmp_path / "several.npy")


def refused_name(folder, name):
    (folder / name).write_text("x")
    return refused(folder / name)


def test_ids_that_do_not_fit_are_refused(tmp_path):
    path = write_npy(tmp_path, matrix(), IDS[:-1])
    assert "49 ids for 50 rows" in refused(path)
    path = write_npy(tmp_path, matrix(), [*IDS[:-2], "e0", "e1"])
    assert "2 ids are there more than once: 'e0', 'e1'" in refused(path)
    (tmp_path / "emb.ids.txt").write_text("e1\n\ne2\n")
    assert "line 2 is empty" in refused(path)
    (tmp_path / "emb.ids.txt").unlink()
    assert "emb.ids.txt" in refused(path)
    assert "--ids" in refused(path)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_with_its_row(tmp_path, wrong):
    values = matrix()
    values[17, 4] = wrong
    found = read_features(write_npy(tmp_path, values))
    found.rows(np.arange(17))
    with pytest.raises(BenchError, match=r"row 18 \(id 'e17'\), column 5"):
        found.check(np.arange(50))


def test_a_double_that_float32_cannot_hold_is_refused(tmp_path):
    values = matrix("float64")
    values[3, 2] = 1e200
    with pytest.raises(BenchError, match="row 4"):
        read_features(write_npy(tmp_path, values)).check(np.arange(50))


def test_gaps_of_parquet_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": ["a", "b"], "x": pa.array([1.0, None])}), tmp_path / "gap.parquet")
    with pytest.raises(BenchError, match="row 2"):
        read_features(tmp_path / "gap.parquet").check(np.arange(2))
    pq.write_table(pa.table({"id": ["a", "b"], "x": pa.array([1, None])}), tmp_path / "gap.parquet")
    assert "row 2" in refused(tmp_path / "gap.parquet")
    pq.write_table(pa.table({"id": ["a", None], "x": [1.0, 2.0]}), tmp_path / "gap.parquet")
    assert "row 2 has no id" in refused(tmp_path / "gap.parquet")
    lists = pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ["a", "b"], "x": lists}), tmp_path / "gap.parquet")
    assert refused(tmp_path / "gap.parquet")
    integers = pa.array([[1, 2], [3, None]], pa.list_(pa.int64()))
    pq.write_table(pa.table({"id": ["a", "b"], "x": integers}), tmp_path / "gap.parquet")
    assert "row 2, column 2 is empty" in refused(tmp_path / "gap.parquet")
    missing = pa.array([[1.0, 2.0], None], pa.list_(pa.float32()))
    pq.write_table(pa.table({"id": ["a", "b"], "x": missing}), tmp_path / "gap.parquet")
    assert "row 2 has not 2 values" in refused(tmp_path / "gap.parquet")
    pq.write_table(pa.table({"id": ["a", "b"]}), tmp_path / "gap.parquet")
    assert "has no features" in refused(tmp_path / "gap.parquet")
    pq.write_table(pa.table({"x": ["a", "b"], "y": ["a", "b"]}), tmp_path / "gap.parquet")
    assert "column 'id'" in refused(tmp_path / "gap.parquet")


def test_zarr_is_read_or_named_as_missing(tmp_path):
    try:
        import zarr
    except ImportError:
        (tmp_path / "emb.zarr").mkdir()
        assert "pip install zarr" in refused(tmp_path / "emb.zarr")
        return
    values = matrix()
    group = zarr.open_group(str(tmp_path / "emb.zarr"), mode="w")
    group["features"] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of text, zarr says that its format may change
        group["ids"] = np.array(IDS)
    found = read_features(tmp_path / "emb.zarr")
    np.testing.assert_array_equal(found.rows(np.arange(50)), values.astype(np.float32))
    assert found.ids.tolist() == IDS
