"""Results of several machines in one folder. Everything is checked before anything is written; sources stay as they
are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from bench.files.atomic import atomic, disk_errors
from bench.store.feature_record import features_file
from bench.store.predictions import read_predictions
from bench.store.reading import (
    FAILED,
    LOG,
    PLAN,
    PREDICTIONS,
    TASK,
    StoredResult,
    StoredTask,
    files_of,
    folds_file,
    task_folders,
)
from bench.store.record import FailureRecord, Record, ResultRecord, State, TaskRecord, write_record
from bench.store.result import ResultId
from bench.store.store import Store


@dataclass(frozen=True)
class Copy:
    """A finished result to copy: from which folder of results, from which of its folders, and its record."""

    root: Path
    source: Path
    record: ResultRecord


@dataclass(frozen=True)
class TaskCopy:
    """A task's folder of which ``task.json`` and the rows are copied, and its record."""

    source: Path
    record: TaskRecord


@dataclass(frozen=True)
class RecordCopy:
    """A file next to a task's ``task.json``, by its place below the folder of results, and what it holds."""

    place: PurePosixPath
    record: Record


@dataclass(frozen=True)
class FailureCopy:
    """The note on a fit that nowhere finished, and the folder that its log is in."""

    source: Path
    record: FailureRecord


@dataclass
class MergePlan:
    """What a merge will do.

    tasks : whose ``task.json`` and rows are copied. alongside : files of a task, on its folds and on what a run
    skipped, that only a source has. results : copied. identical : there already or twice, with one key and equal
    predictions. unequal : of one key with other predictions, in words. settled : results that differ, decided by
    ``prefer``. failures : notes of fits that nowhere finished. skipped : what is not a whole result, in words.
    """

    tasks: list[TaskCopy] = field(default_factory=list)
    alongside: list[RecordCopy] = field(default_factory=list)
    results: list[Copy] = field(default_factory=list)
    identical: int = 0
    unequal: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    failures: list[FailureCopy] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def plan_merge(sources: Sequence[Path], out: Path, prefer: Path | None = None) -> MergePlan:
    """What copying ``sources`` into ``out`` takes. What is in ``out`` already counts like one more source.

    Parameters
    ----------
    prefer : the folder (one of ``sources``, or ``out``) whose result holds where the same result has several keys, or
        several predictions under one key.

    Raises
    ------
    BenchError : for a folder without results, tasks of one name with different tables, different folds under one
        split's name, a newer format, and the same result under different keys without ``prefer``.
    """
    planner = _Planner(out, prefer)
    tasks = []
    for folder in _folders(sources, out, prefer):
        for task in Store(folder).tasks():
            if planner.add_task(folder, task):
                tasks.append((folder, task))
    for folder, task in tasks:
        for stored in Store(folder).results(task):
            planner.add_result(folder, stored)
    plan = planner.plan
    plan.results = [copy for copy in planner.chosen.values() if not _same(copy.root, out)]
    finished = {result.path for result in planner.chosen}
    plan.failures = [note for place, note in planner.failures.items() if place not in finished and note is not None]
    return plan


def merge(plan: MergePlan, out: Path) -> None:
    """Do what a plan says. A kill at any moment loses nothing that was in ``out``; merging again resumes.

    Raises
    ------
    BenchError : for a full disk, a place that cannot be written, and a source that changed meanwhile.
    """
    store = Store(out)
    store.check_writable()
    for task in plan.tasks:
        store.copy_task(task.record, task.source)
    with disk_errors(out):
        for file in plan.alongside:
            write_record(out / file.place, file.record)
    for copy in plan.results:
        with store.claim(copy.record.result, wait=True):
            store.copy_result(copy.record, copy.source)
    with disk_errors(out):
        for note in plan.failures:
            target = store.folder(note.record.result)
            target.mkdir(parents=True, exist_ok=True)
            log = files_of(note.source).get(LOG)
            if log is not None and log.is_file(follow_symlinks=False):
                with atomic(target / LOG) as path:
                    shutil.copyfile(note.source / LOG, path, follow_symlinks=False)
            write_record(target / FAILED, note.record)


def _folders(sources: Sequence[Path], out: Path, prefer: Path | None) -> list[Path]:
    """``out`` (where it has results), then the other sources, each once."""
    folders: list[Path] = [out] if _holds_results(out) else []
    for source in sources:
        if not _holds_results(source):
            raise BenchError(f"{source}: no results there (no task folder with a {TASK}). Name a folder of results.")
        if not any(_same(source, folder) for folder in folders):
            folders.append(source)
    if prefer is not None and not any(_same(prefer, folder) for folder in folders):
        raise BenchError(f"--prefer must be one of the merged folders: {', '.join(map(str, folders))}. Got {prefer}.")
    return folders


