"""`bench clean`: it shows before it deletes, and deletes only what it showed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_results import files, result, results
from stored import description
from typer.testing import CliRunner

from bench.cli.main import app
from bench.errors import BenchError
from bench.files.atomic import read_json, write_json
from bench.store.clean import leftovers, remove
from bench.store.store import FAILED, PREDICTIONS, RECORD, TASK, Store


@pytest.fixture
def gone() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def folder(out: Path, name: str) -> Path:
    return out / result(name).path


def reasons(out: Path, **chosen) -> dict[str, str]:
    """ResultId's model (or file name) -> reason."""
    chosen = {"failed": True, "stale": True} | chosen
    return {
        item.path.parent.name.removeprefix("external+") if item.path.name.startswith("seed-") else item.path.name:
        item.reason for item in leftovers(out, **chosen)
    }  # fmt: skip


def test_each_kind_of_leftover_is_found_and_finished_results_are_not(tmp_path, gone):
    out = results(tmp_path / "out", "good", "old-data", "no-format", "cut", "unreadable", "killed")
    place = {name: folder(out, name) for name in ("old-data", "no-format", "cut", "unreadable", "killed")}
    write_json(place["old-data"] / RECORD, read_json(place["old-data"] / RECORD) | {"task_digest": "x"})
    write_json(place["no-format"] / RECORD, read_json(place["no-format"] / RECORD) | {"format": 0})
    (place["cut"] / PREDICTIONS).write_bytes(b"PAR1")
    (place["unreadable"] / RECORD).write_text('{"format": ')
    (place["killed"] / RECORD).unlink()
    Store(out).write_failure(description(result("failed")), "no luck")
    (out / "small" / "empty" / "below").mkdir(parents=True)
    (folder(out, "good") / f".result.json.{gone}.0123abcd.tmp").write_text("")
    (folder(out, "good") / f".result.json.{os.getpid()}.tmp").write_text("")
    found = reasons(out)
    assert found == {
        "old-data": "made from an older version of the task's data",
        "no-format": "result.json has no proper 'format'",
        "cut": "result.json: predictions.parquet next to it is missing, cut off or damaged",
        "unreadable": "result.json cannot be read",
        "killed": "never finished",
        "failed": "failed: no luck",
        "below": "empty folder",
        f".result.json.{gone}.0123abcd.tmp": "temporary file of a process that is gone",
    }
    assert set(reasons(out, stale=False)) == {"failed"}
    assert set(reasons(out, failed=False)) == set(found) - {"failed"}


def test_deleting_leaves_everything_else_and_no_empty_folders(tmp_path, gone):
    out = results(tmp_path / "out", "good")
    before = {name: content for name, content in files(out).items() if not name.startswith(".locks")}
    Store(out).write_failure(description(result("failed")), "no luck")
    (out / "small" / "empty" / "below").mkdir(parents=True)
    (out / f".probe-{gone}").write_text("")
    assert remove(leftovers(out, failed=True, stale=True), out) > 0
    assert {name: content for name, content in files(out).items() if not name.startswith(".locks")} == before
    assert not (out / "small" / "empty").exists()
    assert not folder(out, "failed").parent.exists()
    assert leftovers(out, failed=True, stale=True) == []


def test_a_newer_format_and_a_failure_of_a_finished_result_stay(tmp_path):
    out = results(tmp_path / "out", "newer", "later")
    write_json(folder(out, "newer") / RECORD, read_json(folder(out, "newer") / RECORD) | {"format": 99})
    write_json(folder(out, "later") / FAILED, {"reason": "long ago"})
    assert reasons(out) == {}


def test_links_are_not_followed(tmp_path):
    out, other = results(tmp_path / "out", "good"), results(tmp_path / "other", "old")
    write_json(folder(other, "old") / RECORD, {"format": 0})
    (other / "small").rename(other / "linked")
    (out / "linked").symlink_to(other / "linked")
    (out / "small" / "t0" / "another").symlink_to(other / "linked" / "t0" / "chromosome-kfold[k=3]")
    assert reasons(out) == {}


