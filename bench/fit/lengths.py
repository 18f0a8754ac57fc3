"""Rows of other lengths than those a model was fitted on, made such as it can be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.sequences import Sequences

#: What becomes of a row that is longer, or shorter, than any the model was fitted on. ``centre``: its middle; a shorter
#: row stays as it is. ``pad``: its middle; a shorter row stands between N. ``tile``: windows half a window apart,
#: whose predictions are averaged; a shorter row stays as it is.
Lengths = Literal["centre", "pad", "tile"]
LENGTHS: tuple[Lengths, ...] = get_args(Lengths)


@dataclass(frozen=True, eq=False)
class Fitting:
    """Rows as a model is asked for them.

    sequences : windows of the rows, without covariates. owner : int64 (windows,), the row of each. cut, padded : rows
    that were cut (or tiled), and padded.
    """

    sequences: Sequences
    owner: NDArray[np.int64]
    cut: int
    padded: int

    def mean(self, predictions: NDArray[np.float32], rows: int) -> NDArray[np.float64]:
        """Predictions of windows (windows, folds) as those of rows (rows, folds): their mean."""
        number = np.bincount(self.owner, minlength=rows).astype(float)
        sums = [np.bincount(self.owner, column, rows) for column in predictions.T.astype(np.float64)]
        return np.column_stack(sums) / number[:, None]


def fit_lengths(sequences: Sequences, like: Sequences, how: Lengths = "centre") -> Fitting:
    """Rows with lengths between the shortest and the longest of ``like``, the rows that a model was fitted on.

    Raises
    ------
    BenchError : for a rule that is none.
    """
    if how not in LENGTHS:
        raise BenchError(f"--lengths must be {', '.join(LENGTHS[:-1])} or {LENGTHS[-1]}. Got {how!r}.")
    shortest, longest = int(like.lengths.min()), int(like.lengths.max())
    length = sequences.lengths
    long, short = length > longest, length < shortest
    owner = np.arange(len(sequences))
    start: NDArray[np.int64] = np.array(sequences.start)
    stop: NDArray[np.int64] = np.array(sequences.stop)
    reverse: NDArray[np.bool_] = np.array(sequences.reverse)
    if how == "tile" and long.any():
        offsets = [_offsets(each, longest) if each > longest else np.zeros(1, np.int64) for each in length.tolist()]
        owner = np.repeat(owner, [len(each) for each in offsets])
        # offsets count from the end that is read first
        begin, end, back = start[owner], stop[owner], reverse[owner]
        at, span = np.concatenate(offsets), np.minimum(end - begin, longest)
        start = np.where(back, end - at - span, begin + at)
        stop, reverse = start + span, back
    elif long.any():
        over = length - longest
        # the odd base goes from the end that is read last
        left = np.where(reverse, over - over // 2, over // 2)
        start = np.where(long, start + left, start)
        stop = np.where(long, start + longest, stop)
    made = replace(sequences, start=start, stop=stop, reverse=reverse, width=like.width, covariates={}, shared={})
    padded = 0
    if how == "pad" and short.any():
        made, padded = _padded(made, shortest), int(short.sum())
    return Fitting(made, owner, int(long.sum()), padded)


def _offsets(length: int, window: int) -> NDArray[np.int64]:
    """Where windows begin in a row: half a window apart, the last one flush with the row's end."""
    last = length - window
    return np.unique(np.append(np.arange(0, last, max(window // 2, 1)), last))


def _padded(sequences: Sequences, shortest: int) -> Sequences:
    """The rows as they are read, those below a length in the middle of N."""
    pieces = []
    for row in range(len(sequences)):
        codes = sequences.codes(row)
        missing = max(shortest - len(codes), 0)
        pieces.append(np.pad(codes, (missing // 2, missing - missing // 2), constant_values=4))
    stop = np.cumsum([len(piece) for piece in pieces]).astype(np.int64)
    start = np.concatenate([[0], stop[:-1]]).astype(np.int64)
    made = Sequences.from_intervals(np.concatenate(pieces), start, stop)
    return replace(made, width=sequences.width)
