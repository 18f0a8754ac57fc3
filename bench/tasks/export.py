"""A task's rows for other programs: sequences, ids, folds."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO

import numpy as np

from bench.files.atomic import atomic, disk_errors
from bench.tasks.load import PlannedTask
from bench.tasks.task import DROPPED, PART_NAMES

#: Rows that are turned into text together.
BLOCK = 4096
#: What a row without a part in a fold is called.
NAMES = {DROPPED: "none", **PART_NAMES}


def write_fasta(path: Path, planned: PlannedTask) -> str:
    """Write every sequence of a task as it is read 5' to 3', one line each, in the order of its rows; compressed where
    the name ends in ``.gz``. Returns what a reader must know, empty for nothing."""
    task = planned.task
    with disk_errors(path.parent), atomic(path) as temporary, _text(temporary, path.suffix == ".gz") as out:
        for rows, block in task.sequences.blocks(BLOCK):
            pairs = zip(task.row_id[rows].tolist(), block.to_strings(), strict=True)
            out.writelines(f">{name}\n{sequence}\n" for name, sequence in pairs)
    spaced = [name for name in task.row_id.tolist() if len(name.split()) != 1]
    if not spaced:
        return ""
    return (
        f"{len(spaced):,} ids hold spaces, such as {spaced[0]!r}, which many programs cut there: give the ids of the"
        " rows with --ids instead"
    )


def write_ids(path: Path, planned: PlannedTask) -> str:
    """Write the id of every row, one a line. Returns an empty text."""
    with disk_errors(path.parent), atomic(path) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in planned.task.row_id.tolist()), encoding="utf-8")
    return ""


def write_folds(path: Path, planned: PlannedTask) -> str:
    """Write a table (tab-separated) of id, chrom, start, locus and the part of every row in every fold. Returns the
    name and hash of the folds."""
    task, folds = planned.task, planned.folds
    parts = np.array([NAMES[code] for code in range(DROPPED, max(NAMES) + 1)])[folds.part.astype(int) - DROPPED]
    header = ["id", "chrom", "start", "locus", *(f"fold{number + 1}" for number in range(len(folds)))]
    columns = [task.row_id, task.chrom, task.position.astype(str), task.locus.astype(str), *parts]
    with disk_errors(path.parent), atomic(path) as temporary, _text(temporary, path.suffix == ".gz") as out:
        out.write("\t".join(header) + "\n")
        out.writelines("\t".join(row) + "\n" for row in zip(*(c.tolist() for c in columns), strict=True))
    return f"split {folds.name}, folds {folds.digest}"


def _text(path: Path, compressed: bool) -> IO[str]:
    return gzip.open(path, "wt", encoding="utf-8") if compressed else path.open("w", encoding="utf-8")
