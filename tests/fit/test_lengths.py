"""Rows of other lengths, against slices of strings made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import BenchError
from bench.fit.lengths import fit_lengths
from bench.sequences import Sequences

LIKE = Sequences.from_strings(["A" * 30, "C" * 40])


def rows(lengths: tuple[int, ...], *, reverse: bool) -> tuple[Sequences, list[str]]:
    rng = np.random.default_rng(1)
    made = Sequences.from_strings(["".join(rng.choice(list("ACGT"), n)) for n in lengths])
    made = made.reverse_complement() if reverse else made
    return made, made.to_strings()


@pytest.mark.parametrize("reverse", [False, True])
def test_the_middle_of_longer_rows_and_shorter_ones_as_they_are(reverse: bool) -> None:
    sequences, text = rows((20, 30, 35, 40, 41, 61), reverse=reverse)
    found = fit_lengths(sequences, LIKE)
    assert found.sequences.to_strings() == [*text[:4], text[4][0:40], text[5][10:50]]
    assert found.sequences.width == LIKE.width
    assert (found.cut, found.padded) == (2, 0)
    assert found.owner.tolist() == list(range(6))


@pytest.mark.parametrize("reverse", [False, True])
def test_shorter_rows_between_n(reverse: bool) -> None:
    sequences, text = rows((25, 30, 50), reverse=reverse)
    found = fit_lengths(sequences, LIKE, "pad")
    assert found.sequences.to_strings() == ["NN" + text[0] + "NNN", text[1], text[2][5:45]]
    assert (found.cut, found.padded) == (1, 1)


@pytest.mark.parametrize("reverse", [False, True])
def test_longer_rows_in_windows_half_a_window_apart(reverse: bool) -> None:
    sequences, text = rows((25, 95, 40), reverse=reverse)
    found = fit_lengths(sequences, LIKE, "tile")
    assert found.owner.tolist() == [0, 1, 1, 1, 1, 2]
    windows = [text[1][at : at + 40] for at in (0, 20, 40, 55)]
    assert found.sequences.to_strings() == [text[0], *windows, text[2]]
    mean = found.mean(np.arange(12, dtype=np.float32).reshape(6, 2), 3)
    assert mean.tolist() == [[0, 1], [5, 6], [10, 11]]


def test_rows_of_fitted_lengths_are_left_alone() -> None:
    sequences, text = rows((30, 33, 40), reverse=False)
    for how in ("centre", "pad", "tile"):
        assert fit_lengths(sequences, LIKE, how).sequences.to_strings() == text


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(BenchError, match="must be centre, pad or tile"):
        fit_lengths(LIKE, LIKE, "crop")  # type: ignore[arg-type]
