"""Tables of one row per element and replicate that are read as plain ones: found, so that they stop the run."""

from __future__ import annotations

import numpy as np

from bench.tasks.columns import Columns
from bench.tasks.loci import codes_of
from bench.tasks.spec import TaskSpec

#: What the field calls the column that says which replicate a row is. Case does not count.
REPLICATE = ("replicate", "rep", "biological_replicate", "bio_rep", "biorep", "replicate_id", "repl")


def replicate_column(table: Columns, spec: TaskSpec) -> str | None:
    """The column of a table that says which replicate a row is, where there is one that the task makes nothing of."""
    used = {*spec.outcome, *spec.columns.covariates.values(), *spec.columns.strata.values(), *spec.rows}
    for column in map(str, table.frame.columns):
        if column.casefold() in REPLICATE and column not in used:
            values = set(table.text(column).tolist())
            if 1 < len(values) <= max(2, len(table) // 2):
                return column
    return None


def long_fix(column: str) -> str:
    """What to do about a long table that is read as a plain one."""
    return (
        f'The table has one row per element and replicate, as its column {column!r} says: set format = "long" and'
        f' [columns] replicate = "{column}".'
    )


def refuse_long(table: Columns, spec: TaskSpec) -> None:
    """Stop for a table without ids in which sequences are repeated from replicate to replicate: its rows are no
    independent measurements."""
    column, bases = replicate_column(table, spec), spec.columns.said("sequence")
    if column is None or table.id_column is not None or not bases or bases not in table or spec.duplicates:
        return
    sequence, which = codes_of(table.text(bases)), codes_of(table.text(column))
    pairs = len(np.unique(sequence * (which.max(initial=0) + 1) + which))
    if len(np.unique(sequence)) <= 0.75 * len(table) and pairs > 0.9 * len(table):
        table.say(f"sequences are repeated from row to row. {long_fix(column)}", "long")
