"""Numbers and foreign text as the board prints them."""

from __future__ import annotations

import functools
import html
import math
import re
from collections.abc import Container, Iterable, Sequence

from bench.board.figure import Estimate

#: Printed where a number does not exist.
NOTHING = "n/a"
#: Names made of these alone mean nothing to markdown inside backticks, not even in a table.
_PLAIN = re.compile(r"[A-Za-z0-9 ._+=,/\[\]-]+")
#: Marks that can start markup in the middle of a line.
_MARKS = re.compile(r"[\\`*_\[\]|~$]")

#: What starts a heading, a list, a rule or a quotation where it stands first on a line or in a list's entry.
_FIRST = re.compile(r"(?:#{1,6}|[-+]|(\d{1,9})[.)])(?= |$)|[-=]+$")


def escape(text: object) -> str:
    """Text from data as inert markdown on one line: no markup, HTML, table cell or line break comes out of it."""
    return _escaped(str(text))


@functools.lru_cache(4096)
def _escaped(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # Entities, not backslashes: no dialect of markdown reads an entity as markup, inside tables or out.
    safe = _MARKS.sub(lambda match: f"&#{ord(match.group())};", html.escape(line, quote=False))
    first = _FIRST.match(line)
    if first is None:
        return safe
    place = len(first[1] or "")  # after the digits of a number
    return f"{safe[:place]}&#{ord(line[place])};{safe[place + 1 :]}"


def code(name: object) -> str:
    """A name in code type where that is safe, else as escaped text."""
    return _coded(str(name))


@functools.lru_cache(4096)
def _coded(text: str) -> str:
    return f"`{text}`" if _PLAIN.fullmatch(text) and text == text.strip() else escape(text)


def slug(text: object) -> str:
    """An anchor: letters, digits and dashes, never empty."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-") or "task"


def number(value: float | None, digits: int = 3) -> str:
    """``0.489``, ``−0.270``, or n/a for None and NaN. A value that rounds to zero has no sign."""
    if value is None or not math.isfinite(value):
        return NOTHING
    shown = "%.*f" % (digits, value)  # noqa: UP031  in half the time of the same as an f-string
    if shown[0] != "-":
        return shown
    return shown[1:] if float(shown) == 0 else f"−{shown[1:]}"


def signed(value: float | None, digits: int = 3) -> str:
    """``+0.120`` or ``−0.030``."""
    shown = number(value, digits)
    return shown if shown == NOTHING or shown.startswith("−") or float(shown) == 0 else f"+{shown}"


def percent(value: float | None) -> str:
    """A share as ``48 %``; below 10 % with one decimal."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{percent_bare(value)} %"


def percent_bare(value: float | None) -> str:
    """``percent`` without the sign, for the inside of an interval."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return number(100 * value, 1 if abs(value) < 0.0995 else 0)


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """``[0.460, 0.517]``; empty when there is none."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def percent_interval(low: float | None, high: float | None) -> str:
    """``[15, 24]`` in percent; empty when there is none."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{percent_bare(low)}, {percent_bare(high)}]"


def joined(*pieces: str) -> str:
    """Pieces with a space between, the empty ones dropped."""
    return " ".join(piece for piece in pieces if piece)


def count(value: float | None) -> str:
    """``11,497``."""
    return NOTHING if value is None or not math.isfinite(value) else f"{round(value):,}"


def seconds(value: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3.5 min``, ``2.1 h``."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 100:
        return f"{value:.0f} s"
    return f"{value / 60:.1f} min" if value < 5400 else f"{value / 3600:.1f} h"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], left: Container[str] = ()) -> list[str]:
    """Lines of a markdown table. The first column, and those whose heading is in ``left``, are aligned left."""
    rules = ["---" if i == 0 or name in left else "---:" for i, name in enumerate(header)]
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, rules, *rows)]
    return [*lines, ""]


# ---- figures with intervals ------------------------------------------------------------------------------------------
def point(figure: Estimate | None) -> float | None:
    """The figure itself."""
    return None if figure is None else figure.value


def estimate(figure: Estimate | None, digits: int = 3) -> str:
    """``0.489 [0.460, 0.517]``."""
    if figure is None:
        return NOTHING
    return joined(number(figure.value, digits), interval(figure.low, figure.high, digits))


def signed_estimate(figure: Estimate | None) -> str:
    """``+0.489 [0.460, 0.517]``."""
    return NOTHING if figure is None else joined(signed(figure.value), interval(figure.low, figure.high))


def percent_estimate(figure: Estimate | None) -> str:
    """``19 % [15, 24]``."""
    return NOTHING if figure is None else joined(percent(figure.value), percent_interval(figure.low, figure.high))
