"""Pooled correlations by name against numpy, and names that do not fit."""

import numpy as np
import pytest

from bench.stats.bootstrap import Draws
from bench.stats.correlations import Correlations

RNG = np.random.default_rng(0)
COLUMNS, LOCUS, FOLD = RNG.normal(size=(120, 4)), np.arange(120) // 4, np.arange(120) // 4 % 2


def table():
    made = Correlations()
    made.add("raw", ["y", "x", "x", "z"], COLUMNS)
    made.between(("y with x",), ("raw", "y"), ("raw", "x"))
    made.between(("y with z",), ("raw", "y"), ("raw", "z"))
    made.within(("x",), ("raw", "x"))
    made.within(("nothing",), ("raw", "none"))
    return made


def test_every_pair_has_its_own_correlation():
    found = table().draw(LOCUS, Draws(30, 20), FOLD, groups=np.arange(30) % 3)
    centred = COLUMNS - np.array([COLUMNS[fold == FOLD].mean(axis=0) for fold in (0, 1)])[FOLD]

    def mean(i, j):
        return np.corrcoef(centred.T)[i, j]

    np.testing.assert_allclose(found.point(("y with x",)), [mean(0, 1), mean(0, 2)])
    np.testing.assert_allclose(found.point(("y with z",)), [mean(0, 3)])
    np.testing.assert_allclose(found.point(("x",)), [mean(1, 2)])
    assert found.point(("nothing",)).shape == (0,)
    assert found.drawn(("y with x",)).shape == (20, 2)
    assert [part.shape for part in found.parts(("x",))] == [(1,), (20, 1), (3, 1)]
    one, many = found.means(("y with x",))
    assert one == pytest.approx((mean(0, 1) + mean(0, 2)) / 2)
    np.testing.assert_allclose(many, found.drawn(("y with x",)).mean(axis=1))


def test_names_that_do_not_fit_are_refused():
    made = table()
    with pytest.raises(ValueError, match="no column 'w' on the scale 'raw'"):
        made.between(("new",), ("raw", "y"), ("raw", "w"))
    with pytest.raises(ValueError, match="asked for already"):
        made.within(("x",), ("raw", "x"))
    with pytest.raises(ValueError, match="'y' on the scale 'raw' is there already"):
        made.add("raw", ["y"], COLUMNS[:, :1])
    with pytest.raises(ValueError, match="2 names for 1 columns"):
        made.add("rank", ["a", "b"], COLUMNS[:, :1])
