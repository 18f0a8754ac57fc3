"""A summary.json or a failed.json may come from anybody: whatever text stands in it, the board shows it as text."""

from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from small_results import result, results
from stored import description

from bench.board.published import read_summary
from bench.board.schema import SUMMARY, Summary
from bench.report import write_board
from bench.store.store import Store

#: Closes a cell, a tag and a line of code, and starts a tag of its own.
EVIL = "`|</details>\n\n<script>alert(1)</script>"
#: Names of other things: changed, the rest of the summary would not find its rows.
KEPT = {"name", "split", "digest", "folds_digest", "inputs", "best", "best_gc", "best_deep", "gc"}


def poisoned(value: Any, kind: Any, name: str = "") -> Any:
    """Every text of a summary with something evil behind it, where any text is allowed."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_copy(
            update={key: poisoned(getattr(value, key), fields[key].annotation, key) for key in fields}
        )
    if isinstance(value, list):
        return [poisoned(item, (get_args(kind) or (str,))[0], name) for item in value]
    if isinstance(value, dict):
        return {f"{key}{EVIL}": poisoned(item, (get_args(kind) or (str, str))[-1], name) for key, item in value.items()}
    free = kind is str or (get_origin(kind) is not None and str in get_args(kind))
    return f"{value}{EVIL}" if isinstance(value, str) and free and name not in KEPT else value


@pytest.mark.parametrize("published", [True, False])
def test_text_of_a_summary_is_shown_as_text(tmp_path: Path, published: bool) -> None:
    out = results(tmp_path / "out", "a", "b")
    Store(out).write_failure(description(result("bad")), f"no luck{EVIL}")
    write_board(out)
    found = read_summary(out / "small" / SUMMARY)
    assert found is not None
    if published:
        poisoned(found, Summary).model_copy(update={"pictures": {}}).write(out / "small" / SUMMARY)
        for path in (out / "small").iterdir():
            if path.name in ("task.json", "rows.parquet"):
                path.unlink()
    text = write_board(out).read_text(encoding="utf-8")
    assert "script" in text
    assert "<script" not in text
    assert all("script" not in line or line.count("`") % 2 == 0 for line in text.splitlines())
