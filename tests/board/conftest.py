"""Fixtures of the board's tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw pictures only in tests that ask for ``with_pictures``: they are most of a small report's work."""
    if "with_pictures" not in request.fixturenames:
        monkeypatch.setattr("bench.report.pictures.draw_pictures", lambda task, summary: {})


@pytest.fixture
def with_pictures() -> None:
    """Ask for pictures."""
