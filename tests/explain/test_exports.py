"""Files for other programs: read again, and against what was counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import Formula, motif, occupancy, subject, world

from bench.explain.exports import found_motifs, write_genome, write_hits, write_meme, write_modisco
from bench.explain.mutated import mutate
from bench.explain.planted import plant
from bench.explain.subject import QUICK
from bench.motifs.database import jaspar_motifs
from bench.motifs.reading import read_motifs


@pytest.fixture(scope="module")
def read():
    rows = world(("MA0139",), rows=60, length=120, rate=1.0)
    of = occupancy("MA0139")
    made = subject(rows.codes, model=Formula(of))
    few = tuple(m for m in jaspar_motifs("vertebrates") if m.id[:6] in ("MA0139", "MA0099", "MA0506", "MA0062"))
    object.__setattr__(made, "motifs", few)
    place = np.flatnonzero(rows.hits[:, 0] > 0)[:6]
    return made, mutate(made, place), rows


def test_motifs_as_meme_are_read_again(tmp_path, read):
    made, *_ = read
    motifs = found_motifs(made, plant(made, QUICK))
    assert motifs[0].id.startswith("MA0139")
    write_meme(tmp_path / "m.meme", motifs)
    again = read_motifs(tmp_path / "m.meme")
    assert [m.id for m in again] == [m.id for m in motifs]
    np.testing.assert_allclose(again[0].counts.argmax(axis=1), motifs[0].counts.argmax(axis=1))
    p = motifs[0].counts / motifs[0].counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(again[0].counts / again[0].counts.sum(axis=1, keepdims=True), p, atol=0.02)


def test_hits_are_the_windows_that_pass_and_planted_sites_do_most(tmp_path, read):
    made, maps, _ = read
    ctcf = motif("MA0139")
    write_hits(tmp_path / "h.bed", made, maps, [ctcf])
    lines = [line.split("\t") for line in (tmp_path / "h.bed").read_text().splitlines()]
    odds, want = ctcf.log_odds(), set()
    for place, codes in zip(maps.place, maps.codes, strict=True):
        for at in range(len(codes) - len(odds) + 1):
            word = codes[at : at + len(odds)]
            for strand, w in (("+", word), ("-", 3 - word[::-1])):
                if sum(odds[i, b] for i, b in enumerate(w)) >= 0.8 * odds.max(axis=1).sum():
                    want.add((f"r{place}", str(at), strand))
    assert {(line[0], line[1], line[5]) for line in lines} == want
    assert len(want) > 3
    assert all(0 <= int(line[4]) <= 1000 and float(line[6]) > 0 for line in lines)


def fields(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_rows_that_overlap_are_one_track_in_genome_coordinates(tmp_path, read):
    made, maps, _ = read
    position = made.task.position
    position[maps.place[:2]] = (1000, 1050)
    made.task.chrom[maps.place[:2]] = "chr9"
    write_genome(tmp_path / "g.bedgraph", made, maps)
    lines = [line.split("\t") for line in (tmp_path / "g.bedgraph").read_text().splitlines()[1:]]
    assert [int(line[1]) for line in lines] == list(range(1000, 1170))
    assert {line[0] for line in lines} == {"chr9"}
    first, second = maps.contributions()[:2]
    value = {int(line[1]): float(line[3]) for line in lines}
    assert value[1000] == pytest.approx(first[0], rel=1e-3, abs=1e-6)
    assert value[1060] == pytest.approx((first[60] + second[10]) / 2, rel=1e-3, abs=1e-6)
    # On the minus strand a row lies the other way round, and its sites point the other way.
    write_hits(tmp_path / "f.bed", made, maps, [motif("MA0139")])
    object.__setattr__(made.task, "reverse", np.isin(np.arange(len(position)), maps.place[:1]))
    write_genome(tmp_path / "g.bedgraph", made, maps)
    write_hits(tmp_path / "r.bed", made, maps, [motif("MA0139")])
    value = {int(f[1]): float(f[3]) for f in map(str.split, (tmp_path / "g.bedgraph").read_text().splitlines()[1:])}
    assert value[1000 + 119 - 80] == pytest.approx(first[80], rel=1e-3, abs=1e-6)
    name = f"r{maps.place[0]}"
    there, back = ([f for f in fields(tmp_path / n) if f[3].endswith(f"|{name}")] for n in ("f.bed", "r.bed"))
    assert len(there) >= 1
    assert {(2120 - int(f[2]), {"+": "-", "-": "+"}[f[5]]) for f in there} == {(int(f[1]), f[5]) for f in back}
    object.__setattr__(made.task, "reverse", None)
    position[:] = -1


def test_arrays_for_modisco_are_one_hot_rows_and_scores_that_sum_to_zero(tmp_path, read):
    _, maps, _ = read
    write_modisco(tmp_path / "m.npz", maps)
    with np.load(tmp_path / "m.npz") as found:
        hot, score = found["sequences"], found["contributions"]
    assert hot.shape == score.shape == (len(maps.codes), 120, 4)
    np.testing.assert_array_equal(hot.argmax(axis=2), np.stack(maps.codes))
    np.testing.assert_allclose(score.sum(axis=2), 0, atol=1e-5)
    own = (score * hot).sum(axis=2)
    np.testing.assert_allclose(own, np.stack(maps.contributions()) * 3 / 4, atol=1e-5)
