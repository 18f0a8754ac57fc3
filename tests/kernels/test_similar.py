"""The most similar row, against full Smith-Waterman in NumPy and planted relatives."""

import numpy as np
import pytest

from bench.kernels.similar import GAP, MATCH, MISMATCH, index_of, most_similar, spans


def aligned(query, target):
    """Equal bases, columns and bases of the query in the best local alignment: every cell, no band."""
    best = (0.0, 0, 0, 0)
    before = [(0.0, 0, 0, 0)] * (len(target) + 1)
    for a in query:
        now = [(0.0, 0, 0, 0)]
        for j, b in enumerate(target, 1):
            same = int(a == b and a < 4)
            s, e, c, t = before[j - 1]
            options = [(s + (MATCH if same else MISMATCH), e + same, c + 1, t + 1)]
            s, e, c, t = before[j]
            options.append((s + GAP, e, c + 1, t + 1))
            s, e, c, t = now[j - 1]
            options.append((s + GAP, e, c + 1, t))
            found = max(options, key=lambda option: option[0])
            now.append(found if found[0] > 0 else (0.0, 0, 0, 0))
            best = max(best, now[-1], key=lambda option: option[0])
        before = now
    return best[1:]


def mutated(rng, row, rate):
    """Substitutions at a rate, and one base inserted and one deleted."""
    row = np.where(rng.random(len(row)) < rate, (row + rng.integers(1, 4, len(row))) % 4, row)
    place = rng.integers(20, len(row) - 20, 2)
    return np.insert(np.delete(row, place[0]), place[1], rng.integers(0, 4))


@pytest.mark.parametrize("seed", range(3))
def test_relatives_are_found_and_their_identity_is_that_of_the_full_alignment(seed):
    rng = np.random.default_rng(seed)
    train = rng.integers(0, 4, (300, 150)).astype(np.uint8)
    parent = rng.integers(0, 300, 60)
    asked = np.array([mutated(rng, train[p], 0.08) for p in parent], np.uint8)
    turned = rng.random(60) < 0.5
    asked[turned] = (3 - asked[turned])[:, ::-1]
    found, equal = most_similar(index_of(train), asked, identity=0.8, covered=0.5)
    assert (found == parent).mean() > 0.96
    for row in np.flatnonzero(found == parent)[:20]:
        query = (3 - asked[row])[::-1] if turned[row] else asked[row]
        assert equal[row] == pytest.approx(aligned(query, train[parent[row]])[0] / 150, abs=0.02)


def test_unrelated_rows_and_distant_relatives_have_none():
    rng = np.random.default_rng(4)
    train = rng.integers(0, 4, (2000, 200)).astype(np.uint8)
    strangers = rng.integers(0, 4, (200, 200)).astype(np.uint8)
    far = np.where(rng.random((200, 200)) < 0.6, rng.integers(0, 4, (200, 200)), train[:200]).astype(np.uint8)
    assert (most_similar(index_of(train), strangers, identity=0.8, covered=0.5)[0] < 0).all()
    assert (most_similar(index_of(train), far, identity=0.8, covered=0.5)[0] < 0).all()
    # A third of the row is a copy: not half of it.
    part = strangers.copy()
    part[:, :66] = train[:200, :66]
    assert (most_similar(index_of(train), part, identity=0.8, covered=0.5)[0] < 0).all()
    assert (most_similar(index_of(train), part, identity=0.8, covered=0.3)[0] == np.arange(200)).all()


def test_padding_unknown_bases_and_empty_rows():
    rng = np.random.default_rng(5)
    train = np.full((40, 120), 4, np.uint8)
    train[:, 10:90] = rng.integers(0, 4, (40, 80))
    asked = np.full((41, 100), 4, np.uint8)
    asked[:40, 15:95] = train[:, 10:90]
    asked[:40, 50] = 4
    found, equal = most_similar(index_of(train), asked, identity=0.8, covered=0.5)
    assert (found == np.r_[np.arange(40), -1]).all()
    assert equal[:40] == pytest.approx(79 / 80)
    assert [list(s) for s in spans(asked[-2:])] == [[15, 0], [80, 0]]


def test_all_of_a_large_family_are_counted():
    """Every k-mer is held by hundreds of rows: the exact copy is found among them."""
    rng = np.random.default_rng(6)
    ancestor = rng.integers(0, 4, 150)
    family = np.array(
        [np.where(rng.random(150) < 0.1, rng.integers(0, 4, 150), ancestor) for _ in range(800)], np.uint8
    )
    found, equal = most_similar(index_of(family), family[:50], identity=0.8, covered=0.5)
    assert (found == np.arange(50)).all()
    assert (equal == 1).all()
