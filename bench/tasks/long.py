"""Long tables, one row per element and replicate (MPRAflow's allreps, ENCODE's element quantifications), made wide."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.tasks.aliases import candidates
from bench.tasks.columns import Columns
from bench.tasks.counts import DNA
from bench.tasks.labels import read_labels
from bench.tasks.loci import codes_of
from bench.tasks.rows import matching
from bench.tasks.spec import PARTS, ColumnsSpec, Part, TargetSpec, TaskFile

if TYPE_CHECKING:
    import pandas as pd


def wide(spec: TaskFile, table: Columns, labels: Collection[str] = ()) -> tuple[TaskFile, pd.DataFrame]:
    """One row per element, in order of first appearance, and the task that this makes.

    The column of a target becomes one column per replicate; covariates become their sum (DNA counts) or mean over an
    element's rows. Of the other columns those stay whose value an element's rows share.

    Parameters
    ----------
    labels : columns that must stay, besides those that the task names.

    Raises
    ------
    BenchError : for two rows of one element and replicate, and for a named column that differs within an element.
    """
    columns = spec.columns
    replicate = str(columns.replicate)
    table.require([replicate, *(column for target in spec.targets.values() for column in _values(target))])
    name, key = _elements(table, columns)
    element = codes_of(key)
    first = np.unique(element, return_index=True)[1]
    which = table.text(replicate)
    check_labels(table, replicate)
    added: dict[str, NDArray[np.float64]] = {}
    targets: dict[str, TargetSpec] = {}
    for target_name, target in spec.targets.items():
        mine = np.ones(len(table), np.bool_)
        for column, kept in target.rows.items():
            mine &= matching(table, column, kept, f"targets.{target_name}.rows")
        targets[target_name] = _spread(table, target_name, target, mine, element, which, name, added)
    frame = table.frame.iloc[table.rows[first]].copy()
    for covariate, column in columns.covariates.items():
        added[column] = _over_rows(table.numbers(column), element, summed=covariate == DNA)
    values = {column for target in spec.targets.values() for column in _values(target)} | {replicate}
    must = {_played(table, columns, part) for part in PARTS} | {*columns.strata.values(), *columns.control, *labels}
    must |= set(columns.pair.columns) if columns.pair else set()
    must |= {columns.species, spec.split.column if spec.split else None}
    for column in [*map(str, table.frame.columns)]:
        if column in added or column in (name, columns.species):
            continue
        differs = _differs(table, column, element, first)
        if differs is not None and column in must:
            raise BenchError(
                f"{table.source}: column {column!r} differs between rows of {str(key[differs])!r}, such as"
                f" {table.where(differs)}. One element has one value."
            )
        if differs is not None or column in values:
            frame = frame.drop(columns=column)
    columns = columns.model_copy(update={"replicate": None})
    changed = {"targets": targets, "columns": columns, "format": "table"}
    return spec.model_copy(update=changed), frame.assign(**added)


def _played(table: Columns, columns: ColumnsSpec, part: Part) -> str | None:
    """The column of a part, as named or found."""
    found = candidates(part, [*map(str, table.frame.columns)]) if getattr(columns, part) is None else []
    return columns.said(part) or (found[0] if found else None)


def check_labels(table: Columns, replicate: str) -> None:
    """Refuse rows that do not say which replicate they are, and two ways of writing one replicate, each of which would
    be a replicate with gaps.

    Raises
    ------
    BenchError : naming the row or the labels.
    """
    which = table.text(replicate)
    if (which == "").any():
        raise BenchError(
            f"{table.source}: {table.where(int(np.argmax(which == '')))} has no {replicate!r}. Give every row its"
            " replicate."
        )
    seen: dict[str, str] = {}
    for label in sorted(set(which.tolist())):
        plain = label.casefold()
        plain = f"{float(plain):g}" if re.fullmatch(r"\d+(\.\d+)?", plain) else re.sub(r"[\s_.-]+", "", plain)
        if plain in seen:
            raise BenchError(
                f"{table.source}: column {replicate!r} has {seen[plain]!r} and {label!r}. If they are one replicate,"
                " write it in one way; else give them names that differ in more than case and punctuation."
            )
        seen[plain] = label


def _values(target: TargetSpec) -> tuple[str, ...]:
    return (*target.replicates, *target.rna, *target.dna)


def _elements(table: Columns, columns: ColumnsSpec) -> tuple[str | None, NDArray[Any]]:
    """The column that names elements, and the element of every row, str (n,): by id, else by the bases."""
    names = [*map(str, table.frame.columns)]
    parts: tuple[Part, ...] = ("id", "sequence")
    for part in parts:
        found = candidates(part, names)
        name = columns.said(part) or (found[0] if found and getattr(columns, part) is not False else None)
        if name is not None:
            table.require([name])
            key = table.text(name)
            if (key == "").any():
                raise BenchError(
                    f"{table.source}: {table.where(int(np.argmax(key == '')))} has no {name!r}. Give every row one."
                )
            return name, key
    raise BenchError(f"{table.source}: no column names the elements of this long table. Name it as [columns] id.")


def _spread(
    table: Columns,
    name: str,
    target: TargetSpec,
    mine: NDArray[np.bool_],
    element: NDArray[np.int64],
    which: NDArray[Any],
    by: str | None,
    added: dict[str, NDArray[np.float64]],
) -> TargetSpec:
    """A target with one column per replicate, each added to ``added``, float64 (elements,)."""
    rows = np.flatnonzero(mine)
    replicates = sorted(set(which[rows].tolist()), key=lambda text: (not text.isdecimal(), text.zfill(12)))
    _once_each(table, name, rows, element, which, by)
    only = f" of {name}" if target.rows else ""
    made: dict[str, list[str]] = {}
    for key in ("replicates", "rna", "dna"):
        for column in getattr(target, key):
            labelled = target.labelled
            values = read_labels(table, column, target, name, [column]) if labelled else table.numbers(column)
            for replicate in replicates:
                some = rows[which[rows] == replicate]
                spread = np.full(int(element.max()) + 1, np.nan)
                spread[element[some]] = values[some]
                label = f"{column}, replicate {replicate}{only}"
                added[label] = spread
                made.setdefault(key, []).append(label)
    return target.model_copy(update={**made, "rows": {}, "positive": []})


def _once_each(
    table: Columns, name: str, rows: NDArray[np.int64], element: NDArray[np.int64], which: NDArray[Any], by: str | None
) -> None:
    """Check that a target has one row per element and replicate."""
    pair = element[rows] * (len(set(which.tolist())) + 1) + codes_of(which)[rows]
    first = np.unique(pair, return_index=True)[1]
    if len(first) == len(rows):
        return
    again = int(np.setdiff1d(np.arange(len(rows)), first)[0])
    a, b = int(rows[np.flatnonzero(pair == pair[again])[0]]), int(rows[again])
    what = str(table.text(by)[b]) if by else "an element"
    other = [column for column in map(str, table.frame.columns) if _tells(table, column, a, b)]
    hint = "Give each one row."
    if other:
        value = str(table.text(other[0])[a])
        hint = f'They differ in {other[0]!r}: choose with [targets.{name}] rows = {{ {other[0]} = "{value}" }}.'
    raise BenchError(
        f"{table.source}: {table.where(a)} and {table.where(b)} are both replicate {str(which[b])!r} of {what[:40]!r}."
        f" {hint}"
    )


def _tells(table: Columns, column: str, a: int, b: int) -> bool:
    """Whether a column of a few words differs between two rows."""
    values = table.text(column)
    return bool(values[a] != values[b]) and len(set(values.tolist())) <= 20


def _over_rows(values: NDArray[np.float64], element: NDArray[np.int64], *, summed: bool) -> NDArray[np.float64]:
    """Sum or mean over the rows of every element, float64 (elements,), NaN where all are missing."""
    known = np.isfinite(values)
    n = int(element.max()) + 1
    total = np.bincount(element[known], values[known], minlength=n)
    count = np.bincount(element[known], minlength=n)
    return np.where(count > 0, total if summed else total / np.maximum(count, 1), np.nan)


def _differs(table: Columns, column: str, element: NDArray[np.int64], first: NDArray[np.int64]) -> int | None:
    """The first row whose field differs from that of the first row of its element; None where none does."""
    codes = codes_of(table.text(column))
    wrong = codes != codes[first][element]
    return int(np.argmax(wrong)) if wrong.any() else None
