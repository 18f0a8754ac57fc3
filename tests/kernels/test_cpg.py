"""CpG content against counting in text."""

import numpy as np

from bench.kernels.cpg import cpg_fraction
from bench.sequences import Sequences


def test_cpg_is_counted_as_in_text():
    rows = ["ACGCGT", "CCGG", "CNG", "G", "CG"]
    expected = [row.count("CG") / max(len(row) - 1, 1) for row in rows]
    np.testing.assert_allclose(cpg_fraction(Sequences.from_strings(rows)), expected)
