"""Windows of a genome at the start sites of an annotation, against a table of expression: a table and its task file."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.intervals import Intervals, is_gtf, read_intervals
from bench.tasks.columns import Columns
from bench.tasks.draft import Draft
from bench.tasks.problems import such

if TYPE_CHECKING:
    import pandas as pd

#: Which start site stands for a gene that has several. ``common``: the one that most of its transcripts share, the
#: most upstream of equals; ``upstream``: the most upstream.
Site = Literal["common", "upstream"]
SITES: tuple[Site, ...] = get_args(Site)
#: Attributes of a GTF that ids of a table may be, in this order where two match as many.
ATTRIBUTES = ("gene_id", "transcript_id", "gene_name")
#: What a column of ids may be called; else it is the first one.
ID_COLUMNS = ("gene_id", "transcript_id", "gene", "transcript", "id", "name", "gene_name")
#: Columns of the windows; the others are those of the targets.
_WRITTEN = ("id", "chrom", "start", "end", "strand")
#: An id with its version, of Ensembl, RefSeq or a model organism. Names of genes that are those of clones end alike
#: (AC012345.1, Z93241.2), each a gene of its own, and keep their ends.
_VERSION = re.compile(r"(?![A-Z]{1,2}\d+\.)(ENS[A-Z]*\d+|[NX][MR]_\d+|[A-Za-z]+\d{6,})\.\d+")
#: Attribute names whose values have versions.
_VERSIONED = ("gene_id", "transcript_id", "name")


@dataclass(frozen=True)
class WindowsAsked:
    """What a call of `bench data windows` asked for. window : first and last base, counted along the strand from the
    start site, which is 0; the last is excluded. targets : name → columns of replicates. match : the attribute that the
    ids are; found where None. feature : lines of a GTF that have start sites."""

    table: Path
    annotation: Path
    fasta: Path
    targets: Mapping[str, Sequence[str]]
    window: tuple[int, int] = (-700, 200)
    id_column: str | None = None
    match: str | None = None
    feature: str = "transcript"
    site: Site = "common"


@dataclass
class Windows:
    """The rows: id, chrom, start, end, strand and the columns of the targets. ``notes`` say how they were found."""

    frame: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def cut_windows(asked: WindowsAsked) -> Windows:
    """One window for each row of a table whose id the annotation has.

    Raises
    ------
    BenchError : for files that cannot be read, columns that are not there, ids that stand twice, and where nothing is
        left, each with the fix.
    """
    import pandas as pd

    from bench.files.genome import chromosome_lengths
    from bench.files.tables import read_table, require_columns

    first, last = asked.window
    if not first < last:
        raise BenchError(f"--window: its first base must lie before its last, as in -700 200. Got {first} {last}.")
    frame = read_table(asked.table, missing="Give a table of one row per gene or transcript.").frame
    names = [str(name) for name in frame.columns]
    column = asked.id_column or next((name for name in ID_COLUMNS if name in names), names[0])
    taken = next((name for columns in asked.targets.values() for name in columns if name in _WRITTEN), None)
    if taken is not None:
        raise BenchError(
            f"{asked.table}: column {taken!r} of --target is called as one that is written of the windows"
            f" ({', '.join(_WRITTEN)}). Rename it."
        )
    require_columns(
        frame, [column, *(each for columns in asked.targets.values() for each in columns)], str(asked.table)
    )
    table = Columns.of(frame, str(asked.table), column)
    ids = _ids(table, column)
    notes = [f"ids: column {column!r} of {asked.table.name}"]

    sites, place = _matched(asked, ids, notes)
    chosen = _one_each(sites, place, len(ids), asked, notes)
    found = chosen >= 0
    missing = np.flatnonzero(~found)
    if len(missing):
        some = ", ".join(ids[missing[:3]].tolist())
        notes.append(f"rows of the table without a start site, left out: {len(missing):,} of {len(ids):,} ({some} ...)")
    windows, chrom, whole = _in_genome(sites.keep(chosen[found]), chromosome_lengths(asked.fasta), asked, notes)
    rows = np.flatnonzero(found)[whole]
    if not len(rows):
        raise BenchError(
            f"{asked.table}: no row is left of {len(ids):,} ({'; '.join(notes)}). Are table, annotation and FASTA of"
            " one genome, and its ids those of the annotation (--match)?"
        )
    made: dict[str, Any] = {
        "id": ids[rows],
        "chrom": chrom,
        "start": windows.start,
        "end": windows.end,
        "strand": np.where(windows.strand > 0, "+", "-"),
    }
    for columns in asked.targets.values():
        for name in columns:
            table.numbers(name)  # what is no number is said here, with its row
            made[name] = table.text(name)[rows]
    notes.append(f"windows of {last - first} bases: {len(rows):,}")
    return Windows(pd.DataFrame(made), notes)


def _ids(table: Columns, column: str) -> NDArray[Any]:
    ids = table.text(column)
    if (ids == "").any():
        raise BenchError(
            f"{table.source}: {table.where(int(np.argmax(ids == '')))} has no {column!r}. Give every row one."
        )
    once = np.unique(ids, return_index=True)[1]
    if len(once) < len(ids):
        again = int(np.setdiff1d(np.arange(len(ids)), once)[0])
        raise BenchError(
            f"{table.source}: {column!r} {str(ids[again])!r} stands in two rows{such(len(ids) - len(once))}. Give each"
            " gene or transcript one row, or name another column with --id."
        )
    return ids


def _matched(asked: WindowsAsked, ids: NDArray[Any], notes: list[str]) -> tuple[Intervals, NDArray[np.int64]]:
    """The start sites of an annotation, and the row of the table that each is of, int64 (m,), -1 for none."""
    path, gtf = asked.annotation, is_gtf(asked.annotation)
    sites = _read(path, (asked.match,) if asked.match else ATTRIBUTES, asked.feature) if gtf else _bed(path)
    names = list(sites.fields)
    best, found, without = "", np.full(len(sites), -1, np.int64), 0
    for name in names:
        place, versions = _places(ids, np.asarray(sites.fields[name], np.str_), versioned=name in _VERSIONED)
        if not best or len(np.unique(place[place >= 0])) > len(np.unique(found[found >= 0])):
            best, found, without = name, place, versions
    what = best if gtf else "the name of its lines"
    notes.append(f"ids are matched with {what} of {path.name}")
    if without:
        notes.append(f"ids matched without their version (ENSG….5 is ENSG…): {without:,}")
    return sites, found


def _bed(path: Path) -> Intervals:
    return read_intervals(path, ("name",))


def _read(path: Path, names: Sequence[str], feature: str) -> Intervals:
    """The lines of a GTF, with those of some attributes that it has."""
    try:
        return read_intervals(path, names, feature=(feature,))
    except BenchError as error:
        absent = next((name for name in names if f"no line has an attribute {name!r}" in str(error)), None)
        if absent is None or len(names) == 1:
            raise
    return _read(path, [name for name in names if name != absent], feature)


def _places(ids: NDArray[Any], names: NDArray[Any], *, versioned: bool) -> tuple[NDArray[np.int64], int]:
    """Place in ``ids`` of each name, -1 where it is none, and how many ids were found without a version alone."""
    at = {name: i for i, name in enumerate(ids.tolist())}
    place = np.array([at.get(name, -1) for name in names.tolist()], np.int64)
    if not versioned:
        return place, 0
    exact = np.unique(place[place >= 0])
    bare: dict[str, list[int]] = {}
    for i in np.setdiff1d(np.arange(len(ids)), exact).tolist():
        bare.setdefault(_bare(str(ids[i])), []).append(i)
    twice = next((rows for rows in bare.values() if len(rows) > 1), None)
    again = [bare.get(_bare(name)) if i < 0 else None for name, i in zip(names.tolist(), place.tolist(), strict=True)]
    if twice is not None and any(rows is not None and len(rows) > 1 for rows in again):
        raise BenchError(
            f"ids {str(ids[twice[0]])!r} and {str(ids[twice[1]])!r} of the table are versions of one id. Leave one out."
        )
    found = np.array([-1 if rows is None else rows[0] for rows in again], np.int64)
    return np.where(place >= 0, place, found), len(np.unique(found[found >= 0]))


def _bare(name: str) -> str:
    """An id without its version."""
    return name.rpartition(".")[0] if _VERSION.fullmatch(name) else name


def _one_each(
    sites: Intervals, place: NDArray[np.int64], rows: int, asked: WindowsAsked, notes: list[str]
) -> NDArray[np.int64]:
    """The site of each row of the table, as its number, int64 (rows,), -1 where it has none."""
    used = np.flatnonzero(place >= 0)
    out = np.full(rows, -1, np.int64)
    if (sites.strand[used] == 0).any():
        line = int(sites.line[used][np.argmax(sites.strand[used] == 0)])
        raise BenchError(f"{sites.path}:{line}: no strand, which says on which end a start site lies. Write + or -.")
    start = np.where(sites.strand > 0, sites.start, sites.end - 1)
    by_row: dict[int, list[int]] = {}
    for i in used.tolist():
        by_row.setdefault(int(place[i]), []).append(i)
    several = parted = 0
    for row, lines in by_row.items():
        strands = Counter((str(sites.chrom[i]), int(sites.strand[i])) for i in lines)
        parted += len(strands) > 1  # genes of the pseudo-autosomal regions stand on X and on Y
        chrom, ahead = min(strands, key=lambda each: (-strands[each], each))
        lines = [i for i in lines if (sites.chrom[i], sites.strand[i]) == (chrom, ahead)]
        shared = Counter(int(start[i]) for i in lines)
        several += len(shared) > 1
        at = min((-n if asked.site == "common" else 0, ahead * at, at) for at, n in shared.items())[2]
        out[row] = next(i for i in lines if start[i] == at)
    if several:
        rule = {
            "common": "the one most transcripts share, the most upstream of equals",
            "upstream": "the most upstream",
        }
        notes.append(f"ids with several start sites: {several:,} ({rule[asked.site]}; --site)")
    if parted:
        notes.append(f"ids on several chromosomes or strands, taken where most of their lines are: {parted:,}")
    return out


def _in_genome(
    sites: Intervals, lengths: Mapping[str, int], asked: WindowsAsked, notes: list[str]
) -> tuple[Intervals, NDArray[Any], NDArray[np.bool_]]:
    """Windows of sites that lie wholly on chromosomes of a FASTA, their chromosomes as it calls them, and which sites
    they are of, bool (m,)."""
    first, last = asked.window
    called = {name: _called(name, lengths) for name in set(sites.chrom.tolist())}
    changed = {name: new for name, new in called.items() if new not in ("", name)}
    if changed:
        name = min(changed)
        notes.append(f"chromosomes are called as in {asked.fasta.name}: {name} is {changed[name]}, ...")
    chrom = np.array([called[name] for name in sites.chrom.tolist()], object)
    there = chrom != ""
    if not there.all():
        names = ", ".join(sorted({str(name) for name in sites.chrom[~there]})[:3])
        notes.append(f"rows on chromosomes that the FASTA lacks, left out: {int((~there).sum()):,} ({names} ...)")
    start = np.where(sites.strand > 0, sites.start + first, sites.end - last)
    end = np.where(sites.strand > 0, sites.start + last, sites.end - first)
    inside = (start >= 0) & (end <= np.array([lengths.get(name, 0) for name in chrom.tolist()], np.int64))
    if (there & ~inside).any():
        notes.append(f"windows that run over the end of a chromosome, left out: {int((there & ~inside).sum()):,}")
    whole = there & inside
    return sites.keep(whole).around_starts(first, last), chrom[whole], whole


def _called(name: str, lengths: Mapping[str, int]) -> str:
    """A chromosome's name in a FASTA: the same, or with or without ``chr``; "" where it is not there."""
    plain = name.removeprefix("chr")
    mitochondrial = ("MT", "M", "chrM", "chrMT") if plain in ("M", "MT") else ()
    return next((each for each in (name, f"chr{name}", plain, *mitochondrial) if each in lengths), "")


