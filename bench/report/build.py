"""From a store to leaderboard.md, ``summary.json`` and pictures; what did not change is not computed again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.board.load import BoardFiles, TaskFiles, find_tasks
from bench.board.schema import SUMMARY, Summary
from bench.board.summarise import summarise
from bench.errors import BenchError
from bench.explain.record import Explanation
from bench.files.atomic import FULL, NotWritable, atomic, disk_errors
from bench.report import plots
from bench.report.columns import LEFT
from bench.report.explained_plots import draw_explained
from bench.report.guide import guide
from bench.report.sections import Explained, task_section
from bench.report.summary_table import SUMMARY_HEADER, notes, summary_rows
from bench.report.text import escape, table
from bench.store.companions import EXPLANATION, read_companion
from bench.store.stages import Stages
from bench.store.store import Store

LEADERBOARD = "leaderboard.md"

TITLE = """\
# Leaderboard: how much of a reporter assay is GC content?

Each task is a set of DNA sequences with a measured activity. Simple features (GC content, GC in windows, k-mers,
one-hot) feed interchangeable learners under the same chromosome splits, and every figure below is computed from
their stored predictions on sequences they never saw. The question is not only who predicts best, but what the
replicates allow (the *noise ceiling*) and **what share of the explainable variance GC content alone accounts for**.
"""


@dataclass(frozen=True)
class MadeBoard:
    """A board: its file, the summaries it was made from, a line for every file of the store that does not count, and
    why it was not written, in words; empty where it was."""

    path: Path
    summaries: list[Summary]
    troubles: list[str]
    unwritten: str = ""


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
    made = make_board(out)
    if made.unwritten:
        raise BenchError(made.unwritten)
    if troubles is not None:
        troubles += made.troubles
    return made.path


def make_board(out: Path, *, pictures: bool = True, stages: Stages | None = None) -> MadeBoard:
    """As ``write_board``; where ``out`` cannot be written, the numbers are computed all the same.

    Parameters
    ----------
    pictures : whether they are drawn, and shown.
    stages : gets the seconds that numbers and pictures take.

    Raises
    ------
    BenchError : when there are no results in ``out``, or the disk is full.
    """
    out, stages = Path(out), stages or Stages()
    unread: list[str] = []
    with stages.time("statistics"):
        tasks = find_tasks(out, unread)
    try:
        Store(out).check_writable()
        unwritten = ""
    except NotWritable as error:
        unwritten = str(error)
    sections: list[str] = []
    rows: list[list[str]] = []
    remarks: list[str] = []
    summaries: list[Summary] = []
    for task in tasks:
        try:
            with disk_errors(out):
                summary, links, explained = _summary(task, stages, write=not unwritten, pictures=pictures)
        except NotWritable:
            raise
        except BenchError as error:
            if error.status != 1 or (isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL):
                raise
            unread.append(str(error))  # one task's file: the others keep their board
            continue
        only = task.record is None
        summaries.append(summary)
        rows += summary_rows(summary, only)
        remarks += notes(summary)
        sections += task_section(summary, only=only, pictures=links, explained=explained)
    if unread:
        remarks += ["", "What could not be read and is left out:", "", *(f"- {escape(line)}" for line in unread)]
    lines = [TITLE, "## Summary", "", *table(SUMMARY_HEADER, rows, LEFT), *remarks, "", guide(), *sections]
    if not unwritten:
        with disk_errors(out), atomic(out / LEADERBOARD) as path:
            path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return MadeBoard(out / LEADERBOARD, summaries, unread, unwritten)


def _summary(
    task: TaskFiles, stages: Stages, *, write: bool, pictures: bool
) -> tuple[Summary, plots.Links, dict[int, Explained]]:
    """A task's numbers, where its pictures are, and by board what its models learned; with ``write`` numbers and
    pictures are brought up to date."""
    with stages.time("statistics"):
        summary = summarise(task)
    answers = {i: _answers(files) for i, files in enumerate(task.boards)}
    drawn: dict[str, str] = {}
    links = plots.Links()
    if not write:
        return summary, links, {i: Explained(found, drawn) for i, found in answers.items()}
    explained: dict[str, str] = {}
    if pictures:
        with stages.time("pictures"):
            links, drawn = plots.draw_pictures(task, summary)
            every = [answer for found in answers.values() for answer in found]
            explained, more = draw_explained(task, every, summary.pictures)
        summary = summary.model_copy(update={"pictures": drawn | more})
    if summary != task.summary:
        summary.write(task.folder / SUMMARY)
    return summary, links, {i: Explained(found, explained) for i, found in answers.items()}


def _answers(files: BoardFiles) -> list[Explanation]:
    """What lies next to the results of a board on what they learned, in the order of its rows and seeds."""
    results = [result for seeds in files.results.values() for result in seeds]
    found = (read_companion(each.folder, EXPLANATION, Explanation, each.record.key) for each in results)
    return [each for each in found if each is not None]
