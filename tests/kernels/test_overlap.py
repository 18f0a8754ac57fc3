"""The label that covers a row, against counting base by base."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.kernels.overlap import Placed, covering

PLACE = st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 25))


def placed(rows):
    chrom, start, size = np.array(rows, np.int64).reshape(-1, 3).T
    return Placed(chrom, start, start + size)


def brute(row, intervals, labels, least, first):
    """Bases of each label, counted one by one; then the rule in words."""
    chrom, start, size = row
    bases = {}
    for label in sorted(set(labels)):
        over = {
            base
            for (c, s, n), each in zip(intervals, labels, strict=True)
            if c == chrom and each == label
            for base in range(s, s + n)
        }
        bases[label] = len(over & set(range(start, start + size)))
    able = {label: n for label, n in bases.items() if n > 0 and n >= least * size - 1e-9}
    if not able:
        return -1, False
    best = list(able) if first else [label for label, n in able.items() if n == max(able.values())]
    return best[0], len(best) > 1


@given(
    st.lists(PLACE, min_size=1, max_size=10),
    st.lists(st.tuples(PLACE, st.integers(0, 3)), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.booleans(),
)
def test_as_counted_base_by_base(rows, intervals, least, first):
    places, labels = zip(*intervals, strict=True)
    found = covering(placed(rows), placed(places), np.array(labels), least=least, first=first)
    for row, label, tied in zip(rows, found.label, found.tied, strict=True):
        assert (label, tied) == brute(row, places, labels, least, first)


def test_rows_on_no_chromosome_take_none():
    rows = Placed(np.array([-1, 0]), np.array([0, 0]), np.array([10, 10]))
    found = covering(rows, placed([(0, 0, 50)]), np.zeros(1, np.int64))
    assert found.label.tolist() == [-1, 0]


def test_many_nested_intervals_and_long_coordinates():
    # a label over everything, a thousand of another inside it, and a chromosome whose end another begins at
    size = 200_000_000
    inner = [(0, 1000 * i, 600) for i in range(1000)]
    intervals = placed([(0, 0, size), *inner, (1, 0, 5)])
    label = np.array([0] + [1] * 1000 + [2])
    rows = Placed(np.array([0, 0, 0, 1]), np.array([0, 500, 300, 0]), np.array([600, 1500, 900, size]))
    found = covering(rows, intervals, label)
    assert found.label.tolist() == [0, 0, 0, 2]
    assert found.tied.tolist() == [True, False, False, False]
