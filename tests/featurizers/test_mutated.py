"""Features of rows with one base changed, made from those of the row, against the same rows as strings."""

from __future__ import annotations

import numpy as np
import pytest

from bench.explain.designed import mutants
from bench.featurizers.kmers import Dinucleotides, Kmers
from bench.featurizers.kmers_mutated import mutated as kmers_mutated
from bench.featurizers.motifs import Motifs
from bench.featurizers.motifs_mutated import mutated as motifs_mutated
from bench.sequences import Sequences


def rows(count=4, length=60, unknown=True):
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, (count, length)).astype(np.uint8)
    if unknown:
        codes[0, 30] = codes[1, :20] = codes[2, ::7] = 4
    return [*codes, codes[3, :3]]


def brute(featurizer, codes):
    strings = ["".join("ACGTN"[b] for b in each) for each in mutants(codes)[0]]
    return featurizer.transform(Sequences.from_strings(strings))


@pytest.mark.parametrize(
    "featurizer", [Kmers(k=4), Kmers(k=3, exact=True), Kmers(k=3, canonical=True), Dinucleotides()]
)
def test_kmers_are_the_same_counts(featurizer):
    for codes in rows():
        np.testing.assert_array_equal(kmers_mutated(featurizer, codes), brute(featurizer, codes))
    assert kmers_mutated(Kmers(k=3, windows=2), rows()[0]) is None


def test_motifs_score_the_same():
    featurizer = Motifs(taxon="fungi")
    for codes in rows():
        np.testing.assert_allclose(motifs_mutated(featurizer, codes), brute(featurizer, codes), atol=1e-4)
    assert motifs_mutated(Motifs(taxon="fungi", by="family"), rows()[0]) is None


def test_a_row_of_unknown_bases_has_no_mutants():
    nothing = np.full(5, 4, np.uint8)
    assert len(kmers_mutated(Kmers(k=2), nothing)) == 0
    assert len(motifs_mutated(Motifs(taxon="fungi"), nothing)) == 0
