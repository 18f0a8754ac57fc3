"""What lies in a folder of results, and the state of each thing in it.

Whether a result is whole, its own, and current is decided here and nowhere else. Nothing is followed out of the folder:
a link is foreign, whatever it leads to. Hidden files and folders belong to others.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bench.files.atomic import read_file
from bench.files.locks import is_held
from bench.store.feature_record import FeaturesRecord, features_file
from bench.store.pairs import waiting
from bench.store.record import (
    FailureRecord,
    FoldsRecord,
    PlanRecord,
    Read,
    ResultRecord,
    RowsFile,
    State,
    TaskRecord,
    mark,
    read_record,
)
from bench.store.result import ResultId, safe_name

PREDICTIONS = "predictions.parquet"
RECORD = "result.json"
#: What the record was called in earlier formats: it is read where the new one is not there yet.
OLD_RECORDS = ("cell.json",)
FAILED = "failed.json"
LOG = "failed.log"
TASK = "task.json"
ROWS = "rows.parquet"
PLAN = "plan.json"
#: Computed numbers of a task; the classes are in ``bench.board.schema``.
SUMMARY = "summary.json"
LOCKS = ".locks"

#: Bytes of a file that is read in one piece.
SMALL = 1 << 22
#: Folders between a folder of results and a result: task, target, split, pair, seed.
_DEPTH = 5
#: Where a record may lie in a result's folder, in the order in which they hold.
_RECORDS = (RECORD, waiting(RECORD), *OLD_RECORDS)
LINK = "is a link, and links are not followed"


def folds_file(digest: str) -> str:
    """Name of the file on a split, next to ``task.json``."""
    return f"folds-{digest}.json"


@dataclass(frozen=True)
class Trouble:
    """A file that does not count, and why, in words that follow its name and end with what to do."""

    path: Path
    state: State
    why: str


def trouble(path: Path, state: State, why: str) -> Trouble:
    """What is wrong with a file, with the fix."""
    fixes = {State.NEWER: "", State.FOREIGN: ". Put the file in its own place, or delete it"}
    return Trouble(path, state, why + fixes.get(state, ". Run again to write it again"))


@dataclass(frozen=True)
class StoredResult:
    """A result as it lies in a folder, or what stands in its place.

    Attributes
    ----------
    path : its record's file; the note's where it failed; its folder where nothing was finished.
    record : None where it cannot be read.
    why : what is wrong, in words that follow the name of the file; empty for a whole one.
    failure : the note on a fit that failed: of this result's refit, where there is a result.
    troubles : other files of the folder that cannot be read.
    """

    path: Path
    record: ResultRecord | None
    state: State
    why: str = ""
    failure: FailureRecord | None = None
    troubles: tuple[Trouble, ...] = ()

    @property
    def result(self) -> ResultId | None:
        """Which one it is, by its record, or by the note on its failure; None where neither can be read."""
        about = self.record if self.record is not None else self.failure
        return None if about is None else about.result

    @property
    def folder(self) -> Path:
        """The result's folder."""
        return self.path if self.path.name.startswith("seed-") else self.path.parent

    @property
    def whole(self) -> bool:
        """Whether it can be read and lies in its own folder, of whatever version of the data."""
        return self.state in (State.WHOLE, State.CURRENT, State.OUTDATED)


@dataclass(frozen=True)
class StoredTask:
    """A task's folder: its record with its state, what is told of splits (by digest), plans and features made
    elsewhere (by name), and what cannot be read. ``why`` as in ``StoredResult``. ``path`` : the record's file."""

    folder: Path
    path: Path
    record: TaskRecord | None
    state: State
    why: str = ""
    folds: dict[str, FoldsRecord] = field(default_factory=dict)
    plan: PlanRecord | None = None
    features: dict[str, FeaturesRecord] = field(default_factory=dict)
    troubles: tuple[Trouble, ...] = ()


