"""How fast a large table is read, and in how much memory, beside pandas' C reader (which checks nothing).

    python benchmarks/reader.py [--rows 2000000]

Each reading is a process of its own, so that its peak memory is its own. The last line: short
sequences with one of 40 kb among them, and alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

_READ = """
import json, resource, sys, time
from pathlib import Path
how, path = sys.argv[1], Path(sys.argv[2])
import numpy, pandas, pyarrow.csv
from bench.files.tables import read_table
from bench.tasks.columns import Columns
from bench.tasks.bases import read_bases
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
if how == "pandas":
    frame = pandas.read_csv(path, sep="\\t", low_memory=False, dtype={"id": str, "sequence": str, "chrom": str})
else:
    table = Columns.of(read_table(path).frame, "t")
    numbers = [table.numbers(name) for name in ("start", "end", "dna", "rep1", "rep2")] if how != "task" else []
    if how == "task":
        read_bases(table, "sequence", {})
took = time.perf_counter() - began
print(json.dumps([took, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def write_table(path: Path, rows: int, length: int = 150, long: int = 0) -> None:
    """A table of so many rows; ``long`` > 0: one sequence of so many bases among them."""
    import numpy as np

    rng = np.random.default_rng(0)
    with path.open("w") as out:
        out.write("id\tsequence\tchrom\tstart\tend\tdna\trep1\trep2\n")
        for first in range(0, rows, 50_000):
            n = min(50_000, rows - first)
            bases = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, (n, length))]
            values = rng.normal(size=(n, 2)).round(4)
            for i in range(n):
                row = first + i
                sequence = bases[i].tobytes().decode() if row or not long else "A" * long
                out.write(
                    f"r{row}\t{sequence}\tchr{1 + row % 22}\t{100 * row}\t{100 * row + 150}\t{row % 900}"
                    f"\t{values[i, 0]}\t{values[i, 1]}\n"
                )


def read(how: str, path: Path) -> tuple[float, float]:
    """Seconds and MiB at the peak, beyond the libraries, of reading a table in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _READ, how, str(path)], capture_output=True, text=True, check=True)
    took, peak = json.loads(done.stdout)
    return took, peak


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of reading a table.")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.tsv"
        write_table(path, asked.rows)
        print(f"{asked.rows:,} rows, {path.stat().st_size / 2**20:,.0f} MiB")
        best: dict[str, tuple[float, float]] = {}
        for how in ("pandas", "ours"):
            found = [read(how, path) for _ in range(asked.repeats)]
            best[how] = min(took for took, _ in found), max(peak for _, peak in found)
            print(f"{how:<8} {best[how][0]:6.2f} s  {best[how][1]:8,.0f} MiB")
        for i, (what, unit) in enumerate((("seconds", "s"), ("memory", "MiB"))):
            ours, peer = best["ours"][i], best["pandas"][i]
            print(f"=> reading a table, {what}: ours {ours:,.2f} {unit}, pandas {peer:,.2f}, ratio {ours / peer:.2f}")
        peaks = []
        for long in (0, 40_000):
            write_table(path, 20_000, long=long)
            peaks.append(read("task", path)[1])
        print(
            f"=> 20,000 rows with one of 40,000 bases, memory: {peaks[1]:,.0f} MiB, short ones alone {peaks[0]:,.0f},"
            f" ratio {peaks[1] / peaks[0]:.2f}"
        )


if __name__ == "__main__":
    main()
