"""Worlds of a known GC share, one for each thing that replicates, counts and libraries do to a measurement.

Latent activity of a row: T = √g·curve(z) + √m·(motif hits − 1) + √(1 − g − m)·noise of the locus, z the realised GC of
the row on the scale of its population. The estimand is the squared rank correlation of E[T | GC] with T in that
population, rows weighted equally. Everything follows from the name and the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets.simulate import MOTIFS, sequences_of
from bench.errors import BenchError, nearest
from bench.stats.ranks import pearson

Array = NDArray[np.float64]
Rng = np.random.Generator

#: GC of loci, and its spread over loci and over the rows of one.
MEAN_GC, LOCUS_GC, ROW_GC = 0.45, 0.08, 0.02
#: Bases per row where nothing else is asked for.
LENGTH = 100


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of one simulated assay.

    codes : uint8 (n, length), A C G T = 0 1 2 3. locus, chrom : int64 (n,), 0-based. gc : realised fraction (n,).
    z : the same on the scale of its population. hits : motifs that were written in. latent : T (n,).
    seen : what a perfect GC-only learner predicts, up to scale (n,). replicates : (n, k), NaN where unmeasured.
    dna : int64 (n,) counts. control : bool (n,). stratum : labels (n,). None where the world has none.
    """

    codes: NDArray[np.uint8]
    locus: NDArray[np.int64]
    chrom: NDArray[np.int64]
    gc: Array
    z: Array
    hits: NDArray[np.int64]
    latent: Array
    seen: Array
    replicates: Array
    dna: NDArray[np.int64] | None = None
    control: NDArray[np.bool_] | None = None
    stratum: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.gc)

    def take(self, rows: NDArray[Any]) -> Rows:
        """Some of the rows."""
        return replace(self, **{name: column[rows] for name, column in vars(self).items() if column is not None})


Measure = Callable[[Rng, Rows], Rows]


@dataclass(frozen=True)
class World:
    """A world by its name.

    says : what happens in it. truth : GC's share there. measure : what makes measurements of latent activity.
    biology : how rows differ from the usual 300 loci × 3 (arguments of ``_biology``). folds : by chromosome.
    min_dna : the task keeps rows with so many DNA reads; None without counts.
    """

    name: str
    says: str
    truth: float
    measure: Measure
    biology: Mapping[str, Any] = field(default_factory=dict)
    folds: int = 5
    min_dna: int | None = None

    def draw(self, seed: int, length: int = LENGTH, **changed: Any) -> Rows:
        """One assay of this world. ``changed`` : arguments of ``_biology`` in place of the world's own."""
        rng = np.random.default_rng(np.random.SeedSequence([zlib.crc32(self.name.encode()), seed]))
        rows = self.measure(rng, _biology(rng, length, **{**self.biology, **changed}))
        kept = np.asarray(np.isfinite(rows.replicates).any(axis=1))
        if self.min_dna is not None and rows.dna is not None:
            kept &= rows.dna >= self.min_dna
        return rows.take(kept)


# ---- rows ------------------------------------------------------------------------------------------------------------
def line(z: Array) -> Array:
    """Activity rises with GC."""
    return z


def hump(z: Array) -> Array:
    """Activity is highest at middling GC."""
    return -(z * z - 1) / np.sqrt(2)


def step(z: Array) -> Array:
    """Activity jumps where GC passes half a standard deviation."""
    above = 0.3085  # of a normal variable
    found: Array = ((z > 0.5) - above) / np.sqrt(above * (1 - above))
    return found


