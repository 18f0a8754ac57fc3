"""Nothing that a faulty or careless plugin does reaches another result: a sample of each kind of fault, in each place.

All of them, in each place: ``python tests/support/faulty_plugins.py`` (``make fuzz``).
"""

from __future__ import annotations

import collections
import sys
from pathlib import Path

import pytest
from faulty_plugins import AT_IMPORT, FAULTY, HANGING, PLACES, USABLE, findings, run

SAMPLE = tuple(each for each in FAULTY if each.sample)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_two_of_each_kind_of_fault_are_in_the_sample() -> None:
    kinds = collections.Counter(each.fault for each in (*FAULTY, *HANGING))
    assert len(FAULTY) >= 25
    assert min(kinds.values()) >= 2
    assert {each.fault for each in SAMPLE} == set(kinds) - {"hangs"}


@linux
@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_innocent_results_are_those_of_a_clean_run(tmp_path: Path, place: str) -> None:
    if place == "cluster":
        pytest.importorskip("distributed")
    faulty = SAMPLE[PLACES.index(place) :: len(PLACES)]  # a third in each place; `make fuzz` runs all everywhere
    clean = run(tmp_path / "clean", place, ())
    assert len(clean.results) == 8
    ran = run(tmp_path / "ran", place, faulty)
    assert findings(clean, ran, faulty) == []


@linux
@pytest.mark.slow
@pytest.mark.parametrize("place", ["child", "cluster"])
def test_plugins_that_hang_are_given_up(tmp_path: Path, place: str) -> None:
    if place == "cluster":
        pytest.importorskip("distributed")
    faulty = tuple(each for each in HANGING if each.sample)
    assert findings(None, run(tmp_path, place, faulty, timeout=6), faulty) == []


@linux
@pytest.mark.slow
def test_a_file_whose_import_misbehaves_is_named_and_the_others_run(tmp_path: Path) -> None:
    clean = run(tmp_path / "clean", "here", ())
    ran = run(tmp_path / "ran", "here", (), tuple(AT_IMPORT))
    assert findings(clean, ran, ()) == []
    said = {Path(file).stem: reason for file, reason in ran.broken.items()}
    assert set(said) == set(AT_IMPORT) - USABLE
    assert "its process ended with status 0" in said["leaves"]
    assert "importing it ran past the limit of 10 s (--timeout)" in said["hangs"]
    assert "SIGSEGV" in said["crashes"]
    assert "KeyboardInterrupt" in said["interrupts"]
