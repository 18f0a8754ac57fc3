"""What holds for every kernel: rows are independent, cores do not matter, no rows give no rows."""

import numba
import numpy as np
import pytest
from drawn_sequences import intervals
from hypothesis import given, settings

from bench.kernels import arrays
from bench.kernels.codes import padded_codes
from bench.kernels.composition import composition
from bench.kernels.gc import gc_fraction, gc_windows
from bench.kernels.kmers import count_kmers, count_kmers_in_windows
from bench.kernels.motifs import scan_motifs, scan_tables
from bench.kernels.stacking import stacking
from bench.sequences import Sequences

RNG = np.random.default_rng(5)
TABLES = scan_tables([RNG.normal(0, 2, (length, 4)) for length in (3, 5, 8, 12, 17)])
ENERGY = RNG.normal(0, 1, (4, 4))
WORDS = np.array([[1, 4, 5], [8, 8, 0]], np.uint8)
ALL = [
    gc_fraction,
    gc_windows,
    lambda s: gc_windows(s, width=11, step=3),
    lambda s: count_kmers(s, 1, 4),
    lambda s: count_kmers(s, 1, 4, True),
    padded_codes,
    lambda s: count_kmers_in_windows(s, 1, 3, 4),
    lambda s: scan_motifs(s, TABLES),
    lambda s: composition(s, WORDS),
    lambda s: stacking(s, ENERGY, 5),
]


@pytest.mark.parametrize("kernel", ALL)
@given(sequences=intervals(most_rows=6))
@settings(max_examples=15, deadline=None)
def test_a_row_is_the_same_alone_and_in_any_batch(kernel, sequences):
    together = kernel(sequences)
    for row in range(len(sequences)):
        np.testing.assert_array_equal(kernel(sequences.take([row]))[0], together[row])


@pytest.mark.parametrize("kernel", ALL)
def test_one_core_and_all_cores_agree(kernel, monkeypatch):
    monkeypatch.setattr(arrays, "PARALLEL_BASES", 0)
    rng = np.random.default_rng(2)
    start = rng.integers(0, 900, 2_000)
    sequences = Sequences.from_intervals(
        rng.integers(0, 5, 1_200).astype(np.uint8), start, start + rng.integers(0, 300, 2_000), rng.random(2_000) < 0.5
    )
    threads = numba.get_num_threads()
    parallel = kernel(sequences)
    try:
        numba.set_num_threads(1)
        np.testing.assert_array_equal(kernel(sequences), parallel)
    finally:
        numba.set_num_threads(threads)


@pytest.mark.parametrize("kernel", ALL)
def test_no_rows_give_no_rows(kernel):
    sequences = Sequences.from_strings(["ACGT" * 10]).take(slice(0, 0))
    assert len(kernel(sequences)) == 0
