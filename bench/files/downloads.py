"""Public files: the folders that may hold them, their checksums, and fetching what is missing."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import BenchError
from bench.files.folders import cache_folder, named_folder


class DownloadFailed(Exception):
    """A file could not be fetched: no network, or no such address. The message is the cause."""


def data_folders(data_dir: Path | None) -> list[Path]:
    """Where public files are looked for, in order: ``data_dir`` (``BENCH_DATA_DIR`` by default), then the cache."""
    return [folder for folder in (data_dir or named_folder("BENCH_DATA_DIR"), cache_folder()) if folder]


def verify(path: Path, sha256: str, size: int, *, fresh: bool = False) -> None:
    """Check a local copy against the checksum (hexadecimal) and size in bytes of the published file.

    A file that was checked is not read again while its size and time of change stay the same, unless ``fresh``.

    Raises
    ------
    BenchError : where they differ.
    """
    if not fresh and _remembered(path, sha256):
        return
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != sha256:
        cut = " It is cut short." if path.stat().st_size < size else ""
        raise BenchError(
            f"{path}: SHA-256 is {actual[:12]}..., the published file has {sha256[:12]}....{cut}"
            " Delete it and fetch it again."
        )
    _remember(path, sha256)


def fetch(url: str, sha256: str, target: Path) -> None:
    """Download a file to ``target``; it is kept only if its checksum is the published one.

    Raises
    ------
    DownloadFailed : where it could not be fetched.
    BenchError : where its checksum differs.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(url, f"sha256:{sha256}", fname=target.name, path=target.parent)
    except ValueError as error:  # the checksum, which pooch compares before it keeps a file
        raise BenchError(
            f"{url}: the download has another checksum than the published file ({error})."
            " Try again; if it stays so, the public file has changed: report it.",
            status=1,
        ) from None
    except OSError as error:  # requests' errors are among them
        raise DownloadFailed(_brief(error)) from None
    _remember(target, sha256)


def _note(path: Path, sha256: str) -> tuple[Path, str]:
    """Where it is written down that a file was checked, and what: a folder of data may be read-only."""
    status = path.stat()
    key = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]
    return cache_folder() / "verified" / key, f"{sha256} {status.st_size} {status.st_mtime_ns}"


def _remember(path: Path, sha256: str) -> None:
    note, said = _note(path, sha256)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(said)
    except OSError:
        return  # without a cache folder the next run checks again


def _remembered(path: Path, sha256: str) -> bool:
    note, said = _note(path, sha256)
    try:
        return note.read_text() == said
    except OSError:
        return False


def _brief(error: Exception) -> str:
    """The cause, which the message of a failed connection has at its end."""
    line = str(error).partition("\n")[0].rpartition("Caused by ")[2]
    return line[:240] or type(error).__name__