class _Planner:
    """What was seen so far of the tasks, folds and results of all folders, and the plan it makes."""

    def __init__(self, out: Path, prefer: Path | None) -> None:
        self.plan = MergePlan()
        self.chosen: dict[ResultId, Copy] = {}
        #: Notes on failed fits by the place of their results; None where ``out`` has it already.
        self.failures: dict[PurePosixPath, FailureCopy | None] = {}
        self._out, self._prefer = out, prefer
        #: Path and record of the first task of a folder's name, and of the first folds of a split.
        self._tasks: dict[str, tuple[Path, TaskRecord]] = {}
        self._folds: dict[tuple[str, str], tuple[Path, str]] = {}
        self._alongside: set[PurePosixPath] = set()

    def add_task(self, root: Path, task: StoredTask) -> bool:
        """A task's folder: the first one of its name is copied, and all others must be of the same table. False for
        one that is left out."""
        _refuse_newer(task.path, task.state, task.why)
        if task.state == State.FOREIGN:
            self.plan.skipped.append(f"{task.path}: {task.why}")
            return False
        if task.record is None and not task.troubles:
            self.plan.skipped.append(f"{task.folder}: has no {TASK}, only published numbers or results of no table")
            return False
        if task.record is None or task.state != State.WHOLE:
            raise BenchError(f"{task.path}: {task.why}. Run the task again there, or delete its folder.")
        name, digest = task.folder.name, task.record.digest
        if name not in self._tasks:
            self._tasks[name] = (task.path, task.record)
            if not _same(root, self._out):
                self.plan.tasks.append(TaskCopy(task.folder, task.record))
        elif self._tasks[name][1].digest != digest:
            first, other = self._tasks[name][0], self._tasks[name][1].digest
            raise BenchError(
                f"{task.path} and {first} are of different tables ({digest[:12]} and {other[:12]}):"
                " rows, values or loci differ. Run both on the same data."
            )
        self._add_alongside(root, task)
        return True

    def _add_alongside(self, root: Path, task: StoredTask) -> None:
        """Of several files of one name the first holds: the same folds are told of in the same words, and what was
        skipped depends on the plugins that a run knew."""
        self.plan.skipped += [f"{each.path}: {each.why}" for each in task.troubles]
        records: dict[str, Record] = {folds_file(digest): record for digest, record in task.folds.items()}
        records |= {features_file(name): record for name, record in task.features.items()}
        if task.plan is not None:
            records[PLAN] = task.plan
        for name, record in records.items():
            place = PurePosixPath(task.folder.name, name)
            if place not in self._alongside:
                self._alongside.add(place)
                if not _same(root, self._out):
                    self.plan.alongside.append(RecordCopy(place, record))

    def add_result(self, root: Path, stored: StoredResult) -> None:
        """A result of the folder of results ``root``: chosen, known, settled, or noted as left out."""
        _refuse_newer(stored.path, stored.state, stored.why)
        mine = _same(root, self._out)
        if stored.failure is not None:
            note = None if mine else FailureCopy(stored.folder, stored.failure)
            self.failures.setdefault(stored.failure.result.path, note)
        if stored.state in (State.FAILED, State.UNFINISHED):
            return
        if stored.record is None or not stored.whole:
            self.plan.skipped.append(f"{stored.path}: {stored.why}")
            return
        result, new = stored.record.result, Copy(root, stored.folder, stored.record)
        self._check_digests(stored.path, stored.record)
        known = self.chosen.setdefault(result, new)
        if known is new:
            return
        same_key = known.record.key == new.record.key
        if same_key and _equal(known, new):
            self.plan.identical += 1
        elif same_key and self._prefer is None:
            self.plan.unequal.append(
                f"{result}: {known.source} and {new.source} have one key and other predictions. Kept those of"
                f" {known.root}; say whose hold with --prefer FOLDER"
            )
        else:
            self.chosen[result] = self._preferred(known, new)
            self.plan.settled.append(f"{result}: of {self.chosen[result].root}")

    def _preferred(self, known: Copy, new: Copy) -> Copy:
        """Of one result under two keys, the one of the folder that --prefer names."""
        result = new.record.result
        if self._prefer is None:
            raise BenchError(
                f"{result}: {known.source} and {new.source} hold it under different keys (another version of"
                " code, parameters or libraries). Say whose holds with --prefer FOLDER."
            )
        for copy in (new, known):
            if _same(copy.root, self._prefer):
                return copy
        raise BenchError(
            f"{result}: is not in {self._prefer}, and {known.source} and {new.source} hold it under other"
            " keys. Merge these two first, with --prefer one of them."
        )

    def _check_digests(self, path: Path, record: ResultRecord) -> None:
        task = path.parents[4].name
        if task not in self._tasks or self._tasks[task][1].digest_of(record.target) != record.task_digest:
            raise BenchError(
                f"{path}: was made from another table than"
                f" {self._tasks[task][0] if task in self._tasks else 'any here'}."
                f" Remove what is out of date with: bench clean --stale --out {path.parents[5]}."
            )
        first, digest = self._folds.setdefault((task, record.split), (path, record.folds_digest))
        if digest != record.folds_digest:
            raise BenchError(
                f"{path} and {first} are of different folds under the split {record.split} ({record.folds_digest} and"
                f" {digest}): their scores are not of the same rows. Run both with one version of bench."
            )


def _refuse_newer(path: Path, state: State, why: str) -> None:
    if state == State.NEWER:
        raise BenchError(f"{path}: {why}.")


def _holds_results(root: Path) -> bool:
    return any(TASK in files_of(folder) for folder in task_folders(root))


def _equal(known: Copy, new: Copy) -> bool:
    """Whether two results predict the same, to the last bit; their files may be packed otherwise."""
    if known.record.crc32 is not None and (known.record.bytes, known.record.crc32) == (
        new.record.bytes,
        new.record.crc32,
    ):
        return True
    ours, theirs = (read_predictions(copy.source / PREDICTIONS) for copy in (known, new))
    pairs = [(getattr(ours, name), getattr(theirs, name)) for name in ("row", "fold", "part", "prediction", "shuffled")]
    return all((a is None) == (b is None) and (a is None or b is None or a.tobytes() == b.tobytes()) for a, b in pairs)


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()
