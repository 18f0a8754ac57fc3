"""GC content against plain Python on strings."""

import numpy as np
import pytest
from drawn_sequences import intervals
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.kernels.gc import _rank, gc_fraction, gc_windows, rank_index
from bench.sequences import Sequences


def gc_by_hand(text):
    called = sum(text.count(base) for base in "ACGT")
    return (text.count("G") + text.count("C")) / called if called else 0.5


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_gc_fraction_equals_counting_letters(sequences):
    expected = [gc_by_hand(text) for text in sequences.to_strings()]
    np.testing.assert_allclose(gc_fraction(sequences), expected, rtol=1e-6)


@settings(deadline=None)  # the first call compiles
@given(intervals(), st.integers(1, 30))
def test_scaled_windows_equal_counting_letters_in_slices(sequences, n):
    out = gc_windows(sequences, n)
    assert out.shape == (len(sequences), n)
    assert out.dtype == np.float32
    for row, text in enumerate(sequences.to_strings()):
        for w in range(n):
            a = w * len(text) // n
            b = max((w + 1) * len(text) // n, a + 1)
            assert out[row, w] == pytest.approx(gc_by_hand(text[a:b]), rel=1e-6)


@settings(deadline=None)  # the first call compiles
@given(intervals(), st.integers(1, 60), st.integers(1, 60))
def test_fixed_windows_equal_counting_letters_in_the_centred_row(sequences, width, step):
    out = gc_windows(sequences, width=width, step=step)
    for row, text in enumerate(sequences.to_strings()):
        free = sequences.width - len(text)
        padded = "-" * (free // 2) + text + "-" * (free - free // 2)
        for w in range(out.shape[1]):
            assert out[row, w] == pytest.approx(gc_by_hand(padded[w * step : w * step + width]), rel=1e-6)


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_reading_and_looking_up_give_the_same_gc(sequences):
    read, looked_up = sequences, sequences.take(slice(None))
    object.__setattr__(read, "shared", {"gc-bases-read": -(10**12)})
    object.__setattr__(looked_up, "shared", {"gc-rank-index": rank_index(sequences.buffer)})
    np.testing.assert_array_equal(gc_fraction(read), gc_fraction(looked_up))
    np.testing.assert_array_equal(gc_windows(read, 7), gc_windows(looked_up, 7))
    np.testing.assert_array_equal(gc_windows(read, width=9, step=4), gc_windows(looked_up, width=9, step=4))
    assert "gc-rank-index" not in read.shared


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 127, 128, 1000])
def test_rank_index_at_the_edges_of_its_records(length):
    codes = np.random.default_rng(length).integers(0, 5, length).astype(np.uint8)
    index = rank_index(codes)
    assert index.shape == (length // 64 + 1, 4)
    for position in range(length + 1):
        expected = np.isin(codes[:position], (1, 2)).sum(), (codes[:position] == 4).sum()
        assert _rank(index, position) == expected


def test_the_index_is_made_once_rows_in_blocks_overlap_enough_and_is_then_kept():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 5_000, 100)
    fragments = Sequences.from_intervals(rng.integers(0, 5, 6_000).astype(np.uint8), start, start + 800)
    expected = [gc_by_hand(text) for text in fragments.to_strings()]
    made = []
    for rows, block in fragments.blocks(10):
        np.testing.assert_allclose(gc_fraction(block), expected[rows], rtol=1e-6)
        made.append("gc-rank-index" in fragments.shared)
    assert made[0] is False
    assert made[-1] is True


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_gc_of_the_other_strand(sequences):
    other = sequences.reverse_complement()
    np.testing.assert_array_equal(gc_fraction(sequences), gc_fraction(other))
    odd_widths_centre_alike = (sequences.width - sequences.lengths) % 2 == 0
    forward, backward = (gc_windows(s, width=5, step=1) for s in (sequences, other))
    if sequences.width >= 5:
        np.testing.assert_array_equal(forward[odd_widths_centre_alike], backward[odd_widths_centre_alike][:, ::-1])
