"""Columns of a table, read as text or numbers, with errors that name the table, the row and the column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.tables import require_columns

if TYPE_CHECKING:
    import pandas as pd

#: Largest position on a chromosome that is believed.
_FARTHEST = 2**48


@dataclass(frozen=True, eq=False)
class Columns:
    """Some rows of a table, read one column at a time.

    source : what messages call the table. rows : positions in ``frame`` of the rows that are read, int64 (n,).
    id_column : the column that names rows in messages, where there is one.
    """

    frame: pd.DataFrame
    source: str
    rows: NDArray[np.int64]
    id_column: str | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, source: str, id_column: str | None = None) -> Columns:
        """All rows of a table."""
        return cls(frame, source, np.arange(len(frame)), id_column)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, column: object) -> bool:
        return column in self.frame.columns

    def keep(self, mask: NDArray[np.bool_]) -> Columns:
        """The rows where ``mask``, bool (n,), is true."""
        return replace(self, rows=self.rows[mask])

    def require(self, columns: Iterable[str], fix: str = "") -> None:
        """Check that columns are there; the message ends with ``fix``, or by default with the nearest name there is."""
        require_columns(self.frame, columns, self.source, fix)

    def where(self, row: int) -> str:
        """How messages call a row that is read: counted from 1 below the header, with its id."""
        place = int(self.rows[row])
        return f"row {place + 1}" + (f" ({self.frame[self.id_column].iloc[place]!r})" if self.id_column else "")

    def refuse(self, wrong: NDArray[np.bool_], column: str, must: str, got: pd.Series | NDArray[Any], fix: str) -> None:
        """Raise for the first row where ``wrong``, bool (n,), is true: what the column must be, and what it has there.

        got : the column as it was read, (n,).
        """
        if wrong.any():
            first = int(np.argmax(wrong))
            value = got[first] if isinstance(got, np.ndarray) else got.iloc[first]
            said = f"{value:g}" if isinstance(value, float) and np.isfinite(value) else repr(str(value))
            raise BenchError(
                f"{self.source}: {self.where(first)}, column {column!r} must be {must}. Got {said}.{fix and ' ' + fix}"
            )

    def text(self, column: str) -> NDArray[Any]:
        """A column as str (n,), "" where missing. Whole numbers read as floats because of gaps lose their '.0'."""
        import pandas as pd

        values = self._read(column)
        if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
            values = values.astype("Int64")
        missing = values.isna().to_numpy(np.bool_)
        return np.where(missing, "", values.astype(str).to_numpy(object)).astype(np.str_)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A column as float64 (n,), NaN where missing; infinite values and text are errors."""
        import pandas as pd

        raw = self._read(column)
        values = pd.to_numeric(raw, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        self.refuse(
            np.isnan(values) & raw.notna().to_numpy(np.bool_) | np.isinf(values),
            column,
            "a finite number or empty",
            raw,
            "Correct it, or leave it empty where nothing was measured.",
        )
        return values

    def counts(self, column: str) -> NDArray[np.float64]:
        """A column of counts as float64 (n,), NaN where missing; negative values are errors."""
        values = self.numbers(column)
        self.refuse(values < 0, column, "a count, 0 or more", values, "Leave it empty where nothing was counted.")
        return values

    def positions(self, column: str) -> NDArray[np.int64]:
        """A column of positions on a chromosome as int64 (n,), -1 where missing."""
        values = self.numbers(column)
        self.refuse(
            np.isfinite(values) & ((values < 0) | (values % 1 != 0) | (values > _FARTHEST)),
            column,
            "a whole number from 0 up",
            values,
            "Coordinates are 0-based.",
        )
        return np.where(np.isfinite(values), values, -1).astype(np.int64)

    def _read(self, column: str) -> pd.Series:
        self.require([column])
        return self.frame[column].iloc[self.rows]
