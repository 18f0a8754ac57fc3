"""The canonical table: one row a measured element, checked and turned into a ``Task``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.sequences import Sequences
from bench.tasks.loci import codes_of, overlapping, same_bases
from bench.tasks.spec import TargetSpec, TaskSpec
from bench.tasks.splits import check_split
from bench.tasks.task import Target, Task

if TYPE_CHECKING:
    import pandas as pd

#: Label of rows that lie on no chromosome (synthetic controls, for example).
UNPLACED = "unplaced"
#: Kind of every byte of a sequence: 0 a base, 1 N, 2 another IUPAC letter, 3 nothing that belongs there.
_BYTE = np.full(256, 3, np.uint8)
for _kind, _letters in enumerate((b"ACGTUacgtu", b"Nn", b"RYSWKMBDHVryswkmbdhv")):
    _BYTE[list(_letters)] = _kind


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
    BenchError : one line naming the source, the row and the column, and the mend.
    """
    table = _Table(spec, frame, source)
    counts: dict[str, int] = {}
    row_id = table.ids()
    table.keep(row_id, counts)
    row_id = row_id[table.rows]

    targets = {name: table.target(name, target) for name, target in spec.targets.items()}
    measured = np.any([np.isfinite(target.value) for target in targets.values()], axis=0)
    if not measured.all():
        counts["rows without a measured target"] = int((~measured).sum())
        table.rows = table.rows[measured]
        row_id = row_id[measured]
        targets = {name: table.target(name, target) for name, target in spec.targets.items()}
    if not len(row_id):
        raise BenchError(f"{source}: no row is left to learn from ({_said(counts)}). Check targets and minimum.")
    for target in targets.values():
        table.check_spread(target)

    chrom, start, end, reverse = table.places(required=genome is not None)
    covariates = {name: table.numbers(column) for name, column in spec.columns.covariates.items()}
    if genome is not None:
        from bench.files.genome import cut

        sequences = cut(genome, chrom, start, end, reverse, names=row_id, source=source, covariates=covariates)
    else:
        sequences = table.sequences(row_id, covariates, counts)
    locus = table.locus(chrom, start, end, sequences)
    unplaced = int((chrom == UNPLACED).sum())
    if 0 < unplaced < len(chrom):
        counts["rows without a chromosome"] = unplaced
    strata = {name: table.text(column) for name, column in spec.columns.strata.items()}
    split = check_split(spec.split or default_split(chrom), source)
    return Task(
        card=spec.card,
        sequences=sequences,
        row_id=row_id,
        chrom=chrom,
        position=start,
        locus=locus,
        targets=targets,
        strata=strata,
        split=split,
        digest=digest(sequences, row_id, chrom, start, locus, targets, strata),
        counts=counts,
    )


def default_split(chrom: NDArray[Any]) -> str:
    """The split of a task that names none: by chromosome where the rows lie on five or more, by locus elsewhere."""
    return "chromosome-kfold[k=5]" if len(set(chrom.tolist())) >= 5 else "locus-kfold[k=5]"


