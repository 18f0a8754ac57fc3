"""The strata of a task: groups of rows by a column, by quantiles of a number, or by intervals of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.files.intervals import Intervals, is_gtf, read_intervals
from bench.sequences import Sequences
from bench.stats.ranks import mid_ranks
from bench.tasks.chromosomes import alike_names
from bench.tasks.columns import Columns
from bench.tasks.loci import codes_of
from bench.tasks.places import NEITHER, Places
from bench.tasks.spec import TaskSpec
from bench.tasks.stratum_spec import BINS, MEASURES, StratumSpec
from bench.tasks.task import StratumCard

Spec = TypeVar("Spec", bound=TaskSpec)

#: Most levels of a stratum that a file gives. More are names of intervals, not labels of groups.
MOST_LEVELS = 200
#: Names of a BED file that are so many, and so many of them found once, are names of intervals.
_NAMES, _UNLIKE = 50, 0.5
#: What rows are called where a file has no labels, and those under no label where it has.
INSIDE, OUTSIDE, ELSEWHERE = "inside", "outside", "elsewhere"
#: What an interval without a label is called.
NAMELESS = "(no name)"
_QUANTILES = {3: "tertile", 4: "quartile", 5: "quintile", 10: "decile", 100: "percentile"}
_RULES = {
    "most": "the label that covers most bases of a row",
    "any": "of the labels that cover a base of a row, the one that the file names first",
    "centre": "the label over the middle base of a row",
    "whole": "a label that covers the whole row",
}
_PLAIN_RULES = {"most": "a base of it", "any": "a base of it", "centre": "its middle base", "whole": "all of it"}


class Strata(NamedTuple):
    """``labels``: stratum -> str (n,), "" where a row belongs to none. ``cards``: how those were made that are no
    column. ``notes``: for people."""

    labels: dict[str, NDArray[Any]]
    cards: dict[str, StratumCard]
    notes: list[str]


def folded(spec: Spec, folder: Path | None = None) -> Spec:
    """The task with strata that are plain columns under ``columns``, where all else looks for them, and files of the
    others as paths below ``folder``."""
    plain = {name: stratum.column for name, stratum in spec.strata.items() if stratum.plain}
    others = {name: stratum for name, stratum in spec.strata.items() if not stratum.plain}
    if folder is not None:
        others = {
            name: stratum if stratum.file is None else stratum.model_copy(update={"file": folder / stratum.file})
            for name, stratum in others.items()
        }
    columns = spec.columns.model_copy(update={"strata": spec.columns.strata | plain})
    return spec.model_copy(update={"columns": columns, "strata": others}) if spec.strata else spec


def strata_of(
    table: Columns, spec: TaskSpec, places: Places, sequences: Sequences, covariates: Mapping[str, NDArray[np.float64]]
) -> Strata:
    """The strata of the rows of a table.

    Raises
    ------
    BenchError : for a file that cannot be read, or has nothing to do with the rows; a covariate that is not there.
    """
    made = Strata({name: table.text(column) for name, column in spec.columns.strata.items()}, {}, [])
    for name, stratum in spec.strata.items():
        if stratum.file is None:
            _of_quantiles(made, name, stratum, table, sequences, covariates)
        else:
            _of_file(made, name, stratum, table, spec, places)
    return made


# ---- quantiles -------------------------------------------------------------------------------------------------------
def _of_quantiles(
    made: Strata,
    name: str,
    stratum: StratumSpec,
    table: Columns,
    sequences: Sequences,
    covariates: Mapping[str, NDArray[np.float64]],
) -> None:
    of = stratum.column or stratum.covariate or name
    if stratum.column is not None:
        values = table.numbers(stratum.column)
        if table.problems is not None:
            table.problems.stop()  # a column of words has no values, which would be said of its bins
    elif of in covariates:
        values = covariates[of]
    elif of in MEASURES:
        values = _measured(of, sequences)
    else:
        known = nearest(of, [*covariates, *MEASURES])
        if stratum.covariate:
            raise BenchError(f"{table.source}: [strata.{name}] there is no covariate {of!r}.{known}")
        raise BenchError(
            f"{table.source}: [strata.{name}] names no file, column or covariate, and {name!r} is no covariate.{known}"
        )
    bins = stratum.bins or BINS
    codes, ranges = quantile_bins(values, bins, percent=of == "gc" and of not in covariates)
    if len(ranges) < 2:
        raise BenchError(
            f"{table.source}: [strata.{name}] {of} has {len(np.unique(values[np.isfinite(values)]))} values, which"
            f" cannot be divided into {bins}. Leave the stratum out, or ask for fewer bins."
        )
    word, end = (_QUANTILES[bins], "") if bins in _QUANTILES else ("bin", f" of {bins}")
    words = {code: f"{word} {code + 1}{end}" for code in ranges}
    labels = np.array([*(words.get(code, "") for code in range(bins)), ""])
    made.labels[name] = labels[codes]
    made.cards[name] = StratumCard(
        f"{bins} groups of equal size by {of}", of, {words[code]: said for code, said in ranges.items()}
    )
    gaps = int((codes < 0).sum())
    if gaps:
        made.notes.append(f"stratum {name}: {gaps:,} rows without {of} are in none of its levels")
    if len(ranges) < bins:
        made.notes.append(
            f"stratum {name}: many rows share a value of {of}, which fills {len(ranges)} of {bins} groups"
        )


def _measured(of: str, sequences: Sequences) -> NDArray[np.float64]:
    """GC fraction, length or CpG per place of every row, float64 (n,)."""
    if of == "length":
        return sequences.lengths.astype(np.float64)
    from bench.kernels.cpg import cpg_fraction
    from bench.kernels.gc import gc_fraction

    return np.asarray(gc_fraction(sequences) if of == "gc" else cpg_fraction(sequences), np.float64)


def quantile_bins(
    values: NDArray[np.float64], bins: int, *, percent: bool = False
) -> tuple[NDArray[np.int64], dict[int, str]]:
    """Bin of every row by its mid-rank, so that equal values stay together, int64 (n,), −1 where the value is NaN; and
    the range of each bin that has rows, in words."""
    known = np.isfinite(values)
    ranks = mid_ranks(np.where(known, values, np.nan))
    codes = np.full(len(values), -1, np.int64)
    codes[known] = np.minimum(((ranks[known] - 0.5) / max(int(known.sum()), 1) * bins).astype(np.int64), bins - 1)
    ranges = {}
    for code in np.unique(codes[known]):
        low, high = (float(end(values[codes == code])) * (100 if percent else 1) for end in (np.min, np.max))
        ranges[int(code)] = f"{low:.4g} to {high:.4g}{' %' if percent else ''}"
    return codes, ranges


# ---- intervals of a file ---------------------------------------------------------------------------------------------
def _of_file(made: Strata, name: str, stratum: StratumSpec, table: Columns, spec: TaskSpec, places: Places) -> None:
    file = stratum.file
    assert file is not None, "a stratum of quantiles has no file"
    where = f"{table.source}: [strata.{name}]"
    if not places.known.any():
        raise BenchError(
            f"{where} needs chrom, start and end of the rows, to lay {file.name} over them. Name those columns under"
            " [columns]."
        )
    found = _labelled(made, name, stratum, where)
    mine = _rows_of_file(stratum, table, spec, places, where)
    label, tied = _covered(stratum, found, places, mine, table, spec, where)
    none = stratum.none
    if none is None:
        none = OUTSIDE if found.labels == [INSIDE] else ELSEWHERE
    if none in found.labels:
        raise BenchError(
            f'{where} {file.name} has a label {none!r} already. Name rows under no label with none = "...".'
        )
    words = np.array([*found.labels, none or ""])
    made.labels[name] = np.where(mine, words[label], "")
    made.notes.append(f"stratum {name}: {found.how}. {_counted(label, tied, mine, none or '')}")
    made.cards[name] = StratumCard(found.how, file=file.name, sha256=found.sha256)


class _Labelled(NamedTuple):
    """Intervals of a file with the label of each: numbers, int64 (m,), in ``labels``, which stand in the order of the
    file. ``how``: what they are, in words."""

    intervals: Intervals
    code: NDArray[np.int64]
    labels: list[str]
    how: str
    sha256: str


def _labelled(made: Strata, name: str, stratum: StratumSpec, where: str) -> _Labelled:
    """The intervals that a stratum is of."""
    file = stratum.file
    assert file is not None
    intervals, said = _read(made, name, stratum, file, where)
    if said is not None and stratum.only:
        there = set(said.tolist())
        unknown = next((label for label in stratum.only if label not in there), None)
        if unknown is not None:
            raise BenchError(f"{where} {file.name} has no label {unknown!r}.{nearest(unknown, sorted(there)[:200])}")
        kept = np.isin(said, stratum.only)
        intervals, said = intervals.keep(kept), said[kept]
    elif stratum.only:
        raise BenchError(f"{where} only names labels, and {file.name} is read without any. Set label too.")
    code = np.zeros(len(intervals), np.int64) if said is None else codes_of(said)
    labels = [INSIDE] if said is None else list(dict.fromkeys(said.tolist()))
    if len(labels) > MOST_LEVELS:
        raise BenchError(
            f"{where} {file.name} has {len(labels):,} different labels ({labels[0]!r}, {labels[1]!r} ...), a stratum at"
            f' most {MOST_LEVELS}. Name those that you ask about with only = ["{labels[0]}"], or set label = false.'
        )
    if stratum.window is not None:
        windows = intervals.around_starts(*stratum.window)
        if not len(windows):
            raise BenchError(
                f"{where} window {list(stratum.window)} lies before the chromosome at every start site of {file.name}."
                " Its bases are counted from the start site, which is 0, as in [-700, 200]."
            )
        code = code[np.isin(intervals.line, windows.line)]
        intervals = windows
    how = _how(stratum, intervals, labels)
    return _Labelled(intervals, code, labels, how, hashlib.sha256(file.read_bytes()).hexdigest())


def _read(
    made: Strata, name: str, stratum: StratumSpec, file: Path, where: str
) -> tuple[Intervals, NDArray[Any] | None]:
    """The intervals of a file and the label of each, str (m,); None where rows are inside or outside."""
    if is_gtf(file):
        field = str(stratum.label or "feature")
        intervals = read_intervals(file, [field], feature=stratum.feature)
        features = list(dict.fromkeys(intervals.fields[field].tolist())) if not stratum.label else []
        if stratum.label is None and len(features) > 1 and not stratum.feature:
            raise BenchError(
                f'{where} {file.name} has features {", ".join(features[:6])}. Say which with feature = "{features[0]}",'
                ' or label = "feature" to set them against one another.'
            )
        named = bool(stratum.label) or (stratum.label is None and len(features) > 1)
    else:
        field = str(stratum.label or "name")
        asked = {"fields": [field]} if stratum.label else {"optional": [field]}
        intervals = read_intervals(file, feature=stratum.feature, **asked)
        named = stratum.label is not False and field in intervals.fields
    if not named:
        return intervals, None
    said = intervals.fields[field]
    said = np.where((said == "") | (said == "."), NAMELESS, said)
    if stratum.label is None and not stratum.only and _names_of_intervals(said):
        made.notes.append(
            f"stratum {name}: what column {field!r} of {file.name} holds is read as names of intervals and not as"
            f' labels, so that rows are {INSIDE} or {OUTSIDE} (label = "{field}" makes them labels)'
        )
        return intervals, None
    return intervals, said


def _names_of_intervals(said: NDArray[Any]) -> bool:
    """Whether labels tell intervals apart, or there are none."""
    different = len(set(said.tolist()))
    return (different == 1 and said[0] == NAMELESS) or (different > _NAMES and different > _UNLIKE * len(said))


def _how(stratum: StratumSpec, intervals: Intervals, labels: list[str]) -> str:
    """What the labels of rows rest on, in words."""
    what, rule = f"{len(intervals):,} intervals", stratum.overlap
    if stratum.window is not None:
        first, last = stratum.window
        what = f"windows {first:+d} ... {last:+d} around {len(intervals):,} start sites"
    what += f" of {', '.join(stratum.feature)}" if stratum.feature else ""
    if labels == [INSIDE]:
        some = f"{rule:.0%} of it or more" if isinstance(rule, int | float) else _PLAIN_RULES[rule]
        said = f"a row is {INSIDE} where they cover {some}"
    else:
        what += f" of {len(labels)} label{'s' if len(labels) > 1 else ''}"
        least = isinstance(rule, int | float)
        said = f"{_RULES['most']}, {rule:.0%} of it or more" if least else _RULES[str(rule)]
    strand = {"same": ", on its own strand", "opposite": ", on the other strand"}.get(stratum.strand, "")
    return f"{what} in {intervals.path.name}; {said}{strand}"


def _rows_of_file(
    stratum: StratumSpec, table: Columns, spec: TaskSpec, places: Places, where: str
) -> NDArray[np.bool_]:
    """The rows that the file says something of, bool (n,): they have a place, a strand where that is asked for, and are
    of its species."""
    mine = places.known
    if stratum.strand != "any":
        column = spec.columns.said("strand")
        if column is None:
            raise BenchError(
                f'{where} strand = "{stratum.strand}" needs the strand of the rows. Name it under [columns].'
            )
        words, codes = np.unique(table.text(column), return_inverse=True)
        mine = mine & ~np.isin(np.char.lower(words), NEITHER)[codes]
    if spec.columns.species is not None:
        species = table.text(spec.columns.species)
        there = sorted(set(species.tolist()))
        if stratum.species is None and len(there) > 1:
            raise BenchError(
                f"{where} the rows are of {len(there)} species: say which one the file is of, as in species ="
                f" {there[0]!r}."
            )
        if stratum.species is not None and stratum.species not in there:
            raise BenchError(f"{where} no row is of species {stratum.species!r}.{nearest(stratum.species, there)}")
        mine = mine & ((species == stratum.species) | (stratum.species is None))
    elif stratum.species is not None:
        raise BenchError(f"{where} species needs the column that tells them: name it as columns.species.")
    return mine


def _covered(
    stratum: StratumSpec,
    found: _Labelled,
    places: Places,
    mine: NDArray[np.bool_],
    table: Columns,
    spec: TaskSpec,
    where: str,
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The number of the label of each row, int32 (n,), −1 for none, and rows where another has as good a claim."""
    from bench.kernels.overlap import Placed, covering

    intervals, code = found.intervals, found.code
    own, theirs = _numbered(places.chrom, intervals.chrom, spec, where, intervals.path, mine)
    start, end = np.maximum(places.start, 0), np.maximum(places.end, 0)  # below 0 on a circular genome
    if stratum.strand != "any":
        stranded = intervals.strand != 0
        if not stranded.any():
            raise BenchError(f'{where} strand = "{stratum.strand}": no interval in {intervals.path.name} has a strand.')
        intervals, code, theirs = intervals.keep(stranded), code[stranded], theirs[stranded]
        own = own * 2 + (places.reverse ^ (stratum.strand == "opposite"))
        theirs = theirs * 2 + (intervals.strand < 0)
    if stratum.overlap == "centre":
        start = (start + end) // 2
        end = start + 1
    least = {"whole": 1.0}.get(str(stratum.overlap), stratum.overlap if isinstance(stratum.overlap, int | float) else 0)
    rows = Placed(np.where(mine, own, -1), start, end)
    return covering(
        rows,
        Placed(theirs, intervals.start, intervals.end),
        code,
        least=float(least),
        first=stratum.overlap == "any",
    )


