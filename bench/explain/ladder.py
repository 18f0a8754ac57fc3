"""The surrogate ladder: how much of a model's predictions GC explains, then windows, composition, dinucleotides,
motifs, k-mers.

Each rung is a regression of the predictions (not of what was measured) on all features so far, judged on loci that it
did not see. It needs predictions and sequences alone, so that it works for models that ran elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import Estimate, shown
from bench.explain.record import Ladder, Rung
from bench.explain.sites import SiteCounts
from bench.explain.subject import Effort, Subject
from bench.stats.explained import r_squared
from bench.tasks.deal import deal

#: Columns of a rung that a surrogate is handed: those that follow the rest of the training rows' predictions best.
MOST_COLUMNS = 300
#: Penalties of ridge, times the number of columns.
PENALTIES = np.geomspace(1e-4, 1e4, 17)
ROUNDS, PATIENCE = 400, 25
#: Standard errors by which a rung must be better on inner loci: without it, noise was taken up at every rung.
SURE = 1.64
#: Shares of the booster in a surrogate, and of a rung beside the one below: the best on inner loci is taken.
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)

#: Columns (n, k) of a block, those that follow some values (n,) on training rows (their places).
Block = Callable[[NDArray[np.float64], NDArray[np.intp]], NDArray[np.float32]]


def rungs(subject: Subject) -> list[tuple[str, str]]:
    """What is added at each rung: a name for people, and the featurizer."""
    return [
        ("GC", "gc"),
        ("GC in windows", "gc-windows[n=20]"),
        ("composition", "composition"),
        ("dinucleotides", "dinucleotides"),
        ("motifs", subject.motif_features),
        ("6-mers", "kmers[k=6]"),
    ]


def ladder(subject: Subject, effort: Effort) -> Ladder:
    """Climb the ladder for the model of a subject."""
    place = subject.some(effort.ladder_rows, question=1)
    y = subject.centred[place] / subject.spread
    locus = subject.task.locus[subject.row[place]]
    folds = grouped(locus, effort.folds)
    base, fitted, columns = np.zeros(len(y)), [], []
    blocks: list[Block] = []
    for _, featurizer in rungs(subject):
        block = subject.table(featurizer, place).astype(np.float32)
        columns.append(block.shape[1])
        blocks.append(partial(_chosen, block))
        if featurizer == subject.motif_features and subject.motifs:
            # Best score and occupancy do not tell one good site from two: of the motifs that matter, sites are counted.
            blocks.append(partial(SiteCounts(subject.codes(place), subject.motifs).that_follow, block))
        # What a rung adds is looked for where the rungs below leave off; it is kept where inner loci agree.
        fitted.append(surrogate(blocks, y, base, folds, locus))
        base = fitted[-1]
    r2, more = r_squared(y, np.stack(fitted), locus)
    names = [name for name, _ in rungs(subject)]
    return Ladder(
        rows=len(y),
        loci=len(np.unique(locus)),
        folds=effort.folds,
        rungs=[
            Rung(name=name, columns=n, r2=shown(a) or Estimate(value=0), more=shown(b) or Estimate(value=0))
            for name, n, a, b in zip(names, columns, r2, more, strict=True)
        ],
    )


def grouped(locus: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """A fold for every row, whole loci together, int64 (n,)."""
    codes, sizes = np.unique(locus, return_inverse=True, return_counts=True)[1:]
    return deal(sizes, folds)[codes]


def surrogate(
    blocks: list[Block],
    y: NDArray[np.float64],
    base: NDArray[np.float64],
    folds: NDArray[np.int64],
    locus: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Predictions of ``y`` (n,) from blocks of columns, the last new, each by loci that do not hold the row.

    ``base`` : predictions by the blocks before, made in the same way. They are mixed in as inner loci say, so that
    columns which add nothing do little harm.
    """
    out = np.empty(len(y))
    for fold in np.unique(folds):
        test = folds == fold
        train = np.flatnonzero(~test)
        inner = grouped(locus[train], 5) == 0
        rest = y - base if len(blocks) > 1 else y
        # Columns are chosen without the inner rows, or these would favour whatever has the most columns.
        x = np.concatenate([block(rest if i else y, train[~inner]) for i, block in enumerate(blocks)], axis=1)
        guess = _Recipe.of(x[train], y[train], inner)
        first = guess.fit(x[train[~inner]], y[train[~inner]])
        held = train[inner]
        share = _share(y[held], base[held], first.predict(x[held]))
        out[test] = (1 - share) * base[test]
        if share:
            out[test] += share * guess.fit(x[train], y[train]).predict(x[test])
    return out


