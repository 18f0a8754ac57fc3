"""Motif files of every format, and what is said of those that are wrong."""

import gzip

import numpy as np
import pytest

from bench.errors import BenchError
from bench.motifs.motif import Motif
from bench.motifs.reading import read_motifs

COUNTS = np.array([[8, 1, 1, 0], [0, 10, 0, 0], [2, 3, 5, 0], [0, 0, 0, 10], [1, 2, 3, 4]], float)
MEME = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

MOTIF MA1.1 First
letter-probability matrix: alength= 4 w= 5 nsites= 10 E= 0
 0.8 0.1 0.1 0.0
 0.0 1.0 0.0 0.0
 0.2 0.3 0.5 0.0
 0.0 0.0 0.0 1.0
 0.1 0.2 0.3 0.4
URL http://nowhere.example

MOTIF MA2.1
letter-probability matrix:
0.5 0.5 0 0
"""
JASPAR = """>MA1.1\tFirst
A  [ 8  0  2  0  1 ]
C  [ 1 10  3  0  2 ]
G  [ 1  0  5  0  3 ]
T  [ 0  0  0 10  4 ]
>MA2.1
A [10]
C [10]
G [0]
T [0]
"""
PLAIN = ">MA1.1 First\n8 0 2 0 1\n1 10 3 0 2\n1 0 5 0 3\n0 0 0 10 4\n"
HOCOMOCO = ">MA1.1\n8\t1\t1\t0\n0\t10\t0\t0\n2\t3\t5\t0\n0\t0\t0\t10\n1\t2\t3\t4\n"


def written(tmp_path, text):
    path = tmp_path / "my.motifs"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", [MEME, JASPAR, PLAIN, HOCOMOCO, MEME.replace("\n", "\r\n"), "# a comment\n" + JASPAR])
def test_every_format_gives_the_same_counts(tmp_path, text):
    motifs = read_motifs(written(tmp_path, text))
    assert motifs[0].id == "MA1.1"
    np.testing.assert_allclose(motifs[0].counts, COUNTS)
    if len(motifs) > 1:  # no nsites: 20
        np.testing.assert_allclose(motifs[1].counts, [[10, 10, 0, 0]])


def test_names_and_families(tmp_path):
    first, second = read_motifs(written(tmp_path, MEME))
    assert (first.title, second.title) == ("MA1.1 First", "MA2.1")
    tabs = JASPAR.replace("\tFirst", "\tFirst\tETS\tTryptophan clusters")
    assert read_motifs(written(tmp_path, tabs))[0].family == "ETS"


def test_shares_without_a_number_of_sites_are_twenty_sites(tmp_path):
    shares = ">M\n" + "".join(" ".join(f"{x:.4f}" for x in row / 10) + "\n" for row in COUNTS)
    np.testing.assert_allclose(read_motifs(written(tmp_path, shares))[0].counts, COUNTS * 2)


def test_gzipped(tmp_path):
    path = tmp_path / "my.meme.gz"
    path.write_bytes(gzip.compress(MEME.encode()))
    assert len(read_motifs(path)) == 2


def test_log_odds_by_the_formula():
    odds = Motif("M", "", np.array([[8.0, 1.0, 7.0, 0.0]])).log_odds()
    pseudo = 0.25 * 4.0  # a quarter of the root of 16
    np.testing.assert_allclose(odds[0], [np.log2((n + pseudo / 4) / (16 + pseudo) / 0.25) for n in (8, 1, 7, 0)])
    assert 0.25 * np.exp2(odds).sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no motif"),
        ("\n\n", "holds no motif"),
        ("gene,score\n1,2\n", "line 1: a motif file must begin with 'MEME version' or with '>'"),
        ("MEME version 4\n", "holds no motif"),
        (MEME.replace("ACGT", "ACDEFGHIKLMNPQRSTVWY"), "line 3: the alphabet must be ACGT"),
        (MEME.replace("0.8 0.1", "0.8 0.9"), "must sum to 1"),
        (MEME.replace("w= 5", "w= 6"), "w= 6 has 5 rows"),
        (MEME.replace("nsites= 10", "nsites= many"), "nsites must be a number"),
        (MEME.replace("0.8 0.1 0.1 0.0", "0.8 0.2"), "must be four numbers"),
        (MEME.replace("MA2.1", "MA1.1 First"), "the motif 'MA1.1 First' comes twice"),
        (JASPAR.replace("C [10]", "C [10 3]"), "rows A C G T of 'MA2.1' must be equally many numbers"),
        (JASPAR.replace("C [10]", "C [ten]"), "must be equally many numbers"),
        (JASPAR.replace(">MA2.1", ">"), "line 6: a motif needs an ID"),
        (JASPAR.replace("A [10]", "A [0]").replace("C [10]", "C [0]"), "no count"),
        (">M\n", "the motif 'M' has no position"),
        (">M\n1 2 3 4\n1 2 3\n4 5 6 7\n", "line 3: a position of 'M' must be four numbers"),
        (">M\n1 2 3 4\n1 nan 3 4\n4 5 6 7\n", "line 3: a position of 'M' must be four numbers"),
        (">M\n-1.2 0.3 0.4 0.1\n1 2 3 4\n1 2 3 4\n", "these are scores"),
        (">M\n1 2 3 4\n1 2 3 4\n1 2 3 4\n1 2 3 4\n", "may be by base or by position"),
        (JASPAR.replace("\tFirst", ""), None),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, text, says):
    path = written(tmp_path, text)
    if says is None:
        read_motifs(path)
        return
    with pytest.raises(BenchError) as error:
        read_motifs(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(BenchError, match="no such motif file"):
        read_motifs(tmp_path / "none.meme")
