"""What the figures of a target are made of: what was observed, and what learners predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.arrays import same_length
from bench.stats.bootstrap import Draws, block_codes
from bench.stats.ranks import Array


@dataclass(frozen=True, eq=False)
class Observations:
    """Rows of one target of a task, measured, and held out once.

    y : (n,) target (mean of the replicates). Rows with NaN are left out.
    fold : int (n,), the fold in which a row was held out; negative: never held out, left out.
    locus : (n,) block labels. Where draws are given too they are codes 0..draws.blocks − 1 that mean the same in all
        tasks that share the draws (joint resampling).
    replicates : (n, k), NaN where unmeasured; k = 0 or 1 gives no ceiling.
    gc : (n,) GC fraction of the row.
    log_dna : (n,), for the ceiling given DNA. confounders : name → (n,) columns (length, log DNA, barcodes).

    Raises
    ------
    ValueError : arrays of unlike length.
    """

    y: NDArray[Any]
    fold: NDArray[Any]
    locus: NDArray[Any]
    replicates: NDArray[Any]
    gc: NDArray[Any]
    log_dna: NDArray[Any] | None = None
    confounders: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.same_length({})

    def same_length(self, others: Mapping[str, NDArray[Any]]) -> int:
        """Number of rows, which ``others`` must have as well."""
        own = {name: getattr(self, name) for name in ("y", "fold", "locus", "replicates", "gc", "log_dna")}
        own |= {f"confounder {name!r}": column for name, column in self.confounders.items()}
        return same_length({**own, **others})


@dataclass(frozen=True, eq=False)
class Learners:
    """Held-out predictions of every learner, and which part each has in the figures.

    predictions : name → (n,) or (n, seeds), finite on the rows used. With several seeds every correlation is the mean
        of the seeds' own, in every draw too: what one fit reaches. The averaged prediction would score higher, as an
        ensemble does, and set learners with seeds above those without.
    gc_only : names among which the GC-only learner G is chosen. gc_windowed : GC-only learners reported separately.
    baselines : names that cannot be the best learner D (null model, confounders). D is chosen among all other names.
    validation : name → validation score, for both choices. Without it test scores choose, which flatters the chosen.
    shuffled : name → (n,) or (n, seeds), mean predictions on dinucleotide shuffles of the rows, NaN where a row has
        none.

    Raises
    ------
    ValueError : a name in gc_only, gc_windowed or baselines without predictions; arrays of unlike length.
    """

    predictions: Mapping[str, NDArray[Any]]
    gc_only: Sequence[str] = ()
    gc_windowed: Sequence[str] = ()
    baselines: Sequence[str] = ()
    validation: Mapping[str, float] | None = None
    shuffled: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.gc_only, *self.gc_windowed, *self.baselines):
            if name not in self.predictions:
                raise ValueError(f"{name!r} has no predictions. There are: {', '.join(self.predictions)}.")
        same_length(self.columns())

    @property
    def names(self) -> list[str]:
        """Names of the learners, in order."""
        return list(self.predictions)

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
    """

    y: Array
    fold: NDArray[Any]
    locus: NDArray[Any]
    codes: NDArray[np.int64]
    blocks: int
    draws: Draws
    replicates: Array
    gc: Array
    log_dna: Array | None
    confounders: dict[str, Array]
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
    return HeldOut(
        y=y[used],
        fold=fold[used],
        locus=locus,
        codes=codes if draws is None else locus.astype(np.int64),
        blocks=blocks,
        draws=Draws(blocks, seed=seed) if draws is None else draws,
        replicates=table_of(observations.replicates),
        gc=rows_of(observations.gc),
        log_dna=None if observations.log_dna is None else rows_of(observations.log_dna),
        confounders={name: rows_of(column) for name, column in observations.confounders.items()},
        runs=runs,
        shuffled={name: table_of(columns) for name, columns in learners.shuffled.items()},
    )
