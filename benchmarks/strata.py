"""Strata at SuRE's size: 2.2 million rows against 50,000 intervals of chromatin states, then every figure by state.

``python benchmarks/strata.py --rows 2200000 --intervals 50000`` simulates rows whose share of GC differs by state
(``tests/support/stratified.py``), reads the states from a BED file, and prints seconds of each step and the share of
each state beside the truth.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from stratified import Stratified, stratified


@contextmanager
def timed(name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"| {name} | {time.perf_counter() - wall:.1f} | {time.process_time() - cpu:.1f} |", flush=True)


def assigned(rows: Stratified, bed: Path) -> np.ndarray:
    """The state of every row, as a task file's ``[strata.state]`` gives it."""
    import pandas as pd

    from bench.sequences import Sequences
    from bench.tasks.columns import Columns
    from bench.tasks.places import Places
    from bench.tasks.spec import TargetSpec, TaskSpec
    from bench.tasks.strata import strata_of
    from bench.tasks.stratum_spec import StratumSpec

    n = len(rows.start)
    spec = TaskSpec(name="s", targets={"y": TargetSpec(replicates=["r"])}, strata={"state": StratumSpec(file=bed)})
    places = Places(rows.chrom, rows.start, rows.end, np.zeros(n, np.bool_), np.ones(n, np.bool_))
    none = np.zeros(n, np.int64)
    sequences = Sequences.from_intervals(np.zeros(1, np.uint8), none, none + 1)
    table = Columns.of(pd.DataFrame(index=range(n)), "simulated")
    return strata_of(table, spec, places, sequences, {}).labels["state"]


def board_of(rows: Stratified, state: np.ndarray) -> tuple[Any, ...]:
    """A board of two learners on all rows, five folds of chromosomes: what ``strata_summary`` takes."""
    import pandas as pd

    from bench.board.joint import Joint
    from bench.board.load import Board
    from bench.stats.bootstrap import Draws, block_codes
    from bench.tasks.task import Target

    n = len(rows.start)
    fold = np.unique(rows.chrom, return_inverse=True)[1] % 5
    order = np.lexsort((np.arange(n), fold))
    y = rows.y.mean(axis=1)
    best = rows.gc + 0.02 * y + 0.05 * np.random.default_rng(1).normal(size=n)
    frame = pd.DataFrame({"gc": rows.gc, "s:state": pd.Categorical(state)})
    codes, loci = block_codes(rows.locus)
    target = Target("y", rows.y, tuple(f"r{i}" for i in range(rows.y.shape[1])), loci=loci)
    board = Board(None, frame, target, order, fold[order], [], [])
    pairs = {name: SimpleNamespace(test=column[order][None]) for name, column in (("gc", rows.gc), ("best", best))}
    folds = len(np.unique(fold))
    choices = {role: SimpleNamespace(by_fold=(role,) * folds, figures=None) for role in pairs}
    found = SimpleNamespace(chosen=lambda role: role, choices=choices, share=None)
    return board, found, pairs, Joint(codes, Draws(loci))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_200_000)
    parser.add_argument("--intervals", type=int, default=50_000)
    parser.add_argument("--profile", action="store_true")
    size = parser.parse_args()
    rows = stratified(size.rows, size.intervals)
    print("| step | wall s | CPU s |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        bed = rows.write_bed(Path(folder) / "states.bed")
        with timed("read the BED file and label the rows"):
            state = assigned(rows, bed)
    wrong = float((state != rows.state).mean())
    board, found, pairs, joint = board_of(rows, state)
    profile = None
    if size.profile:
        import cProfile

        profile = cProfile.Profile()
        profile.enable()
    from bench.board.strata import strata_summary

    with timed("all figures by state"):
        tables, stories, _ = strata_summary(board, found, pairs, joint)
    if profile is not None:
        import pstats

        profile.disable()
        pstats.Stats(profile).sort_stats("cumulative").print_stats(25)
    print(f"\nrows labelled otherwise than they were made: {wrong:.2%}\n")
    print("| state | rows | share | truth |\n|---|---|---|---|")
    for level in tables["state"]:
        if level.level is not None:
            print(f"| {level.level} | {level.n:,} | {level.share.value:.3f} | {rows.truth[level.level]:.3f} |")
    story = stories["state"]
    print(f"\nCochran's Q {story.q:.0f}, I² {story.i2:.2f}; with the state held fixed {story.within.value:.3f}")


if __name__ == "__main__":
    main()
