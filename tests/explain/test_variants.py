"""Effects of variants against strings changed by hand, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from motif_worlds import Formula, strings, subject, world

from bench.board.figure import Estimate
from bench.errors import BenchError
from bench.explain.record import Explanation, Family, Ladder, PlantedMotifs, Rung
from bench.explain.record import GCExchange as Exchange
from bench.explain.seeds import by_pair, elsewhere, rung_ranges
from bench.explain.variants import read_variants, variant_effects, write_effects

ROWS = world((), rows=6, length=30)
TEXT = strings(ROWS.codes)


def score(codes) -> float:
    weights = np.random.default_rng(1).normal(size=(30, 4))
    return float(weights[np.arange(30), codes].sum())


@pytest.fixture
def made():
    return subject(ROWS.codes, model=Formula(score))


def table(tmp_path, *lines, name="v.tsv"):
    path = tmp_path / name
    path.write_text("\n".join(("id\tpos\tref\talt", *lines)) + "\n")
    return path


def test_effects_are_the_difference_of_two_strings(tmp_path, made):
    ref, other = TEXT[2][4:6], "".join("ACGT"[("ACGT".index(b) + 1) % 4] for b in TEXT[2][4:6])
    [variant] = read_variants(table(tmp_path, f"r2\t5\t{ref.lower()}\t{other}"), made)
    [found] = variant_effects(made, [variant])
    after = np.array(["ACGT".index(b) for b in TEXT[2][:4] + other + TEXT[2][6:]])
    want = (score(after) - score(ROWS.codes[2])) / made.spread
    np.testing.assert_allclose([found.effect, found.low, found.high], want, atol=1e-4)
    write_effects(tmp_path / "e.tsv", made, {"m": [found]})
    last = (tmp_path / "e.tsv").read_text().splitlines()[1].split("\t")
    assert last[:5] == ["r2", "5", ref, other, "m"]
    assert float(last[5]) == pytest.approx(want, rel=1e-3)


def test_a_vcf_is_looked_up_in_every_row_that_covers_it(tmp_path, made):
    start = np.array([100, 110, 500, -1, 100, 100])
    chrom = np.array(["chr1", "chr1", "chr1", "chr1", "chr2", "chr1"])
    codes = ROWS.codes.copy()
    codes[[0, 1, 5], [20, 10, 20]] = 0
    moved = subject(codes, model=Formula(score))
    moved = dataclasses.replace(moved, task=dataclasses.replace(moved.task, chrom=chrom, position=start))
    path = tmp_path / "v.vcf"
    path.write_text("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\nchr1\t121\t.\tA\tC,T\n")
    found = read_variants(path, moved)
    assert [(v.row, v.at, v.ref, v.alt) for v in found] == [
        (row, at, "A", alt) for alt in "CT" for row, at in ((0, 20), (1, 10), (5, 20))
    ]
    path.write_text("chr9\t5\t.\tA\tC\n")
    with pytest.raises(BenchError, match=r"line 1: no row of world covers chr9:5"):
        read_variants(path, moved)
    with pytest.raises(BenchError, match="have no positions"):
        read_variants(path, made)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("r9\t1\tA\tC", "row 1 has the id 'r9'"),
        ("r1\tx\tA\tC", "position 'x'"),
        ("r1\t31\tA\tC", "position 31 is not in row 'r1' of 30 bases"),
        ("r1\t1\tA\tAC", "changes the length"),
        ("r1\t1\tN\tA", "must be letters A, C, G, T"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, made, line, said):
    with pytest.raises(BenchError, match=said):
        read_variants(table(tmp_path, line), made)


def test_another_reference_is_refused(tmp_path, made):
    wrong = next(b for b in "ACGT" if b != TEXT[0][0])
    with pytest.raises(BenchError, match=f"has {TEXT[0][0]} at position 1, not {wrong}"):
        read_variants(table(tmp_path, f"r0\t1\t{wrong}\t{TEXT[0][0]}"), made)


def answer(seed: int, r2: float, *families: tuple[str, tuple[str, ...], float]) -> Explanation:
    def flat(value):
        return Estimate(value=value, low=value, high=value)

    rungs = [Rung(name="GC", columns=1, r2=flat(r2), more=flat(r2))]
    made = [
        Family(motif=m, family="", others=[*o], site="A", effect=flat(e), dose=[], position=[]) for m, o, e in families
    ]
    planted = PlantedMotifs(
        motifs=3, too_long=0, backgrounds=2, again=2, tested=2, families=made, pairs=[],
        exchange=Exchange(per_point=flat(0), points=[], curve=[]),
    )  # fmt: skip
    return Explanation(
        key=str(seed), task="t", target="y", split="s", featurizer="f", model="m", seed=seed, quick=True, motifs="",
        spread=1.0, seconds={}, left_out={}, ladder=Ladder(rows=1, loci=1, folds=1, rungs=rungs), planted=planted,
    )  # fmt: skip


def test_seeds_are_laid_side_by_side():
    first, second, third = answer(0, 0.2, ("A", ("B",), 1.0)), answer(1, 0.5, ("B", ("A",), 0.7)), answer(2, 0.3)
    [seeds] = by_pair([second, first, third])
    assert [each.seed for each in seeds] == [0, 1, 2]
    assert rung_ranges(seeds) == [(0.2, 0.5)]
    assert rung_ranges([first]) == []
    assert elsewhere(first.planted.families[0], first, seeds) == [0.7, None]
