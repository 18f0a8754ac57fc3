"""Worlds of a known GC share. Shares no code with bench.stats, bench.selftest or bench.datasets.simulate.

``make(name, seed)`` gives one board of a world; ``truth(name)`` its estimand: the squared Spearman correlation of
E[T | GC] (ties broken at random) with the noise-free T in the population, signed where the prediction handed in runs
the wrong way. ``TRUTHS`` holds those of 10^6 independent rows (``population`` computes them).

Latent: T = sqrt(g) z(GC) + sqrt(m) (motifs - 1) + sqrt(1 - g - m) noise of the locus; locus GC ~ N(.45, .08), rows
jitter by .02; motifs ~ Poisson(1) per row. A replicate of reliability r is T/sd(T) + sqrt(1/r - 1) N(0, 1).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np

Z_SD = np.hypot(0.08, 0.02)
#: Stored noise levels of the predictions: sd of the wiggle of G (a smooth random function of GC, another one in every
#: fold) over the sd of E[T|GC]; sd of the row noise of D over that of T; sd of fold levels and log spreads.
G_WIGGLE, D_NOISE, FOLD_LEVEL, FOLD_SPREAD = 0.07, 0.35, 0.1, 0.1


@dataclass
class World:
    y: np.ndarray  # (n, k), NaN where unmeasured
    gc: np.ndarray
    locus: np.ndarray
    chrom: np.ndarray
    fold: np.ndarray
    T: np.ndarray  # noise-free activity
    G: np.ndarray  # held-out prediction of a GC-only learner
    D: np.ndarray  # of a better one
    dna: np.ndarray | None = None  # DNA counts
    rna: np.ndarray | None = None
    control: np.ndarray | None = None
    stratum: np.ndarray | None = None
    models: np.ndarray | None = None  # (n, m) further held-out predictions
    valid: np.ndarray | None = None  # (n, m): prediction by the fit of fold f for its validation rows (fold f + 1)
    extra: dict = field(default_factory=dict)


def _rng(name, seed):
    return np.random.default_rng(np.random.SeedSequence([zlib.crc32(name.encode()), seed]))


def layout(rng, loci=300, tiles=3, chroms=10, folds=5, sizes=None, shares=None):
    """locus, chrom, fold of the rows. shares: fractions of the loci on each chromosome."""
    m = np.full(loci, tiles) if sizes is None else np.asarray(sizes)
    if shares is None:
        c = rng.permutation(np.arange(loci) % chroms)
    else:
        cut = np.round(np.cumsum(shares) * loci).astype(int)
        c = rng.permutation(np.searchsorted(cut, np.arange(loci), side="right"))
    locus = np.repeat(np.arange(loci), m)
    chrom = c[locus]
    return locus, chrom, chrom % folds


def z_rows(rng, locus, loci):
    return (rng.normal(0, 0.08, loci)[locus] + rng.normal(0, 0.02, len(locus))) / Z_SD


def latent(rng, z, locus, loci, g=0.3, m=0.3, curve=lambda z: z):
    h = rng.poisson(1.0, len(z)) - 1.0
    e = rng.normal(size=loci)[locus]
    gcpart = np.sqrt(g) * curve(z)
    return gcpart, gcpart + np.sqrt(m) * h + np.sqrt(max(0, 1 - g - m)) * e, h, e


def wiggle(rng, z):
    """A smooth random function of GC with unit variance or so."""
    k = np.arange(1, 6)
    a = rng.normal(size=5) / np.sqrt(5) * np.sqrt(2)
    return np.sin(np.outer(z, k * 0.9) + rng.uniform(0, 6.28, 5)) @ a


def predictions(rng, z, e_gc, T, h, fold, m=0.3, level=FOLD_LEVEL):
    sd = max(np.std(e_gc), 0.05)
    G, D = np.empty(len(z)), np.empty(len(z))
    base = e_gc + 0.7 * np.sqrt(m) * h
    for f in np.unique(fold):
        r = fold == f
        G[r] = (e_gc[r] + G_WIGGLE * sd * wiggle(rng, z[r])) * np.exp(FOLD_SPREAD * rng.normal()) + level * rng.normal()
        D[r] = (base[r] + D_NOISE * np.std(T) * rng.normal(size=r.sum())) * np.exp(
            FOLD_SPREAD * rng.normal()
        ) + level * rng.normal()
    return G, D


def noisy(rng, T, rel):
    s = T / np.std(T)
    return np.column_stack([s + np.sqrt(1 / r - 1) * rng.normal(size=len(T)) for r in rel])


def basic(rng, rel=(0.5, 0.5), g=0.3, m=0.3, curve=lambda z: z, post=None, level=FOLD_LEVEL, lay=None, **kw):
    locus, chrom, fold = layout(rng, **kw) if lay is None else lay
    loci = locus.max() + 1
    z = z_rows(rng, locus, loci)
    e_gc, T, h, _ = latent(rng, z, locus, loci, g, m, curve)
    G, D = predictions(rng, z, e_gc, T, h, fold, m, level)
    if post is not None:
        T = post(T)
    w = World(noisy(rng, T, rel), 0.45 + Z_SD * z, locus, chrom, fold, T, G, D)
    w.extra["z"], w.extra["h"] = z, h
    w.dna = rng.poisson(rng.gamma(3.0, 20.0, len(z))) + 1
    w.stratum = np.where(rng.random(len(z)) < 0.5, "a", "b")
    return w


# ---- the worlds of statistics.md --------------------------------------------------------------------------------
W, POP = {}, {}


def world(name, pop=None):
    def put(f):
        W[name] = f
        POP[name] = pop or (lambda rng, n: pop_latent(rng, n))
        return f

    return put


def pop_latent(rng, n, g=0.3, m=0.3, curve=lambda z: z):
    z = rng.normal(size=n)
    e = np.sqrt(g) * curve(z)
    return e, e + np.sqrt(m) * (rng.poisson(1.0, n) - 1.0) + np.sqrt(max(0, 1 - g - m)) * rng.normal(size=n)


def hump(z):
    return -(z * z - 1) / np.sqrt(2)


P5 = 0.3085375387259869


def step(z):
    return ((z > 0.5) - P5) / np.sqrt(P5 * (1 - P5))


world("equal")(lambda r: basic(r))
world("noise replicate of three")(lambda r: basic(r, (0.5, 0.5, 0.02)))
world("replicate 2 noisier, 4x wide")(lambda r: _scaled(basic(r, (0.5, 0.2)), 4.0))


def _scaled(w, s):
    w.y[:, 1] *= s
    return w


@world("outliers")
def _(r):
    w = basic(r)
    hit = r.random(w.y.shape) < 0.05
    w.y[hit] += 20 * np.std(w.y) * r.choice([-1, 1], hit.sum())
    return w


world("reliability .9 and .15")(lambda r: basic(r, (0.9, 0.15)))


@world("offset, missing at random")
def _(r):
    w = basic(r)
    w.y[:, 1] += 2 * np.std(w.y[:, 1])
    u = r.random(len(w.y))
    w.y[u < 0.3, 0] = np.nan
    w.y[u > 0.7, 1] = np.nan
    return w


@world("offset, missing by GC")
def _(r):
    w = basic(r)
    w.y[:, 1] += 2 * np.std(w.y[:, 1])
    w.y[r.random(len(w.y)) < 1 / (1 + np.exp(0.85 - 1.2 * w.extra["z"])), 1] = np.nan
    return w


def counts(
    r,
    g=0.0,
    m=0.3,
    b_lib=0.0,
    leak=0.0,
    b_meas=0.0,
    depths=(10.0, 10.0),
    dna_depth=10.0,
    od=0.2,
    keep=1,
    controls=0,
    **kw,
):
    locus, chrom, fold = layout(r, **kw)
    loci = locus.max() + 1
    z = z_rows(r, locus, loci)
    e_gc, T, h, _ = latent(r, z, locus, loci, g, m)
    control = np.zeros(len(z), bool)
    if controls:
        control = r.random(loci)[locus] < controls
        e_gc, T = np.where(control, 0, e_gc), np.where(control, 0, T)
    mu = r.gamma(0.7, 8.0, len(z)) * np.exp(b_lib * z)
    A = T + leak * np.log(mu)
    dna = r.poisson(dna_depth * mu * np.exp(b_meas * z))
    rna = np.column_stack([r.poisson(d * mu * np.exp(A) * r.gamma(1 / od, od, len(z))) for d in depths])
    y = np.log2((rna + 1) / (rna.sum(0) + len(z))) - np.log2((dna + 1) / (dna.sum() + len(z)))[:, None]
    # what a GC-only learner finds is E[y | GC] = E[T|GC] + leak b z - b_meas z
    seen = e_gc + leak * b_lib * z - b_meas * z
    G, D = predictions(r, z, seen, T, h, fold, m)
    w = World(y, 0.45 + Z_SD * z, locus, chrom, fold, T, G, D, dna, rna, control)
    w.extra["z"], w.extra["h"] = z, h
    w.stratum = np.where(r.random(len(z)) < 0.5, "a", "b")
    return cut(w, dna >= keep)


def cut(w, rows):
    for name in (
        "y",
        "gc",
        "locus",
        "chrom",
        "fold",
        "T",
        "G",
        "D",
        "dna",
        "rna",
        "control",
        "stratum",
        "models",
        "valid",
    ):
        v = getattr(w, name)
        if v is not None:
            setattr(w, name, v[rows])
    w.extra = {k: (v[rows] if isinstance(v, np.ndarray) and len(v) == len(rows) else v) for k, v in w.extra.items()}
    w.locus = np.unique(w.locus, return_inverse=True)[1]
    return w


def nil(r, n):
    return pop_latent(r, n, g=0.0)


world("library bias, no biology", nil)(lambda r: counts(r, b_lib=1.0, leak=0.5, keep=10))
world("library bias, unfiltered DNA", nil)(lambda r: counts(r, b_lib=1.0, leak=0.5, dna_depth=1.0, keep=1))
world("measurement bias, no biology", nil)(lambda r: counts(r, b_meas=1.0, keep=10))
world("measurement bias, controls", nil)(lambda r: counts(r, b_meas=1.0, keep=10, controls=0.1))


@world("floor follows GC, no biology", nil)
def _(r):
    w = basic(r, g=0.0)
    z = w.extra["z"]
    low = r.random(w.y.shape) < 1 / (1 + np.exp(1 - 1.2 * z))[:, None]
    w.y[low] = w.y.min() - 0.5
    w.G, w.D = predictions(r, z, -z, w.T, w.extra["h"], w.fold)
    return w


world("zeros 88 %")(lambda r: counts(r, g=0.3, depths=(0.02, 0.02), dna_depth=1.0, keep=0))
world("zeros 97 %")(lambda r: counts(r, g=0.3, depths=(0.004, 0.004), dna_depth=1.0, keep=0))
world("two modes")(lambda r: basic(r, (0.7, 0.7), post=lambda T: np.tanh(4 * T)))


def pop_domains(r, n):
    z = r.normal(size=n)
    e = np.sqrt(0.1) * z
    return e, e + np.sqrt(0.3) * r.normal(size=n) + np.sqrt(0.3) * (r.poisson(1.0, n) - 1.0) + np.sqrt(0.3) * r.normal(
        size=n
    )


@world("domains", pop_domains)
def _(r):
    locus, _, _ = layout(r)
    domain = r.permutation(np.arange(300) % 40)[locus]
    chrom = domain % 10
    z = np.sqrt(0.5) * r.normal(size=40)[domain] + np.sqrt(0.5) * z_rows(r, locus, 300)
    h = r.poisson(1.0, len(z)) - 1.0
    e = np.sqrt(0.1) * z
    T = e + np.sqrt(0.3) * (r.normal(size=40)[domain] + h + r.normal(size=300)[locus])
    fold = chrom % 5
    G, D = predictions(r, z, e, T, h, fold)
    w = World(noisy(r, T, (0.5, 0.5)), 0.45 + Z_SD * z, locus, chrom, fold, T, G, D)
    w.extra["z"], w.extra["h"] = z, h
    return w


SLOPE = (np.sqrt(0.3), 0.74)


def pop_slopes(r, n):
    z = r.normal(size=n)
    T = r.normal(*SLOPE, n) * z + np.sqrt(0.3) * (r.poisson(1.0, n) - 1.0) + np.sqrt(0.4) * r.normal(size=n)
    return SLOPE[0] * z, T


@world("chromosome slopes", pop_slopes)
def _(r):
    locus, chrom, fold = layout(r)
    z = z_rows(r, locus, 300)
    h = r.poisson(1.0, len(z)) - 1.0
    T = r.normal(*SLOPE, 10)[chrom] * z + np.sqrt(0.3) * h + np.sqrt(0.4) * r.normal(size=300)[locus]
    G, D = predictions(r, z, SLOPE[0] * z, T, h, fold)
    w = World(noisy(r, T, (0.5, 0.5)), 0.45 + Z_SD * z, locus, chrom, fold, T, G, D)
    w.extra["z"], w.extra["h"] = z, h
    return w


def one_big(r):
    sizes = np.full(300, 3)
    sizes[0] = round(0.3 / 0.7 * 299 * 3)
    return basic(r, sizes=sizes)


world("one locus 30 %")(one_big)
world("hump", lambda r, n: pop_latent(r, n, curve=hump))(lambda r: basic(r, curve=hump))
world("step", lambda r, n: pop_latent(r, n, curve=step))(lambda r: basic(r, curve=step))
world("chromosomes 80/15/5")(lambda r: basic(r, shares=(0.8, 0.15, 0.05), folds=3))
world("100 loci")(lambda r: basic(r, loci=100))
world("50 loci")(lambda r: basic(r, loci=50))
world("50 x 20")(lambda r: basic(r, loci=50, tiles=20))
world("20 loci x 50")(lambda r: basic(r, loci=20, tiles=50))
world("20 loci x 3")(lambda r: basic(r, loci=20, tiles=3))
world("10 loci x 100")(lambda r: basic(r, loci=10, tiles=100))


@world("Simpson", lambda r, n: (np.zeros(n), r.normal(size=n)))
def _(r):
    """Two strata, GC's slope +.55 and -.55, pooled near 0."""
    w = basic(r, g=0.0)
    z = w.extra["z"]
    w.stratum = np.where(r.random(300)[w.locus] < 0.5, "a", "b")
    sign = np.where(w.stratum == "a", 1.0, -1.0)
    w.T = np.sqrt(0.3) * sign * z + np.sqrt(0.7) * w.T
    w.y = noisy(r, w.T, (0.5, 0.5))
    w.G, w.D = predictions(r, z, 0.05 * z, w.T, w.extra["h"], w.fold)
    return w


