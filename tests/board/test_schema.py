"""`summary.json`: older formats are upgraded without a change of a number, newer ones refused, damaged ones named."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from planted_store import Planted

from bench.board.figure import Estimate, shown
from bench.board.published import read_summary, upgrade
from bench.board.schema import SUMMARY_FORMAT, RowSummary, Summary
from bench.errors import BenchError
from bench.report import write_board
from bench.stats import intervals

OLD = Path(__file__).with_name("format-1-summary.json")


def old_board() -> dict:
    return json.loads(OLD.read_text(encoding="utf-8"))["boards"][0]


def test_format_1_is_upgraded_with_every_number() -> None:
    summary = read_summary(OLD)
    assert summary is not None
    assert summary.format == SUMMARY_FORMAT
    old, board = old_board(), summary.boards[0]
    assert len(board.rows) == len(old["cells"]) == 4
    for row, cell in zip(board.rows, old["cells"], strict=True):
        figures = {
            "score": "score", "gain": "gain", "given_gc": "given_gc", "beyond_gc": "beyond",
            "dinucleotide_shuffled": "shuffled", "of_ceiling": "of_ceiling", "with_gc": "with_gc",
        }  # fmt: skip
        for new, name in figures.items():
            figure = getattr(row, new)
            assert (None if figure is None else figure.model_dump()) == cell[name]
        assert (row.valid, row.train, row.seconds, row.letter) == tuple(
            cell[name] for name in ("valid", "train", "seconds", "letter")
        )
    ceiling = board.ceiling.estimate
    assert ceiling is not None
    assert (ceiling.value, ceiling.low, ceiling.high) == tuple(old["ceiling"][end] for end in ("value", "low", "high"))
    assert board.ceiling.replicates_per_row == old["ceiling"]["replicates_a_row"]
    names = {"unadjusted": "score", "within_gc_bins": "within_bins", "gc_matched_auroc": "matched"}
    names |= {"dinucleotide_shuffled": "shuffled", "gc_only_null": "permuted"}
    for held, before in zip(board.held_fixed, old["held_fixed"], strict=True):
        assert {name: getattr(held, name).model_dump() for name in names} == {n: before[o] for n, o in names.items()}
        assert held.gc_matched_rows == before["matched_rows"]
    assert board.strata
    for name, levels in board.strata.items():
        for level, before in zip(levels, old["strata"][name], strict=True):
            share = level.share
            assert share is not None
            assert (share.value, [share.low, share.high]) == (before["share"], before["share_interval"])


def test_format_1_is_upgraded_to_the_present_words() -> None:
    content = json.loads(OLD.read_text(encoding="utf-8"))
    content["boards"][0]["cells"][0]["verdict"] = "counter"
    content["boards"][0]["verdict"]["word"] = "grammar"
    board = Summary.model_validate(upgrade(content)).boards[0]
    assert board.rows[0].verdict == "GC-only"
    assert board.verdict is not None
    assert board.verdict.word == "beyond GC"
    assert {row.role for row in board.rows} == {"sequence", "confounder", "null"}


def test_a_summary_of_format_1_is_published_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / json.loads(OLD.read_text(encoding="utf-8"))["task"]["name"]
    folder.mkdir()
    (folder / "summary.json").write_bytes(OLD.read_bytes())
    text = write_board(tmp_path).read_text(encoding="utf-8")
    old = old_board()
    assert "*(summary only)*" in text
    for cell in old["cells"]:
        if cell["score"]:
            assert f"{cell['score']['value']:.3f} [{cell['score']['low']:.3f}, {cell['score']['high']:.3f}]" in text
    assert "`mean` *(null model)*" in text
    assert "floor" not in text
    assert "`None`" not in text


def test_what_was_written_is_read_as_it_was(tmp_path: Path) -> None:
    summary = read_summary(OLD)
    assert summary is not None
    summary.write(tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == summary


def test_numbers_that_do_not_exist_are_none_and_others_keep_seven_digits() -> None:
    row = RowSummary(name="a + b", featurizer="a", model="b", seeds=[0], valid=math.nan, train=math.inf, spread=1 / 3)
    assert (row.valid, row.train, row.spread) == (None, None, 0.3333333)
    assert shown(intervals.Estimate(math.nan)) is None
    assert shown(intervals.Estimate(2 / 3)) == Estimate(value=0.6666667)


def test_a_newer_format_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"format": SUMMARY_FORMAT + 1, "boards": []}), encoding="utf-8")
    with pytest.raises(BenchError, match=r"newer version of bench\. Upgrade bench") as caught:
        read_summary(path)
    assert caught.value.status == 2


@pytest.mark.parametrize("content", ["", "[1]", '{"format": 1, "boards": [{', '{"format": "x", "boards": []}', "{}"])
def test_what_is_no_summary_counts_as_absent(tmp_path: Path, content: str) -> None:
    path = tmp_path / "summary.json"
    path.write_text(content, encoding="utf-8")
    assert read_summary(path) is None


def test_a_published_summary_that_lacks_something_is_named_and_the_others_keep_their_board(
    planted: Callable[..., Planted], tmp_path: Path
) -> None:
    planted()
    for name, spoil in (("damaged", "cells"), ("also", "ceiling")):
        content = json.loads(OLD.read_text(encoding="utf-8"))
        del content["boards"][0][spoil]
        (tmp_path / "out" / name).mkdir()
        (tmp_path / "out" / name / "summary.json").write_text(json.dumps(content), encoding="utf-8")
    troubles: list[str] = []
    text = write_board(tmp_path / "out", troubles).read_text(encoding="utf-8")
    assert len(troubles) == 2
    assert all("summary.json: " in trouble and "bench report" in trouble for trouble in troubles)
    assert "What could not be read and is left out" in text
    assert "## planted: Planted truth" in text
