"""Fixtures of the report's tests."""

from __future__ import annotations

import pytest

from bench.report.plots import Links


@pytest.fixture(autouse=True)
def no_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw pictures only in tests that ask for ``with_pictures``: they are most of a small report's work."""
    if "with_pictures" not in request.fixturenames:
        monkeypatch.setattr("bench.report.plots.draw_pictures", lambda task, summary: (Links(), {}))


@pytest.fixture
def with_pictures() -> None:
    """Ask for pictures."""
