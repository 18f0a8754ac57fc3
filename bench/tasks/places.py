"""Where the rows of a table lie: chromosome, start, end and strand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tasks.chromosomes import UNPLACED, chromosomes
from bench.tasks.columns import Columns
from bench.tasks.spec import Part, TaskSpec

#: What a strand column may say, in small letters.
FORWARD = ("+", "fwd", "forward", "plus", "f", "1", "+1", "1.0", "sense")
REVERSE = ("-", "rev", "reverse", "minus", "r", "-1", "-1.0", "antisense", "−", "–")
NEITHER = ("", ".", "*", "na", "nan", "none", "0", "both", "unstranded")
#: Share of rows from which on ids and lengths are believed to say how coordinates count.
_MOST = 0.9


@dataclass(frozen=True, eq=False)
class Places:
    """Coordinates of n rows, 0-based and half-open.

    chrom : str (n,), ``UNPLACED`` where unknown. start, end : int64 (n,), -1 where unknown; on a circular genome start
    may be below 0. reverse : bool (n,), true on the minus strand. located : rows whose start and end are known,
    bool (n,).
    """

    chrom: NDArray[Any]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    located: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows whose chromosome, start and end are known, bool (n,)."""
        return self.located & (self.chrom != UNPLACED)


def read_places(
    table: Columns, spec: TaskSpec, lengths: NDArray[np.int64] | None, notes: list[str], *, said: bool
) -> Places:
    """The places of the rows of a table; what is wrong with them is noted in ``table``.

    Parameters
    ----------
    spec : its columns are found already (``bench.tasks.aliases``).
    lengths : of the sequences, int64 (n,), which give an end to rows that have none; None where the rows are cut from a
        genome and each must have a place.
    notes : gets what people are told. said : whether the task file says how coordinates count.
    """
    columns, n = spec.columns, len(table)
    if lengths is None:
        needed: tuple[Part, ...] = ("chrom", "start", "end")
        lacking = [part for part in needed if not columns.said(part)]
        for part in lacking:
            table.say(f"column {part!r} is missing, which cutting from a FASTA needs. Name it under [columns].")
        if lacking:
            return Places(np.full(n, UNPLACED), *(np.full(n, -1, np.int64),) * 2, *(np.zeros(n, np.bool_),) * 2)
    chrom = chromosomes(table, spec, notes)
    start, end = _interval(table, spec, lengths, notes, said=said)
    located = np.isfinite(start) & np.isfinite(end)
    reverse = _reverse(table, columns.said("strand"))
    if lengths is None and not located.all():
        table.say(
            f"{table.where(int(np.argmin(located)))} has no start or no end, which cutting from a FASTA needs. Fill"
            " them in or drop the row."
        )
    return Places(chrom, _whole(start), _whole(end), reverse, located)


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.where(np.isfinite(values), values, -1).astype(np.int64)


# ---- start and end ---------------------------------------------------------------------------------------------------
def _interval(
    table: Columns, spec: TaskSpec, lengths: NDArray[np.int64] | None, notes: list[str], *, said: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end, 0-based and half-open, NaN where unknown, float64 (n,) each."""
    columns, n = spec.columns, len(table)
    starts, ends = columns.said("start"), columns.said("end")
    first = 1 if spec.coordinates == "1-based" else 0
    least = -np.inf if spec.circular else first
    start = table.positions(starts, least=least) if starts else np.full(n, np.nan)
    end = table.positions(ends, least=least) if ends else np.full(n, np.nan)
    start -= first
    _check_origin(table, spec, start, end, lengths, notes, said=said)
    if lengths is not None:
        end = np.where(np.isnan(end), start + lengths, end)
    empty = end <= start
    if empty.any():
        row = int(np.argmax(empty))
        counted = "Coordinates are 1-based, the end included" if first else "Coordinates are 0-based, the end excluded"
        table.say(
            f"{table.where(row)}: start must lie before end. Got {start[row] + first:.0f}-{end[row]:.0f}. {counted}.",
            "empty interval",
        )
        start, end = np.where(empty, np.nan, start), np.where(empty, np.nan, end)
    return start, end


def _check_origin(
    table: Columns,
    spec: TaskSpec,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    lengths: NDArray[np.int64] | None,
    notes: list[str],
    *,
    said: bool,
) -> None:
    """Lengths tell how coordinates count: of the sequences, where the table has them; else a round number of bases. A
    table that counts otherwise than its task file would be cut one base off."""
    both = np.isfinite(start) & np.isfinite(end)
    if not both.any():
        return
    span = (end - start)[both]
    if lengths is not None:
        beyond = lengths[both] - span
        shift = 1 if spec.coordinates == "0-based" else -1
        off, fits = int((beyond == shift).sum()), int((beyond == 0).sum())
        if off < max(_MOST * (off + fits), 0.5 * len(span)):
            if min(off, fits) >= 0.1 * len(span):
                notes.append(
                    f"end - start is the length of the sequence in {fits:,} rows and a base off in {off:,}: rows that"
                    " count bases in two ways?"
                )
            return
        how = f"end - start is {'one less than' if shift > 0 else 'as many as'} the bases of the sequence"
        if shift < 0:
            table.say(
                "coordinates look 0-based (end - start is the length of the sequence), the task file says 1-based."
                ' Leave coordinates = "1-based" out.'
            )
        elif not said:
            table.say(_one_based(how))
        return
    if said or spec.coordinates == "1-based":
        return
    usual, count = Counter(span.tolist()).most_common(1)[0]
    if count >= _MOST * len(span) and (usual + 1) % 5 == 0 and usual >= 19:
        ids = _named_so(table, start, end, both)
        table.say(_one_based(f"end - start is {usual:.0f}, one short of {usual + 1:.0f},{ids} in most rows"))


def _one_based(why: str) -> str:
    return (
        f'coordinates look 1-based ({why}): write coordinates = "1-based" in the task file, or "0-based" if they are'
        " not."
    )


def _named_so(table: Columns, start: NDArray[np.float64], end: NDArray[np.float64], both: NDArray[np.bool_]) -> str:
    """Whether ids hold start-end as the table has it, in words."""
    if table.id_column is None:
        return ""
    pieces = [f"{a:.0f}-{b:.0f}" for a, b in zip(start[both], end[both], strict=True)]
    names = table.text(table.id_column)[both]
    there = np.mean([piece in name for piece, name in zip(pieces, names.tolist(), strict=True)])
    return " and ids hold start-end," if there >= _MOST else ""


# ---- strand ----------------------------------------------------------------------------------------------------------
def _reverse(table: Columns, column: str | None) -> NDArray[np.bool_]:
    """Rows on the minus strand, bool (n,)."""
    if column is None:
        return np.zeros(len(table), np.bool_)
    said = table.text(column)
    words, codes = np.unique(said, return_inverse=True)
    small = np.array([word.casefold() for word in words.tolist()], object)
    known = np.isin(small, [*FORWARD, *REVERSE, *NEITHER])
    table.refuse(~known[codes], column, "+ or - (fwd or rev, 1 or -1; or . for neither)", said, "")
    return np.asarray(np.isin(small, REVERSE)[codes], np.bool_)
