"""`bench clean`: shows what may go from a folder of results, then deletes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import Out


def clean(
    out: Out = Path("results"),
    failed: Annotated[bool, typer.Option("--failed", help="Only results that failed.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Only what is out of date, cut off, temporary or empty.")
    ] = False,
    task: Annotated[str | None, typer.Option("--task", "-t", help="Only of this task; alone, the whole task.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
) -> None:
    """Delete failed and stale results and leftovers of killed runs. Shows everything first and asks."""
    from rich.console import Console

    from bench.errors import one_line
    from bench.store.clean import leftovers, remove

    console = Console(soft_wrap=True, highlight=False, markup=False)
    everything = not (failed or stale or task)
    items = leftovers(out, failed=failed or everything, stale=stale or everything, task=task)
    for item in items:
        console.print(one_line(f"{item.path}  ({item.reason}, {item.bytes / 1e6:.1f} MB)"))
    if not items:
        console.print(f"{out}: nothing to clean")
        return
    size = sum(item.bytes for item in items) / 1e6
    if not yes and not (console.is_terminal and typer.confirm(f"delete these {len(items)} ({size:.1f} MB)?")):
        console.print("nothing deleted" + ("" if console.is_terminal else ": add --yes to delete these"))
        return
    freed = remove(items, out)
    console.print(
        f"{len(items)} deleted, {freed / 1e6:.1f} MB free. `bench report --out {out}` writes the board again."
    )
