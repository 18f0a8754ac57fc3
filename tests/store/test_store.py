import json
import multiprocessing
import os
import stat

import numpy as np
import pytest
from stored import A_RESULT, description, fitted

from bench.errors import BenchError
from bench.files.atomic import atomic, write_json
from bench.store.predictions import Predictions, read_predictions
from bench.store.store import PREDICTIONS, RECORD, Store
from bench.tasks.task_file import load_task_file


def some(n=20, seed=0):
    rng = np.random.default_rng(seed)
    return Predictions(
        np.arange(n, dtype=np.int32),
        np.zeros(n, np.int8),
        rng.integers(0, 3, n).astype(np.int8),
        rng.normal(size=n).astype(np.float32),
    )


def test_what_is_written_is_read(tmp_path):
    store = Store(tmp_path)
    wrote = some()
    store.write_result(description(), "k1", fitted(), wrote)
    read = store.predictions(A_RESULT)
    for name in ("row", "fold", "part", "prediction"):
        np.testing.assert_array_equal(getattr(read, name), getattr(wrote, name))
        assert getattr(read, name).dtype == getattr(wrote, name).dtype
    assert store.has(A_RESULT, "k1")
    assert not store.has(A_RESULT, "k2")
    assert [record.key for _, record in store.records()] == ["k1"]


@pytest.mark.parametrize(
    "damage",
    ["cut json", "no json", "cut parquet", "no parquet", "no format", "no object", "other kind", "one bit", "deep"],
)
def test_a_damaged_result_counts_as_absent(tmp_path, damage):
    store = Store(tmp_path)
    store.write_result(description(), "k1", fitted(), some())
    record, predictions = store.folder(A_RESULT) / RECORD, store.folder(A_RESULT) / PREDICTIONS
    match damage:
        case "cut json":
            record.write_text(record.read_text()[:30])
        case "no json":
            record.unlink()
        case "cut parquet":
            predictions.write_bytes(predictions.read_bytes()[:-7])
        case "no parquet":
            predictions.unlink()
        case "no format":
            record.write_text(json.dumps({**json.loads(record.read_text()), "format": 0}))
        case "no object":
            record.write_text("[1, 2]")
        case "other kind":
            record.write_text(json.dumps({**json.loads(record.read_text()), "rows": "many"}))
        case "one bit":
            content = bytearray(predictions.read_bytes())
            content[len(content) // 2] ^= 1
            predictions.write_bytes(content)
        case "deep":
            record.write_text("[" * 100_000)
    assert not store.has(A_RESULT, "k1")
    store.write_result(description(), "k1", fitted(), some())
    assert store.has(A_RESULT, "k1")


def test_unreadable_predictions_are_named_with_a_fix(tmp_path):
    path = tmp_path / PREDICTIONS
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(BenchError, match=r"predictions\.parquet: cannot be read .* run again"):
        read_predictions(path)


def test_the_rows_of_a_task_are_written_again_when_damaged(tmp_path, small_task):
    task = load_task_file(small_task)
    store = Store(tmp_path / "out")
    gc = np.full(len(task), 0.5, np.float32)
    store.write_task(task, gc)
    rows, card = (store.task_folder("small") / name for name in ("rows.parquet", "task.json"))
    whole = rows.read_bytes()
    for damage in (whole[:-9], whole[:40] + b"x" + whole[41:], None):
        rows.unlink() if damage is None else rows.write_bytes(damage)
        assert [path for path, _ in store.unreadable()] == [card]
        store.write_task(task, gc)
        assert rows.read_bytes() == whole
    card.write_text(card.read_text()[:50])
    assert [why for _, why in store.unreadable()] == ["cannot be read. Run again to write it again"]
    store.write_task(task, gc)
    assert list(store.unreadable()) == []


def test_what_cannot_be_read_is_named(tmp_path):
    store = Store(tmp_path)
    path = store.folder(A_RESULT) / RECORD
    for change, said in (
        ({"format": 999}, "is of format 999, newer than this version of bench reads (2). Upgrade bench to read it"),
        ({"format": 0}, "has no proper 'format'. Run again to write it again"),
        ({"format": True}, "has no proper 'format'. Run again to write it again"),
        ({"seed": "0"}, "has no proper 'seed'. Run again to write it again"),
        ({"lane": 1}, "has an unknown field 'lane'. Run again to write it again"),
    ):
        store.write_result(description(), "k1", fitted(), some())
        assert list(store.unreadable()) == []
        write_json(path, {**json.loads(path.read_text()), **change})
        assert list(store.unreadable()) == [(path, said)]
        assert list(store.records()) == []


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_and_stop():
        with atomic(path) as temporary:
            temporary.write_text("new")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_stop()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failure_stands_beside_an_old_result_and_gives_way_to_a_new_one(tmp_path):
    store = Store(tmp_path)
    store.write_result(description(), "k1", fitted(), some())
    log = store.write_failure(description(), "no luck", "line 1\nline 2")
    assert store.has(A_RESULT, "k1")
    assert log.read_text() == "line 1\nline 2"
    assert [note.reason for _, note in store.failures()] == ["no luck"]
    store.write_result(description(), "k2", fitted(), some())
    assert store.has(A_RESULT, "k2")
    assert list(store.failures()) == []
    assert not log.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_said_at_once(tmp_path):
    tmp_path.chmod(stat.S_IREAD | stat.S_IEXEC)
    with pytest.raises(BenchError, match="cannot write there"):
        Store(tmp_path / "out").check_writable()


def test_a_file_where_the_folder_should_be_is_said(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(BenchError, match="give another folder with --out"):
        Store(tmp_path / "out").check_writable()


def _hold(root, ready, release):
    with Store(root).claim(A_RESULT, wait=True) as mine:
        assert mine
        ready.set()
        release.wait(30)


def test_a_claim_holds_across_processes_and_dies_with_its_holder(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, ready, release))
    process.start()
    try:
        assert ready.wait(60)
        with Store(tmp_path).claim(A_RESULT, wait=False) as mine:
            assert not mine
        process.kill()
        process.join()
        with Store(tmp_path).claim(A_RESULT, wait=False) as mine:
            assert mine
    finally:
        process.kill()
        process.join()


def test_rows_of_a_task_are_kept_for_reports(tmp_path, small_task):
    import pandas as pd

    task = load_task_file(small_task)
    store = Store(tmp_path / "out")
    store.write_task(task, np.full(len(task), 0.5, np.float32))
    rows = pd.read_parquet(store.task_folder("small") / "rows.parquet")
    assert list(rows["row_id"]) == list(task.row_id)
    np.testing.assert_array_equal(rows["y:t0:y0_1"], task.targets["t0"].replicates[:, 0])
    assert "x:dna_count" in rows
