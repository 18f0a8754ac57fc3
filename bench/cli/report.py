"""`bench report`: rebuild leaderboard.md, summaries and pictures from stored predictions, without fitting."""

from __future__ import annotations

from pathlib import Path

import typer

from bench.cli.fitting import Out


def report(
    out: Out = Path("results"),
) -> None:
    """Write `leaderboard.md` again from the predictions that are there. Fits nothing. Exit status 1 if some predictions
    cannot be read."""
    from rich.console import Console

    from bench.cli.printing import print_board
    from bench.report import make_board

    made = make_board(out)
    print_board(made, Console())
    raise typer.Exit(1 if made.troubles else 0)
