"""From a store to leaderboard.md, ``summary.json`` and pictures; what did not change is not computed again."""

from __future__ import annotations

from pathlib import Path

from bench.board.load import find_tasks
from bench.board.schema import SUMMARY
from bench.board.summarise import summarise
from bench.errors import BenchError
from bench.files.atomic import atomic
from bench.report import plots
from bench.report.columns import LEFT
from bench.report.guide import guide
from bench.report.sections import task_section
from bench.report.summary_table import SUMMARY_HEADER, notes, summary_rows
from bench.report.text import escape, table
from bench.store.store import Store

LEADERBOARD = "leaderboard.md"

TITLE = """\
# Leaderboard: how much of a reporter assay is GC content?

Each task is a set of DNA sequences with a measured activity. Simple features (GC content, GC in windows, k-mers,
one-hot) feed interchangeable learners under the same chromosome splits, and every figure below is computed from
their stored predictions on sequences they never saw. The question is not only who predicts best, but what the
replicates allow (the *noise ceiling*) and **what share of the explainable variance GC content alone accounts for**.
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
    out = Path(out)
    unread: list[str] = []
    tasks = find_tasks(out, unread)
    store = Store(out)
    store.check_writable()
    unread += [f"{path.relative_to(out)}: {why}" for path, why in store.unreadable()]
    sections: list[str] = []
    rows: list[list[str]] = []
    remarks: list[str] = []
    for task in tasks:
        try:
            summary = summarise(task)
            links, drawn = plots.draw_pictures(task, summary)
        except BenchError as error:
            if error.status != 1:
                raise
            unread.append(str(error))  # one task's file: the others keep their board
            continue
        summary = summary.model_copy(update={"pictures": drawn})
        if summary != task.summary:
            summary.write(task.folder / SUMMARY)
        only = task.record is None
        rows += summary_rows(summary, only)
        remarks += notes(summary)
        sections += task_section(summary, only=only, pictures=links)
    if troubles is not None:
        troubles += unread
    if unread:
        remarks += ["", "What could not be read and is left out:", "", *(f"- {escape(line)}" for line in unread)]
    lines = [TITLE, "## Summary", "", *table(SUMMARY_HEADER, rows, LEFT), *remarks, "", guide(), *sections]
    with atomic(out / LEADERBOARD) as path:
        path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return out / LEADERBOARD
