"""`bench report`: rebuild leaderboard.md, summaries and pictures from stored predictions, without fitting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of predictions and board.")] = Path("results"),
) -> None:
    """Write `leaderboard.md` anew from the predictions that are there. Fits nothing."""
    from rich.console import Console

    from bench.report import write_board
    from bench.report.terminal import terminal_summary

    board = write_board(out)
    console = Console()
    console.print(terminal_summary(out))
    console.print(f"leaderboard: {board}", highlight=False, soft_wrap=True)