class _Table:
    """A frame with the names of its columns resolved; ``rows`` are the positions of the rows that are kept."""

    def __init__(self, spec: TaskSpec, frame: pd.DataFrame, source: str) -> None:
        self.spec, self.frame, self.source = spec, frame, source
        self.rows = np.arange(len(frame))
        if not len(frame):
            raise BenchError(f"{source}: the table has no rows. Give at least a few hundred measured elements.")
        twice = frame.columns[frame.columns.duplicated()]
        if len(twice):
            raise BenchError(f"{source}: two columns are called {twice[0]!r}. Rename one.")
        for name in spec.columns.model_fields_set:
            column = getattr(spec.columns, name)
            if isinstance(column, str):
                self.require(column)

    def require(self, column: str) -> str:
        if column not in self.frame.columns:
            raise BenchError(
                f"{self.source}: column {column!r} is missing.{nearest(column, map(str, self.frame.columns))}"
            )
        return column

    def find(self, name: str) -> str | None:
        """The column that plays a part: as the task names it, or of the part's own name if the table has it."""
        column = getattr(self.spec.columns, name) or name
        return column if column in self.frame.columns else None

    def where(self, kept: int) -> str:
        """How messages call a kept row: counted from 1 below the header, with its id."""
        row = int(self.rows[kept])
        column = self.find("id")
        return f"row {row + 1}" + (f" ({self.frame[column].iloc[row]!r})" if column else "")

    # ---- plain columns
    def text(self, column: str) -> NDArray[Any]:
        """A column as str (n,), "" where missing. Whole numbers read as floats because of gaps lose their '.0'."""
        import pandas as pd

        values = self.frame[self.require(column)].iloc[self.rows]
        if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
            values = values.astype("Int64")
        missing = values.isna().to_numpy(np.bool_)
        return np.where(missing, "", values.astype(str).to_numpy(object)).astype(np.str_)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A column as float64 (n,), NaN where missing; infinite values and text are errors."""
        import pandas as pd

        raw = self.frame[self.require(column)].iloc[self.rows]
        values = pd.to_numeric(raw, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = np.isnan(values) & raw.notna().to_numpy(np.bool_) | np.isinf(values)
        if wrong.any():
            first = int(np.argmax(wrong))
            raise BenchError(
                f"{self.source}: {self.where(first)}, column {column!r} must be a finite number or empty."
                f" Got {str(raw.iloc[first])!r}. Correct it, or leave it empty where nothing was measured."
            )
        return values

    def integers(self, column: str) -> NDArray[np.int64]:
        """A column of positions as int64 (n,), -1 where missing."""
        values = self.numbers(column)
        wrong = np.isfinite(values) & ((values < 0) | (values % 1 != 0) | (values > 2**48))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise BenchError(
                f"{self.source}: {self.where(first)}, column {column!r} must be a whole number from 0 up."
                f" Got {values[first]:g}. Coordinates are 0-based."
            )
        return np.where(np.isfinite(values), values, -1).astype(np.int64)

    # ---- what a task needs
    def ids(self) -> NDArray[Any]:
        """Names of all rows, str (n,): the id column, else row-1, row-2 ..."""
        column = self.find("id")
        if column is None:
            return np.array([f"row-{i + 1}" for i in self.rows], np.str_)
        names = self.text(column)
        if (names == "").any():
            raise BenchError(f"{self.source}: row {np.argmax(names == '') + 1} has no {column!r}. Give every row one.")
        codes = codes_of(names)
        first_seen = np.unique(codes, return_index=True)[1]
        if len(first_seen) < len(names):
            again = int(np.setdiff1d(self.rows, first_seen)[0])
            raise BenchError(
                f"{self.source}: rows {first_seen[codes[again]] + 1} and {again + 1} share the {column!r}"
                f" {str(names[again])!r}. Row ids must be unique."
            )
        return names

    def keep(self, row_id: NDArray[Any], counts: dict[str, int]) -> None:
        """Drop the rows below ``spec.minimum``."""
        measured = {name for target in self.spec.targets.values() for name in (*target.replicates, *target.halves)}
        for name, least in self.spec.minimum.items():
            column = self.spec.columns.covariates.get(name, name)
            if column in measured:
                raise BenchError(
                    f"{self.source}: minimum.{name} filters on a target, which selects on the outcome."
                    " Filter on DNA counts or barcodes."
                )
            low = ~(self.numbers(column) >= least)
            if low.any():
                counts[f"rows with {name} below {least:g}"] = int(low.sum())
                self.rows = self.rows[~low]

    def target(self, name: str, spec: TargetSpec) -> Target:
        """One target on the kept rows."""
        replicates = np.column_stack([self.numbers(column) for column in spec.replicates])
        void = ~np.isfinite(replicates).any(axis=0)
        if void.any() and not void.all():
            column = spec.replicates[int(np.argmax(void))]
            raise BenchError(
                f"{self.source}: replicate {column!r} of target {name!r} has no value in any row. Leave it out."
            )
        halves = np.column_stack([self.numbers(column) for column in spec.halves]) if spec.halves else None
        return Target(name, replicates, tuple(spec.replicates), spec.kind, halves)

    def check_spread(self, target: Target) -> None:
        value = target.value
        values = np.unique(value[np.isfinite(value)])
        columns = ", ".join(map(repr, target.replicate_names))
        if len(values) < 2:
            said = f"only the value {values[0]:g}" if len(values) else "no measured row"
            raise BenchError(f"{self.source}: target {target.name!r} (column {columns}) has {said}. Nothing to learn.")
        if target.kind == "binary" and not np.isin(target.replicates[np.isfinite(target.replicates)], (0, 1)).all():
            raise BenchError(f"{self.source}: binary target {target.name!r} (column {columns}) must hold 0 and 1 only.")

    def places(self, required: bool) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Chromosome label, start, end (-1 where unknown) and whether on the minus strand, each (n,)."""
        n = len(self.rows)
        columns = {name: self.find(name) for name in ("chrom", "start", "end", "strand")}
        for name in ("chrom", "start", "end"):
            if required and columns[name] is None:
                raise BenchError(f"{self.source}: column {name!r} is missing, which cutting from a FASTA needs.")
        chrom = self.text(columns["chrom"]) if columns["chrom"] else np.full(n, UNPLACED)
        chrom = np.where(chrom == "", UNPLACED, chrom).astype(np.str_)
        start = self.integers(columns["start"]) if columns["start"] else np.full(n, -1, np.int64)
        end = self.integers(columns["end"]) if columns["end"] else np.full(n, -1, np.int64)
        unknown = (start < 0) | (end < 0)
        if required and unknown.any():
            first = int(np.argmax(unknown))
            raise BenchError(
                f"{self.source}: {self.where(first)} has no start or no end, which cutting from a FASTA needs."
                " Fill them in or drop the row."
            )
        if columns["start"] and columns["end"]:
            empty = ~unknown & (end <= start)
            if empty.any():
                first = int(np.argmax(empty))
                raise BenchError(
                    f"{self.source}: {self.where(first)}: start must lie before end."
                    f" Got {start[first]}-{end[first]}. Coordinates are 0-based, the end excluded."
                )
        strand = self.text(columns["strand"]) if columns["strand"] else np.full(n, "+")
        wrong = ~np.isin(strand, ("+", "-", ".", ""))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise BenchError(
                f"{self.source}: {self.where(first)}, column {columns['strand']!r} must be + or - (or . for neither)."
                f" Got {str(strand[first])!r}."
            )
        return chrom, start, end, strand == "-"

    def sequences(
        self, row_id: NDArray[Any], covariates: dict[str, NDArray[np.float64]], counts: dict[str, int]
    ) -> Sequences:
        """Sequences of the column, as written: strand is not applied to them."""
        column = self.find("sequence")
        if column is None:
            self.require(self.spec.columns.sequence or "sequence")
        strings = self.text(str(column)).tolist()
        raw = np.frombuffer("".join(strings).encode("latin-1", "replace"), np.uint8)
        stop = np.cumsum([len(string) for string in strings])
        empty = np.diff(stop, prepend=0) == 0
        if empty.any():
            raise BenchError(
                f"{self.source}: {self.where(int(np.argmax(empty)))} has an empty sequence. Give its bases or drop it."
            )
        kind = _BYTE[raw]
        if (kind == 3).any():
            at = int(np.argmax(kind == 3))
            row = int(np.searchsorted(stop, at, side="right"))
            letter = strings[row][at - int(stop[row])]
            raise BenchError(
                f"{self.source}: {self.where(row)}, column {column!r} has {letter!r}, which is no base."
                " Only A, C, G, T, U, N and the IUPAC letters may stand there."
            )
        if (kind == 2).any():
            counts["IUPAC letters read as N"] = int((kind == 2).sum())
        return Sequences.from_strings(strings, covariates)

    def locus(
        self, chrom: NDArray[Any], start: NDArray[np.int64], end: NDArray[np.int64], sequences: Sequences
    ) -> NDArray[np.int64]:
        """Block of every row, int64 (n,): the column, else overlaps, else equal bases."""
        n = len(chrom)
        column = self.find("locus")
        alone = np.char.add("\0", np.arange(n).astype(np.str_))
        if column is not None:
            said = self.text(column)
            return codes_of(np.where(said == "", alone, said))
        placed = (start >= 0) & (end >= 0) & (chrom != UNPLACED)
        locus = np.full(n, -1, np.int64)
        locus[placed] = overlapping(chrom[placed], start[placed], end[placed])
        if not placed.all():
            locus[~placed] = same_bases(sequences.take(~placed)) + locus.max(initial=-1) + 1
        return locus


