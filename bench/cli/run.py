"""`bench run`: lay out results, say what they will take, fit what is missing, write the board."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer


def run(
    every: Annotated[
        bool, typer.Option("--all", help="Every task that is there, every featurizer, every model.")
    ] = False,
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="A data set's name or a task file (.toml). Repeatable.")
    ] = None,
    featurizer: Annotated[
        list[str] | None,
        typer.Option("--featurizer", "-f", help="Such as gc, kmers[k=5] or a sweep kmers[k=3..6]. Repeatable."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="Such as xgboost or cnn[arch=basset]. Repeatable.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of every stochastic model: 0 .. N-1.")] = 1,
    split: Annotated[
        str | None, typer.Option(help="In place of the task's own, such as holdout[valid=chr18,test=chr8].")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="First fold, at most 2,000 training rows: a look, kept apart from full runs."),
    ] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of predictions and board.")] = Path("results"),
    cache: Annotated[
        str, typer.Option(help="reuse: fit what is missing. refresh: fit all again. only: fit nothing.")
    ] = "reuse",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; all by default.", min=1)] = None,
    workers: Annotated[
        int, typer.Option(help="Processes that fit side by side, threads shared out. 0: this process.", min=0)
    ] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers fit: tcp://host:8786.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Queueing system to submit workers to: slurm, pbs, lsf or sge.")
    ] = None,
    cluster_config: Annotated[
        Path | None, typer.Option("--cluster-config", help="Size of the workers of --cluster (.toml).")
    ] = None,
    spread: Annotated[
        bool,
        typer.Option(
            "--spread",
            help="Boosters and forests are fitted by all workers together, each on its share of the rows: for a task"
            " larger than a machine. With --scheduler or --cluster.",
        ),
    ] = False,
    timeout: Annotated[float | None, typer.Option(help="Seconds after which a result is given up.", min=0.1)] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
    ] = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with featurizers or models. Repeatable.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its estimate, and stop.")] = False,
) -> None:
    """Run results and write `leaderboard.md`. Finished results are kept and reused: call it again to go on."""
    from rich.console import Console

    from bench.cli.printing import print_outcome, print_plan
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.device import resolve_device
    from bench.run.execute import Options, run_plan
    from bench.run.plan import PROBE_SECONDS, make_plan
    from bench.store.store import Store
    from bench.tasks.load import Selection

    if not every and not task:
        raise BenchError("say what to run: bench run --all, or bench run --task NAME (bench list shows the names).")
    remote = scheduler is not None or cluster is not None
    if remote and (workers or timeout or (scheduler and cluster)):
        raise BenchError("--workers, --scheduler and --cluster exclude each other, and --timeout the last two.")
    if spread and not remote:
        raise BenchError("--spread is for the workers of a cluster: give --scheduler or --cluster too.")
    # The GPUs of a cluster are its workers'.
    resolve_device("auto" if remote and device == "cuda" else device, ("cpu", "cuda"))
    console = Console()
    store = Store(out)
    if not dry_run:
        store.check_writable()
    selection = Selection(
        tasks=tuple(task) if task else None,
        featurizers=tuple(featurizer) if featurizer else None,
        models=tuple(model) if model else None,
        seeds=seeds,
        split=split,
        quick=quick,
        data_dir=data_dir,
    )
    registry = registry_of(plugin or [])
    patience = min(timeout or PROBE_SECONDS, PROBE_SECONDS)
    plan = make_plan(selection, registry, store, cache, patience=patience)  # type: ignore[arg-type]
    print_plan(plan, console, verbose=dry_run)
    if dry_run:
        return
    options = Options(device, threads, workers, timeout, refresh=cache == "refresh")
    with contextlib.ExitStack() as stack:
        lanes = None
        if remote and plan.jobs:
            from bench.run.places import cluster as dask
            from bench.run.places.spread import SpreadLane

            lane = SpreadLane if spread else dask.DaskLane
            place = (
                dask.scheduler_lanes(scheduler, threads, lane)
                if scheduler
                else dask.queue_lanes(cluster or "", cluster_config, threads, lane)
            )
            lanes = stack.enter_context(place)
        outcome = run_plan(plan, selection, registry, store, console, options, lanes)
    raise typer.Exit(print_outcome(plan, outcome, store, console))
