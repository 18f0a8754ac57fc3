"""`bench check`: does a plugin keep to the contract? One line a check; exit status 1 when one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Such as kmers, ridge[alpha=1] or path/to/mine.py.")
    ],
    kind: Annotated[str | None, typer.Option(help="featurizer, model or dataset, where a name is not enough.")] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with plugins. Repeatable.")
    ] = None,
) -> None:
    """Check featurizers, models and data sets: shapes, determinism, strands, seeds and the rest of the contract."""
    from rich.console import Console
    from rich.markup import escape

    from bench.checks import CheckFailed
    from bench.checks.find import checks_of, plugins_of
    from bench.errors import BenchError, nearest
    from bench.plugins import GROUPS
    from bench.run.settings import registry_of

    if kind is not None and kind not in GROUPS:
        raise BenchError(f"--kind must be featurizer, model or dataset. Got {kind!r}.{nearest(kind, GROUPS)}")
    console = Console()

    def line(mark: str, colour: str, name: str, said: str) -> None:
        text = f"{name:<17} {escape(said)}".rstrip()
        console.print(f"  [{colour}]{mark:<5}[/] {text}", highlight=False, soft_wrap=True)

    registry = registry_of(plugin or [])
    plugins = [found for name in names for found in plugins_of(name, registry, kind)]
    failed = 0
    for what, made in plugins:
        checks = checks_of(what, made, registry, data_dir)
        console.print(f"{what} [bold]{escape(checks[0].of)}[/]", highlight=False)
        mine = 0
        for each in checks:
            try:
                remark = each() or ""
            except CheckFailed as failure:
                mine += 1
                line("FAIL", "red", each.name, str(failure))
            else:
                line(*(("known", "yellow") if each.known_failure else ("ok", "green")), each.name, remark)
        console.print(f"{len(checks) - mine} of {len(checks)} checks passed", highlight=False)
        failed += mine
    raise typer.Exit(1 if failed else 0)
