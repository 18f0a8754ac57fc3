"""The `bench` command: mounts one module a verb and turns a BenchError into one line and an exit status."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer
from rich.console import Console

import bench
from bench.cli import (
    audit,
    blend,
    check,
    clean,
    compare,
    curve,
    data,
    doctor,
    explain,
    init,
    list_,
    merge,
    new,
    report,
    run,
    score,
    selftest,
    shift,
    simulate,
    transfer,
)
from bench.errors import BenchError, Unavailable

#: Exit status of a call that Ctrl-C ended.
INTERRUPTED = 130

app = typer.Typer(
    help="How much of a reporter assay is GC content? Featurizers x learners under shared splits, and an honest board.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("run")(run.run)
app.command("init")(init.init)
app.command("report")(report.report)
app.command("list")(list_.list_plugins)
app.command("doctor")(doctor.doctor)
app.command("check")(check.check)
app.command("audit")(audit.audit)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("blend")(blend.blend)
app.command("transfer")(transfer.transfer)
app.command("curve")(curve.curve)
app.command("shift")(shift.shift)
app.command("score")(score.score)
app.command("merge")(merge.merge)
app.command("clean")(clean.clean)
app.command("new")(new.new)
app.command("simulate")(simulate.simulate)
app.command("selftest")(selftest.selftest)
app.add_typer(data.app, name="data")


#: What typer raises for a call it does not understand (it brings its own copy of click).
_USAGE: Any = next(each for each in typer.BadParameter.__mro__ if each.__name__ == "UsageError")


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
        status = app(standalone_mode=False) or 0
        if status == INTERRUPTED:
            _leave_at_once()
        sys.exit(status)
    except BenchError as error:
        _say(str(error))
        sys.exit(error.status)
    except Unavailable as absent:
        _say(str(absent))
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        Console(stderr=True).print("[yellow]interrupted: what is finished is kept; the same call goes on[/]")
        _leave_at_once()
    except _USAGE as error:
        if error.format_message():  # without one it is a bare call, which has printed its help
            _say(_usage(error))
        sys.exit(2)


def _leave_at_once() -> NoReturn:
    """End after Ctrl-C: all files are closed, and libraries that tidy up their threads can take long."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _usage(error: Any) -> str:
    """One line for a call that the command line does not understand: no such option, a value out of range ..."""
    message = " ".join(error.format_message().split())
    command = error.ctx.command_path if error.ctx is not None else "bench"
    return f"{message}{'' if message.endswith(('.', '?', ')')) else '.'} See: {command} --help"


def _say(message: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {_escaped(message)}", highlight=False)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
