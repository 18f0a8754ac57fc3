"""A folder of results that nobody may write: it is read, and the board is shown."""

from pathlib import Path

import pytest
from faults import Faults
from small_results import files, results
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.cli.main import app
from bench.errors import BenchError
from bench.report.build import make_board, write_board


def call(out: Path, *arguments: str):
    """A command while every change below the folder is refused, as on a read-only disk."""
    before = files(out)
    with Faults(out, how="read-only")():
        done = CliRunner().invoke(app, list(arguments))
    assert files(out) == before
    assert "Traceback" not in done.output
    return done


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return results(tmp_path / "out", "a", "b")


def test_report_shows_the_numbers_and_says_that_no_board_was_written(out):
    done = call(out, "report", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert "small" in done.output
    assert "not written" in done.output
    assert "bench merge" in done.output
    with Faults(out, how="read-only")():
        made = make_board(out)
        with pytest.raises(BenchError, match="cannot write there"):
            write_board(out)
    assert [summary.boards for summary in made.summaries] == [summary.boards for summary in make_board(out).summaries]


def test_compare_works(out):
    done = call(out, "compare", "external+a", "external+b", "-o", str(out))
    assert done.exit_code == 0, done.output


def test_a_run_that_fits_nothing_works(out, tmp_path):
    task = write_small_task(tmp_path / "task", rows=90)
    done = call(out, "run", "-t", str(task), "-f", "gc", "-m", "mean", "--cache", "only", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert "absent" in done.output
    assert "not written" in done.output


def test_what_must_write_says_so_in_one_line(out, tmp_path):
    other = results(tmp_path / "other" / "out", "c")
    for arguments in (["merge", str(other), "-o", str(out)], ["clean", "-o", str(out), "--task", "small", "--yes"]):
        done = call(out, *arguments)
        assert isinstance(done.exception, BenchError)
        assert "cannot write there (Read-only file system)" in str(done.exception)


def test_a_full_disk_is_one_line(out):
    with Faults(out, 0, "full")():
        done = CliRunner().invoke(app, ["report", "-o", str(out)])
    assert isinstance(done.exception, BenchError)
    assert "the disk is full" in str(done.exception)
    assert done.exception.status == 1
