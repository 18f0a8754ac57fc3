"""The named worlds: truths by a generator that shares no code, tables that load, options that are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import worlds as outside
from typer.testing import CliRunner

from bench.cli.main import app
from bench.datasets.worlds import WORLDS, population_share
from bench.errors import BenchError
from bench.tasks.task_file import load_task_file

#: Name in tests/support/worlds.py where it is another one.
SAME = {
    "equal": "equal",
    "hump": "hump",
    "step": "step",
    "domains": "domains",
    "chromosome-slopes": "chromosome slopes",
    "all-gc": "all GC",
    "library-bias": "library bias, no biology",
}


@pytest.mark.parametrize("name", SAME)
def test_truths_are_those_of_the_other_generator(name):
    assert WORLDS[name].truth == pytest.approx(outside.truth(SAME[name]), abs=0.01)


@pytest.mark.parametrize("name", ["equal", "step", "domains", "rich-motifs"])
def test_truths_are_those_of_the_population(name):
    assert population_share(WORLDS[name], 40_000) == pytest.approx(WORLDS[name].truth, abs=0.015)


def simulate(folder, *words):
    return CliRunner().invoke(app, ["simulate", "--out", str(folder), *map(str, words)])


@pytest.mark.parametrize("name", ["equal", "simpson", "measurement-bias-controls", "four-replicates", "loci-20"])
def test_a_world_is_a_task(tmp_path, name):
    assert simulate(tmp_path, "--world", name, "--seed", 2, "--name", "mine").exit_code == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    task = load_task_file(tmp_path / "planted.toml")
    assert (task.card.name, len(task), truth["share"]) == ("mine", truth["rows"], WORLDS[name].truth)
    assert ("stratum" in task.strata) == (name == "simpson")
    assert (task.control is not None) == (name == "measurement-bias-controls")
    same = tmp_path / "again"
    simulate(same, "--world", name, "--seed", 2, "--name", "mine")
    assert (same / "planted.tsv.gz").read_bytes() == (tmp_path / "planted.tsv.gz").read_bytes()


def test_the_table_holds_what_was_drawn(tmp_path):
    simulate(tmp_path, "--world", "missing-at-random", "--seed", 1)
    task, rows = load_task_file(tmp_path / "planted.toml"), WORLDS["missing-at-random"].draw(1)
    np.testing.assert_allclose(task.targets["activity"].replicates, rows.replicates, atol=1e-5)


def test_all_worlds_are_listed():
    said = CliRunner().invoke(app, ["simulate", "--list"]).output
    assert [line.split()[0] for line in said.splitlines()] == list(WORLDS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--world", "outlier"), "Did you mean 'outliers'"),
        (("--world", "equal", "--gc-share", 0.4, "--loci", 50), "--gc-share, --loci: does not go with --world"),
    ],
)
def test_what_does_not_go_is_refused(tmp_path, words, said):
    error = simulate(tmp_path, *words).exception
    assert isinstance(error, BenchError)
    assert said in str(error)


def test_without_a_folder_nothing_is_written():
    error = CliRunner().invoke(app, ["simulate"]).exception
    assert isinstance(error, BenchError)
    assert "--out is missing" in str(error)
