"""The note on each call: command, versions, commit, counts."""

import io
import os
import re
import subprocess

import pytest
from calls import call
from rich.console import Console
from small_tasks import write_small_task

from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.note import commit_of
from bench.run.places.here import Here
from bench.run.plan import Selection, make_plan
from bench.store.record import RunRecord, State, read_record
from bench.store.store import Store


@pytest.fixture
def plan(tmp_path):
    task = write_small_task(tmp_path / "data")
    registry, store = Registry(folder=tmp_path / "none"), Store(tmp_path / "out")
    return make_plan(Selection((str(task),), ("gc", "length"), ("ridge",)), registry, store), registry, store


def notes(out):
    found = [read_record(RunRecord, path) for path in sorted((out / "runs").iterdir())]
    assert all(each.state == State.WHOLE for each in found)
    return [each.record for each in found]


def test_a_finished_call(plan, tmp_path):
    run_plan(*plan, Console(quiet=True))
    [note] = notes(tmp_path / "out")
    assert (note.status, note.counts["fitted"], note.counts["failed"]) == ("finished", 2, 0)
    assert {"bench", "python", "numpy", "threadpoolctl"} <= set(note.versions)
    assert note.started <= note.ended
    assert note.command
    [file] = (tmp_path / "out/runs").iterdir()
    assert re.fullmatch(rf"\d{{8}}T\d{{6}}Z-{os.getpid()}\.json", file.name)


def test_a_call_that_was_interrupted(plan, tmp_path):
    class Stops(Here):
        def fit(self, job, spec, say):
            assert notes(tmp_path / "out")[0].status == "running"
            raise KeyboardInterrupt

    run_plan(*plan, Console(quiet=True), places=[Stops(None)])
    [note] = notes(tmp_path / "out")
    assert (note.status, note.counts["fitted"]) == ("interrupted", 0)


def test_lines_of_progress_on_a_console_without_markup(plan):
    console = Console(file=io.StringIO(), markup=False)
    run_plan(*plan, console)
    printed = console.file.getvalue()
    assert "gc + ridge" in printed
    assert "[green]" not in printed
    assert "[dim]" not in printed


def test_an_interruption_between_a_result_and_the_note_of_it(plan, tmp_path, monkeypatch):
    write = Store.write_result

    def write_and_stop(self, *arguments):
        write(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "write_result", write_and_stop)
    outcome = run_plan(*plan, Console(quiet=True))
    assert len(list((tmp_path / "out").rglob("result.json"))) == 1
    assert len(outcome.fitted) == 1
    [note] = notes(tmp_path / "out")
    assert (note.status, note.counts["fitted"]) == ("interrupted", 1)


def test_a_call_that_an_error_ended(plan, tmp_path):
    class Stops(Here):
        def fit(self, job, spec, say):
            raise GeneratorExit

    with pytest.raises(GeneratorExit):
        run_plan(*plan, Console(quiet=True), places=[Stops(None)])
    assert [note.status for note in notes(tmp_path / "out")] == ["failed"]


def test_report_merge_and_clean_leave_notes_alone(plan, tmp_path):
    out = tmp_path / "out"
    run_plan(*plan, Console(quiet=True))
    before = {path: path.read_bytes() for path in (out / "runs").iterdir()}
    for words in (
        ["report", "-o", out],
        ["clean", "--stale", "--yes", "-o", out],
        ["merge", out, "-o", tmp_path / "all"],
    ):
        status, printed, error = call(*words)
        assert status == 0, (words, printed, error)
    assert {path: path.read_bytes() for path in (out / "runs").iterdir()} == before


def test_a_commit_is_that_of_the_folder(tmp_path, monkeypatch):
    assert commit_of(tmp_path) == ""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    (tmp_path / "mine.py").write_text("x = 1\n")
    git("add", "mine.py")
    git("commit", "-qm", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert commit_of(tmp_path) == commit_of(tmp_path, "mine.py") == commit
    (tmp_path / "other.py").write_text("y = 1\n")
    assert commit_of(tmp_path, "other.py") == ""
    (tmp_path / "mine.py").write_text("x = 2\n")
    assert commit_of(tmp_path) == f"{commit}+changes"
