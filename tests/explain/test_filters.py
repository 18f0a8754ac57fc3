"""Filters: the GC index by counting, motifs from planted weights, flags and matches of trained networks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from filter_study import explained_network
from motif_worlds import world

from bench.explain.filters import clusters, gc_index, windows
from bench.explain.matching import information, shares, trimmed
from bench.motifs.database import jaspar_motifs


def test_the_gc_index_is_the_r2_of_responses_to_all_windows_on_their_gc():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(5, 4, 6)).astype(np.float32)
    kernel[:, :, 1] = np.array([-1, 1, 1, -1])  # counts GC
    kernel[:, :, 2] = 0
    kernel[2, 1, 2] = 1  # one base in one place
    every = np.array(list(itertools.product(range(4), repeat=5)))
    gc = np.isin(every, (1, 2)).sum(axis=1)
    found = gc_index(kernel)
    for f in range(6):
        response = kernel[np.arange(5), every, f].sum(axis=1)
        assert found[f] == pytest.approx(np.corrcoef(response, gc)[0, 1] ** 2, abs=1e-5)
    assert found[1] == pytest.approx(1)
    assert found[2] == pytest.approx(1 / 3 / 5)


def test_a_filter_of_a_motifs_weights_has_its_motif_and_one_of_equal_weights_none():
    rows = world(("MA0139",), rows=400, length=100, rate=1.0)
    ctcf = next(m for m in jaspar_motifs("vertebrates") if m.id.startswith("MA0139"))
    kernel = np.zeros((len(ctcf), 4, 2), np.float32)
    kernel[:, :, 0] = ctcf.log_odds()
    counts, mean, base = windows(kernel, list(rows.codes))
    assert counts[1] is None
    p = shares(counts[0])
    sharp = information(p) > 1.2
    assert sharp.sum() >= 6
    assert (p.argmax(axis=1) == ctcf.counts.argmax(axis=1))[sharp].all()
    assert len(trimmed(counts[0])) <= len(ctcf)
    # By a loop: the mean response above the mean over all windows.
    one_by_one = [[kernel[np.arange(len(kernel)), row[i : i + len(kernel)], 0].sum() for i in range(101 - len(kernel))]
                  for row in rows.codes[:5]]  # fmt: skip
    want = np.maximum(np.array(one_by_one) - base[0], 0).mean(axis=1)
    np.testing.assert_allclose(mean[:5, 0], want, rtol=1e-4)


def test_motifs_alike_are_one_cluster_on_either_strand_and_shifted():
    rng = np.random.default_rng(1)
    first, second = rng.dirichlet([0.2] * 4, 8), rng.dirichlet([0.2] * 4, 8)
    flat = np.full((2, 4), 0.25)
    found = clusters([first, second, first[::-1, ::-1], np.concatenate([flat, first]), second[1:]])
    assert found[0] == found[2] == found[3]
    assert found[1] == found[4]
    assert found[0] != found[1]


@pytest.mark.slow
def test_a_network_that_counts_gc_is_flagged_and_one_that_reads_motifs_is_not_and_is_named():
    """One world of each; `filter_study.py` has the figures of twenty."""
    gc, _ = explained_network("gc", seed=1)
    assert gc.counter
    assert gc.counters >= 2
    motifs, families = explained_network("motif", seed=2)
    assert not motifs.counter
    assert motifs.counters == 0
    matched = [each.match.family for each in motifs.strongest if each.match is not None]
    assert matched[0] in families
    assert motifs.strongest[0].influence > 0.05
