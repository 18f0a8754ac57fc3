"""The scan of motifs against lightmotif and memelite, in one run: ``python benchmarks/motifs.py [--quick]``.

Prints a Markdown table. Rates are by CPU time, so a neighbour on the machine changes them little; the last lines give
the wall seconds of all cores. The peers see a part of the rows and motifs, and their rates are of that part.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from bench.featurizers.composition import Composition
from bench.featurizers.kmers import Kmers
from bench.featurizers.thermo import Thermo
from bench.kernels.motifs import scan_motifs, scan_tables
from bench.motifs.database import jaspar_motifs
from bench.motifs.motif import Motif
from bench.sequences import Sequences, decode

LENGTH = 200
HEADER = ["kernel", "one core", "all cores", "peer", "its rate", "ratio", "wanted"]
WHAT = "motifs, best score and occupancy, both strands"


def cpu_seconds(call: Callable[[], Any], times: int = 3) -> float:
    """Least CPU seconds of several runs, after one that warms up (and compiles)."""
    call()
    taken = []
    for _ in range(times):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return min(taken)


def our_rate(texts: list[str], motifs: list[Motif]) -> float:
    """Rows and motifs of ``LENGTH`` bases a CPU second, in thousands."""
    sequences = Sequences.from_strings(texts)
    tables = scan_tables([motif.log_odds() for motif in motifs])
    numba.set_num_threads(1)
    try:
        return len(texts) * len(motifs) / cpu_seconds(lambda: scan_motifs(sequences, tables)) / 1e3
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)


def lightmotif_rates(texts: list[str], motifs: list[Motif]) -> dict[str, float]:
    """Its rates with a best score for each row, and with one best score of all rows end to end (which no row keeps)."""
    import lightmotif

    matrices = []
    for motif in motifs:
        counts = {base: motif.counts[:, i].round().astype(int).tolist() for i, base in enumerate("ACGT")}
        forward = lightmotif.CountMatrix(counts).normalize(0.1).log_odds()
        matrices += [forward, forward.reverse_complement()]
    rows, whole = [lightmotif.stripe(text) for text in texts], lightmotif.stripe("".join(texts))

    def scan(striped: list[Any]) -> None:
        for matrix in matrices:
            for row in striped:
                matrix.calculate(row).max()

    work = len(texts) * len(motifs) / 1e3
    return {
        "lightmotif, best of each row": work / cpu_seconds(lambda: scan(rows)),
        "lightmotif, best of all rows as one": work / cpu_seconds(lambda: scan([whole])),
    }


def memelite_rate(codes: Any, motifs: list[Motif]) -> float:
    """Its rate with hits at p < 1e-4."""
    import memelite

    one_hot = (codes[:, None, :] == np.arange(4)[None, :, None]).astype(np.int8)
    shares = {motif.title: 0.25 * np.exp2(motif.log_odds().T) for motif in motifs}
    return len(codes) * len(motifs) / cpu_seconds(lambda: memelite.fimo(shares, one_hot, threshold=1e-4)) / 1e3


def other_lines(texts: list[str]) -> list[list[str]]:
    """The other featurizers of composition and position, beside plain Python on the same rows (a part of them)."""
    import itertools

    few = texts[:2_000]
    sequences = Sequences.from_strings(texts)
    steps = {a + b: 1.0 for a, b in itertools.product("ACGT", repeat=2)}

    def plain_steps() -> None:
        for text in few:
            sum(steps[text[i : i + 2]] for i in range(len(text) - 1))

    def plain_composition() -> None:
        for text in few:
            [max(len(run) for run in text.split(base)) for base in "ACGT"]
            [len({text[i : i + k] for i in range(len(text) - k + 1)}) for k in range(1, 7)]

    def plain_windows() -> None:
        from collections import Counter

        for text in few:
            for window in range(10):
                part = text[window * 20 : window * 20 + 22]
                Counter(part[i : i + 3] for i in range(len(part) - 2))

    lines = []
    for what, featurizer, plain, name in (
        ("composition, 19 columns", Composition(), plain_composition, "sets of k-mers and runs, str"),
        ("thermo, 10 windows", Thermo(), plain_steps, "sum over a dict"),
        ("3-mers in 10 windows", Kmers(k=3, exact=True, windows=10), plain_windows, "Counter a window"),
    ):
        numba.set_num_threads(1)
        rate = len(texts) * LENGTH / 1e6 / cpu_seconds(lambda made=featurizer: made.transform(sequences))  # type: ignore[misc]
        theirs = len(few) * LENGTH / 1e6 / cpu_seconds(plain, 1)
        lines.append([what, f"{rate:,.0f} Mbase/s", "", name, f"{theirs:,.1f}", f"{rate / theirs:,.1f} ×", ""])
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    return lines


def main() -> None:
    """Print the table and the wall seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    quick = parser.parse_args().quick
    motifs = list(jaspar_motifs("vertebrates"))
    some = motifs[::20]
    rows = 10_000 if quick else 100_000
    codes = np.random.default_rng(0).integers(0, 4, (rows, LENGTH)).astype(np.uint8)
    texts = [decode(row) for row in codes]
    few = 500 if quick else 2_000
    rate = our_rate(texts[:few], some)
    lines = [[f"{WHAT}, {few:,} × {LENGTH} × {len(some)}", f"{rate:,.0f} k rows × motifs/s", "", "", "", "", ""]]
    peers: dict[str, float] = {}
    if importlib.util.find_spec("lightmotif"):
        peers |= lightmotif_rates(texts[:few], some)
    if importlib.util.find_spec("memelite"):
        peers["memelite FIMO, hits at p < 1e-4"] = memelite_rate(codes[:few], some)
    for name, theirs in peers.items():
        wanted = ">= 1 ×" if name.endswith("each row") else ""
        lines.append(
            [WHAT, f"{rate:,.0f} k rows × motifs/s", "", name, f"{theirs:,.1f}", f"{rate / theirs:,.1f} ×", wanted]
        )
    print(
        "\n".join("| " + " | ".join(row) + " |" for row in [HEADER, ["---"] * 7, *lines, *other_lines(texts[:20_000])])
    )
    sequences, tables = Sequences.from_strings(texts), scan_tables([motif.log_odds() for motif in motifs])
    scan_motifs(sequences.take(slice(0, 200)), tables)
    wall, cpu = time.perf_counter(), time.process_time()
    scan_motifs(sequences, tables)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    cores = numba.get_num_threads()
    print(f"\n{rows:,} × {LENGTH} × {len(motifs):,} motifs: {wall:.1f} s on {cores} cores, {cpu:.1f} CPU s", end="")
    print(" (wanted <= 60 s on two cores for 100,000 rows)")
    absent = [name for name in ("lightmotif", "memelite") if not importlib.util.find_spec(name)]
    if absent:
        print(f"\nNot compared, as they are not installed: {', '.join(absent)} (pip install 'bench-gc[peers]').")


if __name__ == "__main__":
    main()
