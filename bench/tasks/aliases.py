"""The names by which the columns of a table are known: the one place that knows how the field calls them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from bench.tasks.problems import Problems
from bench.tasks.spec import PARTS, ColumnsSpec, Part

#: Part -> the names by which a column is taken for it, the first ones first. Neither case nor punctuation counts.
ALIASES: dict[Part, tuple[str, ...]] = {
    "id": ("id", "name", "oligo", "oligo_id", "oligo_name", "seq_id", "row_id"),
    "sequence": ("sequence", "seq", "oligo_sequence"),
    "chrom": ("chrom", "chr", "chromosome", "seqnames", "seqname", "contig"),
    "start": ("start", "chromStart", "chrom_start", "begin", "txStart"),
    "end": ("end", "stop", "chromEnd", "chrom_end", "txEnd"),
    "strand": ("strand",),
    "locus": ("locus",),
}
#: Parts whose absence changes loci and splits without another sign: a column that nearly has their name stops the run.
_GRAVE: tuple[Part, ...] = ("chrom", "start", "end", "strand", "locus")
#: Likeness of two names (difflib) from which one is taken for the other misspelt, and letters that it must have.
_LIKE, _LETTERS = 0.85, 5


def candidates(part: Part, names: Sequence[str]) -> list[str]:
    """The columns among ``names`` that are called as a part or by an alias of it, in order of the aliases."""
    order = {_plain(alias): rank for rank, alias in reversed(list(enumerate(ALIASES[part])))}
    found = [(order[_plain(name)], place, name) for place, name in enumerate(names) if _plain(name) in order]
    return [name for _, _, name in sorted(found)]


def find_columns(
    spec: ColumnsSpec, names: Sequence[str], used: Collection[str], problems: Problems
) -> tuple[ColumnsSpec, tuple[str, ...]]:
    """The columns of every part: as named, else found by name or alias. A part that none plays is ``False``.

    Parameters
    ----------
    names : columns of the table. used : columns that the task uses otherwise (targets, covariates).

    Returns
    -------
    The columns, each part with its column or ``False``; and what people are told about them.
    """
    claimed = {column for part in PARTS if (column := spec.said(part))}
    found: dict[str, str | bool] = {}
    notes = []
    for part in PARTS:
        said = getattr(spec, part)
        free = [name for name in candidates(part, names) if name not in claimed and name not in used]
        if said is not None:
            found[part] = said
        elif len(free) > 1:
            problems.add(
                f"columns {' and '.join(map(repr, free))} could each be {part}. Name one: {part} = {_quoted(free[0])}"
                f" under [columns], or {part} = false."
            )
            found[part] = False
            claimed |= set(free)
        else:
            found[part] = free[0] if free else False
    for part in PARTS:
        if found[part] is False and getattr(spec, part) is None and not claimed & set(candidates(part, names)):
            taken = {*claimed, *used, *(str(column) for column in found.values())}
            notes += _near(part, [name for name in names if name not in taken], problems)
    listed = ", ".join(
        part if column == part else f"{part} = {_quoted(str(column))}" for part, column in found.items() if column
    )
    return spec.model_copy(update=found), ((f"columns read: {listed}",) if listed else ()) + tuple(notes)


def _near(part: Part, free: Sequence[str], problems: Problems) -> list[str]:
    """What is said of a column that nearly has the name of a part that no column plays: it stops the run where the name
    is misspelt, and is mentioned where the name is part of a longer one (``oligo_start``)."""
    aliases = {_plain(alias) for alias in ALIASES[part]}
    long = [alias for alias in aliases if len(alias) >= _LETTERS]
    for name in free:
        if part in _GRAVE and len(name) >= _LETTERS and difflib.get_close_matches(_plain(name), long, 1, _LIKE):
            problems.add(
                f"column {name!r} looks like {part}: write {part} = {_quoted(name)} under [columns], or {part} = false"
                " if it is something else."
            )
            return []
    if part in _GRAVE:
        for name in free:
            words = [word.casefold() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)]
            if len(words) > 1 and {words[0], words[-1]} & aliases:
                return [f"column {name!r} is not used; if it is {part}, write {part} = {_quoted(name)} under [columns]"]
    return []


def _plain(name: str) -> str:
    """A name without case and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
