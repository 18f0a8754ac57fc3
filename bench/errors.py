"""The one error that is meant for people, and the reason why a task is skipped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """Something a person can fix. The message is one line: what is wrong, of which file, row or option, and the fix.

    The command line prints it without a traceback and exits with ``status`` (2: the call or its input is wrong; 1: the
    work failed). Text from files may stand in it: what is not printable is spelt out, so that no file speaks to the
    terminal.
    """

    def __init__(self, message: str, *, status: int = 2) -> None:
        super().__init__(one_line(message))
        self.status = status


class Unavailable(Exception):
    """The files of a data set are not here and may not be downloaded: its task is shown as skipped."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason, self.fix = reason, fix


def one_line(text: object) -> str:
    """Any text on one printable line; control characters and the like as ``\\x1b``."""
    line = " ".join(str(text).split())
    return line if line.isprintable() else "".join(c if c.isprintable() else _spelt(c) for c in line)


def _spelt(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'kmers'?`` or, with nothing near, the list of what there is. Starts with a space."""
    known = sorted(known)
    near = [each for each in known if each.casefold() == name.casefold()]
    near = near or difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else f" There is: {', '.join(known) or 'nothing'}."
