"""The planted data set has the truth it says."""

import numpy as np
import pytest

from bench.datasets import simulate
from bench.stats import ceilings, ranks


def explained(prediction, replicates):
    """Product form of two replicates, on ranks."""
    first, second = (ranks.spearman(prediction, column) for column in replicates.T)
    return first * second / ranks.spearman(*replicates.T)


def test_latent_variance_is_shared_as_asked():
    data = simulate.simulate(20_000, length=60, gc_share=0.3, motif_share=0.2, seed=1)
    assert np.corrcoef(data.latent, data.gc)[0, 1] ** 2 == pytest.approx(0.3, abs=0.02)
    assert np.corrcoef(data.latent, data.hits)[0, 1] ** 2 == pytest.approx(0.2, abs=0.02)
    assert data.latent.var() == pytest.approx(1, abs=0.05)
    assert data.board_share() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("motif", ["neutral", "rich"])
def test_motifs_are_written_and_only_rich_ones_bring_gc(motif):
    data = simulate.simulate(3000, motif=motif, seed=2)
    pattern = simulate.MOTIFS[motif]
    windows = np.lib.stride_tricks.sliding_window_view(data.codes, len(pattern), axis=1)
    found = (windows == pattern).all(axis=2).sum(axis=1)
    assert (found >= data.hits).all()
    assert found.sum() == pytest.approx(data.hits.sum(), rel=0.1)
    correlation = np.corrcoef(data.gc, data.hits)[0, 1]
    assert correlation > 0.3 if motif == "rich" else abs(correlation) < 0.05
    np.testing.assert_allclose(data.gc, np.isin(data.codes, (1, 2)).mean(axis=1))


def test_depths_of_a_sure_library_give_its_zeros():
    data = simulate.simulate(20_000, length=60, depths=(0.004, 0.02), seed=3)
    np.testing.assert_allclose((data.rna == 0).mean(axis=0), [0.968, 0.878], atol=0.006)


def test_zero_inflation_loses_counts():
    data = simulate.simulate(2000, depths=(50.0,), zero_inflation=0.4, seed=4)
    plain = simulate.simulate(2000, depths=(50.0,), seed=4)
    assert (data.rna == 0).mean() - (plain.rna == 0).mean() == pytest.approx(0.4, abs=0.05)


def test_tiles_share_a_locus():
    data = simulate.simulate(200, 10, seed=5)
    assert len(data.gc) == 2000
    assert (np.bincount(data.locus) == 10).all()
    spread = np.array([data.gc[data.locus == i].std() for i in range(200)]).mean()
    assert spread < 0.7 * data.gc.std()
    assert all(len(np.unique(data.chrom[data.locus == i])) == 1 for i in range(200))


def test_the_seed_decides():
    one, same, other = (simulate.simulate(100, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.rna, same.rna)
    assert (one.codes != other.codes).any()


def test_wrong_shares_are_refused():
    with pytest.raises(ValueError, match=r"Got 0\.8 and 0\.5"):
        simulate.simulate(10, gc_share=0.8, motif_share=0.5)


def test_a_library_bias_plants_no_share_once_dna_is_held_fixed_but_a_bias_of_the_dna_count_does():
    def given_dna(**bias):
        data = simulate.simulate(20_000, length=60, gc_share=0, motif_share=0.5, depths=(10, 10), seed=6, **bias)
        kept = data.dna >= 10
        y, gc, dna = data.y[kept], data.gc[kept], np.log(data.dna[kept])
        return ceilings.partial_correlation(ranks.spearman(gc, y), ranks.spearman(gc, dna), ranks.spearman(y, dna))

    assert abs(given_dna()) < 0.03
    assert abs(given_dna(library_bias=-0.5)) < 0.05
    assert given_dna(gc_bias=0.5) < -0.2


def test_product_form_recovers_the_planted_share_from_counts_of_unequal_depth():
    data = simulate.simulate(40_000, gc_share=0.4, motif_share=0.2, depths=(0.5, 10), dna_depth=50, length=60, seed=7)
    kept = data.dna >= 500  # deep DNA: little noise that the replicates share
    product = explained(data.gc[kept], data.replicates[kept])
    assert product == pytest.approx(data.board_share(kept), abs=0.03)
    assert product == pytest.approx(0.4, abs=0.03)


def test_filtering_on_rna_lifts_r_and_cuts_the_share():
    data = simulate.simulate(30_000, gc_share=0.5, motif_share=0.2, depths=(0.05, 0.05), length=60, seed=8)
    found = []
    for rows in (data.dna >= 10, (data.rna > 0).all(axis=1)):
        replicates = data.replicates[rows]
        r = ceilings.replicate_correlation(replicates, gaussian=True)
        found.append((r, explained(data.gc[rows], replicates)))
    (r, product), (r_filtered, product_filtered) = found
    assert r_filtered > r + 0.2
    assert product_filtered < 0.6 * product


def test_noisy_replicates_have_the_reliability_asked_for():
    latent = np.random.default_rng(0).normal(size=50_000)
    replicates = simulate.noisy_replicates(latent, 0.2, 3)
    assert ceilings.replicate_correlation(replicates, gaussian=True) == pytest.approx(0.2, abs=0.02)
