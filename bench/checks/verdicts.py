"""The checks of a plugin one after the other: here, or in a process of its own, so that a crash is a failed check."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from bench.checks.check import Check, CheckFailed
from bench.checks.find import checks_of, entry_of, plugins_of
from bench.errors import BenchError, one_line
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


class Head(NamedTuple):
    """A plugin that is going to be checked: its kind, its name, its checks, and how many plugins it is one of."""

    kind: PluginKind
    of: str
    checks: tuple[str, ...]
    plugins: int


class Place(NamedTuple):
    """A plugin as another process finds it: what a person typed, and which of the plugins that this means. ``files`` :
    the plugin file that defines it. ``taken`` : names of others, as `Registry.taken` gives them."""

    text: str
    kind: PluginKind | None
    number: int
    files: tuple[str, ...]
    taken: tuple[tuple[PluginKind, str, str], ...]
    data_dir: Path | None


def verdict_of(check: Check) -> Verdict:
    """Run a check in this process."""
    try:
        said = check() or ""
    except CheckFailed as failure:
        return Verdict(check.name, False, False, str(failure))
    return Verdict(check.name, True, check.known_failure is not None, said)


def verdicts_of(
    texts: Sequence[str],
    kind: PluginKind | None,
    registry: Registry,
    data_dir: Path | None = None,
    seconds: float = CHECK_SECONDS,
) -> Iterator[Head | Verdict]:
    """The checks of every plugin that these names and files mean: what it is, then a verdict for each check. Built-in
    ones run in this process, all others in one of their own.

    Raises
    ------
    BenchError : for an unknown name, before anything is checked; and as ``isolated`` does.
    """
    files = [text.endswith(".py") for text in texts]
    entries = [None if file else entry_of(text, registry, kind) for text, file in zip(texts, files, strict=True)]
    for text, entry in zip(texts, entries, strict=True):
        if entry is not None and entry[1].built_in:
            [(what, made)] = plugins_of(text, registry, kind)
            checks = checks_of(what, made, registry, data_dir)
            yield Head(what, checks[0].of, tuple(each.name for each in checks), 1)
            yield from map(verdict_of, checks)
            continue
        file = Path(text).resolve() if entry is None else entry[1].file
        mine = () if entry is None or file is None else (str(file),)
        number, plugins = 0, 1
        while number < plugins:  # each in a process of its own: the first may end its
            for answer in isolated(Place(text, kind, number, mine, registry.taken(file), data_dir), seconds):
                if isinstance(answer, Head):
                    plugins = answer.plugins
                yield answer
            number += 1


def isolated(place: Place, seconds: float = CHECK_SECONDS) -> Iterator[Head | Verdict]:
    """Import a third-party plugin and run its checks in a child process: what it is, then a verdict for each.

    The first that takes longer than ``seconds``, or whose process dies, fails and is the last. What the child writes to
    standard error (TensorFlow greets everyone who imports it) is kept from the screen, but for its last line when the
    process dies. Processes that it starts end with it.

    Raises
    ------
    BenchError : for a plugin that cannot be imported or made, and one whose process hangs or dies of that.
    """
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    errors = tempfile.NamedTemporaryFile(prefix="bench-check-")  # noqa: SIM115 - closed below
    process = context.Process(target=_serve, args=(theirs, place, errors.name), daemon=False)
    process.start()
    theirs.close()
    try:
        head: Head | None = None
        left = ["import"]
        while left:
            try:
                if pipe.poll(seconds):
                    answer = pipe.recv()
                    if isinstance(answer, BenchError):
                        raise answer
                    if isinstance(answer, Head):
                        head, left = answer, list(answer.checks)
                    else:
                        del left[0]
                    yield answer
                    continue
                trouble = f"must pass a check within {seconds:g} s. Got no answer."
            except (EOFError, OSError):
                process.join(10)
                last = errors.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
                said = f" Its last words: {one_line(last)}" if last else ""
                trouble = f"must let its process live. Got {_end(process.exitcode)}.{said}"
            if head is None:
                raise BenchError(f"{place.text}: its import {trouble}", status=1)
            yield Verdict(left[0], False, False, f"{head.of} {trouble}")
            return
    finally:
        _end_tree(process.pid)
        process.join()
        pipe.close()
        errors.close()


def _end_tree(process: int | None) -> None:
    """Kill a process and those that it started."""
    import psutil

    with contextlib.suppress(psutil.Error):
        top = psutil.Process(process)
        for each in [*top.children(recursive=True), top]:
            with contextlib.suppress(psutil.Error):
                each.kill()


def _end(code: int | None) -> str:
    try:
        return f"a process killed by {signal.Signals(-(code or 0)).name}"
    except ValueError:
        return f"a process that ended with status {code}"


def _serve(pipe: Connection, place: Place, errors: str) -> None:
    """The child: sends what it is going to check, then one verdict per check."""
    sink = os.open(errors, os.O_WRONLY | os.O_APPEND)
    os.dup2(sink, 2)
    try:
        registry = Registry(place.files, dropped=False)
        registry.reserve(place.taken)
        found = plugins_of(place.text, registry, place.kind)
        kind, plugin = found[place.number]
        checks = checks_of(kind, plugin, registry, place.data_dir)
    except BenchError as error:
        pipe.send(error)
        return
    pipe.send(Head(kind, checks[0].of, tuple(each.name for each in checks), len(found)))
    for check in checks:
        pipe.send(verdict_of(check))
