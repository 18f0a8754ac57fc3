"""Motifs that were read out of a model, and the motifs of the database that they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.explain.record import Match
from bench.explain.subject import Subject
from bench.motifs.tomtom import Targets, q_values, tomtom

#: Pseudo-counts of a position; bits below which ends are left out.
PSEUDO, TRIM = 1.0, 0.25
#: Matches are told below this false discovery rate, and where they are nearer than those of so many shuffles of the
#: motif's own positions: motifs of little information are near to others of little.
FOUND, SHUFFLES = 0.05, 19
#: Motifs that are compared with the database, the first.
COMPARED = 96


def shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies of bases with pseudo-counts, float64 (width, 4)."""
    return (counts + PSEUDO / 4) / (counts.sum(axis=1, keepdims=True) + PSEUDO)


def information(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits of each position, float64 (width,)."""
    return np.asarray(2 + (p * np.log2(p)).sum(axis=1))


def trimmed(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts without the ends that tell nothing; all of them where no position tells anything."""
    kept = np.flatnonzero(information(shares(counts)) >= TRIM)
    return counts[kept[0] : kept[-1] + 1] if len(kept) else counts


def matches(subject: Subject, motifs: Sequence[NDArray[np.float64]], question: int) -> list[Match | None]:
    """The nearest motif of the database to each of some motifs (counts, the most important first), where it is one for
    sure. ``question`` : whose random numbers the shuffles are."""
    compared = motifs[:COMPARED] if subject.motifs else []
    found: list[Match | None] = [None] * len(motifs)
    if not compared:
        return found
    targets, rng = Targets.of(subject.motifs), subject.rng(question)
    p = np.stack([tomtom(shares(each), targets) for each in compared])
    q = q_values(p.ravel()).reshape(p.shape)
    for i, (each, mine, theirs) in enumerate(zip(compared, p, q, strict=True)):
        nearest = int(np.argmin(mine))
        if theirs[nearest] <= FOUND and _nearer(shares(each), mine[nearest], targets, rng):
            motif = subject.motifs[nearest]
            found[i] = Match(motif=motif.title, family=motif.family or motif.name, p=mine[nearest], q=theirs[nearest])
    return found


def _nearer(p: NDArray[np.float64], value: float, targets: Targets, rng: np.random.Generator) -> bool:
    """Whether every shuffle of a motif's positions has a nearest motif that is farther."""
    return all(tomtom(p[rng.permutation(len(p))], targets).min() > value for _ in range(SHUFFLES))