@world("pure noise, 20 learners", nil)
def _(r):
    """Twenty learners without any signal. A learner is one function (the hardest case for a choice that looks at the
    test rows of another fold): what it predicts for a row does not depend on the fold that it was fitted for."""
    w = basic(r, g=0.0)
    part = r.normal(size=(300, 20))[w.locus]
    w.models = np.sqrt(0.5) * part + np.sqrt(0.5) * r.normal(size=(len(w.gc), 20))
    w.valid = w.models
    w.G = w.models[:, 0]
    return w


# ---- worlds of my own ---------------------------------------------------------------------------------------------
@world("fitted G")
def _(r):
    """G is really fitted: a cubic of GC on the mean of the replicates of the other folds."""
    w = basic(r)
    z, t = w.extra["z"], w.y.mean(1)
    X = np.column_stack([np.ones_like(z), z, z * z, z**3])
    for f in np.unique(w.fold):
        out = w.fold != f
        w.G[~out] = X[~out] @ np.linalg.lstsq(X[out], t[out], rcond=None)[0]
    return w


@world("heavy tails (t2 noise)")
def _(r):
    w = basic(r, (0.999, 0.999))
    w.y = (w.T / np.std(w.T))[:, None] + 0.6 * r.standard_t(2, w.y.shape)
    return w


