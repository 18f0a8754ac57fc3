"""What a data set adapter is, and where its public files are found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.errors import BenchError
from bench.files.folders import cache_folder, named_folder
from bench.tasks.spec import TaskSpec
from bench.tasks.table import build_task
from bench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RemoteFile:
    """One public file. ``path`` is relative to the data folder, ``sha256`` in hexadecimal, ``bytes`` its size."""

    path: str
    url: str
    sha256: str
    bytes: int


def remote_files(folder: str, url: str, listing: str) -> tuple[RemoteFile, ...]:
    """Files of one public address. ``listing`` has one line per file: SHA-256, bytes, path under ``url``; the local
    path is ``folder`` and the file's name, with the folder above it where two names are the same."""
    lines = [line.split(maxsplit=2) for line in listing.strip().splitlines()]
    names = [path.rpartition("/")[2] for _, _, path in lines]
    return tuple(
        RemoteFile(
            f"{folder}/{name if names.count(name) == 1 else '/'.join(path.split('/')[-2:])}",
            f"{url}/{path}",
            sha256,
            int(size),
        )
        for (sha256, size, path), name in zip(lines, names, strict=True)
    )


class Unavailable(Exception):
    """The files of a data set are not here and may not be downloaded: its task is shown as skipped."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason, self.fix = reason, fix


class Dataset:
    """Public files in, one task out. A subclass sets the class attributes and writes ``spec`` and ``frame``."""

    #: Name of the data set and of its task.
    name: ClassVar[str]
    #: One line for ``bench list``.
    title: ClassVar[str]
    #: What must be downloaded; empty for a data set that comes with the package.
    files: ClassVar[tuple[RemoteFile, ...]] = ()
    #: Whether ``--all`` includes it; False for one that takes hours.
    in_all: ClassVar[bool] = True

    def spec(self) -> TaskSpec:
        """The card, columns, targets and split of the task."""
        raise NotImplementedError

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        """The canonical table, from the local copy of each ``RemoteFile.path``."""
        raise NotImplementedError

    def load(self, data_dir: Path | None = None, *, download: bool = False) -> Task:
        """The task.

        Parameters
        ----------
        data_dir : folder that may hold the files under their ``path``; ``BENCH_DATA_DIR`` by default.
        download : fetch what is missing into the cache.

        Raises
        ------
        Unavailable : where files are missing and ``download`` is false, or the download failed.
        BenchError : for files that are not what was published.
        """
        return build_task(self.spec(), self.frame(self.locate(data_dir, download=download)), source=self.name)

    def problem(self, data_dir: Path | None = None) -> str | None:
        """Why the task cannot be loaded as things stand, with the fix; None when its files are here."""
        missing = [file for file in self.files if self.find(file, data_dir) is None]
        return str(self._unavailable(missing, data_dir)) if missing else None

    def locate(self, data_dir: Path | None = None, *, download: bool = False) -> dict[str, Path]:
        """Where every file is, by ``RemoteFile.path``; each verified by its checksum. Errors as for ``load``."""
        found: dict[str, Path] = {}
        missing: list[RemoteFile] = []
        for file in self.files:
            here = self.find(file, data_dir)
            if here is None:
                missing.append(file)
            else:
                verify(here, file)
                found[file.path] = here
        if missing and not download:
            raise self._unavailable(missing, data_dir)
        return found | {file.path: self._fetch(file) for file in missing}

    def find(self, file: RemoteFile, data_dir: Path | None = None) -> Path | None:
        """The local copy of a file, unchecked: from ``data_dir`` (or ``BENCH_DATA_DIR``), else from the cache."""
        return next((path for folder in data_folders(data_dir) if (path := folder / file.path).is_file()), None)

    def _unavailable(self, missing: list[RemoteFile], data_dir: Path | None) -> Unavailable:
        size = sum(file.bytes for file in missing) / 1e6
        named = data_dir or named_folder("BENCH_DATA_DIR")
        no_folder = f" ({named}, named as the data folder, does not exist)" if named and not named.is_dir() else ""
        return Unavailable(
            f"{len(missing)} of {len(self.files)} files of {self.name} are not here{no_folder}.",
            f"Run: bench data fetch {self.name} ({size:.1f} MB), or set BENCH_DATA_DIR to a folder that has them.",
        )

    def _fetch(self, file: RemoteFile) -> Path:
        import pooch

        pooch.get_logger().setLevel("WARNING")
        target = cache_folder() / file.path
        try:
            pooch.retrieve(file.url, f"sha256:{file.sha256}", fname=target.name, path=target.parent)
        except ValueError as error:  # the checksum, which pooch compares before it keeps a file
            raise BenchError(
                f"{file.url}: the download has another checksum than the published file ({error})."
                " Try again; if it stays so, the public file has changed: report it.",
                status=1,
            ) from None
        except OSError as error:  # requests' errors are among them
            raise Unavailable(
                f"{self.name}: {file.url} could not be downloaded ({_brief(error)}).",
                "Try again with a network, or set BENCH_DATA_DIR to a folder that has the files.",
            ) from None
        _remember(target, file)
        return target


# ---- folders and checksums -------------------------------------------------------------------------------------------
def data_folders(data_dir: Path | None) -> list[Path]:
    """Where public files are looked for, in order: ``data_dir`` (``BENCH_DATA_DIR`` by default), then the cache."""
    return [folder for folder in (data_dir or named_folder("BENCH_DATA_DIR"), cache_folder()) if folder]


def verify(path: Path, file: RemoteFile, *, fresh: bool = False) -> None:
    """Check a local copy against the published checksum.

    A file that was checked is not read again while its size and time of change stay the same, unless ``fresh``.

    Raises
    ------
    BenchError : where they differ.
    """
    if not fresh and _remembered(path, file):
        return
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != file.sha256:
        cut = " It is cut short." if path.stat().st_size < file.bytes else ""
        raise BenchError(
            f"{path}: SHA-256 is {actual[:12]}..., the published file has {file.sha256[:12]}....{cut}"
            " Delete it and fetch it again."
        )
    _remember(path, file)


def _note(path: Path, file: RemoteFile) -> tuple[Path, str]:
    """Where it is written down that a file was checked, and what: a folder of data may be read-only."""
    status = path.stat()
    key = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]
    return cache_folder() / "verified" / key, f"{file.sha256} {status.st_size} {status.st_mtime_ns}"


def _remember(path: Path, file: RemoteFile) -> None:
    note, said = _note(path, file)
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(said)
    except OSError:
        return  # without a cache folder the next run checks again


def _remembered(path: Path, file: RemoteFile) -> bool:
    note, said = _note(path, file)
    try:
        return note.read_text() == said
    except OSError:
        return False


def _brief(error: Exception) -> str:
    """The cause, which the message of a failed connection has at its end."""
    line = str(error).partition("\n")[0].rpartition("Caused by ")[2]
    return line[:240] or type(error).__name__
