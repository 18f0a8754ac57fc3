"""Folders of older formats are read as they are; what is written again is of the present one.

``data/format-1`` was written by commit 0ff8f3f (60 rows, three folds; its failed.log and plan.json were cut short).
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from small_results import files
from small_tasks import write_small_task
from stored import description, fitted

from bench.board.load import find_tasks, load_board, load_rows
from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.report import write_board
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.store.clean import leftovers
from bench.store.format import FORMAT
from bench.store.merge import merge, plan_merge
from bench.store.predictions import Predictions
from bench.store.record import FoldsRecord, PlanRecord, ResultRecord, State, TaskRecord, read_record, record_text
from bench.store.result import ResultId
from bench.store.store import PLAN, RECORD, TASK, Store, folds_file

OLD = Path(__file__).parent / "data" / "format-1"
SPLIT = "chromosome-kfold[k=3]"
FOLDS = "a472d97e2026"
NULL = ResultId("small", "t0", SPLIT, "none", "mean", 0)
RIDGE = ResultId("small", "t0", SPLIT, "gc", "ridge", 0)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the old folder of results."""
    return Path(shutil.copytree(OLD, tmp_path / "old"))


def test_every_file_of_format_1_is_read(old):
    store = Store(old)
    found = {str(stored.result): stored for stored in store.results()}
    assert {stored.state for stored in found.values()} == {State.CURRENT, State.FAILED}
    assert {stored.path.name for stored in found.values()} == {"cell.json", "failed.json"}
    records = {(record.featurizer, record.model): record for _, record in store.records()}
    assert {pair: record.role for pair, record in records.items()} == {
        ("none", "mean"): "null",
        ("gc", "ridge"): "sequence",
        ("external", "my net"): "sequence",
    }
    external = records["external", "my net"]
    assert (external.external, external.deep, external.fitted_rows) == (True, True, [])
    written = json.loads((old / RIDGE.path / "cell.json").read_text())
    read = records["gc", "ridge"].model_dump()
    assert {name: read[name] for name in written} == written | {"format": FORMAT}
    assert store.has(RIDGE, written["key"])
    assert [(note.featurizer, note.reason) for _, note in store.failures()] == [("fails", "RuntimeError: no luck")]
    task = read_record(TaskRecord, old / "small" / TASK).record
    assert task is not None
    assert (task.rows, task.card.name, [target.name for target in task.targets]) == (60, "small", ["t0"])
    plan = read_record(PlanRecord, old / "small" / PLAN).record
    assert plan is not None
    assert [(skip.featurizer, skip.model) for skip in plan.skipped] == [("barcodes", None), ("dinucleotides", "cnn")]
    folds = read_record(FoldsRecord, old / "small" / folds_file(FOLDS)).record
    assert folds is not None
    assert (folds.split, folds.folds_digest) == (SPLIT, FOLDS)
    assert list(store.unreadable()) == []


def test_the_board_of_format_1_has_its_results(old):
    before = {name: content for name, content in files(old).items() if name.endswith(("cell.json", ".parquet", TASK))}
    task = find_tasks(old)[0]
    board = load_board(task, task.boards[0], load_rows(task.folder, task.record))
    assert board is not None
    assert {result.name: result.role for result in board.results} == {
        "external + my net": "sequence",
        "gc + ridge": "sequence",
        "none + mean": "null",
    }
    text = write_board(old).read_text(encoding="utf-8")
    # the score that commit 0ff8f3f printed; intervals are made another way since
    assert "0.959 [" in text
    assert "RuntimeError: no luck" in text
    assert {name: files(old)[name] for name in before} == before
    assert leftovers(old, failed=False, stale=True) == []


