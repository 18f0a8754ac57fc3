"""Calls of the command line, for every room's tests."""

from __future__ import annotations

from typer.testing import CliRunner

from bench.cli.main import app
from bench.errors import BenchError


def call(*arguments):
    """Exit status, printed text and error of a call in this process."""
    result = CliRunner().invoke(app, [str(word) for word in arguments])
    return result.exit_code, result.output, result.exception


def refused(*arguments) -> str:
    """The message of a call that must be refused."""
    _, printed, error = call(*arguments)
    assert isinstance(error, BenchError), printed
    assert error.status == 2
    assert "\n" not in str(error)
    return str(error)
