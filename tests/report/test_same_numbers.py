"""The script that says whether two leaderboards show the same numbers has teeth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from planted_store import Planted
from same_numbers import first_difference, lines

from bench.report import write_board


def test_every_changed_number_is_found_and_no_renamed_word(planted: Callable[..., Planted], tmp_path: Path) -> None:
    planted(strata=("parity",), dna=True)
    board = write_board(tmp_path / "out").read_text(encoding="utf-8")
    assert first_difference(board, board) is None
    assert len(list(lines(board))) > 30
    older = board.replace("*(null model)*", "*(floor)*").replace("*noise ceiling (rep", "*ceiling (rep")
    older = older.replace("| beyond GC |", "| grammar |").replace("*(GC-only)*", "*(GC)*")
    assert older != board
    assert first_difference(older, board) is None
    row = next(line for line in board.split("\n") if line.startswith("| `kmers[k=4]` + `xgboost` | a |"))
    score = row.split(" | ")[2].split()[0]
    assert score.startswith("0.")
    for wrong in (row.replace(score, f"{score[:-1]}{(int(score[-1]) + 1) % 10}", 1), row.replace("| a |", "| b |")):
        found = first_difference(board, board.replace(row, wrong))
        assert found is not None
        assert "`kmers[k=4]` + `xgboost`" in found
    assert first_difference(board, board.replace(row + "\n", "")) is not None
