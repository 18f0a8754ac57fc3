"""`bench new`: write a plugin and its test, and say what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    kind: Annotated[str, typer.Argument(metavar="featurizer|model|task")],
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and dashes, such as gc-skew.")],
    folder: Annotated[
        Path, typer.Option(help="Where featurizers/, models/, tasks/ and tests/ are, or will be.")
    ] = Path(),
) -> None:
    """Write a featurizer, a model or a task together with its test; both pass as written. Nothing is overwritten."""
    from rich.console import Console

    from bench.plugins.scaffold import write_new
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside

    console = Console(soft_wrap=True, highlight=False, markup=False)
    with Outside(settable=False) as outside:
        written, commands = write_new(kind, name, folder, registry_of([], describer=outside))
    for path in written:
        console.print(f"wrote {path}")
    console.print("next:")
    for command in commands:
        console.print(f"  {command}")
