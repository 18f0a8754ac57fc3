"""`bench score`: predictions made elsewhere go onto the board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Out, SplitName


def score(
    predictions: Annotated[
        Path, typer.Argument(help="TSV or CSV with the columns id and prediction, and fold (from 1) if you like.")
    ],
    task: Annotated[str, typer.Option("--task", "-t", help="A data set's name or a task file (.toml).")],
    name: Annotated[str, typer.Option(help="What to call the model on the board, such as 'my net'.")],
    target: Annotated[str | None, typer.Option(help="Which target, where the task has several.")] = None,
    featurizer: Annotated[str, typer.Option(help="What to call its features on the board.")] = "external",
    seed: Annotated[int, typer.Option(help="Number of the run, for several seeds of one model.", min=0)] = 0,
    deep: Annotated[
        bool, typer.Option("--deep", help="A deep model: the board then says whether it only counts GC.")
    ] = False,
    split: SplitName = None,
    out: Out = Path("results"),
    data_dir: DataDir = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with data sets. Repeatable.")
    ] = None,
) -> None:
    """Put predictions of any model on the board, next to the built-in ones and with the same statistics.

    Every measured test row needs a prediction. With predictions of the validation rows too, the board can choose the
    model as the best one; it never chooses by test scores.
    """
    from rich.console import Console

    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.plugins.settings import registry_of
    from bench.report import write_board
    from bench.run.places.outside import Outside
    from bench.store.external import score_predictions
    from bench.store.store import Store
    from bench.tasks.load import TaskSource, load_planned

    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        with Outside(settable=False) as outside:
            registry = registry_of(plugin or [], describer=outside)
            planned = load_planned(TaskSource(task, split, data_dir=data_dir), registry)
    except Unavailable as absent:
        raise BenchError(f"{task}: {absent}") from None
    store = Store(out)
    store.check_writable()
    scored = score_predictions(
        store, planned.task, planned.folds, target, predictions, name, featurizer=featurizer, seed=seed, deep=deep
    )
    store.write_task(planned.task, planned.gc)
    means = {part: "n/a" if mean is None else f"{mean:.3f}" for part, mean in scored.means.items()}
    console.print(f"{scored.result}: {'replaced' if scored.replaced else 'stored'}")
    console.print("Spearman " + ", ".join(f"{part} {means[part]} ({scored.rows[part]:,} rows)" for part in means))
    chosen = target or next(iter(planned.task.targets))
    if planned.task.targets[chosen].kind == "binary":
        console.print(
            "a binary target: the board has AUROC, average precision and, of probabilities, their calibration"
        )
    if scored.unused:
        console.print(f"{scored.unused:,} predictions not used: not measured, or left out by the task or its split")
    if not scored.rows["valid"]:
        console.print("no validation rows: the board shows it, but cannot choose it as the best model")
    console.print(f"leaderboard: {write_board(out)}")
