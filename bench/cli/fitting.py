"""Options that several verbs have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TaskName = Annotated[str, typer.Argument(help="A data set's name or a task file (.toml).")]
Pairs = Annotated[
    list[str] | None,
    typer.Option("--pair", "-p", help="'featurizer + model', such as 'kmers[k=5] + xgboost'. Repeatable."),
]
Seeds = Annotated[int, typer.Option(help="Seeds of every stochastic model: 0 .. N-1.", min=1)]
SplitName = Annotated[str | None, typer.Option(help="In place of the task's own.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads; all by default.", min=1)]
Workers = Annotated[int, typer.Option(help="Processes that fit side by side. 0: this process.", min=0)]
Timeout = Annotated[float | None, typer.Option(help="Seconds after which a fit is given up.", min=0.1)]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", envvar="BENCH_DATA_DIR", help="Folder that holds the public files.")
]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="A Python file with featurizers or models. Repeatable.")
]
TrustModels = Annotated[
    bool,
    typer.Option(
        "--trust-models",
        help="Read kept models of third-party plugins, which may run anything: only of a folder that you made."
        " Otherwise they are fitted again.",
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of predictions and board.")]
