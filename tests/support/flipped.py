"""A byte changed in a file of a folder of results: what a reader makes of it.

For each change the folder is read as ``bench report`` reads it, with what was computed before and without. Then either
the board is the sound one to the last letter, or something is named that lies in the changed file's folder, and every
row that is still there has the score it had. ``--flips 4000`` tries so many:

    python tests/support/flipped.py --flips 4000
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from unittest import mock

import numpy as np
from small_results import result, results
from small_tasks import write_small_task
from stored import description

from bench.board.schema import Summary
from bench.errors import BenchError
from bench.report.build import MadeBoard, make_board
from bench.report.plots import Links
from bench.store.clean import leftovers
from bench.store.merge import plan_merge
from bench.store.reading import SUMMARY
from bench.store.record import SkipRecord
from bench.store.store import Store
from bench.tasks.folds import make_folds
from bench.tasks.task_file import load_task_file

T = TypeVar("T")


def sound(home: Path) -> Path:
    """A folder with a file of every kind: two targets' worth of results, a failed fit, a failed refit, folds, a plan, a
    summary, and a second task of which only the summary is there."""
    out = results(home / "out", "a", "b", "c", rows=60)
    store, task = Store(out), load_task_file(home / "data-60-0" / "small.toml")
    store.write_folds("small", make_folds(task), {"exact": 3, "reverse_complement": 1, "test_rows": 60})
    skip = SkipRecord(task="small", featurizer="gc", model="cnn", reason="no signal", what="small · gc + cnn")
    store.write_skipped("small", [skip])
    store.write_failure(description(result("bad")), "no luck", "why")
    store.write_failure(description(result("b")), "less luck", "why")
    made = board(out)
    published = load_task_file(write_small_task(home / "published", rows=30, name="published"))
    store.write_task(published, np.zeros(30, np.float32))
    shutil.rmtree(out / "published")
    (out / "published").mkdir()
    other = made.summaries[0].model_dump()
    other["task"]["name"] = "published"
    Summary.model_validate(other).write(out / "published" / SUMMARY)
    board(out)
    return out


def board(out: Path) -> MadeBoard:
    """The board of a folder, written; pictures are drawn from the same numbers."""
    with mock.patch("bench.report.plots.draw_pictures", return_value=(Links(), {})):
        return make_board(out)


def scores(made: MadeBoard) -> dict[tuple[str, str, str, str], float | None]:
    """Every score that a board shows."""
    return {
        (summary.task.name, each.target, each.split, row.name): None if row.score is None else row.score.value
        for summary in made.summaries
        for each in summary.boards
        for row in each.rows
    }


def files(out: Path) -> list[Path]:
    """Files below a folder that hold something, by name, locks left out."""
    found = [path for path in out.rglob("*") if path.is_file() and ".locks" not in path.parts and path.stat().st_size]
    return sorted(path.relative_to(out) for path in found)


def tried(home: Path, flips: int, seed: int = 0) -> collections.Counter[str]:
    """Change so many bytes, spread evenly over the kinds of file. Returns how many changes were named, and how many
    left the board as it was, by the file's name."""
    rng = random.Random(seed)
    whole = sound(home)
    text = (whole / "leaderboard.md").read_text(encoding="utf-8")
    right = scores(board(whole))
    kinds = collections.defaultdict(list)
    for path in files(whole):
        kinds[path.name, path.parts[0]].append(path)
    tally: collections.Counter[str] = collections.Counter()
    out = home / "flipped" / "out"
    for number in range(flips):
        path = rng.choice(kinds[sorted(kinds)[number % len(kinds)]])
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(whole, out)
        if number // len(kinds) % 2 and path.name != SUMMARY:
            (out / "small" / SUMMARY).unlink()  # every number is computed again
        content = bytearray((out / path).read_bytes())
        at, bit = rng.randrange(len(content)), rng.choice((1, 2, 4, 8, 16, 32, 64, 128, 255))
        content[at] ^= bit
        (out / path).write_bytes(content)
        tally[f"{path.name}: {read(out, path, text, right)}"] += 1
    return tally


def read(out: Path, path: Path, text: str, right: dict[tuple[str, str, str, str], float | None]) -> str:
    """Read a folder with one changed file; an AssertionError where a number differs and nothing is said."""
    where = f"a byte of {path}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made, refusal = clean_error(lambda: board(out))
        leftovers(out, failed=True, stale=True)
        clean_error(lambda: plan_merge([out], out.parent / "merged"))
    if made is None:
        assert path.name in refusal, f"{where}: {refusal}"
        return "refused"
    for key, score in scores(made).items():
        assert right[key] == score, f"{where}: {key} was {right[key]}, is {score}"
    said = " ".join(made.troubles)
    assert said.isprintable()
    if (out / "leaderboard.md").read_text(encoding="utf-8") == text:
        assert not said or path.parent.as_posix() in said, f"{where}: {said}"
        return "the same board" if not said else "named"
    assert path.parent.as_posix() in said, f"{where}: another board, and it is not named: {said}"
    assert "." in said, f"{where}: no fix: {said}"
    return "named"


def clean_error(call: Callable[[], T]) -> tuple[T | None, str]:
    """What a call gives, and what a person reads where it is refused: one printable line."""
    try:
        return call(), ""
    except BenchError as error:
        said = str(error)
    assert said.isprintable()
    return None, said


def main() -> None:
    parser = argparse.ArgumentParser(description="Change bytes in every kind of file of a folder of results.")
    parser.add_argument("--flips", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-flips-") as folder:
        tally = tried(Path(folder), asked.flips, asked.seed)
    for what, count in sorted(tally.items()):
        print(f"{what:<48} {count:>6,}")
    print(f"{'all':<48} {tally.total():>6,} in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
