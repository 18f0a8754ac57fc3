import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.sequences import Sequences
from bench.tasks.loci import codes_of, joined, overlapping, same_bases


def components(n, related):
    """Connected components by brute force: label of the smallest member."""
    label = list(range(n))
    changed = True
    while changed:
        changed = False
        for i in range(n):
            for j in range(n):
                if related(i, j) and label[i] != label[j]:
                    label[i] = label[j] = min(label[i], label[j])
                    changed = True
    return label


def same_partition(a, b):
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


INTERVALS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=14)


@settings(deadline=None)
@given(INTERVALS)
def test_overlaps_are_the_connected_blocks(rows):
    chrom, start, length = map(np.array, zip(*rows, strict=True))
    end = start + length
    brute = components(len(rows), lambda i, j: chrom[i] == chrom[j] and start[i] < end[j] and start[j] < end[i])
    assert same_partition(overlapping(chrom, start, end).tolist(), brute)


def test_touching_is_not_overlapping():
    locus = overlapping(["a", "a", "a"], np.array([0, 10, 19]), np.array([10, 20, 30]))
    assert locus.tolist() == [0, 1, 1]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-1, 4), min_size=9, max_size=9), min_size=1, max_size=3))
def test_joined_follows_chains(groupings):
    arrays = [np.array(g) for g in groupings]
    brute = components(9, lambda i, j: i == j or any(g[i] == g[j] >= 0 for g in arrays))
    assert same_partition(joined(arrays).tolist(), brute)


def test_a_sequence_and_its_reverse_complement_are_the_same():
    assert same_bases(Sequences.from_strings(["AACG", "CGTT", "AACC", "aacg"])).tolist() == [0, 0, 1, 0]


def test_codes_are_in_order_of_appearance():
    assert codes_of(["b", "a", "b"]).tolist() == [0, 1, 0]
