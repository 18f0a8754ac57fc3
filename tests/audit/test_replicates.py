"""Columns that are not what they are listed as: found by their numbers, and silent on sound ones."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from audited import subject
from typer.testing import CliRunner

from bench.audit import replicates
from bench.audit.audit import quick_failures
from bench.cli.main import app
from bench.stats import replicate_checks
from bench.tasks.task import Target

N = 600


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def sound(rng, k=3, noise=1.0, n=N):
    """Replicates of one activity, float64 (n, k)."""
    return rng.normal(size=(n, 1)) + noise * rng.normal(size=(n, k))


def audited(columns, names=None, **put):
    """A task whose only target has these columns."""
    y = np.column_stack(columns) if isinstance(columns, list) else columns
    names = names or tuple(f"rep{i + 1}" for i in range(y.shape[1]))
    planted = subject(n=len(y), **put)
    task = dataclasses.replace(planted.task, targets={"y": Target("y", y, tuple(names))})
    return dataclasses.replace(planted, task=task)


def reasons(check, planted, status="FAIL"):
    return [finding.reason for finding in check(planted) if finding.status == status]


def test_sound_replicates_are_silent(rng):
    for y in (
        sound(rng),
        sound(rng, noise=0.05),  # reliability .998
        sound(rng, noise=2.4),
        np.where(rng.random((N, 3)) < 0.1, np.nan, sound(rng)),
        np.where(rng.random((N, 2)) < 0.97, 0.0, sound(rng, 2)),  # zeros agree, and are no copy
        np.round(sound(rng, 2), 1),
        (sound(rng, 2, 0.3) > 0).astype(float),
        np.clip(np.round(2 * sound(rng, 2, 0.1) + 4), 0, 8),  # scores on nine steps
    ):
        found = quick_failures(audited(y))
        assert found == [], found


@pytest.mark.parametrize(
    ("change", "words"),
    [(lambda a: a, "rep2 is the same as rep1"),
     (lambda a: np.where(np.arange(N) % 200 == 0, a + 1, a), "rep2 is the same as rep1"),
     (lambda a: 2 * a + 3, "rep2 is rep1 on another scale"),
     (lambda a: -a, "rep2 is rep1 on another scale"),
     (lambda a: np.exp2(a), "rep2 is rep1 on another scale"),
     (lambda a: np.round(a, 2), "rep2 is rep1 on another scale")],
)  # fmt: skip
def test_a_copy_is_named_whatever_it_is_called(rng, change, words):
    a = sound(rng, 1)[:, 0]
    found = reasons(replicates.check_copies, audited([a, change(a)]))
    assert len(found) == 1
    assert found[0].startswith(words)


def test_copies_are_named_once_each_and_halves_too(rng):
    a, b = sound(rng, 2).T
    found = reasons(replicates.check_copies, audited([a, b, a, a], ("r1", "r2", "r1_copy", "again")))
    assert [reason.partition(",")[0] for reason in found] == ["r1_copy is the same as r1", "again is the same as r1"]
    planted = audited([a, b])
    target = dataclasses.replace(planted.task.targets["y"], halves=np.column_stack([a, a]))
    planted = dataclasses.replace(planted, task=dataclasses.replace(planted.task, targets={"y": target}))
    assert reasons(replicates.check_copies, planted)[0].startswith("half 2 is the same as half 1")


def test_gaps_do_not_hide_a_copy(rng):
    a = sound(rng, 1)[:, 0]
    y = np.column_stack([a, a])
    y[rng.random((N, 2)) < 0.3] = np.nan
    assert reasons(replicates.check_copies, audited(y))


@pytest.mark.parametrize(
    ("make", "words"),
    [(lambda a, b, c: (a + b) / 2, "last is the mean of r1, r2,"),
     (lambda a, b, c: (a + b + c) / 3, "last is the mean of r1, r2, r3,"),
     (lambda a, b, c: a + b + c, "last is the sum of r1, r2, r3,"),
     (lambda a, b, c: np.round((a + b) / 2, 2), "last is the mean of r1, r2,"),
     (lambda a, b, c: np.log2((2**a + 2**b) / 2), "last is the mean of r1, r2,"),
     (lambda a, b, c: 0.2 * a + 0.8 * c, "last is a mixture of r1, r3,")],
)  # fmt: skip
def test_what_is_made_of_others_is_named_and_they_are_not(rng, make, words):
    a, b, c = sound(rng).T
    found = reasons(replicates.check_averages, audited([a, b, c, make(a, b, c)], ("r1", "r2", "r3", "last")))
    assert len(found) == 1
    assert found[0].startswith(words)


def test_labels_that_agree_are_no_average_of_one_another(rng):
    label = np.zeros(N)
    label[3] = 1.0
    planted = audited([label, label, label])
    task = planted.task
    binary = {"y": dataclasses.replace(task.targets["y"], kind="binary")}
    planted = dataclasses.replace(planted, task=dataclasses.replace(task, targets=binary))
    assert reasons(replicates.check_averages, planted) == []


def test_counts_are_no_activity(rng):
    counts = rng.poisson(np.exp(3 + sound(rng, 2, 0.3)))
    assert "rep1, rep2 hold whole numbers" in reasons(replicates.check_counts, audited(counts.astype(float)))[0]
    for other in (np.log2(counts + 1.0), counts - 5.0, rng.permutation(N)[:, None] * 1.0, counts.clip(0, 8) * 1.0):
        assert reasons(replicates.check_counts, audited(other)) == []


def test_unlike_levels_matter_where_values_are_missing(rng):
    y = sound(rng, 2) + np.array([0.0, 3.0])
    assert reasons(replicates.check_levels, audited(y)) == []
    y[rng.random((N, 2)) < 0.3] = np.nan
    # ranks put them on one scale first; a mean does not
    ranked = audited(y)
    assert reasons(replicates.check_levels, ranked, "WARN") == []
    assert "put on one scale" in reasons(replicates.check_levels, ranked, "PASS")[0]
    target = dataclasses.replace(ranked.task.targets["y"], combine="mean")
    averaged = dataclasses.replace(ranked, task=dataclasses.replace(ranked.task, targets={"y": target}))
    assert reasons(replicates.check_levels, averaged, "WARN")[0].startswith("rep2 lies +1.9 standard")
    # a median alone does not tell: only the rows that both measured do
    y = sound(rng, 2)
    y[y[:, 0] < 0, 1] = np.nan
    assert reasons(replicates.check_levels, audited(y)) == []


def test_a_replicate_of_noise_is_named(rng):
    y = sound(rng, 3, 0.7)
    for wrong, words in ((rng.normal(size=N), "rep2 is mostly noise beside"), (-y[:, 1], "rep2 runs against")):
        bad = y.copy()
        bad[:, 1] = wrong
        found = reasons(replicates.check_noise, audited(bad))
        assert len(found) == 1
        assert found[0].startswith(words)


def test_three_poor_replicates_are_seldom_called_noise(rng):
    # reliability .15 each: none is worse than the others
    found = [reasons(replicates.check_noise, audited(sound(rng, 3, np.sqrt(1 / 0.15 - 1), n=300))) for _ in range(40)]
    assert sum(map(bool, found)) <= 2


def test_reliabilities_are_those_of_a_common_factor(rng):
    y = rng.normal(size=(40_000, 1)) + rng.normal(size=(40_000, 4)) * [0.5, 1.0, 2.0, 30.0]
    each, _, _ = replicate_checks.reliabilities(y)
    assert each == pytest.approx(1 / (1 + np.square([0.5, 1.0, 2.0, 30.0])), abs=0.04)


def test_rows_exported_twice_are_counted(rng):
    y = sound(rng, 2)
    strings = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(N)]
    strings[100:150], y[100:150] = strings[:50], y[:50]  # bases and values
    strings[200:250] = strings[:50]  # another measurement of the same bases
    y[300:350] = y[:50]  # the same values of other bases
    finding = next(replicates.check_rows(audited(y, strings=strings)))
    assert (finding.status, finding.figures["repeated"]) == ("FAIL", 50)
    zeros = audited(np.where(rng.random((N, 2)) < 0.5, 0.0, 1.0) * (rng.random((N, 2)) < 0.2), strings=strings)
    assert next(replicates.check_rows(zeros)).status == "PASS"


# ---- the command line ------------------------------------------------------------------------------------------------
@pytest.fixture
def copied(tmp_path, rng):
    """A task file whose second replicate is the first again, under another name."""
    n = 240
    y = sound(rng, 1, n=n)[:, 0]
    frame = pd.DataFrame(
        {
            "id": [f"oligo{i:04}" for i in range(n)],
            "sequence": ["".join(rng.choice(list("ACGT"), 40)) for _ in range(n)],
            "chrom": [f"chr{i % 8 + 1}" for i in range(n)],
            "rep1": y.round(4),
            "rep1_copy": y.round(4),
        }
    )
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    path = tmp_path / "task.toml"
    path.write_text(
        'name = "copied"\ntable = "t.tsv"\nsplit = "chromosome-kfold[k=4]"\n'
        '[targets.y]\nreplicates = ["rep1", "rep1_copy"]\n'
    )
    return path


def test_an_audit_fails_on_a_copied_replicate(copied):
    said = CliRunner().invoke(app, ["audit", str(copied)])
    assert said.exit_code == 1
    assert "FAIL    copies          rep1_copy is the same as rep1" in said.output


def test_a_run_says_what_the_audit_fails_before_it_fits_and_on_the_board(copied, tmp_path):
    call = ["run", "-t", str(copied), "-f", "gc", "-m", "ridge", "--out", str(tmp_path / "out")]
    planned = CliRunner().invoke(app, [*call, "--dry-run"])
    assert "FAIL copies: rep1_copy is the same as rep1" in planned.output
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.output
    assert done.output.index("FAIL copies") < done.output.index("fit to do")
    board = (tmp_path / "out" / "leaderboard.md").read_text()
    sections = board + "".join(path.read_text() for path in (tmp_path / "out").rglob("*.md"))
    assert "**Warning**: copies: rep1&#95;copy is the same as rep1" in sections
    assert (
        "near duplicates (half of their 12-mers or more in one such row, copies among them): 0 of 240, 0"
        in sections.replace("%", "")
    )


def test_columns_that_the_task_does_not_name_are_suggested(tmp_path, rng):
    n = 400
    y, batch = sound(rng, 2, n=n), rng.integers(3, size=n)
    y += 2.0 * batch[:, None]
    table = {
        "sequence": ["".join(rng.choice(list("ACGT"), 40)) for _ in range(n)],
        "rep1": y[:, 0],
        "rep2": y[:, 1],
        "avg": y.mean(axis=1),
        "batch": np.array(["a", "b", "c"])[batch],
        "plate": rng.integers(4, size=n),  # says nothing
        "depth": rng.normal(size=n),
    }
    pd.DataFrame(table).to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    path = tmp_path / "task.toml"
    for listed, words in (
        ('["rep1", "avg"]', "avg is the mean of the table's rep1, rep2, which counts rep1 twice"),
        ('["avg"]', "avg is the mean of the table's rep1, rep2, which leaves no replicates"),
        ('["rep1", "rep2"]', None),
    ):
        path.write_text(
            f'name = "x"\ntable = "t.tsv"\nsplit = "locus-kfold[k=3]"\n[targets.y]\nreplicates = {listed}\n'
        )
        said = CliRunner().invoke(app, ["audit", str(path)]).output
        assert (words in said) if words else ("averages" not in said)
        assert "WARN    strata          batch: a column of 3 labels" in said
        assert "plate" not in said
        assert "depth" not in said
    path.write_text(path.read_text() + '[columns]\nstrata = ["batch"]\n')
    assert "a column of" not in CliRunner().invoke(app, ["audit", str(path)]).output
