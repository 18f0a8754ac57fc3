"""What a worker answers, and how an answer travels from a process that may have run third-party code.

An answer is bytes that are read with a list of the few classes it may hold: to read one imports and runs nothing, and
what comes out is checked. Each message carries the number of the job that it belongs to.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from bench.errors import BenchError, Unavailable, one_line
from bench.fit.fit import FitResult
from bench.fit.restricted import Restricted
from bench.store.predictions import Predictions
from bench.store.record import Fitted

#: Letters of a line of progress, and of a reason, that are kept.
LINE, REASON = 300, 300
#: What may stand in a message besides the classes of ``bench`` itself: arrays and plain values.
_SAFE = {
    ("builtins", "complex"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("collections", "OrderedDict"),
    ("bench.stats.replicates", "Combined"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
}
#: Modules of ``bench`` whose classes (not functions) may stand in a message.
_OURS = ("bench.fit.", "bench.store.", "bench.tasks.", "bench.sequences", "bench.plugins.described")


#: What the columns of predictions are.
_DTYPES = {"row": np.int32, "fold": np.int8, "part": np.int8, "prediction": np.float32, "shuffled": np.float32}


#: Letters of a traceback that are kept, of its start and of its end each.
TRACE = 20_000


def trace_of(error: BaseException) -> str:
    """The traceback of an error for the log; of a very long one the start and the end. An error of a third party may
    not know how to say what it is, or hold a whole table."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception as another:
        return f"{type(error).__name__}, of which there is no traceback ({type(another).__name__}).\n"
    if len(text) <= 2 * TRACE:
        return text
    return f"{text[:TRACE]}\n--- {len(text) - 2 * TRACE:,} letters left out ---\n{text[-TRACE:]}"


class MalformedMessage(Exception):
    """Bytes that are no message of a worker."""


class JobFailed(Exception):
    """A job failed. ``trace`` is for the log; ``status`` and ``fix`` : of the error, where it was one for people."""

    def __init__(self, reason: str, trace: str, status: int | None = None, fix: str | None = None) -> None:
        super().__init__(reason)
        self.trace, self.status, self.fix = trace, status, fix

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.trace, self.status, self.fix)


def plain_reason(error: BaseException) -> str:
    """One line on an error, for the board."""
    try:
        text = one_line(error)[:REASON]
    except Exception:  # an error of a third party may not know how to say what it is
        text = ""
    if isinstance(error, BenchError | JobFailed):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass(frozen=True)
class Said:
    """A line from inside a fit, for people."""

    number: int
    line: str


@dataclass(frozen=True)
class Done:
    """The answer to what was asked."""

    number: int
    answer: Any


@dataclass(frozen=True)
class Failed:
    """What was asked raised. ``trace`` is for the log. ``status`` : of a `BenchError`. ``fix`` : of data that are not
    here."""

    number: int
    reason: str
    trace: str
    status: int | None = None
    fix: str | None = None

    @classmethod
    def of(cls, number: int, error: BaseException) -> Failed:
        """What is told of an error."""
        trace = trace_of(error)
        if isinstance(error, Unavailable):
            return cls(number, str(error.reason), trace, fix=str(error.fix))
        status = int(error.status) if isinstance(error, BenchError) else None
        return cls(number, plain_reason(error), trace, status)

    def error(self, more: str = "") -> JobFailed:
        """As an error of this process; ``more`` is put behind the trace."""
        return JobFailed(self.reason, self.trace + more, self.status, self.fix)


Message = Said | Done | Failed


def encode(message: Message) -> bytes:
    """A message as bytes.

    Raises
    ------
    Whatever an object raises that cannot be told as bytes.
    """
    return pickle.dumps(message, protocol=5)


def encoded_answer(reply: Done | Failed) -> bytes:
    """An answer as bytes; one that cannot be told so is a failure."""
    try:
        data = encode(reply)
        decode(data)
    except Exception as error:
        return encode(Failed(reply.number, f"its answer cannot be told to another process: {plain_reason(error)}", ""))
    return data


def decode(data: bytes) -> Message:
    """A message from its bytes.

    Raises
    ------
    MalformedMessage : for bytes that are none, and for one that holds anything but plain values and records.
    """
    try:
        message = Restricted(data, _SAFE, _OURS).load()
    except Exception as error:
        raise MalformedMessage(plain_reason(error)) from error
    fields = {Said: ("line",), Failed: ("reason", "trace")}
    if not isinstance(message, Message) or not isinstance(message.number, int):
        raise MalformedMessage(f"is a {type(message).__name__}")
    if not all(isinstance(getattr(message, name), str) for name in fields.get(type(message), ())):
        raise MalformedMessage(f"is a {type(message).__name__} without text")
    return message


def checked_results(answer: object, targets: tuple[str, ...]) -> list[FitResult]:
    """The results of a fit, one for each target in order, of the types and shapes that the store keeps.

    Raises
    ------
    JobFailed : for anything else, such as a value that JSON cannot hold.
    """
    if not isinstance(answer, list) or not all(isinstance(each, FitResult) for each in answer):
        raise JobFailed("its process answered with something that is no list of results.", "")
    if tuple(each.target for each in answer) != targets:
        raise JobFailed(f"its results must be of the targets {', '.join(targets)}.", "")
    return [
        FitResult(each.target, _plain_record(each.record), _plain_predictions(each.predictions), _plain_models(each))
        for each in answer
    ]


def _plain_models(result: FitResult) -> tuple[bytes, ...]:
    models = getattr(result, "models", ())
    if not isinstance(models, tuple) or not all(type(each) is bytes for each in models):
        raise JobFailed("its fitted models are not bytes.", "")
    return models


def _plain_record(record: Fitted) -> Fitted:
    try:
        return Fitted.model_validate(record.model_dump())
    except (ValidationError, AttributeError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("record",), "msg": str(error)}
        where = ".".join(map(str, first["loc"]))
        raise JobFailed(f"what it says of itself cannot be kept: {where}: {first['msg']}.", str(error)) from None


def _plain_predictions(kept: Predictions) -> Predictions:
    columns: dict[str, Any] = {name: getattr(kept, name, None) for name in _DTYPES}
    if getattr(kept, "shuffled", None) is None:
        del columns["shuffled"]
    sizes = {np.shape(each) for each in columns.values()}
    good = all(isinstance(each, np.ndarray) and each.dtype == _DTYPES[name] for name, each in columns.items())
    if not good or len(sizes) > 1 or len(next(iter(sizes))) != 1:
        raise JobFailed("its predictions are not columns of one length.", "")
    if not np.isfinite(columns["prediction"]).all():
        raise JobFailed("its predictions must be finite.", "")
    return kept
