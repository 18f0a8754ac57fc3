"""Counts of k-mers against plain Python on strings."""

import itertools
from collections import Counter

import numpy as np
import pytest
from drawn_sequences import intervals
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.kernels.kmers import count_kmers
from bench.sequences import Sequences

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def kmers_by_hand(text, low, high, canonical):
    kmers = ["".join(w) for k in range(low, high + 1) for w in itertools.product("ACGT", repeat=k)]
    if canonical:
        kmers = [w for w in kmers if w <= w[::-1].translate(COMPLEMENT)]
    place = {w: i for i, w in enumerate(kmers)}
    out = np.zeros(len(kmers), int)
    for k in range(low, high + 1):
        for kmer, count in Counter(text[i : i + k] for i in range(len(text) - k + 1)).items():
            if canonical:
                kmer = min(kmer, kmer[::-1].translate(COMPLEMENT))
            if kmer in place:
                out[place[kmer]] += count
    return out


@settings(max_examples=60, deadline=None)
@given(intervals(), st.integers(1, 5), st.booleans(), st.booleans())
def test_kmer_counts_equal_a_counter(sequences, k, exact, canonical):
    low = k if exact else 1
    out = count_kmers(sequences, low, k, canonical)
    expected = [kmers_by_hand(text, low, k, canonical) for text in sequences.to_strings()]
    np.testing.assert_array_equal(out, expected)


def test_kmer_counts_equal_scikit_learn():
    from sklearn.feature_extraction.text import CountVectorizer

    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(30, 200))) for _ in range(50)]
    vocabulary = ["".join(w) for w in itertools.product("ACGT", repeat=6)]
    peer = CountVectorizer(analyzer="char", ngram_range=(6, 6), lowercase=False, vocabulary=vocabulary)
    out = count_kmers(Sequences.from_strings(texts), 6, 6)
    np.testing.assert_array_equal(out, peer.fit_transform(texts).toarray())


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("rows", [31, 32, 33, 100])
def test_what_stood_in_the_output_does_not_count(rows, canonical):
    """Rows are cleared in blocks, here of 32 (canonical: of 63): before, at and after the end of one, on one core and
    on all."""
    from bench.kernels import kmers

    texts = ["ACGTTGCAAN" * 3 + "ACGT"[row % 4] for row in range(rows)]
    sequences = Sequences.from_strings(texts)
    expected = np.array([kmers_by_hand(text, 6, 6, canonical) for text in texts])
    arrays, first = kmers.arrays_of(sequences), kmers._firsts(6, 6)
    assert kmers.CLEARED // 4**6 == 32
    column = kmers.canonical_columns(6, 6)
    for kernel in ("serial", "parallel"):
        out = np.full(expected.shape, 7, np.uint8)
        if canonical:
            getattr(kmers, f"_canonical_{kernel}")(*arrays[:3], 6, 6, column, first, out)
        else:
            getattr(kmers, f"_kmers_{kernel}")(*arrays, 6, 6, first, out)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(("width", "dtype"), [(255, np.uint8), (256, np.uint16), (65_536, np.uint32)])
def test_counts_use_the_smallest_dtype_that_holds_the_longest_row(width, dtype):
    out = count_kmers(Sequences.from_strings(["A" * width, "AC"]), 1, 2)
    assert out.dtype == dtype
    assert out[0, 0] == width


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_counts_of_the_other_strand_are_the_counts_of_the_complementary_kmers(sequences):
    forward, backward = (count_kmers(s, 3, 3) for s in (sequences, sequences.reverse_complement()))
    kmers = ["".join(w) for w in itertools.product("ACGT", repeat=3)]
    partner = [kmers.index(w[::-1].translate(COMPLEMENT)) for w in kmers]
    np.testing.assert_array_equal(backward, forward[:, partner])
    one, other = (count_kmers(s, 1, 4, True) for s in (sequences, sequences.reverse_complement()))
    np.testing.assert_array_equal(one, other)
