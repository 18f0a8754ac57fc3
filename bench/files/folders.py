"""Folders that the environment names."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where downloads are kept: ``BENCH_CACHE_DIR``, else the cache folder of the operating system."""
    chosen = named_folder("BENCH_CACHE_DIR")
    if chosen:
        return chosen / "data"
    import pooch

    return Path(pooch.os_cache("bench-gc")) / "data"


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names; None where it is not set."""
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None
