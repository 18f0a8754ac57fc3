"""Everything that changes a folder of results: stopped at every file operation, and on a disk that is full at each.

A ``Scenario`` makes a small folder and changes it. ``tried`` changes it again and again with a fault at another
operation, and checks that nothing which was whole is lost, and that the next call, without a fault, leaves what an
undisturbed one would have left. All of them:

    python tests/support/interrupted.py
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from faults import Faults, Stopped
from rich.console import Console
from small_results import result, results
from small_tasks import write_small_task
from stored import description

from bench.board.published import read_summary
from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.report import write_board
from bench.report.plots import Links
from bench.run.execute import run_plan
from bench.run.plan import Selection, make_plan
from bench.store.clean import leftovers, remove
from bench.store.merge import merge, plan_merge
from bench.store.reading import PREDICTIONS, read_task
from bench.store.record import State
from bench.store.store import Store
from bench.tasks.task_file import load_task_file

FAULTS = ("before", "after", "full")


@dataclass(frozen=True)
class Scenario:
    """``make`` : a folder below the one given, before the change. ``change`` : what is interrupted, with that folder
    and the one that holds everything else."""

    make: Callable[[Path], None]
    change: Callable[[Path, Path], None]


def whole(out: Path) -> dict[str, tuple[str, bytes]]:
    """Every whole result: its key and its predictions."""
    return {
        str(stored.result): (stored.record.key, (stored.folder / PREDICTIONS).read_bytes())
        for stored in Store(out).results()
        if stored.whole and stored.record is not None
    }


def state(out: Path) -> tuple[object, ...]:
    """All that a reader makes of a folder, but for the time at which it was made."""
    store = Store(out)
    tasks = [(task.folder.name, task.state, task.record, task.plan, task.folds) for task in store.tasks()]
    failed = [(str(note.result), note.reason) for _, note in store.failures()]
    board = out / "leaderboard.md"
    return tasks, whole(out), failed, list(store.unreadable()), board.read_text() if board.is_file() else ""


def some_results(home: Path) -> None:
    """Two results, a failure, and what a run tells of its task."""
    results(home / "out", "a", "b", rows=30)
    Store(home / "out").write_failure(description(result("c")), "no luck", "why")


# ---- what is interrupted ---------------------------------------------------------------------------------------------
def score_again(out: Path, home: Path) -> None:
    """Other predictions under a name that is there, and a new one."""
    results(home / "again" / "out", "a", "d", rows=30, shift=1.0, into=out)


def new_table(out: Path, home: Path) -> None:
    """The task's table has changed: its rows are written again."""
    folder = home / "new-table"
    task = load_task_file(folder / "small.toml" if folder.is_dir() else write_small_task(folder, rows=36, seed=5))
    Store(out).write_task(task, np.zeros(36, np.float32))


def refit_fails(out: Path, home: Path) -> None:
    """A fit fails of which there is a result."""
    Store(out).write_failure(description(result("a")), "no luck", "why")


def fit_again(out: Path, home: Path) -> None:
    """A run that fits everything again."""
    folder = home / "fitted"
    task = str(folder / "small.toml" if folder.is_dir() else write_small_task(folder, rows=30))
    selection = Selection((task,), ("gc",), ("mean",), cache="refresh")
    store, registry = Store(out), Registry(folder=home)
    run_plan(make_plan(selection, registry, store), registry, store, Console(quiet=True))


def join(out: Path, home: Path) -> None:
    """Two folders into one that has a result of them already."""
    sources = []
    for name in ("one", "two"):
        if not (home / name).is_dir():
            results(home / name / "out", "b", name, rows=30, shift=2.0)
            Store(home / name / "out").write_failure(description(result(f"bad {name}")), "no luck", "why")
        sources.append(home / name / "out")
    merge(plan_merge(sources, out, home / "one" / "out"), out)


def with_leftovers(home: Path) -> None:
    """Results, one of them damaged, a failure, and empty folders."""
    some_results(home)
    out = home / "out"
    results(home / "other" / "out", "e", rows=30, into=out)
    (out / result("e").path / PREDICTIONS).write_bytes(b"PAR1")
    (out / "small" / "t0" / "empty").mkdir()
    Store(out).write_failure(description(result("a")), "no luck", "why")


def clean_up(out: Path, home: Path) -> None:
    """Delete what may go."""
    remove(leftovers(out, failed=True, stale=True), out)


def report(out: Path, home: Path) -> None:
    """Write the board."""
    with mock.patch("bench.report.plots.draw_pictures", return_value=(Links(), {})):
        write_board(out)


def fitted_before(home: Path) -> None:
    """What ``fit_again`` fits."""
    fit_again(home / "out", home)


SCENARIOS = {
    "score": Scenario(some_results, score_again),
    "table": Scenario(some_results, new_table),
    "failure": Scenario(some_results, refit_fails),
    "run": Scenario(fitted_before, fit_again),
    "merge": Scenario(some_results, join),
    "clean": Scenario(with_leftovers, clean_up),
    "report": Scenario(some_results, report),
}


# ---- trying ----------------------------------------------------------------------------------------------------------
def tried(name: str, home: Path, every: int = 1, first: int = 0) -> int:
    """Interrupt a scenario at each ``every``-th operation. Returns how many faults were tried."""
    scenario = SCENARIOS[name]
    scenario.make(home)
    before = home / "out"
    undisturbed = _copy(before, home)
    with Faults(undisturbed)() as counted:
        scenario.change(undisturbed, home)
    wanted, old = state(undisturbed), whole(before)
    shutil.rmtree(undisturbed)
    gone = set(old) - set(whole_after := dict(wanted[1]))
    count = 0
    for how in FAULTS:
        for at in range(first, len(counted.done), every):
            out = _copy(before, home)
            with contextlib.suppress(Stopped), Faults(out, at, how)():
                said = _said(scenario, out, home)
                assert said is None or (how == "full" and said.isprintable() and "the disk is full" in said), said
            where = f"{name}, {how} {counted.done[at]}"
            there = whole(out)
            for key, kept in old.items():
                assert there.get(key) in (kept, whole_after.get(key)) or key in gone, f"{where}: {key} is lost"
            assert read_task(out / "small").state == State.WHOLE, f"{where}: the task is lost"
            if (out / "small" / "summary.json").exists():
                read_summary(out / "small" / "summary.json")
            scenario.change(out, home)
            assert state(out) == wanted, f"{where}: the next call does not finish the work"
            shutil.rmtree(out)
            count += 1
    return count


def _said(scenario: Scenario, out: Path, home: Path) -> str | None:
    """Change a folder; what a person reads where it is refused."""
    try:
        scenario.change(out, home)
    except BenchError as error:
        return str(error)
    return None


def _copy(folder: Path, home: Path) -> Path:
    """A copy at one and the same place, which the board and messages may name."""
    return Path(shutil.copytree(folder, home / "work" / "out"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Stop every change of a folder of results at every file operation.")
    parser.add_argument("--only", choices=sorted(SCENARIOS))
    parser.add_argument("--every", type=int, default=1)
    asked = parser.parse_args()
    for name in [asked.only] if asked.only else SCENARIOS:
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="bench-faults-") as folder:
            count = tried(name, Path(folder), asked.every)
        print(f"{name:<12} {count:>6,} faults, nothing lost, {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
