"""Simulated reporter assays in which the share of GC is known.

Latent activity of row i in locus l: T = √g·z(GC) + √m·z(motifs) + √(1 − g − m)·noise of the locus. Counts: abundance
μ ~ Gamma(.7, 8), DNA ~ Poisson(depth·μ·e^{b·z(GC)}), RNA_r ~ Poisson(depth_r·μ·e^T·Gamma). Everything follows from the
seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.sequences import encode
from bench.stats.ceilings import replicate_correlations
from bench.stats.ranks import Array

#: A motif of AP-1's kind, written so that GC does not change, and one of SP1's kind, whose every hit adds GC.
MOTIFS = {"neutral": encode("ATGACTCATC"), "rich": encode("GGGGCGGGGC")}


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated data set of n rows, with what is true of it.

    codes : uint8 (n, length), A C G T = 0 1 2 3. locus : int64 (n,), 0-based. chrom : int64 (n,), 0-based; a locus lies
    on one.
    dna : int64 (n,). rna : int64 (n, k). replicates : float64 (n, k), log2((RNA + 1)/N_RNA) − log2((DNA + 1)/N_DNA).
    latent : T, float64 (n,). gc : realised GC fraction (n,). hits : motifs that were written in (n,).
    gc_share, motif_share : g and m, of the variance of T.
    """

    codes: NDArray[np.uint8]
    locus: NDArray[np.int64]
    chrom: NDArray[np.int64]
    dna: NDArray[np.int64]
    rna: NDArray[np.int64]
    replicates: Array
    latent: Array
    gc: Array
    hits: NDArray[np.int64]
    gc_share: float
    motif_share: float

    @property
    def y(self) -> Array:
        """Mean of the replicates, float64 (n,)."""
        return self.replicates.mean(axis=1)

    def board_share(self, rows: NDArray[Any] | None = None) -> float:
        """GC's share on the scale of the board: mean over pairs of ρ(z, si)·ρ(z, sj) over that of ρ(T, si)·ρ(T, sj).

        z is GC, T the latent, s the replicates, ρ on rank-Gaussian scores; ``rows`` limits it to rows that pass a
        filter on DNA. With one replicate both sides take it twice.
        """
        columns = np.column_stack([self.gc, self.latent, self.replicates])
        columns = columns if rows is None else columns[rows]
        sides = []
        for side in (0, 1):
            r = [
                float(replicate_correlations(columns[:, [side, 2 + i]], gaussian=True)[0, 0])
                for i in range(self.replicates.shape[1])
            ]
            sides.append(np.mean([a * b for a, b in combinations(r, 2)]) if len(r) > 1 else r[0] ** 2)
        return float(sides[0] / sides[1])


def _z(x: NDArray[Any]) -> Array:
    spread = np.std(x)
    return (x - np.mean(x)) / spread if spread > 0 else np.zeros(len(x))


def sequences_of(
    rng: np.random.Generator, wanted: Array, hits: NDArray[np.int64], length: int, motif: NDArray[np.uint8], rich: bool
) -> NDArray[np.uint8]:
    """Codes (n, length) at the wanted GC with ``hits`` copies of the motif at places that do not overlap."""
    n, width = len(wanted), len(motif)
    motif_gc = int(np.isin(motif, (1, 2)).sum())
    slots = length // width
    place = np.argsort(rng.random((n, slots)), axis=1)  # row i writes into the first hits[i] of its slots
    taken = np.argsort(place, axis=1) < hits[:, None]
    written = np.zeros((n, length), np.bool_)
    written[:, : slots * width] = np.repeat(taken, width, axis=1)
    # Neutral: the rest makes up for the motifs, so that the row has exactly the count it would have had without them.
    # Rich: every base has its draw and the motif overwrites some, so that hits bring GC with them.
    order = rng.random((n, length))
    count = rng.binomial(length, wanted)
    if rich:
        strong = order < wanted[:, None]
    else:
        order[written] = 2.0
        rest = np.clip(count - motif_gc * hits, 0, length - width * hits)
        strong = np.argsort(np.argsort(order, axis=1), axis=1) < rest[:, None]
    second = rng.integers(0, 2, (n, length), dtype=np.uint8)
    codes = np.where(strong, 1 + second, 3 * second).astype(np.uint8)
    codes[written] = np.resize(motif, (n, slots * width) if slots * width else (0,))[taken.repeat(width, axis=1)]
    return codes