def _biology(
    rng: Rng,
    length: int,
    *,
    loci: int = 300,
    tiles: int = 3,
    largest: float = 0.0,
    uneven: bool = False,
    chromosomes: int = 10,
    parts: tuple[float, ...] = (),
    areas: int = 0,
    gc_share: float = 0.3,
    motif_share: float = 0.3,
    curve: Callable[[Array], Array] = line,
    rich: bool = False,
    slopes: float = 0.0,
) -> Rows:
    """Rows without measurements.

    largest : part of the rows that the first locus has. uneven : loci have 1 to some 15 rows. parts : of the loci, on
    each chromosome. areas : so many stretches share half of GC's variance and .3 of activity's. rich : a motif hit
    brings GC. slopes : standard deviation of GC's slope over chromosomes.
    """
    size = np.full(loci, tiles)
    if uneven:
        size = np.minimum(rng.geometric(0.25, loci), 15)
    if largest:
        size[0] = round(largest / (1 - largest) * size[1:].sum())
    area = rng.permutation(np.arange(loci) % areas) if areas else np.zeros(loci, np.int64)
    if parts:
        of_locus = rng.permutation(np.searchsorted(np.round(np.cumsum(parts) * loci), np.arange(loci), side="right"))
    else:
        of_locus = area % chromosomes if areas else rng.permutation(np.arange(loci) % chromosomes)
    locus = np.repeat(np.arange(loci), size)
    n = len(locus)
    level = rng.normal(size=loci)
    if areas:
        level = np.sqrt(0.5) * level + np.sqrt(0.5) * rng.normal(size=areas)[area]
    wanted = np.clip(MEAN_GC + LOCUS_GC * level[locus] + ROW_GC * rng.normal(size=n), 0.02, 0.98)
    pattern = MOTIFS["rich" if rich else "neutral"]
    hits = np.minimum(rng.poisson(1.0, n), length // (2 * len(pattern)))
    codes = sequences_of(rng, wanted, hits, length, pattern, rich)
    gc = np.isin(codes, (1, 2)).mean(axis=1)
    spread = LOCUS_GC**2 + ROW_GC**2 + (MEAN_GC * (1 - MEAN_GC) - LOCUS_GC**2 - ROW_GC**2) / length
    brought = (1 - MEAN_GC) * len(pattern) / length if rich else 0.0  # by each hit
    z = (gc - MEAN_GC - brought) / np.sqrt(spread + brought**2)
    slope = np.full(n, np.sqrt(gc_share))
    if slopes:
        slope = rng.normal(np.sqrt(gc_share), slopes, int(of_locus.max()) + 1)[of_locus[locus]]
    rest = max(0.0, 1 - gc_share - motif_share)
    noise = np.sqrt(rest) * rng.normal(size=loci)[locus]
    if areas:
        noise = np.sqrt(rest / 2) * rng.normal(size=loci)[locus]
        noise += np.sqrt(rest / 2) * rng.normal(size=areas)[area][locus]
    latent = slope * curve(z) + np.sqrt(motif_share) * (hits - 1.0) + noise
    return Rows(codes, locus, of_locus[locus], gc, z, hits, latent, curve(z), np.empty((n, 0)))


# ---- measurements ----------------------------------------------------------------------------------------------------
def replicates(*reliability: float) -> Measure:
    """Gaussian noise that gives each replicate its reliability."""

    def measure(rng: Rng, rows: Rows) -> Rows:
        signal = rows.latent / np.std(rows.latent)
        noise = rng.normal(size=(len(rows), len(reliability)))
        return replace(rows, replicates=signal[:, None] + np.sqrt(1 / np.array(reliability) - 1) * noise)

    return measure


def then(measure: Measure, change: Callable[[Rng, Rows, Array], Array]) -> Measure:
    """A measurement whose replicates (n, k) are changed: in place, or into what is returned."""

    def both(rng: Rng, rows: Rows) -> Rows:
        found = measure(rng, rows)
        return replace(found, replicates=change(rng, found, found.replicates.copy()))

    return both


def wide(rng: Rng, rows: Rows, y: Array) -> Array:
    """Replicate 2 is in units four times as wide."""
    return y * np.array([1.0, 4.0])


def outliers(rng: Rng, rows: Rows, y: Array) -> Array:
    """One value in twenty lies 20 standard deviations off."""
    off = rng.random(y.shape) < 0.05
    y[off] += 20 * np.std(y) * rng.choice([-1.0, 1.0], int(off.sum()))
    return y


def missing_at_random(rng: Rng, rows: Rows, y: Array) -> Array:
    """Replicate 2 lies two standard deviations higher; each lacks 30 % of the rows, never both."""
    y[:, 1] += 2 * np.std(y[:, 1])
    lot = rng.random(len(y))
    y[lot < 0.3, 0] = np.nan
    y[lot > 0.7, 1] = np.nan
    return y


def missing_by_gc(rng: Rng, rows: Rows, y: Array) -> Array:
    """Replicate 2 lies two standard deviations higher, and is missing more often at high GC."""
    y[:, 1] += 2 * np.std(y[:, 1])
    y[rng.random(len(y)) < 1 / (1 + np.exp(0.85 - 1.2 * rows.z)), 1] = np.nan
    return y


def floor_by_gc(rng: Rng, rows: Rows, y: Array) -> Array:
    """A value is at the floor with a chance that rises with GC."""
    y[rng.random(y.shape) < 1 / (1 + np.exp(1 - 1.2 * rows.z))[:, None]] = np.min(y) - 0.5
    return y


def holes(rng: Rng, rows: Rows, y: Array) -> Array:
    """Every replicate in its own units, and a quarter of the values missing."""
    y = y * np.array([1.0, 3.0, 0.5, 8.0]) + np.array([0.0, 4.0, -2.0, 1.0])
    y[rng.random(y.shape) < 0.25] = np.nan
    return y


def growing_noise(rng: Rng, rows: Rows) -> Rows:
    """Noise grows with activity."""
    signal = (rows.latent / np.std(rows.latent))[:, None]
    return replace(rows, replicates=signal + 0.85 * np.exp(0.4 * signal) * rng.normal(size=(len(rows), 2)))


def heavy_tails(rng: Rng, rows: Rows) -> Rows:
    """Noise of Student's t with two degrees of freedom."""
    signal = (rows.latent / np.std(rows.latent))[:, None]
    return replace(rows, replicates=signal + 0.6 * rng.standard_t(2, (len(rows), 2)))


def switches(rng: Rng, rows: Rows) -> Rows:
    """Elements are on or off."""
    return replicates(0.7, 0.7)(rng, replace(rows, latent=np.tanh(4 * rows.latent)))


def opposite(rng: Rng, rows: Rows) -> Rows:
    """GC's slope is +.55 in one stratum and −.55 in the other."""
    stratum = np.where(rng.random(int(rows.locus.max()) + 1) < 0.5, "a", "b")[rows.locus]
    latent = np.sqrt(0.3) * np.where(stratum == "a", 1.0, -1.0) * rows.z + np.sqrt(0.7) * rows.latent
    return replicates(0.5, 0.5)(rng, replace(rows, latent=latent, stratum=stratum))


def counts(
    *,
    dna_depth: float = 10.0,
    depths: tuple[float, ...] = (10.0, 10.0),
    library: float = 0.0,
    leak: float = 0.0,
    dna_bias: float = 0.0,
    controls: float = 0.0,
) -> Measure:
    """RNA and DNA counts of one library. library : GC's effect on abundance. leak : of abundance's logarithm, into
    activity. dna_bias : GC's effect on the DNA count alone. controls : part of the loci that are controls, without
    activity of their own."""

    def measure(rng: Rng, rows: Rows) -> Rows:
        n, control = len(rows), None
        latent = rows.latent
        if controls:
            control = (rng.random(int(rows.locus.max()) + 1) < controls)[rows.locus]
            latent = np.where(control, 0.0, latent)
        abundance = rng.gamma(0.7, 8.0, n) * np.exp(library * rows.z)
        dna = rng.poisson(dna_depth * abundance * np.exp(dna_bias * rows.z))
        rate = abundance * np.exp(latent + leak * np.log(abundance))
        rna = np.column_stack([rng.poisson(depth * rate * rng.gamma(5.0, 0.2, n)) for depth in depths])
        y = np.log2((rna + 1) / (rna.sum(axis=0) + n)) - np.log2((dna + 1) / (dna.sum() + n))[:, None]
        seen = rows.seen if dna_bias == 0 else -rows.seen
        return replace(rows, latent=latent, seen=seen, replicates=y, dna=dna.astype(np.int64), control=control)

    return measure


# ---- the worlds ------------------------------------------------------------------------------------------------------
#: GC's share where .3 of a latent with Poisson motif hits is a line of GC. This and the other truths are those of
#: 600,000 rows (``population_share``, ± .002); a GC fraction of 100 bases has ties, so all of GC is .998.
LINE = 0.283
_EQUAL = replicates(0.5, 0.5)
_NO_GC = {"gc_share": 0.0}

_ALL = (
    World("equal", "two equal Gaussian replicates", LINE, _EQUAL),
    World("noise-replicate", "three replicates, one of them mostly noise", LINE, replicates(0.5, 0.5, 0.02)),
    World("wide-replicate", "replicate 2 noisier, in units 4 times as wide", LINE, then(replicates(0.5, 0.2), wide)),
    World("outliers", "5 % of the values of each replicate 20 SD off", LINE, then(_EQUAL, outliers)),
    World("unequal-reliability", "replicates of reliability .9 and .15", LINE, replicates(0.9, 0.15)),
    World("missing-at-random", "an offset of 2 SD, 30 % missing at random", LINE, then(_EQUAL, missing_at_random)),
    World("missing-by-gc", "an offset of 2 SD, missing more often at high GC", LINE, then(_EQUAL, missing_by_gc)),
    World("library-bias", "abundance follows GC and leaks into activity; biology has no GC", 0.0,
          counts(library=1.0, leak=0.5), _NO_GC, min_dna=10),
    World("measurement-bias", "the DNA count is GC-biased; biology has no GC", 0.0, counts(dna_bias=1.0), _NO_GC,
          min_dna=10),
    World("measurement-bias-controls", "the same, with designed controls", 0.0,
          counts(dna_bias=1.0, controls=0.1), _NO_GC, min_dna=10),
    World("floor-by-gc", "a floor that is met more often at high GC; biology has no GC", 0.0,
          then(_EQUAL, floor_by_gc), _NO_GC),
    World("zeros-88", "88 % of the RNA counts are 0", LINE, counts(dna_depth=1.0, depths=(0.02, 0.02)), min_dna=0),
    World("zeros-97", "97 % of the RNA counts are 0", LINE, counts(dna_depth=1.0, depths=(0.004, 0.004)), min_dna=0),
    World("two-modes", "elements are on or off", LINE, switches),
    World("domains", "GC and activity vary by domain, independently", 0.094, _EQUAL, {"areas": 40, "gc_share": 0.1}),
    World("chromosome-slopes", "GC's slope varies by chromosome", 0.163, _EQUAL, {"slopes": 0.74}),
    World("one-locus", "one locus has 30 % of the rows", LINE, _EQUAL, {"largest": 0.3}),
    World("hump", "activity is highest at middling GC", 0.167, _EQUAL, {"curve": hump}),
    World("step", "activity jumps where GC passes a threshold", 0.200, _EQUAL, {"curve": step}),
    World("chromosomes-80-15-5", "three chromosomes with 80, 15 and 5 % of the loci", LINE, _EQUAL,
          {"parts": (0.8, 0.15, 0.05)}, folds=3),
    World("simpson", "two strata in which GC acts in opposite ways", 0.0, opposite, _NO_GC),
    World("loci-100", "100 loci of 3 rows", LINE, _EQUAL, {"loci": 100}),
    World("loci-50", "50 loci of 3 rows", LINE, _EQUAL, {"loci": 50}),
    World("loci-50-tiles-20", "50 loci of 20 rows", LINE, _EQUAL, {"loci": 50, "tiles": 20}),
    World("loci-20", "20 loci of 3 rows", LINE, _EQUAL, {"loci": 20}),
    World("loci-20-tiles-50", "20 loci of 50 rows", LINE, _EQUAL, {"loci": 20, "tiles": 50}),
    # not in the paper
    World("no-gc", "GC has no share", 0.0, _EQUAL, _NO_GC),
    World("all-gc", "GC has the whole share", 0.998, _EQUAL, {"gc_share": 1.0, "motif_share": 0.0}),
    World("rich-motifs", "motif hits bring GC", 0.333, _EQUAL, {"rich": True, "gc_share": 0.15}),
    World("low-reliability", "replicates of reliability .15", LINE, replicates(0.15, 0.15)),
    World("heavy-tails", "noise with heavy tails", LINE, heavy_tails),
    World("growing-noise", "noise grows with activity", LINE, growing_noise),
    World("skewed", "measurements are powers of activity", LINE, then(_EQUAL, lambda rng, rows, y: np.exp(1.5 * y))),
    World("four-replicates", "four unlike replicates with holes", LINE, then(replicates(0.7, 0.5, 0.3, 0.1), holes)),
    World("loci-1000", "1,000 loci of one row", LINE, _EQUAL, {"loci": 1000, "tiles": 1}),
    World("uneven-loci", "loci of 1 to 15 rows", LINE, _EQUAL, {"uneven": True}),
)  # fmt: skip
WORLDS: dict[str, World] = {world.name: world for world in _ALL}


def world_of(name: str) -> World:
    """The world of a name.

    Raises
    ------
    BenchError : there is none.
    """
    if name not in WORLDS:
        raise BenchError(f"there is no world {name!r}.{nearest(name, WORLDS)} `bench simulate --list` names all.")
    return WORLDS[name]


def population_share(world: World, rows: int = 100_000, seed: int = 0) -> float:
    """The estimand of a world from independent rows: signed squared rank correlation of E[T | GC] with T, ties of
    either broken at random."""
    rng = np.random.default_rng(seed)
    alone = {"loci": rows, "tiles": 1, "largest": 0.0, "uneven": False, "chromosomes": rows}
    alone |= {"areas": rows} if world.biology.get("areas") else {}
    found = _biology(rng, LENGTH, **{**world.biology, **alone})
    if not world.biology.get("gc_share", 0.3):
        return 0.0
    ranks = [np.argsort(np.lexsort((rng.random(len(x)), x))) for x in (found.seen, found.latent)]
    rho = pearson(*(np.asarray(rank, float) for rank in ranks))
    return rho * abs(rho)
