"""`bench selftest`: simulated worlds through the pipeline, truth against recovered; exit status 1 when a line fails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: Boards per world, and draws over loci of each, without --full: half of a minute.
QUICK_BOARDS, DRAWS = 6, 200


def selftest(
    full: Annotated[
        bool,
        typer.Option("--full", help="More boards per world, and the coverage study: some 15 minutes, to --report."),
    ] = False,
    report: Annotated[Path, typer.Option(help="Where --full writes its study.")] = Path("docs/calibration.md"),
    repetitions: Annotated[int, typer.Option(help="Boards per world with --full.", min=2)] = 40,
    seed: Annotated[int, typer.Option(help="Seed of the simulated worlds.", min=0)] = 1,
) -> None:
    """Run simulated assays with known GC shares through the pipeline and check what comes back, each world by itself.
    About a minute."""
    import inspect
    import time

    from rich.console import Console
    from rich.markup import escape

    from bench.selftest.grid import Size, run_checks
    from bench.selftest.lines import Line, passed
    from bench.selftest.worlds import judge_worlds

    console = Console(highlight=False, soft_wrap=True)
    began = time.perf_counter()
    lines: list[Line] = []

    def show(line: Line) -> None:
        console.print(
            f"  {_mark(line.passed)} {line.what:<36} truth {line.truth:<9} recovered {escape(line.recovered):<24}"
            f" ({escape(line.rule)})"
        )

    for check, found in run_checks(Size(seed=seed)):
        console.print(f"[bold]{escape(' '.join((inspect.getdoc(check) or '').split()))}[/]")
        for line in found:
            show(line)
        lines += found
    boards = repetitions if full else QUICK_BOARDS
    console.print(f"[bold]Named worlds (bench simulate --world), {boards} boards each, judged one by one.[/]")
    judged = []
    for world in judge_worlds(boards, DRAWS, seed):
        found = world.lines()
        console.print(f"  {_mark(passed(found))} {world.world.name:<26} {escape(world.in_words())}")
        for line in found:
            if not line.passed:
                show(line)
        lines += found
        judged.append(world)
    good = sum(line.passed for line in lines)
    console.print(f"{good} of {len(lines)} lines passed in {time.perf_counter() - began:.0f} s")
    failed = good < len(lines)
    if full:
        from bench.selftest.study import run_study, write_report

        study = run_study(repetitions, seed, console.print, judged)
        write_report(study, report)
        for criterion in study.criteria():
            console.print(f"  {_mark(criterion.passed)} {escape(criterion.what)}: {escape(criterion.found)}")
            failed |= not criterion.passed
        console.print(f"wrote {escape(str(report))}")
    raise typer.Exit(1 if failed else 0)


def _mark(passed: bool) -> str:
    return "[green]PASS[/]" if passed else "[red]FAIL[/]"
