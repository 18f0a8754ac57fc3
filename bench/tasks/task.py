"""Task: sequences, targets with their replicates, loci, covariates, strata and a default split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences
from bench.stats.intervals import Estimate
from bench.stats.replicates import DEFAULT, Combine, Combined, combine
from bench.tasks.pair_spec import Pairs
from bench.tasks.splits import Split

#: Codes of a row's part in a fold.
DROPPED, TRAIN, VALID, TEST = -1, 0, 1, 2
PART_NAMES = {TRAIN: "train", VALID: "valid", TEST: "test"}


@dataclass(frozen=True)
class Card:
    """What a reader must know of a task before its numbers.

    ``orientation`` is "stranded" where the strand of the element is part of the measurement, "free" where it is not.
    ``note`` is shown above the board's rows: what the data are not, filters, oddities.
    """

    name: str
    title: str
    assay: str = ""
    organism: str = ""
    genome: str = ""
    citation: str = ""
    licence: str = ""
    orientation: Literal["stranded", "free"] = "stranded"
    note: str = ""


@dataclass(frozen=True, eq=False)
class Target:
    """One measured quantity. ``replicates`` is float64 (n, k), NaN where unmeasured. ``halves`` is float64 (n, 2), the
    same quantity on two halves of the barcodes, where there are any: they share no DNA count, as replicates do.

    ``combine`` : how the replicates become one ``value`` (``bench.stats.replicates``). ``minimum_replicates`` : a row
    with fewer has none. ``loci`` : number of loci of the task's rows, on which the weights of three or more replicates
    rest; that of the rows without it.

    A binary target has replicates of 0 and 1. Its value is ``label``, float64 (n,), where numbers were cut at a
    threshold, else the part of a row's replicates that say 1. ``positive`` : what 1 stands for, for people.
    """

    name: str
    replicates: NDArray[np.float64]
    replicate_names: tuple[str, ...]
    kind: Literal["regression", "binary"] = "regression"
    halves: NDArray[np.float64] | None = None
    combine: Combine = DEFAULT
    minimum_replicates: int = 1
    loci: int | None = None
    label: NDArray[np.float64] | None = None
    positive: str = ""

    @property
    def value(self) -> NDArray[np.float64]:
        """The replicates as one value, float64 (n,); NaN where fewer than ``minimum_replicates`` were measured."""
        return self.combined.value

    @cached_property
    def combined(self) -> Combined:
        """The value, with the weights that it was made by. Of two classes it is the mean."""
        if self.label is not None:
            k = self.replicates.shape[1]
            return Combined(self.label, np.full(k, 1 / k), None)
        how: Combine = "mean" if self.kind == "binary" else self.combine
        return combine(self.replicates, how, loci=self.loci, minimum=self.minimum_replicates)


@dataclass(frozen=True, eq=False)
class Folds:
    """A split made concrete: ``part`` is int8 (folds, n): 0 train, 1 valid, 2 test, -1 dropped. ``apart``: the most
    rows that a fold leaves out because others of their locus lie in another part."""

    name: str
    part: NDArray[np.int8]
    apart: int = 0

    def __len__(self) -> int:
        return len(self.part)

    @cached_property
    def digest(self) -> str:
        """Hash of every row's part in every fold."""
        return hashlib.sha256(np.ascontiguousarray(self.part).tobytes()).hexdigest()[:12]


@dataclass(frozen=True)
class Content:
    """Hashes of a task's content, 64 hexadecimal digits each.

    Attributes
    ----------
    whole : of everything that a score can depend on.
    sequences : of the bases and intervals of all rows, in their order.
    values : of the values of each target, the mean over its replicates. covariates : of those of each covariate.
    """

    whole: str
    sequences: str
    values: Mapping[str, str]
    covariates: Mapping[str, str]

    def of(self, target: str) -> str:
        """Hash of what predictions of a target are of: the rows' sequences, and its values. Another target, a stratum
        or a note beside it changes nothing."""
        return hashlib.sha256(f"{self.sequences}\n{self.values[target]}".encode()).hexdigest()


@dataclass(frozen=True)
class StratumCard:
    """How a stratum was made that is no column of the table.

    how : in words. of : the covariate whose quantiles it is, "" for another. levels : level -> its range, of quantiles.
    file : name of the file that it was read from, "" for none, and ``sha256`` of that file.
    """

    how: str
    of: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Task:
    """Rows in table order.

    Attributes
    ----------
    row_id : unique name of a row, str (n,).
    chrom : the label that splits go by, str (n,): usually the chromosome.
    position : int64 (n,), start on the chromosome; -1 where unknown.
    locus : int64 (n,), 0-based code of the block of overlapping or related rows.
    strata : name -> str (n,), "" where a row belongs to none.
    split : the default split.
    digest : hash of the content: any change of a base, value, locus or stratum changes it.
    counts : what was counted while reading (IUPAC letters made N, rows filtered ...), for people.
    minimum : the filters of the task's file, covariate -> least value; the rows below are not here.
    labels : column of the table -> str (n,), "" where empty: what a split may go by. Not in the digest, since a score
        depends on them through the folds alone.
    notes : how the table was read (columns found, names made alike ...), for people.
    content : hashes of the parts of the content; see `bench.tasks.digest.content_of`.
    control : bool (n,), designed controls, on which GC's effect is the library's own; None where none are named.
    pairs : rows that differ by design, and what they are compared with; None where none are named.
    left_out : names of the rows of the table that are not here (not measured, below the minimum), str (m,).
    filters : columns of a minimum or maximum that are no covariate, float64 (n,); no learner sees them.
    unmeasured : target -> Spearman of GC with being measured in no replicate, over all rows of the table.
    reverse : bool (n,), rows whose strand column says the minus strand; None where nothing says so.
    medians : covariate -> median of its values, which stands in for a gap where a baseline needs a number.
    stratum_cards : stratum -> how it was made, for those that are no column of the table.
    """

    card: Card
    sequences: Sequences
    row_id: NDArray[Any]
    chrom: NDArray[Any]
    position: NDArray[np.int64]
    locus: NDArray[np.int64]
    targets: Mapping[str, Target]
    strata: Mapping[str, NDArray[Any]]
    split: Split
    digest: str
    counts: Mapping[str, int] = field(default_factory=dict)
    minimum: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    content: Content | None = None
    medians: Mapping[str, float] = field(default_factory=dict)
    left_out: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.str_))
    control: NDArray[np.bool_] | None = None
    pairs: Pairs | None = None
    filters: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    unmeasured: Mapping[str, Estimate] = field(default_factory=dict)
    reverse: NDArray[np.bool_] | None = None
    stratum_cards: Mapping[str, StratumCard] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.row_id)
