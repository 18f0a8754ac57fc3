"""The canonical table: one row per measured element, checked and turned into a ``Task``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.sequences import Sequences
from bench.stats.intervals import Estimate
from bench.stats.replicates import DEFAULT
from bench.tasks.aliases import find_columns
from bench.tasks.bases import read_bases
from bench.tasks.chromosomes import UNPLACED
from bench.tasks.columns import Columns
from bench.tasks.counts import activities, with_dna
from bench.tasks.digest import digest
from bench.tasks.dropout import filters, unmeasured
from bench.tasks.labels import Threshold, cut, read_labels
from bench.tasks.loci import loci_of
from bench.tasks.pairs import read_pairs, with_pairs
from bench.tasks.places import Places, read_places
from bench.tasks.problems import Problems
from bench.tasks.remarks import refuse_odd_columns, refuse_other_bases, remarks
from bench.tasks.repeats import refuse_long
from bench.tasks.rows import chosen, marked_rows, one_row_each, row_names, within
from bench.tasks.spec import TaskSpec
from bench.tasks.splits import Split
from bench.tasks.strata import folded, strata_of
from bench.tasks.task import Target, Task

if TYPE_CHECKING:
    import pandas as pd

#: Chromosomes from which on a task that names no split is split by them.
CHROMOSOMES = 5
#: Fewer rows than this may well have one value in a replicate.
_FEW = 10


def build_task(
    spec: TaskSpec,
    frame: pd.DataFrame,
    *,
    source: str,
    genome: Path | None = None,
    notes: Sequence[str] | None = None,
    counts: Mapping[str, int] | None = None,
    labels: Collection[str] = (),
) -> Task:
    """The task of a table.

    Rows without any measured target, and those that ``spec.rows``, ``spec.minimum`` and ``spec.maximum`` leave out, are
    dropped and counted in ``counts``. Letters of the IUPAC code other than ACGTU become N and are counted. Where the
    table names no locus, rows whose coordinates overlap share one; without coordinates, rows whose sequences are equal
    or one base apart, on either strand.

    Parameters
    ----------
    source : what to call the table in messages.
    genome : FASTA to cut the sequences from, in place of a column.
    notes : what people are told of how the table was read, to which this adds; None for a data set, whose columns are
        no guess.
    counts : what was counted before, to which this adds.
    labels : columns that a split may go by besides that of ``spec``.

    Raises
    ------
    BenchError : one line naming the source and all that is wrong: the first row of each kind, its column, and the fix.
    """
    said, counts = list(notes or ()), dict(counts or {})
    problems = Problems(source)
    spec = folded(spec)
    own = spec.columns
    spec, table, told = _checked(spec, frame, problems, cut=genome is not None)
    said += told if notes is not None else ()
    lengths = _Lengths(spec, cut=genome is not None)
    every = row_names(table)
    table = chosen(table, spec, counts)
    refuse_long(table, spec)
    table = one_row_each(table, row_names(table), spec, counts)
    spec, table = with_dna(spec, table)
    outside = within(table, spec, spec, lengths)
    counts |= {f"rows with {what}": int(out.sum()) for what, out in outside.items() if out.any()}
    table = table.keep(~_any(outside.values(), len(table)))
    table, targets, gone = _measured(table, spec, lengths, counts)
    row_id = row_names(table)
    refuse_odd_columns(table, own, spec.columns, cut=genome is not None)
    said += remarks(table, spec) if notes is not None else ()

    covariates = {name: table.numbers(column) for name, column in spec.columns.covariates.items()}
    medians = _medians(covariates, counts)
    sequences = None
    if genome is None:
        sequences, letters = read_bases(table, str(spec.columns.sequence), covariates)
        counts |= letters
    lengths_read = None if sequences is None else sequences.lengths
    places = read_places(table, spec, lengths_read, said, said="coordinates" in spec.model_fields_set)
    problems.stop()
    circle = None
    if genome is not None:
        sequences, circle = _cut(genome, places, row_id, source, covariates, circular=spec.circular)
        refuse_other_bases(table, own, spec.columns, sequences)
    assert sequences is not None
    column = spec.columns.said("locus")
    pairs = read_pairs(table, spec.columns.pair, row_id, counts, some=bool(spec.rows))
    locus = with_pairs(loci_of(places, sequences, table.text(column) if column else None, circle), pairs)
    unplaced = int((places.chrom == UNPLACED).sum())
    if 0 < unplaced < len(table):
        counts["rows without a chromosome"] = unplaced
    targets = {name: replace(target, loci=len(np.unique(locus))) for name, target in targets.items()}
    strata = strata_of(table, spec, places, sequences, covariates)
    said += strata.notes
    control = [marked_rows(table, column, kept, "columns.control") for column, kept in spec.columns.control.items()]
    problems.stop()
    marked = np.any(control, axis=0) if control else None
    position = np.where(places.located, np.maximum(places.start, 0), places.start)
    wanted = dict.fromkeys([*([spec.split.column] if spec.split else []), *labels])
    limits = filters(table, spec)
    content = digest(sequences, row_id, places.chrom, position, locus, targets, strata.labels, marked, limits, pairs)
    return Task(
        card=spec.card,
        sequences=sequences,
        row_id=row_id,
        chrom=places.chrom,
        position=position,
        reverse=places.reverse,
        locus=locus,
        targets=targets,
        strata=strata.labels,
        split=spec.split or default_split(places.chrom),
        digest=content.whole,
        content=content,
        counts=counts,
        minimum=spec.minimum,
        medians=medians,
        notes=tuple(said),
        labels={column: table.text(column) for column in wanted if column in table},
        left_out=np.setdiff1d(every, row_id),
        control=marked,
        pairs=pairs,
        filters=limits,
        unmeasured=gone,
        stratum_cards=strata.cards,
    )


def default_split(chrom: NDArray[Any]) -> Split:
    """The split of a task that names none: by chromosome where the rows lie on five or more, by locus elsewhere."""
    return Split.parse("chromosome-kfold" if len(set(chrom.tolist())) >= CHROMOSOMES else "locus-kfold")


# ---- rows ------------------------------------------------------------------------------------------------------------
def _checked(
    spec: TaskSpec, frame: pd.DataFrame, problems: Problems, *, cut: bool
) -> tuple[TaskSpec, Columns, tuple[str, ...]]:
    """The task with its columns found, all rows of a table that has some and has those columns, and what people are
    told of them."""
    if not len(frame):
        raise BenchError(f"{problems.source}: the table has no rows. Give at least a few hundred measured elements.")
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise BenchError(f"{problems.source}: two columns are called {twice[0]!r}. Rename one.")
    names = [str(name) for name in frame.columns]
    measured = [column for target in spec.targets.values() for column in (*target.outcome, *target.dna)]
    used = {*measured, *spec.columns.covariates.values()}
    columns, told = find_columns(spec.columns, names, used, problems)
    needed = [*spec.columns.required, *measured]
    if not cut and columns.sequence is False and spec.columns.sequence is None:
        needed.append("sequence")
    missing = [column for column in dict.fromkeys(needed) if column not in frame.columns]
    for column in missing:
        problems.add(f"column {column!r} is missing.{nearest(column, names)}")
    if not cut and columns.sequence is False and not missing and not problems:
        problems.add("columns.sequence is false, and the task file names neither fasta nor sequences. Give one.")
    if missing or problems:
        problems.stop()
    name = columns.said("id")
    return spec.model_copy(update={"columns": columns}), Columns.of(frame, problems.source, name, problems), told


class _Lengths:
    """Bases of every row of a table, asked for where a filter needs them."""

    def __init__(self, spec: TaskSpec, *, cut: bool) -> None:
        self.columns, self.cut, self.first = spec.columns, cut, int(spec.coordinates == "1-based")

    def __call__(self, table: Columns) -> NDArray[np.int64]:
        if not self.cut:
            return np.array(table.strings(str(self.columns.sequence)).fillna("").str.len(), np.int64)
        start, end = self.columns.said("start"), self.columns.said("end")
        if not (start and end):
            return np.zeros(len(table), np.int64)
        span = table.numbers(end) - table.numbers(start) + self.first
        return np.where(np.isfinite(span), span, 0).astype(np.int64)


def _any(masks: Iterable[NDArray[np.bool_]], n: int) -> NDArray[np.bool_]:
    return np.logical_or.reduce([np.zeros(n, np.bool_), *masks])


def _medians(covariates: Mapping[str, NDArray[np.float64]], counts: dict[str, int]) -> dict[str, float]:
    """The median of each covariate that has a value; gaps are added to ``counts``."""
    medians = {}
    for name, values in covariates.items():
        known = np.isfinite(values)
        if known.any():
            medians[name] = float(np.median(values[known]))
        if known.any() and not known.all():
            counts[f"rows without {name} (its baseline takes the median)"] = int((~known).sum())
    return medians


# ---- targets ---------------------------------------------------------------------------------------------------------
def _measured(
    table: Columns, spec: TaskSpec, lengths: _Lengths, counts: dict[str, int]
) -> tuple[Columns, dict[str, Target], dict[str, Estimate]]:
    """The rows where a target was measured, the targets on them, and whether the other rows follow GC; those are added
    to ``counts``."""
    targets = {name: _target(table, name, spec, lengths) for name in spec.targets}
    gone = unmeasured(table, spec, targets)
    measured = np.any([np.isfinite(target.value) for target in targets.values()], axis=0)
    if not measured.all():
        counts["rows without a measured target"] = int((~measured).sum())
        table = table.keep(measured)
        targets = {name: _target(table, name, spec, lengths) for name in spec.targets}
    if not len(table):
        dropped = ", ".join(f"{number:,} {what}" for what, number in counts.items()) or "the table had none"
        if not table.problems:
            table.say(f"no row is left to learn from ({dropped}). Check targets, rows, minimum and maximum.")
        if table.problems is not None:
            table.problems.stop()
    for target in targets.values() if not table.problems else ():  # what cannot be read is missing here
        _check_spread(target, table)
    return table, targets, gone


def _target(table: Columns, name: str, spec: TaskSpec, lengths: _Lengths) -> Target:
    """One target on the rows of a table."""
    about = spec.targets[name]
    columns = about.replicates or about.rna
    if about.labelled:
        replicates = np.column_stack([read_labels(table, each, about, name, columns) for each in columns])
    else:
        replicates = (
            activities(table, about) if about.rna else np.column_stack([table.numbers(each) for each in columns])
        )
    void = ~np.isfinite(replicates).any(axis=0)
    if void.any() and not void.all() and not table.problems:
        column = columns[int(np.argmax(void))]
        table.say(f"replicate {column!r} of target {name!r} has no value in any row. Leave it out.", ("void", column))
    flat = np.array([_flat(values[np.isfinite(values)]) for values in replicates.T])
    if flat.any() and not flat.all() and not table.problems:
        column = columns[int(np.argmax(flat))]
        table.say(f"replicate {column!r} of target {name!r} has one value in all rows. Leave it out.", ("flat", column))
    halves = np.column_stack([table.numbers(column) for column in about.halves]) if about.halves else None
    few = np.isfinite(replicates).sum(axis=1) < about.minimum_replicates
    few |= _any(within(table, spec, about, lengths, f"targets.{name}.").values(), len(table))
    replicates[few] = np.nan
    if halves is not None:
        halves[few] = np.nan
    target = Target(
        name,
        replicates,
        tuple(columns),
        about.kind,
        halves,
        combine=about.combine or DEFAULT,
        minimum_replicates=about.minimum_replicates,
        positive=" or ".join(about.positive) or ("1" if about.labelled else ""),
    )
    if about.threshold is None or table.problems:
        return target
    threshold = Threshold.parse(about.threshold)
    return cut(target, threshold, about.combine or threshold.combine)


def _flat(values: NDArray[np.float64]) -> bool:
    """Whether measurements are all one value, of so many that this is no chance."""
    return len(values) >= _FEW and bool((values == values[0]).all())


def _check_spread(target: Target, table: Columns) -> None:
    """Check that a target has two different values."""
    values = np.unique(target.value[np.isfinite(target.value)])
    columns = ", ".join(map(repr, target.replicate_names))
    if len(values) == 1 and target.kind == "binary":
        said = f"threshold {target.positive!r}" if target.label is not None else f"positive {target.positive!r}"
        none = "no row" if values[0] == 0 else "every row"
        table.say(f"binary target {target.name!r} (column {columns}): {none} is positive by {said}. Change it.")
    elif len(values) < 2:
        had = f"only the value {np.nanmin(target.replicates):g}" if len(values) else "no measured row"
        table.say(f"target {target.name!r} (column {columns}) has {had}. Nothing to learn.")


def _cut(
    genome: Path,
    places: Places,
    row_id: NDArray[Any],
    source: str,
    covariates: Mapping[str, NDArray[np.float64]],
    *,
    circular: bool,
) -> tuple[Sequences, Mapping[str, int] | None]:
    """Sequences cut from a genome, and the lengths of its chromosomes where it is circular. Reading one takes a library
    that most tasks need not import."""
    from bench.files.genome import chromosome_lengths, cut

    sequences = cut(
        genome,
        places.chrom,
        places.start,
        places.end,
        places.reverse,
        names=row_id,
        source=source,
        covariates=covariates,
        circular=circular,
    )
    return sequences, chromosome_lengths(genome) if circular else None
