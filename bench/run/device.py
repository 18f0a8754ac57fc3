"""Which device a fit runs on."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import Literal

from bench.errors import BenchError


@cache
def cuda_devices() -> tuple[str, ...]:
    """Names of the CUDA devices the driver sees; empty without one. Asks the driver's tool, imports nothing."""
    tool = shutil.which("nvidia-smi")
    if tool is None or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return ()
    try:
        done = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip()) if done.returncode == 0 else ()


def resolve_device(asked: str, supported: tuple[str, ...]) -> Literal["cpu", "cuda"]:
    """``auto|cpu|cuda`` for a model that can run on ``supported``. A model without CUDA stays on the CPU, and its
    row on the board says so.

    Raises
    ------
    BenchError : when CUDA is asked for and this machine has none.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise BenchError(f"--device must be auto, cpu or cuda. Got {asked!r}.")
    if asked == "cuda" and not cuda_devices():
        raise BenchError("--device cuda: no CUDA device is visible here (see bench doctor). Use --device auto or cpu.")
    return "cuda" if asked != "cpu" and "cuda" in supported and cuda_devices() else "cpu"


def cpu_threads() -> int:
    """CPU threads this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
