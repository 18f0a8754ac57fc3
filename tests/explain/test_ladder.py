"""The surrogate ladder against predictions whose parts are known."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import motif, occupancy, subject, world

from bench.explain.ladder import ladder
from bench.explain.subject import Effort
from bench.motifs.reading import read_motifs

SMALL = Effort(ladder_rows=600, folds=3)
NAMES = ("MA0099", "MA0506", "MA0095", "MA0060")


def z(x):
    return (x - x.mean()) / x.std()


@pytest.fixture(scope="module")
def motif_file(tmp_path_factory):
    """Eight motifs, four of them those of the world, so that a test scans fewer than a database has."""
    path = tmp_path_factory.mktemp("motifs") / "few.txt"
    said = []
    for name in (*NAMES, "MA0002", "MA0003", "MA0004", "MA0139"):
        found = motif(name)
        said.append(f">{found.id} {found.name}")
        said += [f"{b} [ {' '.join(map(str, column))} ]" for b, column in zip("ACGT", found.counts.T, strict=True)]
    path.write_text("\n".join(said) + "\n")
    return path


def climbed(rows, of, motif_file):
    made = subject(rows.codes, of, motifs=tuple(read_motifs(motif_file)))
    object.__setattr__(made, "motif_features", f"motifs[file={motif_file}]")
    return {rung.name: rung for rung in ladder(made, SMALL).rungs}


def test_predictions_that_follow_gc_alone_are_gc(motif_file):
    rows = world((), rows=600)
    rungs = climbed(rows, np.tanh(3 * (rows.gc - 0.45)), motif_file)
    assert rungs["GC"].r2.value > 0.97
    assert rungs["6-mers"].r2.value == pytest.approx(rungs["GC"].r2.value, abs=0.02)


def test_predictions_that_follow_nothing_are_nothing(motif_file):
    rows = world((), rows=600)
    rungs = climbed(rows, np.random.default_rng(77).normal(size=600), motif_file)
    assert max(abs(rung.r2.value) for rung in rungs.values()) < 0.06


def test_parts_are_found_where_they_are(motif_file):
    """On 600 rows the motifs' part is found short; `explain_study.py` has the figures of many."""
    rows = world(NAMES, rows=600)
    counted = sum(np.array([of(codes) for codes in rows.codes]) for of in map(occupancy, NAMES))
    gc = z(rows.gc)
    sites = z(counted - gc * (counted @ gc) / len(gc))
    rungs = climbed(rows, np.sqrt(0.4) * gc + np.sqrt(0.6) * sites, motif_file)
    assert rungs["GC"].r2.value == pytest.approx(0.4, abs=0.06)
    assert rungs["motifs"].r2.value > 0.85
    assert rungs["motifs"].more.low > 0.25
    assert rungs["6-mers"].more.value < 0.03
