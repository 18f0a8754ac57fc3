"""The bases themselves."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bench.featurizer import Featurizer
from bench.sequences import Sequences


class OneHot(Featurizer):
    """Every base in its place, shorter rows centred. It travels as one byte per base; models expand it."""

    name = "one-hot"
    kind = "codes"
    cheap = True

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """uint8 (n, sequences.width): A C G T = 0 1 2 3; 4 for N and for the padding of shorter rows."""
        from bench.kernels.codes import padded_codes

        return padded_codes(sequences)
