"""Pooled correlations by name: columns are added, pairs asked for, and one pass draws them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.stats.bootstrap import Draws
from bench.stats.pooled import Pooled, pooled_correlations
from bench.stats.ranks import Array

#: Name of a column, or of several that belong together (replicates, seeds): the scale they are on, and what they are.
Group = tuple[str, str]
#: Name of the pairs of one figure: what it is, and of which learner or covariate.
Pairs = tuple[str, ...]


class Correlations:
    """Named columns, and the pairs of them whose correlations are wanted."""

    def __init__(self) -> None:
        self._columns: list[Array] = []
        self._numbers: dict[Group, list[int]] = {}
        self._pairs: list[tuple[int, int]] = []
        self._asked: dict[Pairs, slice] = {}

    def add(self, scale: str, names: Sequence[str], columns: Array) -> None:
        """Columns (n, p) on one scale, with a name each. Columns of one name are one group.

        Raises
        ------
        ValueError : names and columns that are not as many; a group that is there already.
        """
        if len(names) != columns.shape[1]:
            raise ValueError(f"{scale}: {len(names)} names for {columns.shape[1]} columns: one each is needed.")
        for name in dict.fromkeys(names):
            if (scale, name) in self._numbers:
                raise ValueError(f"{name!r} on the scale {scale!r} is there already.")
            self._numbers[scale, name] = []
        for name, column in zip(names, columns.T, strict=True):
            self._numbers[scale, name].append(len(self._columns))
            self._columns.append(column)

    def between(self, name: Pairs, left: Group, right: Group) -> None:
        """Ask, under a name, for every column of one group with every column of another, those of the left outside."""
        self._ask(name, product(self._of(left), self._of(right)))

    def within(self, name: Pairs, group: Group) -> None:
        """Ask, under a name, for every pair of columns of one group; none, where it has fewer than two columns."""
        self._ask(name, combinations(self._numbers.get(group, []), 2))

    def draw(
        self,
        locus: NDArray[Any],
        draws: Draws,
        fold: NDArray[Any],
        weights: Array | None = None,
        groups: NDArray[Any] | None = None,
    ) -> DrawnCorrelations:
        """Every pair that was asked for, on the rows as they are, in every draw, and without each group of loci
        (``pooled.pooled_correlations``)."""
        columns = np.column_stack(self._columns)
        found = pooled_correlations(columns, self._pairs, locus, fold, weights=weights, draws=draws, groups=groups)
        return DrawnCorrelations(self._asked, found)

    def _of(self, name: Group) -> list[int]:
        if name not in self._numbers:
            raise ValueError(f"no column {name[1]!r} on the scale {name[0]!r} was added.")
        return self._numbers[name]

    def _ask(self, name: Pairs, pairs: Iterable[tuple[int, int]]) -> None:
        if name in self._asked:
            raise ValueError(f"pairs named {name} were asked for already.")
        first = len(self._pairs)
        self._pairs += pairs
        self._asked[name] = slice(first, len(self._pairs))


@dataclass(frozen=True, eq=False)
class DrawnCorrelations:
    """The correlations of the pairs that were asked for, by the name under which they were."""

    asked: Mapping[Pairs, slice]
    found: Pooled

    def point(self, name: Pairs) -> Array:
        """Every pair, float64 (pairs,)."""
        return self.found.point[self.asked[name]]

    def drawn(self, name: Pairs) -> Array:
        """The same in every draw, float64 (draws, pairs)."""
        return self.found.drawn[:, self.asked[name]]

    def parts(self, name: Pairs) -> tuple[Array, Array, Array]:
        """Every pair, in every draw, and without each group of loci, float64 (groups, pairs)."""
        return self.point(name), self.drawn(name), self.found.left_out[:, self.asked[name]]

    def means(self, name: Pairs) -> tuple[Any, Array]:
        """Mean over the pairs (seeds, say), and in every draw, float64 (draws,)."""
        return self.point(name).mean(), self.drawn(name).mean(axis=1)
