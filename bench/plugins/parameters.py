"""Parameters of a plugin: the arguments of its ``__init__``, as text in a name and as typed values."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from bench.errors import BenchError, nearest
from bench.names import format_name, parse_name

#: What a parameter may be: what can be written in a name.
Value = bool | int | float | str | None
#: The scale a model fits: the rank-Gaussian transform of the target, or its z-score.
Scale = Literal["rank", "raw"]
_WRITTEN = (bool, int, float, str, type(None))
#: Names that one sweep may stand for: more is a mistake in typing.
MOST_SWEPT = 100


class Parameter(NamedTuple):
    """Type and default of one argument; ``inspect.Parameter.empty`` where there is no default."""

    hint: Any
    default: Any


#: Parameters the engine adds to every model.
ENGINE_PARAMETERS = {"target": Parameter(Scale, "rank")}


def signature_of(cls: type) -> dict[str, Parameter]:
    """The parameters of a plugin's ``__init__`` by name, in order. Without an annotation the default decides the type;
    a default has its parameter's type (1 for a float is 1.0), so that naming a default changes nothing.

    Raises
    ------
    BenchError : for annotations that cannot be read, and types that cannot be written in a name (tuple, list, dict).
    """
    try:
        hints = typing.get_type_hints(cls.__init__)  # type: ignore[misc]
    except (NameError, TypeError) as error:
        raise BenchError(
            f"the annotations of {cls.__name__}.__init__ cannot be read: {error}."
            " Import their names where it is defined."
        ) from error
    known: dict[str, Parameter] = {}
    for p in inspect.signature(cls).parameters.values():
        if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            continue
        guess = str if p.default is p.empty or p.default is None else type(p.default)
        hint = hints.get(p.name, guess)
        if not _is_written(hint):
            raise BenchError(
                f"{getattr(cls, 'name', cls.__name__)}: the parameter {p.name!r} is of a type ({_called(hint)}) that"
                " cannot be written in a name. Annotate it as int, float, bool, str, a Literal of these, or one of them"
                " | None."
            )
        is_whole = isinstance(p.default, int) and not isinstance(p.default, bool)
        known[p.name] = Parameter(hint, float(p.default) if hint is float and is_whole else p.default)
    return known


def _is_written(hint: Any) -> bool:
    """Whether values of a type can be written in a name and read back."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return all(map(_is_written, typing.get_args(hint)))
    if typing.get_origin(hint) is Literal:
        return all(type(choice) in _WRITTEN for choice in typing.get_args(hint))
    return hint in _WRITTEN


def _called(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def read_parameters(name: str, given: Mapping[str, str], known: Mapping[str, Parameter]) -> dict[str, Value]:
    """The values of all ``known`` parameters of the plugin ``name``: those ``given`` as text, and the other defaults.

    Raises
    ------
    BenchError : for an unknown parameter, a value of the wrong type, and a parameter without value or default.
    """
    values: dict[str, Value] = {}
    for key, raw in given.items():
        if key not in known:
            raise BenchError(f"{name} has no parameter {key!r}.{nearest(key, known)}")
        values[key] = convert(raw, known[key].hint, f"the {key!r} parameter of {name}")
    parameters = {key: values.get(key, parameter.default) for key, parameter in known.items()}
    missing = [key for key, value in parameters.items() if value is inspect.Parameter.empty]
    if missing:
        raise BenchError(f"{name} needs {missing[0]!r}: write {name}[{missing[0]}=...].")
    return parameters


def normal_name(cls: Any, parameters: Mapping[str, Value]) -> str:
    """The name of a plugin with parameters: those that differ from their defaults, and those it always shows, in the
    order of its signature. Parameters of the engine come last."""
    shown = {
        key: to_text(parameters[key])
        for key, parameter in {**signature_of(cls), **ENGINE_PARAMETERS}.items()
        if key in parameters and (key in getattr(cls, "shown", ()) or parameters[key] != parameter.default)
    }
    return format_name(cls.name, shown)


def convert(text: str, hint: Any, what: str) -> Value:
    """``text`` as the type of a hint: int, float, bool, str, a Literal, or a union of these, tried in order.

    Raises
    ------
    BenchError : where it is none of them. ``what`` names the parameter in the message.
    """
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(hint) if option is not type(None)]
        if text.lower() == "none" and len(options) < len(typing.get_args(hint)):
            return None
        for option in options[:-1]:
            with contextlib.suppress(BenchError):
                return convert(text, option, what)
        return convert(text, options[-1], what)
    if origin is Literal:
        choices: dict[str, Value] = {to_text(choice): choice for choice in typing.get_args(hint)}
        if text not in choices:
            raise BenchError(f"{what} must be one of {', '.join(choices)}. Got {text!r}.")
        return choices[text]
    if hint is bool:
        flags = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in flags:
            raise BenchError(f"{what} must be true or false. Got {text!r}.")
        return flags[text.lower()]
    try:
        if hint is int:
            return int(text)
        if hint is float:
            value = float(text)
            if not math.isfinite(value):
                raise ValueError
            return value
    except ValueError:
        kind = "a whole number" if hint is int else "a finite number"
        raise BenchError(f"{what} must be {kind}. Got {text!r}.") from None
    return text


def to_text(value: Value) -> str:
    """A parameter's value as it is written in a name."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        short = format(value, "g")
        return short if float(short) == value else repr(value)
    return str(value)


def expand_sweep(text: str) -> list[str]:
    """``kmers[k=3..6]`` -> one name per whole number; several sweeps in one name give every combination.

    Raises
    ------
    BenchError : for a sweep that goes down, or that stands for more than ``MOST_SWEPT`` names.
    """
    name, given = parse_name(text)
    choices: list[list[str]] = []
    for key, raw in given.items():
        match = re.fullmatch(r"(-?\d{1,9})\.\.(-?\d{1,9})", raw, re.ASCII)
        if match is None:
            choices.append([raw])
            continue
        first, last = int(match[1]), int(match[2])
        if last < first or last - first >= MOST_SWEPT:
            raise BenchError(
                f"the sweep {key}={raw} of {name} must go up, over at most {MOST_SWEPT} values. Write {key}=3..6."
            )
        choices.append([str(value) for value in range(first, last + 1)])
    if math.prod(map(len, choices)) > MOST_SWEPT:
        raise BenchError(f"{text!r}: its sweeps must give at most {MOST_SWEPT} combinations. Write fewer values.")
    return [format_name(name, dict(zip(given, values, strict=True))) for values in itertools.product(*choices)]
