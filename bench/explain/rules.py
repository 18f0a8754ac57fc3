"""One decision tree that predicts a model's predictions from motifs, where they are, composition: readable rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate, shown
from bench.explain.ladder import grouped
from bench.explain.record import Leaf, Rules
from bench.explain.subject import Effort, Subject
from bench.kernels.composition import COLUMNS
from bench.motifs.motif import Motif
from bench.motifs.similar import grouped as alike_groups
from bench.stats.explained import r_squared

#: Motifs that a tree may ask for, each unlike the others; and how many are looked at for them.
MOTIFS, LOOKED = 10, 60
#: Questions on the way to a leaf, and rows of a leaf at least, as a share.
DEPTH, LEAF = 4, 0.03


@dataclass(frozen=True, eq=False)
class _Columns:
    """What a tree may ask: names, units in words, values (n, columns)."""

    names: list[str]
    digits: list[int]
    values: NDArray[np.float64]


def ask_rules(subject: Subject, effort: Effort) -> Rules:
    """Grow a tree on the rows of the ladder."""
    place = subject.some(effort.ladder_rows, question=1)
    y = subject.centred[place] / subject.spread
    locus = subject.task.locus[subject.row[place]]
    folds = grouped(locus, effort.folds)
    bests = subject.table(subject.motif_features, place)[:, : len(subject.motifs)]
    codes = subject.codes(place)
    plain = _plain(subject, place)
    where = _Where(codes)
    guess = np.empty(len(y))
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        columns = _columns(subject.motifs, bests, y, train, plain, where)
        guess[test] = _tree(columns.values[train], y[train]).predict(columns.values[test])
    r2, _ = r_squared(y, guess[None], locus)
    columns = _columns(subject.motifs, bests, y, np.ones(len(y), np.bool_), plain, where)
    tree = _tree(columns.values, y)
    leaves = sorted(_leaves(tree.tree_, columns), key=lambda leaf: leaf.mean)
    return Rules(rows=len(y), r2=shown(r2[0]) or Estimate(value=0.0), leaves=leaves)


def _plain(subject: Subject, place: NDArray[np.int64]) -> _Columns:
    values = subject.table("composition", place)[:, : len(COLUMNS)].astype(np.float64)
    return _Columns([*COLUMNS], [2] * len(COLUMNS), values)


class _Where:
    """Where in a row a motif scores best, 0 at the 5' end and 1 at the 3' end; found once for each motif."""

    def __init__(self, codes: list[NDArray[np.uint8]]) -> None:
        self._codes = codes
        self._known: dict[str, NDArray[np.float64]] = {}

    def __call__(self, motif: Motif) -> NDArray[np.float64]:
        if motif.id not in self._known:
            odds = motif.log_odds()
            self._known[motif.id] = np.array([_place(row, odds) for row in self._codes])
        return self._known[motif.id]


def _place(codes: NDArray[np.uint8], odds: NDArray[np.float64]) -> float:
    k = len(odds)
    if len(codes) < k:
        return 0.5
    wide = np.concatenate([odds, np.full((k, 1), -1e3)], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(codes, k)
    forward = wide[np.arange(k), windows].sum(axis=1)
    back = wide[::-1, [3, 2, 1, 0, 4]][np.arange(k), windows].sum(axis=1)
    return float(np.argmax(np.maximum(forward, back)) / max(len(forward) - 1, 1))


def _columns(
    motifs: tuple[Motif, ...],
    bests: NDArray[Any],
    y: NDArray[np.float64],
    train: NDArray[np.bool_],
    plain: _Columns,
    where: _Where,
) -> _Columns:
    """Composition, and of the motifs that follow ``y`` most on the training rows, each unlike the others, the best
    score and its place."""
    if not motifs:
        return plain
    z = bests[train] - bests[train].mean(axis=0)
    size = np.sqrt((z * z).sum(axis=0))
    follows = np.abs(z.T @ (y[train] - y[train].mean())) / np.where(size > 1e-6, size, np.inf)
    order = np.argsort(-follows, kind="stable")[:LOOKED]
    heads = [int(order[group[0]]) for group in alike_groups([motifs[i] for i in order], MOTIFS)]
    names, digits, values = [*plain.names], [*plain.digits], [plain.values]
    for i in heads:
        name = motifs[i].name or motifs[i].id
        names += [f"best {name}, bits", f"place of best {name}"]
        digits += [1, 2]
        values += [bests[:, [i]].astype(np.float64), where(motifs[i])[:, None]]
    return _Columns(names, digits, np.concatenate(values, axis=1))


def _tree(x: NDArray[np.float64], y: NDArray[np.float64]) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    least = max(int(LEAF * len(y)), 5)
    return DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=least, random_state=0).fit(x, y)


def _leaves(tree: Any, columns: _Columns) -> Iterator[Leaf]:
    """Every leaf with the conditions on the way, each column's narrowest alone."""
    total = int(tree.n_node_samples[0])
    waiting: list[tuple[int, dict[tuple[int, str], float]]] = [(0, {})]
    while waiting:
        node, met = waiting.pop()
        if tree.children_left[node] < 0:
            yield Leaf(
                rule=[f"{columns.names[c]} {sign} {value:.{columns.digits[c]}f}" for (c, sign), value in met.items()],
                share=int(tree.n_node_samples[node]) / total,
                mean=float(tree.value[node][0][0]),
            )
            continue
        column, value = int(tree.feature[node]), float(tree.threshold[node])
        waiting.append((int(tree.children_left[node]), met | {(column, "≤"): value}))
        waiting.append((int(tree.children_right[node]), met | {(column, ">"): value}))
