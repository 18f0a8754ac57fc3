"""`bench curve`: who wins at which number of training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def curve(
    task: Annotated[str, typer.Argument(help="A data set's name or a task file (.toml).")],
    pair: Annotated[
        list[str] | None,
        typer.Option("--pair", "-p", help="'featurizer + model', such as 'kmers[k=5] + xgboost'. Repeatable."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of every stochastic model: 0 .. N-1.", min=1)] = 1,
    split: Annotated[str | None, typer.Option(help="In place of the task's own.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Its folder `curves` gets results, page and pictures.")
    ] = Path("results"),
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; all by default.", min=1)] = None,
    workers: Annotated[int, typer.Option(help="Processes that fit side by side. 0: this process.", min=0)] = 0,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which a fit is given up.", min=0.1)] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with featurizers or models. Repeatable.")
    ] = None,
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
    from bench.run.execute import Options, run_plan
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection
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
    found = [each for each in curves(store.root) if each.task == plan.tasks[0].name]
    if not found:
        raise BenchError(f"{task}: no pair has results at two numbers of training rows.", status=1)
    console.print(f"curves: {write_curves(found, store.root)}", highlight=False, soft_wrap=True)
    raise typer.Exit(130 if outcome.interrupted else 1 if outcome.failed else 0)
