"""In-silico mutagenesis against brute force, and against models whose reading is known."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import Formula, occupancy, subject, world
from rich.console import Console
from small_tasks import write_small_task

from bench.explain.mutated import ask_mutated, chosen, composition_share, mutate, power, write_bedgraph, write_npz
from bench.explain.subject import Effort
from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.run.predictors import Predictors
from bench.sequences import Sequences, decode
from bench.store.store import Store


@pytest.mark.parametrize(
    ("f", "m"),
    [
        ("kmers[k=3]", "ridge"),
        ("gc-windows", "xgboost[rounds=20]"),
        pytest.param("one-hot", "cnn[epochs=2,batch=32]", marks=pytest.mark.slow),
    ],
)
def test_maps_are_those_of_brute_force(tmp_path, f, m):
    """Every changed row as a string of its own, by the fitted model, one at a time."""
    path, store = write_small_task(tmp_path / "data", rows=120), Store(tmp_path / "out")
    registry = Registry((), dropped=False)
    plan = make_plan(Selection((str(path),), (f,), (m,), keep_models=True), registry, store)
    [job] = plan.jobs
    run_plan(plan, registry, store, Console(quiet=True))
    task = job.planned.task
    with Predictors(registry, store) as source:
        predictor = source.of(job)
        few = task.sequences.take(slice(0, 2))
        made = subject([few.codes(0), few.codes(1)], prediction=[0.0, 1.0])
        object.__setattr__(made, "predictor", predictor)
        object.__setattr__(made, "task", task)
        maps = mutate(made, np.array([0, 1]))
        for i, delta in enumerate(maps.delta):
            whole = decode(few.codes(i))
            strings = [whole, *(whole[:p] + b + whole[p + 1 :] for p in (0, 7, 39) for b in "ACGT")]
            one_by_one = [
                float(predictor.predict(Sequences.from_strings([s]), [int(made.fold[i])])[0, 0]) for s in strings
            ]
            want = (np.array(one_by_one[1:]).reshape(3, 4) - one_by_one[0]) / made.spread
            np.testing.assert_allclose(delta[[0, 7, 39]], want, atol=1e-5)


def maps_of(of, rows, count=12):
    made = subject(rows.codes, model=Formula(of))
    return made, mutate(made, chosen(made, count))


def test_a_counter_is_composition_and_a_reader_of_sites_is_not():
    rows = world(("MA0099",), rows=60, length=80, rate=1.0)
    weights = np.array([-1.0, 2.0, 0.5, 0.0])
    _, maps = maps_of(lambda codes: float(weights[codes].sum()), rows)
    np.testing.assert_allclose(composition_share(maps), 1, atol=1e-5)
    ap1 = occupancy("MA0099")
    _, maps = maps_of(ap1, rows)
    share = composition_share(maps)
    assert np.nanmean(share) < 0.15


def test_bases_of_planted_sites_stand_out():
    rows = world(("MA0099",), rows=60, length=80, rate=0.7)
    ap1 = occupancy("MA0099")
    made = subject(rows.codes, model=Formula(ap1))
    has = np.flatnonzero(rows.hits[:, 0] == 1)[:10]
    maps = mutate(made, has)
    strength = np.concatenate([np.abs(each) for each in maps.contributions()])
    planted = np.concatenate([rows.written[i] for i in has])
    from sklearn.metrics import roc_auc_score

    assert roc_auc_score(planted, strength) > 0.95


def test_a_period_of_ten_bases_is_found_and_none_in_shuffles():
    rng = np.random.default_rng(4)
    rows = world((), rows=40, length=120)
    codes = rows.codes.copy()
    for row in codes:  # AA every ten bases
        for at in range(int(rng.integers(0, 10)), 118, 10):
            row[at : at + 2] = 0

    def of(c):  # reads AA dinucleotides in step: by the strength of their period
        at = np.flatnonzero((c[:-1] == 0) & (c[1:] == 0))
        return float(np.abs(np.exp(2j * np.pi * at / 10).sum()) ** 2)

    made = subject(codes, model=Formula(of))
    found, _ = ask_mutated(made, Effort(rows=16))
    assert {band.name: band.found for band in found.bands}["10 to 11 bases"]
    # Rows without the period: nothing is found in them.
    plain = subject(world((), rows=40, length=120, seed=9).codes, model=Formula(lambda c: float((c == 1).sum())))
    found, _ = ask_mutated(plain, Effort(rows=16))
    assert not any(band.found for band in found.bands)


def test_power_is_all_of_a_wave_and_little_of_noise():
    n = np.arange(150)
    assert power(np.cos(2 * np.pi * n / 10.5), 10, 11) > 0.98
    assert power(np.cos(2 * np.pi * n / 75), 50, 1e9) > 0.98
    assert power(np.random.default_rng(0).normal(size=150), 10, 11) < 0.2
    assert np.isnan(power(np.zeros(150), 10, 11))


def test_files_hold_what_was_found(tmp_path):
    rows = world((), rows=20, length=30)
    made, maps = maps_of(lambda codes: float((codes == 2).sum()), rows, count=3)
    write_npz(tmp_path / "a.npz", made, maps)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert file["delta"].shape == (3, 30, 4)
        names = file["row_id"]
        np.testing.assert_array_equal(file["codes"], rows.codes[[int(name[1:]) for name in names]])
        own = np.take_along_axis(file["delta"], file["codes"][:, :, None].astype(int), axis=2)
        assert (own == 0).all()
    write_bedgraph(tmp_path / "a.bedgraph", made, maps)
    lines = (tmp_path / "a.bedgraph").read_text().splitlines()[1:]
    assert len(lines) == 90
    name, start, stop, value = lines[31].split("\t")
    assert (name, start, stop) == (names[1], "1", "2")
    assert float(value) == pytest.approx(maps.contributions()[1][1], rel=1e-4)
