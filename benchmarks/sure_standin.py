"""SuRE at size: every stage from the counts file to predictions on a stand-in, timed, with its peak of memory.

``python benchmarks/sure_standin.py --fragments 2200000`` writes (or reuses) a stand-in with as many fragments of
10 plasmid reads or more, over 300 Mb at 2.2 M fragments and as dense at other sizes, and prints a Markdown table.
``--growth`` prints one for 10 k, 30 k, 100 k ... up to the number; ``--many`` featurizes 20 M fragments with GC alone.

Memory is this process's own (RssAnon, sampled); pages of memory-mapped files, which the system takes back when it needs
them, are not counted, and ru_maxrss, which counts them, is printed below the table.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from standin import fragments_of, random_chromosome, write_standin

#: Share of the rows of a stand-in that have 10 plasmid reads or more: P(Poisson(Gamma(.7, 8)) > 9).
KEPT = 0.20
DENSITY = 300_000_000 / 2_200_000
FEATURIZERS = ("gc", "gc-windows", "kmers[k=6]")
MODELS = ("gc-curve", "ridge", "xgboost", "random-forest", "lightgbm")


class Stages:
    """Lines of the table: name, wall and CPU seconds, peak of this process's own memory while it ran."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float, float, float, str]] = []

    @contextmanager
    def stage(self, name: str, note: str = "") -> Iterator[dict[str, str]]:
        said = {"note": note}
        stop, peak = threading.Event(), [own_memory()]

        def watch() -> None:
            while not stop.wait(0.02):
                peak[0] = max(peak[0], own_memory())

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield said
        finally:
            line = (name, time.perf_counter() - wall, time.process_time() - cpu)
            stop.set()
            watcher.join()
            self.lines.append((*line, max(peak[0], own_memory()), said["note"]))
            print(f"  {name}: {line[1]:.1f} s, {self.lines[-1][3]:.2f} GB {said['note']}", file=sys.stderr, flush=True)

    def table(self) -> str:
        rows = ["| stage | wall s | CPU s | peak GB | |", "|---|---|---|---|---|"]
        rows += [f"| {n} | {w:.1f} | {c:.1f} | {m:.2f} | {t} |" for n, w, c, m, t in self.lines]
        return "\n".join(rows)


