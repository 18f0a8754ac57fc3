"""`bench report`: rebuild leaderboard.md, summaries and pictures from stored predictions, without fitting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of predictions and board.")] = Path("results"),
) -> None:
    """Write `leaderboard.md` again from the predictions that are there. Fits nothing. Exit status 1 if some predictions
    cannot be read."""
    from rich.console import Console
    from rich.markup import escape

    from bench.report import write_board
    from bench.report.terminal import terminal_summary

    troubles: list[str] = []
    board = write_board(out, troubles)
    console = Console()
    console.print(terminal_summary(out))
    for line in troubles:
        console.print(f"[yellow]not read[/] {escape(line)}", highlight=False, soft_wrap=True)
    console.print(f"leaderboard: {board}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if troubles else 0)
