"""Whether two result folders' leaderboards show the same numbers: `python tests/support/same_numbers.py OLD NEW`.

Every table row, bullet and sentence with a number in it is compared, in order: tables by the names of their rows, the
rest section by section; of words only tie letters and verdicts. How long a fit took, and on what device, may differ.
Exits with 1 and the first difference; with 0 where there is none. The boards are read as they are: to compare two
versions of bench on one store, run `bench report` by the new one on a copy.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: A number as the board prints it, with its sign, thousands and decimals.
NUMBER = re.compile(r"[+−-]?\d[\d,]*(?:\.\d+)?|n/a")
#: Names of plugins, digests and paths: their digits are no results.
NAMES = re.compile(r"`[^`]*`|\]\([^)]*\)|<a id=.*|\[95 %\]|&#\d+;")
#: Columns that differ from run to run.
UNSTEADY = {"time", "device"}
#: Columns of which the words count.
WORDS = {"", "verdict"}
#: Words of the board that were renamed, in the first column of tables.
RENAMED = {
    "*ceiling (replicates)*": "*noise ceiling (replicates)*",
    "*(floor)*": "*(null model)*",
    "*(GC)*": "*(GC-only)*",
    "*(GC, deep)*": "*(GC-only, deep)*",
    "*(confounder, GC)*": "*(confounder, GC-only)*",
    " *(summary only)*": "",
}
VERDICTS = {"counter": "GC-only", "grammar": "beyond GC"}


class Line(NamedTuple):
    """A line of a board that has numbers: where it stands, what it is called, and its numbers in order."""

    section: str
    name: str
    numbers: tuple[str, ...]


def numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text, without those in names."""
    return tuple(NUMBER.findall(NAMES.sub(" ", text)))


def lines(board: str) -> Iterator[Line]:
    """The lines of a leaderboard that have numbers. The guide has none that are results."""
    section, header, place = "", [], 0
    for text in board.split("\n"):
        if text.startswith("#"):
            section, header, place = text.lstrip("# "), [], 0
        if section.startswith("How to read") and not text.startswith("<a id"):
            continue
        if text.startswith("|"):
            cells = [cell.strip() for cell in text.strip("| ").split(" | ")]
            if not header:
                header = cells
            elif not set(text) <= set("|-: "):
                shown = list(zip(header, cells, strict=False))[1:]
                yield Line(section, row_name(cells[0]), tuple(part for cell in shown for part in of_cell(*cell)))
            continue
        header = []
        found = numbers(text)
        if found:
            place += 1
            yield Line(section, f"line {place}", found)


def of_cell(heading: str, cell: str) -> tuple[str, ...]:
    """What counts of a table's cell."""
    if heading in WORDS:
        return (VERDICTS.get(cell, cell),) if cell else ()
    return () if heading in UNSTEADY else numbers(cell)


def row_name(name: str) -> str:
    """The first cell of a table's row in the present words."""
    for old, new in RENAMED.items():
        name = name.replace(old, new)
    return name


def first_difference(old: str, new: str) -> str | None:
    """The first line in which two leaderboards differ, in words; None where all numbers are the same."""
    ours, theirs = list(lines(old)), list(lines(new))
    for a, b in zip(ours, theirs, strict=False):
        if a != b:
            return f"{a.section}: {a.name} has {' '.join(a.numbers)}\n{b.section}: {b.name} has {' '.join(b.numbers)}"
    if len(ours) != len(theirs):
        rest = max(ours, theirs, key=len)[min(len(ours), len(theirs))]
        return f"{len(ours)} lines with numbers against {len(theirs)}; the first alone is {rest.section}: {rest.name}"
    return None


def main(old: Path, new: Path) -> int:
    """Compare two folders; 0 where all numbers are the same."""
    boards = [(folder / "leaderboard.md").read_text(encoding="utf-8") for folder in (old, new)]
    difference = first_difference(*boards)
    if difference is not None:
        print(difference)
        return 1
    found = list(lines(boards[0]))
    print(f"the same: {sum(len(line.numbers) for line in found):,} numbers in {len(found):,} lines")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    raise SystemExit(main(*map(Path, sys.argv[1:])))