def own_memory() -> float:
    """Gigabytes that are this process's alone."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e6


def measure(
    folder: Path, fragments: int, featurizers: list[str], models: list[str], rounds: int | None, trees: int | None
) -> Stages:
    """Every stage on one stand-in of so many fragments."""
    from bench.datasets.sure2017 import COUNTS, GENOMES, SuRE2017, read_counts
    from bench.fit.features import Workspace
    from bench.fit.fit import FitJob, fit_job
    from bench.fit.worker import Probe
    from bench.plugins.registry import Registry
    from bench.run.device import cpu_threads
    from bench.run.plan import why_not
    from bench.tasks.load import concrete_folds
    from bench.tasks.loci import overlapping

    stages = Stages()
    rows, bases = int(fragments / KEPT), max(int(fragments * DENSITY), 3_000_000)
    here = folder / f"standin-{fragments}"
    os.environ["BENCH_CACHE_DIR"] = str(folder / "cache")
    if not (here / "done").exists():
        with stages.stage("write the stand-in", f"{rows:,} rows, {bases / 1e6:.0f} Mb"):
            write_standin(here, rows=rows, bases=bases)
            (here / "done").touch()
    dataset = SuRE2017()
    with stages.stage("read, sum, filter", f"{(here / COUNTS).stat().st_size / 1e6:.0f} MB of gzip"):
        kept = read_counts(here / COUNTS, dataset.rule)
    with stages.stage("loci by merged overlaps") as said:
        frame = kept.rows
        loci = overlapping(frame["chrom"].astype(str), frame["start"].to_numpy(), frame["end"].to_numpy())
        said["note"] = f"{len(frame):,} fragments, {loci.max() + 1:,} loci"
    del kept, frame, loci
    with stages.stage("task: rows, genome, checks, digest", f"{(here / GENOMES[0]).stat().st_size / 1e6:.0f} MB FASTA"):
        task = dataset.load(here)
    with stages.stage("split"):
        folds = concrete_folds(task, None, False)
    registry, workspace = Registry(), Workspace()
    for name in featurizers:
        featurizer = registry.make("featurizer", name)
        gc.collect()
        with stages.stage(f"features {featurizer.name}") as said:
            features = workspace.features_of(task, featurizer)
            how = "made again at each use" if hasattr(features.values, "read") else "held"
            said["note"] = (
                f"{features.columns} columns {features.values.dtype}, {features.values.nbytes / 1e9:.2f} GB {how}"
            )
        probe = Probe(features.kind, features.columns, features.values.dtype.itemsize)
        for text in models:
            if rounds and text in ("xgboost", "lightgbm"):
                text = f"{text}[rounds={rounds}]"
            if trees and text == "random-forest":
                text = f"{text}[trees={trees}]"
            model = registry.make("model", text)
            if why_not(featurizer, model, probe, default_suite=False):
                continue
            with stages.stage(f"{featurizer.name} + {model.name}") as said:
                job = FitJob(task, folds, featurizer, model, 0, ("K562",), threads=cpu_threads())
                [result] = fit_job(job, workspace)
                seconds, scores = result.record.seconds, result.record.spearman
                said["note"] = (
                    f"fit {seconds['fit']:.0f} s on {result.record.fitted_rows[0]:,} rows, predict"
                    f" {seconds['predict']:.0f} s, shuffled {seconds.get('shuffled', 0):.0f} s,"
                    f" ρ test {scores['test'][0]:.3f}"
                )
            if featurizer.name == "gc" and model.name == "gc-curve":
                stages.lines.append(("", 0, 0, own_memory(), gc_share(here, task, folds, result)))
    return stages


def gc_share(here: Path, task: object, folds: object, result: object) -> str:
    """GC's share from the curve's predictions against what was planted in the test rows: the product form
    ρ(G, s1) ρ(G, s2) / (ρ(T, s1) ρ(T, s2)), T the planted activity, with a bootstrap of loci."""
    import pandas as pd

    from bench.stats.bootstrap import spearman_draws
    from bench.stats.intervals import estimate
    from bench.stats.ranks import spearman
    from bench.tasks.task import TEST

    planted = pd.read_parquet(here / "sure2017" / "standin_truth.parquet")
    planted = planted[planted["dna"] >= 10].reset_index(drop=True)
    got = result.predictions
    mine = got.part == TEST
    rows = got.row[mine]
    both = np.column_stack([got.prediction[mine], planted["activity"].to_numpy()[rows]]).astype(float)
    replicates = task.targets["K562"].replicates[rows]
    locus = np.unique(task.locus[rows], return_inverse=True)[1]
    truth = planted.iloc[rows][["gc", "activity"]].corr().iloc[0, 1] ** 2

    def share(rho: np.ndarray) -> np.ndarray:
        """From (draws, replicate, G or T)."""
        return rho[..., 0, 0] * rho[..., 1, 0] / (rho[..., 0, 1] * rho[..., 1, 1])

    at = np.array([[spearman(y, f) for f in both.T] for y in replicates.T])
    drawn = np.stack([spearman_draws(y, both, locus) for y in replicates.T], axis=1)
    found = estimate(float(share(at)), share(drawn), len(np.unique(locus)))
    return f"GC's share {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], planted in these rows {truth:.3f}"


def many_fragments(fragments: int, bases: int) -> Stages:
    """GC of so many fragments of a random genome."""
    from bench.kernels.gc import gc_fraction, gc_windows
    from bench.sequences import Sequences

    stages, rng = Stages(), np.random.default_rng(0)
    with stages.stage("genome and intervals", f"{bases / 1e6:.0f} Mb, {fragments:,} fragments"):
        buffer = random_chromosome(rng, bases)
        start, stop, reverse = fragments_of(rng, bases, fragments)
        sequences = Sequences.from_intervals(buffer, start, stop, reverse)
    with stages.stage("gc"):
        whole = gc_fraction(sequences)
    with stages.stage("gc-windows[n=20]", "float32"):
        windows = gc_windows(sequences, 20)
    with stages.stage("gc again", "prefix counts made"):
        assert np.array_equal(whole, gc_fraction(sequences))
    stages.lines[-2] = (*stages.lines[-2][:4], f"{windows.nbytes / 1e9:.2f} GB float32")
    return stages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fragments", type=int, default=10_000)
    parser.add_argument("--growth", action="store_true", help="from 10,000 up to --fragments")
    parser.add_argument("--many", type=int, metavar="N", help="GC of N fragments, and nothing else")
    parser.add_argument("--folder", type=Path, help="where stand-ins are kept for another run")
    parser.add_argument("-f", "--featurizer", action="append", default=None)
    parser.add_argument("-m", "--model", action="append", default=None)
    parser.add_argument("--rounds", type=int, help="of the boosters, in place of early stopping's")
    parser.add_argument("--trees", type=int, help="of the forest")
    given = parser.parse_args()
    if given.many:
        print(many_fragments(given.many, 300_000_000).table())
        return
    sizes = [n for n in (10_000, 30_000, 100_000, 300_000, 1_000_000) if n < given.fragments] if given.growth else []
    with tempfile.TemporaryDirectory() as temporary:
        for size in (*sizes, given.fragments):
            print(f"\n{size:,} fragments\n", file=sys.stderr)
            stages = measure(
                given.folder or Path(temporary),
                size,
                given.featurizer or list(FEATURIZERS),
                given.model or list(MODELS),
                given.rounds,
                given.trees,
            )
            print(f"\n### {size:,} fragments\n\n{stages.table()}\n")
            print(f"ru_maxrss {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