def test_a_task_goes_whole_or_only_its_leftovers(tmp_path):
    out = results(tmp_path / "out", "good")
    Store(out).write_failure(description(result("failed")), "no luck")
    assert reasons(out, task="small", stale=False) == {"failed": "failed: no luck"}
    whole = leftovers(out, failed=False, stale=False, task="small")
    assert [item.path for item in whole] == [out / "small"]
    assert whole[0].bytes == sum(map(len, files(out / "small").values()))
    with pytest.raises(BenchError, match="Did you mean 'small'"):
        leftovers(out, failed=True, stale=True, task="smal")


def test_a_folder_without_results_is_refused(tmp_path):
    (tmp_path / "photos" / "empty").mkdir(parents=True)
    with pytest.raises(BenchError, match="no results there"):
        leftovers(tmp_path / "photos", failed=True, stale=True)


def test_the_command_shows_first_and_deletes_only_with_yes(tmp_path):
    out = results(tmp_path / "out", "good")
    Store(out).write_failure(description(result("failed")), "no luck")
    before = files(out)
    shown = CliRunner().invoke(app, ["clean", "-o", str(out)])
    assert shown.exit_code == 0
    assert "failed: no luck" in shown.output
    assert "nothing deleted" in shown.output
    assert files(out) == before
    done = CliRunner().invoke(app, ["clean", "-o", str(out), "--yes"])
    assert "1 deleted" in done.output
    assert (out / "small" / TASK).is_file()
    assert "nothing to clean" in CliRunner().invoke(app, ["clean", "-o", str(out)]).output


def test_nothing_but_our_own_files_below_tasks_goes(tmp_path, gone):
    """A folder of results under git, with notes of its owner beside and between the results."""
    out = results(tmp_path / "out", "good")
    for place in (".git/refs/heads", ".git/objects", "notes/2026", "small/.notes/old", "small/t0/.hidden/empty"):
        (out / place).mkdir(parents=True)
    for file in (
        f".git/.index.{gone}.tmp",
        f"notes/.draft.md.{gone}.tmp",
        f"small/.mine.txt.{gone}.tmp",
        "small/mine.txt",
    ):
        (out / file).write_text("")
    Store(out).write_failure(description(result("failed")), "no luck")
    (folder(out, "failed") / "mine.txt").write_text("why did it fail?")
    everything = {path for path in out.rglob("*") if not path.name.startswith("failed.") and ".locks" not in path.parts}
    assert CliRunner().invoke(app, ["clean", "-o", str(out), "--yes"]).exit_code == 0
    assert {path for path in out.rglob("*") if ".locks" not in path.parts} == everything
    assert CliRunner().invoke(app, ["clean", "-o", str(out), "--task", "small", "--yes"]).exit_code == 0
    left = {path.relative_to(out) for path in out.rglob("*") if path.is_file() and ".locks" not in path.parts}
    own = {Path("small/mine.txt"), folder(out, "failed").relative_to(out) / "mine.txt"}
    assert {path for path in left if not path.name.endswith(".tmp")} == own
    assert (out / ".git/refs/heads").is_dir()
    assert (out / "small/t0/.hidden/empty").is_dir()


def test_what_a_link_leads_to_stays(tmp_path):
    out, other = results(tmp_path / "out", "good", "bad"), results(tmp_path / "other", "old")
    (folder(out, "bad") / PREDICTIONS).unlink()
    (folder(out, "bad") / PREDICTIONS).symlink_to(folder(other, "old") / PREDICTIONS)
    before = files(other)
    for options in ([], ["--task", "small"]):
        assert CliRunner().invoke(app, ["clean", "-o", str(out), *options, "--yes"]).exit_code == 0
    assert files(other) == before
    assert (folder(out, "bad") / PREDICTIONS).is_symlink()


def test_temporary_files_of_another_machine_stay_for_a_day(tmp_path):
    out = results(tmp_path / "out", "good")
    path = out / "small" / ".task.json.0123abcd-99999999.89abcdef.tmp"
    path.write_text("")
    assert reasons(out) == {}
    long_ago = path.stat().st_mtime - 2 * 24 * 3600
    os.utime(path, (long_ago, long_ago))
    assert set(reasons(out)) == {path.name}


def test_a_copy_of_a_tasks_folder_is_not_the_task(tmp_path):
    out = results(tmp_path / "out", "a")
    shutil.copytree(out / "small", out / "small copy")
    found = leftovers(out, failed=False, stale=False, task="small")
    assert [item.path for item in found] == [out / "small"]
