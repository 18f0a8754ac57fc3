"""Pairs of rows: what a task file says of them (``pair`` under ``[columns]``), and what a task holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, model_validator


def _worded(value: Any) -> Any:
    """A whole number as a table writes it: classes may be 0 and 1."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), BeforeValidator(_worded)]


class PairSpec(BaseModel):
    """Rows that differ by design: variants of one sequence, mutants, scrambles.

    ``column`` : rows with one value of it belong together; rows without a value belong to none. ``kind`` : the column
    that says what a row is, and ``reference`` its value in the row that the others are compared with. Without them the
    first of two rows in the table is the reference.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: _Text
    kind: _Text | None = None
    reference: _Text | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> PairSpec:
        if (self.kind is None) != (self.reference is None):
            raise ValueError(
                "kind and reference go together: the column that says what a row is, and its value in the reference,"
                ' as in pair = { column = "element", kind = "class", reference = "wild type" }'
            )
        if self.kind == self.column:
            raise ValueError("kind must be another column than the one that names the pair")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that are read."""
        return (self.column, self.kind) if self.kind else (self.column,)


def _pair(value: Any) -> Any:
    """``pair = "variant"`` is short for ``pair = { column = "variant" }``."""
    if value is not None and not isinstance(value, str | dict | PairSpec):
        raise ValueError(
            'must be the column that both rows of a pair share, such as "variant", or'
            ' { column = "element", kind = "class", reference = "wild type" }'
        )
    return {"column": value} if isinstance(value, str) else value


#: The pairs of a task file; None without any.
Pair = Annotated[PairSpec | None, BeforeValidator(_pair)]


@dataclass(frozen=True, eq=False)
class Pairs:
    """For every row of a task the number of the row that it is compared with, int64 (n,), -1 where there is none, and
    what the pair is (``wild type/mutant``), str (n,), "" where there is none."""

    reference: NDArray[np.int64]
    kind: NDArray[Any]


def columns_of(pairs: Pairs | None) -> Mapping[str, NDArray[Any]]:
    """Pairs as the columns of rows.parquet: ``pair``, the number of the reference, and ``pair_kind``."""
    return {} if pairs is None else {"pair": pairs.reference, "pair_kind": pairs.kind}
