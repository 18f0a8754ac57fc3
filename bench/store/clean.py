"""What may go from an output folder: failed fits, results that no board uses any more, leftovers of killed runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, nearest
from bench.store.record import FailureRecord, State, TaskRecord, read_record
from bench.store.store import FAILED, TASK, read_result, record_file

_TEMPORARY = re.compile(r"\..+\.(\d+)(?:\.[0-9a-f]{8})?\.tmp|\.probe-(\d+)")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that may go, and why. ``bytes`` : its size."""

    path: Path
    reason: str
    bytes: int


def leftovers(root: Path, *, failed: bool, stale: bool, task: str | None = None) -> list[Leftover]:
    """What there is to clean, in path order, nothing twice.

    Parameters
    ----------
    failed : results that failed. stale : results made from other data than their task's present table, or cut off,
        temporary files of processes that are gone, and empty folders.
    task : only of this task; with neither ``failed`` nor ``stale`` the whole task.

    Raises
    ------
    BenchError : for a folder that holds no results, or an unknown task.
    """
    tasks = _tasks(root)
    if not tasks and not any(root.glob(f"*/*/*/*/seed-*/{FAILED}")):
        # A typing error must not empty somebody's folder.
        raise BenchError(f"{root}: no results there (no task folder with a {TASK}). Name a folder of results.")
    if task is not None and task not in tasks:
        raise BenchError(f"{root}: has no task {task!r}.{nearest(task, tasks)}")
    folders = [tasks[task]] if task is not None else sorted(p for p in root.iterdir() if p.is_dir())
    folders = [folder for folder in folders if not folder.is_symlink() and not folder.name.startswith(".")]
    found: list[Leftover] = []
    if task is not None and not failed and not stale:
        return [Leftover(tasks[task], f"all of {task}", _size(tasks[task]))]
    for folder in folders:
        record = read_record(TaskRecord, folder / TASK).record
        for result in _result_folders(folder):
            reason = (_why_failed(result) if failed else None) or (_why_stale(result, record) if stale else None)
            if reason is not None:
                found.append(Leftover(result, reason, _size(result)))
    if stale:
        found += _remains(folders if task is not None else [root], {item.path for item in found})
    return sorted(found, key=lambda item: item.path)


def _remains(places: list[Path], gone: set[Path]) -> Iterator[Leftover]:
    """Empty folders, and temporary files of processes that are gone, outside of the folders that go anyway."""
    for path in (path for place in places for path in sorted(_walk(place))):
        if gone.isdisjoint({path, *path.parents}):
            if path.is_dir():
                if not any(path.iterdir()):
                    yield Leftover(path, "empty folder", 0)
            elif _abandoned(path):
                yield Leftover(path, "temporary file of a process that is gone", path.stat().st_size)


def remove(items: list[Leftover], root: Path) -> int:
    """Delete them, and the folders below ``root`` that this leaves empty. Returns the bytes that came free."""
    freed = 0
    for item in items:
        if item.path.is_dir():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)
        freed += item.bytes
        for parent in item.path.parents:
            if parent == root or root not in parent.parents or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()
    return freed


def _tasks(root: Path) -> dict[str, Path]:
    """Folders of tasks by the tasks' names."""
    found = {}
    for path in sorted(root.glob(f"*/{TASK}")):
        record = read_record(TaskRecord, path).record
        found[path.parent.name if record is None else record.card.name] = path.parent
    return found


def _result_folders(folder: Path) -> Iterator[Path]:
    """Folders of results of a task; what a link leads to lies elsewhere and is left alone."""
    for path in sorted(folder.glob("*/*/*/seed-*")):
        if path.is_dir() and path.resolve().is_relative_to(folder.resolve()):
            yield path


def _why_failed(result: Path) -> str | None:
    if record_file(result) is not None or not (result / FAILED).is_file():
        return None
    note = read_record(FailureRecord, result / FAILED).record
    return f"failed: {'no reason was kept' if note is None else note.reason}"


def _why_stale(result: Path, task: TaskRecord | None) -> str | None:
    """Why a result's folder may go; ``task`` is the record of its task, where it can be read."""
    if not any(result.iterdir()) or any(_in_flight(path) for path in result.iterdir()):
        return None
    stored = read_result(result, checksum=True)
    if stored is None:
        return None if (result / FAILED).is_file() else "never finished"
    match stored.state:
        case State.NEWER:
            return None
        case State.DAMAGED:
            return (
                f"{stored.path.name}: {stored.why}" if stored.record is not None else f"{stored.path.name} {stored.why}"
            )
    record = stored.record
    if task is not None and record is not None and record.task_digest != task.digest_of(record.target):
        return "made from an older version of the task's data"
    return None


def _walk(folder: Path) -> Iterator[Path]:
    """Every file and folder below, links not followed; lock files stay (a run may wait for one)."""
    for place, names, files in os.walk(folder):
        names[:] = [name for name in names if name != ".locks"]
        for name in (*names, *files):
            path = Path(place, name)
            if not path.is_symlink():
                yield path


def _in_flight(path: Path) -> bool:
    """Whether a file is a temporary one of a process that runs on this machine."""
    match = _TEMPORARY.fullmatch(path.name)
    if match is None:
        return False
    try:
        os.kill(int(match[1] or match[2]), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _abandoned(path: Path) -> bool:
    return _TEMPORARY.fullmatch(path.name) is not None and not _in_flight(path)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _walk(folder) if path.is_file())