def test_what_is_written_again_takes_the_place_of_the_old_file(old):
    store = Store(old)
    predictions = Predictions(*(np.zeros(3, kind) for kind in (np.int32, np.int8, np.int8, np.float32)))
    store.write_result(description(NULL, role="null"), "k", fitted(), predictions)
    assert sorted(path.name for path in (old / NULL.path).iterdir()) == ["predictions.parquet", RECORD]
    assert store.has(NULL, "k")
    assert json.loads((old / NULL.path / RECORD).read_text())["format"] == FORMAT
    store.write_failure(description(RIDGE), "no luck")
    assert (old / RIDGE.path / "cell.json").exists()  # a failed fit takes nothing away


def test_the_new_file_holds_while_the_old_one_is_still_there(old):
    """As a kill between the writing of one and the removal of the other leaves them."""
    record = Store(old).record(NULL)
    (old / NULL.path / RECORD).write_text(record_text(record.model_copy(update={"key": "new"})))
    assert Store(old).has(NULL, "new")
    assert len([stored for stored in Store(old).results() if stored.result == NULL]) == 1


def test_merging_writes_the_present_format(old, tmp_path):
    out = tmp_path / "out"
    plan = plan_merge([old], out)
    assert (len(plan.results), len(plan.failures)) == (3, 1)
    merge(plan, out)
    assert {path.name for path in out.rglob("*.json")} == {RECORD, TASK, PLAN, folds_file(FOLDS), "failed.json"}
    for path in (*out.rglob(RECORD), *out.rglob(TASK)):
        assert json.loads(path.read_text())["format"] == FORMAT
    assert plan_merge([old], out).results == []
    assert plan_merge([old], out).identical == 3


def test_a_run_in_an_old_folder_refits_and_leaves_one_record(old, tmp_path):
    task = str(write_small_task(tmp_path / "data", rows=60))
    selection, registry, store = Selection((task,), ("gc",), ("ridge",)), Registry(), Store(old)
    before = store.predictions(RIDGE)
    # The key is a hash of the sources too, which have moved since.
    record = store.record(RIDGE)
    (old / RIDGE.path / "cell.json").write_text(record_text(record.model_copy(update={"key": "older", "format": 1})))
    outcome = run_plan(make_plan(selection, registry, store), registry, store, Console(quiet=True))
    assert outcome.fitted == [RIDGE]
    assert sorted(path.name for path in (old / RIDGE.path).iterdir()) == ["predictions.parquet", RECORD]
    # the target was the mean of the replicates then, and is that of their ranks now
    assert np.corrcoef(store.predictions(RIDGE).prediction, before.prediction)[0, 1] > 0.999


def test_a_newer_format_is_refused_and_never_replaced(old, tmp_path):
    def newer(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT + 1}))

    said = f"is of format {FORMAT + 1}, newer than this version of bench reads ({FORMAT}). Upgrade bench to read it"
    store, place = Store(old), old / RIDGE.path / "cell.json"
    newer(place)
    task = write_small_task(tmp_path / "data", rows=60)
    selection = Selection((str(task),), ("gc",), ("ridge",))
    with pytest.raises(BenchError) as caught:
        make_plan(selection, Registry(), store)
    assert str(caught.value) == f"{place}: {said}."
    assert list(store.unreadable()) == [(place, said)]
    assert said in write_board(old).read_text(encoding="utf-8")
    assert leftovers(old, failed=False, stale=True) == []
    with pytest.raises(BenchError, match="Upgrade bench"):
        plan_merge([old], tmp_path / "out")
    newer(old / "small" / TASK)
    with pytest.raises(BenchError, match=r"task\.json: is of format 3, .* Upgrade bench"):
        write_board(old)
    before = files(old)
    with pytest.raises(BenchError, match=r"task\.json: is of format 3, .* Upgrade bench"):
        store.write_task(make_plan(selection, Registry(), Store(tmp_path / "new")).tasks[0].task, np.zeros(60))
    assert files(old) == before


def test_upgrading_changes_no_record_of_the_present_format(tmp_path):
    record = read_record(ResultRecord, OLD / RIDGE.path / "cell.json").record
    path = tmp_path / RECORD
    path.write_text(record_text(record))
    assert read_record(ResultRecord, path).record == record
    assert list(json.loads(path.read_text()))[:2] == ["format", "key"]
