"""What plugins are handed, and what they hand back: nothing that one of them does to an array reaches another."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Part
from bench.plugins.registry import Made
from bench.sequences import Sequences
from bench.tasks.task import Task

#: Bytes of the widest number that learners take: a long double is made a double.
WIDEST = 8
#: Levels of tuples, lists, dictionaries and data classes in which arrays are looked for.
_DEPTH = 4


def sequences_for(task: Task, featurizer: Made) -> Sequences:
    """The sequences of a task as a featurizer is handed them: with the covariates that it declares and no others, gaps
    in these filled with the task's median. A third-party one gets a scratch dictionary of its own, so that what it
    leaves there reaches no other."""
    declared = {name: task.sequences.covariates[name] for name in featurizer.cls.covariates}
    covariates = {name: _without_gaps(values, task.medians.get(name)) for name, values in declared.items()}
    shared = task.sequences.shared if featurizer.built_in else {}
    return dataclasses.replace(task.sequences, covariates=covariates, shared=shared)


def _without_gaps(values: NDArray[np.float64], median: float | None) -> NDArray[np.float64]:
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    if median is None:
        median = float(np.median(values[~gaps])) if not gaps.all() else 0.0
    return np.where(gaps, median, values)


def plain_array(given: Any, of: str, what: str) -> NDArray[Any]:
    """What a plugin gave as an array that every learner takes: real, native byte order, at most eight bytes a value,
    rows one after the other (C order), without a mask.

    Parameters
    ----------
    of, what : whose, and what it is, for messages: ``kmers``, ``features``.

    Raises
    ------
    BenchError : for what is no such array and cannot be made one without a guess.
    """
    if isinstance(given, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(given).sum())
        if masked:
            raise BenchError(
                f"{of}: {what} must not be masked. Got {masked} masked values: fill them, as by .filled(0).", status=1
            )
        given = given.data
    values = np.asarray(given)
    if values.dtype.kind == "c":
        raise BenchError(
            f"{of}: {what} must be real numbers. Got dtype {values.dtype}: take .real or np.abs.", status=1
        )
    if values.dtype.kind not in "buif":
        raise BenchError(
            f"{of}: {what} must be numbers. Got dtype {values.dtype}: return an array of numbers, not of objects or"
            " text (a sparse matrix: .toarray()).",
            status=1,
        )
    dtype = np.dtype(np.float64) if values.dtype.itemsize > WIDEST else values.dtype.newbyteorder("=")
    return np.ascontiguousarray(values, dtype).reshape(values.shape)


def owner(cls: type) -> str:
    """Whose code a plugin class is: a package, or one plugin file."""
    package = cls.__module__.partition(".")[0]
    return cls.__module__ if cls.__module__.startswith("bench.plugins.modules.") else package


def lock(value: Any, depth: int = _DEPTH) -> None:
    """Make every array read-only that is found in a value: in tuples, lists, dictionaries and data classes. What
    libraries keep in memory of their own is out of reach."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif depth and isinstance(value, tuple | list):
        for each in value:
            lock(each, depth - 1)
    elif depth and isinstance(value, dict):
        for each in value.values():
            lock(each, depth - 1)
    elif depth and isinstance(value, Sequences | Features | Part):
        return  # locked already
    elif depth and dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            lock(getattr(value, field.name, None), depth - 1)


def arrays_of(sequences: Sequences) -> dict[str, Any]:
    """The arrays of sequences by what a plugin calls them."""
    arrays: dict[str, Any] = {f"sequences.{n}": getattr(sequences, n) for n in ("buffer", "start", "stop", "reverse")}
    return arrays | {f"sequences.covariates[{name!r}]": values for name, values in sequences.covariates.items()}


@contextmanager
def writes_refused(of: str, arrays: Mapping[str, Any]) -> Iterator[None]:
    """The block is a plugin's code; its writing into one of the ``arrays`` it was handed becomes an error in words.

    Raises
    ------
    BenchError : where NumPy, or a library, refused to write into a read-only array.
    """
    try:
        yield
    except ValueError as error:
        if not is_write(error):
            raise
        raise BenchError(written(error, of, arrays), status=1) from error


def is_write(error: BaseException) -> bool:
    """Whether an error says that a read-only array was to be written ("assignment destination is read-only")."""
    return isinstance(error, ValueError) and "read-only" in str(error)


def written(error: BaseException, of: str, arrays: Mapping[str, Any]) -> str:
    """What to say of a plugin that writes into what it was handed: which array, where, and the fix."""
    frames = list(traceback.walk_tb(error.__traceback__))
    last = traceback.extract_tb(error.__traceback__)[-1]
    which, where = "an array that it was handed", f" (line {last.lineno}: {last.line})" if last.line else ""
    for (frame, number), said in reversed(list(zip(frames, traceback.extract_tb(error.__traceback__), strict=True))):
        mine = [each for each in frame.f_locals.values() if isinstance(each, np.ndarray) and not each.flags.writeable]
        named = [name for name, array in arrays.items() if name in (said.line or "")]
        named += [
            name
            for name, array in arrays.items()
            if isinstance(array, np.ndarray) and any(np.may_share_memory(array, each) for each in mine)
        ]
        if named:
            which, where = named[0], f" (line {number}: {said.line})" if said.line else ""
            break
    return (
        f"{of}: writes into {which}{where}, which is read-only because others are handed the same. Copy it first:"
        f" {error}"
    )
