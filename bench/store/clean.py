"""What may go from an output folder: failed fits, results that no board uses any more, leftovers of killed runs.

Only files that this package writes are ever named, and only where it writes them: below the folder of a task, no hidden
ones but its own temporary files, nothing that a link leads to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.errors import BenchError, nearest
from bench.files.atomic import abandoned, disk_errors, runs, temporary_of
from bench.files.locks import is_held, locked
from bench.store.companions import companions, is_companion
from bench.store.pairs import waiting
from bench.store.reading import (
    FAILED,
    LOG,
    OLD_RECORDS,
    PLAN,
    PREDICTIONS,
    RECORD,
    ROWS,
    SUMMARY,
    TASK,
    StoredResult,
    StoredTask,
    files_of,
    folders_in,
    lock_of,
    read_result,
    seed_folders,
)
from bench.store.record import State
from bench.store.store import Store

#: Everything that is written into a result's folder, and next to a task's ``task.json``.
_RESULT_FILES = frozenset({RECORD, waiting(RECORD), *OLD_RECORDS, PREDICTIONS, FAILED, LOG})
_RECORD_FILES = frozenset({RECORD, waiting(RECORD), *OLD_RECORDS})
_NOTE_FILES = frozenset({FAILED, LOG})
_TASK_FILES = frozenset({TASK, waiting(TASK), ROWS, PLAN, SUMMARY})
_BOARDS = ("leaderboard.md", "leaderboard.html")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that may go, and why. ``files`` : what of it is deleted, nothing else. ``bytes`` : its size.
    ``result`` : the folder of the result that it belongs to, whose lock is held meanwhile."""

    path: Path
    reason: str
    bytes: int
    files: tuple[Path, ...] = ()
    result: Path | None = None


def leftovers(root: Path, *, failed: bool, stale: bool, task: str | None = None) -> list[Leftover]:
    """What there is to clean, in path order, nothing twice; nothing of a result that a run holds, on any machine.

    Parameters
    ----------
    failed : results that failed. stale : results made from other data than their task's present table, or cut off,
        temporary files of processes that are gone, and empty folders.
    task : only of this task; with neither ``failed`` nor ``stale`` the whole task.

    Raises
    ------
    BenchError : for a folder that holds no results, or an unknown task.
    """
    store = Store(root)
    tasks = {_name(each): each for each in store.tasks()}
    if not tasks:
        # A typing error must not empty somebody's folder.
        raise BenchError(f"{root}: no results there (no task folder with a {TASK}). Name a folder of results.")
    if task is not None and task not in tasks:
        raise BenchError(f"{root}: has no task {task!r}.{nearest(task, tasks)}")
    chosen = [tasks[task]] if task is not None else list(tasks.values())
    found: list[Leftover] = []
    for each in chosen:
        if task is not None and not failed and not stale:
            found += _whole_task(each)
            continue
        for stored in store.results(each):
            found += _of_result(stored, failed, stale)
        if stale:
            found += _temporary(each.folder, _is_task_file)
            found += _empty_folders(each.folder)
    if stale and task is None:
        found += _temporary(root, lambda name: name in _BOARDS)
        found += [_one(path, "probe of a process that is gone") for path in _probes(root)]
    return sorted(found, key=lambda item: item.path)


def _name(task: StoredTask) -> str:
    """What a task is called: a copy of its folder under another name is not it."""
    if task.record is None or task.state == State.FOREIGN:
        return task.folder.name
    return task.record.card.name


def remove(items: list[Leftover], root: Path) -> int:
    """Delete what was found, and the folders below ``root`` that this leaves empty. What a run has begun to fit
    meanwhile stays. Returns the bytes that came free."""
    freed = 0
    with disk_errors(root):
        for item in items:
            with contextlib.ExitStack() as stack:
                if item.result is not None and not stack.enter_context(locked(lock_of(item.result), wait=False)):
                    continue
                for file in item.files:
                    with contextlib.suppress(FileNotFoundError):
                        size = file.lstat().st_size
                        file.unlink()
                        freed += size
                _remove_empty(item.path, root)
    return freed


def _remove_empty(path: Path, root: Path) -> None:
    """Remove the folders from ``path`` up to ``root`` as far as they are empty."""
    for folder in (path, *path.parents):
        if folder == root or root not in folder.parents:
            return
        if folder.is_dir():
            try:
                folder.rmdir()
            except OSError:  # not empty, or another run has made something in it
                return


