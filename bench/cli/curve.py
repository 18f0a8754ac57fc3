"""`bench curve`: who wins at which number of training rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

#: Fitted where nothing is named: GC, composition, k-mers, motifs and a network, each with the learner that suits it.
DEFAULT_PAIRS = (
    ("gc", "gc-curve"),
    ("composition", "lightgbm"),
    ("kmers", "ridge"),
    ("motifs", "lightgbm"),
    ("one-hot", "cnn"),
)


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

    from bench.board.curve import curves, sizes
    from bench.cli.printing import print_plan, read_pair
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.report.curve import write_curves
    from bench.run.execute import Options, run_plan
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection, make_plan
    from bench.store.store import Store
    from bench.tasks.load import load_planned
    from bench.tasks.splits import Split
    from bench.tasks.task import TRAIN

    pairs = [read_pair(text) for text in pair] if pair else list(DEFAULT_PAIRS)
    store = Store(out / "curves")
    store.check_writable()
    console = Console()
    with Outside(timeout) as outside:
        registry = registry_of(plugin or [], describer=outside)
        planned = load_planned(Selection((task,), split=split, data_dir=data_dir).source(task), registry)
        whole = Split.parse(planned.folds.name)
        plans = []
        for train in sizes(int((planned.folds.part == TRAIN).sum(axis=1).mean())):
            of_size = Split(whole.kind, whole.k, whole.valid, whole.test, whole.drop, whole.column, train)
            for featurizer, model in pairs:
                selection = Selection((task,), (featurizer,), (model,), seeds, str(of_size), data_dir=data_dir)
                try:
                    plans.append(make_plan(selection, registry, store, outside=outside))
                except BenchError as error:  # no motifs of this organism, say
                    if pair:
                        raise
                    console.print(f"[yellow]left out[/] {featurizer} + {model}: {error}", highlight=False)
    if not plans:
        raise BenchError(f"{task}: none of the pairs can be run on it. Name others with --pair.")
    plan = plans[0]
    for other in plans[1:]:
        plan.tasks += other.tasks
        plan.jobs += other.jobs
        plan.reused += other.reused
        plan.skipped += other.skipped
    print_plan(plan, console, list_fits=False, list_skipped=False)
    outcome = run_plan(plan, registry, store, console, Options(device, threads, workers, timeout))
    found = [each for each in curves(store.root) if each.task == planned.name]
    if not found:
        raise BenchError(f"{task}: no pair has results at two numbers of training rows.", status=1)
    console.print(f"curves: {write_curves(found, store.root)}", highlight=False, soft_wrap=True)
    raise typer.Exit(130 if outcome.interrupted else 1 if outcome.failed else 0)
