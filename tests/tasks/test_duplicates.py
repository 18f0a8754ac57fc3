"""Copies of test rows among the rows that a model sees, against a count by hand."""

import dataclasses

import numpy as np
from audited import other_strand, subject
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tasks.duplicates import Duplicates, across_split
from bench.tasks.task import TEST, TRAIN, VALID, Folds


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("ACGTN", min_size=1, max_size=3), st.sampled_from([-1, 0, 1, 2])), min_size=1, max_size=30
    )
)
def test_copies_are_counted_as_by_hand(rows):
    strings, part = [text for text, _ in rows], np.array([[code for _, code in rows]])
    planted = subject(strings, tiles=1, part=part)
    seen = [text for text, code in rows if code in (TRAIN, VALID)]
    tested = [text for text, code in rows if code == TEST]
    exact = sum(text in seen for text in tested)
    other = sum(other_strand(text) in seen and text not in seen for text in tested)
    found = across_split(planted.task, planted.folds)
    assert found == Duplicates(exact, other, len(tested))


def test_a_copy_in_another_fold_counts_once_and_a_reversed_row_is_read_as_such():
    strings = ["AACCG", "AACCG", "CGGTT", "TTTTT"]
    part = np.array([[TEST, TRAIN, VALID, TRAIN], [TRAIN, TEST, TRAIN, VALID]])
    planted = subject(strings, tiles=1, part=part)
    assert across_split(planted.task, planted.folds).exact == 2
    turned = dataclasses.replace(planted.task.sequences, reverse=np.array([True, False, False, False]))
    task = dataclasses.replace(planted.task, sequences=turned)
    one = Folds("holdout", part[:1])
    found = across_split(task, one)
    assert (found.exact, found.reverse_complement) == (1, 0)  # the first is now CGGTT, as the third