# ---- folders ---------------------------------------------------------------------------------------------------------
def files_of(folder: Path) -> dict[str, os.DirEntry[str]]:
    """What lies in a folder, by name; nothing where it cannot be looked into."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except OSError:
        return {}


def _names(folder: str | Path) -> frozenset[str]:
    """Names of ``files_of``."""
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def folders_in(folder: Path, links: list[Path] | None = None) -> list[Path]:
    """Folders that may be of this package: neither hidden ones nor links, by name. ``links`` gets the links to
    folders."""
    return [folder / name for name in _names_in(folder, links)]


def _names_in(folder: str | Path, links: list[Path] | None = None) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            there = [each for each in entries if each.name[0] != "."]
            if links is not None:
                links += [Path(each.path) for each in there if each.is_symlink() and each.is_dir()]
            return sorted([each.name for each in there if each.is_dir(follow_symlinks=False)])
    except OSError:
        return []


def seed_folders(task: Path, links: list[Path] | None = None) -> Iterator[Path]:
    """Folders in a task's that hold a result, or held one, in path order. ``links`` gets the links that stand where
    such a folder, or one above it, would."""
    return (split / place for split, place in seed_places(task, links))


def seed_places(task: Path, links: list[Path] | None = None) -> Iterator[tuple[Path, str]]:
    """``seed_folders``, each as the folder of its split and the rest of its path."""
    for target in _names_in(task, links):
        for name in _names_in(f"{task}/{target}", links):
            split = task / target / name
            for pair in _names_in(split, links):
                for seed in _names_in(f"{split}/{pair}", links):
                    if seed.startswith("seed-"):
                        yield split, f"{pair}/{seed}"


def linked(root: Path, folder: Path) -> Path | None:
    """The first link on the way from a folder of results down to one of its folders; None where there is none."""
    place = os.fspath(root)
    for name in folder.relative_to(root).parts:
        place = f"{place}{os.sep}{name}"
        if os.path.islink(place):
            return Path(place)
    return None


def task_folders(root: Path) -> list[Path]:
    """Folders of tasks: those with a record, a summary, or something of a result."""
    return [folder for folder in folders_in(root) if _is_task(folder)]


def linked_tasks(root: Path) -> list[Trouble]:
    """Links in a folder of results that lead to the folder of a task: no task's own, so that nothing there counts."""
    links: list[Path] = []
    folders_in(root, links)
    return [trouble(link, State.FOREIGN, LINK) for link in sorted(links) if _is_task(link)]


def _is_task(folder: Path) -> bool:
    if not _names(folder).isdisjoint((TASK, waiting(TASK), SUMMARY)):
        return True
    ours = (*_RECORDS, FAILED, PREDICTIONS)
    return any(not _names(place).isdisjoint(ours) for place in seed_folders(folder))


# ---- tasks -----------------------------------------------------------------------------------------------------------
def read_task(folder: Path) -> Read[TaskRecord]:
    """``task.json`` of a task's folder, and whether it and ``rows.parquet`` are whole and its own."""
    return find_task(folder)[1]


def find_task(folder: Path) -> tuple[Path, Read[TaskRecord]]:
    """As ``read_task``, and the file it was read from: the waiting one where it alone knows the rows that are there."""
    paths = [folder / name for name in (TASK, waiting(TASK)) if os.path.lexists(folder / name)]
    found = [(path, _checked_task(path)) for path in paths]
    whole = [each for each in found if each[1].state == State.WHOLE]
    return (whole or found or [(folder / TASK, Read(None, State.DAMAGED, "cannot be read"))])[0]


def _checked_task(path: Path) -> Read[TaskRecord]:
    found = read_record(TaskRecord, path)
    if found.record is None:
        return found
    if safe_name(found.record.card.name) != path.parent.name:
        return Read(found.record, State.FOREIGN, f"is of {found.record.card.name!r}, which has another folder")
    rows = path.parent / ROWS
    if rows.is_symlink():
        return Read(found.record, State.FOREIGN, f"{ROWS} next to it {LINK}")
    noted = found.record.rows_file
    if not (is_whole(rows, noted) if noted is not None else rows.is_file()):
        return Read(found.record, State.DAMAGED, f"{ROWS} next to it is missing or damaged")
    return found


def stored_task(folder: Path) -> StoredTask:
    """All records next to a task's ``task.json``, and their states."""
    here = _names(folder)
    troubles: list[Trouble] = []
    folds = {}
    for name in sorted(here):
        if name.startswith("folds-") and name.endswith(".json"):
            read = read_record(FoldsRecord, folder / name)
            if read.record is None:
                troubles.append(trouble(folder / name, read.state, read.why))
            elif folds_file(read.record.folds_digest) != name:
                troubles.append(trouble(folder / name, State.FOREIGN, "tells of other folds than its name says"))
            else:
                folds[read.record.folds_digest] = read.record
    features = {}
    for name in sorted(name for name in here if name.startswith("features-") and name.endswith(".json")):
        told = read_record(FeaturesRecord, folder / name)
        if told.record is None:
            troubles.append(trouble(folder / name, told.state, told.why))
        elif features_file(told.record.name) != name:
            troubles.append(trouble(folder / name, State.FOREIGN, "tells of other features than its name says"))
        else:
            features[told.record.name] = told.record
    plan = None
    if PLAN in here:
        noted = read_record(PlanRecord, folder / PLAN)
        plan = noted.record
        if plan is None:
            troubles.append(trouble(folder / PLAN, noted.state, noted.why))
    path, found = find_task(folder)
    if found.why and (path.name in here or ROWS in here):
        troubles.insert(0, trouble(path, found.state, found.why))
    read_so = (found.record, found.state, found.why)
    return StoredTask(folder, path, *read_so, folds, plan, features, tuple(troubles))


