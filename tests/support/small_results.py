"""Output folders of small results, for the tests of the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from small_tasks import write_small_task

from bench.store.external import score_predictions
from bench.store.result import ResultId
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file

SPLIT = "chromosome-kfold[k=3]"


def results(
    out: Path, *names: str, rows: int = 90, seed: int = 0, shift: float = 0.0, into: Path | None = None
) -> Path:
    """An output folder (``into``, or ``out``) with one result a name, of predictions that depend on the name and
    ``shift`` alone. The data lie beside ``out``."""
    data = out.parent / f"data-{rows}-{seed}"
    task = load_task_file(data / "small.toml" if data.is_dir() else write_small_task(data, rows=rows, seed=seed))
    store = Store(into or out)
    store.write_task(task, np.zeros(len(task), np.float32))
    for name in names:
        rng = np.random.default_rng(sum(map(ord, name)))
        table = out.parent / "p.tsv"
        lines = [f"{row}\t{value + shift}" for row, value in zip(task.row_id, rng.normal(size=rows), strict=True)]
        table.write_text("id\tprediction\n" + "\n".join(lines) + "\n")
        score_predictions(store, task, make_folds(task), None, table, name)
    return into or out


def result(name: str) -> ResultId:
    return ResultId("small", "t0", SPLIT, "external", name, 0)


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
