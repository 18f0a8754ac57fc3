"""The motifs that come with the package, and the group of an organism."""

import gzip
import importlib.util

import numpy as np
import pytest

from bench.errors import BenchError
from bench.motifs.database import GROUPS, group_of, jaspar_file, jaspar_motifs

#: Motifs and the longest, counted with SQL.
FIGURES = {"vertebrates": (1019, 33), "insects": (296, 21), "plants": (927, 30), "fungi": (193, 19)}


@pytest.mark.parametrize("group", GROUPS)
def test_figures_of_every_group(group):
    motifs = jaspar_motifs(group)
    count, longest = FIGURES[group]
    assert len(motifs) == count
    assert max(map(len, motifs)) == longest
    assert len({motif.id for motif in motifs}) == count
    assert len({motif.id.partition(".")[0] for motif in motifs}) == count  # one version of each
    assert not any(c.isspace() for motif in motifs for c in motif.name)
    for motif in motifs:
        odds = motif.log_odds()
        assert np.isfinite(odds).all()
        np.testing.assert_allclose(np.exp2(odds).sum(axis=1), 4.0)


def test_what_is_known_of_some_factors():
    by_name = {motif.name.upper(): motif for group in GROUPS for motif in jaspar_motifs(group)}
    for name, site in (("CRX", "TAATCC"), ("TBP", "TATAAA"), ("DREF", "TATCGATA")):
        forward = "".join("ACGT"[i] for i in by_name[name].counts.argmax(axis=1))
        backward = forward[::-1].translate(str.maketrans("ACGT", "TGCA"))
        assert site in forward or site in backward, (name, forward)
    assert by_name["CTCF"].family == "More than 3 adjacent zinc fingers"


@pytest.mark.parametrize("group", GROUPS)
def test_terms_and_citation_stand_in_the_file(group):
    head = "".join(line for line in gzip.decompress(jaspar_file(group).read_bytes()).decode().splitlines()[:4])
    assert "without restrictions" in head
    assert "Cite: JASPAR 2026" in head


@pytest.mark.parametrize("group", GROUPS)
def test_the_script_makes_the_same_files(group, pytestconfig):
    path = pytestconfig.rootpath / "scripts" / "build_jaspar.py"
    spec = importlib.util.spec_from_file_location("build_jaspar", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    if importlib.util.find_spec(script.PACKAGE) is None:
        pytest.skip("pyjaspar is not installed (pip install --no-deps pyjaspar==4.0.0)")
    import sqlite3

    database = sqlite3.connect(script.installed())
    text = script.group_text(database, group, script.GROUPS[group])
    database.close()
    assert text == gzip.decompress(jaspar_file(group).read_bytes()).decode()
    assert script.compressed(text) == script.compressed(text)


@pytest.mark.parametrize(
    ("organism", "group"),
    [
        ("Homo sapiens, K562 cells", "vertebrates"),
        ("human (HUES64) and mouse (mESC) stem cells; elements of both", "vertebrates"),
        ("mouse, newborn retina explants", "vertebrates"),
        ("Drosophila melanogaster, S2 cells", "insects"),
        ("Nicotiana benthamiana leaves", "plants"),
        ("tobacco leaves and maize protoplasts; Arabidopsis", "plants"),
        ("Saccharomyces cerevisiae", "fungi"),
        ("YEAST", "fungi"),
    ],
)
def test_the_group_of_an_organism(organism, group):
    assert group_of(organism) == group


@pytest.mark.parametrize(
    ("organism", "says"),
    [
        ("Escherichia coli", "no organism that JASPAR has motifs for"),
        ("none", "no organism"),
        ("", "no organism"),
        ("flycatcher", "no organism"),
        ("human elements in yeast", "vertebrates and fungi"),
    ],
)
def test_an_organism_of_no_group_or_of_two_is_refused_with_the_reason(organism, says):
    with pytest.raises(BenchError, match=says):
        group_of(organism)
