"""Names with parameters, as people type and read them: ``kmers[k=5,canonical=true]``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.errors import BenchError

_NAME = re.compile(r"(?:[a-z]+:)?[A-Za-z0-9][A-Za-z0-9_.-]*")
_VALUE = re.compile(r"[^\[\],=\s](?:[^\[\],=\n\r\t]*[^\[\],=\s])?")


def parse_name(text: str) -> tuple[str, dict[str, str]]:
    """``"kmers[k=5, canonical=true]"`` -> ``("kmers", {"k": "5", "canonical": "true"})``.

    White space around names and values is ignored. Values stay strings, in the order they were written; they may hold
    anything but brackets, commas and equals signs.

    Raises
    ------
    BenchError : for anything else.
    """
    name, bracket, rest = text.strip().partition("[")
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise BenchError(f"{text!r}: a name must be letters, digits, '-', '_' and '.', such as kmers or kmers[k=5].")
    if not bracket:
        return name, {}
    if not rest.endswith("]"):
        raise BenchError(f"{text!r}: the bracket must close at the end, as in {name}[key=value,key=value].")
    params: dict[str, str] = {}
    body = rest[:-1].strip()
    for item in body.split(",") if body else []:
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if not equals or not _NAME.fullmatch(key) or not _VALUE.fullmatch(value):
            raise BenchError(f"{text!r}: {item.strip()!r} must be key=value, as in {name}[key=value,key=value].")
        if key in params:
            raise BenchError(f"{text!r}: {key!r} is given twice. Give it once.")
        params[key] = value
    return name, params


def format_name(name: str, params: Mapping[str, object]) -> str:
    """The form that ``parse_name`` reads back: no spaces, the order of ``params``, true and false in lower case."""
    if not params:
        return name
    return f"{name}[{','.join(f'{key}={_text(value)}' for key, value in params.items())}]"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def natural(label: str) -> list[tuple[int, int, str]]:
    """What labels are sorted by so that "decile 9" stands before "decile 10", and "2_Enh" before "10_Quies"."""
    pieces = re.split(r"(\d+)", label)
    return [(0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in pieces if piece]
