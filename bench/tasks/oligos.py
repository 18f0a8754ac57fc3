"""Sequences that stand in another file than the table: a FASTA with one record per row, or a design."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError, nearest
from bench.files.fasta import is_fasta, read_fasta
from bench.files.reading import CHECK, RELATIVE
from bench.files.tables import read_tsv
from bench.tasks.aliases import candidates
from bench.tasks.columns import Columns
from bench.tasks.spec import ColumnsSpec

if TYPE_CHECKING:
    import pandas as pd

#: What the column of bases from a FASTA is called; no table has such a name.
SEQUENCE = "sequence (FASTA)"
DESIGN = ("name", "sequence", "chr", "start", "end", "strand", "class")


def read_design(path: Path, more: Iterable[str] = ()) -> pd.DataFrame:
    """``id``, ``sequence`` and, from a ``reporter_sequence_design`` table, chrom, start, end, strand, class, ``more``.

    Raises
    ------
    BenchError : for an unreadable file or a missing column.
    """
    import pandas as pd

    if not path.is_file():
        raise BenchError(f"{path}: no such design. {RELATIVE}")
    if is_fasta(path):
        records = read_fasta(path, fix=CHECK)
        return pd.DataFrame({"id": list(records), "sequence": list(records.values())})
    lacking = "The design is a FASTA (.fa, .fasta, .fna) or a reporter_sequence_design table."
    frame = read_tsv(path, list(dict.fromkeys([*DESIGN, *more])), fix=CHECK, lacking=lacking)
    return frame.rename(columns={"name": "id", "chr": "chrom"})


def with_design(table: Columns, columns: ColumnsSpec, design: pd.DataFrame) -> tuple[pd.DataFrame, ColumnsSpec]:
    """A table with the bases and, where the design knows them, the coordinates of its elements; the columns with them.

    Raises
    ------
    BenchError : for an element that the design does not have, or a table without ids.
    """
    column = _ids(table, columns)
    if column is None:
        raise BenchError(f"{table.source}: a design is matched by id. Name the column of ids as [columns] id.")
    names = table.text(column)
    design = matched(design, names).set_index("id")
    unknown = ~np.isin(names, list(design.index))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise BenchError(
            f"{table.source}: {table.where(row)}: {str(names[row])!r} is not in the design ({int(unknown.sum()):,} rows"
            " are not). Give the design that it was made of."
        )
    brought = [name for name in design.columns if name == "sequence" or name not in table]
    added = {SEQUENCE if name == "sequence" else name: design[name].loc[names].to_numpy() for name in brought}
    return table.frame.assign(**added), columns.model_copy(update={"sequence": SEQUENCE, "id": column})


def matched(design: pd.DataFrame, names: Collection[str]) -> pd.DataFrame:
    """A design whose names are written as in a table: MPRAsnakeflow and MPRAlib put ``_`` for blanks and brackets."""
    there = set(names)
    if there <= set(design["id"]):
        return design
    plain = design["id"].astype(str).str.replace(r"[\s\[\]]", "_", regex=True)
    return design.assign(id=plain) if len(there & set(plain)) > len(there & set(design["id"])) else design


def _ids(table: Columns, columns: ColumnsSpec) -> str | None:
    """The column of ids, as named or found."""
    found = candidates("id", [*map(str, table.frame.columns)]) if columns.id is None else []
    column = columns.said("id") or (found[0] if found else None)
    if column is not None:
        table.require([column])
    return column


def with_sequences(table: Columns, columns: ColumnsSpec, path: Path) -> tuple[pd.DataFrame, ColumnsSpec, str]:
    """A table with the bases of a FASTA of one record per row: by id, or by order where the table has no ids.

    Returns
    -------
    The table with the column ``SEQUENCE``, the columns with it, and what people are told.

    Raises
    ------
    BenchError : for a row whose id is not in the FASTA, and by order for another number of records than of rows.
    """
    records = read_fasta(path, fix=CHECK)
    columns = columns.model_copy(update={"sequence": SEQUENCE})
    column = _ids(table, columns)
    if column is None:
        if len(records) != len(table):
            raise BenchError(
                f"{path}: {len(records):,} records for the {len(table):,} rows of {Path(table.source).name}, which has"
                " no ids. Name the column of ids as [columns] id, or give one record per row in the same order."
            )
        note = f"sequences of {path.name} by order: the table has no column of ids"
        return table.frame.assign(**{SEQUENCE: list(records.values())}), columns, note
    ids = table.text(column)
    unknown = np.array([name not in records for name in ids.tolist()], np.bool_)
    if unknown.all() and len(records) == len(table):
        raise BenchError(
            f"{table.source}: no {column!r} is the name of a record of {path.name}; both have {len(table):,}. If they"
            " stand in the same order, set [columns] id = false."
        )
    if unknown.any():
        row = int(np.argmax(unknown))
        raise BenchError(
            f"{table.source}: {table.where(row)}: {str(ids[row])!r} is not in {path.name}"
            f" ({int(unknown.sum()):,} rows are not).{nearest(str(ids[row]), list(records)[:10_000])}"
        )
    left = len(records) - len(set(ids.tolist()))
    note = f"sequences of {path.name} by {column!r}" + (f"; {left:,} records have no row" if left else "")
    return table.frame.assign(**{SEQUENCE: [records[name] for name in ids.tolist()]}), columns, note
