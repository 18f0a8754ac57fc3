"""Space on a disk for what is too large to hold in memory, given back when the process ends, however it ends."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.folders import cache_folder


def scratch_array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """An array in a file of the cache folder that has no name: it is gone when the array is, or the process.

    Raises
    ------
    BenchError : where there is no space.
    """
    size = int(np.prod(shape)) * dtype.itemsize
    folder = cache_folder() / "scratch"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk must not become a bus error later
            return np.memmap(file, dtype, "r+", shape=shape)
    except OSError as error:
        raise BenchError(
            f"{folder}: no space for {size / 2**30:.1f} GiB of features ({error.strerror}). Name a folder that has it:"
            " BENCH_CACHE_DIR.",
            status=1,
        ) from error
