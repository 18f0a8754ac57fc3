"""How many sites of a motif a row has: what neither its best site nor the log of their sum tells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.explain.designed import Codes
from bench.motifs.motif import Motif

#: Shares of the highest score that a window must pass to count as a site.
PASSED = (0.6, 0.7, 0.8, 0.9)
#: Motifs whose sites are counted: each the one that follows best what those before leave.
PICKED = 16


class SiteCounts:
    """Counts of sites of motifs in some rows, on both strands; each motif is counted once."""

    def __init__(self, codes: Sequence[Codes], motifs: Sequence[Motif]) -> None:
        self._motifs = motifs
        # Rows end to end with a base unknown between them, so that no window spans two.
        parts = [part for row in codes for part in (row, np.array([4], np.uint8))]
        self._codes = np.concatenate(parts) if parts else np.zeros(0, np.uint8)
        lengths = np.array([len(row) + 1 for row in codes], np.int64)
        self._first = np.cumsum(lengths) - lengths
        self._known: dict[int, NDArray[np.float32]] = {}

    def of(self, motif: int) -> NDArray[np.float32]:
        """Windows above each of ``PASSED``, float32 (rows, 4)."""
        if motif not in self._known:
            odds = self._motifs[motif].log_odds()
            highest = float(odds.max(axis=1).sum())
            score = np.stack([_scores(self._codes, each) for each in (odds, odds[::-1, ::-1])])
            counts = [(score > share * highest).sum(axis=0, dtype=np.int64) for share in PASSED]
            self._known[motif] = np.stack([np.add.reduceat(each, self._first) for each in counts], 1).astype(np.float32)
        return self._known[motif]

    def that_follow(
        self, table: NDArray[np.float32], rest: NDArray[np.float64], train: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Counts of the motifs that follow ``rest`` (rows,) on the training rows, one after the other: each is the one
        whose best score or occupancy follows most what those before leave. Motifs alike the first, forty of one family
        maybe, would else leave no room for others. float32 (rows, columns).

        Parameters
        ----------
        table : (rows, 2 · motifs), best scores and occupancies.
        """
        z = table[train] - table[train].mean(axis=0)
        size = np.sqrt((z * z).sum(axis=0))
        z /= np.where(size > 1e-6, size, np.inf)
        # Orthonormal columns of all that was picked, and what they leave.
        basis = np.zeros((len(train), 0))
        left = rest[train] - rest[train].mean()
        picked: list[int] = []
        for _ in range(min(PICKED, len(self._motifs))):
            follows = np.abs(z.T @ left.astype(np.float32)).reshape(2, -1).max(axis=0)
            follows[picked] = -1
            picked.append(int(np.argmax(follows)))
            mine = [picked[-1], picked[-1] + len(self._motifs)]
            new = np.concatenate([self.of(picked[-1])[train], table[train][:, mine]], axis=1).astype(np.float64)
            new -= new.mean(axis=0)
            for _ in range(2):  # twice is enough for columns that are all but in the span
                new -= basis @ (basis.T @ new)
            values, vectors = np.linalg.eigh(new.T @ new)
            kept = values > 1e-8 * len(train)
            basis = np.concatenate([basis, new @ vectors[:, kept] / np.sqrt(values[kept])], axis=1)
            left -= basis @ (basis.T @ left)
        return np.concatenate([self.of(i) for i in picked], axis=1) if picked else np.zeros((len(table), 0), np.float32)


def _scores(codes: Codes, odds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Score of the window that begins at each place, float32 (bases,); none passes where a base is unknown."""
    wide = np.concatenate([odds, np.full((len(odds), 1), -1e4)], axis=1).astype(np.float32)
    out = np.zeros(len(codes), np.float32)
    for i, column in enumerate(wide):
        out[: len(codes) - i] += column[codes[i:]]
        out[len(codes) - i :] = -1e4
    return out
