"""The `bench` command: mounts one module a verb and turns a BenchError into one line and an exit status."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

import bench
from bench.cli import (
    audit,
    check,
    clean,
    compare,
    data,
    doctor,
    list_,
    merge,
    new,
    report,
    run,
    score,
    selftest,
    simulate,
)
from bench.errors import BenchError

app = typer.Typer(
    help="How much of a reporter assay is GC content? Featurizers x learners under shared splits, and an honest board.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("run")(run.run)
app.command("report")(report.report)
app.command("list")(list_.list_plugins)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.command("audit")(audit.audit)
app.command("compare")(compare.compare)
app.command("score")(score.score)
app.command("merge")(merge.merge)
app.command("clean")(clean.clean)
app.command("new")(new.new)
app.command("simulate")(simulate.simulate)
app.command("selftest")(selftest.selftest)
app.add_typer(data.app, name="data")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"bench {bench.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Entry point of the console script. Exit status: 0 done, 1 some work failed, 2 the call or its input is wrong."""
    try:
        app()
    except BenchError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {_escaped(str(error))}", highlight=False)
        sys.exit(error.status)
    except KeyboardInterrupt:
        sys.exit(130)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
