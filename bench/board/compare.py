"""Two results, or two result folders, side by side: paired differences with intervals by locus, Holm, effective n."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.board.load import SeedResult, TaskFiles, load_part, load_rows, target_values
from bench.errors import BenchError, nearest
from bench.stats.bootstrap import Draws, block_codes, spearman_draws
from bench.stats.compare import effective_n, holm, paired_difference
from bench.stats.intervals import Estimate, t_interval
from bench.stats.ranks import Array, fold_scores, mid_ranks
from bench.store.reading import RECORD, TASK, read_result, read_task
from bench.store.record import State, TaskRecord
from bench.store.store import Store
from bench.tasks.task import TEST


@dataclass(frozen=True)
class Side:
    """One pair of featurizer and model on one board, with its results by seed."""

    task: str
    target: str
    split: str
    featurizer: str
    model: str
    results: tuple[SeedResult, ...]

    @property
    def pair(self) -> str:
        """``featurizer+model``."""
        return f"{self.featurizer}+{self.model}"

    @property
    def task_folder(self) -> Path:
        """The folder of its task."""
        return self.results[0].folder.parents[3]

    def __str__(self) -> str:
        return f"{self.task}/{self.target}/{self.pair}"


@dataclass(frozen=True)
class Line:
    """A paired comparison on one task and target.

    score_a, score_b : mean over folds (and seeds) of the within-fold Spearman. difference : A − B. p : two-sided;
    p_holm : adjusted for all lines of the call. rows, loci, folds : counts. effective_rows : what the rows are worth.
    """

    a: Side
    b: Side
    score_a: Estimate
    score_b: Estimate
    difference: Estimate
    p: float
    p_holm: float
    rows: int
    loci: int
    folds: int
    effective_rows: float


@dataclass(frozen=True)
class Comparison:
    """The lines of a call in task order, and in words what was not compared."""

    lines: list[Line]
    refused: list[str]


def compare(a: str, b: str, out: Path, split: str | None = None) -> Comparison:
    """Compare two results or two result folders.

    Parameters
    ----------
    a, b : both ``task/target/featurizer+model`` or ``featurizer+model`` (on every task that has both), of the results
        in ``out``; or folders of results; or result folders, of which every pair that is in both is compared.
    split : which split, where there are several; the task's own without it.

    Raises
    ------
    BenchError : for what is not there, or cannot be compared: another task, target, split, table or set of rows.
    """
    if _is_results(a) and _is_results(b):
        ours, theirs = ([s for s in _sides(Path(root)) if split is None or s.split == split] for root in (a, b))
        pairs = _match(ours, theirs)
        if not pairs:
            raise BenchError(f"{a} and {b}: no result is in both (same task, target, split, featurizer, model).")
        lines = []
        refused = [
            f"{alone} result{'s' * (alone > 1)} only in {root}"
            for root, sides in ((a, ours), (b, theirs))
            if (alone := len(sides) - len(pairs))
        ]
        for left, right in pairs:
            try:
                lines.append(compare_sides(left, right))
            except BenchError as error:
                refused.append(str(error))
        if not lines:
            raise BenchError(f"nothing can be compared. {refused[-1]}")
        return Comparison(_adjusted(lines), refused)
    for one, other in ((a, b), (b, a)):
        if _is_results(one):
            raise BenchError(f"{one} is a result folder and {other} is none. Name two result folders, or two results.")
    found_a, found_b = _find(a, out, split), _find(b, out, split)
    if len(found_a) == 1 and len(found_b) == 1:
        return Comparison(_adjusted([compare_sides(found_a[0], found_b[0])]), [])
    by_board = {(side.task, side.target, side.split): side for side in found_b}
    matched = [(side, by_board[key]) for side in found_a if (key := (side.task, side.target, side.split)) in by_board]
    if not matched:
        raise BenchError(f"{a} and {b}: no task has both. {a} is on {_boards(found_a)}, {b} on {_boards(found_b)}.")
    return Comparison(_adjusted([compare_sides(left, right) for left, right in matched]), [])


def compare_sides(a: Side, b: Side) -> Line:
    """The paired difference A − B of two sides.

    Both are resampled by the same draws of loci, and each side's score in a draw is the mean over its seeds. Raises a
    ``BenchError`` where they are not of one task, target and split on the same rows.
    """
    task = _same_data(a, b)
    rows = load_rows(a.task_folder, task)
    value = target_values(TaskFiles(a.task_folder, task, None), a.target, rows)[1]
    row, fold, ours = _test(a, value)
    other_row, other_fold, theirs = _test(b, value)
    if not (np.array_equal(row, other_row) and np.array_equal(fold, other_fold)):
        raise BenchError(
            f"{a} and {b} predict other test rows ({len(row):,} and {len(other_row):,}): a paired difference needs the"
            " same ones. Run both again with one version of bench."
        )
    y, labels = value[row], rows["locus"].to_numpy()[row]
    locus, blocks = block_codes(labels)
    drawn = spearman_draws(y, np.column_stack([ours, theirs]), locus, Draws(blocks), fold)
    seeds = ours.shape[1]
    draws_a, draws_b = drawn[:, :seeds].mean(axis=1), drawn[:, seeds:].mean(axis=1)
    scores = [float(np.mean([_score(y, seed, fold) for seed in side.T])) for side in (ours, theirs)]
    gap = paired_difference(draws_a, draws_b, scores[0], scores[1], blocks)
    return Line(
        a,
        b,
        t_interval(scores[0], draws_a, blocks),
        t_interval(scores[1], draws_b, blocks),
        gap.estimate,
        gap.p,
        gap.p,
        rows=len(y),
        loci=blocks,
        folds=len(np.unique(fold)),
        effective_rows=effective_n(mid_ranks(y), labels),
    )


def _same_data(a: Side, b: Side) -> TaskRecord:
    """The record of the task that both sides are of; a ``BenchError`` where their scores are not of the same rows."""
    for what in ("task", "target", "split"):
        ours, theirs = getattr(a, what), getattr(b, what)
        if ours != theirs:
            raise BenchError(
                f"{a} and {b} are of different {what}s ({ours} and {theirs}): their scores are not of the same rows"
                " and cannot be paired. Compare results of one task, target and split."
            )
    for digest, words in (
        (_task_digest, "tables (rows, values or loci differ)"),
        (_folds_digest, f"folds of split {a.split}"),
    ):
        ours, theirs = digest(a, words), digest(b, words)
        if ours != theirs:
            raise BenchError(
                f"{a} and {b} are of different {words}: {ours[:12]} and {theirs[:12]}. Run both on the same data."
            )
    found = read_task(a.task_folder)
    task = found.record
    if task is None or found.state != State.WHOLE:
        raise BenchError(f"{a.task_folder / TASK}: {found.why}. Run the task again to write it again.")
    if task.digest_of(a.target) != _task_digest(a, "tables"):
        raise BenchError(
            f"{a}: made from an older version of the table than {a.task_folder / TASK}. Run it again to refit."
        )
    names = [target.name for target in task.targets]
    if a.target not in names:
        raise BenchError(f"{a.task_folder / TASK}: has no target {a.target!r}.{nearest(a.target, names)}")
    return task


# ---- what is meant ---------------------------------------------------------------------------------------------------
def _is_results(path: str) -> bool:
    return any(Path(path).glob(f"*/{TASK}"))


def _sides(root: Path) -> list[Side]:
    """Every pair of an output folder, in path order."""
    return list(_grouped(SeedResult(folder, record) for folder, record in Store(root).records()))


def _grouped(results: Iterable[SeedResult]) -> Iterator[Side]:
    groups: dict[tuple[str, str, str, str, str], list[SeedResult]] = defaultdict(list)
    for result in results:
        record = result.record
        groups[record.task, record.target, record.split, record.featurizer, record.model].append(result)
    for key, mine in groups.items():
        yield Side(*key, tuple(sorted(mine, key=lambda result: result.record.seed)))


def _find(text: str, out: Path, split: str | None) -> list[Side]:
    """The sides that a name or a folder of results means: one per board."""
    # Absolute, so that the task's folder is found from a relative seed folder too.
    folder = Path(text).resolve()
    read = [read_result(each) for each in (folder, *sorted(folder.glob("seed-*"))) if each.name.startswith("seed-")]
    there = [kept for kept in read if kept is not None and kept.state != State.UNFINISHED]
    if there:
        results = [SeedResult(kept.folder, kept.record) for kept in there if kept.whole and kept.record is not None]
        if not results:
            first = there[0]
            raise BenchError(f"{first.path}: {first.why}. Run it again, or name another result.")
        return list(_grouped(results))
    if folder.is_dir():
        raise BenchError(f"{folder}: neither a result's folder (it has no {RECORD}) nor a result folder.")
    sides = _sides(out)
    if not sides:
        raise BenchError(f"{out}: no results there. Name the folder of the results with --out.")
    wanted = text.replace(" + ", "+").strip()
    named = [side for side in sides if wanted in (str(side), side.pair, f"{side.task}/{side.pair}")]
    if not named:
        known = {str(side) for side in sides} if "/" in wanted else {side.pair for side in sides}
        raise BenchError(f"{out}: has no result {text!r}.{nearest(wanted, known)}")
    return _one_split(named, split)


def _one_split(sides: list[Side], split: str | None) -> list[Side]:
    """One side per (task, target, pair): of ``split``, else of the only one there, else of the task's own."""
    groups: dict[tuple[str, str, str], list[Side]] = defaultdict(list)
    for side in sides:
        groups[side.task, side.target, side.pair].append(side)
    chosen = []
    for each in groups.values():
        task = read_task(each[0].task_folder).record
        default = None if task is None else task.split
        wanted = split or (each[0].split if len(each) == 1 else default)
        mine = [side for side in each if side.split == wanted]
        if not mine:
            there = ", ".join(sorted(side.split for side in each))
            raise BenchError(f"{each[0]}: not under split {wanted}. It is under: {there}. Choose one with --split.")
        chosen += mine
    return chosen


