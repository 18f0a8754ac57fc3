"""Counts of k-mers."""

from __future__ import annotations

import itertools
from typing import Any

from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.sequences import Sequences

#: 16,384 columns at k = 7 is the most that makes sense dense: 1 kB of bases gives at most 1,000 counts.
MOST_DENSE = 7
#: Columns of all windows: 6-mers (5,460 columns) in twelve windows, 65 kB a row.
MOST_COLUMNS = 65_536


class Kmers(Featurizer):
    """Counts of every k-mer of 1 to k bases (or exactly k), overlapping, on the row's strand. One with N is skipped.

    Parameters
    ----------
    k : longest k-mer, 1 to 7; 6 was best for boosters on validation folds (docs/hyperparameters.md).
    exact : only k-mers of exactly k bases.
    canonical : a k-mer and its reverse complement share a column, so both strands of a row look the same (where there
        is one window).
    windows : counts for each of so many windows along the row, 5' to 3', so that position matters. A k-mer belongs to
        the window that its first base lies in: base i of L to window i * windows // L.
    """

    name = "kmers"
    cheap = True
    shown = ("k",)
    #: On 20,440 plant elements (AT-rich) ridge scored .570 with k = 4 and .426 with k = 6.
    also = ("k=4",)

    def __init__(self, k: int = 6, exact: bool = False, canonical: bool = False, windows: int = 1) -> None:
        if not 1 <= k <= MOST_DENSE:
            raise BenchError(
                f"kmers: 'k' must be an int from 1 to {MOST_DENSE}. Got {k}. (From 8 on counts are nearly all zero and "
                "need sparse matrices, which the models here do not take.)"
            )
        if windows < 1:
            raise BenchError(f"kmers: 'windows' must be 1 or more. Got {windows}.")
        self.k = k
        self.exact = exact
        self.canonical = canonical
        self.windows = windows
        self.strand = "same" if canonical and windows == 1 else "any"
        columns = windows * len(self._kmers())
        if columns > MOST_COLUMNS:
            raise BenchError(
                f"kmers: k={k} in {windows} windows would be {columns:,} columns; at most {MOST_COLUMNS:,} are made."
                " Take a smaller k or fewer windows."
            )

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """(n, columns), the smallest unsigned dtype that holds a count; columns as in `names`."""
        from bench.kernels.kmers import count_kmers, count_kmers_in_windows

        low = self.k if self.exact else 1
        if self.windows == 1:
            return count_kmers(sequences, low, self.k, self.canonical)
        return count_kmers_in_windows(sequences, low, self.k, self.windows, self.canonical)

    def names(self, sequences: Sequences) -> list[str]:
        """K-mers by length, then alphabetically; with ``canonical`` the alphabetically first of the two strands. With
        windows: ``window 1 A``, ..., one window after the other."""
        kmers = self._kmers()
        if self.windows == 1:
            return kmers
        return [f"window {window + 1} {kmer}" for window in range(self.windows) for kmer in kmers]

    def _kmers(self) -> list[str]:
        """The k-mers of a window's columns."""
        lengths = range(self.k if self.exact else 1, self.k + 1)
        kmers = ["".join(letters) for k in lengths for letters in itertools.product("ACGT", repeat=k)]
        if not self.canonical:
            return kmers
        return [kmer for kmer in kmers if kmer <= kmer[::-1].translate(str.maketrans("ACGT", "TGCA"))]


class Dinucleotides(Featurizer):
    """Counts of the 16 dinucleotides, overlapping, on the row's strand: GC content, CpG and little else."""

    name = "dinucleotides"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """(n, 16), AA AC ... TT, the smallest unsigned dtype that holds a count."""
        from bench.kernels.kmers import count_kmers

        return count_kmers(sequences, 2, 2)

    def names(self, sequences: Sequences) -> list[str]:
        return Kmers(k=2, exact=True).names(sequences)
