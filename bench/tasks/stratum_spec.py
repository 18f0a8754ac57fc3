"""What a task file may say of a stratum: ``[strata.NAME]``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from bench.files.toml import sentence

#: What is known of every row without a column, and may be divided into quantiles.
Measure = Literal["gc", "length", "cpg"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
#: Rules of which label a row takes; a number is a least fraction of the row.
RULES = ("most", "any", "centre", "whole")
#: Quantiles that a covariate is divided into where the task file does not say.
BINS = 10
#: Keys of a stratum that is read from a file.
_OF_FILE = ("label", "only", "feature", "window", "overlap", "strand", "none", "species")


def printable(path: Path | None) -> Path | None:
    """A path without control characters: "data\\table.tsv" in double quotes holds a tab."""
    if path is not None and not str(path).isprintable():
        raise ValueError(
            f"{str(path)!r} is no path: in double quotes a backslash begins an escape. Write / between folders, or"
            " single quotes around the path"
        )
    return path


def _listed(value: Any) -> Any:
    """``"transcript"`` is short for ``["transcript"]``."""
    return [value] if isinstance(value, str) else value


def _rule(value: Any) -> Any:
    if value in RULES or (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1):
        return value
    raise ValueError(f"must be {', '.join(map(repr, RULES))} or a least fraction of the row such as 0.5")


def _word(value: Any) -> Any:
    """A word, or ``false`` to do without."""
    if value is None or value is False or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError("must be a word, or false")


Word = Annotated[str | Literal[False] | None, PlainValidator(_word)]
Words = Annotated[list[str], BeforeValidator(_listed)]


class StratumSpec(BaseModel):
    """Groups of rows that get figures of their own: by a column of labels (``column``), by quantiles (``bins``) of GC
    content, length, CpG, a covariate or a column of numbers, or by what intervals of a file cover them.

    ``file``: BED (three columns or more), narrowPeak, broadPeak, GTF or GFF, ``.gz`` or ``.bgz``. ``label``: which
    column of a BED file (``name`` by default) or attribute of a GTF holds the labels, ``false`` for inside and outside.
    ``only``: the labels that count. ``feature``: of a GTF, the features that count. ``window``: bases around the start
    sites in place of the intervals, along the strand. ``overlap``: which label a row takes: ``most`` (which covers most
    bases of it), ``any`` (of those that cover a base, the one that the file names first), ``centre`` (its middle base),
    ``whole`` (all of it), or a least fraction of the row. ``strand``: whether intervals must be on the row's strand.
    ``none``: what rows under no label are called, ``false`` to leave them out. ``species``: the rows that the file is
    of.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str | None = None
    covariate: str | None = None
    bins: int | None = Field(default=None, ge=2, le=100)
    file: Annotated[Path | None, PlainValidator(lambda path: printable(None if path is None else Path(path)))] = None
    label: Word = None
    only: Words = []
    feature: Words = []
    window: tuple[int, int] | None = None
    overlap: Annotated[str | float, PlainValidator(_rule)] = "most"
    strand: Literal["any", "same", "opposite"] = "any"
    none: Word = None
    species: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> StratumSpec:
        sources = [name for name in ("file", "column", "covariate") if getattr(self, name) is not None]
        if len(sources) > 1:
            raise ValueError(f"a stratum comes from one place: give {' or '.join(sources)}, not both")
        said = [name for name in _OF_FILE if name in self.model_fields_set]
        if said and self.file is None:
            raise ValueError(f'{said[0]} is for a stratum that a file gives: name it with file = "states.bed.gz"')
        if self.file is not None and self.bins is not None:
            raise ValueError("bins are of a covariate or a column of numbers, not of a file")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError("the window must begin before it ends, as in [-700, 200]")
        if self.only and self.label is False:
            raise ValueError("only names labels, and label = false says that there are none")
        return self

    @property
    def plain(self) -> bool:
        """Whether it is a column of labels, as ``[columns] strata`` names them."""
        return self.column is not None and self.bins is None


def stratum_tables(value: Any) -> Any:
    """``[strata.NAME]`` are tables; what is meant by a list or a word is said."""
    if isinstance(value, dict) and all(isinstance(each, dict | StratumSpec) for each in value.values()):
        return value
    raise sentence(
        f"'strata' at the top of the file is for tables [strata.NAME] with file, covariate or column. Got {value!r}."
        " A list of columns belongs under [columns]."
    )
