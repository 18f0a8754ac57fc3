"""What a person's files look like: a draft of the task file that reads them (``bench init``)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.fasta import is_fasta
from bench.files.header import names_by_content
from bench.files.reading import open_text
from bench.files.tables import SEPARATORS, Layout, kind_of, read_table
from bench.tasks.aliases import candidates
from bench.tasks.columns import Columns
from bench.tasks.draft import Draft
from bench.tasks.duplicates import NEAR, K
from bench.tasks.guess_columns import measurements
from bench.tasks.igvf import FILES, GENOMIC_ELEMENT, OLDER
from bench.tasks.label_folds import WORDS
from bench.tasks.loci import without_ends
from bench.tasks.repeats import REPLICATE
from bench.tasks.spec import PARTS, IgvfFormat, Part
from bench.tasks.table import CHROMOSOMES
from bench.tasks.task import TEST, TRAIN

if TYPE_CHECKING:
    import pandas as pd

_BASES = re.compile(r"[ACGTUNacgtun]{8,}")
#: Lines above a header that are tried as a title.
_TITLE = 10
#: What a column that holds a split is called. Case does not count.
_SPLIT = ("split", "set", "fold", "folds", "fold_num", "fold_id", "partition", "subset", "train_test")
#: What a column of groups is called.
_STRATA = ("class", "category", "type", "group")
#: A FASTA larger than this is a genome without its headers being read, bytes.
_GENOME = 300_000_000


@dataclass(frozen=True, eq=False)
class Found:
    """A table as it could be read: its rows, and what the reader had to be told."""

    path: Path
    frame: pd.DataFrame
    skip_rows: int = 0
    named: bool = True

    @property
    def names(self) -> list[str]:
        """Names of its columns."""
        return [*map(str, self.frame.columns)]

    @property
    def columns(self) -> Columns:
        """Its columns."""
        return Columns.of(self.frame, str(self.path))


def draft_of(files: Sequence[Path], folder: Path) -> Draft:
    """The draft of a task file in ``folder`` that reads some files: a table of measurements and, where it holds no
    sequences, a FASTA or a design.

    Raises
    ------
    BenchError : for files that no task can be made of.
    """
    for path in files:
        if not path.is_file():
            raise BenchError(f"{path}: no such file. Give a table and, where it holds no sequences, a FASTA.")
    fastas = [path for path in files if is_fasta(path)]
    tables = [found_table(path) for path in files if not is_fasta(path)]
    designs = [table for table in tables if _is_design(table)]
    measured = [table for table in tables if table not in designs]
    if len(measured) != 1 or len(fastas) + len(designs) > 1:
        raise BenchError(
            f"bench init takes one table of measurements and at most one FASTA or design. Got {len(measured)} tables,"
            f" {len(fastas)} FASTA files and {len(designs)} designs."
        )
    table = measured[0]
    others = [*fastas, *(design.path for design in designs)]
    draft = Draft()
    draft.add("name", _name(table.path), "letters, digits and _.+-")
    draft.add("table", _relative(table.path, folder))
    if table.skip_rows:
        draft.add("skip_rows", table.skip_rows, "a title above the header")
    layout = _layout(table)
    if layout is not None:
        draft.remarks.append(f"{table.path.name} is a {FILES[layout]} table.")
        draft.add("format", layout, "as its columns say")
        _bases_of_layout(draft, layout, others, folder, table)
        return draft
    _plain_table(draft, table, others, folder)
    return draft


def found_table(path: Path) -> Found:
    """A table, read with what its head needs: lines of a title skipped, or names for columns without a header.

    Raises
    ------
    BenchError : where it cannot be read in any of these ways.
    """
    try:
        return Found(path, read_table(path).frame)
    except BenchError as error:
        first = error
    for skip in range(1, _TITLE + 1) if "title" in str(first) else ():
        try:
            return Found(path, read_table(path, Layout(skip_rows=skip)).frame, skip_rows=skip)
        except BenchError:
            continue
    if "header = false" in str(first):
        names = _names_by_content(path)
        return Found(path, read_table(path, Layout(names=tuple(names))).frame, named=False)
    raise first


def _names_by_content(path: Path) -> list[str]:
    """Names of the columns of a table without a header, by what its first line holds."""
    with open_text(path) as lines:
        line = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    fields = [field.strip() for field in line.rstrip("\r\n").split(SEPARATORS.get(kind_of(path), "\t"))]
    return names_by_content(fields)


# ---- layouts of other tools ------------------------------------------------------------------------------------------
def _present(table: Found) -> set[str]:
    """Names of columns in the present version of IGVF's layouts, in small letters."""
    return {OLDER.get(name.lower(), name).lower() for name in table.names}


