"""What a person's files look like: a draft of the task file that reads them (``bench init``)."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.fasta import is_fasta
from bench.files.intervals import is_gtf, is_intervals
from bench.files.reading import open_text
from bench.files.tables import kind_of
from bench.tasks.aliases import candidates
from bench.tasks.draft import Draft
from bench.tasks.duplicates import NEAR, K
from bench.tasks.guess_columns import measurements
from bench.tasks.guess_table import Found, found_table, parts_of
from bench.tasks.igvf import FILES, GENOMIC_ELEMENT, OLDER
from bench.tasks.label_folds import WORDS
from bench.tasks.loci import without_ends
from bench.tasks.remarks import SPECIES
from bench.tasks.repeats import REPLICATE
from bench.tasks.spec import IgvfFormat, Part
from bench.tasks.table import CHROMOSOMES
from bench.tasks.task import TEST, TRAIN, VALID

#: What a column that holds a split is called. Case does not count.
_SPLIT = ("split", "set", "fold", "folds", "fold_num", "fold_id", "partition", "subset", "train_test")
#: What a column of groups is called.
_STRATA = ("class", "category", "type", "group")
#: A FASTA larger than this is a genome without its headers being read, bytes.
_GENOME = 300_000_000


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
    others = [path for path in files if not is_fasta(path)]
    # A BED file is the table where there is no other one.
    intervals = [path for path in others if is_intervals(path)] if not all(map(is_intervals, others)) else []
    tables = [found_table(path) for path in others if path not in intervals]
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
    for path in intervals:
        _stratum(draft, path, folder)
    if len(table.sheets) > 1:
        why, question = f"of the sheets {', '.join(table.sheets)}", "Which sheet holds the measurements"
        draft.add("sheet", table.sheet, why, question if table.other_sheets else "")
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


def _stratum(draft: Draft, path: Path, folder: Path) -> None:
    """The stratum that a file of intervals gives."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.name.partition(".")[0]).strip("-_") or "intervals"
    draft.add(f"strata.{name}.file", _relative(path, folder), "figures by what covers a row")
    if is_gtf(path):
        draft.add(f"strata.{name}.feature", "transcript", "start sites of transcripts")
        draft.add(f"strata.{name}.window", [-700, 200], "bases around them, along the strand")


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
    parts = parts_of(draft, table)
    if "id" in parts and _names_nothing(table, parts):
        draft.add("columns.id", False, f"{parts.pop('id')!r} repeats and names no rows")
    if others and "sequence" in parts:
        draft.remarks.append(f"The table has sequences: {others[0].name} is not used.")
    elif others:
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
    species = next((name for name in table.names if name.lower() in SPECIES and _distinct(table, name) > 1), None)
    if species and "chrom" in parts:
        draft.add("columns.species", species, "species may share names of chromosomes")
        taken.add(species)
    condition = _condition(table, parts, str(replicate), taken) if long else None
    if condition:
        taken.add(condition)
    split = _split(draft, table, parts, taken)
    for name in table.names:
        if name.lower() in _STRATA and name not in taken | {split} and 2 <= _distinct(table, name) <= 12:
            draft.add("columns.strata", [name], "groups with figures of their own")
            taken.add(name)
            break
    measurements(draft, table.columns, [name for name in table.names if name not in taken | {split}], long=long)
    if condition:
        _each_condition(draft, table, condition)


def _condition(table: Found, parts: dict[Part, str], replicate: str, taken: set[str]) -> str | None:
    """The column of a long table that tells the rows of one element and replicate apart, where there are any."""
    key = [parts.get("id", parts.get("sequence", "")), replicate]
    if not table.frame.duplicated(key).any():
        return None
    for name in table.names:
        if name not in taken and 2 <= _distinct(table, name) <= 12 and not table.frame.duplicated([*key, name]).any():
            return name
    return None


def _each_condition(draft: Draft, table: Found, condition: str) -> None:
    """One target per condition in place of the one of a long table."""
    guesses = [guess for guess in draft.guesses if guess.key[0] == "targets"]
    draft.guesses = [guess for guess in draft.guesses if guess.key[0] != "targets"]
    for value in sorted(set(table.columns.text(condition).tolist()) - {""}):
        for guess in guesses:
            name = re.sub(r"[^A-Za-z0-9_.+-]+", "-", value).strip("-_.+") or "activity"
            draft.add(f"targets.{name}.{guess.key[-1]}", guess.value, guess.why, guess.question)
            draft.add(f"targets.{name}.rows", {condition: value}, "one target per condition")


def _names_nothing(table: Found, parts: dict[Part, str]) -> bool:
    """Whether rows of one id lie in different places or have different bases, for the most part."""
    if (table.columns.text(parts["id"]) == ".").any():  # what BED writes where a row has no name
        return True
    tells = [_distinct(table, column) for part, column in parts.items() if part in ("sequence", "start")]
    return max(tells, default=0) > 2 * _distinct(table, parts["id"])


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
            valid = VALID in {WORDS.get(value.lower()) for value in table.columns.text(name).tolist()}
            numbers = any(value.isdecimal() for value in table.columns.text(name)[:50].tolist())
            why = "" if valid or numbers else "; of its train rows, one locus in five validates"
            draft.add("split", f"column[name={name}]", f"the table's own split{why}")
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
