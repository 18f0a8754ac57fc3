"""What a model's own library tells: TreeSHAP of boosted trees by motif, gradients of networks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.explain.estimates import estimate
from bench.explain.mutated import Maps, chosen, mutate
from bench.explain.record import Gradients, TreeColumn, Trees
from bench.explain.subject import Effort, Subject
from bench.fit.predictor import Inside

#: Names of trees that are kept.
MOST = 20
#: Largest error of integrated gradients that counts as complete.
COMPLETE = 0.05
#: The two columns of a motif.
_MOTIF = re.compile(r"(.+) (best|occupancy)")


def look_inside(subject: Subject, place: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], Inside]] | None:
    """What the library tells of some test rows, fold by fold: places in ``place`` and the answer; None where it tells
    nothing at all."""
    assert subject.predictor is not None
    reference = base_shares(subject)
    out = []
    for fold in np.unique(subject.fold[place]):
        mine = np.flatnonzero(subject.fold[place] == fold)
        sequences = subject.sequences(subject.codes(place[mine]), subject.row[place[mine]])
        found = subject.predictor.inside(sequences, int(fold), reference)
        if found.trees is None and found.bases is None:
            return None
        out.append((mine, found))
    return out


def base_shares(subject: Subject) -> NDArray[np.float32]:
    """Shares of A, C, G, T among the bases of the test rows: where integration starts."""
    counts = np.zeros(5)
    for row in subject.codes(np.arange(len(subject.row))):
        counts += np.bincount(row, minlength=5)[:5]
    return (counts[:4] / max(counts[:4].sum(), 1)).astype(np.float32)


# ---- trees -----------------------------------------------------------------------------------------------------------
def ask_trees(subject: Subject, effort: Effort) -> Trees | None:
    """TreeSHAP on test rows drawn at random, summed over the two columns of a motif; None for a model without trees, or
    on features without names."""
    place = subject.some(effort.rows, question=8)
    found = look_inside(subject, place)
    if found is None or found[0][1].trees is None or not found[0][1].columns:
        return None
    columns = found[0][1].columns
    parts = [_motif(name) for name in columns]
    numbers = {name: i for i, name in enumerate(dict.fromkeys(parts))}
    names, which = list(numbers), np.array([numbers[name] for name in parts])
    by_name = np.zeros((len(place), len(names)))
    own = subject.predict(subject.sequences(subject.codes(place), subject.row[place]), subject.fold[place])
    off = 0.0
    for mine, inside in found:
        assert inside.trees is not None
        total = np.zeros((len(names), len(mine)))
        np.add.at(total, which, inside.trees[:, :-1].T)
        by_name[mine] = total.T
        off = max(off, float(np.abs(inside.trees.sum(axis=1) - own[mine]).max()))
    by_name /= subject.spread
    size = np.abs(by_name).mean(axis=0)
    tenth = max(len(place) // 10, 1)
    kept = np.argsort(-size, kind="stable")[:MOST]
    strongest = [by_name[np.argsort(-np.abs(by_name[:, j]))[:tenth], j].mean() for j in kept]
    return Trees(
        rows=len(place),
        names=len(names),
        off=off / subject.spread,
        columns=[
            TreeColumn(name=names[j], size=float(size[j]), strongest=float(most))
            for j, most in zip(kept, strongest, strict=True)
        ],
    )


def _motif(column: str) -> str:
    found = _MOTIF.fullmatch(column)
    return column if found is None else found[1]


# ---- networks --------------------------------------------------------------------------------------------------------
def ask_gradients(subject: Subject, effort: Effort, maps: Maps | None = None) -> tuple[Gradients, GradientMaps] | None:
    """Integrated gradients and gradient times input of a network on the rows whose bases were changed; None for a model
    without networks on bases.

    Parameters
    ----------
    maps : of those rows, where they are there already.
    """
    place = chosen(subject, effort.rows)
    found = look_inside(subject, place)
    if found is None or found[0][1].bases is None:
        return None
    maps = mutate(subject, place) if maps is None else maps
    reference = base_shares(subject)
    integrated: list[NDArray[np.float32]] = [np.zeros((0, 4), np.float32)] * len(place)
    gap, left = np.zeros(len(place)), np.zeros(len(place))
    agree = np.full((2, len(place)), np.nan)
    for mine, inside in found:
        assert inside.bases is not None
        for at, i in enumerate(mine):
            codes, width = maps.codes[i], inside.bases.gradient.shape[1]
            first = (width - len(codes)) // 2
            piece = slice(first, first + len(codes))
            own = (codes[:, None] == np.arange(4)).astype(np.float32)
            way = inside.bases.integrated[at, piece] * (own - (codes < 4)[:, None] * reference)
            slope = inside.bases.gradient[at, piece]
            gap[i] = inside.bases.here[at] - inside.bases.there[at]
            left[i] = way.sum() - gap[i]
            integrated[i] = (way / subject.spread).astype(np.float32)
            changed = -maps.delta[i].sum(axis=1) / 3
            # Against the other bases of the position, as what is compared with.
            times = ((slope - slope.mean(axis=1, keepdims=True)) * own).sum(axis=1)
            for j, each in enumerate((way.sum(axis=1), times)):
                agree[j, i] = _correlation(each[codes < 4], changed[codes < 4])
    error = np.abs(left) / max(float(np.abs(gap).mean()), 1e-12)
    return (
        Gradients(
            rows=len(place),
            incomplete=estimate(error),
            complete=float((error <= COMPLETE).mean()),
            integrated=estimate(agree[0]),
            times_input=estimate(agree[1]),
        ),
        GradientMaps(maps, integrated),
    )


@dataclass(frozen=True, eq=False)
class GradientMaps:
    """Integrated gradients times the way from the reference, float32 (length, 4) of each row of ``maps``, in standard
    deviations of predictions; a row's sum is its prediction less that at the reference."""

    maps: Maps
    integrated: list[NDArray[np.float32]]


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if a.std() == 0 or b.std() == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def write_gradients(path: Path, subject: Subject, found: GradientMaps) -> None:
    """``row_id``, ``length`` and ``integrated`` float32 (k, width, 4), from a row's first base."""
    rows = found.integrated
    out = np.zeros((len(rows), max(map(len, rows)), 4), np.float32)
    for i, each in enumerate(rows):
        out[i, : len(each)] = each
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            row_id=np.asarray(subject.task.row_id[subject.row[found.maps.place]], np.str_),
            length=np.array([*map(len, rows)], np.int64),
            integrated=out,
            spread=np.float64(subject.spread),
        )
