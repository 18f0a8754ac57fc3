"""The checks of `bench selftest`: simulated worlds, and what must come back from them.

A check is a function of a ``Size`` whose docstring states its criterion; it returns one line or more.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.datasets.simulate import noisy_replicates, simulate
from bench.selftest.lines import Line
from bench.selftest.pipeline import (
    NAMES,
    dna_held_fixed,
    held_out_curves,
    recover,
    through_the_store,
    with_replicates,
)
from bench.stats.ceilings import ceiling
from bench.stats.figures import TargetFigures
from bench.stats.gc_share import ShareFigures
from bench.stats.intervals import Estimate
from bench.stats.partial import permute_within_bins
from bench.stats.rows import RowFigures

#: How far a recovered share may lie from the true one besides holding it in its interval: three standard errors of
#: the worlds below (.025 at 2,600 rows of 1,000 loci).
NEAR = 0.08
#: Spearman given GC of a prediction that knows nothing beyond GC stays below it: three standard errors at 2,600 rows.
NOTHING = 0.08


@dataclass(frozen=True)
class Size:
    """How large the checks are: ``loci`` (of three tiles), and ``repetitions`` of what is drawn again and again."""

    loci: int = 1000
    repetitions: int = 20
    seed: int = 1


Check = Callable[[Size], list[Line]]


def _shown(figure: Estimate, digits: int = 3) -> str:
    if np.isnan(figure.low):
        return f"{figure.value:.{digits}f}"
    return f"{figure.value:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"


def _holds(figure: Estimate, truth: float) -> bool:
    return figure.low <= truth <= figure.high


def _share(found: TargetFigures) -> ShareFigures:
    if found.share is None:
        raise ValueError("there is no share: a learner is missing.")
    return found.share


def _best(found: TargetFigures) -> RowFigures:
    best = found.of(NAMES[1])
    if best is None:
        raise ValueError("the learner that sees the sequence is missing.")
    return best


def _share_line(what: str, found: TargetFigures, truth: float) -> Line:
    figure = _share(found).value
    passed = _holds(figure, truth) and abs(figure.value - truth) < NEAR
    return Line(what, f"{truth:.3f}", _shown(figure), f"interval holds it, |difference| < {NEAR}", passed)


def _verdict_line(what: str, row: RowFigures, verdict: str) -> Line:
    return Line(what, verdict, row.verdict, "this verdict", row.verdict == verdict)


# ---- the checks ------------------------------------------------------------------------------------------------------
def check_share(size: Size) -> list[Line]:
    """GC has .3 and a GC-neutral motif .4 of the activity, replicates correlate near .4: GC's share of the explainable
    variance comes back, and the stored run of the command line shows the same figure."""
    data = simulate(
        size.loci, 3, gc_share=0.3, motif_share=0.4, depths=(2.0, 2.0), dna_depth=200.0, overdispersion=1.0,
        seed=size.seed,
    )  # fmt: skip
    data = dna_held_fixed(data, 20)
    truth = data.board_share()
    found = recover(data)
    with tempfile.TemporaryDirectory() as folder:
        share = through_the_store(data, Path(folder)).share
    stored = None if share is None else share.of_explainable
    shown = Estimate(np.nan) if stored is None else Estimate(stored.value, stored.low or np.nan, stored.high or np.nan)
    same = abs(shown.value - _share(found).value.value) < 1e-3
    return [
        _share_line("GC's share, .3 simulated", found, truth),
        Line("the same through `bench run`", "as above", _shown(shown), "differs by less than .001", same),
        _verdict_line("GC and a motif: the verdict", _best(found), "mixed"),
    ]


def check_no_gc(size: Size) -> list[Line]:
    """GC has no share (0), a GC-neutral motif .5: the share's interval begins at 0, and the learner of the motif is
    called beyond GC, not GC-only."""
    data = simulate(size.loci, 3, gc_share=0.0, motif_share=0.5, dna_depth=50.0, seed=size.seed + 1)
    found = recover(data)
    share = _share(found).value
    return [
        # One interval of 95 % would fail once in twenty seeds, by a hair.
        Line("no GC: GC's share", "0", _shown(share), "interval begins below .01", share.low < 0.01),
        _verdict_line("GC-neutral motif: the verdict", _best(found), "beyond GC"),
    ]


def check_biased_dna(size: Size) -> list[Line]:
    """GC has no share, but the library has a GC bias and RNA counts are small, so that the ratio keeps some of it: the
    share's interval covers 0 once DNA is held fixed, and does not before (else the world shows nothing)."""
    world = simulate(
        size.loci, 3, gc_share=0.0, motif_share=0.5, depths=(0.2, 0.2), dna_depth=20.0, library_bias=-0.5,
        seed=size.seed + 2,
    )  # fmt: skip
    raw, fixed = (_share(recover(data)).value for data in (world, dna_held_fixed(world, 20)))
    return [
        Line("GC-biased DNA, held fixed: share", "0", _shown(fixed), "interval covers 0", fixed.covers_zero),
        Line("GC-biased DNA, not held fixed", "not 0", _shown(raw), "interval above 0", raw.low > 0),
    ]


