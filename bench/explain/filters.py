"""Filters: what the first convolution of a network looks for, and whether it counts GC.

A filter's response is the sum of its weights over a window of bases. Its **motif** is the frequencies of bases in the
windows of test rows whose response lies above the mean by more than seven tenths of the way to the largest (of twenty
windows at least). Its **GC index** is the share of the variance of its response to random windows (all bases alike)
that the number of G and C explains: with w the weights less their mean over the four bases, e = (−1, 1, 1, −1) / 2 and
k positions, (Σ w·e)² / (k · Σ w²). 1 for weights that count GC, 1/k or less for one base at one position.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.explain.designed import Codes
from bench.explain.matching import information, matches, shares, trimmed
from bench.explain.record import Filter, Filters
from bench.explain.subject import Effort, NotAsked, Subject
from bench.fit.first_layer import FirstLayer
from bench.kernels.shuffle import dinucleotide_shuffle
from bench.motifs.motif import Motif
from bench.motifs.similar import ALIKE
from bench.stats.ranks import spearman

#: A filter counts GC where its index is above the first, GC explains more than the second of its mean response in test
#: rows, and the mean responses of rows and of their dinucleotide shuffles correlate by the third or more.
INDEX, BY_GC, SHUFFLED = 0.45, 0.8, 0.9
#: A network counts GC where filters that do have half of all influence. Where many filters share the work, so that none
#: does it alone, also where GC explains the first share of its predictions of dinucleotide-shuffled rows, and these the
#: second share of those of the rows.
MOSTLY, NETWORK_GC, NETWORK_SHUFFLED = 0.5, 0.65, 0.45
#: How far from the mean to the largest response the windows of a motif begin; windows that it is made of at least.
WAY, LEAST = 0.7, 20
#: Bits in all of a motif that can be read.
BITS = 4.0
#: Filters that are kept with their frequencies, those of the most influence.
KEPT = 24
#: Responses that are held at a time.
BLOCK = 4_000_000


def ask_filters(subject: Subject, effort: Effort) -> tuple[Filters, list[Motif]] | None:
    """Filters of the networks of the fold that tests most rows, and their motifs; None for a model without networks on
    bases.

    Raises
    ------
    NotAsked : where a network does not begin with a convolution of bases.
    """
    assert subject.predictor is not None
    folds, counts = np.unique(subject.fold, return_counts=True)
    fold = int(folds[np.argmax(counts)])
    rng = subject.rng(9)
    place = rng.permutation(np.flatnonzero(subject.fold == fold))[: effort.filter_rows]
    codes = subject.codes(place)
    plain = subject.sequences(codes, subject.row[place])
    made = dinucleotide_shuffle(plain, seed=int(rng.integers(1 << 31)))
    shuffled = [made.codes(i) for i in range(len(made))]
    both = subject.sequences([*codes, *shuffled], subject.row[np.concatenate([place, place])])
    layers = subject.predictor.first_layers(both, fold, effort.networks, effort.influence_rows)
    if layers is None:
        return None
    if not layers:
        raise NotAsked("its networks do not begin with a convolution of bases")
    y = subject.task.targets[subject.target].value[subject.row[place[: effort.influence_rows]]]
    gc = _gc(codes)
    found = [_Looked.of(layer, codes, shuffled, gc, y) for layer in layers]
    return _answer(subject, found, fold, len(codes), len(y))


@dataclass(frozen=True, eq=False)
class _Looked:
    """What is known of the filters of one network, each (filters,): motifs (None where too few windows), indices,
    influences; and of the network itself the correlation of its predictions of rows and of their shuffles, and the
    share of the latter that GC explains."""

    counts: list[NDArray[np.float64] | None]
    index: NDArray[np.float64]
    by_gc: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    influence: NDArray[np.float64]
    loss: NDArray[np.float64]
    whole_shuffled: float
    whole_by_gc: float

    @classmethod
    def of(
        cls,
        layer: FirstLayer,
        codes: list[Codes],
        shuffled: list[Codes],
        gc: NDArray[np.float64],
        y: NDArray[np.float64],
    ) -> _Looked:
        counts, mean, base = windows(layer.kernel, codes)
        other, _ = _rectified(layer.kernel, shuffled, base)
        n, few = len(codes), len(y)
        own, without = layer.own[:few].astype(np.float64), layer.without[:, :few].astype(np.float64)
        change = own - without
        score = spearman(own, y)
        return cls(
            counts,
            gc_index(layer.kernel),
            np.array([_explained(each, gc) for each in mean.T]),
            np.array([_correlation(a, b) for a, b in zip(mean.T, other.T, strict=True)]),
            change.var(axis=1) / max(float(own.var()), 1e-12),
            np.array([score - spearman(each, y) for each in without]),
            _correlation(layer.own[:n], layer.own[n:]),
            _explained(layer.own[n:].astype(np.float64), _gc(shuffled)),
        )

    @property
    def counters(self) -> NDArray[np.bool_]:
        """Which filters count GC."""
        return (self.index > INDEX) & (self.by_gc > BY_GC) & (self.shuffled >= SHUFFLED)


def gc_index(kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    """R² of responses to random windows on their G and C, float64 (filters,); 0 for weights that are equal."""
    w = kernel.astype(np.float64) - kernel.mean(axis=1, keepdims=True)
    along = (w * np.array([-0.5, 0.5, 0.5, -0.5])[None, :, None]).sum(axis=(0, 1))
    size = (w * w).sum(axis=(0, 1))
    return np.asarray(along**2 / np.maximum(len(w) * size, 1e-300))


def _hot(rows: list[Codes], width: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Windows of called bases alone: one-hot (windows, width · 4), and the row of each."""
    every, of = [], []
    for i, row in enumerate(rows):
        if len(row) >= width:
            mine = np.lib.stride_tricks.sliding_window_view(row, width)
            mine = mine[(mine < 4).all(axis=1)]
            every.append(mine)
            of.append(np.full(len(mine), i, np.int64))
    codes = np.concatenate(every) if every else np.zeros((0, width), np.uint8)
    hot = (codes[:, :, None] == np.arange(4, dtype=np.uint8)).reshape(len(codes), -1).astype(np.float32)
    return hot, np.concatenate(of) if of else np.zeros(0, np.int64)


