"""From a store to leaderboard.md, ``summary.json`` a task and pictures; what did not change is not computed again."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from bench.report.guide import GUIDE
from bench.report.load import SUMMARY, BoardFiles, TaskFiles, find_tasks
from bench.report.section import SUMMARY_HEADER, summary_rows, task_section
from bench.report.text import table
from bench.run.store import Store, atomic, write_json

#: Format of summary.json. A reader refuses newer ones in words and computes older ones anew.
SUMMARY_FORMAT = 1
LEADERBOARD = "leaderboard.md"

TITLE = """\
# Leaderboard: how much of a reporter assay is GC content?

Each task is a set of DNA sequences with a measured activity. Simple features (GC content, GC in windows, k-mers, one-hot) feed
interchangeable learners under the same chromosome splits, and every figure below is computed from their stored predictions on
sequences they never saw. The question is not only who predicts best, but what the replicates allow (the *ceiling*) and **what
share of the explainable variance GC content alone accounts for**.
"""


def build_report(out: Path) -> list[dict[str, Any]]:
    """Write ``<out>/leaderboard.md`` with everything it shows, and return the summaries, one a task.

    Reads only the store: no data set, no plugin, no fit. Summaries of unchanged boards are reused.

    Raises
    ------
    BenchError : when there are no results in ``out``, or they cannot be read or written.
    """
    from bench.report.pictures import draw_pictures

    out = Path(out)
    tasks = find_tasks(out)
    Store(out).check_writable()
    summaries, sections, rows = [], [], []
    for task in tasks:
        summary, boards = summarise(task, out)
        pictures = draw_pictures(task, summary, boards)
        rows += summary_rows(summary, only=not task.rows)
        sections += task_section(summary, only=not task.rows, pictures=pictures)
        summaries.append(summary)
    lines = [TITLE, "## Summary", "", *table(SUMMARY_HEADER, rows, numeric=2), GUIDE, *sections]
    with atomic(out / LEADERBOARD) as path:
        path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return summaries
