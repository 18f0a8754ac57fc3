"""From a task file (TOML) to its task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench.files.reading import bare
from bench.files.tables import Layout, read_table
from bench.files.toml import read_toml, validated
from bench.tasks.columns import Columns
from bench.tasks.counts import BARCODES, FORMULA
from bench.tasks.igvf import GENOMIC_ELEMENT, TARGET, canonical
from bench.tasks.long import wide
from bench.tasks.oligos import read_design, with_design, with_sequences
from bench.tasks.rows import chosen
from bench.tasks.spec import IgvfFormat, TargetSpec, TaskFile, named
from bench.tasks.splits import Split
from bench.tasks.strata import folded
from bench.tasks.table import build_task
from bench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


def load_task_file(path: str | Path, split: Split | None = None, rows: Mapping[str, list[str]] | None = None) -> Task:
    """The task that a TOML file describes. ``split`` is one that it will be put under in place of its own: the task
    keeps the column that it goes by. ``rows``: those that are taken of it, as a task of their own.

    Raises
    ------
    BenchError : for a file that is missing, not TOML, has unknown keys, or whose table fails a check.
    """
    path = Path(path)
    spec = validated(TaskFile, read_toml(path, "task file"), str(path))
    spec = folded(spec.of_rows(rows) if rows else spec, path.parent)
    source = path.parent / spec.table
    names = GENOMIC_ELEMENT if spec.format == "igvf-genomic-element" else spec.columns.names
    read = read_table(source, Layout(spec.skip_rows, tuple(map(bare, names)), spec.sheet))
    counts: dict[str, int] = {}
    notes = list(read.notes)
    labels = [split.column] if split and split.column else []
    if spec.format == "table" or spec.format == "long":
        spec, frame = _plain(spec, read.frame, path.parent, counts, notes, labels)
    else:
        spec, frame = _of_layout(spec, spec.format, read.frame, path.parent, counts)
    genome = path.parent / spec.fasta if spec.fasta else None
    return build_task(spec, frame, source=str(source), genome=genome, notes=notes, counts=counts, labels=labels)


def _of_layout(
    spec: TaskFile, layout: IgvfFormat, frame: pd.DataFrame, folder: Path, counts: dict[str, int]
) -> tuple[TaskFile, pd.DataFrame]:
    """A table in a layout of IGVF, made canonical, and its task."""
    paired = spec.columns.pair.columns if spec.columns.pair else ()
    design = read_design(folder / spec.design, paired) if spec.design else None
    found = canonical(layout, frame, design, str(folder / spec.table), spec.barcodes)
    counts |= found.counts
    said = [spec.note]
    if layout == "igvf-barcode":
        said += [FORMULA, BARCODES[spec.barcodes.combine]]
        if spec.barcodes.outliers is not None:
            said.append(f"Barcodes more than {spec.barcodes.outliers:g} SD of RNA off their element are left out.")
    if len(found.replicates) == 1:
        said.append("No replicates: no noise ceiling.")
    columns = spec.columns.model_copy(update={"covariates": named(*found.covariates)})
    changed = {
        "targets": {TARGET: TargetSpec(replicates=found.replicates)},
        "columns": columns,
        "note": " ".join(filter(None, said)),
    }
    return spec.model_copy(update=changed), found.frame


def _plain(
    spec: TaskFile, frame: pd.DataFrame, folder: Path, counts: dict[str, int], notes: list[str], labels: list[str]
) -> tuple[TaskFile, pd.DataFrame]:
    """A plain or long table, with its bases where they stand in another file."""
    source = str(folder / spec.table)
    if spec.format == "long":
        rows = chosen(Columns.of(frame, source), spec, counts)
        spec, frame = wide(spec.model_copy(update={"rows": {}}), rows, labels)
        notes.append(f"elements of the long table {Path(source).name}: {len(frame):,}, of {len(rows):,} rows")
    table = Columns.of(frame, source)
    if spec.design is not None:
        frame, columns = with_design(table, spec.columns, read_design(folder / spec.design))
        spec = spec.model_copy(update={"columns": columns})
    elif spec.sequences is not None:
        frame, columns, note = with_sequences(table, spec.columns, folder / spec.sequences)
        spec = spec.model_copy(update={"columns": columns})
        notes.append(note)
    return spec, frame
