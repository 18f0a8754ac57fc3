"""Features of rows with one base changed, for who asks for all of a row. A file of its own: a result's key follows from
the code that fits, which this is no part of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizers.motifs import Motifs


def mutated(featurizer: Motifs, codes: NDArray[np.uint8]) -> NDArray[Any] | None:
    """Features of every row that differs from ``codes`` in one base, by position and then by the new base, float32
    (3 · called, columns); None by family, or where products of odds leave the range of float64."""
    from bench.kernels.motif_mutants import scan_mutants

    if featurizer.by != "motif":
        return None
    return scan_mutants(codes, [motif.log_odds() for motif in featurizer.motifs()])
