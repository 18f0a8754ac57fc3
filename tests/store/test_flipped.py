"""A byte changed in every kind of file of a folder of results: a sample. ``make fuzz`` tries thousands."""

from pathlib import Path

import pytest
from flipped import tried


@pytest.mark.slow
def test_a_changed_byte_is_named_and_changes_no_number(tmp_path: Path) -> None:
    tally = tried(tmp_path, 120, seed=11)
    assert tally.total() == 120
    names = {what.partition(": ")[0] for what in tally}
    assert names >= {
        "result.json", "predictions.parquet", "failed.json", "failed.log", "task.json", "rows.parquet", "plan.json",
        "summary.json",
    }  # fmt: skip
    assert "refused" not in {what.partition(": ")[2] for what in tally}
