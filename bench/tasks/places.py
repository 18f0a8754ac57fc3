"""Where the rows of a table lie: chromosome, start, end and strand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tasks.columns import Columns
from bench.tasks.spec import Part, TaskSpec

#: Label of rows that lie on no chromosome (synthetic controls, for example).
UNPLACED = "unplaced"
#: What a chromosome column says of a row that lies on none.
NO_CHROMOSOME = ("", "na", "nan", "none", ".", "*", "-")
#: What a strand column may say, in small letters.
FORWARD = ("+", "fwd", "forward", "plus", "f", "1", "+1", "1.0", "sense")
REVERSE = ("-", "rev", "reverse", "minus", "r", "-1", "-1.0", "antisense", "−", "–")
NEITHER = ("", ".", "*", "na", "nan", "none", "0", "both", "unstranded")
#: Names of chromosomes that files write with and without a prefix: numbers, arms, sex and organelle, Roman numerals.
_CHROMOSOME = re.compile(r"(?P<prefix>(chromosome|chrom|chr)[ _.-]?)?(?P<core>\d{1,3}[LR]?|[XYZWM]|MT|[IVX]+)", re.I)
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
    chrom = _chromosomes(table, spec, notes)
    start, end = _interval(table, spec, lengths, said=said)
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
    table: Columns, spec: TaskSpec, lengths: NDArray[np.int64] | None, *, said: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Start and end, 0-based and half-open, NaN where unknown, float64 (n,) each."""
    columns, n = spec.columns, len(table)
    starts, ends = columns.said("start"), columns.said("end")
    first = 1 if spec.coordinates == "1-based" else 0
    least = -np.inf if spec.circular else first
    start = table.positions(starts, least=least) if starts else np.full(n, np.nan)
    end = table.positions(ends, least=least) if ends else np.full(n, np.nan)
    start -= first
    _check_origin(table, spec, start, end, lengths, said=said)
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
        if (beyond == shift).mean() < _MOST:
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


# ---- chromosomes -----------------------------------------------------------------------------------------------------
def _chromosomes(table: Columns, spec: TaskSpec, notes: list[str]) -> NDArray[Any]:
    """Chromosome of every row, str (n,): one name each, kept apart by species."""
    column = spec.columns.said("chrom")
    if column is None:
        return np.full(len(table), UNPLACED)
    names, codes = np.unique(table.text(column), return_inverse=True)
    names = np.array([UNPLACED if name.casefold() in NO_CHROMOSOME else name for name in names.tolist()], object)
    alike = alike_names(names.tolist())
    changed = {name: new for name, new in alike.items() if name != new}
    if changed:
        said = ", ".join(f"{name} is read as {new}" for name, new in list(changed.items())[:4])
        notes.append(f"chromosome names made alike: {said}{', ...' if len(changed) > 4 else ''}")
    chrom = np.array([alike[name] for name in names.tolist()], object)[codes]
    if spec.columns.species is not None:
        species = table.text(spec.columns.species)
        if len(set(species.tolist())) > 1:
            chrom = np.where(chrom == UNPLACED, chrom, species.astype(object) + ":" + chrom)
    return np.asarray(chrom, np.str_)


def alike_names(names: Collection[str]) -> dict[str, str]:
    """One name per chromosome: ``chr8``, ``8``, ``Chr8`` and ``chromosome 8`` in one table are all ``chr8``.

    Names in one way of writing stay as they are, and so do those that are no chromosome's (scaffolds).

    Returns
    -------
    Name -> name that it is read as.

    >>> alike_names(["chr8", "8", "KI270"])
    {'chr8': 'chr8', '8': 'chr8', 'KI270': 'KI270'}
    >>> alike_names(["8", "X"])
    {'8': '8', 'X': 'X'}
    """
    # Spreadsheets make a column of chromosome numbers floats where it has gaps.
    parsed = {name: match for name in names if (match := _CHROMOSOME.fullmatch(name.removesuffix(".0")))}
    ways = {(match["prefix"] or "") + ".0" * name.endswith(".0") for name, match in parsed.items()}
    keys = [_key(match["core"]) for match in parsed.values()]
    if len(ways) < 2 and len(set(keys)) == len(keys):
        return {name: name for name in names}
    return {name: f"chr{_key(parsed[name]['core'])}" if name in parsed else name for name in names}


def _key(core: str) -> str:
    large = core.upper()
    return "M" if large == "MT" else str(int(large)) if large.isdecimal() else large
