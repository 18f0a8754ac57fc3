"""What is kept of a call: which command, by which code, when, and what came of it. Nobody reads it but people."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import bench
from bench.errors import BenchError
from bench.plugins.libraries import library_versions
from bench.run.pace import machine
from bench.store.record import FitNote, RunRecord, write_record
from bench.store.stages import Stages
from bench.store.store import Store

#: Folder of these notes in a folder of results.
RUNS = "runs"
#: Seconds that git may take: a repository on a slow disk must not hold up a run.
GIT_SECONDS = 5


class RunNote:
    """The note on one call, in ``runs/<UTC time>-<process>.json``: written when it starts and again when it ends."""

    def __init__(self, store: Store, libraries: Iterable[str]) -> None:
        now = datetime.datetime.now(datetime.UTC)
        self._path = store.root / RUNS / f"{now:%Y%m%dT%H%M%SZ}-{os.getpid()}.json"
        self._record = RunRecord(
            command=[*sys.argv],
            folder=str(Path.cwd()),
            started=now.isoformat(timespec="seconds"),
            ended="",
            status="running",
            versions={
                "bench": bench.__version__,
                "python": platform.python_version(),
                **library_versions({"numpy", *libraries}),
            },
            commit=commit_of(Path.cwd()),
            bench_commit=commit_of(Path(bench.__file__).parent, "__init__.py"),
            counts={},
            machine=machine(),
        )

    def begin(self) -> None:
        """Write it for the first time.

        Raises
        ------
        BenchError : where nothing can be written.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_record(self._path, self._record)

    def end(self, status: str, counts: dict[str, int], fits: list[FitNote], stages: Stages) -> None:
        """Write it as the fits end. Where that fails, what was fitted is kept all the same, and nothing is said."""
        ended = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        changed = {"ended": ended, "status": status, "counts": counts, "fits": fits}
        self._record = self._record.model_copy(update=changed)
        self.add_stages(stages)

    def add_stages(self, stages: Stages) -> None:
        """Write it with what the stages took so far."""
        seconds = {str(stage): round(value, 3) for stage, value in stages.seconds.items()}
        self._record = self._record.model_copy(update={"stages": seconds})
        with contextlib.suppress(BenchError, OSError):
            write_record(self._path, self._record)


def commit_of(folder: Path, tracked: str = "") -> str:
    """The commit that a folder under git is at, with ``+changes`` where files of it were changed since; empty for a
    folder that is not, and where ``tracked``, a file in it, is not part of it."""
    if tracked and _git(folder, "ls-files", "--error-unmatch", tracked) is None:
        return ""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return ""
    return commit + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(folder), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()
