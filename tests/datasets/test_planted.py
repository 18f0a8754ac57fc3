"""The planted task says its truth, and a table written by `bench simulate` is the same task."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from bench.cli.main import app
from bench.datasets.planted import TARGET, Planted
from bench.errors import BenchError
from bench.stats.ranks import spearman
from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN
from bench.tasks.task_file import load_task_file


def simulate(folder, *words):
    return CliRunner().invoke(app, ["simulate", "--out", str(folder), "--loci", "120", *map(str, words)])


def test_small_data_set_with_one_fold_and_loci_of_three():
    task = Planted().load()
    assert 2000 < len(task) <= 3000
    assert set(task.sequences.lengths) == {150}
    assert task.targets[TARGET].replicates.shape == (len(task), 2)
    assert np.bincount(task.locus).max() == 3
    part = make_folds(task).part
    assert len(part) == 1
    assert (part == TEST).sum() > 800 < (part == TRAIN).sum()
    assert Planted().load().digest == task.digest
    said = re.search(r"Truth: GC content explains (\d+) %.* motifs 40 % of", task.card.note)
    assert int(said.group(1)) == pytest.approx(30, abs=5)


def test_gc_and_dna_are_what_the_card_says():
    task = Planted().load()
    gc = np.array([(text.count("G") + text.count("C")) / len(text) for text in task.sequences.to_strings()])
    y = task.targets[TARGET]
    reliability = 2 * (r := spearman(*y.replicates.T)) / (1 + r)
    assert spearman(gc, y.value) ** 2 / reliability == pytest.approx(0.3, abs=0.08)
    assert task.sequences.covariates["dna_count"].min() >= 20


def test_simulate_writes_a_task_and_its_truth(tmp_path):
    done = simulate(
        tmp_path, "--gc-share", 1, "--motif-share", 0, "--depth", 20, "--depth", 5, "--depth", 5, "--seed", 3
    )
    assert done.exit_code == 0, done.output
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["share_latent"] == 1
    assert truth["share_board"] == pytest.approx(1)
    assert truth["parameters"]["depths"] == [20, 5, 5]
    assert '"share_board": 1.0' in done.output
    task = load_task_file(tmp_path / "planted.toml")
    assert task.card.name == "planted-task"
    assert len(task) == truth["rows_above_min_dna"] < truth["rows"] == 360
    assert task.targets[TARGET].replicates.shape[1] == 3
    assert len(make_folds(task)) == 5
    again = tmp_path / "again"
    simulate(again, "--gc-share", 1, "--motif-share", 0, "--depth", 20, "--depth", 5, "--depth", 5, "--seed", 3)
    for name in ("planted.toml", "planted.tsv.gz", "truth.json"):
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_zeros_and_rich_motifs_show_in_the_truth(tmp_path):
    simulate(tmp_path / "plain")
    simulate(tmp_path / "other", "--zero-inflation", 0.5, "--motif", "rich")
    plain, other = (json.loads((tmp_path / name / "truth.json").read_text()) for name in ("plain", "other"))
    assert min(other["zeros"]) > max(plain["zeros"]) + 0.3
    assert other["correlation_gc_hits"] > 0.3 > abs(plain["correlation_gc_hits"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--motif", "rihc"), "Did you mean 'rich'"),
        (("--gc-share", 0.8, "--motif-share", 0.5), "at most 1 together"),
        (("--depth", 0), "must be above 0"),
        (("--dna-depth", 0.001), "raise --dna-depth"),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path, words, said):
    error = simulate(tmp_path, *words).exception
    assert isinstance(error, BenchError)
    assert said in str(error)
