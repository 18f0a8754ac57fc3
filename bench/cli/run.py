"""`bench run`: lay out the fits, say what they will take, do those that are missing, write the board."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.fitting import DataDir, Device, Out, Plugins, Threads, Timeout

if TYPE_CHECKING:
    from bench.run.places.place import Place


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
    features: Annotated[
        Path | None,
        typer.Option("--features", help="Features made elsewhere, found by id: .npy, .parquet or .zarr. With --name."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What --features are called on the board.")] = None,
    ids: Annotated[
        Path | None, typer.Option("--ids", help="Ids of the rows of --features and --twin, one a line.")
    ] = None,
    twin: Annotated[
        Path | None, typer.Option("--twin", help="The same features from the untrained network, shown beside.")
    ] = None,
    trained_on: Annotated[
        str | None, typer.Option("--trained-on", help="What made the --features was trained on, in words.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds of every stochastic model: 0 .. N-1.")] = 1,
    split: Annotated[
        str | None, typer.Option(help="In place of the task's own, such as holdout[valid=chr18,test=chr8].")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A look of 20 s a task: first fold, at most 2,000 training rows, what is fast; kept apart."
        ),
    ] = False,
    out: Out = Path("results"),
    cache: Annotated[
        str, typer.Option(help="reuse: fit what is missing. refresh: fit all again. only: fit nothing.")
    ] = "reuse",
    keep_models: Annotated[
        bool,
        typer.Option("--keep-models", help="Keep the fitted models beside the results, for `bench explain`."),
    ] = False,
    device: Device = "auto",
    threads: Threads = None,
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
    timeout: Timeout = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and its estimate, and stop.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Print where the time went, by stage.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List every fit, and everything that is skipped with its reason.")
    ] = False,
) -> None:
    """Fit what is asked for and write `leaderboard.md`. Finished results are kept and reused: call again to resume."""
    from rich.console import Console

    from bench.cli.printing import print_board_so_far, print_features, print_outcome, print_plan, print_stages
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.run.device import cpu_threads, resolve_device
    from bench.run.execute import run_plan
    from bench.run.feature_sets import feature_sets, known_before, with_features, write_features
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection, make_plan
    from bench.run.queue import Options
    from bench.store.stages import Stages
    from bench.store.store import Store

    if not every and not task:
        raise BenchError("say what to run: bench run --all, or bench run --task NAME (bench list shows the names).")
    remote = scheduler is not None or cluster is not None
    if remote and (workers or (scheduler and cluster)):
        raise BenchError("--workers, --scheduler and --cluster exclude each other.")
    if spread and not remote:
        raise BenchError("--spread is for the workers of a cluster: give --scheduler or --cluster too.")
    # The GPUs of a cluster are its workers'.
    resolve_device("auto" if remote and device == "cuda" else device, ("cpu", "cuda"))
    console = Console()
    store = Store(out)
    if not dry_run and cache != "only":
        store.check_writable()
    given = feature_sets(features, name, ids, twin, trained_on)
    featurizer = with_features(featurizer, given)
    selection = Selection(
        tasks=tuple(task) if task else None,
        featurizers=tuple(featurizer) if featurizer else None,
        models=tuple(model) if model else None,
        seeds=seeds,
        split=split,
        quick=quick,
        data_dir=data_dir,
        cache=cache,  # type: ignore[arg-type]
        keep_models=keep_models,
    )
    stages = Stages()
    with Outside(timeout) as outside, stages.time("read"):
        registry = registry_of(plugin or [], describer=outside, features=given)
        for each in known_before(store, featurizer or (), registry):
            registry.add_features(each)
        plan = make_plan(selection, registry, store, outside=outside)
    print_plan(plan, console, list_fits=dry_run or verbose, list_skipped=verbose)
    if dry_run:
        return
    options = Options(device, threads, workers, timeout)
    with contextlib.ExitStack() as stack:
        places: list[Place] | None = None
        if remote and plan.jobs:
            places = stack.enter_context(_cluster_places(scheduler, cluster, cluster_config, threads, spread, timeout))
        outcome = run_plan(
            plan,
            registry,
            store,
            console,
            options,
            places,
            board=lambda: print_board_so_far(store, console, stages),
            stages=stages,
        )
    if given and not outcome.interrupted:
        print_features(write_features(plan, registry, store, threads or cpu_threads()), console)
    status = print_outcome(plan, outcome, store, console, stages)
    if outcome.note is not None:
        outcome.note.add_stages(stages)
    if profile:
        print_stages(stages, console)
    raise typer.Exit(status)


@contextlib.contextmanager
def _cluster_places(
    scheduler: str | None,
    cluster: str | None,
    config: Path | None,
    threads: int | None,
    spread: bool,
    timeout: float | None,
) -> Iterator[list[Place]]:
    """Places on a Dask scheduler that is there, or on a queueing system."""
    from bench.run.places.cluster import ClusterPlace, queue_places, scheduler_places
    from bench.run.places.spread import Spread

    kind = Spread if spread else ClusterPlace
    found = (
        queue_places(cluster or "", config, threads, kind, timeout)
        if scheduler is None
        else scheduler_places(scheduler, threads, kind, timeout)
    )
    with found as places:
        yield list(places)
