"""Fields read as numbers, and what is said of one that is none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: Fields of a column of numbers that are missing, besides the empty one: as R, Python, SQL, Excel and genome browsers
#: write it.
MISSING = ("NA", "NaN", "nan", ".", "N/A", "n/a", "#N/A", "null", "NULL", "None", "<NA>", "-nan")
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_INFINITE = r"^[-+]?(inf|Inf|INF|infinity|Infinity)$"
#: What a field that is no number looks like -> what to do about it. The first that fits is said.
_FIXES = (
    (r"[−–—‒‐‑]\s*[\d.,]+.*", "It has a typeset minus sign: replace it by a plain hyphen (-)."),
    (r"[-+]?\d{1,3}(,\d{3})+\.\d+", "It has thousands separators: write numbers without them."),
    (r"[-+]?\d{1,3}(\.\d{3})+,\d+", "It has thousands points and a decimal comma: write numbers as 1234.5."),
    (r"[-+]?0*,\d+|[-+]?\d+,(\d{1,2}|\d{4,})", "It has a decimal comma: export numbers with decimal points."),
    (
        r"[-+]?\d{1,3}(,\d{3})+",
        "Is the comma a decimal comma or a thousands separator? Write decimal points and no separators.",
    ),
    (r"[-+]?\d{1,3}([\s'’_]\d{3})+([.,]\d+)?", "It has thousands separators: write numbers without them."),
    (r"[-+]?\d*,\d+[eE][-+]?\d+", "It has a decimal comma: export numbers with decimal points."),
    (
        r"(\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2,4}|\d{1,4}[-/]\d{1,2}[-/]\d{1,4})(\s[\d:]+)?",
        "A spreadsheet made a date of it: format the column as numbers and type it again.",
    ),
    (r"[-+]?[\d.]+\s*%", "Write a number, without the percent sign."),
    (r"[<>≤≥~].*", "Write a number, or leave it empty."),
    (r"#[A-Z/0!?]+", "A formula of the spreadsheet failed: correct it, or leave the cell empty."),
)


def parse_numbers(texts: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a column of strings, float64 (n,), NaN where missing; and where it holds something else, bool (n,).

    Parsed to the nearest double, so that a text table and a Parquet file of it agree to the last bit.
    """
    import pyarrow as pa
    from pyarrow import compute

    fields = pa.array(texts, pa.large_string(), from_pandas=True)
    none = np.zeros(len(fields), np.bool_)
    try:
        return _floats(compute.cast(fields, pa.float64())), none
    except pa.ArrowInvalid:
        pass
    missing = compute.or_kleene(compute.is_null(fields), compute.is_in(fields, pa.array(MISSING, pa.large_string())))
    number = compute.or_(
        compute.match_substring_regex(fields, _NUMBER), compute.match_substring_regex(fields, _INFINITE)
    ).fill_null(False)
    plain = compute.if_else(number, compute.utf8_ltrim(fields, "+"), pa.scalar(None, pa.large_string()))
    wrong = compute.and_not(compute.invert(missing), number)
    return _floats(compute.cast(plain, pa.float64())), np.asarray(wrong)


def thousands_points(texts: pd.Series) -> NDArray[np.bool_]:
    """Fields of a column of strings whose point divides thousands (``1.230``), bool (n,): where some end with the zero
    that no program writes behind a decimal point, and the fields without a point are whole and below a thousand."""
    import pyarrow as pa
    from pyarrow import compute

    fields = pa.array(texts, pa.large_string(), from_pandas=True)
    none = np.zeros(len(fields), np.bool_)
    if not compute.any(compute.match_substring_regex(fields, r"^[-+]?[1-9]\d{0,2}(\.\d{3})*\.\d{2}0$")).as_py():
        return none
    missing = compute.or_kleene(compute.is_null(fields), compute.is_in(fields, pa.array(MISSING, pa.large_string())))
    grouped = compute.match_substring_regex(fields, r"^[-+]?[1-9]\d{0,2}(\.\d{3})+$").fill_null(False)
    whole = compute.match_substring_regex(fields, r"^[-+]?(0|[1-9]\d{0,2})$").fill_null(False)
    small = compute.match_substring_regex(fields, r"^[-+]?[1-9]\d{0,2}$").fill_null(False)
    every = compute.all(compute.or_(compute.or_(grouped, whole), missing)).as_py()
    return np.asarray(grouped) if every and compute.any(small).as_py() else none


def rounded(texts: pd.Series) -> NDArray[np.bool_]:
    """Fields of a column of strings that a spreadsheet shows with three digits (``1.23E+08``), bool (n,)."""
    import pyarrow as pa
    from pyarrow import compute

    fields = pa.array(texts, pa.large_string(), from_pandas=True)
    return np.asarray(compute.match_substring_regex(fields, r"^[-+]?\d\.\d{2}E\+(0[3-9]|[1-9]\d)$").fill_null(False))


def fix_of(field: str) -> str:
    """What to do about a field that is no number; "" where it looks like nothing known."""
    return next((fix for pattern, fix in _FIXES if re.fullmatch(pattern, field.strip())), "")


def _floats(values: Any) -> NDArray[np.float64]:
    return np.array(values.to_numpy(zero_copy_only=False), np.float64)