def simulate(
    loci: int = 1000,
    tiles: int = 1,
    *,
    gc_share: float = 0.3,
    motif_share: float = 0.3,
    length: int = 150,
    motif: Literal["neutral", "rich"] = "neutral",
    depths: Sequence[float] = (10.0, 10.0),
    dna_depth: float = 1.0,
    gc_bias: float = 0.0,
    library_bias: float = 0.0,
    overdispersion: float = 0.2,
    zero_inflation: float = 0.0,
    chromosomes: int = 10,
    seed: int = 0,
) -> Simulated:
    """A simulated data set of ``loci · tiles`` rows.

    Parameters
    ----------
    loci, tiles : loci, and rows in each. Tiles share the locus' GC (up to a jitter of .02) and its noise.
    gc_share, motif_share : g and m, of the latent variance; g + m ≤ 1.
    length : bases per row. motif : "neutral" (GC independent of hits) or "rich" (each hit brings GC).
    depths : RNA depth of every replicate; .004 and .02 give the 96.8 % and 87.8 % zeros of a SuRE library.
    dna_depth : depth of the DNA count, times μ. Small: DNA noise, which all replicates share.
    gc_bias : b, of the DNA count alone (a bias of sequencing the DNA): it puts −b·z(GC) into the ratio.
    library_bias : b of the abundance itself, thus of DNA and RNA alike: the ratio loses it, but for low counts.
    overdispersion : variance of the Gamma factor (mean 1) of each RNA count; 0 for none.
    zero_inflation : chance that an RNA count is lost (0 whatever the activity).
    chromosomes : loci are dealt to so many labels in turn.
    """
    if not (gc_share >= 0 and motif_share >= 0 and gc_share + motif_share <= 1 + 1e-12):
        raise ValueError(f"gc_share + motif_share must lie in [0, 1], both from 0. Got {gc_share} and {motif_share}.")
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    n = loci * tiles
    locus = np.repeat(np.arange(loci), tiles)
    wanted = np.clip(rng.normal(0.45, 0.08, loci)[locus] + rng.normal(0, 0.02, n), 0.1, 0.9)
    pattern = MOTIFS[motif]
    hits = np.minimum(rng.poisson(1.0, n), length // (2 * len(pattern)))
    codes = sequences_of(rng, wanted, hits, length, pattern, motif == "rich")
    gc = np.isin(codes, (1, 2)).mean(axis=1)
    noise = rng.normal(size=loci)[locus]
    rest = max(0.0, 1 - gc_share - motif_share)
    latent = np.sqrt(gc_share) * _z(gc) + np.sqrt(motif_share) * _z(hits) + np.sqrt(rest) * noise
    abundance = rng.gamma(0.7, 8.0, n) * np.exp(library_bias * _z(gc))
    dna = rng.poisson(dna_depth * abundance * np.exp(gc_bias * _z(gc)))
    rna = np.empty((n, len(depths)), np.int64)
    for r, depth in enumerate(depths):
        factor = rng.gamma(1 / overdispersion, overdispersion, n) if overdispersion > 0 else np.ones(n)
        rna[:, r] = rng.poisson(depth * abundance * np.exp(latent) * factor) * (rng.random(n) >= zero_inflation)
    ratio = np.log2((rna + 1) / np.maximum(rna.sum(axis=0), 1)) - np.log2((dna + 1) / max(dna.sum(), 1))[:, None]
    return Simulated(
        codes, locus, locus % chromosomes, dna, rna, ratio, latent, gc, hits, float(gc_share), float(motif_share)
    )


def noisy_replicates(latent: Array, reliability: float, replicates: int, seed: int = 0) -> Array:
    """Replicates (n, k) of a latent of variance 1 with Gaussian noise, such that each has the given reliability.

    The plain form, for calibration: no counts, no shared DNA noise.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    noise = rng.normal(size=(len(latent), replicates))
    return np.asarray(latent)[:, None] + np.sqrt(1 / reliability - 1) * noise