def _match(ours: list[Side], theirs: list[Side]) -> list[tuple[Side, Side]]:
    def key(side: Side) -> tuple[str, str, str, str]:
        return side.task, side.target, side.split, side.pair

    there = {key(side): side for side in theirs}
    return [(side, there[key(side)]) for side in ours if key(side) in there]


def _boards(sides: list[Side]) -> str:
    return ", ".join(sorted({f"{side.task}/{side.target} ({side.split})" for side in sides}))


# ---- rows and scores -------------------------------------------------------------------------------------------------
def _task_digest(side: Side, words: str) -> str:
    return _only(side, {result.record.task_digest for result in side.results}, words)


def _folds_digest(side: Side, words: str) -> str:
    return _only(side, {result.record.folds_digest for result in side.results}, words)


def _only(side: Side, values: set[str], words: str) -> str:
    """What all seeds of a side must agree on."""
    if len(values) > 1:
        raise BenchError(f"{side}: its seeds are of different {words}. Run all of them again.")
    return values.pop()


def _test(side: Side, value: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Test rows, their folds, and predictions float64 (rows, seeds)."""
    place = None
    columns = []
    for result in side.results:
        row, fold, prediction, _ = load_part(result, TEST, value)
        place = (row, fold) if place is None else place
        if not (np.array_equal(row, place[0]) and np.array_equal(fold, place[1])):
            raise BenchError(f"{side}: its seeds predict different test rows. Run all of them again.")
        columns.append(prediction)
    assert place is not None
    return *place, np.column_stack(columns)


def _score(y: Array, prediction: Array, fold: NDArray[np.int64]) -> float:
    """Mean over folds of the within-fold Spearman, a constant prediction counting 0; NaN where none is defined."""
    return fold_scores(y, prediction, fold).mean


def _adjusted(lines: list[Line]) -> list[Line]:
    """The lines with Holm's p over all of them. A constant prediction has no p and counts in the family."""
    adjusted = holm([line.p for line in lines])
    return [replace(line, p_holm=float(p)) for line, p in zip(lines, adjusted, strict=True)]
