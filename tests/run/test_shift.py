"""The shift panel: halves of GC, random rows, and likeness to training rows."""

import numpy as np
import pytest
from typer.testing import CliRunner

from bench.board.shift import shift_panels
from bench.cli.main import app
from bench.plugins.registry import Registry
from bench.run.shift import likeness
from bench.tasks.load import TaskSource, load_planned
from bench.tasks.task import TEST, TRAIN

MOTIF = "TGACTCA"


def write(folder, names, sequences, chroms, values, rng):
    lines = ["id\tsequence\tchrom\tlocus\ta\tb"]
    for name, sequence, chrom, value in zip(names, sequences, chroms, values, strict=True):
        one, other = value + rng.normal(0, 0.1, 2)
        lines.append(f"{name}\t{sequence}\t{chrom}\t{name}\t{one:.4f}\t{other:.4f}")
    (folder / "t.tsv").write_text("\n".join(lines) + "\n")
    path = folder / "t.toml"
    path.write_text("name = 't'\ntable = 't.tsv'\nsplit = 'locus-kfold[k=3]'\n[targets.y]\nreplicates = ['a', 'b']\n")
    return str(path)


def mutated(sequence, part, rng):
    letters = np.array(list(sequence))
    places = rng.choice(len(letters), round(part * len(letters)), replace=False)
    for place in places:
        letters[place] = rng.choice([base for base in "ACGT" if base != letters[place]])
    return "".join(letters)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory):
    """Half of the rows are relatives (9 of 10 bases equal) of another half, which they share their value with, under
    loci that say nothing of it; a third set has no relatives. Values follow nothing else."""
    folder = tmp_path_factory.mktemp("leak")
    rng = np.random.default_rng(0)
    alone = ["".join(rng.choice(list("ACGT"), 100)) for _ in range(200)]
    first = ["".join(rng.choice(list("ACGT"), 100)) for _ in range(200)]
    value = rng.normal(size=400)
    sequences = [*alone, *first, *(mutated(each, 0.1, rng) for each in first)]
    values = [*value, *value[200:]]
    task = write(folder, [f"r{i}" for i in range(600)], sequences, [f"chr{i % 9}" for i in range(600)], values, rng)
    call = ["shift", task, "-p", "one-hot + nearest", "-p", "gc + gc-curve", "-o", str(folder / "out")]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    planned = load_planned(TaskSource(task, None), Registry())
    return folder / "out" / "shift", planned, call


def test_likeness_is_that_of_the_relatives(leaking):
    _, planned, _ = leaking
    found = likeness(planned)
    tested = np.nanmax(found, axis=0)
    assert (tested[:200] == 0).mean() > 0.95
    part = planned.folds.part
    for row in range(200, 600):
        other = row + 200 if row < 400 else row - 200
        (fold,) = np.flatnonzero(part[:, row] == TEST)
        if part[fold, other] == TRAIN:
            assert 0.75 < tested[row] < 0.95  # an alignment ends where bases differ
        else:
            assert tested[row] < 0.5


def test_a_leak_shows_among_rows_that_have_relatives(leaking):
    root, planned, _ = leaking
    (panel,) = shift_panels(root, "t", planned.folds.name, likeness(planned))
    assert [column.name for column in panel.splits] == [
        "locus-kfold[k=3]", "low GC to high", "high GC to low", "random-kfold[k=5]",
    ]  # fmt: skip
    by_name = {column.name: column for column in panel.bins}
    assert by_name["none alike"].rows + by_name[".8 and more"].rows == 600
    assert by_name[".8 and more"].scores["one-hot + nearest"].low > 0.8
    # the training mean for all of them: no ranking
    assert np.isnan(by_name["none alike"].scores["one-hot + nearest"].value)
    assert by_name[".8 and more"].scores["gc + gc-curve"].covers_zero
    assert by_name["below .5"].scores == {}
    random = panel.splits[3].scores["one-hot + nearest"]
    assert random.low > 0.2


def test_the_page_says_so_and_a_second_call_fits_nothing(leaking):
    root, _, call = leaking
    page = (root / "shift-t.md").read_text()
    assert "| one-hot + nearest | n/a | n/a |" in page
    again = CliRunner().invoke(app, call)
    assert "nothing to fit" in again.output
    refused = CliRunner().invoke(app, [*call, "--split", "gc-shift"])
    assert "Name another with --split" in str(refused.exception)


@pytest.mark.parametrize("seed", range(2))
def test_what_follows_gc_does_not_carry_over_and_a_motif_does(seed, tmp_path):
    """Activity rises with GC to the middle and falls beyond it, and with a motif everywhere."""
    rng = np.random.default_rng(100 + seed)
    gc = rng.uniform(0.25, 0.75, 900)
    sequences, values = [], []
    for g in gc:
        letters = rng.choice(list("ACGT"), 80, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])
        has = rng.random() < 0.5
        if has:
            place = rng.integers(0, 73)
            letters[place : place + 7] = list(MOTIF)
        sequences.append("".join(letters))
        values.append(1.5 * has - 30 * (g - 0.5) ** 2 + rng.normal(0, 0.3))
    task = write(tmp_path, [f"r{i}" for i in range(900)], sequences, [f"chr{i % 9}" for i in range(900)], values, rng)
    call = ["shift", task, "-p", "gc + gc-curve", "-p", "kmers[k=4] + lightgbm", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    planned = load_planned(TaskSource(task, None), Registry())
    (panel,) = shift_panels(tmp_path / "out" / "shift", "t", planned.folds.name, likeness(planned))
    for column in panel.splits[1:3]:
        assert column.scores["gc + gc-curve"].value < column.scores["kmers[k=4] + lightgbm"].value
