"""One motif, and its log-odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Share of every base where no motif is; GC content of the rows does not enter, so that a row's scores are its own.
BACKGROUND = 0.25
#: Pseudo-counts of a position with N counts: this times the root of N, shared out by the background.
PSEUDO = 0.25


@dataclass(frozen=True, eq=False)
class Motif:
    """Counts of A C G T at every position.

    Attributes
    ----------
    id : unique in its file ("MA0139.2").
    name : of the factor; may be that of another motif too.
    counts : float64 (length, 4), at least 0, with a sum above 0 at every position.
    family, kind : structural family and class of the factor; "" where unknown.
    """

    id: str
    name: str
    counts: NDArray[np.float64]
    family: str = ""
    kind: str = ""

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def title(self) -> str:
        """ID and name, unique in a file."""
        return self.id if self.name in ("", self.id) else f"{self.id} {self.name}"

    def log_odds(self) -> NDArray[np.float64]:
        """log2 of p / .25 at every position, float64 (length, 4), with p = (count + s / 4) / (N + s), N the counts of
        the position and s = .25 sqrt(N): pseudo-counts that grow with the root of what was counted (after Wasserman and
        Sandelin, Nature Reviews Genetics 5:276, 2004). Finite at every base."""
        n = self.counts.sum(axis=1, keepdims=True)
        pseudo = PSEUDO * np.sqrt(n)
        return np.log2((self.counts + pseudo * BACKGROUND) / (n + pseudo) / BACKGROUND)
