"""`make bench`: run the benchmarks here and write what they printed to benchmarks/README.md.

Every figure that matters is a ratio against a peer in the same run; absolute ones belong to one machine on one day.
About 8 minutes on two idle cores; ``python -m benchmarks --full`` adds what takes an hour, ``--quick`` is a fraction.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Lines of a part's output that begin so are its ratios: ``=> what: ours .., peer .., ratio ..``.
RATIO = "=> "
GC_LEARNERS = "-f gc -f gc-windows -m gc-curve -m ridge -m xgboost -m lightgbm"


@dataclass(frozen=True)
class BenchPart:
    """A script, what it shows, its arguments, others for a quick run (None: left out), and whether it needs --full."""

    script: str
    what: str
    arguments: str = ""
    quick: str | None = None
    full: bool = False


PARTS = (
    BenchPart("kernels.py", "Featurizer kernels against the packages people use", "", "--quick"),
    BenchPart(
        "reader.py", "The strict reader against pandas' C reader, which checks nothing", "", "--rows 200000 --repeats 1"
    ),
    BenchPart("motifs.py", "Motifs, composition and position against packages and plain Python", "", "--quick"),
    BenchPart("bootstrap.py", "2,000 paired block-bootstrap draws of 20 models against naive re-ranking", "", ""),
    BenchPart(
        "end_to_end.py",
        "`bench run` against pandas, CountVectorizer and XGBoost on SuRE-like fragments",
        "--fragments 100000 --k 5 --rounds 300",
        "--fragments 10000 --k 4 --rounds 50",
    ),
    BenchPart("cnn_epoch.py", "One epoch of the CNN at 2,000 bases against Keras' own fit", "--samples 4000"),
    BenchPart(
        "sure_standin.py",
        "SuRE-like fragments: every stage and the GC learners, by size",
        f"--growth --fragments 300000 --rounds 100 {GC_LEARNERS}",
        f"--growth --fragments 30000 --rounds 50 {GC_LEARNERS}",
    ),
    BenchPart("sure_standin.py", "20 million fragments, GC features", "--many 20000000", full=True),
    BenchPart("outside.py", "Features made elsewhere, 30,000 x 1,536 in half precision", full=True),
    BenchPart("overhead.py", "`bench run` against a plain script with the same kernels, mattioli2020", full=True),
    BenchPart(
        "sure_standin.py",
        "SuRE-like fragments at full size, every learner",
        "--fragments 2200000 --rounds 60 --trees 20",
        full=True,
    ),
)


def machine() -> str:
    """What this machine is, in one line."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as handle:
        model = next(line.split(":", 1)[1].strip() for line in handle if line.startswith("model name"))
    return f"{os.cpu_count()} CPU threads, {model}, Python {platform.python_version()}"


def ratios(said: str) -> list[str]:
    """Lines of the summary from what a part printed: its ``=>`` lines, and rows of its tables that have a peer."""
    found = []
    for line in said.splitlines():
        if line.startswith(RATIO):
            found.append(f"* {line.removeprefix(RATIO)}")
        results = [result.strip() for result in line.strip().removeprefix("|").removesuffix("|").split("|")]
        if line.startswith("| ") and len(results) == 7 and results[5].endswith("×"):
            what, rate, _, peer, peer_rate, ratio, wanted = results
            goal = f" (wanted {wanted})" if wanted else ""
            found.append(f"* {what}: ours {rate}, {peer} {peer_rate}, ratio {ratio}{goal}")
    return found


def main(quick: bool, full: bool) -> int:
    """Run the parts one after the other; a part that fails is said and the rest go on."""
    chosen = [part for part in PARTS if (full or not part.full) and not (quick and part.quick is None)]
    failed, summary, pages = 0, list[str](), list[str]()
    for part in chosen:
        arguments = (part.quick if quick else part.arguments) or ""
        command = f"{part.script} {arguments}".strip()
        print(f"== {part.what} ({command})", flush=True)
        began = time.perf_counter()
        words = [sys.executable, str(HERE / part.script), *arguments.split()]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        failed += done.returncode != 0
        said = done.stdout.strip() if done.returncode == 0 else f"failed with status {done.returncode}"
        took = time.perf_counter() - began
        summary += ratios(said)
        body = said if "\n| ---" in said or "\n|---" in said else f"```\n{said}\n```"
        pages.append(f"## {part.what}\n\n`benchmarks/{command}`, {took:.0f} s\n\n{body}\n")
    listed = "\n".join(summary)
    (HERE / "README.md").write_text(
        f"# Benchmarks\n\nWritten by `make bench` on {datetime.datetime.now(datetime.UTC).date()}: {machine()}.\n"
        "Ratios are against a peer in the same run. Load from neighbours moves absolute figures, hardly ratios.\n\n"
        f"## Ratios\n\n{listed}\n\n" + "\n".join(pages),
        encoding="utf-8",
    )
    print(f"{listed}\nwritten: {HERE / 'README.md'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:], "--full" in sys.argv[1:]))
