"""What the figures of a target are made of: what was observed, and what learners predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws, block_codes
from bench.stats.library import LibraryKind
from bench.stats.pooled import row_weights
from bench.stats.ranks import Array
from bench.stats.replicate_checks import any_copies
from bench.stats.replicates import Combined

#: What is chosen: the GC-only learner, the one in windows, the best that sees the sequence, the best deep one.
Role = Literal["gc", "windows", "best", "deep"]
ROLES: tuple[Role, ...] = ("gc", "windows", "best", "deep")


@dataclass(frozen=True, eq=False)
class Observations:
    """Rows of one target of a task, measured, and held out once.

    y : (n,) target, made of the replicates. Rows with NaN are left out.
    fold : int (n,), the fold in which a row was held out; negative: never held out, left out.
    locus : (n,) block labels. Where draws are given too they are codes 0..draws.blocks − 1 that mean the same in all
        tasks that share the draws (joint resampling).
    replicates : (n, k), NaN where unmeasured; k = 0 or 1 gives no ceiling and no share of the explainable.
    gc : (n,) GC fraction of the row.
    dna : (n,) DNA counts, NaN where unknown. confounders : name → (n,) columns (length, log DNA, barcodes).
    library : names of confounders that say how abundant a row is, and which kind each is.
    chrom : (n,) labels of chromosomes. control : bool (n,), designed controls.
    combined : how y was made of the replicates; equal weights without it. raw : on scales of their own (mean, centre).

    Raises
    ------
    ValueError : arrays of unlike length.
    """

    y: NDArray[Any]
    fold: NDArray[Any]
    locus: NDArray[Any]
    replicates: NDArray[Any]
    gc: NDArray[Any]
    dna: NDArray[Any] | None = None
    confounders: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    library: Mapping[str, LibraryKind] = field(default_factory=dict)
    chrom: NDArray[Any] | None = None
    control: NDArray[Any] | None = None
    combined: Combined | None = None
    raw: bool = False

    def __post_init__(self) -> None:
        self.same_length({})

    def same_length(self, others: Mapping[str, NDArray[Any]]) -> int:
        """Number of rows, which ``others`` must have as well."""
        names = ("y", "fold", "locus", "replicates", "gc", "dna", "chrom", "control")
        own = {name: getattr(self, name) for name in names}
        own |= {f"confounder {name!r}": column for name, column in self.confounders.items()}
        return same_length({**own, **others})


@dataclass(frozen=True, eq=False)
class Learners:
    """Held-out predictions of every learner, and which part each has in the figures.

    predictions : name → (n,) or (n, seeds), finite on the rows used. With several seeds every correlation is the mean
        of the seeds' own, in every draw too: what one fit reaches. The averaged prediction would score higher, as an
        ensemble does, and set learners with seeds above those without.
    gc_only : names among which the GC-only learner G is chosen. gc_windowed : GC-only learners reported separately.
    deep : names among which the best deep one is chosen. baselines : names that cannot be the best learner D (null
        model, confounders). D is chosen among all other names.
    validation : name → validation score of every fold (by its label), or one for all; each choice is made fold by fold.
        Without it a fold's choice goes by the test scores of the other folds (of its own where there is only one, which
        flatters the chosen).
    shuffled : name → (n,) or (n, seeds), mean predictions on dinucleotide shuffles of the rows, NaN where a row has
        none.

    Raises
    ------
    ValueError : a name in gc_only, gc_windowed, deep or baselines without predictions; arrays of unlike length.
    """

    predictions: Mapping[str, NDArray[Any]]
    gc_only: Sequence[str] = ()
    gc_windowed: Sequence[str] = ()
    deep: Sequence[str] = ()
    baselines: Sequence[str] = ()
    validation: Mapping[str, Any] | None = None
    shuffled: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.gc_only, *self.gc_windowed, *self.deep, *self.baselines):
            if name not in self.predictions:
                raise ValueError(f"{name!r} has no predictions. There are: {', '.join(self.predictions)}.")
        same_length(self.columns())

    @property
    def names(self) -> list[str]:
        """Names of the learners, in order."""
        return list(self.predictions)

    def of(self, role: Role) -> list[str]:
        """The names that a choice is made among."""
        if role == "best":
            apart = {*self.gc_only, *self.gc_windowed, *self.baselines}
            return [name for name in self.names if name not in apart]
        return list({"gc": self.gc_only, "windows": self.gc_windowed, "deep": self.deep}[role])

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every array by what it is, as messages name it."""
        return {
            **{f"predictions of {name!r}": columns for name, columns in self.predictions.items()},
            **{f"predictions of {name!r} on shuffles": columns for name, columns in self.shuffled.items()},
        }


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The rows that figures rest on (measured, and held out), with everything known of them; n rows, float64.

    runs : name of a learner → (n, seeds). shuffled : the same on shuffles, NaN where a row has none.
    locus : the labels as given. codes : int64 (n,), blocks of ``draws``. blocks : how many of them occur.
    weights : (n,), which let no locus dominate. groups : int (draws.blocks,), chromosome of each locus, and their
    names; None without chromosomes. copied : two replicates are one, so that they tell no noise.
    """

    y: Array
    fold: NDArray[Any]
    locus: NDArray[Any]
    codes: NDArray[np.int64]
    blocks: int
    draws: Draws
    replicates: Array
    gc: Array
    dna: Array | None
    confounders: dict[str, Array]
    library: Mapping[str, LibraryKind]
    control: NDArray[np.bool_] | None
    combined: Combined
    raw: bool
    weights: Array
    groups: NDArray[np.int64] | None
    copied: bool
    chromosomes: tuple[str, ...]
    runs: dict[str, Array]
    shuffled: dict[str, Array]

    @property
    def matrix(self) -> Array:
        """Predictions of all seeds of all learners, float64 (n, columns)."""
        return np.column_stack(list(self.runs.values()))

    @property
    def owners(self) -> list[str]:
        """The learner of every column of ``matrix``."""
        return [name for name, seeds in self.runs.items() for _ in range(seeds.shape[1])]

    @property
    def labels(self) -> list[int]:
        """Labels of the folds, in order."""
        return [int(label) for label in np.unique(self.fold)]

    def over_seeds(self, table: Array) -> Array:
        """(..., columns of ``matrix``) → (..., learners): the mean over each learner's seeds."""
        owners = np.array(self.owners)
        return np.stack([table[..., owners == name].mean(axis=-1) for name in self.runs], axis=-1)