def check_all_gc(size: Size) -> list[Line]:
    """GC has the whole share (1): the sequence adds nothing to it (U_D covers 0 or is below .01 of the variance), and
    the learner that sees the sequence is called GC-only."""
    found = recover(simulate(size.loci, 3, gc_share=1.0, motif_share=0.0, dna_depth=50.0, seed=size.seed + 3))
    parts = _share(found).parts
    assert parts is not None, "both learners were fitted"
    unique = parts.unique_best
    nothing = unique.covers_zero or abs(unique.value) < 0.01
    return [
        Line("all GC: unique to the sequence", "0", _shown(unique), "covers 0 or below .01", nothing),
        _verdict_line("all GC: the verdict", _best(found), "GC-only"),
    ]


def check_rich_motif(size: Size) -> list[Line]:
    """Motif hits bring GC with them, so part of the variance has no owner: U_G < g < U_G + C."""
    data = simulate(size.loci, 3, gc_share=0.3, motif_share=0.4, motif="rich", dna_depth=50.0, seed=size.seed + 4)
    share = _share(recover(data))
    low, high = share.range_low, share.range_high
    shown = f"[{low:.3f}, {high:.3f}]"
    return [Line("GC-rich motif: [U_G, U_G + C]", "0.3", shown, "U_G < g < U_G + C", low < 0.3 < high)]


