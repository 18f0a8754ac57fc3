"""The figures of a board on pairs of its rows: predicted differences against measured ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.board.figure import number, shown
from bench.board.joint import Joint
from bench.board.load import Board
from bench.board.pairs_schema import PairRowSummary, PairSetSummary, PairsSummary
from bench.stats.bootstrap import Draws
from bench.stats.figures import TargetFigures
from bench.stats.pairs import Differences, PairFigures, pair_figures


def pairs_summary(board: Board, found: TargetFigures, joint: Joint) -> list[PairsSummary]:
    """Figures of every kind of pair, in alphabetical order; none where the task has no pairs."""
    rows = board.rows
    if not {"pair", "pair_kind"} <= set(rows):
        return []
    reference = rows["pair"].to_numpy(np.int64)
    kind = rows["pair_kind"].astype(str).to_numpy()
    there = np.flatnonzero((reference >= 0) & (reference < len(rows)))
    tested = _tested(board, there, reference[there])
    out = []
    for name in sorted(set(kind[there].tolist())):
        mine = kind[there] == name
        used = tested.together & mine
        first, second = tested.first[used], tested.second[used]
        differences = _differences(board, joint, first, second)
        whole = np.asarray(np.isfinite(differences.replicates).any(axis=1))
        best = _best(board, found, first, second)
        differences, best = differences.take(whole), None if best is None else best[whole]
        same = differences.gc == 0
        out.append(
            PairsSummary(
                kind=name,
                split=int((tested.apart & mine).sum()),
                untested=int((mine & ~tested.together & ~tested.apart).sum() + (~whole).sum()),
                all=_set(board, differences, joint.draws, best),
                neutral=_set(board, differences.take(same), joint.draws, None if best is None else best[same], True),
            )
        )
    return out


@dataclass(frozen=True, eq=False)
class _Tested:
    """Pairs by where their rows are tested: places of both among the test rows, int64 (p,), valid where ``together``,
    in one fold; ``apart``, in two. bool (p,)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    together: NDArray[np.bool_]
    apart: NDArray[np.bool_]


def _tested(board: Board, second: NDArray[np.int64], first: NDArray[np.int64]) -> _Tested:
    n = len(board.rows)
    at = np.full(n, -1, np.int64)
    at[board.test_row] = np.arange(len(board.test_row))  # a row is tested in one fold
    a, b = at[first], at[second]
    both = (a >= 0) & (b >= 0)
    same = both & (board.test_fold[a] == board.test_fold[b])
    return _Tested(a, b, same, both & ~same)


def _differences(board: Board, joint: Joint, first: NDArray[Any], second: NDArray[Any]) -> Differences:
    """Differences of pairs, by places of their rows among the test rows."""
    row = board.test_row
    replicates = board.replicates
    gc = board.rows["gc"].to_numpy(np.float64)
    return Differences(
        replicates[row[second]] - replicates[row[first]],
        gc[row[second]] - gc[row[first]],
        joint.codes[row[second]],
        board.test_fold[second],
        {pair.name: (pair.test[:, second] - pair.test[:, first]).T for pair in board.results},
        {pair.name: float(pair.test.std()) for pair in board.results},
        frozenset(pair.name for pair in board.results if pair.gc_only and pair.records[0].kind == "table"),
    )


def _best(board: Board, found: TargetFigures, first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64] | None:
    """Predicted differences (p, 1) of the learner that was chosen as the best in each fold; None where none was."""
    choice = found.choices.get("best")
    if choice is None:
        return None
    by_name = {pair.name: pair for pair in board.results}
    column = np.empty(len(board.test_row))
    for label, name in zip(np.unique(board.test_fold), choice.by_fold, strict=True):
        rows = board.test_fold == label
        column[rows] = by_name[name].test[0][rows]
    return (column[second] - column[first])[:, None]


def _set(
    board: Board, differences: Differences, draws: Draws, best: NDArray[np.float64] | None, neutral: bool = False
) -> PairSetSummary:
    how = "mean" if board.target.kind == "binary" else board.target.combine
    found: PairFigures = pair_figures(differences, draws, best, how=how, neutral=neutral)
    return PairSetSummary(
        pairs=found.pairs,
        loci=found.loci,
        ceiling=shown(found.ceiling_best),
        reason=found.no_ceiling,
        replicate_rho=None if found.ceiling is None else found.ceiling.r,
        rho_gc=shown(found.with_gc),
        clear=found.clear,
        commoner=number(found.commoner),
        rows=[
            PairRowSummary(
                name=row.name,
                spearman=shown(row.spearman),
                of_ceiling=shown(row.of_ceiling),
                sign=shown(row.sign),
                reason=row.reason,
            )
            for row in found.rows
        ],
        left_out=found.reason,
    )