# ---- results ---------------------------------------------------------------------------------------------------------
def read_result(folder: Path, task: StoredTask | None = None, *, checksum: bool = True) -> StoredResult | None:
    """What lies in a result's folder, and its state; None for an empty folder.

    Parameters
    ----------
    task : the task it lies under, which says whether it is current. Without one a result is at best whole.
    checksum : whether the predictions are read to compare their checksum; their size is compared in any case. Only
        for who looks at records alone: whoever reads predictions compares it.
    """
    here = _names(folder)
    if not here:
        return None
    failure, troubles = _failure(folder) if FAILED in here else (None, ())
    name, found = _best(str(folder), here, checksum) or _without_record(failure, troubles)
    record, state, why = found.record, found.state, found.why
    if state == State.WHOLE and record is not None and task is not None and task.record is not None:
        if record.task_digest == task.record.digest_of(record.target):
            state = State.CURRENT
        else:
            state, why = State.OUTDATED, "made from an older version of the task's data"
    elif state in (State.DAMAGED, State.FAILED, State.UNFINISHED) and is_held(lock_of(folder)):
        state, why = State.IN_FLIGHT, "a run is fitting it"
    return StoredResult(folder / name, record, state, why, failure, troubles)


def whole_record(folder: str, *, checksum: bool = True) -> ResultRecord | None:
    """The record of a result's folder that ``read_result`` would call whole, in less time; None where it is not, or
    does not lie in ``result.json``: ``read_result`` then tells what there is."""
    found = _one(folder, RECORD, checksum)
    return found.record if found.state == State.WHOLE else None


def lock_of(folder: Path) -> Path:
    """The file whose lock a run holds while it fits the result of a folder."""
    folder = folder.absolute()
    return lock_file(Path(*folder.parts[:-_DEPTH]), PurePosixPath(*folder.parts[-_DEPTH:]))


def lock_file(root: Path, result: PurePosixPath) -> Path:
    """The file whose lock a run holds while it fits the result at a path below a folder of results."""
    import hashlib

    return root / LOCKS / hashlib.sha256(str(result).encode()).hexdigest()[:16]


def _best(folder: str, here: frozenset[str], checksum: bool) -> tuple[str, Read[ResultRecord]] | None:
    """The first whole one of a folder's records, else the first, with its file's name; None where there is none."""
    first = None
    for name in _RECORDS:
        if name in here:
            found = _one(folder, name, checksum)
            if found.state == State.WHOLE:
                return name, found
            first = (name, found) if first is None else first
    return first


def _one(folder: str, name: str, checksum: bool) -> Read[ResultRecord]:
    """One record of a result's folder: schema, place, then predictions."""
    read = read_record(ResultRecord, f"{folder}/{name}")
    if read.record is None:
        return read
    place = read.record.place
    if not _lies_at(folder, place):
        return Read(read.record, State.FOREIGN, f"lies in another result's folder: it is of {place}")
    beside = f"{folder}/{PREDICTIONS}"
    if not is_whole(beside, read.record, checksum=checksum):
        if os.path.islink(beside):
            return Read(read.record, State.FOREIGN, f"{PREDICTIONS} next to it {LINK}")
        return Read(read.record, State.DAMAGED, f"{PREDICTIONS} next to it is missing, cut off or damaged")
    return read


def _lies_at(folder: str, place: str) -> bool:
    """Whether a result's folder lies at its place below a folder of results."""
    place = f"/{place}"
    return folder.endswith(place) or os.path.abspath(folder).endswith(place)


def _failure(folder: Path) -> tuple[FailureRecord | None, tuple[Trouble, ...]]:
    """The note on a failed fit in a folder, and what is wrong with it."""
    path = folder / FAILED
    read = read_record(FailureRecord, path)
    if read.record is None:
        return None, (trouble(path, read.state, read.why),)
    place = read.record.place
    if not _lies_at(str(folder), place):
        why = f"lies in another result's folder: it is of {place}"
        return None, (trouble(path, State.FOREIGN, why),)
    return read.record, ()


def _without_record(failure: FailureRecord | None, troubles: tuple[Trouble, ...]) -> tuple[str, Read[ResultRecord]]:
    """What a folder without a record holds, with the name of the file that says so; "" for none."""
    if failure is not None:
        return FAILED, Read(None, State.FAILED, f"failed: {failure.reason}")
    if troubles:
        return FAILED, Read(None, troubles[0].state, troubles[0].why)
    return "", Read(None, State.UNFINISHED, "never finished")


def is_whole(path: str | Path, noted: ResultRecord | RowsFile, *, checksum: bool = True) -> bool:
    """Whether a file has the size and, where one was noted, the checksum it was written with."""
    try:
        size = os.stat(path, follow_symlinks=False).st_size
        if size != noted.bytes:
            return False
        if noted.crc32 is None or not checksum:
            return True
        crc = zlib.crc32(read_file(path)) if size < SMALL else mark(Path(path)).crc32
        return crc == noted.crc32
    except OSError:
        return False
