"""The state of every result in a folder: copied, moved, damaged, restored, linked, of other data, being fitted."""

import dataclasses
import multiprocessing
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_results import files, result, results
from small_tasks import write_small_task
from stored import description
from typer.testing import CliRunner

from bench.board.published import read_summary
from bench.board.schema import SUMMARY
from bench.cli.main import app
from bench.errors import BenchError
from bench.files.atomic import read_json, write_json
from bench.plugins.registry import Registry
from bench.report import write_board
from bench.report.build import make_board
from bench.run.plan import Selection, make_plan
from bench.store.predictions import Predictions, read_predictions, write_predictions
from bench.store.reading import RECORD, read_result, read_task
from bench.store.record import State, mark
from bench.store.store import FAILED, PREDICTIONS, TASK, Store
from bench.tasks.task_file import load_task_file


def states(out: Path) -> dict[str, State]:
    """Model of every result's folder (and its seed, where it is not 0) -> its state."""
    return {
        stored.folder.parent.name.removeprefix("external+") + stored.folder.name.removeprefix("seed-0"): stored.state
        for stored in Store(out).results()
    }


def place(out: Path, name: str) -> Path:
    return out / result(name).path


def rows_of(out: Path) -> dict[str, list[int]]:
    """Rows of the board -> their seeds."""
    write_board(out)
    summary = read_summary(out / "small" / SUMMARY)
    assert summary is not None
    return {row.name: row.seeds for board in summary.boards for row in board.rows}


def test_a_copied_and_a_moved_folder_are_foreign(tmp_path):
    out = results(tmp_path / "out", "a", "b")
    shutil.copytree(place(out, "a"), place(out, "a").with_name("seed-0.bak"))
    place(out, "b").rename(place(out, "b").with_name("seed-3"))
    assert states(out) == {"a": State.CURRENT, "a.bak": State.FOREIGN, "bseed-3": State.FOREIGN}
    assert rows_of(out) == {"external + a": [0]}
    troubles = make_board(out).troubles
    assert len(troubles) == 2
    assert all("lies in another result's folder" in line and line.endswith("or delete it") for line in troubles)
    assert not Store(out).has(dataclasses.replace(result("b"), seed=3), Store(out).record(result("a")).key)


def test_a_copied_task_folder_is_no_task_of_its_own(tmp_path):
    out = results(tmp_path / "out", "a")
    write_board(out)
    shutil.copytree(out / "small", out / "small.bak")
    made = make_board(out)
    assert [summary.task.name for summary in made.summaries] == ["small"]
    assert any("small.bak/task.json: is of 'small', which has another folder" in line for line in made.troubles)


def test_a_file_restored_from_a_copy_is_read_again(tmp_path):
    out = results(tmp_path / "out", "a", "b")
    board = write_board(out).read_text(encoding="utf-8")
    for file in (place(out, "a") / PREDICTIONS, place(out, "a") / RECORD, out / "small" / TASK):
        whole = file.read_bytes()
        for damaged in (whole[:-5], b"x" * len(whole), bytes([whole[0] ^ 1]) + whole[1:]):
            file.write_bytes(damaged)
            made = make_board(out)
            assert any(str(file.parent.relative_to(out)) in line for line in made.troubles)
        file.write_bytes(whole)
        assert write_board(out).read_text(encoding="utf-8") == board


def test_predictions_of_the_oldest_files_restored_are_read_again(tmp_path):
    """Without a checksum only their content tells that they are wrong; a board without them must not stay."""
    out = results(tmp_path / "out", "a", "b")
    record = read_json(place(out, "a") / RECORD)
    write_json(place(out, "a") / RECORD, record | {"crc32": None})
    board = write_board(out).read_text(encoding="utf-8")
    whole = (place(out, "a") / PREDICTIONS).read_bytes()
    (place(out, "a") / PREDICTIONS).write_bytes(whole[:100] + b"x" * 40 + whole[140:])
    (out / "small" / SUMMARY).unlink()
    assert set(rows_of(out)) == {"external + b"}
    (place(out, "a") / PREDICTIONS).write_bytes(whole)
    assert write_board(out).read_text(encoding="utf-8") == board


