"""How often `bench explain` finds what is there, on worlds whose truth is known:

    python tests/support/explain_study.py --worlds 20 planted ladder mutated periods

Models are formulas (``motif_worlds``), so that a figure tells of the method alone and not of a learner.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from motif_worlds import Formula, motif, occupancy, subject, world

from bench.explain.ladder import ladder
from bench.explain.mutated import ask_mutated, mutate
from bench.explain.planted import plant
from bench.explain.subject import QUICK, Effort
from bench.motifs.database import jaspar_motifs

#: Motifs far from one another that worlds are made of.
POOL = ("MA0099", "MA0506", "MA0095", "MA0060", "MA0153", "MA0139", "MA0079", "MA0062", "MA0102", "MA0018", "MA0143")


def z(x):
    return (x - x.mean()) / x.std()


def drawn(seed):
    rng = np.random.default_rng(1000 + seed)
    return rng, list(rng.choice(POOL, 4, replace=False))


def planted(seed) -> float:
    """Of four planted motifs, those whose group is among the first five."""
    rng, names = drawn(seed)
    rows, each = world(names, rows=100, seed=seed), [occupancy(name) for name in names]
    size = rng.uniform(0.4, 1.2, 4) * rng.choice([-1, 1], 4)
    slope = rng.uniform(-4, 4)
    model = Formula(
        lambda c: sum(s * o(c) for s, o in zip(size, each, strict=True)) + slope * np.isin(c, (1, 2)).mean()
    )
    found = plant(subject(rows.codes, model=model), QUICK).families[:5]
    titles = [{each.motif, *each.others} for each in found]
    families = {part for each in found for part in each.family.split("::")}
    hit = [any(motif(n).title in group for group in titles) or motif(n).family in families for n in names]
    return sum(hit) / 4


def gc_only(seed) -> float:
    """Families that are found in a model that counts GC: none is right."""
    rng, names = drawn(seed)
    rows, bend = world(names, rows=100, seed=seed), rng.uniform(2, 8)
    made = subject(rows.codes, model=Formula(lambda c: float(np.tanh(bend * (np.isin(c, (1, 2)).mean() - 0.45)))))
    return len(plant(made, QUICK).families)


def climbed(seed) -> list[float]:
    """R² of GC and of the motif rung less the truth, .35 and .90."""
    rng, names = drawn(seed)
    rows = world(names, rows=3000, seed=seed)
    counted = sum(np.array([of(codes) for codes in rows.codes]) for of in map(occupancy, names))
    gc = z(rows.gc)
    sites = z(counted - gc * (counted @ gc) / len(gc))
    y = np.sqrt(0.35) * gc + np.sqrt(0.55) * sites + np.sqrt(0.1) * z(rng.normal(size=len(gc)))
    found = {r.name: r.r2.value for r in ladder(subject(rows.codes, y), Effort()).rungs}
    return [found["GC"] - 0.35, found["motifs"] - 0.90]


def bases(seed) -> float:
    """AUROC of planted bases (positions above 1 bit) by changed bases."""
    from sklearn.metrics import roc_auc_score

    _, names = drawn(seed)
    rows, each = world(names, rows=60, seed=seed), [occupancy(name) for name in names]
    made = subject(rows.codes, model=Formula(lambda c: sum(o(c) for o in each)))
    maps = mutate(made, np.flatnonzero(rows.hits.sum(axis=1) > 0)[:20])
    strength = np.concatenate([np.abs(each) for each in maps.contributions()])
    return float(roc_auc_score(np.concatenate([rows.sharp[i] for i in maps.place]), strength))


def period(seed) -> list[int]:
    """Whether a planted period of ten bases is found, and whether one is in rows without it."""
    rng = np.random.default_rng(seed)

    def of(c):
        at = np.flatnonzero((c[:-1] == 0) & (c[1:] == 0))
        return float(np.abs(np.exp(2j * np.pi * at / 10).sum()) ** 2)

    out = []
    for wave in (True, False):
        codes = world((), rows=60, length=150, seed=seed).codes.copy()
        for row in codes if wave else ():
            for at in range(int(rng.integers(0, 10)), 148, 10):
                row[at : at + 2] = 0
        words = Formula(of) if wave else Formula(lambda c: float((c[:-1] + 4 * c[1:] == 9).sum()))
        found, _ = ask_mutated(subject(codes, model=words), Effort(rows=20))
        out.append(int({band.name: band.found for band in found.bands}["10 to 11 bases"]))
    return out


STUDIES = {"planted": planted, "gc-only": gc_only, "ladder": climbed, "bases": bases, "periods": period}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", default=[*STUDIES])
    parser.add_argument("--worlds", type=int, default=20)
    arguments = parser.parse_args()
    jaspar_motifs("vertebrates")
    for name in arguments.studies:
        began = time.process_time()
        found = np.array([STUDIES[name](seed) for seed in range(arguments.worlds)], float)
        mean = np.round(found.mean(axis=0), 4)
        print(
            f"{name}: mean {mean}, all {found.round(3).tolist()}, {time.process_time() - began:.0f} CPU s", flush=True
        )
