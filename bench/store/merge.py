"""Results of several machines in one folder. Everything is checked before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.files.atomic import atomic, read_json, write_json
from bench.store.record import ResultRecord, is_whole, problem
from bench.store.result import ResultId
from bench.store.store import FAILED, FORMAT, PLAN, PREDICTIONS, RECORD, ROWS, TASK, Store, folds_file, task_problem

#: Fields of ``result.json`` that say which result it is.
_CELL = ("task", "target", "split", "featurizer", "model", "seed")


@dataclass(frozen=True)
class Copy:
    """A finished result to copy: from where, and its record."""

    result: ResultId
    source: Path
    record: dict[str, Any]


@dataclass
class MergePlan:
    """What a merge will do.

    tasks : folders whose ``task.json`` and rows are copied. beside : files of a task, on its folds and on what a run
    skipped, that only a source has. results : copied. identical : there already or twice, with
    one key. settled : results with several keys, decided by ``prefer``. failures : notes of fits that nowhere finished.
    skipped : what is not a whole result, in words.
    """

    tasks: list[Path] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)
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
        split's name, another format, and the same result under different keys without ``prefer``.
    """
    folders = _folders(sources, out, prefer)
    plan = MergePlan()
    tasks: dict[str, tuple[Path, str]] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"*/{TASK}")):
            _add_task(plan, tasks, path, out)
    folds: dict[tuple[str, str], tuple[Path, str]] = {}
    chosen: dict[ResultId, tuple[Path, Path, dict[str, Any]]] = {}
    for folder in folders:
        for path in sorted(folder.glob(f"*/*/*/*/seed-*/{RECORD}")):
            found = _whole(path, plan)
            if found is None:
                continue
            result, record = found
            _check_digests(path, result, record, tasks, folds)
            if result not in chosen:
                chosen[result] = (folder, path.parent, record)
            elif chosen[result][2]["key"] == record["key"]:
                plan.identical += 1
            elif prefer is None:
                raise BenchError(
                    f"{result}: {chosen[result][1]} and {path.parent} hold it under different keys (another version of"
                    " code, parameters or libraries). Say whose holds with --prefer FOLDER."
                )
            else:
                mine = next((f for f in (folder, chosen[result][0]) if _same(f, prefer)), None)
                if mine is None:
                    raise BenchError(
                        f"{result}: is not in {prefer}, and {chosen[result][1]} and {path.parent} hold it under other"
                        " keys. Merge these two first, with --prefer one of them."
                    )
                if mine == folder:
                    chosen[result] = (folder, path.parent, record)
                plan.settled.append(f"{result}: of {mine}")
    plan.results = [
        Copy(result, source, record) for result, (folder, source, record) in chosen.items() if not _same(folder, out)
    ]
    _add_failures(plan, folders, out, {result.path for result in chosen})
    _add_beside(plan, folders, out)
    return plan


def merge(plan: MergePlan, out: Path) -> None:
    """Do what a plan says. A kill at any moment loses nothing that was in ``out``; merging again goes on."""
    store = Store(out)
    store.check_writable()
    for folder in plan.tasks:
        target = out / folder.name
        target.mkdir(parents=True, exist_ok=True)
        _copy(folder / ROWS, target / ROWS)
        _copy(folder / TASK, target / TASK)
    for file in plan.beside:
        _copy(file, out / file.parent.name / file.name)
    for copy in plan.results:
        target = store.folder(copy.result)
        with store.claim(copy.result, wait=True):
            target.mkdir(parents=True, exist_ok=True)
            for stale in (RECORD, FAILED):
                (target / stale).unlink(missing_ok=True)
            _copy(copy.source / PREDICTIONS, target / PREDICTIONS)
            write_json(target / RECORD, copy.record)
    for folder in plan.failures:
        target = out.joinpath(*folder.parts[-5:])
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


def _add_task(plan: MergePlan, tasks: dict[str, tuple[Path, str]], path: Path, out: Path) -> None:
    card = read_json(path)
    if card is not None:
        _check_format(path, card)
    trouble = task_problem(path.parent)
    if card is None or trouble is not None:
        raise BenchError(f"{path}: {trouble}. Run the task again there, or delete its folder.")
    name = path.parent.name
    if name not in tasks:
        tasks[name] = (path, card["digest"])
        if not _same(path.parents[1], out):
            plan.tasks.append(path.parent)
    elif tasks[name][1] != card["digest"]:
        raise BenchError(
            f"{path} and {tasks[name][0]} are of different tables ({card['digest'][:12]} and {tasks[name][1][:12]}):"
            " rows, values or loci differ. Run both on the same data."
        )


def _check_digests(
    path: Path,
    result: ResultId,
    record: dict[str, Any],
    tasks: dict[str, tuple[Path, str]],
    folds: dict[tuple[str, str], tuple[Path, str]],
) -> None:
    task = path.parents[4].name
    if task not in tasks or tasks[task][1] != record["task_digest"]:
        raise BenchError(
            f"{path}: was made from another table than {tasks[task][0] if task in tasks else 'any here'}."
            f" Remove what is out of date with: bench clean --stale --out {path.parents[5]}."
        )
    known = folds.setdefault((task, result.split), (path, str(record["folds_digest"])))
    if known[1] != record["folds_digest"]:
        raise BenchError(
            f"{path} and {known[0]} are of different folds under the split {result.split} ({record['folds_digest']} and"
            f" {known[1]}): their scores are not of the same rows. Run both with one version of bench."
        )


def _whole(path: Path, plan: MergePlan) -> tuple[ResultId, dict[str, Any]] | None:
    """A finished result; what is cut off is noted and left."""
    record = read_json(path)
    if record is not None and "format" in record:
        _check_format(path, record)
    trouble = problem(ResultRecord, record)
    if record is None or trouble is not None:
        plan.skipped.append(f"{path}: {trouble}")
        return None
    predictions = path.parent / PREDICTIONS
    if not is_whole(predictions, record):
        plan.skipped.append(f"{predictions}: missing, cut off or damaged")
        return None
    result = ResultId(*(record[key] for key in _CELL))
    if path.parent.parts[-5:] != result.path.parts:
        plan.skipped.append(f"{path}: lies in another result's folder")
        return None
    return result, record


def _check_format(path: Path, content: dict[str, Any]) -> None:
    if content.get("format") != FORMAT:
        raise BenchError(
            f"{path}: is of format {content.get('format')}, this version of bench writes {FORMAT}."
            " Run it again there with this version."
        )


def _add_failures(plan: MergePlan, folders: list[Path], out: Path, finished: set[Any]) -> None:
    there = {path.parts for path in finished}
    for folder in folders:
        for path in sorted(folder.glob(f"*/*/*/*/seed-*/{FAILED}")):
            place = path.parent.parts[-5:]
            if place not in there:
                there.add(place)
                if not _same(folder, out):
                    plan.failures.append(path.parent)


def _add_beside(plan: MergePlan, folders: list[Path], out: Path) -> None:
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
                        plan.beside.append(path)


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()


def _copy(source: Path, target: Path) -> None:
    with atomic(target) as path:
        shutil.copyfile(source, path)
