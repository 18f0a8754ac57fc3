"""Confounder baselines: what a row's measurement owes to things that are not its bases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Featurizer
from bench.sequences import Sequences


class Length(Featurizer):
    """Length of the row in bases. It sees no base."""

    name = "length"
    role = "confounder"
    strand = "same"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 1)."""
        return sequences.lengths[:, None].astype(np.float32)

    def names(self, sequences: Sequences) -> list[str]:
        return ["length"]


class _Abundance(Featurizer):
    """log2(count + 1) of one covariate. It sees no base."""

    role = "confounder"
    strand = "same"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 1)."""
        return np.log2(sequences.covariates[self.covariates[0]] + 1)[:, None].astype(np.float32)

    def names(self, sequences: Sequences) -> list[str]:
        return [f"log2_{self.covariates[0]}"]


class DnaCount(_Abundance):
    """log2(input DNA count + 1): abundance in the library. It sees no base."""

    name = "dna-count"
    covariates = ("dna_count",)


class Barcodes(_Abundance):
    """log2(barcodes + 1): how many barcodes a measurement averages over. It sees no base."""

    name = "barcodes"
    covariates = ("barcodes",)
