"""A guess of a job's memory before it is fitted, so that the kernel never has to kill it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.fit.features import LARGE
from bench.fit.fit import MOST_VALUES
from bench.run.job import Job

#: Copies of the features alive at once: the table, the training part, and a learner's own quantised copy.
COPIES = 3
#: Bytes a learner needs of each value of features that are read block by block: two of them for its quantised matrix.
KEPT = 3
#: What a process holds alongside (libraries, sequences), bytes.
BASE = 1 << 30
#: Bytes of a job up to which one of several processes keeps what it made for its next job.
KEPT_BETWEEN_JOBS = 2 << 30


#: Where the kernel says what a container or a queueing system's job may use: limit, use, and what of the use it would
#: give back, in cgroups of version 2 and 1.
CGROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Memory this process may still take without swapping or being killed: what the machine has free, or less where its
    control group has a limit (a container, a job of a queueing system). None where that cannot be told.

    Parameters
    ----------
    root : where ``proc`` and ``sys`` are.
    """
    found = []
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    for folder in _control_groups(root):
        for limit, used, idle in CGROUPS:
            try:
                most, now = (int((folder / name).read_text()) for name in (limit, used))
            except (OSError, ValueError):  # no such file, or "max"
                continue
            spare = sum(int(line.split()[1]) for line in _lines(folder / "memory.stat") if line.split()[:1] == [idle])
            found.append(max(most - now + min(spare, now), 0))
    return min(found, default=None)


def _control_groups(root: Path) -> list[Path]:
    """Folders of this process's control group and of those above it, each of which may have a limit."""
    folders: dict[Path, None] = {}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers not in ("", "memory"):
            continue
        home = root / "sys/fs/cgroup" / controllers
        inner = home / path.lstrip("/")
        for folder in (inner, *inner.parents):
            folders[folder] = None
            if folder == home:
                break
        folders[home] = None
    return list(folders)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def needed_bytes(job: Job) -> int:
    """A rough upper guess for one job: copies of its features, what a learner keeps of features that are not held in
    memory themselves, or what the model itself states."""
    rows = len(job.planned.task)
    if job.memory is not None:
        return BASE + int(job.memory)
    size = rows * job.columns * job.item_bytes
    if size <= LARGE or "table" not in job.model.cls.takes:
        return BASE + COPIES * min(size, LARGE)
    return BASE + KEPT * min(rows * job.columns, MOST_VALUES)


def fits(job: Job, free: int | None = None) -> bool:
    """Whether there is memory for a job, in ``free`` bytes or what there is now; True where that cannot be told."""
    free = available_bytes() if free is None else free
    return free is None or needed_bytes(job) <= free


def check_memory(job: Job, free: int | None = None) -> None:
    """Refuse a job that would not fit (see `fits`), in words.

    Raises
    ------
    BenchError : naming the need, what there is, and a fix.
    """
    if not fits(job, free):
        free = (available_bytes() or 0) if free is None else free
        raise BenchError(
            f"needs about {needed_bytes(job) / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are free. Choose fewer"
            " features (a smaller k), --quick, or a machine with more memory.",
            status=1,
        )


class MemoryBudget:
    """The memory that jobs side by side share: one that does not fit alongside those that run waits for them.

    What a process keeps after its job counts as taken by nobody: it must keep little.

    Attributes
    ----------
    free : bytes when none of them ran last; None where that cannot be told.
    """

    def __init__(self) -> None:
        self.free = available_bytes()
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def reserved(self, job: Job, say: Callable[[str], None]) -> Iterator[None]:
        """Memory for a job for as long as the block runs. A job runs alone where it needs more than there is."""
        need = needed_bytes(job)
        with self._changed:
            if not self._has(need):
                say("waits for memory")
            self._changed.wait_for(lambda: self._has(need))
            if not self._taken:  # other programs have come and gone
                self.free = available_bytes()
            self._taken += need
        try:
            yield
        finally:
            with self._changed:
                self._taken -= need
                self._changed.notify_all()

    def _has(self, need: int) -> bool:
        return self.free is None or not self._taken or self._taken + need <= self.free
