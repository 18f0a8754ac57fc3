"""The chromosome of every row: one name for each, whatever ways a table has of writing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.tasks.columns import Columns
from bench.tasks.problems import such
from bench.tasks.spec import TaskSpec

#: Label of rows that lie on no chromosome (synthetic controls, for example).
UNPLACED = "unplaced"
#: What a chromosome column says of a row that lies on none.
NO_CHROMOSOME = ("", "na", "n/a", "#n/a", "<na>", "nan", "none", "null", ".", "*", "-")
#: Names of chromosomes that files write with and without a prefix: numbers, arms, sex and organelle, Roman numerals.
_CHROMOSOME = re.compile(r"(?P<prefix>(chromosome|chrom|chr)[ _.-]?)?(?P<core>\d{1,3}[A-Z]?|[XYZWM]|MT|[IVX]+)", re.I)
_PREFIX = re.compile(r"(chromosome|chrom|chr)[ _.-]?", re.I)
#: Chromosomes of man and mouse by their accession, in RefSeq and in GenBank.
_ACCESSION = re.compile(r"(NC_0000\d\d|CM000\d{3}|CM001\d{3})(\.\d+)?")
#: A place on a chromosome in one field.
PLACE = re.compile(r"[^:\s]+:[\d,]+(-|\.\.)[\d,]+([:(]?[+.-]\)?)?")


def chromosomes(table: Columns, spec: TaskSpec, notes: list[str]) -> NDArray[Any]:
    """Chromosome of every row, str (n,): one name each, kept apart by species; ``UNPLACED`` where unknown. What is
    wrong is noted in ``table``, what people are told in ``notes``."""
    column = spec.columns.said("chrom")
    if column is None:
        return np.full(len(table), UNPLACED)
    names, codes = np.unique(table.text(column), return_inverse=True)
    _check(table, column, names.tolist(), codes)
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


def _check(table: Columns, column: str, names: list[str], codes: NDArray[np.intp]) -> None:
    """Names that would each be a chromosome of their own and are none, or are one under another name."""
    checks: tuple[tuple[Callable[[str], Any], str], ...] = (
        (PLACE.fullmatch, "It holds a place: divide it into columns called chrom, start and end."),
        (lambda name: not name.isascii(), "It has a letter beyond ASCII, which may look like another: type it again."),
    )
    for wrong, fix in checks:
        found = np.isin(codes, [code for code, name in enumerate(names) if wrong(name)])
        if found.any():
            row = int(np.argmax(found))
            table.say(
                f"{table.where(row)}, column {column!r} must name a chromosome. Got {names[codes[row]]!r}"
                f"{such(int(found.sum()))}. {fix}",
                ("chromosome", fix),
            )
    accession = next((name for name in names if _ACCESSION.fullmatch(name)), None)
    number = next((name for name in names if name[-1:].isdecimal() and _CHROMOSOME.fullmatch(name)), None)
    if accession and number:
        table.say(
            f"column {column!r} names chromosomes by number ({number!r}) and by accession ({accession!r}), which may be"
            " the same ones. Write one name for each."
        )


def alike_names(names: Collection[str]) -> dict[str, str]:
    """One name per chromosome: ``chr8``, ``8``, ``Chr8`` and ``chromosome 8`` in one table are all ``chr8``.

    Names in one way of writing stay as they are, and so do those that are no chromosome's (scaffolds), except for a
    prefix that some have and some have not.

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
    bare = {name: rest for name in names if (rest := _PREFIX.sub("", name, count=1)) in names}
    if len(ways) < 2 and len(set(keys)) == len(keys):
        return {name: bare.get(name, name) for name in names}
    return {name: f"chr{_key(parsed[name]['core'])}" if name in parsed else bare.get(name, name) for name in names}


def _key(core: str) -> str:
    large = core.upper()
    return "M" if large == "MT" else str(int(large)) if large.isdecimal() else large
