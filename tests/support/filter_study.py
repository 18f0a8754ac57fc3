"""Small networks trained on simulated rows: flags of those that count GC and of those that read motifs, and what
Tomtom calls their filters.

    python tests/support/filter_study.py --worlds 20
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from types import SimpleNamespace

import numpy as np
from motif_worlds import motif, subject, world
from small_network import SmallNetwork

from bench.explain.filters import ask_filters
from bench.explain.subject import Effort
from bench.fit.first_layer import first_layers

#: Motifs far from one another that worlds are made of.
POOL = ("MA0099", "MA0506", "MA0095", "MA0060", "MA0153", "MA0139", "MA0079", "MA0062", "MA0102", "MA0018", "MA0143")
ROWS, TRAIN = 3000, 2000


@dataclasses.dataclass
class Asked:
    """A predictor of one fold that knows its first layer alone."""

    model: SmallNetwork
    folds: int = 1

    def first_layers(self, sequences, fold, most, few):
        return first_layers(self.model, sequences, 0, most, few)


def z(x):
    return (x - x.mean()) / x.std()


def explained_network(kind, seed):
    """Train on rows whose activity is GC (``gc``) or the number of sites of two motifs; the answer and the families."""
    rng = np.random.default_rng(500 + seed)
    names = list(rng.choice(POOL, 2, replace=False))
    rows = world(names, rows=ROWS, length=100, seed=seed)
    y = (z(rows.gc) if kind == "gc" else z(rows.hits.sum(axis=1))) + rng.normal(0, 0.3, ROWS)
    model = SmallNetwork()
    values = SimpleNamespace(values=rows.codes[:TRAIN])
    model.fit(SimpleNamespace(x=values, y=y[:TRAIN].astype(np.float32)), None, SimpleNamespace(seed=seed))
    test = rows.codes[TRAIN:]
    made = subject(test, model.predict(SimpleNamespace(values=test)))
    made.task.targets["y"].value[:] = y[TRAIN:]
    made = dataclasses.replace(made, fold=np.zeros(len(test), np.int64), predictor=Asked(model))
    families = {motif(name).family for name in names}
    return ask_filters(made, Effort())[0], families | {part for each in families for part in each.split("::")}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=20)
    worlds, began = parser.parse_args().worlds, time.process_time()
    for kind in ("gc", "motif"):
        found = [explained_network(kind, seed) for seed in range(worlds)]
        print(f"{kind}: flagged {sum(each.counter for each, _ in found)} of {worlds}, influence of counters",
              [round(each.counted, 2) for each, _ in found])  # fmt: skip
    named = [[f.match.family in families for f in each.strongest[:5] if f.match] for each, families in found]
    every = [right for each in named for right in each]
    first = sum(each[:1] == [True] for each in named)
    print(f"the first match is of a planted family in {first} of {worlds}; of the five strongest filters' matches"
          f" {sum(every)} of {len(every)}; {time.process_time() - began:.0f} CPU s")  # fmt: skip
