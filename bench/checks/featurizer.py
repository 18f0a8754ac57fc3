"""Checks of featurizers. Each function takes a featurizer object and raises ``CheckFailed``."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.checks.check import (
    Check,
    CheckFailed,
    check_known_failures,
    check_name,
    check_parameters,
    must,
    named,
    parameters_of,
    pickled,
    title,
)
from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.plugins.registry import Registry
from bench.sequences import Sequences, encode

#: Dimensions of the features of each kind.
DIMENSIONS = {"table": 2, "codes": 2, "signal": 3}
#: Bytes of one value: float64 or int64 features double the memory and tell a model nothing more.
WIDEST = 4
#: Features computed in another order of rows may differ by rounding alone.
ROUNDING = 1e-5
#: Swaps that leave GC content alone: A with T, C with G, in codes.
SWAPPED = np.array([3, 2, 1, 0, 4], np.uint8)


def featurizer_checks(featurizer: Featurizer, registry: Registry | None = None) -> list[Check]:
    """The checks that hold for a featurizer object: those for all, and those for what its class declares.

    Parameters
    ----------
    registry : where to look whether its name is taken; not looked at by default.
    """
    checks: dict[str, Callable[..., Any]] = {
        "name": lambda f: check_name(f, "featurizer", registry),
        "parameters": check_parameters,
        "shape": check_shape,
        "dtype": check_dtype,
        "finite": check_finite,
        "names": check_names,
        "deterministic": check_deterministic,
        "batch": check_batch,
        "row-order": check_row_order,
        "short-rows": check_short_rows,
        "long-rows": check_long_rows,
        "unknown-bases": check_unknown_bases,
        "lower-case": check_lower_case,
        "strand-flag": check_strand_flag,
        "input": check_input,
        "pickle": check_pickle,
    }
    if featurizer.strand == "same":
        checks["strand"] = check_strand
    if featurizer.gc_only:
        checks["gc-only"] = check_gc_only
    if featurizer.role == "confounder":
        checks["confounder"] = check_confounder
    checks["speed"] = check_speed
    known = {*checks, "known-failures"}
    checks["known-failures"] = lambda f: check_known_failures(f, known)
    return list(named(featurizer, checks))


# ---- material --------------------------------------------------------------------------------------------------------
def sample(featurizer: Featurizer, rows: int = 24, *, seed: int = 0) -> Sequences:
    """Rows of 40 to 120 bases with GC content from .2 to .8, some N, on both strands, and the declared covariates."""
    rng = np.random.default_rng(seed)
    strings = []
    for gc in np.linspace(0.2, 0.8, rows):
        weights = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
        strings.append("".join(rng.choice(list("ACGT"), rng.integers(40, 121), p=weights)))
    strings[1] = strings[1][:10] + "NNN" + strings[1][10:]
    sequences = of_strings(featurizer, strings)
    return replace(sequences, reverse=np.arange(rows) % 3 == 0)


def of_strings(featurizer: Featurizer, strings: list[str]) -> Sequences:
    """Sequences with made-up values of the covariates that a featurizer declares, and no others."""
    rng = np.random.default_rng(len(strings))
    return Sequences.from_strings(strings, {name: rng.uniform(0, 500, len(strings)) for name in featurizer.covariates})


def fresh(featurizer: Featurizer) -> Featurizer:
    """A new object with the same parameters, which has seen no rows."""
    return type(featurizer)(**parameters_of(featurizer))


def transformed(featurizer: Featurizer, sequences: Sequences) -> NDArray[Any]:
    """Features, with the errors of a plugin told from those of the check."""
    return np.asarray(featurizer.transform(sequences))


def must_equal(got: NDArray[Any], wanted: NDArray[Any], what: str) -> None:
    """``got`` equals ``wanted``: exactly for whole numbers, up to rounding for floats. ``what`` says who must what."""
    if got.shape != wanted.shape:
        raise CheckFailed(f"{what} Got shape {got.shape} against {wanted.shape}.")
    different = ~np.isclose(got, wanted, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)
    if got.dtype.kind in "biu" and wanted.dtype.kind in "biu":
        different = got != wanted
    if different.any():
        place = tuple(int(i) for i in np.argwhere(different)[0])
        raise CheckFailed(
            f"{what} Got {got[place]} against {wanted[place]} at {list(place)}, and {int(different.sum())} of"
            f" {got.size} values differ."
        )


# ---- checks of every featurizer --------------------------------------------------------------------------------------
def check_shape(featurizer: Featurizer) -> str:
    """One row a sequence, and the dimensions of the declared kind."""
    of, kind = title(featurizer), featurizer.kind
    must(kind in DIMENSIONS, f"The kind of {of} must be one of {', '.join(DIMENSIONS)}. Got {kind!r}.")
    sequences = sample(featurizer)
    values = featurizer.transform(sequences)
    must(isinstance(values, np.ndarray), f"The features of {of} must be a NumPy array. Got {type(values).__name__}.")
    wanted = {"table": "(n, columns)", "codes": "(n, length)", "signal": "(n, length, channels)"}[kind]
    must(
        values.ndim == DIMENSIONS[kind] and len(values) == len(sequences),
        f"The features of {of}, a {kind}, must have shape {wanted} with n = {len(sequences)}. Got {values.shape}.",
    )
    must(values[0].size > 0, f"The features of {of} must have at least one column. Got shape {values.shape}.")
    return f"{values.shape[1:]} per row"


def check_dtype(featurizer: Featurizer) -> str:
    """Numbers of at most four bytes; base codes are uint8 from 0 to 4."""
    of, values = title(featurizer), transformed(featurizer, sample(featurizer))
    must(
        values.dtype.kind in "biuf" and values.dtype.itemsize <= WIDEST,
        f"The features of {of} must be real numbers of at most {8 * WIDEST} bits, such as float32 or uint8."
        f" Got dtype {values.dtype}.",
    )
    if featurizer.kind == "codes":
        must(values.dtype == np.uint8, f"The codes of {of} must be uint8. Got dtype {values.dtype}.")
        must(values.max() <= 4, f"The codes of {of} must be 0 to 4 (A C G T N). Got {values.max()}.")
    return str(values.dtype)


def check_finite(featurizer: Featurizer) -> None:
    """No NaN, no infinity."""
    values = transformed(featurizer, sample(featurizer))
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise CheckFailed(
            f"The features of {title(featurizer)} must be finite. Got {values[place]} at {list(place)},"
            f" and {len(wrong)} of {values.size} values are not."
        )


def check_names(featurizer: Featurizer) -> str | None:
    """A name for every column of a table, or none at all; no name twice."""
    of, sequences = title(featurizer), sample(featurizer)
    names, columns = list(featurizer.names(sequences)), transformed(featurizer, sequences)[0].size
    if not names:
        return "its columns have no names"
    must(len(names) == columns, f"names() of {of} must have a name for each of {columns} columns. Got {len(names)}.")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    must(not twice, f"names() of {of} must give every column a name of its own. Got {twice[:1]} more than once.")
    must(all(isinstance(name, str) for name in names), f"names() of {of} must be strings. Got {names[0]!r}.")
    return None


def check_deterministic(featurizer: Featurizer) -> None:
    """The same rows have the same features, from the same object and from a new one."""
    values = transformed(featurizer, sample(featurizer))
    for who in (featurizer, fresh(featurizer)):
        again = transformed(who, sample(featurizer))
        must_equal(again, values, f"The features of {title(featurizer)} must be the same in every call.")


def check_batch(featurizer: Featurizer) -> None:
    """A row has the same features alone and in any batch: nothing is learned from rows, be they of test or training."""
    sequences = sample(featurizer)
    values = transformed(featurizer, sequences)
    alone = [transformed(featurizer, sequences.take(slice(row, row + 1))) for row in range(len(sequences))]
    what = f"The features of {title(featurizer)} must be the same for a row alone and in a batch."
    half = slice(0, len(sequences) // 2)
    must_equal(transformed(fresh(featurizer), sequences.take(half)), values[half], what)
    for row, one in enumerate(alone):
        must_equal(one, values[row : row + 1], what)
        must(one.dtype == values.dtype, f"{what} Got dtype {one.dtype} against {values.dtype}.")


def check_row_order(featurizer: Featurizer) -> None:
    """Features follow the order of the rows."""
    sequences = sample(featurizer)
    order = np.random.default_rng(1).permutation(len(sequences))
    what = f"The features of {title(featurizer)} must follow the order of the rows."
    must_equal(transformed(featurizer, sequences.take(order)), transformed(featurizer, sequences)[order], what)


def check_short_rows(featurizer: Featurizer) -> None:
    """Rows of no base and of one base among others: finite, and of the usual shape."""
    of, strings = title(featurizer), ["", "A", "C", *sample(featurizer).to_strings()]
    sequences = of_strings(featurizer, strings)
    values = transformed(featurizer, sequences)
    for row, what in ((0, "no base"), (1, "one base")):
        finite = np.isfinite(values[row]).all()
        must(finite, f"The features of {of} must be finite for a row of {what}. Got NaN or infinity.")
        alone = transformed(featurizer, sequences.take(slice(row, row + 1)))
        must_equal(alone, values[row : row + 1], f"The features of {of} must be the same for a row of {what} alone.")


def check_long_rows(featurizer: Featurizer) -> str | None:
    """A row longer than the declared width: its features as ever, or an error in words."""
    of, sequences = title(featurizer), sample(featurizer)
    width = int(sequences.lengths.max()) - 10
    try:
        values = transformed(featurizer, replace(sequences, width=width))
    except (BenchError, ValueError) as error:
        return f"refused: {error}"
    must(
        len(values) == len(sequences) and np.isfinite(values).all(),
        f"The features of {of} must be finite, one row a sequence, for rows longer than sequences.width."
        f" Got shape {values.shape}.",
    )
    return None


def check_unknown_bases(featurizer: Featurizer) -> None:
    """N anywhere, up to rows of nothing else, gives finite features of the usual shape."""
    of, strings = title(featurizer), sample(featurizer).to_strings()
    strings = ["N" * 60, "N" + strings[0], strings[1] + "N", "".join("ACGTN"[i % 5] for i in range(90)), *strings]
    values = transformed(featurizer, of_strings(featurizer, strings))
    usual = transformed(featurizer, of_strings(featurizer, [s.replace("N", "A") for s in strings]))
    must(
        values.shape == usual.shape,
        f"The features of {of} must have one shape with N and without. Got {values.shape} against {usual.shape}.",
    )
    for string, row in zip(strings, values, strict=True):
        finite = np.isfinite(row).all()
        must(finite, f"The features of {of} must be finite for rows with N. Got NaN or infinity for {string[:20]}...")


def check_lower_case(featurizer: Featurizer) -> None:
    """Lower case is upper case."""
    strings = sample(featurizer).to_strings()
    lower = transformed(featurizer, of_strings(featurizer, [string.lower() for string in strings]))
    upper = transformed(featurizer, of_strings(featurizer, strings))
    must_equal(lower, upper, f"The features of {title(featurizer)} must be the same in lower and in upper case.")


def check_strand_flag(featurizer: Featurizer) -> None:
    """A row with the reverse flag has the features of its reverse complement written out."""
    sequences = sample(featurizer)
    written = of_strings(featurizer, sequences.to_strings())
    must_equal(
        transformed(featurizer, sequences),
        transformed(featurizer, written),
        f"The features of {title(featurizer)} must be those of the row as it is read: reverse complement where"
        " sequences.reverse is set (sequences.codes(row) does so).",
    )


def check_input(featurizer: Featurizer) -> None:
    """It does not write into its input."""
    sequences = sample(featurizer)
    before = copy.deepcopy(sequences)
    transformed(featurizer, sequences)
    for name in ("buffer", "start", "stop", "reverse"):
        what = f"transform of {title(featurizer)} must not write into sequences.{name}."
        must_equal(getattr(sequences, name), getattr(before, name), what)
    for name, values in before.covariates.items():
        what = f"transform of {title(featurizer)} must not write into the covariate {name}."
        must_equal(np.asarray(sequences.covariates[name]), values, what)


def check_pickle(featurizer: Featurizer) -> None:
    """It reaches another process unchanged."""
    sequences = sample(featurizer)
    transformed(featurizer, sequences)  # what it may keep from a first call must travel too
    copied = pickled(featurizer, title(featurizer))
    what = f"The features of {title(featurizer)} must be the same after pickling."
    must_equal(transformed(copied, sequences), transformed(featurizer, sequences), what)


def check_speed(featurizer: Featurizer) -> str:
    """Mbase/s on 2,000 rows of 500 bases, for people; never a failure."""
    strings = sample(featurizer, 25).to_strings()
    sequences = of_strings(featurizer, [(s * 13)[:500] for s in strings] * 80)
    featurizer.transform(sequences.take(slice(0, 200)))  # compiles
    began = time.perf_counter()
    featurizer.transform(replace(sequences, shared={}))
    return f"{int(sequences.lengths.sum()) / 1e6 / (time.perf_counter() - began):,.3g} Mbase/s"


# ---- checks of what is declared --------------------------------------------------------------------------------------
def check_strand(featurizer: Featurizer) -> None:
    """``strand = "same"``: a row and its reverse complement have the same features."""
    sequences = sample(featurizer)
    must_equal(
        transformed(featurizer, sequences.reverse_complement()),
        transformed(featurizer, sequences),
        f'The features of {title(featurizer)}, which declares strand = "same", must be the same on both strands.',
    )


def check_gc_only(featurizer: Featurizer) -> None:
    """``gc_only``: to swap G with C and A with T in places changes nothing."""
    sequences = sample(featurizer)
    swap = np.random.default_rng(2).random(len(sequences.buffer)) < 0.5
    buffer = np.where(swap, SWAPPED[sequences.buffer], sequences.buffer)
    must_equal(
        transformed(featurizer, replace(sequences, buffer=buffer, shared={})),
        transformed(featurizer, sequences),
        f"The features of {title(featurizer)}, which declares gc_only, must not tell G from C nor A from T.",
    )


def check_confounder(featurizer: Featurizer) -> None:
    """``role = "confounder"``: it sees no bases."""
    sequences = sample(featurizer)
    others = encode("".join(np.random.default_rng(3).choice(list("ACGT"), len(sequences.buffer))))
    must_equal(
        transformed(featurizer, replace(sequences, buffer=others, shared={})),
        transformed(featurizer, sequences),
        f'The features of {title(featurizer)}, which declares role = "confounder", must not depend on the bases.',
    )
