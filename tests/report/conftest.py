"""Fixtures of the report's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted_store import Planted


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Planted]:
    """Write a planted task into ``tmp_path / "out"``."""

    def write(**options: Any) -> Planted:
        return Planted(**options).write(tmp_path / "out")

    return write


@pytest.fixture(autouse=True)
def no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw pictures only in tests that ask for ``with_pictures``: they are most of a small report's work."""
    if "with_pictures" not in request.fixturenames:
        monkeypatch.setattr("bench.report.pictures.draw_pictures", lambda task, summary: {})


@pytest.fixture
def with_pictures() -> None:
    """Ask for pictures."""
