"""One refusal, in words, of arrays that do not belong together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def same_length(arrays: Mapping[str, Any] | None = None, /, *, of: str = "rows", **named: Any) -> int:
    """The length that all arrays have along their first axis; None among them is passed over, as not given.

    arrays, named : name → array; the names are those of the message. of : what the first axis counts.

    Raises
    ------
    ValueError : "y has 90 rows, fold 91: they must have one length." Only the first and those unlike it are named.
    """
    lengths: dict[str, int] = {}
    for name, array in {**(arrays or {}), **named}.items():
        if array is None:
            continue
        shape = np.shape(array)
        if not shape:
            raise ValueError(f"{name} must be an array of {of}. Got one value.")
        lengths[name] = shape[0]
    first = next(iter(lengths.values()), 0)
    others = [f"{name} {length}" for name, length in lengths.items() if length != first]
    if others:
        raise ValueError(f"{next(iter(lengths))} has {first} {of}, {', '.join(others)}: they must have one length.")
    return first
