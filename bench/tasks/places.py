"""Where the rows of a table lie: chromosome, start, end and strand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.tasks.columns import Columns
from bench.tasks.spec import ColumnsSpec, Part

#: Label of rows that lie on no chromosome (synthetic controls, for example).
UNPLACED = "unplaced"
#: What a strand column may say: either strand, or neither.
STRANDS = ("+", "-", ".", "")


@dataclass(frozen=True, eq=False)
class Places:
    """Coordinates of n rows, 0-based and half-open.

    chrom : str (n,), ``UNPLACED`` where unknown. start, end : int64 (n,), -1 where unknown. reverse : bool (n,), true
    on the minus strand.
    """

    chrom: NDArray[Any]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    reverse: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows whose chromosome, start and end are known, bool (n,)."""
        return (self.start >= 0) & (self.end >= 0) & (self.chrom != UNPLACED)


def read_places(table: Columns, spec: ColumnsSpec, *, required: bool) -> Places:
    """The places of the rows of a table. ``required`` : every row must have one, to be cut from a genome.

    Raises
    ------
    BenchError : for a coordinate or strand that cannot be, and for a missing one where they are required.
    """

    def column(part: Part) -> str | None:
        return called if (called := spec.called(part)) in table else None

    n = len(table)
    chroms, starts, ends, strands = (column(part) for part in ("chrom", "start", "end", "strand"))
    for part, there in (("chrom", chroms), ("start", starts), ("end", ends)):
        if required and there is None:
            raise BenchError(f"{table.source}: column {part!r} is missing, which cutting from a FASTA needs.")
    chrom = table.text(chroms) if chroms else np.full(n, UNPLACED)
    chrom = np.where(chrom == "", UNPLACED, chrom).astype(np.str_)
    start = table.positions(starts) if starts else np.full(n, -1, np.int64)
    end = table.positions(ends) if ends else np.full(n, -1, np.int64)
    unknown = (start < 0) | (end < 0)
    if required and unknown.any():
        raise BenchError(
            f"{table.source}: {table.where(int(np.argmax(unknown)))} has no start or no end, which cutting from a FASTA"
            " needs. Fill them in or drop the row."
        )
    empty = ~unknown & (end <= start)
    if empty.any():
        first = int(np.argmax(empty))
        raise BenchError(
            f"{table.source}: {table.where(first)}: start must lie before end. Got {start[first]}-{end[first]}."
            " Coordinates are 0-based, the end excluded."
        )
    strand = table.text(strands) if strands else np.full(n, "+")
    table.refuse(~np.isin(strand, STRANDS), str(strands), "+ or - (or . for neither)", strand, "")
    return Places(chrom, start, end, strand == "-")
