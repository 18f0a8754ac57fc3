"""Eulerian dinucleotide shuffles: other sequences with exactly the same dinucleotides.

Each run of A, C, G, T between Ns is shuffled on its own, so N (unknown or padding) stays in its place and every
dinucleotide count of the row is kept, those with N included. Each distinct shuffle of a run is equally likely: a random
arborescence of last exits into the run's last base by Wilson's loop-erased walks, all other exits in random order.

Sources: Altschul & Erickson 1985; Kandel, Matias, Unger & Winkler 1996; Wilson 1996. A run keeps its first and last
base. Short or low-complexity runs have few shuffles or only themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bench.sequences import Sequences


def _states(rows: int, seed: int) -> NDArray[np.uint64]:
    """One hashed state a row: the shuffle of a row does not depend on how many threads there are."""
    return np.random.SeedSequence(seed).generate_state(max(rows, 1), np.uint64)[:rows].astype(np.uint64, copy=False)


def dinucleotide_shuffle(sequences: Sequences, seed: int = 0) -> Sequences:
    """Shuffled copies of all rows, in row order, on a buffer of their own (n bases of memory).

    Rows are read as their strand says, then shuffled; the result is all forward. Lengths, ``width`` and covariates
    stay.
    """
    from dataclasses import replace

    from bench.kernels.shuffle_rows import shuffle_rows

    lengths = sequences.lengths
    stop = np.cumsum(lengths)
    start = stop - lengths
    buffer = shuffle_rows(
        sequences.buffer, sequences.start, sequences.stop, sequences.reverse, start, _states(len(sequences), seed)
    )
    return replace(
        sequences, buffer=buffer, start=start, stop=stop, reverse=np.zeros(len(sequences), np.bool_), shared={}
    )


def shuffle_matrix(codes: NDArray[np.uint8], seed: int = 0) -> NDArray[np.uint8]:
    """Shuffled copy of codes A C G T N = 0 1 2 3 4, uint8 (n, length)."""
    from bench.kernels.shuffle_rows import shuffle_rows

    n, length = codes.shape
    start = np.arange(n, dtype=np.int64) * length
    flat: Any = np.ascontiguousarray(codes).ravel()
    shuffled: NDArray[np.uint8] = shuffle_rows(
        flat, start, start + length, np.zeros(n, np.bool_), start, _states(n, seed)
    )
    return shuffled.reshape(n, length)
