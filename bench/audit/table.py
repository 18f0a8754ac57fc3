"""What the columns of a table say that its task file does not name: labels that look like strata, and the replicates
that a listed column was averaged from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.audit.confounders import RHO_WARN
from bench.audit.finding import Finding
from bench.files.tables import Layout, read_table, typed
from bench.files.toml import read_toml, validated
from bench.stats.ranks import mid_ranks, spearman
from bench.stats.replicate_checks import mixtures
from bench.tasks.aliases import candidates
from bench.tasks.spec import PARTS, TargetSpec, TaskFile

if TYPE_CHECKING:
    import pandas as pd

#: Labels of a column that looks like a stratum, and the share of the rows that the second most frequent one has.
MOST_LABELS, SECOND = 20, 0.05
#: Numbers that are looked at for the parts of an average.
MOST_COLUMNS = 30


def check_table(path: Path) -> Iterator[Finding]:
    """Findings on the columns of a task file's table; nothing where its layout is known (``format``)."""
    spec = validated(TaskFile, read_toml(path, "task file"), str(path))
    if spec.format != "table":
        return
    layout = Layout(spec.skip_rows, tuple(spec.columns.names), spec.sheet)
    frame = typed(read_table(path.parent / spec.table, layout).frame)
    named = _named(spec, [str(column) for column in frame.columns])
    others = [str(column) for column in frame.columns if column not in named]
    for name, target in spec.targets.items():
        if not target.replicates or target.kind == "binary":  # of counts the activity is not in the table
            continue
        about = name if len(spec.targets) > 1 else ""
        yield from _averages(about, target, frame, others)
        y = np.column_stack([_numbers(frame, column) for column in target.replicates])
        known = np.flatnonzero(np.isfinite(y).any(axis=1))
        mean = np.nanmean(y[known], axis=1)
        for column in others:
            labels = _labels(frame[column].iloc[known])
            if labels is None:
                continue
            score = spearman(_known_label(labels, mean), mean)
            if score >= RHO_WARN:
                yield Finding(
                    "strata",
                    "WARN",
                    " · ".join(filter(None, (about, column))),
                    f"a column of {labels.max() + 1} labels that the task does not name, and a model that knows only it"
                    f" scores {score:.2f}: name it under [columns.strata] to see GC within each",
                    {"labels": int(labels.max() + 1), "value": score},
                )


def _averages(about: str, target: TargetSpec, frame: pd.DataFrame, others: list[str]) -> Iterator[Finding]:
    """Listed replicates that were made from columns of the table that are not all listed."""
    numeric = [column for column in others if frame[column].dtype.kind in "fi"][:MOST_COLUMNS]
    names = tuple(target.replicates) + tuple(numeric)
    y = np.column_stack([_numbers(frame, column) for column in names])
    for column, parts, words in mixtures(y, names):
        if column not in target.replicates or words == "a mixture" or set(parts) <= set(target.replicates):
            continue  # the audit of the task says the last
        listed = [part for part in parts if part in target.replicates]
        fix = f"list {', '.join(parts)} in replicates in its place"
        why = f"counts {', '.join(listed)} twice" if listed else "leaves no replicates to tell the noise from"
        reason = f"{column} is {words} of the table's {', '.join(parts)}, which {why}: {fix}"
        yield Finding("averages", "FAIL" if listed else "WARN", about, reason, {"column": column})


def _named(spec: TaskFile, names: list[str]) -> set[str]:
    """Columns that the task names, or that it finds by their names."""
    named = {*spec.columns.required, *spec.minimum, *spec.maximum, *spec.rows}
    for part in PARTS:
        named |= set(candidates(part, names))
    for target in spec.targets.values():
        named |= {*target.outcome, *target.dna, *target.minimum, *target.maximum}
    if spec.split is not None and spec.split.column:
        named.add(spec.split.column)
    return named


def _numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    import pandas as pd

    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _labels(values: pd.Series) -> NDArray[np.int64] | None:
    """Codes of a column of labels: text or whole numbers, a few kinds of which two are frequent; None for another."""
    if values.dtype.kind == "f" and not (values.dropna() % 1 == 0).all():
        return None
    counts = values.value_counts(dropna=False)
    if not 2 <= len(counts) <= MOST_LABELS or counts.iloc[1] < SECOND * len(values):
        return None
    return np.asarray(values.astype(object).where(values.notna(), None).factorize(use_na_sentinel=False)[0], np.int64)


def _known_label(labels: NDArray[np.int64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The prediction of a model that knows a row's label alone: the mean rank of the other rows of its label."""
    ranks = mid_ranks(y)
    size = np.bincount(labels)[labels]
    total = np.bincount(labels, ranks)[labels]
    return np.where(size > 1, (total - ranks) / np.maximum(size - 1, 1), 0.5 * len(y))