@world("noise grows with activity")
def _(r):
    w = basic(r, (0.999, 0.999))
    s = w.T / np.std(w.T)
    w.y = s[:, None] + np.exp(0.4 * s)[:, None] * 0.85 * r.normal(size=w.y.shape)
    return w


@world("skewed activity")
def _(r):
    """Replicates are exp of the noisy latent: monotone, so that the share on ranks does not change."""
    w = basic(r)
    w.y = np.exp(1.5 * w.y)
    return w


@world("curved replicate 2")
def _(r):
    w = basic(r)
    w.y[:, 1] = np.sign(w.y[:, 1]) * np.abs(w.y[:, 1]) ** 3
    return w


@world("four unlike replicates, holes")
def _(r):
    w = basic(r, (0.7, 0.5, 0.3, 0.1))
    w.y = w.y * np.array([1, 3, 0.5, 8.0]) + np.array([0, 4, -2, 1.0])
    w.y[r.random(w.y.shape) < 0.25] = np.nan
    return cut(w, np.isfinite(w.y).sum(1) >= 1)


world("fold levels differ by 5 SD")(lambda r: basic(r, level=5 * np.sqrt(0.3)))
world("no GC at all", nil)(lambda r: _nullG(basic(r, g=0.0), r))


def _nullG(w, r):
    w.G, w.D = predictions(r, w.extra["z"], 0.3 * w.extra["z"], w.T, w.extra["h"], w.fold)
    return w


