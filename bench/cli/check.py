"""`bench check`: does a plugin keep to the contract? One line a check; exit status 1 when one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir


def check(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Such as kmers, ridge[alpha=1] or path/to/mine.py.")
    ],
    kind: Annotated[str | None, typer.Option(help="featurizer, model or dataset, where a name is not enough.")] = None,
    data_dir: DataDir = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with plugins. Repeatable.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds after which a check is given up.", min=0.1)] = 600.0,
) -> None:
    """Check featurizers, models and data sets: shapes, determinism, strands, seeds and the rest of the contract."""
    from rich.console import Console
    from rich.markup import escape

    from bench.checks.verdicts import Head, verdicts_of
    from bench.errors import BenchError, nearest
    from bench.plugins.kinds import GROUPS
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside

    if kind is not None and kind not in GROUPS:
        raise BenchError(f"--kind must be featurizer, model or dataset. Got {kind!r}.{nearest(kind, GROUPS)}")
    console = Console()

    def line(mark: str, colour: str, name: str, said: str) -> None:
        text = f"{name:<17} {escape(said)}".rstrip()
        console.print(f"  [{colour}]{mark:<5}[/] {text}", highlight=False, soft_wrap=True)

    def total(passed: int, ran: int, checks: int) -> None:
        rest = f", {checks - ran} not run" if ran < checks else ""
        console.print(f"{passed} of {checks} checks passed{rest}", highlight=False)

    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
    all_passed = True
    passed = ran = checks = 0
    for answer in verdicts_of(names, kind, registry, data_dir, timeout):
        if isinstance(answer, Head):
            if checks:
                total(passed, ran, checks)
            passed, ran, checks = 0, 0, len(answer.checks)
            console.print(f"{answer.kind} [bold]{escape(answer.of)}[/]", highlight=False)
            continue
        mark = ("known", "yellow") if answer.known else ("ok", "green") if answer.good else ("FAIL", "red")
        line(*mark, answer.name, answer.said)
        passed, ran = passed + answer.good, ran + 1
        all_passed &= answer.good
    total(passed, ran, checks)
    raise typer.Exit(0 if all_passed else 1)
