"""What a task file (TOML) may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainValidator,
    field_validator,
    model_validator,
)

from bench.errors import BenchError
from bench.files.toml import sentence
from bench.tasks.labels import Threshold
from bench.tasks.pair_spec import Pair
from bench.tasks.splits import Split
from bench.tasks.stratum_spec import StratumSpec, printable, stratum_tables
from bench.tasks.task import Card

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def _plain(name: str) -> str:
    """Names of tasks and targets are typed in shells and become folders."""
    if not _PLAIN.fullmatch(name):
        raise ValueError("a name must be letters, digits and '_.+-', beginning with a letter or digit")
    return name


def _by_name(value: Any) -> Any:
    """``["a", "b"]`` is short for ``{a = "a", b = "b"}``."""
    return named(*map(str, value)) if isinstance(value, list | tuple) else value


def _split(value: Any) -> Any:
    """The split of its name, as a task file has it."""
    if isinstance(value, Split):
        return value
    if not isinstance(value, str):
        raise sentence(f"'split' must be text, such as \"chromosome-kfold[k=5]\". Got {value!r}.")
    try:
        return Split.parse(value)
    except BenchError as error:
        raise sentence(error) from None


def _column(value: Any) -> Any:
    """The column of a part; ``false`` declines one that would be found."""
    if value is None or value is False or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError("must be the name of a column, or false where the table has none")


def _conditions(value: Any) -> Any:
    """``{class = "a", fold = 1}`` is short for ``{class = ["a"], fold = ["1"]}``: columns are compared as text."""
    if not isinstance(value, dict):
        return value
    return {name: _texts(name, kept) for name, kept in value.items()}


def _texts(name: str, kept: Any) -> list[str]:
    listed = list(kept) if isinstance(kept, list | tuple) else [kept]
    if not listed or not all(isinstance(each, str | int | float) for each in listed):
        raise ValueError(f'{name!r} must be a value or a list of values, such as ["WILDTYPE"]')
    return [_text(each) for each in listed]


def _last_number(column: str) -> str:
    """The last number in the name of a column, "" where there is none."""
    found: list[str] = re.findall(r"\d+", column)
    return found[-1] if found else ""


def _text(value: str | float) -> str:
    """A value as a table writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _control(value: Any) -> Any:
    """``"column"`` is short for the rows where the column is true, ``{class = "scrambled"}`` for those of a class."""
    return {value: list(TRUE)} if isinstance(value, str) else _conditions(value)


#: What a column of controls says where a row is one.
TRUE = ("1", "true", "yes", "control")

PlainName = Annotated[str, AfterValidator(_plain)]
#: One label or several, as text.
Labels = Annotated[list[str], BeforeValidator(lambda value: _texts("positive", value))]
#: Name in the project -> column of the table; a list where the two are the same.
ColumnMap = Annotated[dict[str, str], BeforeValidator(_by_name)]
#: A split, or its name.
SplitName = Annotated[InstanceOf[Split], BeforeValidator(_split)]
#: Name of a column, ``False`` where none may be taken for it, None where one is found by its name.
ColumnName = Annotated[str | Literal[False] | None, PlainValidator(_column)]
#: Column -> the values that are kept, as text.
Conditions = Annotated[dict[str, list[str]], BeforeValidator(_conditions)]
#: Parts that one column of a table plays, and that are found by their name or an alias of it.
Part = Literal["id", "sequence", "chrom", "start", "end", "strand", "locus"]
PARTS: tuple[Part, ...] = get_args(Part)
#: Layouts of a table.
IgvfFormat = Literal["igvf-experiment", "igvf-barcode", "igvf-element", "igvf-genomic-element"]
Format = Literal["table", "long", "igvf-experiment", "igvf-barcode", "igvf-element", "igvf-genomic-element"]


