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

    from bench.cli.printing import print_board
    from bench.report import make_board

    made = make_board(out)
    print_board(made, Console())
    raise typer.Exit(1 if made.troubles else 0)
