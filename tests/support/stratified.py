"""Rows on a genome whose share of GC differs by the chromatin state that they lie in: a truth for strata.

Shares no code with ``bench``: the state of a row is known because the row was put into an interval of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Share of GC in the latent activity of each state, on the scale of Pearson's r²; the last is what lies in none.
SHARES = {
    "1_TssA": 0.45,
    "2_Flank": 0.3,
    "3_Enh": 0.15,
    "4_EnhWk": 0.1,
    "5_Het": 0.05,
    "10_Repr": 0.0,
    "elsewhere": 0.2,
}
#: What the states differ in besides: level of GC and of activity.
SHIFT = 0.8


@dataclass(frozen=True, eq=False)
class Stratified:
    """n rows: chrom str, start and end int64, gc float64 (a fraction), y float64 (n, replicates), locus int64, state
    str. ``bed``: lines of the intervals. ``truth``: state -> share of the explainable variance on ranks."""

    chrom: NDArray[np.str_]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    gc: NDArray[np.float64]
    y: NDArray[np.float64]
    locus: NDArray[np.int64]
    state: NDArray[np.str_]
    bed: list[str]
    truth: dict[str, float]

    def write_bed(self, path: Path) -> Path:
        """The intervals as a BED file."""
        path.write_text("\n".join(self.bed) + "\n")
        return path


def rank_share(share: float) -> float:
    """Squared Spearman of two normal variables whose squared Pearson is ``share``: (6/π · asin(ρ/2))²."""
    return float((6 / np.pi * np.arcsin(np.sqrt(share) / 2)) ** 2)


def stratified(
    rows: int, intervals: int, *, seed: int = 0, reliability: float = 0.5, replicates: int = 2, cluster: float = 0.3
) -> Stratified:
    """Rows of 300 bases or so, each more than half within an interval of its state or clear of all of them.

    Parameters
    ----------
    reliability : correlation of two replicates. cluster : part of the noise-free rest that rows of a locus share.
    """
    rng = np.random.default_rng(seed)
    names = np.array(list(SHARES))
    # One slot of 6,000 bases an interval, which takes up to 3,000 from its middle; every second slot is empty.
    slots = 2 * intervals
    kind = rng.integers(0, len(names) - 1, slots)
    kind[1::2] = len(names) - 1
    chrom_of = np.array([f"chr{1 + i}" for i in range(22)])[np.arange(slots) * 22 // slots]
    first = (np.arange(slots) - np.searchsorted(chrom_of_codes(chrom_of), chrom_of_codes(chrom_of))) * 6000
    low, high = first + 1500, first + 1500 + rng.integers(1500, 3001, slots)
    bed = [
        f"{c[3:]}\t{a}\t{b}\t{names[k]}"
        for c, a, b, k in zip(chrom_of, low, high, kind, strict=True)
        if k < len(names) - 1
    ]
    slot = np.sort(rng.integers(0, slots, rows))
    size = rng.integers(150, 451, rows)
    inside = high[slot] - low[slot]
    # Up to a third of a row may hang over the end of its interval.
    start = low[slot] - size // 3 + (rng.random(rows) * (inside - size + 2 * (size // 3))).astype(np.int64)
    state = kind[slot]
    share = np.array(list(SHARES.values()))[state]
    z = rng.normal(size=rows)
    shared = rng.normal(size=slots)[slot]
    rest = np.sqrt(cluster) * shared + np.sqrt(1 - cluster) * rng.normal(size=rows)
    latent = np.sqrt(share) * z + np.sqrt(1 - share) * rest + SHIFT * state / len(names)
    noise = np.sqrt(1 / reliability - 1)
    y = latent[:, None] + noise * rng.normal(size=(rows, replicates))
    gc = 0.45 + 0.06 * (z - SHIFT * state / len(names))
    truth = {name: rank_share(value) for name, value in SHARES.items()}
    return Stratified(chrom_of[slot], start, start + size, gc, y, slot, names[state], bed, truth)


def chrom_of_codes(chrom: NDArray[np.str_]) -> NDArray[np.int64]:
    """The number of each chromosome, int64."""
    return np.array([int(name[3:]) for name in chrom.tolist()])