def _layout(table: Found) -> IgvfFormat | None:
    """The IGVF layout of a table, where it has one."""
    there = _present(table)
    counted = any(name.lower().startswith("dna_count_") for name in table.names)
    if {"barcode", "oligo_name"} <= there and counted:
        return "igvf-barcode"
    if candidates("sequence", table.names):
        return None
    if {"replicate", "oligo_name", "dna_counts", "log2foldchange", "n_bc"} <= there and "condition" not in there:
        return "igvf-experiment"
    if {"oligo_name", "log2foldchange", "inputcount", "outputcount"} <= there:
        return "igvf-element"
    return "igvf-genomic-element" if kind_of(table.path) == "bed" and len(table.names) == len(GENOMIC_ELEMENT) else None


def _is_design(table: Found) -> bool:
    """Whether a table is a ``reporter_sequence_design``."""
    return {"name", "sequence", "category", "class"} <= {name.lower() for name in table.names}


def _bases_of_layout(draft: Draft, layout: IgvfFormat, others: list[Path], folder: Path, table: Found) -> None:
    if not others:
        raise BenchError(
            f"{table.path}: a {FILES[layout]} table holds no sequences. Give its design too: bench init"
            f" {table.path.name} design.fa"
        )
    if is_fasta(others[0]) and layout == "igvf-genomic-element" and _is_genome(others[0], table, "chrom"):
        draft.add("fasta", _relative(others[0], folder), "a genome: its records are chromosomes")
    else:
        draft.add("design", _relative(others[0], folder), "the sequences of the oligos")
    if layout in ("igvf-barcode", "igvf-experiment"):
        draft.remarks.append("The field leaves out oligos of fewer than 10 barcodes: minimum = { barcodes = 10 }.")
    else:
        draft.remarks.append("This layout has no replicates: no noise ceiling, no share of what is explainable.")


# ---- plain and long tables -------------------------------------------------------------------------------------------
def _plain_table(draft: Draft, table: Found, others: list[Path], folder: Path) -> None:
    """The keys of a table that no tool wrote."""
    if not table.named:
        draft.add("header", False, "the first line is data")
        draft.add(
            "columns.names", table.names, "by position", "The table has no header. Names of its columns, in order"
        )
    parts = _parts(table)
    for part, column in parts.items():
        if column != part:
            draft.add(f"columns.{part}", column, "by its name" if part != "sequence" else "holds bases")
    if others:
        _bases_of_table(draft, table, parts, others[0], folder)
    elif "sequence" not in parts:
        raise BenchError(
            f"{table.path}: no column holds sequences. Give the FASTA that does too (of the elements or the genome):"
            f" bench init {table.path.name} sequences.fa"
        )
    replicate = next((name for name in table.names if name.lower() in REPLICATE), None)
    long = replicate is not None and _repeats(table, parts)
    if long:
        draft.add("format", "long", "one row per element and replicate")
        draft.add("columns.replicate", replicate, "by its name")
    elif "id" in parts and _repeats(table, parts):
        draft.add(
            "duplicates",
            "mean",
            "ids repeat",
            f"Rows share the id {parts['id']!r}. Make them one by mean, sum or first",
        )
    taken = {*parts.values(), *([str(replicate)] if long else [])}
    split = _split(draft, table, parts, taken)
    for name in table.names:
        if name.lower() in _STRATA and name not in taken | {split} and 2 <= _distinct(table, name) <= 12:
            draft.add("columns.strata", [name], "groups with figures of their own")
            taken.add(name)
            break
    measurements(draft, table.columns, [name for name in table.names if name not in taken | {split}], long=long)


def _parts(table: Found) -> dict[Part, str]:
    """Part -> the column that plays it: the first of its aliases, and for the bases a column that holds them."""
    parts: dict[Part, str] = {}
    for part in PARTS:
        found = [name for name in candidates(part, table.names) if name not in parts.values()]
        if found:
            parts[part] = found[0]
    if "sequence" not in parts:
        for name in table.names:
            values = table.columns.text(name)[:200].tolist()
            if name not in parts.values() and all(map(_BASES.fullmatch, values)):
                parts["sequence"] = name
                break
    return parts


