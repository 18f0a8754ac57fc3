"""`bench merge`: what two machines made, in one folder; what does not fit is refused before anything is written."""

import json
from pathlib import Path

import pytest
from small_results import files, result, results
from stored import description
from typer.testing import CliRunner

from bench.cli.main import app
from bench.errors import BenchError
from bench.files.atomic import read_json, write_json
from bench.store.merge import merge, plan_merge
from bench.store.record import SkipRecord, mark
from bench.store.store import PREDICTIONS, RECORD, TASK, Store, folds_file
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file


def join(sources: list[Path], out: Path, prefer: Path | None = None):
    plan = plan_merge(sources, out, prefer)
    merge(plan, out)
    return plan


def test_the_merged_folder_is_what_one_machine_would_have_made(tmp_path):
    one, two = results(tmp_path / "one", "a", "b"), results(tmp_path / "two", "b", "c")
    both = results(tmp_path / "both", "a", "b", "c")
    plan = join([one, two], tmp_path / "out")
    assert (len(plan.results), plan.identical) == (3, 1)
    predictions = {name: content for name, content in files(both).items() if name.endswith((".parquet", TASK))}
    merged = files(tmp_path / "out")
    assert {name: merged[name] for name in predictions} == predictions
    keys = {name: Store(both).record(result(name)).key for name in "abc"}
    assert {name: Store(tmp_path / "out").record(result(name)).key for name in "abc"} == keys
    before = files(tmp_path / "out")
    assert join([one, two], tmp_path / "out").results == []  # merging again changes nothing
    assert files(tmp_path / "out") == before


def test_merging_into_one_of_the_folders_keeps_its_results(tmp_path):
    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "b")
    record = (one / result("a").path / RECORD).read_bytes()
    join([two], one)
    assert (one / result("a").path / RECORD).read_bytes() == record
    assert Store(one).record(result("b")) is not None


def test_what_is_told_of_splits_and_plans_comes_along(tmp_path):
    one, two, out = results(tmp_path / "one", "a"), results(tmp_path / "two", "b"), tmp_path / "out"
    folds = make_folds(load_task_file(tmp_path / "data-90-0" / "small.toml"))
    Store(two).write_folds("small", folds, {"exact": 3, "reverse_complement": 0, "test_rows": 9})
    skip = SkipRecord(task="small", featurizer="gc", model="cnn", reason="no signal", what="small · gc + cnn")
    Store(one).write_skipped("small", [skip])
    join([one, two], out)
    for file, source in ((folds_file(folds.digest), two), ("plan.json", one)):
        assert (out / "small" / file).read_bytes() == (source / "small" / file).read_bytes()


def test_a_source_without_its_rows_or_with_damaged_results_is_named(tmp_path):
    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "b")
    content = bytearray((two / result("b").path / PREDICTIONS).read_bytes())
    content[len(content) // 2] ^= 1
    (two / result("b").path / PREDICTIONS).write_bytes(content)
    assert "damaged" in join([one, two], tmp_path / "out").skipped[0]
    (two / "small" / "rows.parquet").unlink()
    assert "rows.parquet next to it is missing" in refusal([one, two], tmp_path / "new")


def refusal(sources: list[Path], out: Path, prefer: Path | None = None) -> str:
    before = files(out) if out.is_dir() else None
    with pytest.raises(BenchError) as caught:
        plan_merge(sources, out, prefer)
    assert (files(out) if out.is_dir() else None) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_same_result_under_another_key_needs_a_preference(tmp_path):
    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "a", shift=1.0)
    said = refusal([one, two], tmp_path / "out")
    assert "small · t0 · external + a" in said
    assert "--prefer" in said
    plan = join([one, two], tmp_path / "out", prefer=two)
    assert len(plan.settled) == 1
    content = (tmp_path / "out" / result("a").path / PREDICTIONS).read_bytes()
    assert content == (two / result("a").path / PREDICTIONS).read_bytes()
    assert "must be one of the merged folders" in refusal([one], tmp_path / "new", prefer=tmp_path / "elsewhere")


def test_other_tables_folds_and_formats_are_refused(tmp_path):
    one, out = results(tmp_path / "one", "a"), tmp_path / "out"
    assert "of different tables" in refusal([one, results(tmp_path / "two", "b", seed=1)], out)
    three = results(tmp_path / "three", "b")
    place = three / result("b").path / RECORD
    record = read_json(place)
    for changed, said in (
        ({"folds_digest": "ffff"}, "different folds under the split"),
        ({"task_digest": "ffff"}, "bench clean --stale"),
        ({"format": 99}, "is of format 99, newer than this version of bench reads (2). Upgrade bench"),
    ):
        write_json(place, record | changed)
        assert said in refusal([one, three], out)
    assert "no results there" in refusal([tmp_path], out)
    assert not out.exists()


