"""What is wrong with a table, gathered so that a person hears all of it at once."""

from __future__ import annotations

from collections.abc import Hashable

from bench.errors import BenchError
from bench.files.toml import in_one_line


class Problems:
    """Problems of one table, the first of each kind."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._said: dict[Hashable, str] = {}

    def __bool__(self) -> bool:
        return bool(self._said)

    def add(self, said: str, kind: Hashable = None) -> None:
        """Note a problem: what is wrong and how to fix it. A ``kind`` that was noted before is not noted again."""
        self._said.setdefault(said if kind is None else kind, said)

    def stop(self) -> None:
        """Raise what was noted, if anything was, as one error of one line.

        Raises
        ------
        BenchError : naming the source.
        """
        if self._said:
            raise BenchError(f"{self.source}: {in_one_line(list(self._said.values()))}")


def such(count: int, what: str = "row") -> str:
    """`` (12 such rows)`` where there are several."""
    return f" ({count:,} such {what}s)" if count > 1 else ""