def _share(y: NDArray[np.float64], base: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """How much of a new guess to mix into the one below: the best, or none where that may be chance."""
    left = [(y - (1 - share) * base - share * new) ** 2 for share in SHARES]
    best = int(np.argmin([float(each.mean()) for each in left]))
    gain = left[0] - left[best]
    return SHARES[best] if gain.mean() > SURE * gain.std() / np.sqrt(len(y)) else 0.0


def _chosen(block: NDArray[np.float32], rest: NDArray[np.float64], train: NDArray[np.intp]) -> NDArray[np.float32]:
    """Columns of a block: a few curves for one alone, else those that follow ``rest`` best on the training rows."""
    if block.shape[1] == 1:
        return _curves(block, train)
    if block.shape[1] <= MOST_COLUMNS:
        return block
    z = block[train] - block[train].mean(axis=0)
    size = np.sqrt((z * z).sum(axis=0))
    follows = np.abs(z.T @ (rest[train] - rest[train].mean())) / np.where(size > 1e-6, size, np.inf)
    return block[:, np.sort(np.argsort(-follows)[:MOST_COLUMNS])]


def _curves(column: NDArray[np.float32], train: NDArray[np.intp]) -> NDArray[np.float32]:
    from sklearn.preprocessing import SplineTransformer

    if np.ptp(column[train]) == 0:
        return column
    curve = SplineTransformer(6, degree=3, knots="quantile", extrapolation="linear").fit(column[train].astype(float))
    made: NDArray[np.float32] = curve.transform(column.astype(float)).astype(np.float32)
    return np.concatenate([column, made], axis=1)


@dataclass(frozen=True)
class _Recipe:
    """How a surrogate is fitted: the penalty of ridge, the rounds of a booster, and the booster's share."""

    penalty: float
    rounds: int
    share: float

    @classmethod
    def of(cls, x: NDArray[np.float32], y: NDArray[np.float64], inner: NDArray[np.bool_]) -> _Recipe:
        """What is best on inner rows when fitted on the others."""
        held = x[inner], y[inner]
        line = _Line.of(x[~inner], y[~inner])
        lines = [(penalty, line.at(penalty * x.shape[1]).predict(held[0])) for penalty in PENALTIES]
        penalty, straight = min(lines, key=lambda each: float(np.mean((each[1] - held[1]) ** 2)))
        booster = _booster(x[~inner], y[~inner], ROUNDS, held)
        bent = booster.predict(held[0], num_threads=1)
        mixed = [float(np.mean(((1 - s) * straight + s * bent - held[1]) ** 2)) for s in SHARES]
        return cls(float(penalty), max(booster.best_iteration, 1), SHARES[int(np.argmin(mixed))])

    def fit(self, x: NDArray[np.float32], y: NDArray[np.float64]) -> _Fit:
        line = _Line.of(x, y).at(self.penalty * x.shape[1]) if self.share < 1 else None
        return _Fit(line, _booster(x, y, self.rounds) if self.share > 0 else None, self.share)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Ridge and a booster, mixed."""

    line: _Line | None
    booster: Any
    share: float

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        out = np.zeros(len(x))
        if self.line is not None:
            out += (1 - self.share) * self.line.predict(x)
        if self.booster is not None:
            out += self.share * self.booster.predict(x, num_threads=1)
        return out


@dataclass(frozen=True, eq=False)
class _Line:
    """Ridge on standardised columns, made ready for any penalty."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    level: float
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    side: NDArray[np.float64]
    back: NDArray[np.float64] | None
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, x: NDArray[np.float32], y: NDArray[np.float64]) -> _Line:
        centre, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
        scale = np.where(scale > 1e-6 * np.maximum(np.abs(centre), 1e-6), scale, np.inf)
        z = (x - centre) / scale
        back = z.T if len(z) < z.shape[1] else None  # fewer rows than columns: by rows
        values, vectors = np.linalg.eigh(z.T @ z if back is None else z @ z.T)
        y = y - (level := float(y.mean()))
        side = vectors.T @ (z.T @ y if back is None else y)
        return cls(centre, scale, level, np.maximum(values, 0), vectors, side, back, np.zeros(z.shape[1]))

    def at(self, penalty: float) -> _Line:
        """The same with the weights of a penalty."""
        found = self.vectors @ (self.side / (self.values + penalty))
        return dataclasses.replace(self, weights=found if self.back is None else self.back @ found)

    def predict(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(((x - self.centre) / self.scale) @ self.weights + self.level)


def _booster(
    x: NDArray[np.float32],
    y: NDArray[np.float64],
    rounds: int,
    held: tuple[NDArray[np.float32], NDArray[np.float64]] | None = None,
) -> Any:
    """Boosted trees of so many rounds, or as many as held rows say."""
    import lightgbm

    parameters = {
        "objective": "regression", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 15, "max_bin": 63,
        "feature_fraction": 0.3 if x.shape[1] > 20 else 1.0, "bagging_fraction": 0.7, "bagging_freq": 1,
        "lambda_l2": 1.0, "verbosity": -1, "seed": 0, "num_threads": 1, "deterministic": True,
        "force_col_wise": True,
    }  # fmt: skip
    data = lightgbm.Dataset(x, y)
    if held is None:
        return lightgbm.train(parameters, data, rounds)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    watched = lightgbm.Dataset(*held, reference=data)
    return lightgbm.train(parameters, data, rounds, valid_sets=[watched], callbacks=[stop])
