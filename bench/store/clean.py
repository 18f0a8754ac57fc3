"""What may go from an output folder: failed fits, results that no board uses any more, leftovers of killed runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, nearest
from bench.files.atomic import read_json
from bench.store.record import ResultRecord, is_whole, problem
from bench.store.store import FAILED, FORMAT, PREDICTIONS, RECORD, TASK

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
    failed : results that failed. stale : results made from other data than their task's present table, of an older
        format or cut off, temporary files of processes that are gone, and empty folders.
    task : only of this task; with neither ``failed`` nor ``stale`` the whole task.

    Raises
    ------
    BenchError : for a folder that holds no results, or an unknown task.
    """
    tasks = {_task_name(path): path.parent for path in sorted(root.glob(f"*/{TASK}"))}
    if not tasks and not any(root.glob(f"*/*/*/*/seed-*/{FAILED}")):
        # A slip of the keyboard must not empty somebody's folder.
        raise BenchError(f"{root}: no results there (no task folder with a {TASK}). Name a folder of results.")
    if task is not None and task not in tasks:
        raise BenchError(f"{root}: has no task {task!r}.{nearest(task, tasks)}")
    folders = [tasks[task]] if task is not None else sorted(p for p in root.iterdir() if p.is_dir())
    folders = [folder for folder in folders if not folder.is_symlink() and not folder.name.startswith(".")]
    found: list[Leftover] = []
    if task is not None and not failed and not stale:
        return [Leftover(tasks[task], f"all of {task}", _size(tasks[task]))]
    for folder in folders:
        for result in _cells(folder):
            reason = (_why_failed(result) if failed else None) or (_why_stale(result, folder) if stale else None)
            if reason is not None:
                found.append(Leftover(result, reason, _size(result)))
    if stale:
        gone = {item.path for item in found}
        places = folders if task is not None else [root]
        for path in (path for place in places for path in sorted(_walk(place))):
            if gone.isdisjoint({path, *path.parents}):
                if path.is_dir():
                    if not any(path.iterdir()):
                        found.append(Leftover(path, "empty folder", 0))
                elif _abandoned(path):
                    found.append(Leftover(path, "temporary file of a process that is gone", path.stat().st_size))
    return sorted(found, key=lambda item: item.path)


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


def _task_name(path: Path) -> str:
    card = (read_json(path) or {}).get("card")
    return str(card.get("name", path.parent.name)) if isinstance(card, dict) else path.parent.name


def _cells(folder: Path) -> Iterator[Path]:
    """Folders of results of a task; what a link leads to lies elsewhere and is left alone."""
    for path in sorted(folder.glob("*/*/*/seed-*")):
        if path.is_dir() and path.resolve().is_relative_to(folder.resolve()):
            yield path


def _why_failed(result: Path) -> str | None:
    if (result / RECORD).is_file() or not (result / FAILED).is_file():
        return None
    return f"failed: {(read_json(result / FAILED) or {}).get('reason', 'no reason was kept')}"


def _why_stale(result: Path, folder: Path) -> str | None:
    failed = (result / FAILED).is_file() and not (result / RECORD).is_file()
    if failed or not any(result.iterdir()) or any(_in_flight(path) for path in result.iterdir()):
        return None
    record = read_json(result / RECORD)
    if record is None and not (result / RECORD).is_file():
        return "never finished"
    version = FORMAT if record is None else record.get("format")
    if not isinstance(version, int) or version < FORMAT:
        return f"of an older format ({version})"
    if version > FORMAT:
        return None
    trouble = problem(ResultRecord, record)
    if record is None or trouble is not None:
        return f"{RECORD} {trouble}"
    if not is_whole(result / PREDICTIONS, record):
        return "predictions are missing, cut off or damaged"
    task = read_json(folder / TASK)
    if task is not None and record.get("task_digest") != task.get("digest"):
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
