"""Checks of data sets. Each function takes a data set object and raises ``CheckFailed``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.checks.check import Check, check_known_failures, check_name, must, named, title
from bench.dataset import Dataset, Unavailable
from bench.plugins.registry import Registry
from bench.tasks.folds import make_folds
from bench.tasks.spec import TaskSpec
from bench.tasks.splits import Split
from bench.tasks.task import PART_NAMES, Task


def dataset_checks(dataset: Dataset, registry: Registry | None = None, data_dir: Path | None = None) -> list[Check]:
    """The checks of a data set object. Where its files are not here, those of its rows say so and pass.

    Parameters
    ----------
    registry : where to look whether its name is taken; not looked at by default.
    data_dir : folder that may hold its files.
    """
    checks: dict[str, Callable[..., Any]] = {
        "name": lambda d, rows: check_name(d, "dataset", registry),
        "title": check_title,
        "files": check_files,
        "spec": check_spec,
        "task": check_task,
        "folds": check_folds,
    }
    known = {*checks, "known-failures"}
    checks["known-failures"] = lambda d, rows: check_known_failures(d, known)
    return list(named(dataset, checks, Rows(dataset, data_dir)))


class Rows:
    """The task of a data set, loaded once, or why it cannot be."""

    def __init__(self, dataset: Dataset, data_dir: Path | None) -> None:
        self._dataset, self._data_dir = dataset, data_dir

    @cached_property
    def task(self) -> Task | Unavailable:
        """The task; the reason where its files are not here."""
        try:
            return self._dataset.load(self._data_dir)
        except Unavailable as absent:
            return absent


def check_title(dataset: Dataset, rows: Rows) -> None:
    """One line on what it is."""
    line = getattr(dataset, "title", None)
    good = isinstance(line, str) and line.strip() and "\n" not in line
    must(bool(good), f"'title' of {title(dataset)} must be one line on what it is. Got {line!r}.")


def check_files(dataset: Dataset, rows: Rows) -> str:
    """Every file has a relative path, an address, a SHA-256 and a size."""
    of = title(dataset)
    for file in dataset.files:
        path = Path(file.path)
        inside = not path.is_absolute() and ".." not in path.parts
        must(inside, f"The path of a file of {of} must stay inside the data folder. Got {file.path!r}.")
        must(file.url.startswith("https://"), f"The url of {file.path} of {of} must be https. Got {file.url!r}.")
        good = re.fullmatch(r"[0-9a-f]{64}", file.sha256) is not None
        must(
            good, f"The sha256 of {file.path} of {of} must be 64 digits of lower-case hexadecimal. Got {file.sha256!r}."
        )
        must(file.bytes > 0, f"The size of {file.path} of {of} must be above 0. Got {file.bytes}.")
    return f"{len(dataset.files)} files, {sum(file.bytes for file in dataset.files) / 1e6:.1f} MB"


def check_spec(dataset: Dataset, rows: Rows) -> None:
    """The specification is a ``TaskSpec`` of the same name that says where the data are from."""
    spec, of = dataset.spec(), title(dataset)
    must(isinstance(spec, TaskSpec), f"spec() of {of} must return a TaskSpec. Got {type(spec).__name__}.")
    must(spec.name == dataset.name, f"The task of {of} must have the name of the data set. Got {spec.name!r}.")
    good = spec.split is None or isinstance(spec.split, Split)
    must(good, f"The split of {of} must be None or a Split, as Split.parse makes it. Got {spec.split!r}.")
    for key in ("title", "assay", "organism", "citation", "licence"):
        must(bool(getattr(spec, key)), f"The card of {of} must have {key!r}. Got nothing.")


def check_task(dataset: Dataset, rows: Rows) -> str:
    """The task builds: unique row names, measured targets."""
    task, of = rows.task, title(dataset)
    if isinstance(task, Unavailable):
        return str(task)
    must(len(set(task.row_id.tolist())) == len(task), f"The row names of {of} must be unique. Got some twice.")
    for name, target in task.targets.items():
        values = target.value[np.isfinite(target.value)]
        must(len(values) > 1 and np.ptp(values) > 0, f"The target {name} of {of} must vary. Got {len(values)} values.")
    return f"{len(task):,} rows, {len(task.targets)} targets"


def check_folds(dataset: Dataset, rows: Rows) -> str:
    """Every fold of the default split has training, validation and test rows, and no locus lies in two of them."""
    task, of = rows.task, title(dataset)
    if isinstance(task, Unavailable):
        return task.reason
    folds = make_folds(task)
    for number, part in enumerate(folds.part, 1):
        for code, what in PART_NAMES.items():
            must(bool((part == code).any()), f"Fold {number} of {of} must have {what} rows. Got none.")
        kept = part >= 0
        pairs = np.unique(np.stack([task.locus[kept], part[kept]]), axis=1)
        loci, parts = np.unique(pairs[0], return_counts=True)
        must(
            bool((parts == 1).all()),
            f"A locus of {of} must lie in one part of fold {number}. Got {int((parts > 1).sum())} of {len(loci)} in"
            " several.",
        )
    return f"{folds.name}, {len(folds)} folds"
