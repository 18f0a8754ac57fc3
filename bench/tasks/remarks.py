"""What is odd in a table: said in the first lines of a run, or a stop where it would be read as what it is not."""

from __future__ import annotations

import re

import numpy as np

from bench.errors import BenchError
from bench.sequences import Sequences
from bench.tasks.chromosomes import PLACE
from bench.tasks.columns import Columns
from bench.tasks.problems import such
from bench.tasks.spec import ColumnsSpec, TaskSpec

#: What some programs write where nothing was measured.
_SENTINELS = (-99.0, -999.0, -9999.0, -99999.0)
_DATE = re.compile(r"\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|(Mar|Sep|Dec|Oct)-\d{2}", re.IGNORECASE)
_DATE_LENGTH = 6
_PLACED_NAME = re.compile(r"(.*[^A-Za-z0-9])?(chr)?\w{1,6}[:_.-]\d{3,}[-_.]\d{3,}.*")
#: What a column of species is called. Case does not count.
SPECIES = ("species", "organism")
#: Share of rows from which on names are believed to hold places.
_MOST = 0.9
#: Share of different sequences up to which rows look like replicates.
_REPEATED = 0.6
#: Rows that are looked at where all would take long: their names, their own bases beside those of the genome.
_LOOK = 2_000


def remarks(table: Columns, spec: TaskSpec) -> list[str]:
    """What people are told of the rows of a table. ``spec``: its columns are found already."""
    return [*_of_values(table, spec), *_of_names(table, spec), *_of_species(table, spec), *_of_repeats(table, spec)]


def _of_values(table: Columns, spec: TaskSpec) -> list[str]:
    said = []
    labels = {column for target in spec.targets.values() if target.labelled for column in target.replicates}
    for column in dict.fromkeys([*sorted(spec.outcome - labels), *spec.columns.covariates.values()]):
        values = table.numbers(column) if column in table else np.zeros(0)
        for value in _SENTINELS:
            is_value = values == value
            if is_value.sum() > 1 and not ((values < value / 2) & ~is_value).any():
                said.append(
                    f"column {column!r} is {value:g} in {int(is_value.sum()):,} rows and read as measured: if it stands"
                    " for a missing value, leave the fields empty"
                )
    return said


def _of_names(table: Columns, spec: TaskSpec) -> list[str]:
    if table.id_column is None:
        return []
    names = table.text(table.id_column).tolist()
    dates = [name for name in names if len(name) <= _DATE_LENGTH and _DATE.fullmatch(name)]
    said = []
    if dates:
        rows = f"{len(dates):,} {'id looks' if len(dates) == 1 else 'ids look'} like a date"
        said.append(f"{rows}, such as {dates[0]!r}: spreadsheets make dates of names such as SEPT2")
    if not spec.columns.said("chrom") and not spec.columns.said("locus"):
        placed = [_PLACED_NAME.fullmatch(name) is not None for name in names[:_LOOK]]
        if sum(placed) >= _MOST * len(placed):
            said.append(
                f"ids look like places, such as {names[0]!r}, and no column says where rows lie: rows that overlap are"
                " not known to be related. Divide the ids into columns chrom, start and end"
            )
    return said


def _of_species(table: Columns, spec: TaskSpec) -> list[str]:
    """A column of species that keeps no chromosomes apart."""
    if spec.columns.species or not spec.columns.said("chrom"):
        return []
    for column in map(str, table.frame.columns):
        if column.casefold() in SPECIES and len(there := set(table.text(column).tolist()) - {""}) > 1:
            return [
                f"column {column!r} has {len(there)} values; where chromosomes of several share a name, write species ="
                f' "{column}" under [columns]'
            ]
    return []


def _of_repeats(table: Columns, spec: TaskSpec) -> list[str]:
    """Sequences that stand in several rows."""
    column = spec.columns.said("sequence")
    if column is None or column not in table:
        return []
    different = int(table.frame[column].iloc[table.rows].nunique())
    if different > _REPEATED * len(table):
        return []
    return [
        f"{len(table):,} rows have {different:,} different sequences; if a column says which replicate or condition a"
        ' row is, set format = "long"'
    ]


def refuse_odd_columns(table: Columns, said: ColumnsSpec, found: ColumnsSpec, *, cut: bool) -> None:
    """Note as problems columns that would be read as something else than they hold.

    Parameters
    ----------
    said : the columns as the task file names them. found : as they are read. cut : bases are cut from a genome.
    """
    locus = found.said("locus")
    if locus and said.locus is None:
        labels = table.text(locus)
        placed = np.array([PLACE.fullmatch(label) is not None for label in labels.tolist()])
        if placed.sum() >= _MOST * (labels != "").sum() > 0:
            table.say(
                f"column {locus!r} holds places, such as {str(labels[np.argmax(placed)])!r}: rows that overlap would"
                f' not be related. Divide it into columns chrom, start and end, or write locus = "{locus}" or locus ='
                " false under [columns]."
            )
    if cut and said.strand is None and not found.said("strand"):
        head = table.keep(np.arange(len(table)) < _LOOK)
        for column in map(str, table.frame.columns):
            if set(head.text(column).tolist()) - {"", "."} == {"+", "-"}:
                table.say(
                    f'column {column!r} holds + and -: write strand = "{column}" under [columns], or strand = false if'
                    " it does not say which strand of the genome a row is."
                )
                break


def refuse_other_bases(table: Columns, said: ColumnsSpec, found: ColumnsSpec, sequences: Sequences) -> None:
    """Stop where a table's own bases are not those that were cut from the genome.

    Raises
    ------
    BenchError : naming the first row that differs.
    """
    column = found.said("sequence")
    if not column or said.sequence is False or column not in table:
        return
    rows = np.arange(min(len(table), _LOOK))
    written = table.keep(np.arange(len(table)) < _LOOK).text(column).tolist()
    own = [re.sub("[^ACGT]", "N", bases.upper().replace("U", "T")) for bases in written]
    cut = sequences.take(rows).to_strings()
    differs = np.array([a != b for a, b in zip(own, cut, strict=True)], np.bool_)
    if differs.any():
        raise BenchError(
            f"{table.source}: {table.where(int(np.argmax(differs)))}: the bases in column {column!r} are not those of"
            f" the genome at its place{such(int(differs.sum()))}. Leave fasta out to use the column, or write sequence"
            " = false under [columns] to use the genome."
        )