def digest(
    sequences: Sequences,
    row_id: NDArray[Any],
    chrom: NDArray[Any],
    position: NDArray[np.int64],
    locus: NDArray[np.int64],
    targets: dict[str, Target],
    strata: dict[str, NDArray[Any]],
) -> str:
    """SHA-256 over everything that a score can depend on, in table order; 64 hexadecimal digits."""
    sha = hashlib.sha256()

    def add(name: str, values: NDArray[Any]) -> None:
        sha.update(f"\n{name} {values.dtype.kind} {values.shape}\n".encode())
        if values.dtype.kind == "U":
            sha.update("\0".join(values.tolist()).encode())
        else:
            sha.update(np.ascontiguousarray(values).data)

    for name in ("buffer", "start", "stop", "reverse"):
        add(name, getattr(sequences, name))
    add("id", row_id)
    add("chrom", chrom)
    add("position", position)
    add("locus", locus)
    for target in targets.values():
        add(f"target {target.name} {target.kind}", target.replicates)
        if target.halves is not None:
            add("halves", target.halves)
    for kind, columns in (("covariate", sequences.covariates), ("stratum", strata)):
        for name in sorted(columns):
            add(f"{kind} {name}", columns[name])
    return sha.hexdigest()


def _said(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items()) or "the table had none"
