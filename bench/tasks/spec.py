"""What a task file (TOML) may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    field_validator,
    model_validator,
)

from bench.errors import BenchError
from bench.files.toml import sentence
from bench.tasks.splits import Split
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


PlainName = Annotated[str, AfterValidator(_plain)]
#: Name in the project -> column of the table; a list where the two are the same.
ColumnMap = Annotated[dict[str, str], BeforeValidator(_by_name)]
#: A split, or its name.
SplitName = Annotated[InstanceOf[Split], BeforeValidator(_split)]
#: Parts that one column of a table plays.
Part = Literal["sequence", "id", "chrom", "start", "end", "strand", "locus"]


def named(*columns: str) -> dict[str, str]:
    """A ``ColumnMap`` of columns that are called in the table as in the project."""
    return {column: column for column in columns}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSpec(_Strict):
    """One measured quantity. ``replicates``: one column per biological replicate (sum technical ones beforehand).
    ``halves``: two columns measured on two halves of the barcodes, where there are any."""

    replicates: list[str] = Field(min_length=1)
    kind: Literal["regression", "binary"] = "regression"
    halves: list[str] = Field(default=[], max_length=2)

    @field_validator("replicates", "halves")
    @classmethod
    def _each_once(cls, columns: list[str]) -> list[str]:
        # A column counted twice agrees with itself perfectly: the noise ceiling would be 1.
        twice = next((column for column in columns if columns.count(column) > 1), None)
        if twice is not None:
            raise ValueError(f"column {twice!r} is named twice: name each measurement once")
        return columns

    @model_validator(mode="after")
    def _two_halves(self) -> TargetSpec:
        if len(self.halves) == 1:
            raise ValueError("halves must name two columns or none")
        return self


class ColumnsSpec(_Strict):
    """Which column is what. A column with the default name (``sequence``, ``id``, ``chrom`` ...) is found without being
    named here; a column that is named here must exist."""

    sequence: str | None = None
    id: str | None = None
    chrom: str | None = None
    start: str | None = None
    end: str | None = None
    strand: str | None = None
    locus: str | None = None
    covariates: ColumnMap = {}
    strata: ColumnMap = {}

    def called(self, part: Part) -> str:
        """What the table calls the column of a part: as it is named here, else as the part is."""
        return str(getattr(self, part) or part)

    @property
    def text(self) -> set[str]:
        """Columns that are text whatever they look like: names, bases, labels."""
        parts: tuple[Part, ...] = ("sequence", "id", "chrom", "strand", "locus")
        return {*map(self.called, parts), *self.strata.values()}

    @property
    def required(self) -> list[str]:
        """Columns of parts that are named here, and so must exist."""
        said = [getattr(self, name) for name in ColumnsSpec.model_fields]
        return [column for column in said if isinstance(column, str)]


class TaskSpec(_Strict):
    """What a task is, without its rows. The first block is the card; ``minimum`` drops the rows whose covariate is
    below a number (abundance of DNA, barcodes: never something measured on RNA)."""

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
    split: SplitName | None = None
    minimum: dict[str, float] = {}

    @property
    def card(self) -> Card:
        """The card of the task."""
        said = self.model_dump(include=set(Card.__dataclass_fields__))
        return Card(**said | {"title": self.title or self.name})


class TaskFile(TaskSpec):
    """A task file: a task and where its rows are. Paths are relative to the file.

    ``table`` is TSV, CSV, Parquet or BED, optionally gzipped; the columns of a BED file are chrom, start, end, name,
    score, strand, column7, column8 ... With ``fasta`` the sequences are cut from a genome (plain or bgzipped) by
    chrom, start (0-based), end and strand.

    ``format`` names the layout of the table. For the two of IGVF ``design`` is the FASTA (or
    ``reporter_sequence_design`` table) of the oligos, and the target, its replicates and the covariates are known.
    """

    table: Path
    fasta: Path | None = None
    format: Literal["table", "igvf-experiment", "igvf-barcode"] = "table"
    design: Path | None = None
    targets: dict[PlainName, TargetSpec] = {}

    @model_validator(mode="after")
    def _one_source_of_bases(self) -> TaskFile:
        if self.fasta is not None and self.columns.sequence is not None:
            raise ValueError("give columns.sequence or fasta, not both")
        return self

    @model_validator(mode="after")
    def _complete(self) -> TaskFile:
        if self.format == "table":
            if not self.targets:
                raise ValueError("[targets.NAME] is missing: name a target and its replicate columns")
            if self.design is not None:
                raise ValueError("design belongs to the igvf formats; a plain table has a sequence column or a fasta")
        elif self.design is None:
            raise ValueError(f"format {self.format!r} needs design, the FASTA of the oligos")
        elif self.targets or self.columns.model_fields_set - {"strata"} or self.fasta is not None:
            raise ValueError(f"format {self.format!r} knows its targets, columns and bases: leave those keys out")
        return self
