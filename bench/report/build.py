"""From a store to leaderboard.md, ``summary.json`` a task and pictures; what did not change is not computed again."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from bench.board.joint import boards_on
from bench.board.load import SUMMARY, BoardFiles, TaskFiles, find_tasks, load_rows
from bench.errors import BenchError
from bench.files.atomic import atomic, read_json, write_json
from bench.report.columns import LEFT
from bench.report.guide import guide
from bench.report.section import SUMMARY_HEADER, notes, summary_rows, task_section
from bench.report.text import escape, table
from bench.store.store import Store, folds_file

#: Format of summary.json. A reader refuses newer ones in words and computes older ones anew.
SUMMARY_FORMAT = 1
LEADERBOARD = "leaderboard.md"

TITLE = """\
# Leaderboard: how much of a reporter assay is GC content?

Each task is a set of DNA sequences with a measured activity. Simple features (GC content, GC in windows, k-mers,
one-hot) feed interchangeable learners under the same chromosome splits, and every figure below is computed from
their stored predictions on sequences they never saw. The question is not only who predicts best, but what the
replicates allow (the *ceiling*) and **what share of the explainable variance GC content alone accounts for**.
"""


def write_board(out: Path, troubles: list[str] | None = None) -> Path:
    """Write ``<out>/leaderboard.md`` with everything it shows, and return its path.

    Reads only the store: no data set, no plugin, no fit. Summaries of unchanged boards are reused.

    Parameters
    ----------
    troubles : gets a line for every file of the store that cannot be read. The board names them too.

    Raises
    ------
    BenchError : when there are no results in ``out``, or they cannot be read or written.
    """
    from bench.report.pictures import draw_pictures

    out = Path(out)
    tasks = find_tasks(out)
    store = Store(out)
    store.check_writable()
    unread = [f"{path.relative_to(out)}: {why}" for path, why in store.unreadable()]
    sections: list[str] = []
    rows: list[list[str]] = []
    remarks: list[str] = []
    for task in tasks:
        try:
            summary = summarise(task)
            pictures = draw_pictures(task, summary)
        except BenchError as error:
            if error.status != 1:
                raise
            unread.append(str(error))  # one task's file: the others keep their board
            continue
        if summary != task.summary:
            write_json(task.folder / SUMMARY, summary)
        rows += summary_rows(summary, only=not task.rows)
        remarks += notes(summary)
        sections += task_section(summary, only=not task.rows, pictures=pictures)
    if troubles is not None:
        troubles += unread
    if unread:
        remarks += ["", "What could not be read and is left out:", "", *(f"- {escape(line)}" for line in unread)]
    lines = [TITLE, "## Summary", "", *table(SUMMARY_HEADER, rows, LEFT), *remarks, "", guide(), *sections]
    with atomic(out / LEADERBOARD) as path:
        path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return out / LEADERBOARD


# ---- one task ------------------------------------------------------------------------------------------------------
def summarise(task: TaskFiles) -> dict[str, Any]:
    """The task's summary; boards whose inputs did not change are taken from the old ``summary.json``.

    It holds every number of the task's section, so that a board can be published, and rendered, without predictions.
    """
    old = task.summary
    if old is not None and int(old.get("format", 0)) > SUMMARY_FORMAT:
        raise BenchError(f"{task.folder / SUMMARY}: written by a newer version of bench. Upgrade bench to read it.")
    if not task.rows:
        if old is None or old.get("format") != SUMMARY_FORMAT:
            raise BenchError(
                f"{task.folder / SUMMARY}: of an older format, and its predictions are not here. Run it again."
            )
        return dict(old)
    known = {} if old is None or old.get("format") != SUMMARY_FORMAT else {b["inputs"]: b for b in old["boards"]}
    code = code_digest()
    rows = None
    joint: dict[str, Any] = {}  # by folds, so that all targets on them share their draws
    boards = []
    for files in task.boards:
        inputs = inputs_digest(task, files, code)
        figures = known.get(inputs)
        if figures is None:
            from bench.board.joint import joint_draws
            from bench.board.summary import board_figures

            rows = load_rows(task.folder) if rows is None else rows
            if files.folds_digest not in joint:
                joint[files.folds_digest] = joint_draws(task, files.folds_digest, rows)
            figures = {"inputs": inputs, **_plain(board_figures(task, files, rows, joint[files.folds_digest]))}
        boards.append(figures)
    assert task.card is not None, "its rows are there"
    card = {**task.card.card.model_dump(), **{key: getattr(task.card, key) for key in ("digest", "rows", "counts")}}
    skipped = [skip.model_dump() for skip in task.skipped]
    pictures = {} if old is None else old.get("pictures", {})
    return {"format": SUMMARY_FORMAT, "task": card, "boards": boards, "skipped": skipped, "pictures": pictures}


def inputs_digest(task: TaskFiles, files: BoardFiles, code: str) -> str:
    """Hash of all that a board's figures follow from: rows, results, failures and the code that computes them."""
    card = task.card
    assert card is not None, "its rows are there"
    parts: list[Any] = [
        code,
        card.digest,
        [target.model_dump() for target in card.targets],
        files.target,
        files.split,
        files.folds_digest,
    ]
    parts += [record.model_dump() for runs in files.results.values() for _, record in runs]
    parts += [[str(folder.relative_to(task.folder)), note.model_dump()] for folder, note in files.failed]
    parts += files.left_out
    # The loci of all targets on the same folds are drawn together; which rows a target has follows from the task.
    parts.append([other.target for other in boards_on(task, files.folds_digest)])
    parts.append(read_json(task.folder / folds_file(files.folds_digest)))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def code_digest() -> str:
    """Hash of the sources that turn predictions into numbers: ``bench.stats`` and the reading side of this room."""
    home = Path(__file__).parents[1]
    sources = [path for room in ("stats", "board") for path in sorted((home / room).glob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """JSON without NaN: numbers that do not exist become null; floats keep 7 digits, more than any of them deserves."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.7g}") if math.isfinite(value) else None
    return value
