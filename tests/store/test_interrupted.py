"""Runs, merges, cleaning and reports that are stopped, or whose disk is full, at a file operation: a sample of them.

``python tests/support/interrupted.py`` (in ``make fuzz``) tries every operation.
"""

from pathlib import Path

import pytest
from faults import Faults, Stopped
from interrupted import SCENARIOS, tried

#: One operation in so many.
EVERY = {"merge": 13, "score": 7, "run": 7, "clean": 5, "report": 5}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_nothing_is_lost_and_the_next_call_finishes(name: str, tmp_path: Path) -> None:
    assert tried(name, tmp_path, EVERY.get(name, 3), first=1) > 3


def test_the_layer_stops_at_every_kind_of_operation(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()

    def change() -> None:
        (place / "folder").mkdir()
        with (place / "file").open("w") as stream:
            stream.write("text")
        (place / "file").replace(place / "other")
        (place / "folder").rmdir()
        (tmp_path / "elsewhere").write_text("")  # not counted

    with Faults(place)() as counted:
        change()
    names = [step.split()[0] for step in counted.done]
    assert names == ["mkdir", "open", "write", "replace", "rmdir"]
    left = []
    for at in range(len(names)):
        (place / "other").unlink(missing_ok=True)
        with pytest.raises(Stopped), Faults(place, at)():
            change()
        left.append(sorted(path.name for path in place.iterdir()))
        for path in place.iterdir():
            path.rmdir() if path.is_dir() else path.unlink()
    assert left == [[], ["folder"], ["file", "folder"], ["file", "folder"], ["folder", "other"]]
    with pytest.raises(OSError, match="No space left"), Faults(place, 2, "full")():
        change()
    assert (place / "file").read_text() == ""