def _numbered(
    rows: NDArray[Any], intervals: NDArray[Any], spec: TaskSpec, where: str, path: Path, mine: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the chromosomes of rows and of intervals, int64; the same one where the names mean the same."""
    own, place = np.unique(rows, return_inverse=True)
    bare = own.tolist()
    if spec.columns.species is not None:  # "human:chr8" where rows are of several species
        bare = [name.partition(":")[2] or name for name in bare]
    theirs, theirs_place = np.unique(intervals.astype(np.str_), return_inverse=True)
    alike = alike_names({*bare, *theirs.tolist()})
    number = {name: i for i, name in enumerate(dict.fromkeys(alike.values()))}
    first, second = (np.array([number[alike[name]] for name in names]) for names in (bare, theirs.tolist()))
    used = np.unique(place[mine])
    if not np.isin(first[used], second).any():
        names = (", ".join(map(str, some[:4])) for some in (theirs, [bare[i] for i in used]))
        raise BenchError(
            f"{where} no chromosome of {path} is one of the rows' (the file has {next(names)}; the rows {next(names)})."
            " Name them alike, in one genome build."
        )
    return first[place], second[theirs_place]


def _counted(label: NDArray[np.int32], tied: NDArray[np.bool_], mine: NDArray[np.bool_], none: str) -> str:
    """What became of the rows, in words."""
    bare = int((mine & (label < 0)).sum())
    said = [f"{int((mine & (label >= 0)).sum()):,} rows under a label"]
    said.append(f"{bare:,} {none}" if none else f"{bare:,} under none, left out of the stratum")
    if tied.any():
        said.append(f"{int(tied.sum()):,} with several as good, which take the first in the file")
    if not mine.all():
        said.append(f"{int((~mine).sum()):,} of which the file says nothing (no place, strand or another species)")
    return "; ".join(said)
