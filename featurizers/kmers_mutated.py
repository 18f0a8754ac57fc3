"""Counts of rows with one base changed, for who asks for all of a row. A file of its own: a result's key follows from
the code that fits, which this is no part of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.featurizers.kmers import Dinucleotides, Kmers
from bench.sequences import Sequences


def mutated(featurizer: Kmers | Dinucleotides, codes: NDArray[np.uint8]) -> NDArray[Any] | None:
    """Features of every row that differs from ``codes`` in one base, by position and then by the new base: those of the
    row, less the k-mers that hold the base, and with those that hold the new one. None in windows."""
    if getattr(featurizer, "windows", 1) != 1:
        return None
    reach = getattr(featurizer, "k", 2) - 1
    called = np.flatnonzero(codes < 4)
    pieces = []
    for at in called:
        near = codes[max(0, at - reach) : at + reach + 1]
        here = min(at, reach)
        for base in range(4):
            piece = near.copy()
            piece[here] = base
            pieces.append(piece)
    whole = featurizer.transform(_rows([codes]))
    if not pieces:
        return whole[:0]
    local = featurizer.transform(_rows(pieces)).astype(np.int64).reshape(len(called), 4, -1)
    own = local[np.arange(len(called)), codes[called]][:, None]
    others = np.array([[b for b in range(4) if b != code] for code in codes[called]])
    new = np.take_along_axis(local, others[:, :, None], axis=1) - own
    return (whole.astype(np.int64) + new.reshape(3 * len(called), -1)).astype(whole.dtype)


def _rows(codes: list[NDArray[np.uint8]]) -> Sequences:
    lengths = np.array([*map(len, codes)], np.int64)
    stop = np.cumsum(lengths)
    return Sequences.from_intervals(np.concatenate(codes), stop - lengths, stop)
