"""Worlds in which what a model reads is known: sequences with sites written in, and models that are formulas.

Nothing here shares code with ``bench.explain``: sites are drawn from the counts of a motif, effects are counted from
what was written, and oracles score sequences by their own loops over positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.explain.subject import Subject
from bench.motifs.database import jaspar_motifs
from bench.plugins.registry import Registry
from bench.sequences import Sequences
from bench.tasks.splits import Split
from bench.tasks.task import Card, Target, Task


def motif(identifier: str):
    """A vertebrate motif by the first letters of its ID, or by its name."""
    found = [m for m in jaspar_motifs("vertebrates") if m.id.startswith(identifier.partition(".")[0])]
    return found[0] if found else next(m for m in jaspar_motifs("vertebrates") if m.name == identifier)


def site(counts, rng):
    """A site drawn from a motif's counts: every position by its sharpened frequencies."""
    p = counts / counts.sum(axis=1, keepdims=True)
    p = p**2 / (p**2).sum(axis=1, keepdims=True)
    return np.array([rng.choice(4, p=q) for q in p], np.uint8)


@dataclass(frozen=True, eq=False)
class World:
    """codes (n, length); hits (n, motifs): sites written; written (n, length): bases of sites; sharp : those at
    positions above 1 bit."""

    codes: np.ndarray
    hits: np.ndarray
    written: np.ndarray
    sharp: np.ndarray
    gc: np.ndarray


def world(names, rows=2000, length=150, rate=0.5, seed=0, spread=0.08) -> World:
    """Random rows of varying GC with Poisson numbers of sites of each motif, on either strand."""
    rng = np.random.default_rng(seed)
    wanted = np.clip(rng.normal(0.45, spread, rows), 0.2, 0.8)
    strong = rng.random((rows, length)) < wanted[:, None]
    codes = np.where(strong, rng.integers(1, 3, (rows, length)), 3 * rng.integers(0, 2, (rows, length)))
    codes = codes.astype(np.uint8)
    hits = np.zeros((rows, len(names)), int)
    written = np.zeros((rows, length), bool)
    sharp = np.zeros((rows, length), bool)
    for i in range(rows):
        for j, name in enumerate(names):
            for _ in range(rng.poisson(rate)):
                counts = motif(name).counts
                word, p = site(counts, rng), counts / counts.sum(axis=1, keepdims=True)
                clear = 2 + (p * np.log2(np.maximum(p, 1e-9))).sum(axis=1) > 1
                if rng.random() < 0.5:
                    word, clear = (3 - word)[::-1], clear[::-1]
                at = rng.integers(0, length - len(word))
                if not written[i, at : at + len(word)].any():
                    codes[i, at : at + len(word)] = word
                    written[i, at : at + len(word)] = True
                    sharp[i, at : at + len(word)] = clear
                    hits[i, j] += 1
    return World(codes, hits, written, sharp, np.isin(codes, (1, 2)).mean(axis=1))


def strings(codes) -> list[str]:
    return ["".join("ACGTN"[c] for c in row) for row in codes]


def task(codes, y=None, tiles=2, organism="Homo sapiens") -> Task:
    """A task of rows, two to a locus, in six chromosomes."""
    n = len(codes)
    locus = np.arange(n) // tiles
    values = np.zeros(n) if y is None else y
    return Task(
        Card("world", "World", organism=organism),
        Sequences.from_strings(strings(codes)),
        np.array([f"r{i}" for i in range(n)]),
        np.array([f"chr{1 + each % 6}" for each in locus]),
        np.full(n, -1, np.int64),
        locus,
        {"y": Target("y", np.column_stack([values, values]), ("1", "2"))},
        {},
        Split.parse("chromosome-kfold[k=3]"),
        "digest",
    )


class Formula:
    """A model that is a function of codes, with one fold more of an offset each."""

    folds = 3

    def __init__(self, of, level=5.0):
        self.of, self.level = of, level
        self.asked = 0

    def predict(self, sequences, folds=None):
        chosen = range(self.folds) if folds is None else folds
        self.asked += len(sequences)
        found = np.array([self.of(sequences.codes(i)) for i in range(len(sequences))])
        return np.stack([found + self.level * f for f in chosen], axis=1).astype(np.float32)

    def mutants(self, sequences, fold):
        return None


def occupancy(name):
    """A soft count of sites of a motif on both strands, from its counts: own loops, own pseudo-counts."""
    counts = motif(name).counts
    odds = np.log((counts + 0.5) / (counts.sum(axis=1, keepdims=True) + 2) / 0.25)
    most = odds.max(axis=1).sum()

    def of(codes):
        k, total = len(odds), 0.0
        if len(codes) < k:
            return 0.0
        windows = np.lib.stride_tricks.sliding_window_view(codes, k)
        for w in (windows, (3 - windows.astype(int))[:, ::-1]):
            score = odds[np.arange(k), w].sum(axis=1)
            total += (1 / (1 + np.exp(-3.0 * (score - 0.75 * most)))).sum()
        return total

    return of


def subject(codes, prediction=None, model=None, seed=0, organism="Homo sapiens", motifs=None) -> Subject:
    """A subject on rows: of given predictions, or of a model that is asked for them."""
    from bench.explain.explain import featurizing
    from bench.motifs.database import group_of

    made = task(codes, organism=organism)
    fold = np.array([int(c[3:]) % 3 for c in made.chrom])
    if prediction is None:
        prediction = model.predict(made.sequences)[np.arange(len(codes)), fold]
    group = group_of(organism)
    return Subject(
        made, "y", "world", np.arange(len(codes)), fold, np.asarray(prediction, float), featurizing(made, Registry(())),
        jaspar_motifs(group) if motifs is None else motifs, f"motifs[taxon={group}]", f"JASPAR {group}",
        predictor=model, seed=seed,
    )  # fmt: skip
