"""Features made elsewhere: from a file to the board, and again without it."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pytest
from calls import call as called
from small_tasks import write_small_task

from bench.board.load import find_tasks
from bench.board.summarise import summarise
from bench.errors import BenchError
from bench.plugins.feature_sets import FeatureSet
from bench.plugins.registry import Registry
from bench.run.feature_sets import gc_known, with_features
from bench.tasks.load import TaskSource, load_planned


class Done(NamedTuple):
    """Exit status and printed text of a call, the message of an error among it."""

    exit_code: int
    output: str


def call(*words):
    status, printed, error = called(*words)
    if isinstance(error, BenchError):
        return Done(error.status, printed + str(error))
    assert error is None or isinstance(error, SystemExit), error
    return Done(status, printed)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def ids_and_gc(folder):
    lines = (folder / "small.tsv").read_text().splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return [row[0] for row in cells], np.array([(row[1].count("G") + row[1].count("C")) / 40 for row in cells])


def write_features(folder, name, values, ids):
    np.save(folder / f"{name}.npy", values)
    (folder / f"{name}.ids.txt").write_text("\n".join(ids) + "\n")


@pytest.fixture
def task(tmp_path):
    """A task whose target is GC, and two files: one that holds GC beside noise, in another order, and noise alone."""
    path = write_small_task(tmp_path)
    ids, gc = ids_and_gc(tmp_path)
    rng = np.random.default_rng(3)
    order = rng.permutation(len(ids))
    noise = rng.normal(size=(len(ids), 12))
    values = noise + 12 * gc[:, None] * (np.arange(12) % 3 == 0)
    write_features(tmp_path, "emb", values[order].astype(np.float16), [ids[i] for i in order])
    write_features(tmp_path, "noise", noise.astype(np.float16), ids)
    return path


def run(task, *more, out="out"):
    return call("run", "-t", task, "-m", "ridge", "-o", out, *more)


GIVEN = ("--features", "emb.npy", "--name", "emb")


def test_from_a_file_to_the_board(task, tmp_path):
    done = run(task, *GIVEN, "--twin", "noise.npy", "-f", "emb", "-f", "gc")
    assert done.exit_code == 0, done.output
    assert "12 columns of float16 for every row" in done.output
    assert "emb: GC content known R² 0." in done.output
    [files] = find_tasks(tmp_path / "out")
    summary = summarise(files)
    [board] = summary.boards
    scores = {row.featurizer: row.score.value for row in board.rows}
    assert scores["emb"] > 0.8 > 0.3 > abs(scores["emb-untrained"])
    assert board.row("emb + ridge").dinucleotide_shuffled is None
    known, twin = summary.features
    assert (known.name, twin.name, twin.twin_of) == ("emb", "emb-untrained", "emb")
    assert known.gc_r2.low > 0.8
    assert known.gc_rho.value > 0.9
    assert twin.gc_r2.value < 0.1
    page = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "nobody said what `emb` was trained on" in page
    assert "nobody said what `emb-untrained`" not in page
    assert "the same learners on the untrained twin" in page
    # Said later, it takes no fit, and stays said.
    done = run(task, *GIVEN, "-f", "emb", "--trained-on", "all of | hg38")
    assert "1 result reused" in done.output, done.output
    done = run(task, *GIVEN, "-f", "emb")
    page = (tmp_path / "out" / "leaderboard.md").read_text()
    assert "nobody said" not in page
    assert "all of &#124; hg38" in page


def test_results_are_reused_without_the_file_and_refused_where_there_are_none(task, tmp_path):
    assert run(task, *GIVEN, "-f", "emb").exit_code == 0
    for path in tmp_path.glob("emb.*"):
        path.unlink()
    done = run(task, "-f", "emb")
    assert done.exit_code == 0, done.output
    assert "1 result reused" in done.output
    done = call("run", "-t", task, "-f", "emb", "-m", "lightgbm", "-o", "out")
    assert done.exit_code == 1
    assert "Give the file again: --features FILE --name emb" in " ".join(done.output.split())
    assert call("run", "-t", task, "-f", "other", "-m", "ridge", "-o", "out").exit_code == 2
    # The board and its published twin know of them still.
    assert call("report", "-o", "out").exit_code == 0
    assert "Features made elsewhere" in (tmp_path / "out" / "leaderboard.md").read_text()


def test_content_order_of_the_file_and_names_of_rows_decide_the_key(task, tmp_path):
    def key():
        assert run(task, *GIVEN, "-f", "emb").exit_code == 0
        [path] = (tmp_path / "out").glob("*/t0/*/emb+ridge/seed-0/result.json")
        return json.loads(path.read_text())["key"]

    first = key()
    assert key() == first
    values = np.load("emb.npy")
    values[3] += 1
    np.save("emb.npy", values)
    second = key()
    assert second != first
    ids = (tmp_path / "emb.ids.txt").read_text().split()
    (tmp_path / "emb.ids.txt").write_text("\n".join([ids[1], ids[0], *ids[2:]]) + "\n")
    third = key()
    assert third not in (first, second)
    # Two rows of the table that change their names have each other's features.
    text = (tmp_path / "small.tsv").read_text()
    (tmp_path / "small.tsv").write_text(text.replace("r0\t", "_\t").replace("\nr1\t", "\nr0\t").replace("_\t", "r1\t"))
    assert key() not in (first, second, third)


@pytest.mark.parametrize("elsewhere", [("--workers", "1"), ("--timeout", "100")])
def test_predictions_are_the_same_in_another_process(task, tmp_path, elsewhere):
    import pandas as pd

    assert run(task, *GIVEN, "-f", "emb").exit_code == 0
    assert run(task, *GIVEN, "-f", "emb", *elsewhere, out="there").exit_code == 0
    [here], [there] = (
        list((tmp_path / out).glob("*/t0/*/emb+ridge/seed-0/predictions.parquet")) for out in ("out", "there")
    )
    pd.testing.assert_frame_equal(pd.read_parquet(here), pd.read_parquet(there))


def test_ids_that_are_missing_on_either_side(task, tmp_path):
    ids = (tmp_path / "emb.ids.txt").read_text().split()
    write_features(tmp_path, "short", np.load("emb.npy")[:-5], ids[:-5])
    done = call("run", "-t", task, "--features", "short.npy", "--name", "short", "-f", "short", "-m", "ridge")
    assert done.exit_code == 2
    said = done.output.strip()
    assert len(said.splitlines()) == 1
    assert "5 of the 240 rows of small are not in it" in said
    assert ids[-5] in said
    values = np.load("emb.npy")
    write_features(tmp_path, "long", np.concatenate([values, values[:7]]), [*ids, *(f"x{i}" for i in range(7))])
    done = call("run", "-t", task, "--features", "long.npy", "--name", "long", "-f", "long", "-m", "ridge", "--dry-run")
    assert done.exit_code == 0
    assert "7 ids of long.npy are not of this task" in done.output
    write_features(tmp_path, "other", values, [f"z{each}" for each in ids])
    done = call(
        "run", "-t", task, "--features", "other.npy", "--name", "other", "-f", "other", "-f", "gc", "-m", "ridge"
    )
    assert done.exit_code == 2
    assert "has no row of this task" in done.output


def test_what_cannot_be_is_refused_in_one_line(task):
    for words, said in (
        (("--features", "emb.npy"), "--name NAME"),
        (("--name", "emb"), "--features FILE"),
        (("--twin", "noise.npy"), "--features FILE"),
        (("--features", "emb.npy", "--name", "kmers"), "there is a featurizer of this name"),
        (("--features", "emb.npy", "--name", "Emb Two"), "lower-case"),
        (("--features", "emb.npy", "--name", "none"), "lower-case"),
        (("--features", "nobody.npy", "--name", "emb"), "cannot be read"),
    ):
        done = run(task, *words)
        assert done.exit_code == 2
        assert said in done.output
        assert len(done.output.strip().splitlines()) == 1


def test_a_value_that_is_not_finite_is_named_before_anything_is_fitted(task):
    values = np.load("emb.npy")
    values[11, 2] = np.inf
    np.save("emb.npy", values)
    done = run(task, *GIVEN, "-f", "emb")
    assert done.exit_code == 2
    assert "row 12 (id" in done.output


def test_new_sequences_have_none(task):
    assert run(task, *GIVEN, "-f", "emb").exit_code == 0
    done = call("explain", task, "-f", "emb", "-m", "ridge", "--quick", "--taxon", "insects", "-o", "out")
    assert done.exit_code == 0, done.output
    assert "new sequences" in done.output


def test_what_is_known_of_them_travels_with_a_merge_and_is_no_leftover(task, tmp_path):
    assert run(task, *GIVEN, "-f", "emb").exit_code == 0
    assert run(task, "-f", "gc", out="other").exit_code == 0
    assert call("merge", "other", "out", "--out", "both").exit_code == 0
    here, there = (tmp_path / out / "small" / "features-emb.json" for out in ("out", "both"))
    assert here.read_bytes() == there.read_bytes()
    assert "features-emb" not in call("clean", "-o", "both").output
    assert "Features made elsewhere" in (tmp_path / "both" / "leaderboard.md").read_text()
    # A file that was changed is named, and takes nothing else with it.
    there.write_text(there.read_text().replace('"columns": 12', '"columns": 13'))
    done = call("report", "-o", "both")
    assert "features-emb.json" in done.output
    assert "emb + ridge" in (tmp_path / "both" / "leaderboard.md").read_text().replace("`", "")


def test_a_mlp_is_run_on_them_and_where_it_is_asked_for(task):
    done = call("run", "-t", task, *GIVEN, "-f", "emb", "-f", "gc", "--dry-run", "-o", "out")
    assert "emb + mlp" in done.output
    assert "gc + mlp" not in done.output
    assert "gc + mlp" in call("run", "-t", task, "-f", "gc", "-m", "mlp", "--dry-run", "-o", "out").output


def test_gc_that_is_one_value_is_known_to_nobody(tmp_path):
    path = write_small_task(tmp_path)
    ids, _ = ids_and_gc(tmp_path)
    rng = np.random.default_rng(0)
    write_features(tmp_path, "noise", rng.normal(size=(len(ids), 4)), ids)
    lines = (tmp_path / "small.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    for row in rows:
        row[1] = "".join(rng.permutation(list("ACGT" * 10)))
    (tmp_path / "small.tsv").write_text("\n".join([lines[0], *("\t".join(row) for row in rows)]) + "\n")
    given = FeatureSet("noise", str(tmp_path / "noise.npy"))
    registry = Registry(features=[given], dropped=False)
    planned = load_planned(TaskSource(str(path)), registry)
    assert gc_known(planned, registry.make("featurizer", "noise"), registry) is None


def test_a_name_belongs_to_one_set(tmp_path):
    given = FeatureSet("mine", str(tmp_path / "mine.npy"))
    registry = Registry(features=[given], dropped=False)
    with pytest.raises(BenchError, match="there is a featurizer of this name"):
        registry.add_features(given)
    assert registry.features_of("mine") == given
    assert registry.features_of("gc") is None
    sets = [FeatureSet("mine"), FeatureSet("mine-untrained", twin_of="mine")]
    assert with_features(["gc"], sets) == ["gc", "mine", "mine-untrained"]
    assert with_features(["mine", "gc"], sets) == ["mine", "gc", "mine-untrained"]
    assert with_features(None, sets) is None
