"""Which rows of a table a task is made of: their names, filters on columns, several rows of one name made one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.errors import nearest
from bench.tasks.columns import Columns
from bench.tasks.loci import codes_of
from bench.tasks.problems import such
from bench.tasks.repeats import long_fix, replicate_column
from bench.tasks.spec import TRUE, TargetSpec, TaskSpec

#: A filter's name for the bases of a row, where no covariate and no column is called so.
LENGTH = "length"


def chosen(table: Columns, spec: TaskSpec, counts: dict[str, int]) -> Columns:
    """The rows that ``spec.rows`` keeps; the others are added to ``counts``."""
    for column, kept in spec.rows.items():
        if column in spec.outcome:
            table.say(f"rows.{column} filters on a target, which selects on the outcome. Filter on another column.")
            continue
        among = matching(table, column, kept, "rows")
        if not among.all():
            counts[f"rows of another {column}"] = int((~among).sum())
            table = table.keep(among)
    return table


def matching(table: Columns, column: str, kept: Sequence[str], where: str) -> NDArray[np.bool_]:
    """The rows where a column has one of some values, bool (n,). ``where``: what messages call the key."""
    if column not in table:
        table.say(f"column {column!r} of [{where}] is missing.{nearest(column, map(str, table.frame.columns))}")
        return np.ones(len(table), np.bool_)
    values = table.text(column)
    there = set(values.tolist())
    unknown = [value for value in kept if not any(_same(value, each) for each in there)]
    if unknown and (tuple(kept) != TRUE or len(unknown) == len(kept)):
        table.say(f"[{where}] {column}: no row has {unknown[0]!r}.{nearest(unknown[0], sorted(there)[:40])}")
        return np.ones(len(table), np.bool_)
    return np.isin(values, [each for each in there if any(_same(value, each) for value in kept)])


def marked_rows(table: Columns, column: str, kept: Sequence[str], where: str) -> NDArray[np.bool_]:
    """The rows that a column marks, bool (n,): those with one of the values ``kept`` or, where the task file names the
    column alone, those where it is true in any of the ways that tables write it."""
    if tuple(kept) != TRUE or column not in table:
        return matching(table, column, kept, where)
    values = np.char.lower(table.text(column))
    there = np.isin(values, TRUE)
    if not there.any() and len(values):
        some = ", ".join(repr(str(value)) for value in np.unique(values)[:5])
        table.say(
            f"[{where}] column {column!r} marks no row: none is {', '.join(TRUE)}. There is: {some}. Name the values"
            f' that do, such as {{ {column} = ["scrambled"] }}.'
        )
    return there


def _same(value: str, field: str) -> bool:
    """Whether a field says what a task file says: true and True are the same."""
    return value == field or (value in ("true", "false") and field.lower() == value)


def row_names(table: Columns) -> NDArray[np.str_]:
    """Names of the rows, str (n,): the id column, else row-1, row-2 ... as they stand in the table."""
    column = table.id_column
    if column is None:
        return np.array([f"row-{i + 1}" for i in table.rows], np.str_)
    names = table.text(column)
    empty = names == ""
    if empty.any():
        first = int(np.argmax(empty))
        row = f"row {int(table.rows[first]) + 1}"
        table.say(f"{row} has no {column!r}{such(int(empty.sum()))}. Give every row one.", "no id")
    return names


def one_row_each(table: Columns, names: NDArray[np.str_], spec: TaskSpec, counts: dict[str, int]) -> Columns:
    """Rows that share a name made one as ``spec.duplicates`` says; refused where it says nothing."""
    codes = codes_of(np.where(names == "", [f"\0{i}" for i in range(len(names))], names))
    first = np.unique(codes, return_index=True)[1]
    if len(first) == len(names):
        return table
    again = int(np.setdiff1d(np.arange(len(names)), first)[0])
    before, after = (int(table.rows[row]) + 1 for row in (first[codes[again]], again))
    column, name = table.id_column, str(names[again])
    if spec.duplicates is None:
        table.say(
            f"rows {before} and {after} share the {column!r} {name!r}{such(len(names) - len(first))}."
            f" {_fix(table, spec, name)}",
            "shared id",
        )
        return table.keep(np.isin(np.arange(len(names)), first))
    counts[f"rows made one with others of their id ({spec.duplicates})"] = len(names) - len(first)
    for other in _fixed(spec):
        if other in table:
            values = table.text(other)
            differs = values != values[first][codes]
            if differs.any():
                row = int(np.argmax(differs))
                table.say(
                    f"{table.where(row)}: rows of one id have different {other!r}{such(int(differs.sum()))}. Such rows"
                    " are not one element: give them ids of their own.",
                    ("different", other),
                )
    if spec.duplicates == "first":
        return table.keep(np.isin(np.arange(len(names)), first))
    return _summed(table, codes, first, spec)


def _fix(table: Columns, spec: TaskSpec, name: str) -> str:
    """What to do about rows that share a name."""
    replicate = replicate_column(table, spec)
    if replicate is not None:
        return long_fix(replicate)
    parts = [spec.columns.said(part) for part in ("sequence", "start")]
    tells = max((table.frame[part].nunique() for part in parts if part and part in table), default=0)
    if name == "." or (table.id_column and tells > 2 * table.frame[table.id_column].nunique()):
        return f"{table.id_column!r} names no rows: write id = false under [columns], or the name of another column."
    return (
        'Row ids must be unique; where rows are one element measured again, set duplicates = "mean", "sum" or "first".'
    )


def _fixed(spec: TaskSpec) -> list[str]:
    """Columns in which rows of one element agree."""
    parts = [spec.columns.said(part) for part in ("sequence", "chrom", "start", "end", "strand", "locus")]
    pair = spec.columns.pair.columns if spec.columns.pair else ()
    return [column for column in (*parts, *spec.columns.strata.values(), *pair) if column]


def _summed(table: Columns, codes: NDArray[np.int64], first: NDArray[np.intp], spec: TaskSpec) -> Columns:
    """The first row of every name, with sums or means of what was measured over all of them."""
    measured = {column for target in spec.targets.values() for column in (*target.outcome, *target.dna)}
    frame = table.frame.iloc[table.rows[first]].copy()
    for column in sorted(measured | set(spec.columns.covariates.values())):
        if column not in table:
            continue
        values = table.numbers(column)
        there = np.isfinite(values)
        total = np.bincount(codes, np.where(there, values, 0.0), len(first))
        number = np.bincount(codes, there, len(first))
        means = total if spec.duplicates == "sum" else total / np.maximum(number, 1)
        frame[column] = np.where(number > 0, means, np.nan)
    return Columns.of(frame, table.source, table.id_column, table.problems)


def within(
    table: Columns,
    spec: TaskSpec,
    limits: TaskSpec | TargetSpec,
    lengths: Callable[[Columns], NDArray[np.int64]],
    where: str = "",
) -> Mapping[str, NDArray[np.bool_]]:
    """What ``limits`` (of a task, or of one target) leave out: in words -> the rows, bool (n,)."""
    out: dict[str, NDArray[np.bool_]] = {}
    for key, bounds in (("minimum", limits.minimum), ("maximum", limits.maximum)):
        for name, bound in bounds.items():
            column = spec.columns.covariates.get(name, name)
            if column in spec.outcome:
                table.say(
                    f"{where}{key}.{name} filters on a target, which selects on the outcome. Filter on DNA counts or"
                    " barcodes."
                )
            elif column in table:
                values = table.numbers(column)
                low = ~(values >= bound) if key == "minimum" else ~(values <= bound)
                out[f"{name} {'below' if key == 'minimum' else 'above'} {bound:g}"] = low
            elif name == LENGTH:
                bases = lengths(table)
                low = bases < bound if key == "minimum" else bases > bound
                out[f"{name} {'below' if key == 'minimum' else 'above'} {bound:g}"] = low
            else:
                known = [*map(str, table.frame.columns), *spec.columns.covariates, LENGTH]
                table.say(f"column {column!r} of {where}{key} is missing.{nearest(column, known)}")
    return out
