"""`bench data`: which public data sets are here, fetch them, verify them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Public data sets: list, fetch, verify.", no_args_is_help=True)

#: State of a data set without published files that is ready all the same.
_OWN = "nothing to fetch"

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
]


@app.command("list")
def list_data(data_dir: DataDir = None) -> None:
    """Every data set, its size, and whether its files are here."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.plugins.registry import Registry

    registry = Registry()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("name", "what it is", "MB", "files"):
        table.add_column(column, overflow="fold", no_wrap=column == "name")
    for name in registry.names("dataset"):
        dataset = registry.find("dataset", name)()
        state = dataset.problem(data_dir) or ("here" if dataset.files else _OWN)
        size = f"{sum(file.bytes for file in dataset.files) / 1e6:.1f}" if dataset.files else ""
        table.add_row(escape(name), escape(dataset.title), size, escape(state))
    Console().print(table)


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    data_dir: DataDir = None,
) -> None:
    """Download the files of data sets into the cache, each checked against its published SHA-256."""
    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.plugins.registry import Registry

    registry = Registry()
    for dataset in [registry.find("dataset", name)() for name in names]:
        try:
            found = dataset.locate(data_dir, download=True)
        except Unavailable as absent:
            raise BenchError(str(absent), status=1) from None
        checked = f"{len(found)} files are here and have their published checksums" if dataset.files else _OWN
        typer.echo(f"{dataset.name}: {checked}")


@app.command()
def verify(data_dir: DataDir = None) -> None:
    """Read every file that is here and check it against its published SHA-256. Exit status 1 when one differs."""
    from bench.errors import BenchError
    from bench.files.downloads import verify as check
    from bench.plugins.registry import Registry

    registry, wrong = Registry(), 0
    for name in registry.names("dataset"):
        dataset = registry.find("dataset", name)()
        if not dataset.files:
            typer.echo(f"{name}: {dataset.problem(data_dir) or _OWN}")
            continue
        good = absent = 0
        for file in dataset.files:
            path = dataset.find(file, data_dir)
            if path is None:
                absent += 1
                continue
            try:
                check(path, file.sha256, file.bytes, fresh=True)
                good += 1
            except BenchError as error:
                wrong += 1
                typer.echo(f"WRONG    {error}", err=True)
        typer.echo(f"{name}: {good} files have their published checksums, {absent} are not here")
    raise typer.Exit(1 if wrong else 0)
