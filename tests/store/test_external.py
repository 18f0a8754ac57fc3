"""`bench score`: predictions made elsewhere on the board, and what is wrong with a table in one line."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from small_tasks import write_small_task
from typer.testing import CliRunner

from bench.board.load import find_tasks, load_board, load_rows
from bench.cli.main import app
from bench.errors import BenchError
from bench.files.atomic import read_json
from bench.store.external import score_predictions
from bench.store.result import ResultId
from bench.store.store import RECORD, Store
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, VALID
from bench.tasks.task_file import load_task_file


@pytest.fixture
def task(small_task):
    return load_task_file(small_task)


def table(path, task, predictions, rows=None, **columns):
    """Write a table of predictions: ids of ``rows`` (all by default), predictions, and further columns."""
    rows = np.arange(len(task)) if rows is None else rows
    names = ["id", "prediction", *columns]
    lines = ["\t".join(names)]
    for i, row in enumerate(rows):
        more = [str(values[i]) for values in columns.values()]
        lines.append("\t".join([str(task.row_id[row]), str(predictions[i]), *more]))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_k_fold_prediction_is_scored_in_the_fold_that_tests_its_row(tmp_path, task):
    folds = make_folds(task)
    guess = np.random.default_rng(0).normal(size=len(task)) + 10 * task.targets["t0"].value
    order = np.random.default_rng(1).permutation(len(task))
    path = table(tmp_path / "p.tsv", task, guess[order].tolist(), order)
    scored = score_predictions(Store(tmp_path / "out"), task, folds, None, path, "my net")
    y = task.targets["t0"].value
    expected = [spearmanr(y[part == TEST], guess[part == TEST]).statistic for part in folds.part]
    assert scored.spearman["test"] == pytest.approx(expected, abs=1e-6)
    assert scored.rows == {"train": 0, "valid": 0, "test": len(task)}
    assert scored.spearman["valid"] == [None] * 3
    assert (scored.unused, scored.replaced) == (0, False)


def test_a_fold_column_brings_validation_rows(tmp_path, task):
    folds = make_folds(task)
    rng = np.random.default_rng(0)
    pieces = [(fold, np.flatnonzero((part == TEST) | (part == VALID))) for fold, part in enumerate(folds.part)]
    rows = np.concatenate([rows for _, rows in pieces])
    fold = np.concatenate([np.full(len(rows), fold + 1) for fold, rows in pieces])
    guess = rng.normal(size=len(rows))
    path = table(tmp_path / "p.tsv", task, guess.tolist(), rows, fold=fold)
    scored = score_predictions(Store(tmp_path / "out"), task, folds, "t0", path, "my net", seed=2)
    y = task.targets["t0"].value
    first = (fold == 1) & (folds.part[0][rows] == VALID)
    assert scored.spearman["valid"][0] == pytest.approx(spearmanr(y[rows[first]], guess[first]).statistic, abs=1e-6)
    assert scored.result == ResultId("small", "t0", "chromosome-kfold[k=3]", "external", "my net", 2)


def test_the_board_takes_the_result_like_any_other(tmp_path, small_task, task):
    out = tmp_path / "out"
    runner = CliRunner()
    words = ["run", "-t", str(small_task), "-f", "gc", "-m", "ridge", "-m", "mean", "-o", str(out)]
    assert runner.invoke(app, words).exit_code == 0
    path = table(tmp_path / "p.tsv", task, task.targets["t0"].value.tolist())
    call = ["score", str(path), "-t", str(small_task), "--name", "<b>oracle</b> | ../x", "--deep", "-o", str(out)]
    result = runner.invoke(app, call)
    assert result.exit_code == 0, result.output
    assert "Spearman train n/a (0 rows), valid n/a (0 rows), test 1.000 (240 rows)" in result.output
    board = (out / "leaderboard.md").read_text()
    assert "external" in board
    assert "<b>" not in board
    files = find_tasks(out)[0]
    loaded = load_board(files, files.boards[0], load_rows(files.folder, files.record))
    names = {result.name for result in loaded.results}
    assert "external + <b>oracle</b> | ../x" in names
    assert not loaded.left_out
    inside = list(tmp_path.rglob(RECORD))
    assert all(path.is_relative_to(out / "small") for path in inside)
    again = runner.invoke(app, call)
    assert "replaced" in again.output
    assert runner.invoke(app, words).exit_code == 0  # and a run leaves it where it is
    assert "oracle" in (out / "leaderboard.md").read_text()


def test_a_fitted_result_is_never_replaced(tmp_path, small_task, task):
    out = tmp_path / "out"
    CliRunner().invoke(app, ["run", "-t", str(small_task), "-f", "gc", "-m", "ridge", "-o", str(out)])
    record = read_json(next(out.rglob(RECORD)))
    path = table(tmp_path / "p.tsv", task, task.targets["t0"].value.tolist())
    with pytest.raises(BenchError, match="fitted here and is not replaced"):
        score_predictions(Store(out), task, make_folds(task), None, path, record["model"], featurizer="gc")
    assert read_json(next(out.rglob(RECORD))) == record


def refusal(tmp_path, task, text=None, **options):
    path = tmp_path / "p.tsv"
    if text is not None:
        path.write_text(text)
    target = options.pop("target", None)
    name = options.pop("name", "net")
    with pytest.raises(BenchError) as caught:
        score_predictions(Store(tmp_path / "out"), task, make_folds(task), target, path, name, **options)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "out").rglob(RECORD))
    return str(caught.value)


def test_what_is_wrong_with_a_table_is_said_in_one_line(tmp_path, task):
    good = [f"{name}\t{i}" for i, name in enumerate(task.row_id)]

    def said(*lines, head="id\tprediction", **options):
        return refusal(tmp_path, task, "\n".join([head, *lines]) + "\n", **options)

    assert "no such table. Give a table with the columns id and prediction" in refusal(tmp_path, task)
    assert "column 'prediction' is missing. Did you mean 'predictions'?" in said(*good, head="id\tpredictions")
    assert "has no rows" in said()
    assert "row 2 has no id" in said(good[0], "\t1", *good[2:])
    assert "row 3 ('r2', line 4), column 'prediction' must be a finite number. Got 'nan'" in said(*good[:2], "r2\tnan")
    assert "Got 'inf'" in said("r0\tinf")
    assert "Got '1e99'" in said("r0\t1e99")
    assert "row 2 has the id 'x', which small does not have (1 such rows of 2)" in said(good[0], "x\t1")
    assert "row 241 repeats the id 'r5'" in said(*good, good[5])
    assert re.search(r"1 of \d+ test rows of fold \d of 3 are missing, first 'r7'", said(*good[:7], *good[8:]))
    head = "id\tprediction\tfold"
    assert "has fold 0; split" in said("r0\t1\t0", head=head)
    assert "must be a whole number. Got '1.5'" in said("r0\t1\t1.5", head=head)
    assert "Did you mean 't0'" in said(*good, target="t1")
    assert "printable characters" in said(*good, name=" ")
    assert "printable characters" in said(*good, name="a\nb")


def test_some_validation_rows_alone_are_refused(tmp_path, task):
    folds = make_folds(task)
    rows, fold = [], []
    for number, part in enumerate(folds.part):
        mine = np.flatnonzero(part == TEST)
        mine = np.append(mine, np.flatnonzero(part == VALID)[:5])
        rows, fold = [*rows, *mine], [*fold, *[number + 1] * len(mine)]
    table(tmp_path / "p.tsv", task, [0.5 * i for i in range(len(rows))], rows, fold=fold)
    assert "valid rows of fold 1 of 3 are missing" in refusal(tmp_path, task)


def test_a_task_of_several_targets_needs_a_choice(tmp_path):
    task = load_task_file(write_small_task(tmp_path / "data", targets=2))
    table(tmp_path / "p.tsv", task, range(len(task)))
    assert "has 2 targets: choose one with --target" in refusal(tmp_path, task)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    return folder, load_task_file(write_small_task(folder / "data", rows=60))


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=80))
def test_any_text_is_refused_in_one_line(place, text):
    folder, task = place
    assert refusal(folder, task, text)


def test_rows_that_the_task_drops_from_its_table_are_not_used(tmp_path):
    """A table of predictions has a row for each row of one's own table."""
    path = write_small_task(tmp_path / "data")
    table_file = path.with_suffix(".tsv")
    lines = [line.split("\t") for line in table_file.read_text().splitlines()]
    lines[4][6:8] = ["", ""]  # r3 was not measured
    lines[9][5] = "3"  # r8 has too few counts
    table_file.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    path.write_text("minimum = {dna_count = 5}\n" + path.read_text())
    task = load_task_file(path)
    assert len(task) == 238
    guess = tmp_path / "guess.tsv"
    guess.write_text("id\tprediction\n" + "".join(f"r{i}\t{i % 7}\n" for i in range(240)))
    scored = score_predictions(Store(tmp_path / "out"), task, make_folds(task), None, guess, "my net")
    assert (scored.unused, scored.rows["test"]) == (2, 238)
    guess.write_text(guess.read_text() + "r240\t1\n")
    with pytest.raises(BenchError, match=r"row 241 has the id 'r240', which small does not have"):
        score_predictions(Store(tmp_path / "out"), task, make_folds(task), None, guess, "my net")
