"""The canonical table: one row per measured element, checked and turned into a ``Task``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.sequences import Sequences
from bench.stats.replicates import DEFAULT
from bench.tasks.bases import read_bases
from bench.tasks.columns import Columns
from bench.tasks.digest import digest
from bench.tasks.loci import codes_of, loci_of
from bench.tasks.places import UNPLACED, Places, read_places
from bench.tasks.spec import TargetSpec, TaskSpec
from bench.tasks.splits import Split
from bench.tasks.task import Target, Task

if TYPE_CHECKING:
    import pandas as pd

#: Chromosomes from which on a task that names no split is split by them.
CHROMOSOMES = 5


def build_task(spec: TaskSpec, frame: pd.DataFrame, *, source: str, genome: Path | None = None) -> Task:
    """The task of a table.

    Rows without any measured target, and rows below ``spec.minimum``, are dropped and counted in ``counts``. Letters of
    the IUPAC code other than ACGTU become N and are counted. Where the table names no locus, rows whose coordinates
    overlap share one; without coordinates, rows with the same sequence on either strand do.

    Parameters
    ----------
    source : what to call the table in messages.
    genome : FASTA to cut the sequences from, in place of a column.

    Raises
    ------
    BenchError : one line naming the source, the row and the column, and the fix.
    """
    table = _checked(spec, frame, source)
    counts: dict[str, int] = {}
    names = _row_names(table)
    table = _above_minimum(table, spec, counts)
    table, targets = _measured(table, spec, counts)
    row_id = names[table.rows]

    places = read_places(table, spec.columns, required=genome is not None)
    covariates = {name: table.numbers(column) for name, column in spec.columns.covariates.items()}
    if genome is not None:
        sequences = _cut(genome, places, row_id, source, covariates)
    else:
        column = spec.columns.called("sequence")
        sequences, letters = read_bases(table, column, covariates)
        if letters:
            counts["IUPAC letters read as N"] = letters
    column = spec.columns.called("locus")
    locus = loci_of(places, sequences, table.text(column) if column in table else None)
    unplaced = int((places.chrom == UNPLACED).sum())
    if 0 < unplaced < len(table):
        counts["rows without a chromosome"] = unplaced
    targets = {name: replace(target, loci=len(np.unique(locus))) for name, target in targets.items()}
    strata = {name: table.text(column) for name, column in spec.columns.strata.items()}
    return Task(
        card=spec.card,
        sequences=sequences,
        row_id=row_id,
        chrom=places.chrom,
        position=places.start,
        locus=locus,
        targets=targets,
        strata=strata,
        split=spec.split or default_split(places.chrom),
        digest=digest(sequences, row_id, places.chrom, places.start, locus, targets, strata),
        counts=counts,
        minimum=spec.minimum,
    )


def default_split(chrom: NDArray[Any]) -> Split:
    """The split of a task that names none: by chromosome where the rows lie on five or more, by locus elsewhere."""
    return Split.parse("chromosome-kfold" if len(set(chrom.tolist())) >= CHROMOSOMES else "locus-kfold")


# ---- rows ------------------------------------------------------------------------------------------------------------
def _checked(spec: TaskSpec, frame: pd.DataFrame, source: str) -> Columns:
    """All rows of a table that has some, with columns of different names, and those that the task names."""
    if not len(frame):
        raise BenchError(f"{source}: the table has no rows. Give at least a few hundred measured elements.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise BenchError(f"{source}: two columns are called {twice[0]!r}. Rename one.")
    column = spec.columns.called("id")
    table = Columns.of(frame, source, column if column in frame.columns else None)
    table.require(spec.columns.required)
    return table


def _row_names(table: Columns) -> NDArray[Any]:
    """Names of all rows, str (n,): the id column, else row-1, row-2 ..."""
    column = table.id_column
    if column is None:
        return np.array([f"row-{i + 1}" for i in table.rows], np.str_)
    names = table.text(column)
    if (names == "").any():
        raise BenchError(f"{table.source}: row {np.argmax(names == '') + 1} has no {column!r}. Give every row one.")
    codes = codes_of(names)
    first_seen = np.unique(codes, return_index=True)[1]
    if len(first_seen) < len(names):
        again = int(np.setdiff1d(table.rows, first_seen)[0])
        raise BenchError(
            f"{table.source}: rows {first_seen[codes[again]] + 1} and {again + 1} share the {column!r}"
            f" {str(names[again])!r}. Row ids must be unique."
        )
    return names


def _above_minimum(table: Columns, spec: TaskSpec, counts: dict[str, int]) -> Columns:
    """The rows that no filter of the task leaves out; the others are added to ``counts``."""
    measured = {name for target in spec.targets.values() for name in (*target.replicates, *target.halves)}
    for name, least in spec.minimum.items():
        column = spec.columns.covariates.get(name, name)
        if column in measured:
            raise BenchError(
                f"{table.source}: minimum.{name} filters on a target, which selects on the outcome."
                " Filter on DNA counts or barcodes."
            )
        low = ~(table.numbers(column) >= least)
        if low.any():
            counts[f"rows with {name} below {least:g}"] = int(low.sum())
            table = table.keep(~low)
    return table


# ---- targets ---------------------------------------------------------------------------------------------------------
def _measured(table: Columns, spec: TaskSpec, counts: dict[str, int]) -> tuple[Columns, dict[str, Target]]:
    """The rows where a target was measured, and the targets on them; the other rows are added to ``counts``."""
    targets = {name: _target(table, name, target) for name, target in spec.targets.items()}
    measured = np.any([np.isfinite(target.value) for target in targets.values()], axis=0)
    if not measured.all():
        counts["rows without a measured target"] = int((~measured).sum())
        table = table.keep(measured)
        targets = {name: _target(table, name, target) for name, target in spec.targets.items()}
    if not len(table):
        dropped = ", ".join(f"{number:,} {what}" for what, number in counts.items()) or "the table had none"
        raise BenchError(f"{table.source}: no row is left to learn from ({dropped}). Check targets and minimum.")
    for target in targets.values():
        _check_spread(target, table.source)
    return table, targets


def _target(table: Columns, name: str, spec: TargetSpec) -> Target:
    """One target on the rows of a table."""
    replicates = np.column_stack([table.numbers(column) for column in spec.replicates])
    void = ~np.isfinite(replicates).any(axis=0)
    if void.any() and not void.all():
        column = spec.replicates[int(np.argmax(void))]
        raise BenchError(
            f"{table.source}: replicate {column!r} of target {name!r} has no value in any row. Leave it out."
        )
    halves = np.column_stack([table.numbers(column) for column in spec.halves]) if spec.halves else None
    return Target(
        name,
        replicates,
        tuple(spec.replicates),
        spec.kind,
        halves,
        combine=spec.combine or DEFAULT,
        minimum_replicates=spec.minimum_replicates,
    )


def _check_spread(target: Target, source: str) -> None:
    """Check that a target has two different values, and a binary one no others than 0 and 1."""
    values = np.unique(target.value[np.isfinite(target.value)])
    columns = ", ".join(map(repr, target.replicate_names))
    if len(values) < 2:
        said = f"only the value {np.nanmin(target.replicates):g}" if len(values) else "no measured row"
        raise BenchError(f"{source}: target {target.name!r} (column {columns}) has {said}. Nothing to learn.")
    if target.kind == "binary" and not np.isin(target.replicates[np.isfinite(target.replicates)], (0, 1)).all():
        raise BenchError(f"{source}: binary target {target.name!r} (column {columns}) must hold 0 and 1 only.")


def _cut(
    genome: Path,
    places: Places,
    row_id: NDArray[Any],
    source: str,
    covariates: Mapping[str, NDArray[np.float64]],
) -> Sequences:
    """Sequences cut from a genome. Reading one takes a library that most tasks need not import."""
    from bench.files.genome import cut

    return cut(
        genome,
        places.chrom,
        places.start,
        places.end,
        places.reverse,
        names=row_id,
        source=source,
        covariates=covariates,
    )