@pytest.mark.parametrize(
    "change",
    [
        {"row": 10**6}, {"row": -1}, {"fold": 5}, {"fold": -1}, {"part": 7}, {"prediction": np.inf},
        {"prediction": np.nan}, {"part": 0}, {"twice": True},
    ],
)  # fmt: skip
def test_predictions_that_no_fit_can_have_made_cost_their_own_result(tmp_path, change):
    out = results(tmp_path / "out", "a", "b")
    sound = rows_of(out)
    file = place(out, "a") / PREDICTIONS
    there = read_predictions(file)
    columns = {name: getattr(there, name).copy() for name in ("row", "fold", "part", "prediction")}
    if change.pop("twice", False):
        columns["row"][1], columns["fold"][1] = columns["row"][0], columns["fold"][0]
    for name, value in change.items():
        columns[name][:3] = value
    write_predictions(file, Predictions(**columns))
    noted = mark(file)
    record = read_json(place(out, "a") / RECORD)
    write_json(place(out, "a") / RECORD, record | {"bytes": noted.bytes, "crc32": noted.crc32})
    (out / "small" / SUMMARY).unlink()
    assert set(rows_of(out)) == {"external + b"} < set(sound)
    assert "external + a, seed 0: " in (out / "leaderboard.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rows", {"test": [3]}), ("rows", {}), ("rows", {"train": [1], "valid": [], "test": []}),
        ("spearman", {"train": [0.1]}),
    ],
)  # fmt: skip
def test_a_record_that_lacks_a_part_costs_its_own_result(tmp_path, field, value):
    out = results(tmp_path / "out", "a", "b")
    write_json(place(out, "a") / RECORD, read_json(place(out, "a") / RECORD) | {field: value})
    made = make_board(out)
    assert [row.name for row in made.summaries[0].boards[0].rows] == ["external + b"]
    assert any(f"result.json: has no proper '{field}'" in line for line in made.troubles)


@pytest.mark.parametrize("change", [{"rows": 7}, {"covariates": ["nothing"]}, {"strata": ["nothing"]}])
def test_rows_that_the_task_does_not_tell_of_cost_that_task(tmp_path, change):
    out = results(tmp_path / "out", "a")
    write_json(out / "small" / TASK, read_json(out / "small" / TASK) | change)
    made = make_board(out)
    assert made.summaries == []
    assert "it has other rows or columns than task.json says" in made.troubles[0]


def test_one_short_result_takes_away_only_itself(tmp_path):
    out = results(tmp_path / "out", "b", "c", "d")
    short = results(tmp_path / "short" / "out", "a", rows=90)
    record = read_json(place(short, "a") / RECORD)
    there = read_predictions(place(short, "a") / PREDICTIONS)
    kept = np.arange(len(there.row)) % 4 > 0
    cut = Predictions(there.row[kept], there.fold[kept], there.part[kept], there.prediction[kept])
    shutil.copytree(place(short, "a"), place(out, "a"))
    write_predictions(place(out, "a") / PREDICTIONS, cut)
    noted = mark(place(out, "a") / PREDICTIONS)
    test = [int(((cut.fold == fold) & (cut.part == 2)).sum()) for fold in range(3)]
    changed = {"bytes": noted.bytes, "crc32": noted.crc32, "rows": {**record["rows"], "test": test}}
    write_json(place(out, "a") / RECORD, record | changed)
    assert set(rows_of(out)) == {"external + b", "external + c", "external + d"}
    assert "external + a, seed 0: it predicts other rows" in (out / "leaderboard.md").read_text(encoding="utf-8")


def test_links_are_foreign_and_not_read(tmp_path):
    out, secret = results(tmp_path / "out", "a", "b", "c"), tmp_path / "secret"
    shutil.copytree(place(out, "a"), secret)
    for name in (PREDICTIONS, RECORD):
        (place(out, "a") / name).unlink()
        (place(out, "a") / name).symlink_to(secret / name)
    shutil.rmtree(place(out, "b"))
    place(out, "b").symlink_to(secret)
    (place(out, "c") / FAILED).symlink_to(secret / RECORD)
    assert states(out) == {"a": State.FOREIGN, "b": State.FOREIGN, "c": State.CURRENT}
    assert set(rows_of(out)) == {"external + c"}
    os.mkfifo(place(out, "c") / "pipe")
    (place(out, "c") / RECORD).unlink()
    os.mkfifo(place(out, "c") / RECORD)
    assert read_result(place(out, "c")).state == State.DAMAGED  # and nobody waits for the pipe


def test_what_only_tells_of_a_task_reaches_the_board_and_refits_nothing(tmp_path):
    home = tmp_path / "data"
    path = write_small_task(home, rows=90)
    out = results(tmp_path / "out", "a")
    text = path.read_text()
    for key, words in (("note", "Handle with care"), ("licence", "CC0"), ("citation", "Somebody 2026")):
        path.write_text(f'{key} = "{words}"\n{text}')
        task = load_task_file(path)
        before = (out / "small" / "rows.parquet").stat().st_mtime_ns
        Store(out).write_task(task, np.zeros(90, np.float32))
        assert (out / "small" / "rows.parquet").stat().st_mtime_ns == before
        assert words in write_board(out).read_text(encoding="utf-8")
        assert states(out) == {"a": State.CURRENT}
    key = make_plan(Selection((str(path),), ("gc",), ("ridge",)), Registry(), Store(out)).jobs[0].keys
    path.write_text(text)
    assert make_plan(Selection((str(path),), ("gc",), ("ridge",)), Registry(), Store(out)).jobs[0].keys == key


