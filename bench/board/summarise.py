"""The numbers of a task, for its ``summary.json``; a board whose inputs did not change is not computed again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bench.board.figure import Estimate
from bench.board.joint import Joint, boards_on, joint_draws
from bench.board.load import BoardFiles, TaskFiles, load_rows
from bench.board.schema import BoardSummary, FeaturesSummary, SkippedSummary, Summary, TaskSummary
from bench.board.summary import board_summary
from bench.errors import BenchError
from bench.store.feature_record import FeaturesRecord
from bench.store.record import EstimateRecord, TaskRecord


def summarise(task: TaskFiles) -> Summary:
    """The task's summary; boards whose inputs did not change are taken from the old one.

    It holds every number of the task's section, so that a board can be published, and rendered, without predictions.
    """
    old = task.summary
    if task.record is None:
        if old is None:
            raise BenchError(f"{task.folder}: has neither results nor a summary.")
        return old
    known = {} if old is None else {board.own: board for board in old.boards}
    code = code_digest()
    rows = None
    joint: dict[str, Joint] = {}  # by folds, so that all targets on them share their draws
    boards = []
    for files in task.boards:
        own = own_digest(task, files, code)
        # Which rows a target has follows from the task.
        drawn_with = [other.target for other in boards_on(task, files.folds_digest)]
        board = known.get(own)
        if board is None or board.drawn_with != drawn_with:
            rows = load_rows(task.folder, task.record) if rows is None else rows
            drawn = joint.get(files.folds_digest)
            if drawn is None:
                drawn = joint[files.folds_digest] = joint_draws(task, files.folds_digest, rows)
            # Another target that is tested on the same loci changes no draw.
            inputs = hashlib.sha256(f"{own} {drawn.digest}".encode()).hexdigest()[:16]
            if board is None or board.inputs != inputs:
                board = board_summary(task, files, rows, drawn)
            if board.left_out != files.left_out:
                # Something that its record does not tell of: a file restored since would not be noticed.
                own, inputs = f"{own}?", f"{inputs}?"
            board = board.model_copy(update={"inputs": inputs, "own": own, "drawn_with": drawn_with})
        boards.append(board)
    return Summary(
        task=_task_summary(task.record),
        boards=boards,
        skipped=[
            SkippedSummary(featurizer=skip.featurizer, model=skip.model, reason=skip.reason) for skip in task.skipped
        ],
        features=[_features(each) for each in sorted(task.features, key=_order) if _is_used(each.name, boards)],
        pictures={} if old is None else old.pictures,
    )


def _order(record: FeaturesRecord) -> tuple[str, bool]:
    """A twin comes after its own."""
    return record.twin_of or record.name, bool(record.twin_of)


def _is_used(name: str, boards: list[BoardSummary]) -> bool:
    return any(row.featurizer == name for board in boards for row in board.rows)


def _features(record: FeaturesRecord) -> FeaturesSummary:
    same = {key: getattr(record, key) for key in ("name", "trained_on", "twin_of", "columns", "dtype")}
    return FeaturesSummary(**same, gc_r2=_figure(record.gc_r2), gc_rho=_figure(record.gc_rho))


def _figure(figure: EstimateRecord | None) -> Estimate | None:
    return None if figure is None else Estimate(value=figure.value, low=figure.low, high=figure.high)


def _task_summary(record: TaskRecord) -> TaskSummary:
    card = {name: getattr(record.card, name) for name in type(record.card).model_fields}
    return TaskSummary(**card, digest=record.digest, rows=record.rows, counts=record.counts, notes=record.notes)


def own_digest(task: TaskFiles, files: BoardFiles, code: str) -> str:
    """Hash of all that a board's figures follow from, but for the draws: rows, results, failures and the code that
    computes them."""
    assert task.record is not None, "a task without predictions has no inputs"
    parts: list[object] = [code, task.record.digest, [target.model_dump() for target in task.record.targets]]
    parts += [files.target, files.split, files.folds_digest]
    parts.append({name: card.model_dump() for name, card in task.record.stratum_cards.items()})
    parts += [
        [str(failure.folder.relative_to(task.folder)), failure.record.model_dump(), failure.refit]
        for failure in files.failed
    ]
    parts += files.left_out
    parts.append(None if files.folds is None else files.folds.model_dump())
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for seeds in files.results.values():
        for result in seeds:
            digest.update(b"\n")
            digest.update(result.record.model_dump_json().encode())
    return digest.hexdigest()[:16]


def code_digest() -> str:
    """Hash of the sources that turn predictions into numbers: ``bench.stats`` and this package."""
    home = Path(__file__).parents[1]
    sources = [path for package in ("stats", "board") for path in sorted((home / package).glob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