world("all GC", lambda r, n: pop_latent(r, n, g=1.0, m=0.0))(lambda r: basic(r, g=1.0, m=0.0))
world("wrong way")(lambda r: _flip(basic(r)))


def _flip(w):
    w.G = -w.G
    return w


world("reliability .15")(lambda r: basic(r, (0.15, 0.15)))
world("1,000 loci x 1")(lambda r: basic(r, loci=1000, tiles=1))
world("uneven loci")(lambda r: basic(r, sizes=1 + r.geometric(0.25, 300)))
world("library bias and biology")(lambda r: counts(r, g=0.3, b_lib=0.5, leak=0.3, keep=10))


@world("motifs rich in GC", lambda r, n: _pop_rich(r, n))
def _(r):
    w = basic(r, g=0.15, m=0.3)
    w.extra["z0"] = w.extra["z"]
    h = w.extra["h"]
    z = (w.extra["z"] + 0.5 * h) / np.sqrt(1.25)
    e = _e_rich(z)
    w.gc = 0.45 + Z_SD * z
    w.extra["z"] = z
    w.G, w.D = predictions(r, z, e, w.T, h, w.fold)
    return w


def _e_rich(z):
    # linear projection; E[h | z] bends a little (Poisson), which the oracle of GC would see and a cubic too
    zs, hs = np.sqrt(0.15), np.sqrt(0.3)
    return (zs * 1 + hs * 0.5) / np.sqrt(1.25) * z


