"""Strata put under results that are there: nothing is fitted again, and the board shows them."""

import json
from pathlib import Path

import numpy as np
from calls import call
from small_tasks import write_small_task


def test_strata_change_no_result_and_stand_on_the_board(tmp_path: Path) -> None:
    out, small_task = tmp_path / "out", write_small_task(tmp_path / "data", rows=480)
    args = ["run", "--task", str(small_task), "-f", "gc", "-m", "gc-curve", "--out", str(out)]
    call(*args)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("result.json")}
    assert before
    (small_task.parent / "states.bed").write_text(
        "".join(
            f"{1 + i % 6}\t{1000 * i}\t{1000 * i + 20}\t{'2_Enh' if i % 4 < 2 else '10_Quies'}\n" for i in range(480)
        )
    )
    said = '[strata.gc]\nbins = 2\n[strata.state]\nfile = "states.bed"\n'
    said += '[strata.never]\nfile = "states.bed"\noverlap = "whole"\n'
    small_task.write_text(small_task.read_text() + said)
    call(*args)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("result.json")} == before
    [board] = json.loads(next(out.rglob("summary.json")).read_text())["boards"]
    assert [level["level"] for level in board["strata"]["state"]] == [None, "2_Enh", "10_Quies"]
    assert [level["level"] for level in board["strata"]["gc"]] == [None, "bin 1 of 2", "bin 2 of 2"]
    assert board["strata"]["gc"][1]["range"].endswith(" %")
    assert len(board["strata_made"]["state"]["sha256"]) == 64
    assert board["heterogeneity"]["gc"]["within"] is None
    assert board["heterogeneity"]["gc"]["q"] is None
    [line] = [line for line in board["warnings"] if line.startswith("never")]
    assert line == "never: only elsewhere has 50 test rows in a fold, so that there is nothing to set apart."
    text = (out / "leaderboard.md").read_text()
    assert "of its range there" in text
    assert f"SHA-256 `{board['strata_made']['state']['sha256'][:16]}`" in text


def test_no_learner_is_warned_of_within_bins_of_gc(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lines = ["id\tsequence\tr1\tr2"]
    for i in range(450):
        gc = rng.uniform(0.2, 0.8)
        bases = rng.choice(list("ACGT"), 60, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        y = 6 * np.isin(bases, ["G", "C"]).mean() + rng.normal(0, 0.5)
        lines.append(f"r{i}\t{''.join(bases)}\t{y + rng.normal(0, 0.1):.4f}\t{y + rng.normal(0, 0.1):.4f}")
    (tmp_path / "t.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "t.toml").write_text(
        'name = "t"\ntable = "t.tsv"\nsplit = "random-kfold[k=3]"\n[targets.y]\nreplicates = ["r1", "r2"]\n'
        "[strata.gc]\nbins = 2\n"
    )
    out = tmp_path / "out"
    call("run", "--task", str(tmp_path / "t.toml"), "-f", "gc", "-f", "kmers[k=2]", "-m", "ridge", "--out", str(out))
    [board] = json.loads(next(out.rglob("summary.json")).read_text())["boards"]
    levels = board["strata"]["gc"]
    assert levels[0]["best"]["value"] > max(level["best"]["value"] for level in levels[1:])
    assert [line for line in board["warnings"] if line.startswith("gc:")] == []
