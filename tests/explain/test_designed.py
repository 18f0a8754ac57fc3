"""Designed sequences: what they keep, and what they hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
from motif_worlds import motif

from bench.explain.designed import best_score, controls, moved, mutants, other_strand, planted
from bench.motifs.motif import Motif
from bench.motifs.similar import alike, centred, consensus, grouped, similarity
from bench.sequences import decode, encode

RNG = np.random.default_rng(3)


def gc(codes) -> int:
    return sum(letter in "GC" for letter in decode(codes))


def test_planting_keeps_gc_and_the_site_and_what_must_stay():
    for _ in range(300):
        length = int(RNG.integers(20, 60))
        background = RNG.choice(5, length, p=[0.3, 0.2, 0.2, 0.28, 0.02]).astype(np.uint8)
        word = RNG.choice(5, int(RNG.integers(3, 9)), p=[0.2, 0.3, 0.3, 0.1, 0.1]).astype(np.uint8)
        at = int(RNG.integers(0, length - len(word) + 1))
        kept = RNG.random(length) < 0.1
        made = planted(background, at, word, RNG.permutation(length), kept)
        written = np.zeros(length, bool)
        written[at : at + len(word)] = word < 4
        assert (made[at : at + len(word)][word < 4] == word[word < 4]).all()
        same = np.ones(length, bool)
        same[at : at + len(word)] = word == 4
        changed = np.flatnonzero((made != background) & ~written)
        assert not kept[changed].any()
        assert ((at > changed) | (changed >= at + len(word))).all()
        free = [i for i in range(length) if not kept[i] and not at <= i < at + len(word) and background[i] < 4]
        surplus = gc(word) - gc(background[written])
        can = sum(decode(background[[i]]) in ("GC" if surplus > 0 else "AT") for i in free)
        assert gc(made) - gc(background) == (0 if can >= abs(surplus) else np.sign(surplus) * (abs(surplus) - can))


def test_moving_gc_moves_it_by_the_points():
    codes = encode("ACGTTGCA" * 25)
    order = RNG.permutation(200)
    for points in (-10, -5, 5, 10):
        assert gc(moved(codes, points, order)) - gc(codes) == 2 * points


def test_controls_hold_the_same_bases_and_are_no_sites():
    ap1 = motif("MA0099")
    word = consensus(ap1)
    odds = ap1.log_odds()
    for other in controls(word, odds, 4, RNG):
        assert Counter(decode(other)) == Counter(decode(word))
        assert best_score(other, odds) < 0.6 * best_score(word, odds)
    assert best_score(word, odds) == best_score(other_strand(word), odds)


def test_mutants_are_all_others_at_distance_one():
    codes = encode("ACGTN")
    made, position, base = mutants(codes)
    assert sorted({decode(m) for m in made}) == sorted(
        {"ACGTN"[:i] + b + "ACGTN"[i + 1 :] for i in range(4) for b in "ACGT"} - {"ACGTN"}
    )
    assert [decode(m)[i] for m, i in zip(made, position, strict=True)] == ["ACGT"[b] for b in base]


def counts(word: str) -> np.ndarray:
    return np.array([[97 if b == c else 1 for c in "ACGT"] for b in word], float)


def test_motifs_that_one_site_serves_are_one_group():
    words = ["TGACTCA", "ATGACTCATC", "CCAAT", "TGAGTCAT", "GATTGG"]
    motifs = [Motif(str(i), "", counts(word)) for i, word in enumerate(words)]
    assert grouped(motifs, 5) == [[0, 1, 3], [2, 4]]
    assert grouped(motifs, 1) == [[0, 1, 3]]
    cosine, held = similarity(centred(motifs[0]), centred(motifs[0]))
    np.testing.assert_allclose([cosine, held], 1)
    assert not alike(centred(motifs[0]), centred(motifs[2]))
    assert decode(consensus(motifs[1])) == "ATGACTCATC"


def test_positions_of_few_bits_are_left_to_the_background():
    flat = Motif("x", "", np.concatenate([np.full((2, 4), 25.0), counts("GA"), np.full((1, 4), 25.0), counts("TC")]))
    assert decode(consensus(flat)) == "GANTC"
