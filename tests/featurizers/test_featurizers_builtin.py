"""What each built-in featurizer promises: shapes, dtypes, columns, strands, errors."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.featurizers.confounders import DnaCount, Length
from bench.featurizers.gc import GC, GCWindows
from bench.featurizers.kmers import Dinucleotides, Kmers
from bench.featurizers.one_hot import OneHot
from bench.sequences import Sequences

ROWS = ["ACGTACGGTCA", "TTTTNNGG", "nnnn", "gattaca"]


@pytest.fixture
def sequences():
    return Sequences.from_strings(ROWS, {"dna_count": np.array([0.0, 1.0, 3.0, 1023.0])})


def test_gc_leaves_n_out_and_is_one_half_where_nothing_is_called(sequences):
    out = GC().transform(sequences)
    np.testing.assert_allclose(out[:, 0], [6 / 11, 2 / 6, 0.5, 2 / 7], rtol=1e-6)
    assert out.dtype == np.float32


def test_gc_windows_by_number_and_by_width(sequences):
    assert GCWindows().transform(sequences).shape == (4, 20, 1)
    halves = GCWindows(n=2).transform(sequences)[:, :, 0]
    np.testing.assert_allclose(halves[0], [gc("ACGTA"), gc("CGGTCA")], rtol=1e-6)
    by_width = GCWindows(width=5, step=3).transform(sequences)[:, :, 0]
    np.testing.assert_allclose(by_width[0], [gc("ACGTA"), gc("TACGG"), gc("GGTCA")], rtol=1e-6)
    assert GCWindows(width=5).transform(sequences).shape == (4, 2, 1)


def gc(text):
    return sum(base in "GC" for base in text) / len(text)


@pytest.mark.parametrize(
    ("featurizer", "columns"),
    [
        (Kmers(k=3), 4 + 16 + 64),
        (Kmers(k=3, exact=True), 64),
        (Kmers(k=3, canonical=True), 2 + 10 + 32),
        (Kmers(k=4, exact=True, canonical=True), 136),  # (4^4 + 4^2 palindromes) / 2
        (Dinucleotides(), 16),
    ],
)
def test_kmers_count_what_their_names_say(sequences, featurizer, columns):
    out, names = featurizer.transform(sequences), featurizer.names(sequences)
    assert out.shape == (4, columns)
    assert out.dtype == np.uint8
    assert len(set(names)) == columns
    complement = str.maketrans("ACGT", "TGCA")
    for row, text in enumerate(t.upper() for t in ROWS):
        for kmer, count in zip(names, out[row], strict=True):
            strands = {kmer, kmer[::-1].translate(complement)} if getattr(featurizer, "canonical", False) else {kmer}
            assert count == sum(text[i : i + len(kmer)] in strands for i in range(len(text)))


def test_kmers_of_eight_are_refused_in_words():
    with pytest.raises(BenchError, match=r"'k' must be an int from 1 to 7\. Got 8\..*sparse"):
        Kmers(k=8)


@pytest.mark.parametrize("bad", [{"n": 0}, {"width": 0}, {"width": 10, "step": 0}, {"step": 5}])
def test_gc_windows_refuses_what_makes_no_window(bad):
    with pytest.raises(BenchError, match="gc-windows"):
        GCWindows(**bad)


def test_one_hot_is_centred_codes(sequences):
    out = OneHot().transform(sequences)
    assert out.shape == (4, 11)
    assert out.dtype == np.uint8
    assert out[0].tolist() == [0, 1, 2, 3, 0, 1, 2, 2, 3, 1, 0]
    assert out[3].tolist() == [4, 4, 2, 0, 3, 3, 0, 1, 0, 4, 4]


def test_confounders_see_no_base(sequences):
    assert Length().transform(sequences)[:, 0].tolist() == [11, 8, 4, 7]
    assert DnaCount().transform(sequences)[:, 0].tolist() == [0, 1, 2, 10]
    assert DnaCount.covariates == ("dna_count",)
    assert {GC.role, Length.role, DnaCount.role} == {"sequence", "confounder"}


@pytest.mark.parametrize("featurizer", [GC(), Length(), DnaCount(), Kmers(k=3, canonical=True)])
def test_a_featurizer_that_promises_equal_strands_keeps_it(sequences, featurizer):
    assert featurizer.strand == "same"
    other = featurizer.transform(sequences.reverse_complement())
    np.testing.assert_array_equal(featurizer.transform(sequences), other)


def test_only_functions_of_gc_are_called_gc_only():
    assert GC.gc_only
    assert GCWindows.gc_only
    assert not any(cls.gc_only for cls in (Kmers, Dinucleotides, OneHot, Length, DnaCount))


@pytest.mark.parametrize(
    "featurizer", [GCWindows(n=7), GCWindows(width=4, step=2), OneHot(), Kmers(k=2), Dinucleotides()]
)
def test_width_is_of_the_whole_set_so_a_batch_changes_nothing(sequences, featurizer):
    whole = featurizer.transform(sequences)
    np.testing.assert_array_equal(featurizer.transform(sequences.take([3, 1])), whole[[3, 1]])
