"""From a task file (TOML) to its task."""

from __future__ import annotations

from pathlib import Path

from bench.files.tables import read_table
from bench.files.toml import read_toml, validated
from bench.tasks.igvf import REPLICATE, TARGET, canonical, read_design
from bench.tasks.spec import TargetSpec, TaskFile, named
from bench.tasks.table import build_task
from bench.tasks.task import Task


def load_task_file(path: str | Path) -> Task:
    """The task that a TOML file describes.

    Raises
    ------
    BenchError : for a file that is missing, not TOML, has unknown keys, or whose table fails a check.
    """
    path = Path(path)
    spec = validated(TaskFile, read_toml(path, "task file"), str(path))
    table = path.parent / spec.table
    frame = read_table(table, spec.columns.text)
    if spec.format in ("igvf-experiment", "igvf-barcode") and spec.design is not None:
        frame = canonical(spec.format, frame, read_design(path.parent / spec.design), str(table))
        replicates = [column for column in frame.columns if str(column).startswith(REPLICATE)]
        columns = spec.columns.model_copy(update={"covariates": named("dna_count", "barcodes")})
        spec = spec.model_copy(update={"targets": {TARGET: TargetSpec(replicates=replicates)}, "columns": columns})
    genome = path.parent / spec.fasta if spec.fasta else None
    return build_task(spec, frame, source=str(table), genome=genome)
