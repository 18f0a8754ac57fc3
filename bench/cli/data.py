"""`bench data`: which public data sets are here, fetch them, verify them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import SplitName, TaskName
from bench.cli.windows import windows

app = typer.Typer(help="Data sets: list, card, fetch, verify, export, windows.", no_args_is_help=True)

app.command("windows")(windows)

#: State of a data set without published files that is ready all the same.
_OWN = "nothing to fetch"

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
]
Plugin = Annotated[list[Path] | None, typer.Option("--plugin", help="A Python file with data sets. Repeatable.")]


@app.command("list")
def list_data(data_dir: DataDir = None, plugin: Plugin = None) -> None:
    """Every data set, its size, and whether its files are here."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.data_files import data_state

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("name", "what it is", "MB", "files"):
        table.add_column(column, overflow="fold", no_wrap=column == "name")
    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
        for name in registry.names("dataset"):
            try:
                found = data_state(name, registry, data_dir)
            except BenchError as error:  # one that is broken keeps nobody from seeing the others
                table.add_row(escape(name), "", "", escape(f"cannot be used: {error}"))
                continue
            state = found.problem or ("here" if found.files else _OWN)
            size = f"{found.bytes / 1e6:.1f}" if found.files else ""
            table.add_row(escape(name), escape(found.title), size, escape(state))
    Console().print(table)


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names of data sets.")],
    data_dir: DataDir = None,
    plugin: Plugin = None,
) -> None:
    """Download the files of data sets into the cache, each checked against its published SHA-256."""
    from bench.errors import BenchError, Unavailable
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.data_files import data_state

    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
        for name in names:
            registry.entry("dataset", name)  # a slip of the pen is told before anything is downloaded
        for name in names:
            try:
                found = data_state(name, registry, data_dir, "fetch")
            except Unavailable as absent:
                raise BenchError(str(absent), status=1) from None
            checked = f"{found.files} files are here and have their published checksums" if found.files else _OWN
            typer.echo(f"{name}: {checked}")


@app.command()
def verify(data_dir: DataDir = None, plugin: Plugin = None) -> None:
    """Read every file that is here and check it against its published SHA-256. Exit status 1 when one differs."""
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.data_files import data_state

    wrong = 0
    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
        for name in registry.names("dataset"):
            try:
                found = data_state(name, registry, data_dir, "verify")
            except BenchError as error:
                wrong += 1
                typer.echo(f"WRONG    {error}", err=True)
                continue
            if not found.files:
                typer.echo(f"{name}: {found.problem or _OWN}")
                continue
            wrong += len(found.wrong)
            for said in found.wrong:
                typer.echo(f"WRONG    {said}", err=True)
            absent = found.files - found.here - len(found.wrong)
            typer.echo(f"{name}: {found.here} files have their published checksums, {absent} are not here")
    raise typer.Exit(1 if wrong else 0)


@app.command()
def card(
    name: Annotated[str, typer.Argument(help="Name of a data set.")],
    data_dir: DataDir = None,
    plugin: Plugin = None,
) -> None:
    """What a data set is: assay, targets, split, filters, where its files are from, what to beware of."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.data_files import data_state

    with Outside(settable=False) as outside:
        found = data_state(name, registry_of(plugin or [], describer=outside), data_dir, "card")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for heading, text in (("name", name), *found.card, ("here", found.problem or "yes")):
        table.add_row(escape(heading), escape(text))
    Console().print(table)


@app.command()
def export(
    task: TaskName,
    fasta: Annotated[Path | None, typer.Option("--fasta", help="Sequences, 5' to 3', one per row, in order.")] = None,
    ids: Annotated[Path | None, typer.Option("--ids", help="Ids of the rows, one a line, in the same order.")] = None,
    folds: Annotated[
        Path | None, typer.Option("--folds", help="Id, place, locus and part in every fold of each row (.tsv).")
    ] = None,
    split: SplitName = None,
    data_dir: DataDir = None,
    plugin: Plugin = None,
) -> None:
    """Write a task's sequences, ids and folds for programs that make features elsewhere (`bench run --features`)."""
    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.export import write_fasta, write_folds, write_ids
    from bench.tasks.load import TaskSource, load_planned

    if fasta is None and ids is None and folds is None:
        raise BenchError(f"say what to write: bench data export {task} --fasta {task}.fa (or --ids, --folds).")
    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
        try:
            planned = load_planned(TaskSource(task, split, data_dir=data_dir), registry)
        except Unavailable as absent:
            raise BenchError(f"{task}: {absent}") from None
    for path, write in ((fasta, write_fasta), (ids, write_ids), (folds, write_folds)):
        if path is not None:
            note = write(path, planned)
            typer.echo(f"{path}: {len(planned.task):,} rows" + (f"; {note}" if note else ""))
