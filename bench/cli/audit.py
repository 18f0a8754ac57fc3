"""`bench audit`: what is wrong with a task before any model is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, SplitName


def audit(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A data set's name or a task file (.toml).")],
    split: SplitName = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="warn or fail: from which finding on the exit status is 1.")
    ] = "fail",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object in place of the table.")] = False,
    data_dir: DataDir = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with data sets. Repeatable.")
    ] = None,
) -> None:
    """Confounders, duplicates across the split, ties, filters, folds and replicates of a task, each with a verdict."""
    import itertools
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.markup import escape

    from bench.audit.audit import audit as checks
    from bench.audit.audit import failed
    from bench.audit.table import check_table
    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.places.outside import Outside
    from bench.tasks.load import concrete_folds, load_task

    failed([], fail_on)  # type: ignore[arg-type]  # a wrong word is refused before the work
    try:
        with Outside(settable=False) as outside:
            loaded = load_task(task, registry_of(plugin or [], describer=outside), data_dir, split)
    except Unavailable as absent:
        raise BenchError(f"{task}: {absent}") from None
    folds = concrete_folds(loaded, split, quick=False)
    colours = {"PASS": "green", "WARN": "yellow", "FAIL": "red", "SKIPPED": "dim"}
    console = Console(highlight=False, soft_wrap=True)
    if not json_:
        console.print(f"[bold]{escape(loaded.card.name)}[/]: {len(loaded):,} rows, split {escape(folds.name)}")
    found = []
    columns = check_table(Path(task)) if task.endswith(".toml") else iter(())
    for finding in itertools.chain(checks(loaded, folds), columns):
        found.append(finding)
        if not json_:
            about = f"{finding.about}: " if finding.about else ""
            mark = f"[{colours[finding.status]}]{finding.status:<7}[/]"
            console.print(f"{mark} {finding.check:<15} {escape(about + finding.reason)}")
    counts = {status: sum(finding.status == status for finding in found) for status in colours}
    if json_:
        head = {"task": loaded.card.name, "rows": len(loaded), "split": folds.name, "counts": counts}
        typer.echo(json.dumps({**head, "findings": [asdict(finding) for finding in found]}, indent=1))
    else:
        console.print(", ".join(f"{number} {status}" for status, number in counts.items()))
    raise typer.Exit(1 if failed(found, fail_on) else 0)  # type: ignore[arg-type]
