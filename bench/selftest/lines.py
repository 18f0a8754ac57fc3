"""One true figure, what came back of it, and whether that is near enough: what every check of the selftest returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One true figure, what came back, the rule, and whether it held."""

    what: str
    truth: str
    recovered: str
    rule: str
    passed: bool


def passed(lines: list[Line]) -> bool:
    """Whether every line held."""
    return all(line.passed for line in lines)
