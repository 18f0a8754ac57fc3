"""``combined``: the columns of its parts, in their order, and what it takes over from them."""

import numpy as np
import pytest

from bench.errors import BenchError
from bench.featurizers.combined import Combined
from bench.featurizers.composition import Composition
from bench.featurizers.kmers import Kmers
from bench.featurizers.motifs import Motifs
from bench.sequences import Sequences


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return Sequences.from_strings(["".join(rng.choice(list("ACGT"), 60)) for _ in range(8)])


def test_columns_are_those_of_its_parts(sequences):
    whole = Combined(k=3, taxon="insects")
    parts = [Motifs(taxon="insects"), Composition(), Kmers(k=3)]
    expected = np.concatenate([part.transform(sequences) for part in parts], axis=1)
    np.testing.assert_array_equal(whole.transform(sequences), expected.astype(np.float32))
    names = whole.names(sequences)
    assert len(names) == expected.shape[1] == len(set(names))
    assert names[-1] == "kmers TTT"
    assert expected[0, names.index("composition gc")] == np.float32(Composition().transform(sequences)[0, 0])


def test_without_kmers_and_for_an_organism(sequences):
    assert Combined(k=0, taxon="fungi").names(sequences)[-1] == "composition ATTAAA"
    assert Combined().for_organism("Homo sapiens") == {"taxon": "vertebrates"}
    with pytest.raises(BenchError, match="from 0 to 6"):
        Combined(k=7)
    with pytest.raises(BenchError, match="Leave it out beside 'file'"):
        Combined(taxon="fungi", file="a.meme")
