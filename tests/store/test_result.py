from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.store.result import ResultId, safe_name


@given(st.text(max_size=300))
def test_a_safe_name_is_one_plain_component(text):
    name = safe_name(text)
    assert 0 < len(name) <= 130
    assert name.isascii()
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert PurePosixPath("out", name).parts == ("out", name)


@given(st.text(max_size=40), st.text(max_size=40))
def test_two_texts_never_share_a_folder(one, other):
    if one != other:
        assert safe_name(one) != safe_name(other)


@pytest.mark.parametrize("text", ["kmers[k=5,canonical=true]", "holdout[valid=chrX,test=chr2L]", "fly-promoters"])
def test_plain_names_stay_readable(text):
    assert safe_name(text) == text


@pytest.mark.parametrize("text", ["leaderboard.md", "task.json", "rows.parquet", "Scores.SVG", ".locks"])
def test_no_folder_is_called_like_a_file_of_the_store(text):
    assert safe_name(text).lower() != text.lower()


def test_a_cell_cannot_leave_the_output_folder():
    result = ResultId("../../etc", "..", "/abs", "a/../b", "m", 0)
    assert ".." not in result.path.parts
    assert not result.path.is_absolute()
    assert len(result.path.parts) == 5
