"""`bench shift`: what a score rests on, under other splits and by likeness to training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Device, Pairs, Plugins, Seeds, SplitName, TaskName, Threads, Timeout, Workers


def shift(
    task: TaskName,
    pair: Pairs = None,
    seeds: Seeds = 1,
    split: SplitName = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Its folder `shift` gets results and page.")] = Path(
        "results"
    ),
    device: Device = "auto",
    threads: Threads = None,
    workers: Workers = 0,
    timeout: Timeout = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
) -> None:
    """Fit pairs on the task's split, on halves of GC and on random rows, and write `shift/shift-TASK.md`: who carries
    over to another GC content, and who looks values up. Finished results are kept and reused."""
    from rich.console import Console

    from bench.board.shift import shift_panels
    from bench.cli.printing import print_plan, read_pair
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.report.shift import write_shift
    from bench.run.execute import run_plan
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection
    from bench.run.queue import Options
    from bench.run.shift import likeness, plan_shift
    from bench.store.store import Store

    pairs = [read_pair(text) for text in pair or ()]
    store = Store(out / "shift")
    store.check_writable()
    console = Console()
    selection = Selection((task,), seeds=seeds, split=split, data_dir=data_dir)
    with Outside(timeout) as outside:
        registry = registry_of(plugin or [], describer=outside)
        plan, planned = plan_shift(selection, pairs, registry, store, outside)
    print_plan(plan, console, list_fits=False, list_skipped=False)
    outcome = run_plan(plan, registry, store, console, Options(device, threads, workers, timeout))
    panels = shift_panels(store.root, planned.name, planned.folds.name, likeness(planned))
    if not panels:
        raise BenchError(f"{task}: no pair has results on its own split.", status=1)
    console.print(f"panel: {write_shift(panels, store.root)}", highlight=False, soft_wrap=True)
    raise typer.Exit(130 if outcome.interrupted else 1 if outcome.failed else 0)
