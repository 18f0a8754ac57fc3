"""What a data set is: public files in, one task out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.errors import Unavailable
from bench.files.downloads import DownloadFailed, data_folders, fetch, verify
from bench.files.folders import cache_folder, named_folder
from bench.tasks.spec import TaskSpec
from bench.tasks.table import build_task
from bench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

#: All that an author of a data set needs besides `bench.tasks.spec`.
__all__ = ["Dataset", "RemoteFile", "Unavailable", "remote_files"]


@dataclass(frozen=True)
class RemoteFile:
    """One public file. ``path`` is relative to the data folder, ``sha256`` in hexadecimal, ``bytes`` its size."""

    path: str
    url: str
    sha256: str
    bytes: int


def remote_files(folder: str, url: str, listing: str) -> tuple[RemoteFile, ...]:
    """Files of one public address.

    ``listing`` has one line per file: SHA-256, bytes, path under ``url``. The local path is ``folder`` and the file's
    name, with the folder above it where two names are the same.
    """
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

    def load(
        self, data_dir: Path | None = None, *, download: bool = False, rows: Mapping[str, list[str]] | None = None
    ) -> Task:
        """The task.

        Parameters
        ----------
        data_dir : folder that may hold the files under their ``path``; ``BENCH_DATA_DIR`` by default.
        download : fetch what is missing into the cache.
        rows : those that are taken of it, by the values of columns, as a task of their own; all without it.

        Raises
        ------
        Unavailable : where files are missing and ``download`` is false, or the download failed.
        BenchError : for files that are not what was published.
        """
        spec = self.spec().of_rows(rows) if rows else self.spec()
        return build_task(spec, self.frame(self.locate(data_dir, download=download)), source=self.name)

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
                verify(here, file.sha256, file.bytes)
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
        target = cache_folder() / file.path
        try:
            fetch(file.url, file.sha256, target)
        except DownloadFailed as failed:
            raise Unavailable(
                f"{self.name}: {file.url} could not be downloaded ({failed}).",
                "Try again with a network, or set BENCH_DATA_DIR to a folder that has the files.",
            ) from None
        return target