def test_what_is_cut_off_is_left_out_and_failures_come_along(tmp_path):
    one, two, out = results(tmp_path / "one", "a"), results(tmp_path / "two", "b"), tmp_path / "out"
    whole = (two / result("b").path / PREDICTIONS).read_bytes()
    (two / result("b").path / PREDICTIONS).write_bytes(whole[:-7])
    Store(two).write_failure(description(result("c")), "no luck", "why")
    Store(two).write_failure(description(result("a")), "no luck")
    plan = join([one, two], out)
    assert len(plan.skipped) == 1
    assert "cut off" in plan.skipped[0]
    assert [note.record.model for note in plan.failures] == ["c"]
    assert json.loads((out / result("c").path / "failed.json").read_text())["reason"] == "no luck"
    assert (out / result("c").path / "failed.log").read_text() == "why"
    assert Store(out).record(result("a")) is not None
    assert not (out / result("b").path).exists()


def test_a_record_cannot_lead_out_of_its_folder(tmp_path):
    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "b")
    place = two / result("b").path / RECORD
    write_json(place, read_json(place) | {"task": "../../elsewhere"})
    plan = join([one, two], tmp_path / "out")
    assert "another result's folder" in plan.skipped[0]
    assert {path.name for path in tmp_path.iterdir()} >= {"one", "two", "out"}
    assert not (tmp_path / "elsewhere").exists()


def test_the_command_writes_the_common_board(tmp_path):
    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "b")
    result = CliRunner().invoke(app, ["merge", str(one), str(two), "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "2 results copied, 0 identical" in result.output
    board = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "external` + `a" in board or "external + a" in board


def test_equal_keys_with_other_predictions_are_told_and_nothing_is_replaced(tmp_path):
    one, two, out = results(tmp_path / "one", "a"), results(tmp_path / "two", "a", shift=1.0), tmp_path / "out"
    key = read_json(one / result("a").path / RECORD)["key"]
    record = two / result("a").path / RECORD
    write_json(record, read_json(record) | {"key": key})
    told = CliRunner().invoke(app, ["merge", str(one), str(two), "-o", str(out)])
    assert told.exit_code == 1
    assert str(one / result("a").path) in told.output
    assert str(two / result("a").path) in told.output
    assert "--prefer" in told.output
    assert (out / result("a").path / PREDICTIONS).read_bytes() == (one / result("a").path / PREDICTIONS).read_bytes()
    told = CliRunner().invoke(app, ["merge", str(one), str(two), "-o", str(out), "--prefer", str(two)])
    assert told.exit_code == 0, told.output
    assert (out / result("a").path / PREDICTIONS).read_bytes() == (two / result("a").path / PREDICTIONS).read_bytes()


def test_equal_predictions_in_files_that_are_packed_otherwise_are_identical(tmp_path):
    import pyarrow.parquet as pq

    one, two = results(tmp_path / "one", "a"), results(tmp_path / "two", "a")
    file, record = (two / result("a").path / name for name in (PREDICTIONS, RECORD))
    pq.write_table(pq.read_table(file), file, compression="none")
    noted = mark(file)
    write_json(record, read_json(record) | {"bytes": noted.bytes, "crc32": noted.crc32})
    plan = plan_merge([one, two], tmp_path / "out")
    assert (plan.identical, plan.unequal) == (1, [])


def test_nothing_outside_a_source_is_read_and_no_source_is_changed(tmp_path):
    one, two, out = results(tmp_path / "one", "a"), results(tmp_path / "two", "b"), tmp_path / "out"
    secret = tmp_path / "secret"
    secret.write_text("a secret of somebody else")
    Store(two).write_failure(description(result("c")), "no luck", "why")
    Store(two).write_failure(description(result("d")), "no luck", "why")
    for name in ("failed.log", "failed.extra"):
        (two / result("c").path / name).unlink(missing_ok=True)
        (two / result("c").path / name).symlink_to(secret)
    (two / "small" / folds_file("ffff")).symlink_to(secret)
    (two / "small" / "plan.json").symlink_to(secret)
    (two / result("b").path / PREDICTIONS).unlink()
    (two / result("b").path / PREDICTIONS).symlink_to(secret)
    (two / result("d").path / "failed.json").unlink()
    (two / result("d").path / "failed.json").symlink_to(secret)
    (two / "other").symlink_to(one / "small")
    before = files(one), files(two)
    plan = join([one, two], out)
    assert (files(one), files(two)) == before
    assert {copy.record.model for copy in plan.results} == {"a"}
    assert len(plan.skipped) == 4
    assert all("link" in line for line in plan.skipped)
    assert not any(b"secret" in content for content in files(out).values())
    assert not any(path.is_symlink() for path in out.rglob("*"))


def test_a_source_that_changes_while_it_is_copied_is_not_taken(tmp_path):
    one, out = results(tmp_path / "one", "a"), tmp_path / "out"
    plan = plan_merge([one], out)
    place = one / result("a").path / PREDICTIONS
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(BenchError, match="changed while it was copied"):
        merge(plan, out)
    assert Store(out).record(result("a")) is None
    assert not [name for name in files(out) if name.endswith((PREDICTIONS, ".tmp"))]
