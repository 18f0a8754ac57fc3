"""`bench blend`: a mixture of rows of the board, from their stored predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Out, SplitName, TaskName


def blend(
    task: TaskName,
    pair: Annotated[list[str], typer.Option("--pair", "-p", help="A member, 'featurizer + model'. Two or more.")],
    split: SplitName = None,
    out: Out = Path("results"),
    data_dir: DataDir = None,
    plugin: Annotated[
        list[Path] | None, typer.Option("--plugin", help="A Python file with plugins. Repeatable.")
    ] = None,
) -> None:
    """Mix stored predictions of rows named in advance, with non-negative weights, and put the blend on the board.

    Nothing is fitted again. Weights are fitted fold by fold on validation loci, with predictions of models that were
    not stopped by them; under a split of one fold the members weigh the same.
    """
    from rich.console import Console

    from bench.cli.printing import read_pair
    from bench.plugins.settings import registry_of
    from bench.report import write_board
    from bench.run.blend import blend as blend_pairs
    from bench.run.blend import names_as_stored
    from bench.run.places.outside import Outside
    from bench.run.plan import Selection
    from bench.store.store import Store
    from bench.tasks.load import load_planned

    console = Console(soft_wrap=True, highlight=False, markup=False)
    store = Store(out)
    store.check_writable()
    selection = Selection((task,), split=split, data_dir=data_dir)
    with Outside(settable=False) as outside:
        registry = registry_of(plugin or [], describer=outside)
        planned = load_planned(selection.source(task), registry)
        pairs = names_as_stored(selection, [read_pair(text) for text in pair], registry, store, outside)
    for result, new in blend_pairs(planned, store, pairs):
        record = store.record(result)
        assert record is not None
        weights = "; ".join(
            f"fold {fold} " + ", ".join(f"{name} {weight:.2f}" for name, weight in entries[0].items())
            for fold, entries in enumerate(record.history, 1)
        )
        console.print(f"{result}: {'stored' if new else 'reused'}. Weights: {weights}")
    console.print(f"leaderboard: {write_board(out)}")
