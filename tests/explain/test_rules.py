"""Rules of one tree against a model that is one."""

from __future__ import annotations

import numpy as np
from motif_worlds import motif, subject, world

from bench.explain.rules import _place, ask_rules
from bench.explain.subject import Effort
from bench.motifs.reading import read_motifs

NAMES = ("MA0099", "MA0506", "MA0139")


def made(tmp_path, rows, prediction):
    path = tmp_path / "few.txt"
    said = []
    for name in NAMES:
        found = motif(name)
        said.append(f">{found.id} {found.name}")
        said += [f"{b} [ {' '.join(map(str, column))} ]" for b, column in zip("ACGT", found.counts.T, strict=True)]
    path.write_text("\n".join(said) + "\n")
    subj = subject(rows.codes, prediction, motifs=tuple(read_motifs(path)))
    object.__setattr__(subj, "motif_features", f"motifs[file={path}]")
    return subj


def test_a_rule_is_found_in_words(tmp_path):
    rows = world(NAMES[:2], rows=600, length=100, rate=0.8)
    prediction = 2.0 * (rows.hits[:, 0] > 0) + 1.0 * (rows.gc > 0.5)
    found = ask_rules(made(tmp_path, rows, prediction), Effort(ladder_rows=600, folds=3))
    assert found.r2.value > 0.7
    assert abs(sum(leaf.share for leaf in found.leaves) - 1) < 1e-6
    top, low = " and ".join(found.leaves[-1].rule), " and ".join(found.leaves[0].rule)
    assert f"best {motif(NAMES[0]).name}, bits >" in top
    assert "GC >" in top or "gc >" in top
    assert f"best {motif(NAMES[0]).name}, bits ≤" in low
    assert [leaf.mean for leaf in found.leaves] == sorted(leaf.mean for leaf in found.leaves)


def test_noise_has_no_rule(tmp_path):
    rows = world((), rows=400, length=60)
    prediction = np.random.default_rng(99).normal(size=400)
    assert ask_rules(made(tmp_path, rows, prediction), Effort(ladder_rows=400, folds=3)).r2.value < 0.05


def test_the_place_of_a_site_is_where_it_was_written():
    ap1 = motif("MA0099")
    word = ap1.counts.argmax(axis=1).astype(np.uint8)
    rng = np.random.default_rng(0)
    for at in (0, 17, 100 - len(word)):
        for site in (word, (3 - word)[::-1]):
            codes = rng.choice([0, 3], 100).astype(np.uint8)
            codes[at : at + len(word)] = site
            assert abs(_place(codes, ap1.log_odds()) * (100 - len(word)) - at) < 1e-9
