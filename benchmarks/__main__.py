"""`make bench`: run every benchmark here and write what it printed to benchmarks/README.md.

Every figure that matters is a ratio against a peer in the same run; absolute ones belong to one machine on one day.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
#: Script, what it shows, its arguments in a quick run (`python -m benchmarks --quick`).
PARTS = (
    ("kernels.py", "Featurizer kernels against the packages people use", ["--quick"]),
    ("bootstrap.py", "2,000 paired block-bootstrap draws of 20 models against naive re-ranking", []),
    ("overhead.py", "`bench run` against a plain script, k-mers and XGBoost on the largest downloaded task", []),
)


def machine() -> str:
    """What this machine is, in one line."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as handle:
        model = next(line.split(":", 1)[1].strip() for line in handle if line.startswith("model name"))
    return f"{os.cpu_count()} CPU threads, {model}, Python {platform.python_version()}"


def main(quick: bool) -> int:
    """Run the parts one after the other; a part that fails is said and the rest go on."""
    page = io.StringIO()
    failed = 0
    now = datetime.datetime.now(datetime.UTC).date()
    print(f"# Benchmarks\n\nWritten by `make bench` on {now}: {machine()}.", file=page)
    print(
        "Ratios are against a peer in the same run. Load from neighbours moves absolute figures, hardly ratios.",
        file=page,
    )
    for script, what, quick_arguments in PARTS:
        print(f"== {what} ({script})", flush=True)
        began = time.perf_counter()
        words = [sys.executable, str(HERE / script), *(quick_arguments if quick else [])]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout, flush=True)
        failed += done.returncode != 0
        said = done.stdout.strip() if done.returncode == 0 else f"failed with status {done.returncode}"
        took = time.perf_counter() - began
        print(f"\n## {what}\n\n`benchmarks/{script}`, {took:.0f} s\n\n```\n{said}\n```", file=page)
    (HERE / "README.md").write_text(page.getvalue(), encoding="utf-8")
    print(f"written: {HERE / 'README.md'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
