"""Dinucleotide shuffles: exact counts, uniformity, reproducibility."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.kernels import shuffle
from bench.sequences import Sequences


def dinucleotides(codes):
    return Counter(zip(codes[:-1].tolist(), codes[1:].tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=60), min_size=1, max_size=5), st.integers(0, 99))
def test_counts_are_kept_exactly_and_n_stays_in_place(rows, seed):
    length = max(map(len, rows))
    codes = np.full((len(rows), length), 4, np.uint8)
    for i, row in enumerate(rows):
        codes[i, : len(row)] = row
    shuffled = shuffle.shuffle_matrix(codes, seed)
    for before, after in zip(codes, shuffled, strict=True):
        assert dinucleotides(before) == dinucleotides(after)
        np.testing.assert_array_equal(before == 4, after == 4)


@pytest.mark.parametrize("text", [[0, 1, 0, 2, 0, 1, 1, 0], [0, 0, 1, 0, 1, 1, 2, 0, 2], [3, 1, 3, 2, 1, 3, 0, 3]])
def test_each_distinct_shuffle_is_equally_likely(text):
    codes = np.array(text, np.uint8)
    wanted = dinucleotides(codes)
    inner = {(text[0], *p, text[-1]) for p in permutations(text[1:-1])}
    possible = {p for p in inner if dinucleotides(np.array(p)) == wanted}
    draws = 4000 * len(possible)
    shuffled = shuffle.shuffle_matrix(np.repeat(codes[None], draws, axis=0), seed=5)
    counts = Counter(map(tuple, shuffled.tolist()))
    assert set(counts) == possible
    chi2 = sum((c - 4000) ** 2 / 4000 for c in counts.values())
    degrees = len(possible) - 1
    assert chi2 < degrees + 4 * np.sqrt(2 * degrees) + 4


def test_a_long_row_moves_and_its_seed_decides():
    codes = np.random.default_rng(0).integers(0, 4, (3, 500)).astype(np.uint8)
    first = shuffle.shuffle_matrix(codes, 1)
    assert (first != codes).mean() > 0.5
    np.testing.assert_array_equal(first, shuffle.shuffle_matrix(codes, 1))
    assert (first != shuffle.shuffle_matrix(codes, 2)).mean() > 0.5


def test_sequences_are_read_by_strand():
    rng = np.random.default_rng(1)
    buffer = rng.integers(0, 5, 400).astype(np.uint8)
    sequences = Sequences.from_intervals(
        buffer, [0, 30, 350], [200, 330, 350], np.array([False, True, False]), {"dna_count": np.arange(3.0)}
    )
    shuffled = shuffle.dinucleotide_shuffle(sequences, 2)
    assert len(shuffled) == 3
    assert shuffled.width == sequences.width
    assert not shuffled.reverse.any()
    np.testing.assert_array_equal(shuffled.covariates["dna_count"], np.arange(3.0))
    for row in range(3):
        assert dinucleotides(sequences.codes(row)) == dinucleotides(shuffled.codes(row))
