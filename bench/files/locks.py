"""Locks between processes and machines that share a folder."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from bench.files.atomic import disk_errors, runs

#: What a file system answers that has no locks of its own (Lustre without them, some NFS).
_NO_FLOCK = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
#: Ending of the lock file there: it is held as long as it exists.
_SOFT = ".soft"


@contextlib.contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file against other processes, and other threads: yields False when another holds it and ``wait`` is
    off.

    The operating system lets go of the lock when its process dies. The file stays: to delete one that another process
    waits for would let two of them hold it. Where the file system has no locks, a file with the holder's number and
    machine stands for one: left behind, it is taken over on the same machine once its process is gone.
    """
    import filelock

    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock: filelock.BaseFileLock = filelock.UnixFileLock(path, fallback_to_soft=False)
        try:
            held = _acquired(lock, wait)
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            lock = filelock.SoftFileLock(f"{path}{_SOFT}")
            held = _acquired(lock, wait)
    try:
        yield held
    finally:
        if held:
            lock.release()


def _acquired(lock: object, wait: bool) -> bool:
    import filelock

    assert isinstance(lock, filelock.BaseFileLock)
    try:
        lock.acquire(blocking=wait)
    except filelock.Timeout:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether a process holds the lock. Creates and changes nothing, so that it also works where nothing can be
    written; a lock that cannot be asked counts as free."""
    return _held_hard(path) or _held_soft(Path(f"{path}{_SOFT}"))


def _held_hard(path: Path) -> bool:
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)  # a shared one needs no right to write
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _held_soft(path: Path) -> bool:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return False
    mine = len(lines) > 1 and lines[1] == socket.gethostname() and lines[0].isdigit()
    return not mine or runs(int(lines[0]))
