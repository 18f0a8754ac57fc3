"""Transcription-factor motifs: the best score and the occupancy of each, over both strands."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.motifs.database import GROUPS, group_of, jaspar_file, jaspar_motifs
from bench.motifs.motif import Motif
from bench.motifs.reading import read_motifs
from bench.sequences import Sequences

#: Rows scanned at a time where families are made of motifs: 2,038 columns of them are 67 MB.
FAMILY_ROWS = 8_192


class Motifs(Featurizer):
    """Best log2-odds score and occupancy (log2 of the sum of 2^score) of every motif over all windows of both strands.

    A window with N is passed over; a row without a window (shorter than the motif) gets the motif's floor, the lowest
    score that a window can have, for both. Log-odds: background .25, pseudo-counts .25 sqrt(N) a position
    (`bench.motifs.motif`). Source and terms of the motifs: docs/motifs.md.

    Parameters
    ----------
    db : the motifs that come with the package: JASPAR 2026 CORE.
    taxon : vertebrates, insects, plants or fungi; auto: that of the task's organism, and a task of any other organism
        is skipped. all: every group, which auto means where there is no task.
    file : a MEME, JASPAR or HOCOMOCO file of motifs instead of ``db``; relative to the working folder.
    by : motif, or family: maximum of the bests and log2 of the summed odds of a structural family's motifs (a motif
        whose family is unknown is its own).
    residualise : gc takes the quadratic curve of GC content out of every column, fitted in each fold on its training
        rows: what motifs know beyond GC.
    """

    name = "motifs"
    strand = "same"
    on_request = ("random-forest",)

    def __init__(
        self,
        db: Literal["jaspar2026"] = "jaspar2026",
        taxon: Literal["auto", "all", "vertebrates", "insects", "plants", "fungi"] = "auto",
        file: str | None = None,
        by: Literal["motif", "family"] = "motif",
        residualise: Literal["", "gc"] = "",
    ) -> None:
        if file is not None and taxon != "auto":
            raise BenchError("motifs: 'taxon' is of the motifs that come with the package. Leave it out beside 'file'.")
        self.db = db
        self.taxon = taxon
        self.file = file
        self.by = by
        self.residualise = residualise
        #: What the features are made from; its content is part of a result's recipe.
        self.files: Sequence[str | Path] = tuple(map(jaspar_file, self._groups())) if file is None else (Path(file),)

    def _groups(self) -> tuple[str, ...]:
        return GROUPS if self.taxon in ("auto", "all") else (self.taxon,)

    def for_organism(self, organism: str) -> Mapping[str, Any]:
        """The taxon of a task's organism, where it is left to the task."""
        return {} if self.file is not None or self.taxon != "auto" else {"taxon": group_of(organism)}

    def motifs(self) -> tuple[Motif, ...]:
        """The motifs, in the order of their columns."""
        return _motifs_of(*self._source())

    def _source(self) -> tuple[tuple[str, ...], str | None, float]:
        """What tells these motifs from others: groups, or a file and when it was written."""
        if self.file is None:
            return self._groups(), None, 0.0
        path = Path(self.file).resolve()
        return (), str(path), path.stat().st_mtime if path.exists() else 0.0

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 2 * motifs) or (n, 2 * families), in bits: the bests, then the occupancies."""
        from bench.kernels.motifs import scan_motifs

        tables = _tables_of(*self._source())
        if self.by == "motif":
            return scan_motifs(sequences, tables)
        first, order = self._families()[1:]
        out = np.empty((len(sequences), 2 * len(first)), np.float32)
        for rows, block in sequences.blocks(FAMILY_ROWS):
            best, occupancy = np.split(scan_motifs(block, tables), 2, axis=1)
            out[rows, : len(first)] = np.maximum.reduceat(best[:, order], first, axis=1)
            out[rows, len(first) :] = np.logaddexp2.reduceat(occupancy[:, order], first, axis=1)
        return out

    def _families(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
        """Names of the families in order, the first motif of each in ``order``, and the motifs by family."""
        family = np.array([motif.family or motif.title for motif in self.motifs()])
        names, which = np.unique(family, return_inverse=True)
        order = np.argsort(which, kind="stable")
        return names.tolist(), np.searchsorted(which[order], np.arange(len(names))), order

    def names(self, sequences: Sequences) -> list[str]:
        """``MA0139.2 CTCF best``, ..., then ``MA0139.2 CTCF occupancy``, ...; or by family."""
        what = [motif.title for motif in self.motifs()] if self.by == "motif" else self._families()[0]
        return [f"{name} {column}" for column in ("best", "occupancy") for name in what]


@functools.lru_cache(maxsize=8)
def _motifs_of(groups: tuple[str, ...], file: str | None, written: float) -> tuple[Motif, ...]:
    """Motifs of groups of JASPAR, or of a file."""
    if file is None:
        return tuple(motif for group in groups for motif in jaspar_motifs(group))
    return tuple(read_motifs(Path(file)))


@functools.lru_cache(maxsize=4)
def _tables_of(groups: tuple[str, ...], file: str | None, written: float) -> Any:
    """What the kernel reads; kept, so that a task of many blocks makes it once (21 MB for vertebrates)."""
    from bench.kernels.motifs import scan_tables

    return scan_tables([motif.log_odds() for motif in _motifs_of(groups, file, written)])
