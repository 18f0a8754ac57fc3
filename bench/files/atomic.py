"""Writing whole files or none, JSON with checksums, and what to say when a disk refuses."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import secrets
import socket
import stat
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.errors import BenchError

#: Field of a JSON file that holds the checksum of all its other fields.
CHECKSUM = "checksum"
#: Seconds after which the temporary file of a process on another machine counts as left behind.
ABANDONED_AFTER = 24 * 3600.0

#: What the system answers where a disk, or one's share of it, is full.
FULL = (errno.ENOSPC, errno.EDQUOT)
_NOT_WRITABLE = (
    errno.EACCES,
    errno.EROFS,
    errno.EPERM,
    errno.ENOENT,
    errno.ENAMETOOLONG,
)
#: What it answers where a file lies in place of a folder, or a folder in place of a file.
_IN_THE_WAY = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
#: ``.<name>.<host>-<process>.<random>.tmp``; earlier versions named no host, and the first ones nothing random.
#: Writes an object as its checksum is computed from it. Nothing that JSON holds refers to itself.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)
_TEMPORARY = re.compile(r"\.(?P<name>.+?)\.(?:(?P<host>[0-9a-f]{8})-)?(?P<process>\d+)(?:\.[0-9a-f]{8})?\.tmp")


class NotWritable(BenchError):
    """A place that nothing can be written to: read-only, forbidden, or no folder."""


def read_file(path: str | Path) -> bytes:
    """The bytes of a regular file. Links are not followed, and a pipe is not waited for.

    Raises
    ------
    OSError : where there is no such file; its ``errno`` is ELOOP for a link.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        content = os.read(handle, about.st_size + 1)
        if len(content) < about.st_size:  # the system reads 2 GB at a time at most
            pieces = [content]
            while pieces[-1] and sum(map(len, pieces)) < about.st_size:
                pieces.append(os.read(handle, about.st_size + 1))
            content = b"".join(pieces)
        return content
    finally:
        os.close(handle)


# ---- JSON ------------------------------------------------------------------------------------------------------------
def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where it is missing, cut off or no object."""
    try:
        return json_object(path.read_bytes())
    except OSError:
        return None


def json_object(content: bytes) -> dict[str, Any] | None:
    """A JSON object, or None where the bytes are cut off or no object."""
    from pydantic_core import from_json  # in a third of the time of ``json``

    try:
        value = from_json(content)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object with its checksum, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json_text(value), encoding="utf-8")


def json_text(value: dict[str, Any]) -> str:
    """The text of a JSON object, with its checksum as the last field."""
    rest = {name: item for name, item in value.items() if name != CHECKSUM}
    return json.dumps({**rest, CHECKSUM: checksum(rest)}, indent=1, ensure_ascii=False) + "\n"


def checksum(value: dict[str, Any]) -> int:
    """CRC-32 of the object without its field ``checksum``: of the text with sorted keys, no spaces, and ASCII alone."""
    rest = dict(value)
    rest.pop(CHECKSUM, None)
    return zlib.crc32("".join(_CANONICAL.iterencode(rest, True)).encode("ascii"))  # all at once, in C


def has_its_checksum(value: dict[str, Any]) -> bool:
    """Whether the object holds the checksum that it was written with."""
    noted = value.get(CHECKSUM)
    try:
        return type(noted) is int and noted == checksum(value)
    except (RecursionError, ValueError):
        return False


# ---- whole files -----------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path next to ``path`` that takes its name when the block ends well and is removed otherwise."""
    temporary = temporary_name(path)
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def temporary_name(path: Path) -> Path:
    """A name next to ``path`` that no other process uses. The random part tells apart processes of one number: of two
    containers, say, that share a folder."""
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}.{secrets.token_hex(4)}.tmp")


def flush(path: Path) -> None:
    """Have the content of a file on the disk before anything that relies on it."""
    with open(path, "rb+") as handle:
        os.fsync(handle.fileno())


def temporary_of(name: str) -> str | None:
    """The name of the file that a temporary file was to become; None for any other file."""
    match = _TEMPORARY.fullmatch(name)
    return None if match is None else match["name"]


def abandoned(path: Path) -> bool:
    """Whether a temporary file will never be finished: its process is gone from this machine, or it is of another
    machine and a day old."""
    match = _TEMPORARY.fullmatch(path.name)
    if match is None:
        return False
    if match["host"] in (None, _host()):
        return not runs(int(match["process"]))
    try:
        return time.time() - path.lstat().st_mtime > ABANDONED_AFTER
    except OSError:
        return False


def runs(process: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


@functools.cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _obstacle(error: OSError, place: Path) -> Path:
    """What lies in the way of a write: the file among the folders above it, else what it was to replace."""
    name = error.filename2 if error.filename2 is not None else error.filename
    wanted = Path(os.fsdecode(name)) if isinstance(name, str | bytes | os.PathLike) else place
    above = [folder for folder in reversed(wanted.parents) if os.path.lexists(folder) and not folder.is_dir()]
    return above[0] if above else wanted


@contextlib.contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Errors of the operating system while the block writes to ``place``, in words.

    Raises
    ------
    BenchError : for a full disk. NotWritable : for a place that cannot be written. Other errors of the system stay what
        they are.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise BenchError(
                f"{place}: the disk is full. Everything finished is kept: free some space and run again to resume.",
                status=1,
            ) from error
        if error.errno in _IN_THE_WAY:
            raise NotWritable(
                f"{_obstacle(error, place)}: cannot write there ({error.strerror}). Move it, delete it, or give another"
                " folder with --out.",
                status=2,
            ) from error
        if error.errno in _NOT_WRITABLE:
            raise NotWritable(
                f"{place}: cannot write there ({error.strerror}). Give a writable folder with --out.", status=2
            ) from error
        raise
