"""The verdict in words, on models whose reading is known."""

from __future__ import annotations

import numpy as np
import pytest
from motif_worlds import Formula, motif, occupancy, subject, world

from bench.explain.ladder import ladder
from bench.explain.planted import plant
from bench.explain.record import Explanation
from bench.explain.subject import Effort
from bench.explain.verdict import verdict
from bench.motifs.reading import read_motifs

SMALL = Effort(ladder_rows=500, folds=3, backgrounds=6, second=6, again=24, families=3, pairs=1)
NAMES = ("MA0099", "MA0506")


def gc(codes) -> float:
    return float(np.isin(codes, (1, 2)).mean())


def cpg(codes) -> float:
    return float(((codes[:-1] == 1) & (codes[1:] == 2)).sum())


def place(codes) -> float:
    """Reads bases where they stand: no composition, no motif."""
    weights = np.random.default_rng(5).normal(size=(len(codes), 4))
    return float(weights[np.arange(len(codes)), codes].sum())


AP1, NRF1 = (occupancy(name) for name in NAMES)
MODELS = {
    "GC alone": lambda codes: np.tanh(4 * (gc(codes) - 0.45)),
    "composition": lambda codes: cpg(codes) + 5 * gc(codes),
    "motifs": lambda codes: AP1(codes) - NRF1(codes),
    "motifs and GC": lambda codes: AP1(codes) + NRF1(codes) + 12 * gc(codes),
    "something else": place,
    "nothing": lambda codes: 0.3,
}


@pytest.mark.parametrize("truth", MODELS)
def test_the_verdict_is_the_truth(tmp_path, truth):
    path = tmp_path / "few.txt"
    said = []
    for name in (*NAMES, "MA0095", "MA0060", "MA0139"):
        found = motif(name)
        said.append(f">{found.id} {found.name}")
        said += [f"{b} [ {' '.join(map(str, column))} ]" for b, column in zip("ACGT", found.counts.T, strict=True)]
    path.write_text("\n".join(said) + "\n")
    rows = world(NAMES, rows=500, length=100, rate=0.6)
    made = subject(rows.codes, model=Formula(MODELS[truth]), motifs=tuple(read_motifs(path)))
    object.__setattr__(made, "motif_features", f"motifs[file={path}]")
    answer = Explanation(
        key="k", task="t", target="y", split="s", featurizer="f", model="m", seed=0, quick=True, motifs="few",
        spread=0.0 if made.constant else made.spread, seconds={}, left_out={},
        ladder=ladder(made, SMALL), planted=plant(made, SMALL),
    )  # fmt: skip
    name, said_of = verdict(answer)
    assert name == truth, (said_of, [(r.name, r.r2.value, r.more.low) for r in answer.ladder.rungs])
    assert said_of.startswith(f"reads {truth}")
