"""Columns of a table, read as text or numbers, with errors that name the table, the row and the column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.numbers import fix_of, parse_numbers, rounded, thousands_points
from bench.files.reading import bare
from bench.files.tables import LINE, require_columns
from bench.tasks.problems import Problems, such

if TYPE_CHECKING:
    import pandas as pd

#: Largest position on a chromosome that is believed.
_FARTHEST = 2**48


@dataclass(frozen=True, eq=False)
class Columns:
    """Some rows of a table, read one column at a time.

    source : what messages call the table. rows : positions in ``frame`` of the rows that are read, int64 (n,).
    id_column : the column that names rows in messages, where there is one.
    problems : where what is wrong is gathered; None where the first is raised at once. What is wrong reads as missing.
    """

    frame: pd.DataFrame
    source: str
    rows: NDArray[np.int64]
    id_column: str | None = None
    problems: Problems | None = None

    @classmethod
    def of(
        cls, frame: pd.DataFrame, source: str, id_column: str | None = None, problems: Problems | None = None
    ) -> Columns:
        """All rows of a table."""
        return cls(frame, source, np.arange(len(frame)), id_column, problems)

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, column: object) -> bool:
        return column in self.frame.columns

    def keep(self, mask: NDArray[np.bool_]) -> Columns:
        """The rows where ``mask``, bool (n,), is true."""
        return replace(self, rows=self.rows[mask])

    def with_column(self, column: str, values: NDArray[Any]) -> Columns:
        """The same rows with a column more (or another in place of one), of all rows of ``frame``."""
        return replace(self, frame=self.frame.assign(**{column: values}))

    def require(self, columns: Iterable[str], fix: str = "") -> None:
        """Check that columns are there; the message ends with ``fix``, or by default with the nearest name there is."""
        require_columns(self.frame, columns, self.source, fix)

    def where(self, row: int) -> str:
        """How messages call a row that is read: counted from 1 below the header, with its id and, where it is known,
        its line in the file."""
        place = int(self.rows[row])
        said = [repr(self.frame[self.id_column].iloc[place])] if self.id_column else []
        said += [f"line {self.frame.index[place]}"] if self.frame.index.name == LINE else []
        return f"row {place + 1}" + (f" ({', '.join(said)})" if said else "")

    def say(self, problem: str, kind: object = None) -> None:
        """Note a problem, or raise it where none are gathered.

        Raises
        ------
        BenchError : naming the source.
        """
        if self.problems is None:
            raise BenchError(f"{self.source}: {problem}")
        self.problems.add(problem, kind)

    def refuse(self, wrong: NDArray[np.bool_], column: str, must: str, got: pd.Series | NDArray[Any], fix: str) -> None:
        """A problem where ``wrong``, bool (n,), is true anywhere: what the column must be, what its first such row has.

        got : the column as it was read, (n,).
        """
        if wrong.any():
            first = int(np.argmax(wrong))
            value = got[first] if isinstance(got, np.ndarray) else got.iloc[first]
            said = f"{value:g}" if isinstance(value, float) and np.isfinite(value) else repr(str(value))
            self.say(
                f"{self.where(first)}, column {column!r} must be {must}. Got {said}{such(int(wrong.sum()))}."
                f"{fix and ' ' + fix}",
                (column, must),
            )

    def strings(self, column: str) -> pd.Series:
        """A column as strings, stripped, missing where empty. Whole numbers read as floats lose their '.0'."""
        import pandas as pd

        values = self._read(column)
        if isinstance(values.dtype, pd.StringDtype) and self.frame.index.name == LINE:
            return values  # as the reader left them
        if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
            values = values.astype("Int64")
        missing = values.isna().to_numpy(np.bool_)
        texts = np.where(missing, "", values.astype(str).to_numpy(object))
        series = pd.Series([bare(str(text)) for text in texts], dtype=object, index=values.index)
        return series.where(series != "")

    def text(self, column: str) -> NDArray[Any]:
        """A column as str (n,), "" where missing."""
        return np.asarray(self.strings(column).fillna("").to_numpy(object), np.str_)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """A column as float64 (n,), NaN where missing; infinite values and text are errors."""
        import pandas as pd

        raw = self._read(column)
        if pd.api.types.is_numeric_dtype(raw.dtype):
            values = raw.to_numpy(np.float64, na_value=np.nan)
            wrong, points = np.zeros((2, len(raw)), np.bool_)
        else:
            raw = self.strings(column)
            values, wrong = parse_numbers(raw)
            points = thousands_points(raw)
            apart = "Its point divides thousands: write numbers without separators."
            self.refuse(points, column, "a number", raw, apart)
            wrong |= points
        wrong |= np.isinf(values)
        fix = ""
        if wrong.any():
            fix = fix_of(str(raw.iloc[int(np.argmax(wrong))]))
        self.refuse(
            wrong & ~points,
            column,
            "a finite number or empty",
            raw,
            fix or "Correct it, or leave it empty where nothing was measured.",
        )
        return np.where(wrong, np.nan, values)

    def rounded(self, column: str) -> NDArray[np.bool_]:
        """Fields that a spreadsheet has rounded to three digits, which is a problem of whole numbers. bool (n,)."""
        import pandas as pd

        if pd.api.types.is_numeric_dtype(self.frame[column].dtype):
            return np.zeros(len(self), np.bool_)
        raw = self.strings(column)
        found = rounded(raw)
        fix = "A spreadsheet rounded it to three digits: format the column as numbers and export it again."
        self.refuse(found, column, "a whole number, written in full", raw, fix)
        return found

    def counts(self, column: str) -> NDArray[np.float64]:
        """A column of counts as float64 (n,), NaN where missing; negative values are errors."""
        values = self.numbers(column)
        self.refuse(values < 0, column, "a count, 0 or more", values, "Leave it empty where nothing was counted.")
        return values

    def positions(self, column: str, *, least: float = 0) -> NDArray[np.float64]:
        """A column of positions on a chromosome, whole from ``least`` up, as float64 (n,), NaN where missing."""
        values = self.numbers(column)
        short = self.rounded(column)
        up = f"a whole number from {least:g} up" if np.isfinite(least) else "a whole number"
        wrong = np.isfinite(values) & ((values < least) | (values % 1 != 0) | (np.abs(values) > _FARTHEST))
        fix = "Coordinates are 1-based, as the task file says." if least == 1 else "Coordinates are 0-based."
        self.refuse(wrong, column, up, values, fix)
        return np.where(wrong | short, np.nan, values)

    def _read(self, column: str) -> pd.Series:
        self.require([column])
        return self.frame[column].iloc[self.rows]
