"""How firmly the two strands of a row hold together: nearest-neighbour stacking energies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.sequences import Sequences

#: Free energy of a step at 37 degrees C and 1 M NaCl, kcal/mol: table 2 of SantaLucia, PNAS 95:1460 (1998).
ENERGY = {
    "AA": -1.00,
    "AT": -0.88,
    "TA": -0.58,
    "CA": -1.45,
    "GT": -1.44,
    "CT": -1.28,
    "GA": -1.30,
    "CG": -2.17,
    "GC": -2.24,
    "GG": -1.84,
}


class Thermo(Featurizer):
    """Free energy of stacking (kcal/mol, 37 degrees C, 1 M NaCl): the sum over the row's steps, the mean per step, and
    the mean in windows. Nearly linear in GC content, which says what "GC" may be.

    The unified nearest-neighbour parameters of SantaLucia, PNAS 95:1460 (1998), without the terms of initiation and of
    the ends, which a longer molecule around the row would have elsewhere. Steps with N are left out.

    Parameters
    ----------
    windows : how many windows along the row; 0: none, and both strands look the same.
    """

    name = "thermo"

    def __init__(self, windows: int = 10) -> None:
        if windows < 0:
            raise BenchError(f"thermo: 'windows' must be 0 or more. Got {windows}.")
        self.windows = windows
        self.strand = "any" if windows else "same"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 2 + windows): sum, mean, and the means of the windows 5' to 3'."""
        from bench.kernels.stacking import stacking

        return stacking(sequences, step_energies(), self.windows)

    def names(self, sequences: Sequences) -> list[str]:
        return ["sum", "mean", *(f"window {number + 1}" for number in range(self.windows))]


def step_energies() -> NDArray[np.float64]:
    """Free energies float64 (4, 4) by the two bases of a step, A C G T; a step and its reverse complement are one."""
    other = str.maketrans("ACGT", "TGCA")
    both = {**ENERGY, **{step[::-1].translate(other): value for step, value in ENERGY.items()}}
    return np.array([[both[a + b] for b in "ACGT"] for a in "ACGT"])