# ---- results ---------------------------------------------------------------------------------------------------------
def _of_result(stored: StoredResult, failed: bool, stale: bool) -> Iterator[Leftover]:
    """What may go from a result's folder."""
    folder = stored.folder
    if stored.state in (State.IN_FLIGHT, State.NEWER, State.FOREIGN) or is_held(lock_of(folder)):
        return
    reason = _why_stale(stored) if stale else None
    if failed and stored.state == State.FAILED:
        reason = reason or stored.why
    if reason is not None:
        files = _files(folder, lambda name: _is_result_file(name) or _is_result_file(temporary_of(name) or ""))
        if files:
            yield Leftover(folder, reason, _size(files), files, folder)
        return
    if failed and stored.failure is not None:
        files = _files(folder, _NOTE_FILES.__contains__)
        yield Leftover(folder / FAILED, f"refit failed: {stored.failure.reason}", _size(files), files, folder)
    if stale:
        for leftover in _temporary(folder, _is_result_file):
            yield Leftover(leftover.path, leftover.reason, leftover.bytes, leftover.files, folder)
        # A record that waits for predictions which never came, or an old one whose removal was stopped.
        others = _files(folder, lambda name: name in _RECORD_FILES and name != stored.path.name)
        for path in others if stored.whole else ():
            yield Leftover(path, "record of a run that was stopped", _size([path]), (path,), folder)
        yield from _companions(stored)


def _companions(stored: StoredResult) -> Iterator[Leftover]:
    """What lies beside a result, or beside none, and was made from another one."""
    key = stored.record.key if stored.whole and stored.record is not None else None
    for path, theirs, files in companions(stored.folder):
        if key is not None and theirs != key:
            mine = (*files, *([path] if path.is_file() and not path.is_symlink() else []))
            yield Leftover(path, "made from an earlier result, or cut off", _size(mine), mine, stored.folder)


def _why_stale(stored: StoredResult) -> str | None:
    """Why a result's folder may go; None where it stays."""
    match stored.state:
        case State.DAMAGED:
            return f"{stored.path.name}{':' if stored.record is not None else ''} {stored.why}"
        case State.OUTDATED | State.UNFINISHED:
            if any(temporary_of(path.name) and not abandoned(path) for path in _files(stored.folder, bool)):
                return None
            return stored.why
    return None


def _whole_task(task: StoredTask) -> Iterator[Leftover]:
    """Everything of a task, as one; its results that a run holds stay, and then its own files do."""
    held = [folder for folder in seed_folders(task.folder) if is_held(lock_of(folder))]
    files: list[Path] = []
    for folder in seed_folders(task.folder):
        stored = read_result(folder, task)
        if folder not in held and stored is not None and stored.state != State.FOREIGN:
            files += _files(folder, lambda name: _is_result_file(name) or _is_result_file(temporary_of(name) or ""))
    if not held:
        files += _files(task.folder, lambda name: _is_task_file(name) or _is_task_file(temporary_of(name) or ""))
    yield Leftover(task.folder, f"all of {task.folder.name}", _size(files), tuple(files))


# ---- files -----------------------------------------------------------------------------------------------------------
def _files(folder: Path, wanted: Callable[[str], bool]) -> tuple[Path, ...]:
    """Files of a folder, links left out, by name."""
    here = sorted(files_of(folder).items())
    return tuple(folder / name for name, entry in here if entry.is_file(follow_symlinks=False) and wanted(name))


def _is_result_file(name: str) -> bool:
    """Whether a name is one of the files in a result's folder."""
    return name in _RESULT_FILES or is_companion(name)


def _is_task_file(name: str) -> bool:
    """Whether a name is one of the files next to a ``task.json``."""
    if name in _TASK_FILES or name == "scores.svg":
        return True
    path = PurePosixPath(name)
    if path.suffix == ".svg":
        return name.startswith(("fit-", "explain-"))
    return path.suffix == ".json" and name.startswith(("folds-", "features-"))


def _temporary(folder: Path, ours: Callable[[str], bool]) -> Iterator[Leftover]:
    """Temporary files of processes that are gone, of files that are ours."""
    for path in _files(folder, lambda name: ours(temporary_of(name) or "")):
        if abandoned(path):
            yield _one(path, "temporary file of a process that is gone")


def _probes(root: Path) -> Iterator[Path]:
    """Files by which a process that is gone has tried whether it may write."""
    for path in _files(root, lambda name: name.startswith(".probe-")):
        number = path.name.removeprefix(".probe-")
        if number.isdigit() and not runs(int(number)):
            yield path


def _one(path: Path, reason: str) -> Leftover:
    return Leftover(path, reason, _size([path]), (path,))


def _empty_folders(task: Path) -> Iterator[Leftover]:
    """Empty folders below a task's, down to those of results."""
    places = [task]
    for _ in range(4):
        places = [folder for place in places for folder in folders_in(place)]
        for folder in places:
            if not files_of(folder):
                yield Leftover(folder, "empty folder", 0)


def _size(files: tuple[Path, ...] | list[Path]) -> int:
    return sum(path.lstat().st_size for path in files)
