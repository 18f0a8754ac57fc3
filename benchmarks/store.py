"""What the store costs with many small results: planning, listing and reporting them, against another tree of this
repository in the same run.

    python benchmarks/store.py --against PATH [--results 10000] [--tasks 100]

Every tree writes its own folder of results, in its own format, and reads it with its own code. The calls alternate, and
each figure is the fastest of ``--rounds``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]

#: Runs in a process of its own with one tree on its path: makes the folder, or times one thing. Prints seconds.
DRIVER = """
import json, shutil, sys, time
from pathlib import Path
from unittest import mock

import numpy as np

try:
    from bench.store.store import Store
    from bench.store.external import score_predictions
    from bench.store.result import ResultId as Id
    from bench.files.atomic import read_json, write_json
    from bench.report.plots import Links
    from bench.store.clean import leftovers
    PICTURES, RECORD, DRAWN = "bench.report.plots.draw_pictures", "result.json", (Links(), {})
except ImportError:
    from bench.run.store import Store, read_json, write_json
    from bench.run.score import score_predictions
    from bench.run.cell import Cell as Id
    from bench.run.clean import leftovers
    PICTURES, RECORD, DRAWN = "bench.report.pictures.draw_pictures", "cell.json", {}
try:
    from bench.tasks.task_file import load_task_file
    from bench.tasks.folds import make_folds
except ImportError:
    from bench.tasks.spec import load_task_file
    from bench.tasks.splits import make_folds
from bench.report.build import write_board

what, out, tasks, results = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])


def place(record):
    return Id(*(record[name] for name in ("task", "target", "split", "featurizer", "model", "seed")))


def make():
    rng = np.random.default_rng(0)
    store = Store(out)
    for t in range(tasks):
        folder = out.parent / f"data-{t}"
        folder.mkdir(parents=True)
        lines = ["id\\tsequence\\tchrom\\tstart\\tend\\ta\\tb"]
        for i in range(60):
            bases = "".join(rng.choice(list("ACGT"), 20))
            row = (f"r{i}", bases, f"chr{1 + i % 6}", 100 * i, 100 * i + 20, *rng.normal(size=2))
            lines.append("\\t".join(map(str, row)))
        (folder / "t.tsv").write_text("\\n".join(lines) + "\\n")
        text = f"name='t{t}'\\ntable='t.tsv'\\nsplit='chromosome-kfold[k=3]'\\n[targets.y]\\nreplicates=['a','b']\\n"
        (folder / "t.toml").write_text(text)
        task = load_task_file(folder / "t.toml")
        folds = make_folds(task)
        store.write_task(task, np.full(60, 0.5, np.float32))
        store.write_folds(task.card.name if hasattr(task, "card") else task.name, folds,
                          {"exact": 0, "reverse_complement": 0, "test_rows": 60})
        table = folder / "p.tsv"
        table.write_text("id\\tprediction\\n" + "".join(f"r{i}\\t{rng.normal()}\\n" for i in range(60)))
        score_predictions(store, task, folds, "y", table, "m0")
        first = next(out.glob(f"t{t}/*/*/*/seed-0"))
        record = read_json(first / RECORD)
        for i in range(1, results // tasks):
            changed = {**record, "model": f"m{i}"}
            copy = store.folder(place(changed))
            shutil.copytree(first, copy)
            write_json(copy / RECORD, changed)


def plan():
    store = Store(out)
    found = 0
    for path in sorted(out.glob(f"*/*/*/*/seed-*/{RECORD}")):
        record = json.loads(path.read_bytes())
        began = time.perf_counter()
        found += store.has(place(record), record["key"])
        plan.spent += time.perf_counter() - began
    assert found == results, found


plan.spent = 0.0


def listing():
    assert sum(1 for _ in Store(out).records()) == results


def cleaning():
    assert leftovers(out, failed=True, stale=True) == []


def first():
    # The numbers of each board are kept in its summary: without it they are computed.
    for path in out.glob("*/summary.json"):
        path.unlink()
    began = time.perf_counter()
    report()
    first.spent = time.perf_counter() - began


first.spent = 0.0


def report():
    # Pictures are not the store's; both trees draw them alike.
    with mock.patch(PICTURES, return_value=DRAWN):
        write_board(out)


began = time.perf_counter()
{"make": make, "plan": plan, "list": listing, "clean": cleaning, "first": first, "report": report}[what]()
print("seconds", plan.spent or first.spent or time.perf_counter() - began)
"""


def call(tree: Path, what: str, out: Path, tasks: int, results: int) -> float:
    """Seconds that one thing takes with one tree's code."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", DRIVER, what, str(out), str(tasks), str(results)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=out.parents[1], check=False)
    if done.returncode:
        raise SystemExit(f"{tree}, {what}: {done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print a table: seconds of each tree, and their ratio."""
    parser = argparse.ArgumentParser(description="Planning, listing and reporting many small results.")
    parser.add_argument("--against", type=Path, required=True, help="Another tree of this repository.")
    parser.add_argument("--results", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    trees = {"this": HOME, "other": asked.against.resolve()}
    with tempfile.TemporaryDirectory(prefix="bench-store-") as folder:
        outs = {name: Path(folder) / name / "out" for name in trees}
        for name, tree in trees.items():
            call(tree, "make", outs[name], asked.tasks, asked.results)
        print(f"{asked.results:,} results of {asked.tasks} tasks; seconds\n")
        print("| | this tree | the other | ratio |\n|---|---:|---:|---:|")
        found = {}
        for what, rounds, words in (
            ("plan", asked.rounds, "ask for every result by its key"),
            ("list", asked.rounds, "list all records"),
            ("clean", asked.rounds, "look for what may go"),
            ("first", asked.rounds, "first report: every board is computed"),
            ("report", asked.rounds, "report, nothing changed"),
        ):
            spent: dict[str, list[float]] = {name: [] for name in trees}
            for _ in range(rounds):
                for name, tree in trees.items():
                    spent[name].append(call(tree, what, outs[name], asked.tasks, asked.results))
            ours, theirs = min(spent["this"]), min(spent["other"])
            found[words] = ours / theirs
            print(f"| {words} | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |", flush=True)
        print("\n" + json.dumps(found))


if __name__ == "__main__":
    main()
