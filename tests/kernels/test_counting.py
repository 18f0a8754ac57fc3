"""The kernels against plain Python on strings."""

import itertools
from collections import Counter

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.kernels import counting as kernels
from bench.sequences import Sequences

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


@st.composite
def intervals(draw, most_rows=12):
    """Overlapping stranded intervals over a buffer in either case, with runs of N and IUPAC letters."""
    text = draw(st.text(alphabet="ACGTacgtNNRy", min_size=1, max_size=400))
    positions = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = draw(st.lists(positions, min_size=1, max_size=most_rows))
    reverse = draw(st.lists(st.booleans(), min_size=len(spans), max_size=len(spans)))
    whole = Sequences.from_strings([text])
    return Sequences.from_intervals(
        whole.buffer, np.array([a for a, _ in spans]), np.array([b for _, b in spans]), np.array(reverse)
    )


def gc_by_hand(text):
    called = sum(text.count(base) for base in "ACGT")
    return (text.count("G") + text.count("C")) / called if called else 0.5


def kmers_by_hand(text, low, high, canonical):
    words = ["".join(w) for k in range(low, high + 1) for w in itertools.product("ACGT", repeat=k)]
    if canonical:
        words = [w for w in words if w <= w[::-1].translate(COMPLEMENT)]
    place = {w: i for i, w in enumerate(words)}
    out = np.zeros(len(words), int)
    for k in range(low, high + 1):
        for word, count in Counter(text[i : i + k] for i in range(len(text) - k + 1)).items():
            if canonical:
                word = min(word, word[::-1].translate(COMPLEMENT))
            if word in place:
                out[place[word]] += count
    return out


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_gc_fraction_equals_counting_letters(sequences):
    expected = [gc_by_hand(text) for text in sequences.to_strings()]
    np.testing.assert_allclose(kernels.gc_fraction(sequences), expected, rtol=1e-6)


@settings(deadline=None)  # the first call compiles
@given(intervals(), st.integers(1, 30))
def test_scaled_windows_equal_counting_letters_in_slices(sequences, n):
    out = kernels.gc_windows(sequences, n)
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
    out = kernels.gc_windows(sequences, width=width, step=step)
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
    object.__setattr__(looked_up, "shared", {"gc-rank-index": kernels.rank_index(sequences.buffer)})
    np.testing.assert_array_equal(kernels.gc_fraction(read), kernels.gc_fraction(looked_up))
    np.testing.assert_array_equal(kernels.gc_windows(read, 7), kernels.gc_windows(looked_up, 7))
    np.testing.assert_array_equal(
        kernels.gc_windows(read, width=9, step=4), kernels.gc_windows(looked_up, width=9, step=4)
    )
    assert "gc-rank-index" not in read.shared


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 127, 128, 1000])
def test_rank_index_at_the_edges_of_its_records(length):
    codes = np.random.default_rng(length).integers(0, 5, length).astype(np.uint8)
    index = kernels.rank_index(codes)
    assert index.shape == (length // 64 + 1, 4)
    for position in range(length + 1):
        expected = np.isin(codes[:position], (1, 2)).sum(), (codes[:position] == 4).sum()
        assert kernels._rank(index, position) == expected


def test_the_index_is_made_once_rows_in_blocks_overlap_enough_and_is_then_kept():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 5_000, 100)
    fragments = Sequences.from_intervals(rng.integers(0, 5, 6_000).astype(np.uint8), start, start + 800)
    expected = [gc_by_hand(text) for text in fragments.to_strings()]
    made = []
    for rows, block in fragments.blocks(10):
        np.testing.assert_allclose(kernels.gc_fraction(block), expected[rows], rtol=1e-6)
        made.append("gc-rank-index" in fragments.shared)
    assert made[0] is False
    assert made[-1] is True


@settings(max_examples=60, deadline=None)
@given(intervals(), st.integers(1, 5), st.booleans(), st.booleans())
def test_kmer_counts_equal_a_counter(sequences, k, exact, canonical):
    low = k if exact else 1
    out = kernels.count_kmers(sequences, low, k, canonical)
    expected = [kmers_by_hand(text, low, k, canonical) for text in sequences.to_strings()]
    np.testing.assert_array_equal(out, expected)


def test_kmer_counts_equal_scikit_learn():
    from sklearn.feature_extraction.text import CountVectorizer

    rng = np.random.default_rng(1)
    texts = ["".join(rng.choice(list("ACGT"), rng.integers(30, 200))) for _ in range(50)]
    vocabulary = ["".join(w) for w in itertools.product("ACGT", repeat=6)]
    peer = CountVectorizer(analyzer="char", ngram_range=(6, 6), lowercase=False, vocabulary=vocabulary)
    out = kernels.count_kmers(Sequences.from_strings(texts), 6, 6)
    np.testing.assert_array_equal(out, peer.fit_transform(texts).toarray())


@pytest.mark.parametrize(("width", "dtype"), [(255, np.uint8), (256, np.uint16), (65_536, np.uint32)])
def test_counts_use_the_smallest_dtype_that_holds_the_longest_row(width, dtype):
    out = kernels.count_kmers(Sequences.from_strings(["A" * width, "AC"]), 1, 2)
    assert out.dtype == dtype
    assert out[0, 0] == width


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_counts_of_the_other_strand_are_the_counts_of_the_complementary_words(sequences):
    forward, backward = (kernels.count_kmers(s, 3, 3) for s in (sequences, sequences.reverse_complement()))
    words = ["".join(w) for w in itertools.product("ACGT", repeat=3)]
    partner = [words.index(w[::-1].translate(COMPLEMENT)) for w in words]
    np.testing.assert_array_equal(backward, forward[:, partner])
    one, other = (kernels.count_kmers(s, 1, 4, True) for s in (sequences, sequences.reverse_complement()))
    np.testing.assert_array_equal(one, other)


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_gc_of_the_other_strand(sequences):
    other = sequences.reverse_complement()
    np.testing.assert_array_equal(kernels.gc_fraction(sequences), kernels.gc_fraction(other))
    odd_widths_centre_alike = (sequences.width - sequences.lengths) % 2 == 0
    forward, backward = (kernels.gc_windows(s, width=5, step=1) for s in (sequences, other))
    if sequences.width >= 5:
        np.testing.assert_array_equal(forward[odd_widths_centre_alike], backward[odd_widths_centre_alike][:, ::-1])


@settings(deadline=None)  # the first call compiles
@given(intervals())
def test_padded_codes_are_the_centred_letters(sequences):
    out = kernels.padded_codes(sequences)
    assert out.dtype == np.uint8
    for row, text in enumerate(sequences.to_strings()):
        free = sequences.width - len(text)
        expected = ["ACGTN".index(base) for base in "N" * (free // 2) + text + "N" * (free - free // 2)]
        assert out[row].tolist() == expected


ALL = [
    kernels.gc_fraction,
    kernels.gc_windows,
    lambda s: kernels.gc_windows(s, width=11, step=3),
    lambda s: kernels.count_kmers(s, 1, 4),
    lambda s: kernels.count_kmers(s, 1, 4, True),
    kernels.padded_codes,
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
    monkeypatch.setattr(kernels, "PARALLEL_BASES", 0)
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
