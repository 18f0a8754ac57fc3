"""Small planted tasks for every room's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_tasks import write_small_task


@pytest.fixture
def small_task(tmp_path: Path) -> Path:
    """Path of a small task's file."""
    return write_small_task(tmp_path / "data")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of the public data sets; the test is skipped where there is none."""
    folder = os.environ.get("BENCH_DATA_DIR")
    if not folder:
        pytest.skip("BENCH_DATA_DIR names no folder with the public data sets")
    return Path(folder)
