"""Results of several machines in one folder. Everything is checked before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bench.errors import BenchError
from bench.files.atomic import atomic
from bench.store.record import ResultRecord, State, TaskRecord, write_record
from bench.store.result import ResultId
from bench.store.store import FAILED, PLAN, ROWS, TASK, Store, StoredResult, folds_file, read_task


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


@dataclass
class MergePlan:
    """What a merge will do.

    tasks : whose ``task.json`` and rows are copied. alongside : files of a task, on its folds and on what a run
    skipped, that only a source has. results : copied. identical : there already or twice, with one key.
    settled : results with several keys, decided by ``prefer``. failures : notes of fits that nowhere finished.
    skipped : what is not a whole result, in words.
    """

    tasks: list[TaskCopy] = field(default_factory=list)
    alongside: list[Path] = field(default_factory=list)
    results: list[Copy] = field(default_factory=list)
    identical: int = 0
    settled: list[str] = field(default_factory=list)
    failures: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def plan_merge(sources: Sequence[Path], out: Path, prefer: Path | None = None) -> MergePlan:
    """What copying ``sources`` into ``out`` takes. What is in ``out`` already counts like one more source.

    Parameters
    ----------
    prefer : the folder (one of ``sources``, or ``out``) whose result holds where the same result has several keys.

    Raises
    ------
    BenchError : for a folder without results, tasks of one name with different tables, different folds under one
        split's name, a newer format, and the same result under different keys without ``prefer``.
    """
    folders = _folders(sources, out, prefer)
    planner = _Planner(out, prefer)
    for folder in folders:
        for path in sorted(folder.glob(f"*/{TASK}")):
            planner.add_task(path)
    for folder in folders:
        for stored in Store(folder).results(checksum=True):
            planner.add_result(folder, stored)
    plan = planner.plan
    plan.results = [copy for copy in planner.chosen.values() if not _same(copy.root, out)]
    _add_failures(plan, folders, out, {result.path for result in planner.chosen})
    _add_alongside(plan, folders, out)
    return plan


def merge(plan: MergePlan, out: Path) -> None:
    """Do what a plan says. A kill at any moment loses nothing that was in ``out``; merging again resumes."""
    store = Store(out)
    store.check_writable()
    for task in plan.tasks:
        target = out / task.source.name
        target.mkdir(parents=True, exist_ok=True)
        _copy(task.source / ROWS, target / ROWS)
        write_record(target / TASK, task.record)
    for file in plan.alongside:
        _copy(file, out / file.parent.name / file.name)
    for copy in plan.results:
        with store.claim(copy.record.result, wait=True):
            store.copy_result(copy.record, copy.source)
    for folder in plan.failures:
        target = out.joinpath(*_place(folder).parts)
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("failed.*")):
            _copy(file, target / file.name)


def _folders(sources: Sequence[Path], out: Path, prefer: Path | None) -> list[Path]:
    """``out`` (where it has results), then the other sources, each once."""
    folders: list[Path] = [out] if any(out.glob(f"*/{TASK}")) else []
    for source in sources:
        if not any(source.glob(f"*/{TASK}")):
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
        self._out, self._prefer = out, prefer
        #: Path and digest of the first task of a folder's name, and of the first folds of a split.
        self._tasks: dict[str, tuple[Path, TaskRecord]] = {}
        self._folds: dict[tuple[str, str], tuple[Path, str]] = {}

    def add_task(self, path: Path) -> None:
        """A ``task.json``: the first one of its name is copied, and all others must be of the same table."""
        found = read_task(path.parent)
        _refuse_newer(path, found.state, found.why)
        if found.record is None or found.state != State.WHOLE:
            raise BenchError(f"{path}: {found.why}. Run the task again there, or delete its folder.")
        name, digest = path.parent.name, found.record.digest
        if name not in self._tasks:
            self._tasks[name] = (path, found.record)
            if not _same(path.parents[1], self._out):
                self.plan.tasks.append(TaskCopy(path.parent, found.record))
        elif self._tasks[name][1].digest != digest:
            first, other = self._tasks[name][0], self._tasks[name][1].digest
            raise BenchError(
                f"{path} and {first} are of different tables ({digest[:12]} and {other[:12]}):"
                " rows, values or loci differ. Run both on the same data."
            )

    def add_result(self, root: Path, stored: StoredResult) -> None:
        """A result of the folder of results ``root``: chosen, known, settled, or noted as left out."""
        _refuse_newer(stored.path, stored.state, stored.why)
        if stored.record is None or stored.state != State.WHOLE:
            self.plan.skipped.append(f"{stored.path}: {stored.why}")
            return
        result, new = stored.record.result, Copy(root, stored.folder, stored.record)
        if _place(stored.folder) != result.path:
            self.plan.skipped.append(f"{stored.path}: lies in another result's folder")
            return
        self._check_digests(stored.path, stored.record)
        known = self.chosen.setdefault(result, new)
        if known is new:
            return
        if known.record.key == new.record.key:
            self.plan.identical += 1
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


def _add_failures(plan: MergePlan, folders: list[Path], out: Path, finished: set[PurePosixPath]) -> None:
    there = set(finished)
    for folder in folders:
        for path in sorted(folder.glob(f"*/*/*/*/seed-*/{FAILED}")):
            place = _place(path.parent)
            if place not in there:
                there.add(place)
                if not _same(folder, out):
                    plan.failures.append(path.parent)


def _add_alongside(plan: MergePlan, folders: list[Path], out: Path) -> None:
    """Of several files of one name the first holds: the same folds are told of in the same words, and what was skipped
    depends on the plugins that a run knew."""
    seen: set[tuple[str, str]] = set()
    for folder in folders:
        for pattern in (folds_file("*"), PLAN):
            for path in sorted(folder.glob(f"*/{pattern}")):
                place = (path.parent.name, path.name)
                if place not in seen and (path.parent / TASK).is_file():
                    seen.add(place)
                    if not _same(folder, out):
                        plan.alongside.append(path)


def _place(folder: Path) -> PurePosixPath:
    """Where a result's folder lies below its folder of results."""
    return PurePosixPath(*folder.parts[-5:])


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()


def _copy(source: Path, target: Path) -> None:
    with atomic(target) as path:
        shutil.copyfile(source, path)
