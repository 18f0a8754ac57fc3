"""How far estimates were off, by the notes on calls of `bench run` in a folder of results.

    python benchmarks/estimates.py results

Within a factor of 2, as a share of the fits: by the plan alone, by what was known when a fit began, and by its first
fold. Told apart are fits of a model of which the same call had fitted another before.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.store.record import FitNote, RunRecord, read_record

FACTOR = 2.0


def right(thought: float, took: float) -> bool:
    """Whether an estimate is within the factor; what took less than half a second counts as half a second."""
    thought, took = max(thought, 0.5), max(took, 0.5)
    return 1 / FACTOR <= thought / took <= FACTOR


def share(pairs: list[tuple[float, float]]) -> str:
    """``87 % of 61``."""
    return f"{100 * sum(right(*pair) for pair in pairs) / len(pairs):.0f} % of {len(pairs)}" if pairs else "none"


def main() -> None:
    """Print the shares of all notes in a folder."""
    parser = argparse.ArgumentParser(description="How far estimates were off.")
    parser.add_argument("results", type=Path)
    notes: list[FitNote] = []
    known: list[FitNote] = []
    for path in sorted((parser.parse_args().results / "runs").glob("*.json")):
        record = read_record(RunRecord, path).record
        seen: set[str] = set()
        for note in [] if record is None else record.fits:
            model = note.pair.rpartition(" + ")[2]
            known += [note] if model in seen else []
            seen.add(model)
            notes.append(note)
    folds = [(note.after_first_fold, note.took) for note in notes if note.after_first_fold is not None]
    print("plan alone:              ", share([(note.planned, note.took) for note in notes]))
    print("when it began:           ", share([(note.at_start, note.took) for note in notes]))
    print("  its model fitted before:", share([(note.at_start, note.took) for note in known]))
    print("after its first fold:    ", share(folds))


if __name__ == "__main__":
    main()
