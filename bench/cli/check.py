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
    timeout: Annotated[float, typer.Option(help="Seconds after which a check is given up.", min=0.1)] = 600.0,
) -> None:
    """Check featurizers, models and data sets: shapes, determinism, strands, seeds and the rest of the contract."""
    from rich.console import Console
    from rich.markup import escape

    from bench.checks.find import checks_of, plugins_of
    from bench.checks.verdicts import Place, isolated, verdict_of
    from bench.errors import BenchError, nearest
    from bench.plugins.kinds import GROUPS
    from bench.plugins.registry import is_built_in
    from bench.plugins.settings import registry_of

    if kind is not None and kind not in GROUPS:
        raise BenchError(f"--kind must be featurizer, model or dataset. Got {kind!r}.{nearest(kind, GROUPS)}")
    console = Console()

    def line(mark: str, colour: str, name: str, said: str) -> None:
        text = f"{name:<17} {escape(said)}".rstrip()
        console.print(f"  [{colour}]{mark:<5}[/] {text}", highlight=False, soft_wrap=True)

    registry = registry_of(plugin or [])
    plugins = [(name, i, *found) for name in names for i, found in enumerate(plugins_of(name, registry, kind))]
    all_passed = True
    for name, number, what, made in plugins:
        checks = checks_of(what, made, registry, data_dir)
        console.print(f"{what} [bold]{escape(checks[0].of)}[/]", highlight=False)
        place = Place(name, kind, number, registry.files, Path.cwd(), data_dir)
        own = is_built_in(type(made))
        passed = ran = 0
        for verdict in map(verdict_of, checks) if own else isolated(checks, place, timeout):
            mark = ("known", "yellow") if verdict.known else ("ok", "green") if verdict.good else ("FAIL", "red")
            line(*mark, verdict.name, verdict.said)
            passed, ran = passed + verdict.good, ran + 1
        rest = f", {len(checks) - ran} not run" if ran < len(checks) else ""
        console.print(f"{passed} of {len(checks)} checks passed{rest}", highlight=False)
        all_passed &= passed == len(checks)
    raise typer.Exit(0 if all_passed else 1)