def _pop_rich(r, n):
    z0, h = r.normal(size=n), r.poisson(1.0, n) - 1.0
    T = np.sqrt(0.15) * z0 + np.sqrt(0.3) * h + np.sqrt(0.55) * r.normal(size=n)
    return _e_rich((z0 + 0.5 * h) / np.sqrt(1.25)), T


def make(name, seed):
    return W[name](_rng(name, seed))


def population(name, n=1_000_000):
    """The estimand of a world from n independent rows."""
    r = np.random.default_rng(13)
    e, T = POP[name](r, n)
    if np.ptp(e) == 0:
        return 0.0
    ranks = []
    for x in (e, T):
        rank = np.empty(n)
        rank[np.lexsort((r.random(n), x))] = np.arange(n)
        ranks.append(rank)
    rho = np.corrcoef(ranks)[0, 1]
    return float(rho * abs(rho) * (-1 if name == "wrong way" else 1))


#: Truths that differ from that of most worlds.
TRUTHS = {
    **dict.fromkeys(W, 0.2833),
    **{name: 0.0 for name in W if POP[name] is nil},
    "all GC": 1.0,
    "chromosome slopes": 0.1625,
    "domains": 0.0928,
    "hump": 0.1652,
    "motifs rich in GC": 0.3238,
    "Simpson": 0.0,
    "step": 0.1931,
    "wrong way": -0.2833,
}


def truth(name):
    """The estimand of a world."""
    return TRUTHS[name]
