"""Motifs, composition and short k-mers side by side: the strongest simple opponent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.featurizers.composition import Composition
from bench.featurizers.kmers import Kmers
from bench.featurizers.motifs import Motifs
from bench.sequences import Sequences


class Combined(Featurizer):
    """The columns of ``motifs``, of ``composition`` and of ``kmers`` in one table.

    Motifs alone miss what no database holds, k-mers alone what is longer than they are.

    Parameters
    ----------
    k : longest k-mer, 1 to 6; 0 leaves k-mers out.
    taxon, file : of the motifs.
    residualise : gc takes the quadratic curve of GC content out of every column, in each fold on its training rows.
    """

    name = "combined"
    shown = ("k",)
    on_request = ("random-forest", "xgboost")

    def __init__(
        self,
        k: int = 4,
        taxon: Literal["auto", "all", "vertebrates", "insects", "plants", "fungi"] = "auto",
        file: str | None = None,
        residualise: Literal["", "gc"] = "",
    ) -> None:
        if not 0 <= k <= 6:
            raise BenchError(f"combined: 'k' must be an int from 0 to 6. Got {k}.")
        self.k = k
        self.taxon = taxon
        self.file = file
        self.residualise = residualise
        self._motifs = Motifs(taxon=taxon, file=file)
        self._parts: list[Featurizer] = [self._motifs, Composition(), *([Kmers(k=k)] if k else [])]
        self.files: Sequence[str | Path] = self._motifs.files

    def for_organism(self, organism: str) -> Mapping[str, Any]:
        """The taxon of a task's organism, where it is left to the task."""
        return self._motifs.for_organism(organism)

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, columns): those of ``motifs``, then of ``composition``, then of ``kmers``."""
        return np.concatenate(
            [np.asarray(part.transform(sequences), np.float32) for part in self._parts], axis=1, dtype=np.float32
        )

    def names(self, sequences: Sequences) -> list[str]:
        """Those of the parts, each after the name of its part: ``kmers AGGT``."""
        return [f"{part.name} {name}" for part in self._parts for name in part.names(sequences)]
