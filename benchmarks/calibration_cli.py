"""Coverage and bias of GC's share by the real command line, in worlds that share no code with the package.

Every repetition writes a table and a task file of a world of ``tests/support/worlds.py``, fits GC (`bench run`), scores
stored predictions D and the noise-free activity T (`bench score`), and reads `bench report`'s summary.json: nothing is
called but the entry point of the command. Pictures are not drawn. Markdown on standard output, with standard errors.

    python benchmarks/calibration_cli.py [--repetitions 60] [--first 5000] [--only "equal;two modes"]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
import worlds

DEFAULT = "equal;noise replicate of three;library bias, no biology;two modes"
#: Bases per row: GC fractions of a world are continuous, a sequence has whole bases.
LENGTH = 200


def bench(*words: object) -> None:
    """One call of the command, by its entry point; its output is kept back unless it fails."""
    from bench.cli.main import main
    from bench.report.plots import Links

    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["bench", *map(str, words)]),
        mock.patch("bench.report.plots.draw_pictures", return_value=(Links(), {})),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        try:
            main()
        except SystemExit as end:
            if end.code not in (0, None):
                raise RuntimeError(f"bench {' '.join(map(str, words))}: {said.getvalue()}") from None


def write_task(world: worlds.World, folder: Path, rng: np.random.Generator) -> Path:
    """The table and the task file of a world, with its own folds."""
    n, k = world.y.shape
    strong = np.clip(np.round(world.gc * LENGTH), 1, LENGTH - 1).astype(int)
    order = np.argsort(rng.random((n, LENGTH)), axis=1)
    letters = np.where(
        order < strong[:, None], rng.choice(list("GC"), (n, LENGTH)), rng.choice(list("AT"), (n, LENGTH))
    )
    table: dict[str, Any] = {
        "id": [f"r{i}" for i in range(n)],
        "sequence": ["".join(row) for row in letters],
        "chrom": [f"chr{c + 1}" for c in world.chrom],
        "locus": world.locus,
        "part": world.fold + 1,
    }
    table |= {f"rep{i + 1}": world.y[:, i] for i in range(k)}
    columns = ""
    if world.dna is not None:
        table["dna_count"] = world.dna
        columns += 'covariates = ["dna_count"]\n'
    if world.control is not None and world.control.any():
        table["control"] = world.control.astype(int)
        columns += 'control = "control"\n'
    if world.stratum is not None:
        table["stratum"] = world.stratum
        columns += 'strata = ["stratum"]\n'
    pd.DataFrame(table).to_csv(folder / "world.tsv", sep="\t", index=False)
    replicates = json.dumps([f"rep{i + 1}" for i in range(k)])
    (folder / "world.toml").write_text(
        f'name = "world"\ntable = "world.tsv"\nsplit = "column[name=part]"\n\n[columns]\n{columns}\n'
        f"[targets.activity]\nreplicates = {replicates}\n"
    )
    return folder / "world.toml"


def score(task: Path, out: Path, name: str, prediction: np.ndarray, folds: int) -> None:
    """Hand in predictions; with ``folds`` those of all rows in every fold, so that the row can be chosen."""
    ids = [f"r{i}" for i in range(len(prediction))]
    frame = pd.DataFrame({"id": ids, "prediction": prediction})
    if folds:
        frame = pd.concat([frame.assign(fold=fold + 1) for fold in range(folds)])
    path = task.parent / f"{name}.tsv"
    frame.to_csv(path, sep="\t", index=False)
    bench("score", path, "--task", task, "--name", name, "--out", out)


def one(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """What a reader of summary.json finds of one repetition."""
    world, out = worlds.make(name, seed), folder / "results"
    task = write_task(world, folder, np.random.default_rng(seed))
    bench("run", "--task", task, "-f", "gc", "-m", "gc-curve", "--out", out, "--threads", 1)
    score(task, out, "T", world.T, 0)
    score(task, out, "D", world.D, int(world.fold.max()) + 1)
    board = json.loads((out / "world" / "summary.json").read_text())["boards"][0]
    share = board["share"]
    kept = {"value": np.nan, "low": np.nan, "high": np.nan, "given": np.nan, "given low": np.nan, "given high": np.nan}
    if share["of_explainable"] is not None:
        kept |= share["of_explainable"]
    if share["given_dna"] is not None:
        kept |= {f"given {key}".replace("given value", "given"): end for key, end in share["given_dna"].items()}
    oracle = next(row for row in board["rows"] if row["model"] == "T")["of_ceiling"]
    return kept | {
        "oracle": np.nan if oracle is None else oracle["value"],
        "warned": any(test["matters"] for test in board["library"]),
        "at least": bool(share["at_least"]),
        "simpson": any(found["opposite"] or found["pooled_only"] for found in board["heterogeneity"].values()),
        "best": board["best"],
    }


def line(name: str, rows: list[dict[str, Any]]) -> str:
    """One row of the table."""
    frame, truth = pd.DataFrame(rows), worlds.truth(name)
    known = frame[frame["value"].notna()]

    def rate(hit: pd.Series) -> str:
        return f"{hit.mean():.3f} ± {np.sqrt(hit.mean() * (1 - hit.mean()) / len(hit)):.3f}" if len(hit) else ""

    value, inside = known["value"], (known["low"] <= truth) & (truth <= known["high"])
    spread = np.diff(np.quantile(value, [0.025, 0.975]))[0] if len(value) > 20 else np.nan
    oracle = frame["oracle"].dropna()
    given = frame[frame["given"].notna()]
    held = (given["given low"] <= truth) & (truth <= given["given high"])
    cells = [
        name,
        str(len(frame)),
        f"{truth:.3f}",
        f"{1 - len(known) / len(frame):.2f}",
        f"{value.mean() - truth:+.3f} ± {value.std() / np.sqrt(len(value)):.3f}",
        rate(inside),
        f"{(known['high'] - known['low']).median() / spread:.2f}",
        f"{100 * oracle.mean():.1f} ± {100 * oracle.std() / np.sqrt(len(oracle)):.1f}" if len(oracle) > 1 else "n/a",
        *(f"{frame[key].mean():.3f}" for key in ("warned", "at least", "simpson")),
        f"{given['given'].mean():.3f}, {rate(held)}" if len(given) else "",
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    "world", "boards", "truth", "n/a", "bias", "coverage", "width/range", "oracle %", "warned", "at least", "Simpson",
    "given DNA: mean, coverage",
)  # fmt: skip


def main() -> None:
    """Parse the options, and print a row per world as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=60)
    parser.add_argument("--first", type=int, default=5000, help="first seed")
    parser.add_argument("--only", default=DEFAULT, help="names of worlds, with semicolons between them")
    call = parser.parse_args()
    began = time.process_time()
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}", flush=True)
    for name in call.only.split(";"):
        rows = []
        for i in range(call.repetitions):
            folder = Path(tempfile.mkdtemp(prefix="calibration-"))
            try:
                rows.append(one(name, call.first + i, folder))
            finally:
                shutil.rmtree(folder)
            print(".", end="", file=sys.stderr, flush=True)
        print(line(name, rows), flush=True)
    print(f"\n{time.process_time() - began:.0f} s of CPU time")


if __name__ == "__main__":
    main()
