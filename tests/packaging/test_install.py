"""What a person installs works (``check_install.py`` says what that is)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("check_install", Path(__file__).with_name("check_install.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
check_install = importlib.util.module_from_spec(_SPEC)
sys.modules["check_install"] = check_install
_SPEC.loader.exec_module(check_install)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which wheel, sdist and their environments are made once."""
    return check_install.Place(tmp_path_factory.mktemp("install"))


@pytest.mark.slow
@pytest.mark.parametrize("step", check_install.STEPS, ids=lambda step: step.__name__)
def test_what_is_installed_works(place, step):
    step(place)