def test_a_failed_refit_keeps_the_result_and_is_told(tmp_path):
    out = results(tmp_path / "out", "a")
    before = rows_of(out)
    kept = files(place(out, "a"))
    Store(out).write_failure(description(result("a"), folds_digest="f"), "no luck", "why")
    assert rows_of(out) == before
    assert {name: files(place(out, "a"))[name] for name in kept} == kept
    text = (out / "leaderboard.md").read_text(encoding="utf-8")
    assert "no luck; the earlier result is kept" in text
    shown = CliRunner().invoke(app, ["clean", "-o", str(out), "--yes"])
    assert "refit failed: no luck" in shown.output
    assert files(place(out, "a")) == kept


def test_results_of_other_data_are_outdated(tmp_path):
    out = results(tmp_path / "out", "a")
    path = write_small_task(tmp_path / "other", rows=90, seed=4)
    Store(out).write_task(load_task_file(path), np.zeros(90, np.float32))
    assert states(out) == {"a": State.OUTDATED}
    assert rows_of(out) == {}


def _fit(root, ready, release):
    store = Store(root)
    with store.claim(result("busy"), result("b"), wait=True):
        store.folder(result("busy")).mkdir(parents=True)
        (store.folder(result("busy")) / f".result.json.{'0' * 8}-1.01234567.tmp").write_text("")
        (store.folder(result("b")) / RECORD).write_text("{")
        ready.set()
        release.wait(60)


def test_what_a_run_holds_is_in_flight_and_not_cleaned(tmp_path):
    out = results(tmp_path / "out", "a", "b")
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    process = context.Process(target=_fit, args=(out, ready, release))
    process.start()
    try:
        assert ready.wait(120)
        assert states(out) == {"a": State.CURRENT, "b": State.IN_FLIGHT, "busy": State.IN_FLIGHT}
        before = files(out)
        assert CliRunner().invoke(app, ["clean", "-o", str(out), "--yes"]).exit_code == 0
        assert CliRunner().invoke(app, ["clean", "-o", str(out), "--task", "small", "--yes"]).exit_code == 0
        there = files(out)
        assert {name for name in before if name not in there} <= {
            str(result("a").path / name) for name in (RECORD, PREDICTIONS)
        }
    finally:
        release.set()
        process.join()
    assert read_task(out / "small").state == State.WHOLE
    assert states(out)["busy"] == State.UNFINISHED


def test_a_result_behind_a_link_is_fitted_again_named_and_never_written_to(tmp_path):
    """As copied, moved or linked results are: a run must not reuse what no board shows."""
    out = results(tmp_path / "out", "a", "b")
    elsewhere = tmp_path / "elsewhere"
    place(out, "a").rename(elsewhere)
    place(out, "a").symlink_to(elsewhere)
    before = files(elsewhere)
    store = Store(out)
    assert not store.has(result("a"), read_json(elsewhere / RECORD)["key"])
    assert rows_of(out) == {"external + b": [0]}
    assert any("a/seed-0: is a link" in line for line in make_board(out).troubles)
    with pytest.raises(BenchError, match=r"seed-0: is a link, and links are not followed\. Put the folder itself"):
        results(out, "a")
    assert files(elsewhere) == before


def test_a_task_behind_a_link_is_named_and_never_written_to(tmp_path):
    out = results(tmp_path / "out", "a")
    (out / "small").rename(tmp_path / "elsewhere")
    (out / "small").symlink_to(tmp_path / "elsewhere")
    before = files(tmp_path / "elsewhere")
    assert [line.partition(".")[0] for line in make_board(out).troubles] == [
        "small: is a link, and links are not followed"
    ]
    with pytest.raises(BenchError, match="small: is a link"):
        results(out, "a")
    assert files(tmp_path / "elsewhere") == before


@pytest.mark.parametrize("what", [RECORD, PREDICTIONS])
def test_a_folder_in_place_of_a_file_is_named(tmp_path, what):
    out = results(tmp_path / "out", "a")
    (place(out, "a") / what).unlink()
    (place(out, "a") / what).mkdir()
    with pytest.raises(BenchError, match=rf"seed-0/{what}: cannot write there \(Is a directory\)\. Move it, delete it"):
        results(out, "a")


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    out = results(tmp_path / "out", "a")
    shutil.rmtree(out / "small" / "t0")
    (out / "small" / "t0").write_text("mine")
    with pytest.raises(BenchError, match=r"small/t0: cannot write there \(.*\)\. Move it, delete it"):
        results(out, "a")
    assert (out / "small" / "t0").read_text() == "mine"
