"""A number as ``summary.json`` holds it, and a figure with its interval."""

from __future__ import annotations

import math
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from bench.stats import intervals
from bench.store.record import Stored


def _stored(value: object) -> object:
    """A number as JSON holds it: None where it does not exist; floats keep 7 digits, more than any of them deserves."""
    if value is None:
        return None
    if type(value) is not float and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value


#: A float that may not exist: NaN and infinity become None.
Number: TypeAlias = Annotated[float | None, BeforeValidator(_stored)]
#: One that must.
Known: TypeAlias = Annotated[float, BeforeValidator(_stored)]


class Estimate(Stored):
    """A figure with the ends of its 95 % interval, which may be missing alone."""

    value: Known
    low: Number = None
    high: Number = None


def shown(figure: intervals.Estimate) -> Estimate | None:
    """A figure of ``bench.stats`` as it is kept; None where there is none."""
    return Estimate(**figure._asdict()) if math.isfinite(figure.value) else None


def number(value: float) -> float | None:
    """A float as it is kept; None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None
