"""The checks of a plugin one after the other: here, or in a process of its own, so that a crash is a failed check."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from bench.checks.check import Check, CheckFailed
from bench.checks.find import checks_of, plugins_of
from bench.errors import one_line
from bench.plugins.kinds import PluginKind
from bench.plugins.registry import Registry

#: Seconds one check may take: those of the built-in network take up to 20 on two cores.
CHECK_SECONDS = 600.0


class Verdict(NamedTuple):
    """What became of one check. ``said`` is its remark, or what of whom must be what and was not; ``known`` : it fails
    as its plugin declares."""

    name: str
    good: bool
    known: bool
    said: str


class Place(NamedTuple):
    """A plugin as another process finds it: what a person typed, and which of the plugins that this means."""

    text: str
    kind: PluginKind | None
    number: int
    files: tuple[str, ...]
    folder: Path
    data_dir: Path | None


def verdict_of(check: Check) -> Verdict:
    """Run a check in this process."""
    try:
        said = check() or ""
    except CheckFailed as failure:
        return Verdict(check.name, False, False, str(failure))
    return Verdict(check.name, True, check.known_failure is not None, said)


def isolated(checks: Sequence[Check], place: Place, seconds: float = CHECK_SECONDS) -> Iterator[Verdict]:
    """Run the checks of a third-party plugin in a child process.

    The first that takes longer than ``seconds``, or whose process dies, fails and is the last. What the child writes to
    standard error (TensorFlow greets everyone who imports it) is kept from the screen, but for its last line when the
    process dies.
    """
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    errors = tempfile.NamedTemporaryFile(prefix="bench-check-")  # noqa: SIM115 - closed below
    process = context.Process(target=_serve, args=(theirs, place, errors.name), daemon=True)
    process.start()
    theirs.close()
    try:
        for check in checks:
            trouble = None
            try:
                if pipe.poll(seconds):
                    yield Verdict(*pipe.recv())
                    continue
                trouble = f"{check.of} must pass a check within {seconds:g} s. Got no answer."
            except (EOFError, OSError):
                process.join(10)
                last = errors.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
                said = f" Its last words: {one_line(last)}" if last else ""
                trouble = f"{check.of} must let its process live. Got {_end(process.exitcode)}.{said}"
            yield Verdict(check.name, False, False, trouble)
            return
    finally:
        process.kill()
        process.join()
        pipe.close()
        errors.close()


def _end(code: int | None) -> str:
    try:
        return f"a process killed by {signal.Signals(-(code or 0)).name}"
    except ValueError:
        return f"a process that ended with status {code}"


def _serve(pipe: Connection, place: Place, errors: str) -> None:
    """The child: sends one verdict per check."""
    sink = os.open(errors, os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 2)
    registry = Registry(place.files, folder=place.folder)
    kind, plugin = plugins_of(place.text, registry, place.kind)[place.number]
    for check in checks_of(kind, plugin, registry, place.data_dir):
        pipe.send(tuple(verdict_of(check)))
