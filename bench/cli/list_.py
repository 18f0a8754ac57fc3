"""`bench list`: what there is to run, one line each, and why something is not available."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir


def list_plugins(
    data_dir: DataDir = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with plugins. Repeatable.")
    ] = None,
) -> None:
    """Tasks, featurizers and models, with their parameters."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.plugins.catalogue import catalogue
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside

    console = Console()
    with Outside(settable=False) as outside:
        found = catalogue(registry_of(plugin or [], describer=outside), data_dir)
    for title, rows in found.items():
        table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
        for column in ("name", "what it is", "from"):
            table.add_column(column, overflow="fold")
        for row in rows:
            what = escape(row.what)
            if row.parameters:
                what += f"\n[dim]{escape(row.parameters)}[/]"
            if row.problem is not None:
                what += f"\n[yellow]not available: {escape(row.problem)}[/]"
            table.add_row(escape(row.name), what, escape(row.origin))
        console.print(table)
        console.print()