def check_unequal_depths(size: Size) -> list[Line]:
    """One replicate 200 times as deep as the other, 60 % of its counts 0, DNA held fixed: the product form and, of
    replicates that are combined by their places, the mean form come back within .08. No row is lost for having no RNA:
    selecting on the outcome moved the product form from .29 to .21 and from .30 to .47 in two worlds like this."""
    shares = []
    rows = []
    for repetition in range(max(2, size.repetitions // 10)):
        data = simulate(
            3 * size.loci // 2, 3, gc_share=0.6, motif_share=0.2, depths=(0.05, 10.0), dna_depth=50.0,
            seed=100 * size.seed + repetition,
        )  # fmt: skip
        fixed = dna_held_fixed(data, 50)
        found = recover(fixed)
        curve = found.of(NAMES[0])
        reached = np.nan if curve is None or found.ceiling is None else curve.spearman.value**2
        plain = ceiling(fixed.replicates)
        mean = np.nan if plain is None else reached / plain.reliability
        shares.append((data.board_share(data.dna >= 50), _share(found).value.value, mean))
        rows.append((int((data.dna >= 50).sum()), found.rows))
    truth, product, mean = (float(figure) for figure in np.mean(shares, axis=0))
    return [
        Line(
            "unequal depths: product form",
            f"{truth:.3f}",
            f"{product:.3f}",
            f"|difference| < {NEAR}",
            abs(product - truth) < NEAR,
        ),
        Line(
            "unequal depths: mean form",
            f"{truth:.3f}",
            f"{mean:.3f}",
            f"|difference| < {NEAR}",
            abs(mean - truth) < NEAR,
        ),
        Line(
            "unequal depths: rows of 50 DNA reads",
            f"{sum(wanted for wanted, _ in rows):,}",
            f"{sum(kept for _, kept in rows):,}",
            "all, whatever their RNA",
            all(wanted == kept for wanted, kept in rows),
        ),
    ]


def check_tiles(size: Size) -> list[Line]:
    """A hundred loci of 10 and of 30 tiles, drawn again and again: at least 85 % of the intervals hold the true
    share (95 % are meant to; by rows a half or fewer do)."""
    lines = []
    for tiles in (10, 30):
        held = 0
        for repetition in range(size.repetitions):
            seed = 1000 * size.seed + 37 * tiles + repetition
            data = simulate(100, tiles, gc_share=0.5, motif_share=0.2, length=60, seed=seed)
            data = with_replicates(data, noisy_replicates(data.latent, 0.5, 2, seed))
            held += _holds(_share(held_out_curves(data)).value, 0.5)
        part = held / size.repetitions
        said = f"{part:.2f} of {size.repetitions}"
        lines.append(Line(f"{tiles} tiles per locus: coverage", "0.95", said, "at least .85", part >= 0.85))
    return lines


def check_hump(size: Size) -> list[Line]:
    """Activity is highest at middling GC and nothing else matters: a curve of GC keeps nothing given GC (spline), and
    is called GC-only. A straight line in its place would leave it .5 or more."""
    data = simulate(size.loci, 3, seed=size.seed + 5)
    z = (data.gc - data.gc.mean()) / data.gc.std()
    found = held_out_curves(with_replicates(data, noisy_replicates(-(z**2) / np.std(z**2), 0.7, 2, size.seed)))
    both = found.learners[1]  # the curve of GC and of hits, which do not matter here
    given = both.given_gc
    return [
        Line("hump of GC: Spearman given GC", "0", _shown(given), f"|it| < {NOTHING}", abs(given.value) < NOTHING),
        _verdict_line("hump of GC: the verdict", both, "GC-only"),
    ]


def check_folds(size: Size) -> list[Line]:
    """The chromosomes of each fold have a level of their own (a batch): figures are taken within folds, so the true
    share comes back; pooled over folds it would be a third of it."""
    data = simulate(size.loci, 3, gc_share=0.4, motif_share=0.3, chromosomes=3, dna_depth=50.0, seed=size.seed + 6)
    replicates = noisy_replicates(data.latent, 0.7, 2, size.seed) + 1.5 * (data.chrom - 1)[:, None]
    found = held_out_curves(with_replicates(data, replicates))
    return [_share_line("levels of folds: GC's share", found, 0.4)]


def check_null(size: Size) -> list[Line]:
    """Measurements permuted within GC bins: GC is all there is, and given GC nothing is left of any learner."""
    data = simulate(size.loci, 3, gc_share=0.3, motif_share=0.4, dna_depth=50.0, seed=size.seed + 7)
    rng = np.random.default_rng(size.seed)
    order = permute_within_bins(np.arange(len(data.gc)), data.gc, rng)
    found = recover(with_replicates(data, data.replicates[order]), min_dna=0)
    given, along = _best(found).given_gc, _best(found).with_gc
    return [
        Line("permuted within GC: given GC", "0", _shown(given), f"|it| < {NOTHING}", abs(given.value) < NOTHING),
        Line("permuted within GC: with GC", "above .5", _shown(along), "interval above .5", along.low > 0.5),
    ]


CHECKS: tuple[Check, ...] = (
    check_share,
    check_no_gc,
    check_biased_dna,
    check_all_gc,
    check_rich_motif,
    check_unequal_depths,
    check_tiles,
    check_hump,
    check_folds,
    check_null,
)


def run_checks(size: Size, checks: tuple[Check, ...] = CHECKS) -> Iterator[tuple[Check, list[Line]]]:
    """Every check with its lines, in order, as they finish."""
    for check in checks:
        yield check, check(size)
