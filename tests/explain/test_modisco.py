"""TF-MoDISco by its own package: what it finds of what was written, and what happens without it."""

from __future__ import annotations

import numpy as np
import pytest
from calls import refused
from motif_worlds import Formula, occupancy, subject, world

from bench.explain import modisco
from bench.explain.modisco import ask_modisco
from bench.explain.mutated import mutate
from bench.explain.record import Match, Modisco, Pattern
from bench.explain.subject import NotAsked
from bench.report.explained import _modisco as in_words


@pytest.mark.skipif(modisco.installed() is None, reason="needs the extra modisco")
def test_the_motif_that_a_model_reads_is_put_together_and_named():
    rows, of = world(("MA0099",), rows=400, length=200, rate=1.0), occupancy("MA0099")
    made = subject(rows.codes, model=Formula(of))
    found, motifs = ask_modisco(made, mutate(made, np.flatnonzero(rows.hits[:, 0] > 0)))
    assert found.patterns, "two hundred sites"
    first = found.patterns[0]
    assert first.raises
    assert first.sites > 100
    assert first.bits > 6
    assert first.match is not None
    assert set(first.match.family.split("::")) & {"Fos-related", "Jun-related"}
    assert len(motifs) == len(found.patterns)
    assert motifs[0].counts[0].sum() == pytest.approx(first.sites, abs=1)


def test_without_the_package_a_call_says_what_to_install(monkeypatch, small_task):
    monkeypatch.setattr(modisco, "PACKAGE", "no-such-package-here")
    with pytest.raises(NotAsked, match="pip install"):
        ask_modisco(subject(world((), rows=20).codes, prediction=np.arange(20.0)), None)
    assert "pip install" in refused("explain", small_task, "--modisco")


def test_a_package_that_fails_is_one_line(monkeypatch):
    rows = world(("MA0099",), rows=20, length=60)
    made = subject(rows.codes, model=Formula(occupancy("MA0099")))
    maps = mutate(made, np.arange(4))
    monkeypatch.setattr(modisco, "installed", lambda: "3.0")
    monkeypatch.setattr(modisco, "_PROGRAM", "raise SystemExit('no seqlets at all')")
    with pytest.raises(NotAsked, match=r"modisco-lite failed: no seqlets at all"):
        ask_modisco(made, maps)


def test_what_was_found_in_words():
    found = Match(motif="MA1 AP1", family="AP1", p=1e-9, q=1e-6)
    shares = [[0.9, 0.0, 0.1, 0.0], [0.4, 0.3, 0.2, 0.1]]
    patterns = [
        Pattern(name=name, sites=sites, raises=raises, shares=shares, bits=9.0, match=match)
        for name, sites, raises, match in (("pos0", 1200, True, found), ("neg0", 40, False, None))
    ]
    said = in_words(Modisco(rows=200, version="3", patterns=patterns))
    assert said == "TF-MoDISco finds 2 motifs in the maps of 200 rows: MA1 AP1 (1,200 sites), AN (40 sites, lowers)"
    assert "no motif" in in_words(Modisco(rows=200, version="3", patterns=[]))
