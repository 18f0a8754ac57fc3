"""Writing whole files or none, JSON, locks, and what to say when a disk refuses."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import BenchError

_NOT_WRITABLE = (
    errno.EACCES,
    errno.EROFS,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.ENAMETOOLONG,
)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where it is missing, cut off or no object."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object atomically."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path next to ``path`` that takes its name when the block ends well and is removed otherwise."""
    # The random part tells apart processes of one number: of two containers, say, that share a folder.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


@contextlib.contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file against other processes: yields False when another holds it and ``wait`` is off.

    The operating system lets go of the lock when its process dies. The file stays: to delete one that another process
    waits for would let two of them hold it.
    """
    import fcntl

    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Errors of the operating system while the block writes to ``place``, in words.

    Raises
    ------
    BenchError : for a full disk, or a place that cannot be written. Other errors of the system stay what they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise BenchError(
                f"{place}: the disk is full. Everything finished is kept: free some space and run again to resume.",
                status=1,
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise BenchError(
                f"{place}: cannot write there ({error.strerror}). Give a writable folder with --out.", status=2
            ) from error
        raise
