"""How a task named on the command line is loaded and split: by the process that plans, and by any that works for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.names import parse_name
from bench.plugins.described import Described
from bench.plugins.registry import Registry
from bench.tasks.folds import make_folds
from bench.tasks.splits import Split
from bench.tasks.task import DROPPED, TRAIN, Folds, Task
from bench.tasks.task_file import load_task_file

#: Training rows that --quick keeps: a minute's look at a task of any size.
QUICK_ROWS = 2_000


@dataclass(frozen=True)
class TaskSource:
    """How any process loads a task as the plan did.

    ``name`` : a data set's name, or the path of a task file (.toml), and which of its rows (``named_rows``). ``split``
    : in place of the task's own. ``quick`` and ``data_dir`` : as the options of ``bench run``.
    """

    name: str
    split: str | None = None
    quick: bool = False
    data_dir: Path | None = None

    def absolute(self) -> TaskSource:
        """The same for a process with another working folder."""
        return TaskSource(
            str(Path(base_name(self.name)).resolve()) + self.name.removeprefix(base_name(self.name))
            if base_name(self.name).endswith(".toml")
            else self.name,
            self.split,
            self.quick,
            None if self.data_dir is None else self.data_dir.resolve(),
        )


@dataclass(frozen=True, eq=False)
class PlannedTask:
    """A loaded task with its folds, and how to load it again elsewhere. Its facts are computed when first asked for."""

    source: TaskSource
    task: Task
    folds: Folds

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.card.name

    @cached_property
    def gc(self) -> NDArray[np.float32]:
        """GC fraction of every row, float32 (n,)."""
        from bench.kernels.gc import gc_fraction

        return gc_fraction(self.task.sequences)


def base_name(source: str) -> str:
    """The data set's name or path of a task, without the rows that are taken of it."""
    return source[: source.rindex("[")] if source.endswith("]") and "[" in source else source


def named_rows(source: str) -> tuple[str, dict[str, list[str]]]:
    """A task's name and the rows that are taken of it: ``mattioli2020[genome=hg19]``, or with ``+`` between several
    values of a column. No rows named: all of them.

    Raises
    ------
    BenchError : where the bracket cannot be read.
    """
    base = base_name(source)
    if base == source:
        return source, {}
    _, chosen = parse_name("rows" + source[len(base) :])
    return base, {column: [value.strip() for value in values.split("+")] for column, values in chosen.items()}


def load_planned(source: TaskSource, registry: Registry) -> PlannedTask:
    """Load a task and make its folds.

    Raises
    ------
    BenchError : for an unknown name, a bad file or a bad split.
    bench.dataset.Unavailable : where the data are not here.
    """
    task = load_task(source.name, registry, source.data_dir, source.split)
    return PlannedTask(source, task, concrete_folds(task, source.split, source.quick))


def load_task(source: str, registry: Registry, data_dir: Path | None, split: str | None = None) -> Task:
    """The task of a data set's name or of a TOML file's path. ``split``: one that it will be put under in place of its
    own."""
    whole = source
    source, rows = named_rows(source)
    if source.endswith(".toml"):
        return load_task_file(source, Split.parse(split, "--split") if split else None, rows)
    if "/" in source or Path(source).suffix:
        raise BenchError(
            f"--task {source}: not a task file. Give a data set's name (bench list shows them) or the path of a .toml"
            " that names your table."
        )
    found = registry.find("dataset", source)
    if isinstance(found, Described):
        assert registry.describer is not None
        file = registry.entry("dataset", source).file
        task: Task = registry.describer.load(file, TaskSource(whole, data_dir=data_dir))
        return task
    if not rows:
        return found().load(data_dir)
    return found().load(data_dir, rows=rows)


def concrete_folds(task: Task, split: Split | str | None, quick: bool) -> Folds:
    """The folds of a task (by ``split``, or the task's own); ``quick`` keeps the first fold and at most ``QUICK_ROWS``
    of its training rows."""
    folds = make_folds(task, Split.parse(split, task.card.name) if isinstance(split, str) else split)
    if not quick:
        return folds
    part = folds.part[:1].copy()
    train = np.flatnonzero(part[0] == TRAIN)
    if len(train) > QUICK_ROWS:
        chosen = np.random.default_rng(0).choice(train, QUICK_ROWS, replace=False)
        part[0, np.setdiff1d(train, chosen)] = DROPPED
    return Folds(f"quick-{folds.name}", part, folds.apart)
