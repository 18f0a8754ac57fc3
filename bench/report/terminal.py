"""The board in a few lines, for the end of `bench run`."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from bench.board.schema import BoardSummary, Summary
from bench.report.binary import binary_sentence, ceiling_of, score_of
from bench.report.sentences import by_chromosome, by_locus, caveats, gc_in_windows, share_figure
from bench.report.text import NOTHING, number, point


def terminal_summary(summaries: Iterable[Summary]) -> Table:
    """One line per board: noise ceiling, GC-only, best, best deep, GC's share of the explainable variance."""
    summaries = list(summaries)
    binary = {board.binary is not None for summary in summaries for board in summary.boards}
    lines = ["Spearman on test rows; GC's share is of the explainable variance"] if binary != {True} else []
    lines += ["AUROC (*) for binary targets; chance is 0.5"] if True in binary else []
    caption = "\n".join(lines)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")
    table.show_edge = table.pad_edge = False
    # 80 columns hold all figures; what is longer is said under the table.
    table.add_column("task", overflow="fold", min_width=10)
    table.add_column("target", overflow="fold", min_width=8)
    for heading in ("noise\nceiling", "GC-only", "best", "best\ndeep"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=max(map(len, heading.split("\n"))))
    table.add_column("GC's share", justify="right", no_wrap=True)
    notes = []
    for summary in summaries:
        last = ""
        for board in summary.boards:
            share = board.share if board.share is not None and board.share.of_explainable is not None else None
            table.add_row(
                Text(summary.task.name if summary.task.name != last else ""),
                Text(board.target + "*" * (board.binary is not None)),
                number(ceiling_of(board)),
                *(_score(board, name) for name in (board.best_gc, board.best, board.best_deep)),
                NOTHING if share is None else by_locus(share),
            )
            if board.binary is not None:
                notes.append(f"{summary.task.name}, {board.target}: {binary_sentence(board, short=True)}")
                last = summary.task.name
                continue
            # Reasons and caveats are longer than a column: a line each under the table.
            first = f"GC's share is {share_figure(board, str)}" if share is None else by_chromosome(share)
            said = [*([first] if first else []), *gc_in_windows(board), *caveats(board, str)]
            notes += [f"{summary.task.name}, {board.target}: {note}" for note in said]
            last = summary.task.name
    table.caption = Text("\n".join([caption, *(_line(note) for note in notes)]))
    return table


def _line(note: str) -> str:
    """A note on one line, without what a terminal would obey."""
    return " ".join("".join(c if c.isprintable() else " " for c in note).split())


def _score(board: BoardSummary, name: str | None) -> str:
    row = board.row(name)
    return NOTHING if row is None else number(point(score_of(board, row)))