def windows(
    kernel: NDArray[np.float32], rows: list[Codes]
) -> tuple[list[NDArray[np.float64] | None], NDArray[np.float64], NDArray[np.float64]]:
    """Of each filter: counts of bases in the windows it answers to most (None where they are few, or it answers to all
    alike), its mean response above the mean in each row (rows, filters), and the mean response (filters,).

    Parameters
    ----------
    kernel : float32 (width, 4, filters).
    """
    width, _, filters = kernel.shape
    hot, of = _hot(rows, width)
    flat = kernel.reshape(width * 4, filters)
    seen = np.maximum(np.bincount(of, minlength=len(rows)), 1)
    counts: list[NDArray[np.float64] | None] = []
    mean, base = np.zeros((len(rows), filters)), np.zeros(filters)
    step = max(1, BLOCK // max(len(hot), 1))
    for first in range(0, filters, step):
        response = hot @ flat[:, first : first + step]
        level = response.mean(axis=0, dtype=np.float64) if len(hot) else np.zeros(response.shape[1])
        top = response.max(axis=0) if len(hot) else level
        # Of few rows the twenty best, whatever they are.
        least = np.partition(response, -LEAST, axis=0)[-LEAST] if len(hot) >= LEAST else np.full_like(top, np.inf)
        base[first : first + step] = level
        for j in range(response.shape[1]):
            mine = response[:, j] >= min(level[j] + WAY * (top[j] - level[j]), least[j])
            enough = len(hot) >= LEAST and top[j] - level[j] > 1e-6
            counts.append(hot[mine].sum(axis=0, dtype=np.float64).reshape(width, 4) if enough else None)
            above = np.maximum(response[:, j] - level[j], 0)
            mean[:, first + j] = np.bincount(of, above, minlength=len(rows)) / seen
    return counts, mean, base


def _rectified(
    kernel: NDArray[np.float32], rows: list[Codes], base: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean response above ``base`` of other rows, (rows, filters), and their windows."""
    width, _, filters = kernel.shape
    hot, of = _hot(rows, width)
    flat = kernel.reshape(width * 4, filters)
    seen = np.bincount(of, minlength=len(rows))
    out = np.zeros((len(rows), filters))
    step = max(1, BLOCK // max(len(hot), 1))
    for first in range(0, filters, step):
        above = np.maximum(hot @ flat[:, first : first + step] - base[first : first + step], 0)
        for j in range(above.shape[1]):
            out[:, first + j] = np.bincount(of, above[:, j], minlength=len(rows)) / np.maximum(seen, 1)
    return out, seen


def _gc(rows: list[Codes]) -> NDArray[np.float64]:
    return np.array([((row == 1) | (row == 2)).sum() / max((row < 4).sum(), 1) for row in rows])


def _explained(values: NDArray[np.float64], gc: NDArray[np.float64]) -> float:
    """Share of the variance of some values that a quadratic in GC explains; 0 where there is none."""
    total = float(((values - values.mean()) ** 2).sum())
    if total <= 0 or np.ptp(gc) == 0 or len(gc) < 5:
        return 0.0
    z = (gc - gc.mean()) / gc.std()
    design = np.stack([np.ones_like(z), z, z * z], axis=1)
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return 1 - float((left**2).sum()) / total


def _correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


# ---- motifs of filters -----------------------------------------------------------------------------------------------
def clusters(motifs: list[NDArray[np.float64]]) -> NDArray[np.int64]:
    """A number for each of some motifs (length, 4), frequencies: groups by average linkage, in which the largest cosine
    of the frequencies less .25 over shifts and strands is `bench.motifs.similar.ALIKE` or more on average."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(motifs) < 2:
        return np.ones(len(motifs), np.int64)
    distance = 1 - cross_correlation(motifs)
    tree = linkage(squareform(np.clip(distance, 0, 2), checks=False), "average")
    return np.asarray(fcluster(tree, 1 - ALIKE, "distance"), np.int64)


def cross_correlation(motifs: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Largest cosine of the frequencies less .25 of every two motifs over shifts and strands, float64 (n, n)."""
    longest = max(map(len, motifs))
    wide = np.zeros((len(motifs), 3 * longest, 4))
    for i, motif in enumerate(motifs):
        wide[i, longest : longest + len(motif)] = motif - 0.25
    size = np.sqrt((wide * wide).sum(axis=(1, 2)))
    size = np.maximum(size, 1e-12)
    flat = wide.reshape(len(motifs), -1)
    best = np.full((len(motifs), len(motifs)), -np.inf)
    for other in (wide, wide[:, ::-1, ::-1]):
        for shift in range(-2 * longest + 1, 2 * longest):
            moved = np.zeros_like(other)
            if shift >= 0:
                moved[:, shift:] = other[:, : other.shape[1] - shift]
            else:
                moved[:, :shift] = other[:, -shift:]
            best = np.maximum(best, flat @ moved.reshape(len(motifs), -1).T)
    best = best / size[:, None] / size[None]
    best = np.maximum(best, best.T)
    np.fill_diagonal(best, 1.0)
    return best


@dataclass(frozen=True, eq=False)
class _Read:
    """A filter whose motif can be read."""

    network: int
    number: int
    counts: NDArray[np.float64]
    influence: float


def _answer(
    subject: Subject, found: list[_Looked], fold: int, rows: int, influence_rows: int
) -> tuple[Filters, list[Motif]]:
    read = [
        _Read(network, number, trimmed(counts), float(each.influence[number]))
        for network, each in enumerate(found)
        for number, counts in enumerate(each.counts)
        if counts is not None and information(shares(counts)).sum() >= BITS
    ]
    read.sort(key=lambda each: -each.influence)
    group = clusters([shares(each.counts) for each in read])
    matched = matches(subject, [each.counts for each in read], question=10)
    filters = [
        Filter(
            network=each.network,
            number=each.number,
            windows=round(float(each.counts[0].sum())),
            shares=np.round(shares(each.counts), 3).tolist(),
            bits=float(information(shares(each.counts)).sum()),
            match=match,
            cluster=int(group[i]),
            influence=float(looked.influence[each.number]),
            loss=float(looked.loss[each.number]),
            gc_index=float(looked.index[each.number]),
            by_gc=float(looked.by_gc[each.number]),
            shuffled=float(looked.shuffled[each.number]),
            counter=bool(looked.counters[each.number]),
        )
        for i, (each, match) in enumerate(zip(read, matched, strict=True))
        for looked in (found[each.network],)
    ]
    every = np.concatenate([each.influence for each in found])
    counting = np.concatenate([each.counters for each in found])
    counted = float(every[counting].sum() / max(float(every.sum()), 1e-300))
    by_gc, shuffled = (float(np.mean([getattr(e, f"whole_{name}") for e in found])) for name in ("by_gc", "shuffled"))
    answer = Filters(
        fold=fold,
        networks=len(found),
        rows=rows,
        influence_rows=influence_rows,
        filters=len(every),
        read=len(read),
        matched=sum(each is not None for each in matched),
        clusters=len(np.unique(group)),
        counters=int(counting.sum()),
        counted=counted,
        by_gc=by_gc,
        shuffled=shuffled,
        counter=counted >= MOSTLY or (by_gc >= NETWORK_GC and shuffled * abs(shuffled) >= NETWORK_SHUFFLED),
        strongest=filters[:KEPT],
    )
    motifs = [
        Motif(f"network{f.network + 1}.filter{f.number + 1}", f.match.motif.split()[-1] if f.match else "", r.counts)
        for f, r in zip(filters, read, strict=True)
    ]
    return answer, motifs
