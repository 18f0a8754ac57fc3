"""Planted motifs against models that are formulas: what a site does is known."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import Formula, motif, occupancy, subject, world

from bench.explain.planted import plant
from bench.explain.subject import Effort
from bench.motifs.database import jaspar_motifs
from bench.sequences import encode

SMALL = Effort(backgrounds=6, second=12, again=24, families=5, pairs=1)
NAMES = ("MA0099", "MA0506", "MA0095", "MA0060")
#: The motifs of the world, among others of the database.
SOME = tuple({m.id: m for m in [*map(motif, NAMES), *jaspar_motifs("vertebrates")[::25]]}.values())


def asked(of, codes, effort=SMALL, motifs=SOME):
    model = Formula(of)
    made = subject(codes, model=model, motifs=motifs)
    return plant(made, effort), made


def test_the_motifs_that_a_model_reads_are_found_with_their_size_and_price():
    rows = world(NAMES, rows=60)
    each = [occupancy(name) for name in NAMES]
    found, made = asked(
        lambda codes: each[0](codes) + 0.8 * each[1](codes) - 0.7 * each[2](codes) + 4 * np.isin(codes, (1, 2)).mean(),
        rows.codes,
    )
    by_motif = {family.motif[:6]: family for family in found.families}
    assert set(by_motif) >= set(NAMES[:3])
    assert {family.motif[:6] for family in found.families[:3]} == set(NAMES[:3])
    # One point of GC is .04, and makes and breaks sites by chance; a perfect site is nearly 1.
    assert found.exchange.per_point.value * made.spread == pytest.approx(0.04, abs=0.006)
    ap1 = by_motif["MA0099"]
    worth = each[0](encode(ap1.site))  # nearly a palindrome: it counts on both strands
    assert ap1.effect.value * made.spread == pytest.approx(worth, abs=0.12)
    assert ap1.gc_points == pytest.approx(25 * worth, rel=0.2)
    assert by_motif["MA0095"].effect.value < 0
    np.testing.assert_allclose([d.value / ap1.dose[0].value for d in ap1.dose], [1, 2, 3, 4], rtol=0.1)
    assert "".join(np.array(list("ACGTN"))[[0, 3, 2, 0]]) in ap1.site


def test_a_model_that_counts_gc_or_dinucleotides_reads_no_motif():
    rows = world((), rows=60)
    found, _ = asked(lambda codes: np.tanh(5 * np.isin(codes, (1, 2)).mean()), rows.codes)
    assert found.families == []
    assert found.exchange.per_point.low > 0


def test_a_model_that_reads_where_and_how_far_apart():
    word = np.array([3, 2, 0, 1, 3, 1, 0])
    places = np.arange(7)

    def of(codes):
        found = np.flatnonzero((codes[np.arange(len(codes) - 6)[:, None] + places] == word).all(axis=1))
        pair = {0, 3, 6} & {int(b - a - 9) for a in found for b in found}  # JUN's site has two bases more
        return float((found < 50).sum()) + 2.0 * bool(pair)

    rows = world(("MA0099",), rows=80, rate=1.0)
    ap1 = (next(m for m in jaspar_motifs("vertebrates") if m.id.startswith("MA0491")),)
    made = subject(rows.codes, model=Formula(of), motifs=ap1)
    found = plant(made, Effort(backgrounds=6, second=1, again=80, families=1, pairs=1))
    [family] = found.families
    assert family.position[0].low > 0
    assert family.position[-1].value == pytest.approx(0, abs=0.02)


def test_short_rows_are_asked_for_what_fits():
    rows = world((), rows=40, length=24)
    found, _ = asked(lambda codes: float(codes[0]), rows.codes, Effort(backgrounds=4, second=4, again=6, pairs=1))
    assert found.too_long > 0
    assert found.motifs + found.too_long == len(SOME)
