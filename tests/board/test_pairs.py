"""Pairs from a task file to the board: simulated variants whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from bench.board.pairs_schema import PairsSummary
from bench.board.published import read_summary
from bench.board.schema import BoardSummary
from bench.fit.scale import TargetScale
from bench.kernels.gc import gc_fraction
from bench.report import write_board
from bench.store.external import score_predictions
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.splits import Split
from bench.tasks.task_file import load_task_file

WORD = "TGACTCA"
#: What a variant does, a point of GC does, a learner gets wrong of a row, and the noise of a replicate.
EFFECT, GC, WRONG, NOISE = 1.0, 4.0, 0.5, 0.5
ELEMENTS = 1200


def simulated(folder: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """Elements with a site, and two others each: the site broken by other bases of the same GC, and the site gone. The
    task file, what each row does without noise, and what a learner predicts of it."""
    rng = np.random.default_rng(11)
    lines = ["name\telement\tclass\tchrom\tstart\tend\tsequence\trep1\trep2\trep3"]
    true, predicted = [], []
    for i in range(ELEMENTS):
        gc = rng.uniform(0.3, 0.7)
        bases = rng.choice(list("ACGT"), 60, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        at = int(rng.integers(0, 50))
        level, strength = rng.normal(0, 0.5), rng.normal(EFFECT, EFFECT)
        for kind, word in (("wild type", WORD), ("neutral", "TCAGTGA"), ("lost", "TGGGGCA")):
            row = bases.copy()
            row[at : at + 7] = list(word)
            text = "".join(row)
            content = (text.count("G") + text.count("C")) / 60
            value = level + GC * content + (strength if kind == "wild type" else 0.0)
            true.append(value)
            predicted.append(value + rng.normal(0, WRONG))
            replicates = [f"{value + rng.normal(0, NOISE):.5f}" for _ in range(3)]
            place = [f"chr{1 + i % 7}", str(1000 * i), str(1000 * i + 60)]
            lines.append("\t".join([f"e{i}_{kind}", f"e{i}", kind, *place, text, *replicates]))
    (folder / "v.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "v.toml"
    path.write_text(
        'name = "variants"\ntable = "v.tsv"\nsplit = "chromosome-kfold[k=4]"\n'
        '[columns]\npair = { column = "element", kind = "class", reference = "wild type" }\n'
        '[targets.y]\nreplicates = ["rep1", "rep2", "rep3"]\n'
    )
    return path, np.array(true), np.array(predicted)


def board_of(folder: Path, split: str | None = None) -> tuple[BoardSummary, str]:
    path, true, predicted = simulated(folder)
    task = load_task_file(path)
    store, out = Store(folder / "out"), folder / "out"
    store.write_task(task, gc_fraction(task.sequences))
    folds = make_folds(task, None if split is None else Split.parse(split))
    table = folder / "p.tsv"
    for name, values in (("oracle", true), ("learner", predicted)):
        scaled = TargetScale(values, "rank")(values) if name == "learner" else values
        said = [f"{row}\t{value:.7g}" for row, value in zip(task.row_id, scaled, strict=True)]
        table.write_text("id\tprediction\n" + "\n".join(said) + "\n")
        score_predictions(store, task, folds, None, table, name)
    text = write_board(out).read_text(encoding="utf-8")
    summary = read_summary(out / "variants" / "summary.json")
    assert summary is not None
    return summary.boards[0], text


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[BoardSummary, str]:
    return board_of(tmp_path_factory.mktemp("pairs"))


def pairs_of(board: BoardSummary, kind: str) -> PairsSummary:
    return next(pairs for pairs in board.pairs if pairs.kind == f"wild type/{kind}")


def truth(folder: Path, kind: str) -> float:
    """Spearman of predicted and noise-free differences of these very pairs."""
    _, true, predicted = simulated(folder)
    scaled = TargetScale(predicted, "rank")(predicted)
    at = {"neutral": 1, "lost": 2}[kind]
    return float(spearmanr(*(column[at::3] - column[::3] for column in (true, scaled))).statistic)


@pytest.mark.parametrize("kind", ["neutral", "lost"])
def test_differences_are_within_3_points_of_the_truth(
    made: tuple[BoardSummary, str], kind: str, tmp_path: Path
) -> None:
    pairs = pairs_of(made[0], kind)
    rows = {row.name.rpartition(" + ")[2]: row for row in pairs.all.rows}
    oracle, learner = rows["oracle"].of_ceiling, rows["learner"].of_ceiling
    assert oracle is not None
    assert learner is not None
    assert abs(oracle.value - 1) < 0.03
    assert abs(learner.value - truth(tmp_path, kind)) < 0.03
    assert pairs.all.pairs == ELEMENTS
    sign = rows["oracle"].sign
    assert sign is not None
    assert sign.value > 0.95


def test_pairs_of_equal_gc_are_told_by_their_bases(made: tuple[BoardSummary, str]) -> None:
    assert pairs_of(made[0], "neutral").neutral.pairs == ELEMENTS
    lost = pairs_of(made[0], "lost").neutral
    assert lost.pairs == 0
    assert "0 pairs" in lost.left_out
    assert pairs_of(made[0], "neutral").all.ceiling == pairs_of(made[0], "neutral").neutral.ceiling


def test_the_board_has_a_table_of_each_kind(made: tuple[BoardSummary, str]) -> None:
    text = made[1]
    assert text.count("**Pairs.**") == 1
    assert f"*wild type/neutral*: {ELEMENTS:,} pairs" in text
    assert "n/a (0 pairs in 0 loci: figures need 20 of each)" in text


def test_a_split_that_parts_pairs_counts_them(tmp_path: Path) -> None:
    board, text = board_of(tmp_path, "random-kfold[k=4]")
    pairs = pairs_of(board, "lost")
    assert pairs.split + pairs.all.pairs == ELEMENTS
    assert 0.6 < pairs.split / ELEMENTS < 0.9
    assert f"left out: {pairs.split} with their rows in two folds" in text


def test_a_task_without_pairs_says_nothing_of_them(tmp_path: Path) -> None:
    path, _, predicted = simulated(tmp_path)
    path.write_text(path.read_text().replace("pair = {", "strata = ['class'] #"))
    task = load_task_file(path)
    store = Store(tmp_path / "out")
    store.write_task(task, gc_fraction(task.sequences))
    said = [f"{row}\t{value:.5f}" for row, value in zip(task.row_id, predicted, strict=True)]
    (tmp_path / "p.tsv").write_text("id\tprediction\n" + "\n".join(said) + "\n")
    score_predictions(store, task, make_folds(task), None, tmp_path / "p.tsv", "f")
    assert "**Pairs.**" not in write_board(tmp_path / "out").read_text(encoding="utf-8")
