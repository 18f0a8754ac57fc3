"""What a featurizer is, and the features it hands to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences, read_only

Kind = Literal["table", "signal", "codes"]


class Featurizer:
    """Sequences in, features out. A subclass sets ``name`` and writes ``transform``; its parameters are the arguments
    of its ``__init__`` (typed, with defaults), which must store each under its own name.

    A featurizer learns nothing from the rows: a row has the same features alone and in any batch. What must be learned
    belongs in a model.
    """

    #: The name on the command line and on the board: lower case, digits, dashes.
    name: ClassVar[str]
    #: "table" (n, p), "signal" (n, length, channels), or "codes": a one-hot signal (n, length, 4) that travels as uint8
    #: base codes (n, length) and is expanded where it is used.
    kind: ClassVar[Kind] = "table"
    #: "sequence", or "confounder" for a featurizer that sees no bases (length, abundance). ("outside" is the engine's
    #: own, for features that another program has made.)
    role: ClassVar[Literal["sequence", "confounder", "outside"]] = "sequence"
    #: True when the features are a function of GC content alone: such fits are the board's GC-only baselines.
    gc_only: ClassVar[bool] = False
    #: How features relate on the two strands: "same" (equal), or "any" (no promise).
    strand: Literal["same", "any"] = "any"
    #: "gc": each column of the table is handed to models less its curve of GC content, which is fitted in every fold on
    #: its training rows. May be an attribute of the object, for a featurizer whose parameter it is.
    residualise: Literal["", "gc"] = ""
    #: Parameters shown in the name on the board even at their defaults.
    shown: ClassVar[tuple[str, ...]] = ()
    #: Other parameters that a run of all featurizers tries beside the defaults: ``("k=4",)``.
    also: ClassVar[tuple[str, ...]] = ()
    #: Models that a run of everything leaves out on it: they take longest there, and others stand for them.
    on_request: ClassVar[tuple[str, ...]] = ()
    #: Covariates of a task (``dna_count``, ``barcodes``) that ``transform`` reads; a task without them is skipped.
    #: Only these are handed to it; a row without a value has the task's median.
    covariates: ClassVar[tuple[str, ...]] = ()
    #: Packages whose versions decide its features, by the name of the package or of its import.
    libraries: ClassVar[tuple[str, ...]] = ()
    #: Files that it reads (motifs, weights), or a property that gives their paths. With another content of one the fits
    #: are made again.
    files: Sequence[str | Path] = ()
    #: True when ``transform`` is as fast as reading its output from a disk (1 GB/s). Features of a large task are then
    #: computed again wherever they are needed, block by block; those of other featurizers are kept in a file.
    cheap: ClassVar[bool] = False

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """Features of every row, in row order. Keep integer counts in the smallest unsigned dtype that holds them."""
        raise NotImplementedError

    def names(self, sequences: Sequences) -> list[str]:
        """Names of the p columns of a table; empty when they have none."""
        return []

    def for_organism(self, organism: str) -> Mapping[str, Any]:
        """Parameters to change for a task whose card names this organism; asked when a run is planned. The pair then
        goes by the name with these parameters.

        Raises
        ------
        BenchError : where the features make no sense for the organism; the featurizer is then skipped with the reason.
        """
        return {}


@dataclass(frozen=True, eq=False)
class LazyRows:
    """Rows of features that are not held in memory. It has an array's ``shape``, ``dtype`` and length; indexing it by
    rows (an index array, mask, slice or integer) gives the array of those rows, read-only, and nothing is kept.

    Attributes
    ----------
    read : from row numbers int64 (m,) of the whole task to their values (m, ...).
    rows : int64 (n,), the row numbers it stands for.
    """

    read: Callable[[NDArray[np.int64]], NDArray[Any]]
    rows: NDArray[np.int64]
    row_shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.row_shape)

    @property
    def ndim(self) -> int:
        return 1 + len(self.row_shape)

    @property
    def nbytes(self) -> int:
        """What the array would take."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def take(self, rows: Any) -> LazyRows:
        """The rows of an index array, mask or slice; nothing is read."""
        return replace(self, rows=self.rows[rows])

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        chosen = self.rows[rows]
        return read_only(self.read(chosen) if chosen.ndim else self.read(chosen[None])[0])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n rows: ``values`` is (n, p) for a table, (n, length, channels) for a signal, uint8 (n, length) base
    codes (0-3, 4 = unknown) for codes; an array, or `LazyRows` where it would be too large. Both give ``shape``,
    ``dtype``, a length, and the array of some rows by ``values[rows]``. Read-only: other models are handed the same."""

    values: Any
    kind: Kind

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values))

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Any) -> Features:
        """The rows of an index array, mask or slice."""
        values = self.values.take(rows) if isinstance(self.values, LazyRows) else self.values[rows]
        return Features(values, self.kind)

    @property
    def columns(self) -> int:
        """Columns of ``table()``."""
        per_row = int(np.prod(self.values.shape[1:]))
        return per_row * 4 if self.kind == "codes" else per_row

    def table(self) -> NDArray[Any]:
        """(n, p): a signal is flattened; codes become their one-hot columns (uint8, position-major, A C G T). Of a
        table or signal it is no copy, and read-only.

        All rows at once: where there may be millions, ``take`` some at a time.
        """
        values = np.asarray(self.values)
        if self.kind == "codes":
            one_hot = values[:, :, None] == np.arange(4, dtype=np.uint8)
            return one_hot.astype(np.uint8).reshape(len(self), -1)
        return values.reshape(len(self), -1)
