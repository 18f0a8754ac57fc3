"""What a task file (TOML) may say, and reading one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from bench.errors import BenchError, nearest
from bench.tasks.task import Card, Task

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def _plain(name: str) -> str:
    """Names of tasks and targets are typed in shells and become folders."""
    if not _PLAIN.fullmatch(name):
        raise ValueError("a name must be letters, digits and '_.+-', beginning with a letter or digit")
    return name


def _by_name(value: Any) -> Any:
    """``["a", "b"]`` is short for ``{a = "a", b = "b"}``."""
    return named(*map(str, value)) if isinstance(value, list | tuple) else value


PlainName = Annotated[str, AfterValidator(_plain)]
#: Name in the project -> column of the table; a list where the two are the same.
ColumnMap = Annotated[dict[str, str], BeforeValidator(_by_name)]


def named(*columns: str) -> dict[str, str]:
    """A ``ColumnMap`` of columns that are called in the table as in the project."""
    return {column: column for column in columns}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetSpec(_Strict):
    """One measured quantity. ``replicates``: a column each biological replicate (sum technical ones beforehand).
    ``halves``: two columns measured on two halves of the barcodes, where there are any."""

    replicates: list[str] = Field(min_length=1)
    kind: Literal["regression", "binary"] = "regression"
    halves: list[str] = Field(default=[], max_length=2)

    @field_validator("replicates", "halves")
    @classmethod
    def _each_once(cls, columns: list[str]) -> list[str]:
        # A column counted twice agrees with itself perfectly: the ceiling would be 1.
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
    split: str | None = None
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


def parse_spec(model: type[BaseModel], content: Mapping[str, Any], source: str) -> Any:
    """A validated ``model`` from parsed TOML. ``source`` names the file in messages.

    Raises
    ------
    BenchError : one line on the first thing wrong: the key, what it must be, and the nearest valid key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # An unknown key is often the misspelt form of a missing one: say it first.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise BenchError(f"{source}: {_say(model, first)}") from None


def load_task_file(path: str | Path) -> Task:
    """The task that a TOML file describes.

    Raises
    ------
    BenchError : for a file that is missing, not TOML, has unknown keys, or whose table fails a check.
    """
    from bench.files.tables import read_table
    from bench.tasks.igvf import REPLICATE, TARGET, canonical, read_design
    from bench.tasks.table import build_task

    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BenchError(f"{path}: no such task file. Give the path of a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BenchError(f"{path}: not a readable TOML file: {error}.") from None
    spec: TaskFile = parse_spec(TaskFile, content, str(path))
    table = path.parent / spec.table
    frame = read_table(table, spec)
    if spec.design is not None:
        frame = canonical(spec.format, frame, read_design(path.parent / spec.design), str(table))
        replicates = [column for column in frame.columns if str(column).startswith(REPLICATE)]
        columns = spec.columns.model_copy(update={"covariates": named("dna_count", "barcodes")})
        spec = spec.model_copy(update={"targets": {TARGET: TargetSpec(replicates=replicates)}, "columns": columns})
    genome = path.parent / spec.fasta if spec.fasta else None
    return build_task(spec, frame, source=str(table), genome=genome)


def _say(model: type[BaseModel], error: Any) -> str:
    """One line for one of pydantic's complaints."""
    *parents, key = [str(piece) for piece in error["loc"]] or [""]
    place = f" in [{'.'.join(parents)}]" if parents else ""
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}{place}.{nearest(key, _keys(model, parents))}"
        case "missing":
            return f"key {key!r} is missing{place}. Add it."
        case "value_error":
            about = f"{key!r}{place}: " if key else ""
            return f"{about}{error['ctx']['error']}. Got {error['input']!r}." if key else f"{error['ctx']['error']}."
    return f"{key!r}{place}: {error['msg'][:1].lower()}{error['msg'][1:]}. Got {error['input']!r}."


def _keys(model: Any, parents: list[str]) -> list[str]:
    """Valid keys of the table that ``parents`` lead to."""
    for name in parents:
        if name in getattr(model, "model_fields", {}):
            model = model.model_fields[name].annotation
        models = [kind for kind in (model, *get_args(model)) if hasattr(kind, "model_fields")]
        model = models[-1] if models else model
    return list(getattr(model, "model_fields", {}))