def _bases_of_table(draft: Draft, table: Found, parts: dict[Part, str], other: Path, folder: Path) -> None:
    """Where a table and a FASTA are given: a genome to cut from, or the sequences of the rows."""
    if not is_fasta(other):
        raise BenchError(f"{other}: a design belongs to a table of IGVF's layouts; a plain table takes a FASTA.")
    if {"chrom", "start", "end"} <= parts.keys() and _is_genome(other, table, parts["chrom"]):
        draft.add("fasta", _relative(other, folder), "a genome: its records are the chromosomes of the table")
        if kind_of(table.path) not in ("bed", "narrowpeak"):
            draft.add(
                "coordinates",
                "0-based",
                "as in BED",
                "How does the table count bases: 0-based (BED, end excluded) or 1-based (GFF, VCF, R; end included)",
            )
        return
    records = _record_names(other)
    column = parts.get("id")
    ids = set(table.columns.text(column).tolist()) if column else set()
    if column and len(ids & records) >= 0.5 * len(ids):
        draft.add("sequences", _relative(other, folder), f"records are called as {column!r} says")
        return
    draft.add(
        "sequences",
        _relative(other, folder),
        "by order",
        "No column has the names of the FASTA's records. Is the FASTA in the order of the rows? Its path",
    )
    draft.add("columns.id", False, "the FASTA goes by order")


def _record_names(path: Path) -> set[str]:
    with open_text(path) as lines:
        return {(line[1:].split(maxsplit=1) or [""])[0] for line in lines if line.startswith(">")}


def _is_genome(path: Path, table: Found, column: str) -> bool:
    """Whether the records of a FASTA are chromosomes of a table."""
    if path.stat().st_size > _GENOME:
        return True
    chromosomes = {name.removeprefix("chr") for name in set(table.columns.text(column).tolist()) if name}
    return bool(chromosomes & {name.removeprefix("chr") for name in _record_names(path)})


def _repeats(table: Found, parts: dict[Part, str]) -> bool:
    """Whether rows share their id, or without ids their bases."""
    key: str | None = parts.get("id", parts.get("sequence"))
    return key is not None and _distinct(table, key) < len(table.frame)


def _distinct(table: Found, column: str) -> int:
    return int(table.frame[column].nunique())


# ---- splits ----------------------------------------------------------------------------------------------------------
def _split(draft: Draft, table: Found, parts: dict[Part, str], taken: set[str]) -> str | None:
    """The key of the split; the column that it goes by, where there is one."""
    for name in table.names:
        if name.lower() in _SPLIT and name not in taken and _says_split(table.columns.text(name)):
            draft.add("split", f"column[name={name}]", "the table's own split")
            return name
    chromosomes = _distinct(table, parts["chrom"]) if "chrom" in parts else 0
    if chromosomes >= CHROMOSOMES:
        draft.add("split", "chromosome-kfold[k=5]", f"whole chromosomes: there are {chromosomes}")
    elif chromosomes == 1 and "start" in parts:
        draft.add("split", "genome-blocks[k=5]", "stretches of the one chromosome")
    elif chromosomes or "locus" in parts:
        draft.add("split", "locus-kfold[k=5]", "whole loci")
    elif _many_clusters(table, parts):
        draft.add("split", "similarity-kfold[k=5]", "no coordinates: near-duplicate sequences stay together")
    else:
        draft.add("split", "locus-kfold[k=5]", "no coordinates: sequences a base apart stay together")
    return None


def _says_split(values: NDArray[np.str_]) -> bool:
    """Whether a column holds the words of a split (train and test, valid or not), or 3 to 100 numbers of folds."""
    said = {value.lower() for value in values.tolist()}
    words = {WORDS[value] for value in said if value} if said <= WORDS.keys() else set()
    return {TRAIN, TEST} <= words or (3 <= len(said) <= 100 and all(value.isdecimal() for value in said))


def _many_clusters(table: Found, parts: dict[Part, str]) -> bool:
    """Whether a table's sequences fall into clusters that can be dealt to folds."""
    from bench.kernels.sketch import near_clusters
    from bench.sequences import Sequences

    if "sequence" not in parts:
        return True
    sequences = Sequences.from_strings(table.columns.text(parts["sequence"]).tolist())
    rows = np.bincount(near_clusters(without_ends(sequences), K, NEAR))
    return len(rows) >= 20 and bool(rows.max() <= rows.sum() / 4)


# ---- paths -----------------------------------------------------------------------------------------------------------
def _name(path: Path) -> str:
    """The name of a task that is made of a file."""
    stem = path.name.removesuffix(".gz").removesuffix(".bgz").rpartition(".")[0] or path.stem
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", stem).strip("-.+_") or "my-assay"


def _relative(path: Path, folder: Path) -> str:
    """A path as seen from the folder of the task file."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
