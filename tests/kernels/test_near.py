import random

import numpy as np
import pytest

from bench.kernels.near import one_apart
from bench.sequences import Sequences


def complement(bases):
    return bases[::-1].translate(str.maketrans("ACGT", "TGCA"))


def near(a, b):
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b, strict=True)) <= 1
    a, b = sorted((a, b), key=len)
    return len(b) - len(a) == 1 and any(b[:i] + b[i + 1 :] == a for i in range(len(b)))


def brute(rows):
    """Smallest row of every row's component, by comparing all pairs as strings."""
    label = list(range(len(rows)))
    for i, a in enumerate(rows):
        for j, b in enumerate(rows[:i]):
            if label[i] != label[j] and (near(a, b) or near(a, complement(b))):
                old, new = max(label[i], label[j]), min(label[i], label[j])
                label = [new if value == old else value for value in label]
    return label


@pytest.mark.parametrize(
    ("length", "rows", "letters"), [(3, 30, "ACGT"), (5, 60, "ACGT"), (9, 130, "AC"), (14, 60, "AG")]
)
def test_as_all_pairs_compared(length, rows, letters):
    draw = random.Random(length)
    for _ in range(8):
        strings = ["".join(draw.choices(letters, k=length + draw.choice([-1, 0, 0, 1]))) for _ in range(rows)]
        assert one_apart(Sequences.from_strings(strings)).tolist() == brute(strings)


def test_many_variants_of_one_element_and_reversed_rows():
    draw = random.Random(1)
    element = draw.choices("ACGT", k=40)
    strings = []
    for _ in range(150):  # more than are compared pair by pair
        variant = list(element)
        for at in draw.sample(range(40), draw.choice([1, 3])):
            variant[at] = draw.choice("ACGT")
        if draw.random() < 0.2:
            del variant[draw.randrange(40)]
        strings.append("".join(variant))
    sequences = Sequences.from_strings(strings)
    assert one_apart(sequences).tolist() == brute(strings)
    turned = Sequences.from_intervals(
        sequences.buffer, sequences.start, sequences.stop, np.array([draw.random() < 0.5 for _ in strings])
    )
    assert one_apart(turned).tolist() == brute(turned.to_strings())


def test_rows_of_unlike_length():
    assert one_apart(Sequences.from_strings(["A", "ACGTACGTTTGACCA" * 20, "T", "ACGTACGTTTGACCA" * 19])).tolist() == [
        0,
        1,
        0,
        3,
    ]
    assert one_apart(Sequences.from_strings([])).tolist() == []
