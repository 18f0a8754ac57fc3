"""`bench transfer`: do models of one task predict the rows of another?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.fitting import DataDir, Device, Out, Plugins, Seeds, Threads, TrustModels


def transfer(
    source: Annotated[str, typer.Option("--from", help="Task whose models are asked: a data set or a task file.")],
    onto: Annotated[
        str,
        typer.Option("--to", help="Task whose rows they predict. Of some rows: 'mattioli2020[genome=mm9]'."),
    ],
    featurizer: Annotated[
        list[str] | None, typer.Option("--featurizer", "-f", help="With -m: which rows of the board. Repeatable.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", help="With -f: which rows of the board. Repeatable.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Target of the models, where their task has several.")] = None,
    to_target: Annotated[str | None, typer.Option("--to-target", help="Target of the rows; all by default.")] = None,
    lengths: Annotated[
        str,
        typer.Option(
            help="Rows longer or shorter than any that was fitted: centre (cut to the middle; shorter as they are), pad"
            " (the same, shorter between N), tile (longer in overlapping windows, averaged)."
        ),
    ] = "centre",
    all_rows: Annotated[
        bool, typer.Option("--all-rows", help="All rows of the other task, not those that its own split tests.")
    ] = False,
    seeds: Seeds = 1,
    split: Annotated[str | None, typer.Option(help="Of the models' task, in place of its own.")] = None,
    to_split: Annotated[str | None, typer.Option("--to-split", help="Of the other task, in place of its own.")] = None,
    out: Out = Path("results"),
    device: Device = "auto",
    threads: Threads = None,
    data_dir: DataDir = None,
    plugin: Plugins = None,
    trust_models: TrustModels = False,
) -> None:
    """Score fitted models of one task on the rows of another, beside GC alone and beside models trained there.

    What is missing is fitted and kept. All transfers of a folder stand in one table, transfer/transfer.md.
    """
    from rich.console import Console

    from bench.dataset import Unavailable
    from bench.errors import BenchError
    from bench.fit.lengths import LENGTHS
    from bench.plugins.settings import registry_of
    from bench.report.transfer import told, write_transfers
    from bench.run.places.outside import Outside
    from bench.run.queue import Options
    from bench.run.transfer import Asked
    from bench.run.transfer import transfer as run_transfer
    from bench.store.store import Store
    from bench.tasks.load import TaskSource

    rule = next((each for each in LENGTHS if each == lengths), None)
    if rule is None:
        raise BenchError(f"--lengths must be {', '.join(LENGTHS[:-1])} or {LENGTHS[-1]}. Got {lengths!r}.")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    store = Store(out)
    store.check_writable()
    asked = Asked(
        TaskSource(source, split, data_dir=data_dir),
        TaskSource(onto, to_split, data_dir=data_dir),
        target,
        to_target,
        tuple(featurizer or ()),
        tuple(model or ()),
        seeds,
        rule,
        all_rows,
        trust_models,
    )
    with Outside() as outside:
        registry = registry_of(plugin or [], describer=outside)
        try:
            options = Options(device, threads)
            found = run_transfer(asked, registry, store, Console(), options, console.print, outside)
        except Unavailable as absent:
            raise BenchError(str(absent)) from None
    for record in found:
        for line in told(record):
            console.print(line)
    console.print(f"transfers: {write_transfers(out)}")
