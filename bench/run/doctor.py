"""What this machine has: for `bench doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import bench
from bench.files.folders import cache_folder
from bench.run.device import cpu_threads, cuda_devices

#: Distributions the built-in plugins and the engine stand on; alternatives provide one import name.
NEEDED = (
    ("numpy",), ("scipy",), ("pandas",), ("pyarrow",), ("numba",), ("scikit-learn",), ("pyfaidx",), ("lightgbm",),
    ("xgboost", "xgboost-cpu"), ("tensorflow", "tensorflow-cpu"), ("keras",),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One fact; ``good`` is None where there is nothing to judge."""

    what: str
    said: str
    good: bool | None = None


def diagnose(data_dir: Path | None) -> Iterator[Finding]:
    """Facts in the order a person asks for them."""
    yield Finding("bench", f"{bench.__version__} in {Path(bench.__file__).parent}")
    yield Finding("python", f"{platform.python_version()} ({sys.executable})", sys.version_info >= (3, 11))
    yield Finding("system", f"{platform.system()} {platform.machine()}, {cpu_threads()} CPU threads, {_memory()}")
    gpus = cuda_devices()
    yield Finding("cuda", ", ".join(gpus) if gpus else "no device visible: models run on the CPU")
    yield Finding("keras backend", os.environ.get("KERAS_BACKEND", "tensorflow (set KERAS_BACKEND to change it)"))
    for names in NEEDED:
        found = [(name, _version(name)) for name in names if _version(name)]
        if len(found) > 1:
            yield Finding(names[0], f"{' and '.join(names)} are both installed: uninstall one", False)
        elif found:
            yield Finding(names[0], f"{found[0][1]} ({found[0][0]})", True)
        else:
            yield Finding(names[0], "not installed: pip install 'bench-gc[cpu]', or [gpu] on a CUDA machine", False)
    for what, folder in (("data folder", data_dir), ("cache", cache_folder())):
        if folder is None:
            yield Finding(what, "not set (--data-dir or BENCH_DATA_DIR): public files are looked for in the cache")
        else:
            there = Path(folder).is_dir()
            free = shutil.disk_usage(folder).free / 1e9 if there else 0.0
            absent = "no such folder" if folder is data_dir else "not there yet"
            good = False if folder is data_dir and not there else None
            yield Finding(what, f"{folder} ({f'{free:.0f} GB free' if there else absent})", good)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB memory"
    except (ValueError, OSError, AttributeError):
        return "memory unknown"
