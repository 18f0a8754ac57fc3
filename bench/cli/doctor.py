"""`bench doctor`: versions, devices, threads, and where data and cache are."""

from __future__ import annotations

import typer

from bench.cli.fitting import DataDir


def doctor(
    data_dir: DataDir = None,
) -> None:
    """Say what this machine has. Exit status 1 when something that `bench run --all` needs is missing."""
    from rich.console import Console
    from rich.markup import escape

    from bench.run.doctor import diagnose

    console = Console()
    good = True
    for finding in diagnose(data_dir):
        mark = {True: "[green]ok[/]  ", False: "[red]no[/]  ", None: "    "}[finding.good]
        console.print(f"{mark}{finding.what:<16} {escape(finding.said)}", highlight=False, soft_wrap=True)
        good = good and finding.good is not False
    raise typer.Exit(0 if good else 1)
