"""The board in a few lines, for the end of `bench run`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from bench.board.load import SUMMARY
from bench.files.atomic import read_json
from bench.report.columns import percent_estimate, point
from bench.report.section import find
from bench.report.text import NOTHING, number


def terminal_summary(out: Path) -> Table:
    """One line a board: ceiling, GC-only, best, best deep, GC's share of the explainable variance.

    Read from the ``summary.json`` files that ``write_board`` left.
    """
    caption = "Spearman on test rows; GC's share is of the explainable variance"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    table.show_edge = table.pad_edge = False
    table.add_column("task", no_wrap=True)
    table.add_column("target", overflow="fold")
    for heading in ("ceiling", "GC only", "best", "best deep"):
        table.add_column(heading, justify="right")
    table.add_column("GC's share", justify="right", no_wrap=True)
    for path in sorted(Path(out).glob(f"*/{SUMMARY}")):
        summary = read_json(path)
        last = ""
        for board in summary["boards"] if summary else []:
            name = str(summary["task"]["name"]) if summary else ""
            share = board["share"]["of_explainable"] if board["share"] else None
            scores = (_score(board, which) for which in ("best_gc", "best", "best_deep"))
            table.add_row(
                Text(name if name != last else ""),
                Text(str(board["target"])),
                number(board["ceiling"]["value"]),
                *scores,
                percent_estimate(share),
            )
            last = name
    return table


def _score(board: dict[str, Any], which: str) -> str:
    row = find(board, board[which])
    return NOTHING if row is None else number(point(row["score"]))
