"""Padded codes against plain Python on strings."""

import numpy as np
from drawn_sequences import intervals
from hypothesis import given, settings

from bench.kernels.codes import padded_codes


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_padded_codes_are_the_centred_letters(sequences):
    out = padded_codes(sequences)
    assert out.dtype == np.uint8
    for row, text in enumerate(sequences.to_strings()):
        free = sequences.width - len(text)
        expected = ["ACGTN".index(base) for base in "N" * (free // 2) + text + "N" * (free - free // 2)]
        assert out[row].tolist() == expected