def held_out(observations: Observations, learners: Learners, draws: Draws | None = None, seed: int = 0) -> HeldOut:
    """Rows that are measured and held out; 2,000 ``draws`` over their loci, seeded with ``seed``, where none are given.

    Raises
    ------
    ValueError : predictions and observations of unlike length; no such row; a prediction that is not finite on one.
    """
    n = observations.same_length(learners.columns())
    y, fold = np.asarray(observations.y, float), np.asarray(observations.fold)
    used = np.isfinite(y) & (fold >= 0)
    if not used.any():
        raise ValueError("no row is both held out and measured.")

    def rows_of(column: NDArray[Any]) -> Array:
        return np.asarray(column, float)[used]

    def table_of(columns: NDArray[Any]) -> Array:
        return np.asarray(columns, float).reshape(n, -1)[used]

    runs = {name: table_of(columns) for name, columns in learners.predictions.items()}
    for name, seeds in runs.items():
        if not np.isfinite(seeds).all():
            raise ValueError(f"predictions of {name!r} are not finite on {int((~np.isfinite(seeds)).sum())} rows.")
    locus = np.asarray(observations.locus)[used]
    codes, blocks = block_codes(locus)
    if draws is not None:
        codes = locus.astype(np.int64)
    else:
        draws = Draws(blocks, seed=seed)
    replicates = table_of(observations.replicates)
    chromosomes, groups = _chromosomes(observations.chrom, used, codes, draws.blocks)
    known = observations.combined
    k = replicates.shape[1]
    return HeldOut(
        y=y[used],
        fold=fold[used],
        locus=locus,
        codes=codes,
        blocks=blocks,
        draws=draws,
        replicates=replicates,
        gc=rows_of(observations.gc),
        dna=None if observations.dna is None else rows_of(observations.dna),
        confounders={name: rows_of(column) for name, column in observations.confounders.items()},
        library=observations.library,
        control=None if observations.control is None else np.asarray(observations.control, bool)[used],
        combined=(
            Combined(y[used], np.full(k, 1 / max(k, 1)), None) if known is None else known._replace(value=y[used])
        ),
        raw=observations.raw,
        weights=row_weights(codes),
        groups=groups,
        copied=any_copies(replicates),
        chromosomes=chromosomes,
        runs=runs,
        shuffled={name: table_of(columns) for name, columns in learners.shuffled.items()},
    )


def _chromosomes(
    chrom: NDArray[Any] | None, used: NDArray[np.bool_], codes: NDArray[np.int64], blocks: int
) -> tuple[tuple[str, ...], NDArray[np.int64] | None]:
    """Names of the chromosomes of the rows used, and of each locus the number of its chromosome."""
    if chrom is None:
        return (), None
    names, of_row = np.unique(np.asarray(chrom).astype(str)[used], return_inverse=True)
    groups = np.zeros(blocks, np.int64)
    groups[codes] = of_row
    return tuple(names.tolist()), groups
