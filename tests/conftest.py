"""Settings and small simulated tasks for the tests of every package."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from planted_store import Planted
from small_tasks import write_small_task

from bench.run.device import cuda_devices

# Neither the time of an example nor that of drawing it is judged: the machine may be busy.
settings.register_profile("bench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same examples in every run, so that a change is not blamed for an example that nobody had drawn before.
settings.register_profile("bench-ci", settings.get_profile("bench"), derandomize=True, database=None)
settings.load_profile("bench-ci" if os.environ.get("CI") else "bench")

NO_GPU = "no CUDA device is visible here (nvidia-smi names none)"


def pytest_configure() -> None:
    """A shell starts what runs in its background with Ctrl-C ignored, and children would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Processes side by side collect the same names: bytes give a test none, since gzip writes the time into them."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``gpu`` are skipped where there is none. Slow ones come first: of processes side by side none then
    waits for the other's last test."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if not cuda_devices():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason=NO_GPU))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud which GPU the tests ran on, or that they did not, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    without = [report for report in skipped if "gpu" in report.keywords]
    ran = [report for report in terminalreporter.stats.get("passed", []) if "gpu" in report.keywords]
    if ran:
        terminalreporter.write_line(f"gpu: {len(ran)} tests passed on {', '.join(cuda_devices())}")
    if without:
        reasons = sorted({str(report.longrepr[2]).removeprefix("Skipped: ") for report in without})
        terminalreporter.write_line(f"gpu: {len(without)} tests skipped: {'; '.join(reasons)}")


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


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Planted]:
    """Write a planted task into ``tmp_path / "out"``."""

    def write(**options: Any) -> Planted:
        return Planted(**options).write(tmp_path / "out")

    return write
