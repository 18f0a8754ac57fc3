"""Binary targets: labels that are words, and numbers that are cut at a threshold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import nearest
from bench.files.numbers import MISSING
from bench.stats.replicates import DEFAULT, Combine, combine, on_scale
from bench.tasks.columns import Columns
from bench.tasks.task import Target

if TYPE_CHECKING:
    from bench.tasks.spec import TargetSpec

_THRESHOLD = re.compile(r"\s*(>=|<=|>|<)?\s*(quantile\s+)?([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")
_ABOVE: dict[str, Callable[[Any, Any], Any]] = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}
#: Labels that are named in a message.
_NAMED = 6


@dataclass(frozen=True)
class Threshold:
    """What makes a value positive: ``> 0`` in the units of the columns, or beyond a quantile of the rows' own values.

    Examples
    --------
    >>> Threshold.parse("> 0")
    Threshold(sign='>', number=0.0, quantile=False)
    >>> str(Threshold.parse("quantile 0.8"))
    '> quantile 0.8'
    """

    sign: str
    number: float
    quantile: bool

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """A threshold as a task file has it.

        Raises
        ------
        ValueError : for anything else, in words.
        """
        found = _THRESHOLD.fullmatch(text)
        if found is None or not (found[1] or found[2]):
            raise ValueError(
                'must be a sign and a number, such as "> 0", ">= 1.5" or "< -1", or a quantile, such as "quantile 0.8"'
                ' (the highest fifth) or "< quantile 0.2" (the lowest)'
            )
        number = float(found[3])
        if found[2] and not 0 < number < 1:
            raise ValueError('a quantile lies between 0 and 1, such as "quantile 0.8" for the highest fifth')
        return cls(found[1] or ">", number, bool(found[2]))

    def __str__(self) -> str:
        return f"{self.sign} {'quantile ' if self.quantile else ''}{self.number:g}"

    @property
    def combine(self) -> Combine:
        """How replicates become the value that is cut where the task file says nothing: a number is in the units of the
        columns, which places among the rows have not."""
        return DEFAULT if self.quantile else "mean"

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Labels 1 and 0 of values (n,), NaN where there is none."""
        measured = np.isfinite(values)
        level = self.number
        if self.quantile:
            level = float(np.quantile(values[measured], self.number)) if measured.any() else np.nan
        return np.where(measured, _ABOVE[self.sign](values, level).astype(np.float64), np.nan)


def cut(target: Target, threshold: Threshold, how: Combine) -> Target:
    """The binary twin of a regression target: each replicate cut for itself (what the ceiling rests on), and the
    combined value cut for the label."""
    scaled = on_scale(target.replicates, how)
    value = combine(target.replicates, how, minimum=target.minimum_replicates).value
    return replace(
        target,
        replicates=np.column_stack([threshold.of(column) for column in scaled.T]),
        kind="binary",
        label=threshold.of(value),
        combine=how,
        positive=str(threshold),
    )


def read_labels(table: Columns, column: str, about: TargetSpec, name: str, columns: list[str]) -> NDArray[np.float64]:
    """A column of labels as 1, 0 and NaN, float64 (n,). What is wrong is noted as a problem of the table.

    Parameters
    ----------
    about, name : of the target. columns : all its columns, in which a positive label may stand.
    """
    text = table.text(column)
    text = np.where(np.isin(text, MISSING), "", text)
    known = text != ""
    if about.positive:
        there = {value for each in columns for value in table.text(each).tolist()} - {"", *MISSING}
        alike = {label.casefold(): label for label in about.positive if label in there}
        for label in sorted(there - set(about.positive)):
            if label.casefold() in alike:  # one word to a person, and two classes to a comparison
                table.say(
                    f"targets.{name}.positive: {', '.join(map(repr, columns))} has {alike[label.casefold()]!r}, which"
                    f" is positive, and {label!r}, which differs in case alone and would be negative. Write them alike,"
                    " or name both in positive.",
                    ("case", name, label),
                )
        for label in about.positive:
            if label not in there:
                table.say(
                    f"targets.{name}.positive: no row of {', '.join(map(repr, columns))} has the label {label!r}."
                    f"{nearest(label, sorted(there)[:40])}",
                    ("label", name, label),
                )
        return np.where(known, np.isin(text, about.positive).astype(np.float64), np.nan)
    labels = sorted(set(text[known].tolist()))
    numbers = {label: _zero_or_one(label) for label in labels}
    if all(value is not None for value in numbers.values()):
        return np.array([numbers.get(label) for label in text.tolist()], np.float64)
    table.say(_which_is_positive(name, column, labels), ("labels", name))
    return np.full(len(text), np.nan)


def _zero_or_one(label: str) -> float | None:
    try:
        value = float(label)
    except ValueError:
        return None
    return value if value in (0.0, 1.0) else None


def _which_is_positive(name: str, column: str, labels: list[str]) -> str:
    """The line to add to a task file where nothing says which labels are positive."""
    holds = ", ".join(map(repr, labels[:_NAMED])) + (f" and {len(labels) - _NAMED:,} more" * (len(labels) > _NAMED))
    said = f"binary target {name!r} (column {column!r}) holds {holds}, not 0 and 1."
    if sum(_is_number(label) for label in labels) == len(labels) and len(labels) > 2:
        return f'{said} To cut numbers into two classes, add under [targets.{name}]: threshold = "> 0"'
    guess = sounds_positive(labels)
    line = f'positive = "{guess}"' if len(labels) == 2 else f'positive = ["{guess}"]'
    return f"{said} Say which is positive: add under [targets.{name}]: {line}"


#: Words that are offered as the positive one; the person decides.
_SOUND_POSITIVE = ("active", "true", "yes", "positive", "pos", "1", "on", "enhancer", "silencer", "high", "hit")


def sounds_positive(labels: list[str]) -> str:
    """The label that a person most likely means by positive: the last where none sounds so."""
    return next((each for each in labels if each.lower() in _SOUND_POSITIVE), labels[-1])


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
