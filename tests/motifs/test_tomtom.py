"""Tomtom's p-values against another implementation, and against chance."""

from __future__ import annotations

import numpy as np
import pytest

from bench.motifs.database import jaspar_motifs
from bench.motifs.tomtom import Targets, q_values, tomtom

#: p-values of memelite 0.5.0 (tomtom, n_target_bins=None) among the motifs of fungi, by places of query and target.
MEMELITE = {
    (0, 140): 6.188e-05, (0, 16): 0.02029, (0, 26): 0.02723, (0, 62): 0.3182,
    (50, 31): 9.544e-05, (50, 170): 0.000621, (50, 146): 0.0461, (50, 48): 0.3586,
    (100, 12): 0.0009003, (100, 72): 0.01488, (100, 0): 0.04273, (100, 1): 0.3761,
    (150, 93): 1.147e-05, (150, 88): 0.004766, (150, 82): 0.01348, (150, 70): 0.174,
}  # fmt: skip


@pytest.fixture(scope="module")
def fungi():
    motifs = jaspar_motifs("fungi")
    return [m.counts / m.counts.sum(axis=1, keepdims=True) for m in motifs], Targets.of(motifs)


def test_p_values_are_those_of_another_implementation(fungi):
    shares, targets = fungi
    for (query, target), want in MEMELITE.items():
        assert tomtom(shares[query], targets)[target] == pytest.approx(want, rel=0.15), (query, target)


def test_a_motif_is_nearest_to_itself_on_either_strand_and_within_a_longer_one(fungi):
    shares, targets = fungi
    for query in (0, 50, 100, 150):
        for p in (shares[query], shares[query][::-1, ::-1], shares[query][1:-1]):
            found = tomtom(p, targets)
            assert np.argmin(found) == query
            assert found[query] < 1e-4
    both = np.stack([tomtom(shares[7], targets), tomtom(shares[7][::-1, ::-1], targets)])
    np.testing.assert_allclose(*both, rtol=1e-6, atol=1e-300)


def test_columns_that_are_chance_get_p_values_of_chance(fungi):
    """Queries of columns drawn from the database. The alignments of a target are not independent, as the formula takes
    them to be: p-values are a little too large, never too small."""
    shares, targets = fungi
    rng, columns = np.random.default_rng(0), np.concatenate(shares)
    p = np.concatenate([tomtom(columns[rng.integers(0, len(columns), 8)], targets) for _ in range(100)])
    for level in (0.1, 0.01, 0.001):
        assert 0.3 * level < (p <= level).mean() < 1.1 * level


def test_q_values_are_benjamini_and_hochbergs():
    p = np.array([0.01, 0.5, 0.001, 0.04, 0.03])
    order, n = np.argsort(p), len(p)
    want, least = np.empty(n), 1.0
    for rank in range(n, 0, -1):
        least = min(least, p[order[rank - 1]] * n / rank)
        want[order[rank - 1]] = least
    np.testing.assert_allclose(q_values(p), want)
