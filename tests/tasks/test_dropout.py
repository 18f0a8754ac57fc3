"""What a task leaves out, against GC: rows that no replicate measured, columns that rows were filtered by."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from bench.cli.main import app
from bench.stats.library import robust_correlation
from bench.tasks.task_file import load_task_file


def write(folder, *, gone=0.0, depth=0.0, n=400, seed=0):
    """A task whose rows are measured less often at high GC (``gone``), and whose filter follows GC (``depth``)."""
    rng = np.random.default_rng(seed)
    gc = rng.uniform(0.25, 0.75, n)
    z = (gc - 0.5) / gc.std()
    y = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, 2))
    y[rng.random(n) < 1 / (1 + np.exp(1.5 - gone * z))] = np.nan
    pd.DataFrame(
        {
            "id": [f"r{i}" for i in range(n)],
            "sequence": ["".join(rng.choice(list("ACGT"), 60, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in gc],
            "chrom": [f"chr{i % 6}" for i in range(n)],
            "a": y[:, 0],
            "b": y[:, 1],
            "reads": np.exp(4 + depth * z + rng.normal(size=n)),
        }
    ).to_csv(folder / "t.tsv", sep="\t", index=False)
    (folder / "t.toml").write_text(
        'name = "t"\ntable = "t.tsv"\nsplit = "chromosome-kfold[k=3]"\n[minimum]\nreads = 5\n'
        '[targets.y]\nreplicates = ["a", "b"]\n'
    )
    return folder / "t.toml"


@pytest.mark.parametrize(("gone", "depth"), [(0.0, 0.0), (1.5, 1.0)])
def test_dropout_and_filters_reach_the_audit_and_the_board(tmp_path, gone, depth):
    path = write(tmp_path, gone=gone, depth=depth)
    task = load_task_file(path)
    assert list(task.filters) == ["reads"]
    assert (task.unmeasured["y"].low > 0) == bool(gone)
    said = CliRunner().invoke(app, ["audit", str(path)]).output
    assert ("WARN    drop-out" in said) == bool(gone)
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["run", "-t", str(path), "-f", "gc", "-m", "ridge", "--out", str(out)])
    assert done.exit_code == 0, done.output
    board = json.loads((out / "t" / "summary.json").read_text())["boards"][0]
    found = {(test["kind"], test["name"]): test["matters"] for test in board["library"]}
    assert found == {("covariate", "reads"): bool(depth), ("unmeasured", ""): bool(gone)}
    assert ("rows without any measurement" in (out / "leaderboard.md").read_text()) == bool(gone)


def test_the_interval_lets_rows_of_a_block_depend_on_each_other():
    rng = np.random.default_rng(2)
    missed = {"by block": 0, "by row": 0}
    for _ in range(400):
        block = np.repeat(np.arange(40), 10)
        x, y = rng.normal(size=(2, 40))[:, block] + 0.3 * rng.normal(size=(2, 400))
        missed["by block"] += robust_correlation(x, y, block).covers_zero is False
        missed["by row"] += robust_correlation(x, y, np.arange(400)).covers_zero is False
    assert missed["by block"] <= 0.1 * 400 < missed["by row"]
    assert np.isnan(robust_correlation(np.ones(9), np.arange(9), np.arange(9)).value)
