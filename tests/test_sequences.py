"""Sequences: letters in, the same letters out, whatever the slicing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sequences import COMPLEMENT, Sequences, decode, encode

TEXTS = st.lists(st.text(alphabet="ACGTNacgtnURYK-", max_size=30), min_size=1, max_size=8)
PARTNER = str.maketrans("ACGTN", "TGCAN")


def as_read(text):
    """A C G T N alone: upper case, U as T, anything else N."""
    text = text.upper().replace("U", "T")
    return "".join(base if base in "ACGT" else "N" for base in text)


@given(TEXTS)
def test_strings_come_back_as_they_are_read(texts):
    sequences = Sequences.from_strings(texts)
    assert sequences.to_strings() == [as_read(text) for text in texts]
    assert sequences.lengths.tolist() == [len(text) for text in texts]
    assert sequences.width == max(len(text) for text in texts)


@given(TEXTS)
def test_reverse_complement_is_that_of_the_letters_and_its_own_inverse(texts):
    sequences = Sequences.from_strings(texts)
    other = sequences.reverse_complement()
    assert other.to_strings() == [as_read(text)[::-1].translate(PARTNER) for text in texts]
    assert other.reverse_complement().to_strings() == sequences.to_strings()
    assert other.buffer is sequences.buffer


@given(TEXTS, st.data())
def test_taking_rows_copies_no_base_and_keeps_the_width(texts, data):
    covariate = np.arange(len(texts), dtype=float)
    sequences = Sequences.from_strings(texts, {"dna_count": covariate})
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=10))
    taken = sequences.take(np.array(rows, int))
    assert taken.to_strings() == [as_read(texts[row]) for row in rows]
    assert taken.covariates["dna_count"].tolist() == rows
    assert taken.width == sequences.width
    assert taken.buffer is sequences.buffer
    assert taken.shared is sequences.shared


@given(TEXTS, st.integers(1, 9))
def test_blocks_cover_all_rows_in_order(texts, rows):
    sequences = Sequences.from_strings(texts)
    pieces = list(sequences.blocks(rows))
    assert [text for _, block in pieces for text in block.to_strings()] == sequences.to_strings()
    assert all(len(block) <= rows for _, block in pieces)
    assert [i for piece, _ in pieces for i in range(len(texts))[piece]] == list(range(len(texts)))


def test_intervals_of_a_genome_on_both_strands():
    genome = encode("AACCGGTTNA")
    fragments = Sequences.from_intervals(genome, [0, 2, 7], [4, 6, 10], np.array([False, True, True]))
    assert fragments.to_strings() == ["AACC", "CCGG", "TNA"]
    assert np.shares_memory(fragments.buffer, genome)
    assert fragments.codes(2).tolist() == [3, 4, 0]


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (4, 3), (8, 11)])
def test_an_interval_off_the_buffer_is_refused_by_row(start, stop):
    with pytest.raises(ValueError, match=rf"row 1: interval {start}-{stop} does not lie in a buffer of 10 bases"):
        Sequences.from_intervals(np.zeros(10, np.uint8), [0, start], [5, stop])


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"one length\. Got 2, 1, 2"):
        Sequences.from_intervals(np.zeros(10, np.uint8), [0, 1], [5], np.zeros(2, bool))


def test_every_byte_has_a_code_and_complement_pairs_bases():
    codes = encode(bytes(range(256)))
    assert codes.max() == 4
    assert decode(codes[list(b"ACGTUacgtu")]) == "ACGTTACGTT"
    assert (codes < 4).sum() == 10
    assert decode(COMPLEMENT[encode("ACGTN")]) == "TGCAN"
