"""`bench curve`: who wins at which number of training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Device, Pairs, Plugins, Seeds, SplitName, TaskName, Threads, Timeout, Workers


def curve(
    task: TaskName,
    pair: Pairs = None,
    seeds: Seeds = 1,
    split: SplitName = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Its folder `curves` gets results, page and pictures.")
    ] = Path("results"),
    device: Device = "auto",
    threads: Threads = None,
    workers: Workers = 0,
    timeout: Timeout = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
) -> None:
    """Fit pairs on 250, 500, ... and all training rows, and write `curves/curves.md` with a picture for each target.
    Finished results are kept and reused: call again to resume."""
    from rich.console import Console

    from bench.board.curve import curves
    from bench.cli.printing import print_plan, read_pair
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.report.curve import write_curves
    from bench.run.curve import plan_curve
    from bench.run.execute import run_plan
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection
    from bench.run.queue import Options
    from bench.store.store import Store

    pairs = [read_pair(text) for text in pair or ()]
    store = Store(out / "curves")
    store.check_writable()
    console = Console()
    selection = Selection((task,), seeds=seeds, split=split, data_dir=data_dir)
    with Outside(timeout) as outside:
        registry = registry_of(plugin or [], describer=outside)
        plan = plan_curve(selection, pairs, registry, store, outside)
    print_plan(plan, console, list_fits=False, list_skipped=False)
    outcome = run_plan(plan, registry, store, console, Options(device, threads, workers, timeout))
    found = curves(store.root)  # of other tasks too: they share the page
    if not any(each.task == plan.tasks[0].name for each in found):
        raise BenchError(f"{task}: no pair has results at two numbers of training rows.", status=1)
    console.print(f"curves: {write_curves(found, store.root)}", highlight=False, soft_wrap=True)
    raise typer.Exit(130 if outcome.interrupted else 1 if outcome.failed else 0)
