"""A task file that was not written by a person: its keys, each with what it was guessed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bench.errors import BenchError

#: Tables of a task file, in the order they are written. Keys without a table come first.
_TABLES = ("", "barcodes", "columns", "targets", "minimum", "strata")
_WIDTH = 34


@dataclass(frozen=True)
class Guess:
    """One key of a task file.

    key : with its table, as ``("columns", "id")``. value : as TOML has it. why : what it was guessed from. question :
    what a person is asked where that is not sure, "" where it is.
    """

    key: tuple[str, ...]
    value: Any
    why: str = ""
    question: str = ""

    @property
    def name(self) -> str:
        """``columns.id``."""
        return ".".join(self.key)


@dataclass
class Draft:
    """A task file in the making. ``guesses`` in the order they were made; ``remarks`` stand at its head."""

    guesses: list[Guess] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, key: str, value: Any, why: str = "", question: str = "") -> None:
        """Add a key, given as ``columns.id``; one that is there already is replaced."""
        path = tuple(key.split(".")) if not key.startswith("targets.") else _target(key)
        self.guesses = [guess for guess in self.guesses if guess.key != path] + [Guess(path, value, why, question)]

    def value(self, key: str) -> Any:
        """The value of a key, None where there is none."""
        return next((guess.value for guess in self.guesses if guess.name == key), None)

    @property
    def unsure(self) -> list[Guess]:
        """The guesses that a person should look at."""
        return [guess for guess in self.guesses if guess.question]

    def answered(self, guess: Guess, text: str) -> None:
        """Put a person's answer in place of a guess; ``none`` takes the key out.

        Raises
        ------
        BenchError : for an answer of another kind.
        """
        place = self.guesses.index(guess)
        if text.strip().lower() == "none":
            del self.guesses[place]
            return
        value = _read(guess, text)
        self.guesses[place] = replace(guess, value=value, why=guess.why if value == guess.value else "as you said")

    def toml(self) -> str:
        """The file."""
        lines = [f"# {remark}" for remark in self.remarks]
        tables: dict[tuple[str, ...], list[Guess]] = {}
        for guess in self.guesses:
            tables.setdefault(guess.key[:-1], []).append(guess)
        for table in sorted(tables, key=lambda table: _TABLES.index(table[0] if table else "")):
            lines += ["", f"[{'.'.join(map(_key, table))}]"] if table else []
            for guess in tables[table]:
                text = f"{_key(guess.key[-1])} = {toml_value(guess.value)}"
                lines.append(f"{text:<{_WIDTH}}  # {guess.why}" if guess.why else text)
        return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """A value as a person types it at a question."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(name)} = {toml_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else f"\\u{ord(each):04X}" for each in escaped) + '"'


def _key(name: str) -> str:
    return (
        name if name and all(each.isascii() and (each.isalnum() or each in "_-") for each in name) else toml_value(name)
    )


def _target(key: str) -> tuple[str, ...]:
    """``targets.a.b.rna`` -> the name of a target may hold points."""
    _, _, rest = key.partition(".")
    name, _, last = rest.rpartition(".")
    return ("targets", name, last)


def _read(guess: Guess, text: str) -> Any:
    """What a person typed, as the kind of value that a key has."""
    text = text.strip()
    if isinstance(guess.value, list):
        listed = [piece.strip() for piece in text.split(",") if piece.strip()]
        if not listed:
            raise BenchError(f"{guess.name}: name at least one, with commas between them.")
        return listed
    if isinstance(guess.value, bool):
        return text.lower() in ("yes", "y", "true")
    if isinstance(guess.value, int):
        if not text.isdecimal():
            raise BenchError(f"{guess.name}: must be a whole number. Got {text!r}.")
        return int(text)
    return text
