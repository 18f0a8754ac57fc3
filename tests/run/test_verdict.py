"""The verdict on models that were trained: a network that can only count GC is called GC-only, one that reads a motif
is not, and one that counts CpG is told from both."""

from __future__ import annotations

import numpy as np
import pytest

from bench.datasets.simulate import simulate
from bench.fit.features import Workspace
from bench.fit.fit import FitJob, fit_job
from bench.plugins.registry import Registry
from bench.sequences import Sequences
from bench.stats.figures import RowFigures, target_figures
from bench.stats.observations import Learners, Observations
from bench.tasks.splits import Split
from bench.tasks.task import TEST, TRAIN, VALID, Card, Folds, Target, Task

ROWS, LENGTH = 1500, 100


def z(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


def cpg_rows(rng: np.random.Generator) -> np.ndarray:
    """Rows of 45 % GC whose CpG varies: at a chance of its own, a row writes G after a C."""
    codes = rng.choice(4, (ROWS, LENGTH), p=[0.275, 0.225, 0.225, 0.275]).astype(np.uint8)
    chance = rng.random((ROWS, 1))
    for place in range(1, LENGTH):
        again = (codes[:, place - 1 : place] == 1) & (rng.random((ROWS, 1)) < chance)
        codes[:, place] = np.where(again[:, 0], 2, codes[:, place])
    return codes


def planted(world: str) -> Task:
    """1,500 loci of one row: what raises activity is GC, a motif written so that GC does not change, or CpG."""
    rng = np.random.default_rng(5)
    if world == "cpg":
        codes = cpg_rows(rng)
        signal = z(((codes[:, :-1] == 1) & (codes[:, 1:] == 2)).sum(axis=1).astype(float))
    else:
        made = simulate(ROWS, gc_share=float(world == "gc"), motif_share=float(world == "motif"), length=LENGTH, seed=3)
        codes, signal = made.codes, made.latent
    latent = np.sqrt(0.8) * signal + np.sqrt(0.2) * rng.normal(size=ROWS)
    replicates = latent[:, None] + 0.3 * rng.normal(size=(ROWS, 2))
    start = np.arange(ROWS, dtype=np.int64) * LENGTH
    return Task(
        Card("planted", "Planted", orientation="stranded"),
        Sequences.from_intervals(codes.ravel(), start, start + LENGTH),
        np.arange(ROWS).astype(str),
        np.full(ROWS, "chr1"),
        np.full(ROWS, -1, np.int64),
        np.arange(ROWS),
        {"y": Target("y", replicates, ("1", "2"))},
        {},
        Split("holdout"),
        "digest",
    )


def judged(world: str, featurizer: str, model: str) -> RowFigures:
    """Train, predict the test rows and their shuffles, and read the model's row of the board."""
    task, registry = planted(world), Registry()
    part = np.full((1, ROWS), TRAIN, np.int8)
    part[0, 800:1000], part[0, 1000:] = VALID, TEST
    features, learner = registry.make("featurizer", featurizer), registry.make("model", model)
    job = FitJob(task, Folds("holdout", part), features, learner, 0, ("y",), threads=2)
    [result] = fit_job(job, Workspace())
    found = result.predictions
    tested = found.part == TEST
    assert found.shuffled is not None
    rows, target = found.row[tested], task.targets["y"]
    gc = np.array([np.isin(task.sequences.codes(row), (1, 2)).mean() for row in rows])
    [row] = target_figures(
        Observations(target.value[rows], np.zeros(len(rows), int), task.locus[rows], target.replicates[rows], gc),
        Learners({"it": found.prediction[tested]}, shuffled={"it": found.shuffled[tested]}),
    ).learners
    return row


@pytest.mark.parametrize("world", ["gc", "cpg", "motif"])
def test_a_linear_model_of_dinucleotides(world):
    found = judged(world, "dinucleotides", "ridge")
    assert found.verdict == {"gc": "GC-only", "cpg": "composition", "motif": found.verdict}[world]
    # a shuffle keeps all that such a model sees
    assert found.shuffled.value == pytest.approx(found.spearman.value, abs=1e-3)
    assert found.verdict != "beyond GC"


def test_a_linear_model_of_longer_kmers_that_reads_a_motif():
    found = judged("motif", "kmers[k=5]", "ridge")
    assert found.verdict in ("beyond GC", "mixed")
    assert found.shuffled.value < 0.75 * found.spearman.value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("world", "verdicts"), [("gc", {"GC-only"}), ("motif", {"beyond GC"}), ("cpg", {"composition"})]
)
def test_a_trained_network(world, verdicts):
    pytest.importorskip("keras")
    found = judged(world, "one-hot", "cnn[epochs=4,batch=32]")
    assert found.spearman.low > 0.5  # it learned what there was
    assert found.verdict in verdicts, found
