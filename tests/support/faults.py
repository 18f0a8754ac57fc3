"""A layer under the file operations of this process that stops it, or fills its disk, at any one of them.

``Faults`` counts every operation that changes something below a folder: opening for writing, each write, fsync,
replace, unlink, mkdir, rmdir, and what copies a file inside the system. Before or after operation ``at`` it raises
``Stopped``, and from then on lets nothing change any more: what is on the disk is what a kill would have left there.
With ``how="full"`` operation ``at`` and every later one that takes space says that the disk is full; with
``how="read-only"`` every operation is refused.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

#: Operations that take space. Others (unlink, rmdir) work on a full disk.
TAKES_SPACE = {"open", "write", "mkdir", "fsync", "copy", "replace", "rename"}


class Stopped(BaseException):
    """The process was stopped here. Not an Exception, so that nothing which carries on after errors carries on."""


class Faults:
    """Counts operations below ``root``; stops at number ``at`` (from 0), ``how`` being before, after, full, or
    read-only (all of them)."""

    def __init__(self, root: Path, at: int = -1, how: str = "before") -> None:
        self.root, self.at, self.how = str(root.resolve()), at, how
        self.done: list[str] = []
        self.stopped = False
        self._streams: list[Any] = []
        self.raws: list[_Raw] = []

    def step(self, name: str, path: Any, action: Callable[[], Any]) -> Any:
        """One operation: count it, and let it happen or not."""
        if not self._below(path):
            return action()
        place = os.path.abspath(os.fspath(path))
        if self.stopped:
            raise Stopped
        number = len(self.done)
        self.done.append(f"{name} {place.removeprefix(self.root)}")
        if self.how == "read-only":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), place)
        if self.how == "full" and 0 <= self.at <= number and name in TAKES_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
        if number == self.at and self.how == "before":
            self.stopped = True
            raise Stopped
        result = action()
        if number == self.at and self.how == "after":
            self.stopped = True
            raise Stopped
        return result

    def _below(self, path: Any) -> bool:
        place = os.path.abspath(os.fspath(path))
        return place == self.root or place.startswith(self.root + os.sep)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Faults]:
        """Within the block the layer is there."""
        with contextlib.ExitStack() as stack:
            for name in ("unlink", "remove", "mkdir", "rmdir", "truncate"):
                stack.enter_context(mock.patch.object(os, name, self._one_path(name, getattr(os, name))))
            for name in ("replace", "rename", "link", "symlink"):
                stack.enter_context(mock.patch.object(os, name, self._two_paths(name, getattr(os, name))))
            stack.enter_context(mock.patch.object(os, "fsync", self._handle("fsync", os.fsync)))
            stack.enter_context(mock.patch.object(os, "sendfile", self._handle("copy", os.sendfile)))
            stack.enter_context(mock.patch.object(os, "open", self._os_open(os.open)))
            opened = self._open(builtins.open)
            stack.enter_context(mock.patch.object(builtins, "open", opened))
            stack.enter_context(mock.patch.object(io, "open", opened))
            try:
                yield self
            finally:
                for stream in (
                    *self._streams,
                    *self.raws,
                ):  # a stopped process writes nothing when it lets go of its files
                    with contextlib.suppress(OSError, ValueError, Stopped):
                        stream.close()

    def _one_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **options: Any) -> Any:
            return self.step(name, path, lambda: real(path, *rest, **options))

        return call

    def _two_paths(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, target: Any, *rest: Any, **options: Any) -> Any:
            return self.step(name, target, lambda: real(source, target, *rest, **options))

        return call

    def _handle(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: Any, *rest: Any, **options: Any) -> Any:
            place = os.readlink(f"/proc/self/fd/{handle}")
            return self.step(name, place, lambda: real(handle, *rest, **options))

        return call

    def _os_open(self, real: Callable[..., int]) -> Callable[..., int]:
        def call(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return self.step("open", path, lambda: real(path, flags, *rest, **options))
            return real(path, flags, *rest, **options)

        return call

    def _open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wxa+") or not self._below(file):
                return real(file, mode, buffering, *rest, **options)
            raw = self.step("open", file, lambda: _Raw(self, file, mode.replace("b", "").replace("t", "")))
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            stream = buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **options)
            self._streams.append(stream)
            return stream

        return call


class _Raw(io.FileIO):
    """A file whose writes are counted one by one."""

    def __init__(self, faults: Faults, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        self._faults, self._place = faults, os.path.abspath(file)
        faults.raws.append(self)

    def write(self, content: Any) -> int:
        return self._faults.step("write", self._place, lambda: super(_Raw, self).write(content))
