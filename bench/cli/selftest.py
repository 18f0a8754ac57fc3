"""`bench selftest`: simulated worlds through the pipeline, truth against recovered; exit status 1 when a line fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def selftest(
    full: Annotated[
        bool, typer.Option("--full", help="Also the coverage study, some 10 minutes, written to --report.")
    ] = False,
    report: Annotated[Path, typer.Option(help="Where --full writes its study.")] = Path("docs/calibration.md"),
    repetitions: Annotated[int, typer.Option(help="Data sets per world of the study.", min=2)] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the simulated worlds.", min=0)] = 1,
) -> None:
    """Run simulated assays with known GC shares through the pipeline and check what comes back. About 2 minutes."""
    import inspect
    import time

    from rich.console import Console
    from rich.markup import escape

    from bench.selftest.grid import Size, run_checks

    console = Console()
    began = time.perf_counter()
    lines = []
    for check, found in run_checks(Size(seed=seed)):
        console.print(f"[bold]{escape(' '.join((inspect.getdoc(check) or '').split()))}[/]", highlight=False)
        for line in found:
            mark = "[green]PASS[/]" if line.passed else "[red]FAIL[/]"
            console.print(
                f"  {mark} {line.what:<35} truth {line.truth:<9} recovered {escape(line.recovered):<24}"
                f" ({escape(line.rule)})",
                highlight=False,
                soft_wrap=True,
            )
        lines += found
    good = sum(line.passed for line in lines)
    console.print(f"{good} of {len(lines)} lines passed in {time.perf_counter() - began:.0f} s", highlight=False)
    failed = good < len(lines)
    if full:
        from bench.selftest.study import run_study, write_report

        study = run_study(repetitions, seed, lambda said: console.print(said, highlight=False))
        write_report(study, report)
        for criterion in study.criteria():
            mark = "[green]PASS[/]" if criterion.passed else "[red]FAIL[/]"
            console.print(f"  {mark} {escape(criterion.what)}: {escape(criterion.found)}", highlight=False)
            failed |= not criterion.passed
        console.print(f"wrote {escape(str(report))}", highlight=False)
    raise typer.Exit(1 if failed else 0)
