"""`bench merge`: results of several machines in one folder, and their common board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    sources: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Folders of results.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to; what is there already counts like one more.")],
    prefer: Annotated[
        Path | None, typer.Option(help="The folder whose result holds where it differs between two.")
    ] = None,
) -> None:
    """Join the results of several runs. Different tables, splits or formats are refused; nothing is overwritten.
    Exit status 1 if two folders hold other predictions under one key."""
    from rich.console import Console

    from bench.errors import one_line
    from bench.report import write_board
    from bench.store.merge import merge as do
    from bench.store.merge import plan_merge

    console = Console(soft_wrap=True, highlight=False, markup=False)
    plan = plan_merge(sources, out, prefer)
    do(plan, out)
    for line in plan.skipped:
        console.print(one_line(f"left out: {line}"))
    for line in plan.unequal:
        console.print(one_line(f"unequal: {line}"))
    for line in plan.settled:
        console.print(one_line(f"differed, kept {line}"))
    console.print(
        f"{len(plan.results)} results copied, {plan.identical} identical, {len(plan.unequal)} unequal,"
        f" {len(plan.settled)} settled by --prefer, {len(plan.failures)} failures noted"
    )
    console.print(f"leaderboard: {write_board(out)}")
    raise typer.Exit(1 if plan.unequal else 0)