# ---- files -----------------------------------------------------------------------------------------------------------
def write_windows(asked: WindowsAsked, out: Path) -> tuple[Path, Windows]:
    """Write the table of the windows, ``<out>.tsv``, and its task file, ``<out>.toml``, whose path is given back.

    Raises
    ------
    BenchError : where one of them is there already, and as ``cut_windows`` does.
    """
    from bench.files.atomic import atomic, disk_errors
    from bench.files.toml import validated
    from bench.tasks.spec import TaskFile

    table, path = out.with_name(f"{out.name}.tsv"), out.with_name(f"{out.name}.toml")
    there = next((each for each in (path, table) if each.exists()), None)
    if there is not None:
        raise BenchError(f"{there} is there already, and is not overwritten. Name another with --out, or delete it.")
    # what the task file would be refused for is said before a genome is read, and nothing is written
    validated(TaskFile, tomllib.loads(_draft(asked, out, []).toml()), "--target")
    found = cut_windows(asked)
    draft = _draft(asked, out, found.notes)
    with disk_errors(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic(table) as new:
            found.frame.to_csv(new, sep="\t", index=False)
        with atomic(path) as new:
            new.write_text(draft.toml(), encoding="utf-8")
    return path, found


def _draft(asked: WindowsAsked, out: Path, notes: Sequence[str]) -> Draft:
    first, last = asked.window
    draft = Draft(remarks=["written by bench data windows", *notes])
    name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", out.name).lstrip("_.+-") or "windows"
    draft.add("name", name)
    draft.add("title", f"Start sites, {first} to {last:+d}")
    draft.add("table", f"{out.name}.tsv", "0-based, the end excluded")
    draft.add("fasta", os.path.relpath(asked.fasta.resolve(), out.parent.resolve()))
    draft.add("coordinates", "0-based")
    draft.add("note", "Levels of RNA at native start sites, not a reporter assay.")
    draft.add("columns.id", "id")
    for target, columns in asked.targets.items():
        draft.add(f"targets.{target}.replicates", list(columns))
    return draft
