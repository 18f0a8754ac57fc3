"""Speed of the kernels against their peers, in one run: ``python benchmarks/kernels.py [--quick]``.

Prints a Markdown table. One-core figures are by CPU time, so a neighbour on the machine changes them little; the gain
of all cores over one is by wall time, best of several, and means nothing on a busy machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np

from bench.kernels.codes import padded_codes
from bench.kernels.gc import gc_fraction, gc_windows, rank_index
from bench.kernels.kmers import count_kmers
from bench.sequences import Sequences, decode, encode

K = 6


@dataclass(frozen=True)
class Line:
    """One line of the table. Rates are in ``unit`` a second."""

    what: str
    rate: float
    unit: str
    all_cores: float | None = None  # times one core
    peer: str = ""
    peer_rate: float | None = None
    wanted: str = ""

    def results(self) -> list[str]:
        ratio = "" if self.peer_rate is None else f"{self.rate / self.peer_rate:,.1f} ×"
        return [
            self.what,
            f"{self.rate:,.0f} {self.unit}/s",
            "" if self.all_cores is None else f"{self.all_cores:.2f} ×",
            self.peer,
            "" if self.peer_rate is None else f"{self.peer_rate:,.1f}",
            ratio,
            self.wanted,
        ]


HEADER = ["kernel", "one core", "all cores", "peer", "its rate", "ratio", "wanted"]


def seconds(call: Callable[[], Any], clock: Callable[[], float] = time.process_time, times: int = 5) -> float:
    """Best of several runs after one that warms up (and compiles)."""
    call()
    best = float("inf")
    for _ in range(times):
        began = clock()
        call()
        best = min(best, clock() - began)
    return best


def on_cores(call: Callable[[], Any], cores: int, clock: Callable[[], float]) -> float:
    """Seconds of a kernel on so many cores."""
    before = numba.get_num_threads()
    numba.set_num_threads(cores)
    try:
        return seconds(call, clock)
    finally:
        numba.set_num_threads(before)


def kernel_line(what: str, call: Callable[[], Any], amount: float, unit: str = "Mbase", **more: Any) -> Line:
    """``amount`` of work by a kernel: its rate on one core, and what all cores add."""
    cores = numba.config.NUMBA_NUM_THREADS
    gain = None
    if cores > 1:
        gain = on_cores(call, 1, time.perf_counter) / on_cores(call, cores, time.perf_counter)
    return Line(what, amount / on_cores(call, 1, time.process_time), unit, gain, **more)


def peer(line: Line, name: str, call: Callable[[], Any], amount: float, wanted: str = "") -> Line:
    """The same kernel beside a peer."""
    return Line(line.what, line.rate, line.unit, None, name, amount / seconds(call, times=2), wanted)


def ceiling_lines() -> list[Line]:
    """What the memory allows: bytes filled, copied and read a second by one core, and what all cores add to filling."""
    source = np.ones(256 << 20, np.uint8)
    target = np.empty_like(source)
    words = source.view(np.uint64)
    size = len(source) / 1e6
    cores = numba.config.NUMBA_NUM_THREADS

    def fill(threads: int) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda part: np.copyto(part, 1), np.array_split(target, threads)))

    gain = seconds(lambda: fill(1), time.perf_counter) / seconds(lambda: fill(cores), time.perf_counter)
    return [
        Line("memory: fill", size / seconds(lambda: fill(1)), "MB", gain if cores > 1 else None),
        Line("memory: copy", size / seconds(lambda: np.copyto(target, source)), "MB"),
        Line("memory: read (sum of 8-byte words)", size / seconds(words.sum), "MB"),
    ]


def oligo_lines(rows: int, length: int) -> list[Line]:
    """Kernels on a table of oligos, beside their peers on the same rows (or a part of them)."""
    rng = np.random.default_rng(0)
    texts = [decode(codes) for codes in rng.integers(0, 4, (rows, length)).astype(np.uint8)]
    few = texts[: max(rows // 10, 1)]
    sequences = Sequences.from_strings(texts)
    amount, few_amount = rows * length / 1e6, len(few) * length / 1e6
    counts = count_kmers(sequences, K, K)
    label = f"{rows:,} × {length}"

    words = kernel_line(
        f"{K}-mers, {label} ({counts.nbytes / amount / 1e6:.1f} bytes filled a base)",
        lambda: count_kmers(sequences, K, K, out=counts),
        amount,
        wanted=">= 800; cores >= 1.7",
    )
    lines = [words]
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer = CountVectorizer(analyzer="char", ngram_range=(K, K), lowercase=False)
    lines.append(peer(words, "CountVectorizer", lambda: vectorizer.fit_transform(few), few_amount, ">= 150 ×"))
    lines.append(peer(words, "Counter loop", lambda: [count_words(text) for text in few], few_amount))
    if importlib.util.find_spec("pykmertools"):
        import pykmertools

        oligos = pykmertools.OligoComputer(K)  # counts both strands in one column: half of our columns
        lines.append(peer(words, "pykmertools", lambda: oligos.vectorise_batch(few, False), few_amount))

    content = kernel_line(f"GC, {label}", lambda: gc_fraction(unshared(sequences)), amount, wanted=">= 3,000")
    lines.append(content)
    lines.append(peer(content, "str.count", lambda: [t.count("G") + t.count("C") for t in texts], amount))
    if importlib.util.find_spec("Bio"):
        from Bio.SeqUtils import gc_fraction

        lines.append(peer(content, "Biopython gc_fraction", lambda: [gc_fraction(text) for text in few], few_amount))

    letters = padded_codes(sequences)
    codes = kernel_line(f"codes, {label}", lambda: padded_codes(sequences, out=letters), amount, wanted=">= 1,200")
    lines.append(codes)
    lines.append(peer(codes, "NumPy table, row by row", lambda: [encode(text) for text in few], few_amount))
    if importlib.util.find_spec("seqpro"):
        import seqpro

        letters_of = np.frombuffer("".join(texts).encode(), "S1").reshape(rows, length)
        where = {base: code for code, base in enumerate("ACGT")}
        lines.append(peer(codes, "seqpro tokenize", lambda: seqpro.tokenize(letters_of, where, 4), amount))
        lines.append(peer(codes, "seqpro one-hot", lambda: seqpro.DNA.ohe(letters_of), amount))
    return lines


def fragment_lines(bases: int, rows: int, length: int) -> list[Line]:
    """Kernels on overlapping stranded fragments of a genome."""
    rng = np.random.default_rng(1)
    genome = rng.integers(0, 4, bases).astype(np.uint8)
    genome[bases // 2 : bases // 2 + bases // 50] = 4
    start = np.sort(rng.integers(0, bases - length, rows))  # as in a table of fragments
    fragments = Sequences.from_intervals(genome, start, start + length, rng.random(rows) < 0.5)
    amount = rows * length / 1e6
    label = f"{rows:,} fragments of {length:,}"
    few = fragments.take(slice(0, max(rows // 10, 1)))
    few_amount = len(few) * length / 1e6
    counts, codes = count_kmers(few, K, K), padded_codes(few)

    lines = [
        Line("GC index of a genome", bases / 1e6 / seconds(lambda: rank_index(genome)), "Mbase"),
        kernel_line(f"GC by index, {label}", lambda: gc_fraction(fragments), rows / 1e6, "M fragments", wanted=">= 30"),
    ]
    windows = kernel_line(f"20 GC windows, {label}", lambda: gc_windows(fragments, 20), amount)
    lines.append(windows)
    import pandas as pd

    texts = few.take(slice(0, 200)).to_strings()

    def rolling() -> None:
        for text in texts:
            hits = pd.Series(np.isin(np.frombuffer(text.encode(), np.uint8), (67, 71)), dtype=float)
            hits.rolling(length // 20).mean()[length // 20 - 1 :: length // 20]

    lines.append(peer(windows, "pandas rolling", rolling, len(texts) * length / 1e6, ">= 100 ×"))
    lines.append(
        kernel_line(
            f"{K}-mers, {len(few):,} of them",
            lambda: count_kmers(few, K, K, out=counts),
            few_amount,
            wanted=">= 800",
        )
    )
    lines.append(
        kernel_line(f"codes, {len(few):,} of them", lambda: padded_codes(few, out=codes), few_amount, wanted=">= 1,200")
    )
    return lines


def cutting_lines(bases: int, rows: int, length: int) -> list[Line]:
    """Fragments made ready for the kernels: the chromosome read once, against pyfaidx asked for one after the other."""
    import pyfaidx

    rng = np.random.default_rng(2)
    text = decode(rng.integers(0, 4, bases).astype(np.uint8))
    start = rng.integers(0, bases - length, rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "genome.fa"
        path.write_text(">chr1\n" + "\n".join(text[i : i + 60] for i in range(0, bases, 60)) + "\n")
        with pyfaidx.Fasta(str(path), as_raw=True, sequence_always_upper=True) as genome:
            chromosome = genome["chr1"]
            ready = seconds(
                lambda: Sequences.from_intervals(encode(chromosome[:]), start, start + length), time.process_time, 2
            )
            few = start[: min(rows, 3_000)].tolist()
            one_by_one = seconds(lambda: [encode(chromosome[a : a + length]) for a in few], time.process_time, 2)
    return [
        Line(
            f"cutting {rows:,} fragments of {length:,} from {bases / 1e6:,.0f} Mb",
            rows / ready / 1e3,
            "k fragments",
            None,
            "pyfaidx one by one",
            len(few) / one_by_one / 1e3,
            ">= 20 ×",
        )
    ]


def unshared(sequences: Sequences) -> Sequences:
    """The same rows with nothing kept from earlier calls."""
    return Sequences.from_intervals(sequences.buffer, sequences.start, sequences.stop, sequences.reverse)


def count_words(text: str) -> Counter[str]:
    """The loop that a plain script would write."""
    return Counter(text[i : i + K] for i in range(len(text) - K + 1))


def growth(sizes: tuple[int, ...], bases: int = 300_000_000) -> str:
    """CPU seconds of each featurizer's kernel by the number of fragments of 600 bases, all cores. 6-mers and codes are
    made in blocks, as a run makes them, into one block of memory."""
    rng = np.random.default_rng(3)
    genome = rng.integers(0, 4, bases, np.uint8)
    words = np.empty((20_000, 4**K), np.uint16)
    letters = np.empty((20_000, 600), np.uint8)
    work: dict[str, Callable[[Sequences], Any]] = {
        "gc": gc_fraction,
        "gc-windows[n=20]": lambda fragments: gc_windows(fragments, 20),
        f"{K}-mers": lambda fragments: [
            count_kmers(block, K, K, out=words[: len(block)]) for _, block in fragments.blocks(len(words))
        ],
        "codes": lambda fragments: [
            padded_codes(block, out=letters[: len(block)]) for _, block in fragments.blocks(len(letters))
        ],
    }
    rows = [["fragments of 600", *work], ["---"] * (1 + len(work))]
    for size in sizes:
        start = np.sort(rng.integers(0, bases - 600, size))
        results = []
        for call in work.values():
            fragments = Sequences.from_intervals(genome, start, start + 600, rng.random(size) < 0.5)
            began = time.process_time()
            call(fragments)
            results.append(f"{time.process_time() - began:.2f}")
        rows.append([f"{size:,}", *results])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table."""
    rows = [HEADER, ["---"] * len(HEADER), *(line.results() for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def measure(quick: bool = False) -> list[Line]:
    """All lines; ``quick`` on a tenth of the data."""
    scale = 10 if quick else 1
    return [
        *ceiling_lines(),
        *oligo_lines(100_000 // scale, 200),
        *fragment_lines(50_000_000 // scale, 200_000 // scale, 2_000),
        *cutting_lines(50_000_000 // scale, 2_200_000 // scale, 600),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    quick = parser.parse_args().quick
    print(table(measure(quick)))
    sizes = (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_200_000)
    print("\nCPU seconds by the number of fragments (GC of few fragments is read, of many looked up in an index of the")
    print("300 Mb, which is made within the figure):\n")
    print(growth(sizes[:3] if quick else sizes))
    absent = [
        name
        for module, name in (("Bio", "Biopython"), ("pykmertools", "pykmertools"), ("seqpro", "seqpro"))
        if not importlib.util.find_spec(module)
    ]
    if absent:
        print(f"\nNot compared, as they are not installed: {', '.join(absent)} (pip install 'bench-gc[peers]').")


if __name__ == "__main__":
    main()
