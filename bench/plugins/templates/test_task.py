"""The task my-plugin: it builds, and its split leaves rows to learn from and to be tested on."""

from pathlib import Path

import numpy as np

from bench.tasks.folds import make_folds
from bench.tasks.task import TEST, TRAIN, VALID
from bench.tasks.task_file import load_task_file

TASK = load_task_file(Path(__file__).parents[1] / "tasks" / "my-plugin.toml")


def test_every_row_is_measured():
    assert TASK.card.name == "my-plugin"
    assert all(np.isfinite(target.value).any() for target in TASK.targets.values())


def test_every_fold_has_rows_of_every_part():
    for part in make_folds(TASK).part:
        assert {TRAIN, VALID, TEST} <= set(part.tolist())
