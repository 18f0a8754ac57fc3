"""Counts of sites by loops, and motifs that are picked one after the other."""

from __future__ import annotations

import numpy as np
from motif_worlds import motif, world

from bench.explain.sites import PASSED, SiteCounts


def test_counts_are_those_of_a_loop():
    rows = world(("MA0139", "MA0099"), rows=8, length=60, rate=1.0).codes
    codes = [*rows, rows[0][:5]]
    codes[1] = codes[1].copy()
    codes[1][20] = 4
    for name in ("MA0139", "MA0099"):
        odds = motif(name).log_odds()
        found = SiteCounts(codes, [motif(name)]).of(0)
        for i, row in enumerate(codes):
            scores = []
            for at in range(len(row) - len(odds) + 1):
                word = row[at : at + len(odds)]
                if (word < 4).all():
                    scores += [sum(odds[j, b] for j, b in enumerate(w)) for w in (word, 3 - word[::-1])]
            want = [sum(s > share * odds.max(axis=1).sum() for s in scores) for share in PASSED]
            np.testing.assert_array_equal(found[i], want)


def test_a_weak_motif_is_picked_behind_a_strong_one_of_which_there_are_many():
    names = ("MA0099", "MA0062")
    rows = world(names, rows=600, length=80, rate=0.7)
    every = [motif(each) for each in ("MA0099", "MA0476", "MA0477", "MA0478", "MA0489", "MA0490", "MA0491", "MA0062")]
    counts = SiteCounts(list(rows.codes), every)
    # Noise beside the strong motif stands for all that is alike it.
    rng = np.random.default_rng(0)
    best = np.stack([rows.hits[:, 0] + 0.1 * i * rng.normal(size=600) for i in range(7)] + [rows.hits[:, 1]], axis=1)
    table = np.concatenate([best, best], axis=1).astype(np.float32)
    y = 3.0 * rows.hits[:, 0] + 0.5 * rows.hits[:, 1] + 0.1 * rng.normal(size=600)
    counts.that_follow(table, y, np.arange(600))
    assert list(counts._known)[:2] == [0, 7]