def named(*columns: str) -> dict[str, str]:
    """A ``ColumnMap`` of columns that are called in the table as in the project."""
    return {column: column for column in columns}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSpec(_Strict):
    """One measured quantity.

    ``replicates``: one column per biological replicate (sum technical ones beforehand). ``rna`` and ``dna``, in place
    of ``replicates``: columns of counts, one of RNA per replicate, of DNA one per replicate or one for all.
    ``halves``: two columns measured on two halves of the barcodes, where there are any. ``combine``: how replicates
    become one value, None for the engine's own way. ``minimum``, ``maximum``: rows outside count as not measured.
    ``rows``: the rows of a long table that are of this target, by the values of a column.
    ``positive``: labels of a binary target that count as 1; every other label is 0. ``threshold``: cuts numbers into
    two classes (``bench.tasks.labels``). Either makes the target binary.
    """

    replicates: list[str] = []
    rna: list[str] = []
    dna: list[str] = []
    kind: Literal["regression", "binary"] = "regression"
    halves: list[str] = Field(default=[], max_length=2)
    combine: Literal["rank", "scale", "centre", "mean"] | None = None
    minimum_replicates: int = Field(default=1, ge=1)
    minimum: dict[str, float] = {}
    maximum: dict[str, float] = {}
    rows: Conditions = {}
    positive: Labels = []
    threshold: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _classes_are_binary(cls, said: Any) -> Any:
        """``threshold`` or ``positive`` alone say the kind."""
        if (
            isinstance(said, dict)
            and "kind" not in said
            and any(said.get(name) not in (None, []) for name in ("threshold", "positive"))
        ):
            return {**said, "kind": "binary"}
        return said

    @field_validator("threshold")
    @classmethod
    def _readable_threshold(cls, text: str | None) -> str | None:
        return None if text is None else str(Threshold.parse(text))

    @model_validator(mode="after")
    def _two_classes(self) -> TargetSpec:
        made = "threshold" if self.threshold else "positive" if self.positive else ""
        if self.kind == "regression" and made:
            raise ValueError(f'{made} makes a binary target: leave kind out, or set kind = "binary"')
        if self.kind == "regression":
            return self
        if self.threshold and self.positive:
            raise ValueError("give threshold (for numbers) or positive (for labels), not both")
        if self.rna and not self.threshold:
            raise ValueError('a binary target of counts needs a threshold, such as threshold = "> 0"')
        if self.halves:
            raise ValueError("halves is for regression targets: leave it out of a binary one")
        if self.combine and not self.threshold:
            raise ValueError("combine is for numbers; the labels of a binary target are counted: leave it out")
        if self.combine in ("rank", "scale") and not Threshold.parse(str(self.threshold)).quantile:
            raise ValueError(
                f'threshold = "{self.threshold}" is in the units of the columns, which combine = "{self.combine}" gives'
                ' up: leave combine out (the mean of the replicates is cut), or set a quantile, such as "quantile 0.8"'
            )
        return self

    @field_validator("replicates", "halves", "rna", "dna")
    @classmethod
    def _each_once(cls, columns: list[str]) -> list[str]:
        # A column counted twice agrees with itself perfectly: the noise ceiling would be 1.
        twice = next((column for column in columns if columns.count(column) > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice: name each measurement once")
        return columns

    @model_validator(mode="after")
    def _one_measurement(self) -> TargetSpec:
        if len(self.halves) == 1:
            raise ValueError("halves must name two columns or none")
        if bool(self.replicates) == bool(self.rna):
            raise ValueError("a target needs replicates (columns of activities) or rna and dna (columns of counts)")
        if bool(self.rna) != bool(self.dna):
            raise ValueError("counts need both rna and dna: activity is RNA over DNA")
        if len(self.dna) > 1 and len(self.dna) != len(self.rna):
            raise ValueError("dna must name one column for all replicates, or as many as rna does")
        numbers = [[_last_number(column) for column in columns] for columns in (self.rna, self.dna)]
        if sorted(numbers[0]) == sorted(numbers[1]) and numbers[0] != numbers[1]:
            raise ValueError(
                f"rna and dna are paired in their order: {self.rna[0]!r} would be divided by {self.dna[0]!r}. Name both"
                " in the same order"
            )
        most = len(self.replicates or self.rna)
        if self.minimum_replicates > most > 1:  # one column may be that of a long table
            raise ValueError(f"minimum_replicates must be at most the number of replicates, {most}")
        return self

    @property
    def labelled(self) -> bool:
        """Whether the columns hold labels, and no numbers."""
        return self.kind == "binary" and self.threshold is None

    @property
    def outcome(self) -> tuple[str, ...]:
        """Columns that hold the outcome: no row may be chosen by them."""
        return (*self.replicates, *self.halves, *self.rna)


class BarcodesSpec(_Strict):
    """What is made of the barcodes of an element. ``combine``: their counts are summed, or the log2 ratios of each are
    averaged. ``outliers``: barcodes whose RNA count lies more than so many standard deviations from the mean of their
    element's in that replicate are left out."""

    combine: Literal["sum", "ratios"] = "sum"
    outliers: float | None = Field(default=None, gt=0)


class ColumnsSpec(_Strict):
    """Which column is what. A column called as a part (``sequence``, ``id``, ``chrom`` ...) or by an alias of it
    (``bench.tasks.aliases``) is found without being named here, unless it is declined with ``false``; a column that is
    named here must exist. ``names``: of all columns by position, for a table without a header."""

    id: ColumnName = None
    sequence: ColumnName = None
    chrom: ColumnName = None
    start: ColumnName = None
    end: ColumnName = None
    strand: ColumnName = None
    locus: ColumnName = None
    species: str | None = None
    replicate: str | None = None
    control: Annotated[dict[str, list[str]], BeforeValidator(_control)] = {}
    names: list[str] = []
    covariates: ColumnMap = {}
    strata: ColumnMap = {}
    pair: Pair = None

    def said(self, part: Part) -> str | None:
        """The column of a part, where one is named."""
        return getattr(self, part) or None

    @property
    def required(self) -> list[str]:
        """Columns that are named here, and so must exist."""
        parts = [self.said(part) for part in PARTS]
        others = [self.species, self.replicate, *self.control, *self.covariates.values(), *self.strata.values()]
        others += [] if self.pair is None else self.pair.columns
        return [column for column in (*parts, *others) if column]


class TaskSpec(_Strict):
    """What a task is, without its rows. The first block is the card.

    ``minimum`` and ``maximum`` drop the rows whose covariate (or ``length``) is below or above a number: abundance of
    DNA, barcodes, never something measured on RNA. ``rows`` keeps those where a column has one of some values.
    ``coordinates``: how the table counts bases; a task is always 0-based and half-open. ``duplicates``: what becomes of
    rows that share an id. ``circular``: intervals may run over the origin of the genome.
    """

    name: PlainName
    title: str = ""
    assay: str = ""
    organism: str = ""
    genome: str = ""
    citation: str = ""
    licence: str = ""
    orientation: Literal["stranded", "free"] = "stranded"
    note: str = ""

    targets: dict[PlainName, TargetSpec] = Field(min_length=1)
    columns: ColumnsSpec = ColumnsSpec()
    strata: Annotated[dict[PlainName, StratumSpec], BeforeValidator(stratum_tables)] = {}
    split: SplitName | None = None
    minimum: dict[str, float] = {}
    maximum: dict[str, float] = {}
    rows: Conditions = {}
    coordinates: Literal["0-based", "1-based"] = "0-based"
    duplicates: Literal["mean", "sum", "first"] | None = None
    circular: bool = False

    @model_validator(mode="after")
    def _counts_stay_whole(self) -> TaskSpec:
        counted = next((column for target in self.targets.values() for column in target.rna), None)
        if counted and self.duplicates == "mean":
            raise ValueError(f"duplicates = 'mean' would make fractions of the counts in {counted!r}: set 'sum'")
        words = next((name for name, target in self.targets.items() if target.labelled), None)
        if words and self.duplicates in ("mean", "sum"):
            raise ValueError(
                f"duplicates = {self.duplicates!r} cannot be taken of labels (target {words!r}): set 'first'"
            )
        return self

    @model_validator(mode="after")
    def _strata_are_told_apart(self) -> TaskSpec:
        for name in self.strata:
            if name in self.columns.strata:
                raise ValueError(f"stratum {name!r} stands under [columns] and as [strata.{name}]: leave one out")
        for name, column in [*self.columns.strata.items(), *((key, each.column) for key, each in self.strata.items())]:
            if column in self.outcome:
                raise ValueError(
                    f"strata.{name}: column {column!r} is measured on a target: groups by the outcome have no figures"
                    " of their own. Name another column"
                )
        return self

    @model_validator(mode="after")
    def _outcome_is_no_covariate(self) -> TaskSpec:
        for name, column in self.columns.covariates.items():
            if column in self.outcome:
                raise ValueError(
                    f"columns.covariates.{name}: column {column!r} is measured on a target, which its baseline would"
                    " then know. Name another column, such as counts of DNA"
                )
        return self

    @property
    def card(self) -> Card:
        """The card of the task."""
        said = self.model_dump(include=set(Card.__dataclass_fields__))
        return Card(**said | {"title": self.title or self.name})

    def of_rows(self, rows: Mapping[str, list[str]]) -> Self:
        """The task of some of its rows, by the values of columns: a task of its own, called after them."""
        plain = re.sub(r"[^A-Za-z0-9_.+-]+", "-", "-".join(value for values in rows.values() for value in values))
        said = ", ".join(f"{column} {' or '.join(values)}" for column, values in rows.items())
        title = f"{self.title or self.name} ({said})"
        changed = {"name": f"{self.name}-{plain}", "title": title, "rows": {**self.rows, **rows}}
        return self.model_copy(update=changed)

    @property
    def outcome(self) -> set[str]:
        """Columns of the table that hold an outcome of any target."""
        return {column for target in self.targets.values() for column in target.outcome}


class TaskFile(TaskSpec):
    """A task file: a task and where its rows are. Paths are relative to the file; docs/task-file.md explains each key.

    ``table`` is TSV, CSV, Parquet, BED or Excel, text optionally gzipped; the columns of a BED file are chrom, start,
    end, name, score, strand, column7, column8 ... The bases are a column of it, or come from ``fasta`` (a genome, cut
    by chrom, start, end and strand), from ``sequences`` (a FASTA of one record per row) or from ``design``.

    ``format`` names the layout of the table. For those of IGVF ``design`` is the FASTA (or
    ``reporter_sequence_design`` table) of the oligos, and the target, its replicates and the covariates are known.
    """

    table: Path
    format: Format = "table"
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0)
    header: bool = True
    fasta: Path | None = None
    sequences: Path | None = None
    design: Path | None = None
    barcodes: BarcodesSpec = BarcodesSpec()
    targets: dict[PlainName, TargetSpec] = {}

    @field_validator("table", "fasta", "sequences", "design")
    @classmethod
    def _readable_path(cls, path: Path | None) -> Path | None:
        return printable(path)

    @model_validator(mode="after")
    def _one_source_of_bases(self) -> TaskFile:
        said = {
            "columns.sequence": self.columns.said("sequence"),
            "fasta": self.fasta,
            "sequences": self.sequences,
            "design": self.design,
        }
        sources = [name for name, value in said.items() if value is not None]
        if len(sources) > 1:
            raise ValueError(f"the bases come from one place: give {' or '.join(sources)}, not both")
        return self

    @model_validator(mode="after")
    def _header_or_names(self) -> TaskFile:
        if self.header == bool(self.columns.names):
            raise ValueError(
                "columns.names is for a table without a header: set header = false, or leave the names out"
                if self.header
                else "header = false needs columns.names, the names of all columns by position"
            )
        return self

    @model_validator(mode="after")
    def _complete(self) -> TaskFile:
        if self.format in ("table", "long"):
            if not self.targets:
                raise ValueError("[targets.NAME] is missing: name a target and its replicate columns")
            if self.format == "table":
                self._plain()
            else:
                self._long()
        else:
            genome = self.fasta is not None and self.format == "igvf-genomic-element"
            if self.design is None and not genome:
                raise ValueError(f"format {self.format!r} needs design, the FASTA of the oligos")
            if (
                self.targets
                or self.columns.model_fields_set - {"strata", "pair"}
                or (self.fasta is not None and not genome)
            ):
                raise ValueError(f"format {self.format!r} knows its targets, columns and bases: leave those keys out")
        if self.format != "igvf-barcode" and self.barcodes.model_fields_set:
            raise ValueError(
                f"[barcodes] is for format 'igvf-barcode', not {self.format!r}: in a table of one row per barcode set"
                ' duplicates = "sum"'
            )
        return self

    def _plain(self) -> None:
        if self.design is not None:
            raise ValueError(
                "design belongs to the formats long and igvf-*; a plain table has a sequence column, sequences or a"
                " fasta"
            )
        if self.columns.replicate is not None:
            raise ValueError(
                'columns.replicate is for a table of one row per element and replicate: set format = "long"'
            )
        for name, target in self.targets.items():
            if target.rows:
                raise ValueError(f'targets.{name}.rows is for format "long"; for all targets there is [rows]')
            if target.minimum_replicates > len(target.replicates or target.rna):
                raise ValueError(f"targets.{name}.minimum_replicates must be at most the number of replicates, 1")

    def _long(self) -> None:
        if self.columns.replicate is None:
            raise ValueError("format 'long' needs columns.replicate, the column that says which replicate a row is")
        for name, target in self.targets.items():
            if target.halves or any(len(columns) > 1 for columns in (target.replicates, target.rna, target.dna)):
                raise ValueError(
                    f"targets.{name}: in format 'long' a target is one column (or rna and dna, one each), which"
                    " columns.replicate divides"
                )
