"""The scan of motifs against windows scored one by one, and against packages that scan."""

import math

import numpy as np
import pytest
from drawn_sequences import intervals
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.kernels.motifs import scan_motifs, scan_tables
from bench.motifs.database import jaspar_motifs
from bench.sequences import Sequences


def by_hand(text, log_odds):
    """(best, occupancy) of a row of letters: every window of both strands, in Python floats."""
    partner = {"A": "T", "C": "G", "G": "C", "T": "A"}
    scores = []
    for i in range(len(text) - len(log_odds) + 1):
        window = text[i : i + len(log_odds)]
        if set(window) <= set("ACGT"):
            for strand in (window, "".join(partner[base] for base in reversed(window))):
                scores.append(math.fsum(log_odds[j]["ACGT".index(base)] for j, base in enumerate(strand)))
    if not scores:
        floor = math.fsum(min(position) for position in log_odds)
        return floor, floor
    best = max(scores)
    return best, best + math.log2(math.fsum(2 ** (score - best) for score in scores))


def matches(sequences, motifs):
    out = scan_motifs(sequences, scan_tables(motifs))
    texts = sequences.to_strings()
    expected = np.array([[by_hand(text, motif) for motif in motifs] for text in texts])
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[:, : len(motifs)], expected[:, :, 0], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(out[:, len(motifs) :], expected[:, :, 1], rtol=1e-5, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(intervals(), st.lists(st.integers(1, 34), min_size=1, max_size=4), st.floats(0.1, 12), st.integers(0, 999))
def test_every_row_and_motif_as_by_hand(sequences, lengths, bits, seed):
    rng = np.random.default_rng(seed)
    matches(sequences, [rng.normal(0, bits, (length, 4)) for length in lengths])


@pytest.mark.parametrize("length", [1, 4, 5, 6, 10, 15, 16, 33, 70])
@pytest.mark.parametrize("worst", [-2.0, -9.0, -40.0])
def test_scores_beyond_the_range_of_float32_are_exact(length, worst):
    motif = np.full((length, 4), worst)
    motif[:, 0] = 2.0
    rows = ["A" * 80, "C" * 80, "A" * 40 + "C" * 40, "C" * (length - 1) + "A" * length, "AC" * 40, "CCCA" * 20]
    matches(Sequences.from_strings(rows), [motif, motif[:, ::-1], motif / 3])


def test_a_row_without_a_window_has_the_lowest_score_there_is():
    motif = np.array([[1.0, -2.0, -3.0, 0.5]] * 4)
    out = scan_motifs(Sequences.from_strings(["ACG", "", "ACGNACG", "NNNNNNN"]), scan_tables([motif]))
    assert (out == -12.0).all()
    lowest = scan_motifs(Sequences.from_strings(["GGGGGGGG"]), scan_tables([motif[:, [0, 2, 2, 0]]]))
    assert lowest[0, 0] >= -12.0


def test_the_planted_site_is_the_best_window():
    motif = next(m for m in jaspar_motifs("vertebrates") if m.name == "CTCF").log_odds()
    site = "".join("ACGT"[i] for i in motif.argmax(axis=1))
    rng = np.random.default_rng(0)
    flank = "".join(rng.choice(list("ACGT"), 150))
    other = site[::-1].translate(str.maketrans("ACGT", "TGCA"))
    out = scan_motifs(
        Sequences.from_strings([flank + site + flank, flank + other + flank, flank]), scan_tables([motif])
    )
    np.testing.assert_allclose(out[:2, 0], motif.max(axis=1).sum(), rtol=1e-5)
    assert out[2, 0] < out[0, 0] - 5


def test_both_strands_of_a_row_look_the_same():
    rng = np.random.default_rng(3)
    sequences = Sequences.from_strings(["".join(rng.choice(list("ACGTN"), 90)) for _ in range(20)])
    tables = scan_tables([motif.log_odds() for motif in jaspar_motifs("fungi")])
    one, other = scan_motifs(sequences, tables), scan_motifs(sequences.reverse_complement(), tables)
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("bad", [np.zeros((0, 4)), np.zeros((3, 5)), np.array([[0.0, 1.0, -np.inf, 0.0]])])
def test_tables_refuse_what_is_no_motif(bad):
    with pytest.raises(ValueError, match="motif 1: log-odds must be finite"):
        scan_tables([np.zeros((3, 4)), bad])


# ---- peers ----
def random_rows(n=15, length=120):
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    return codes, ["".join("ACGT"[code] for code in row) for row in codes]


def test_best_scores_and_occupancies_are_those_of_lightmotif():
    lightmotif = pytest.importorskip("lightmotif", reason="lightmotif is not installed (pip install 'bench-gc[peers]')")
    texts = random_rows()[1]
    even = [
        motif
        for motif in jaspar_motifs("vertebrates")[::25]
        if len(set(motif.counts.sum(axis=1))) == 1 and (motif.counts == motif.counts.round()).all()
    ]
    assert len(even) > 10
    out = scan_motifs(Sequences.from_strings(texts), scan_tables([motif.log_odds() for motif in even]))
    for number, motif in enumerate(even):
        pseudo = 0.25 * math.sqrt(motif.counts[0].sum()) / 4  # its pseudo-count is of a base, and one for all positions
        counts = {base: motif.counts[:, i].astype(int).tolist() for i, base in enumerate("ACGT")}
        forward = lightmotif.CountMatrix(counts).normalize(pseudo).log_odds()
        for row, text in enumerate(texts):
            striped = lightmotif.stripe(text)
            windows = len(text) - len(motif) + 1
            scores = [list(matrix.calculate(striped))[:windows] for matrix in (forward, forward.reverse_complement())]
            scores = np.concatenate(scores)
            assert out[row, number] == pytest.approx(scores.max(), abs=1e-3)
            assert out[row, len(even) + number] == pytest.approx(np.logaddexp2.reduce(scores), abs=1e-3)


def test_best_scores_are_those_of_memelite():
    memelite = pytest.importorskip("memelite", reason="memelite is not installed (pip install 'bench-gc[peers]')")
    codes, texts = random_rows()
    motifs = jaspar_motifs("vertebrates")[::50]
    one_hot = (codes[:, None, :] == np.arange(4)[None, :, None]).astype(np.int8)
    shares = {motif.title: 0.25 * np.exp2(motif.log_odds().T) for motif in motifs}
    hits = memelite.fimo(shares, one_hot, eps=0, threshold=0.05)
    out = scan_motifs(Sequences.from_strings(texts), scan_tables([motif.log_odds() for motif in motifs]))
    compared = 0
    for number, found in enumerate(hits):
        for row, score in found.groupby("sequence_name")["score"].max().items():
            assert out[row, number] == pytest.approx(score, abs=0.06 * len(motifs[number]))  # its bins are of .1
            compared += 1
    assert compared > 100
