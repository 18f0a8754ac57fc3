"""`bench explain` from end to end, on a small task: what is kept, what is shown, what stays out."""

from __future__ import annotations

import json

import pytest
from calls import call, refused

MOTIFS = """>M1 one
A [ 0 0 90 0 0 0 ]
C [ 0 0 0 90 0 90 ]
G [ 0 90 0 0 0 0 ]
T [ 90 0 0 0 90 0 ]
>M2 two
A [ 90 90 0 0 ]
C [ 0 0 0 90 ]
G [ 0 0 90 0 ]
T [ 0 0 0 0 ]
"""


@pytest.fixture
def explained(tmp_path, small_task):
    (tmp_path / "motifs.txt").write_text(MOTIFS)
    words = ("--quick", "--motifs", tmp_path / "motifs.txt", "-o", tmp_path / "out", "--threads", 1)
    status, printed, error = call("explain", small_task, "-f", "gc", "-m", "gc-curve", *words)
    assert status == 0, (printed, error)
    return tmp_path / "out", words, printed


def test_what_is_missing_is_fitted_and_the_answers_are_kept_and_shown(explained, small_task):
    out, words, printed = explained
    assert "none of 2 planted motifs does anything for sure" in printed
    assert "reads GC alone" in printed
    [path] = out.rglob("explain.json")
    answer = json.loads(path.read_text())
    assert answer["key"] == json.loads((path.parent / "result.json").read_text())["key"]
    assert answer["ladder"]["rungs"][0]["r2"]["value"] > 0.95
    assert answer["planted"]["exchange"]["per_point"]["low"] > 0
    assert answer["rules"]["leaves"][-1]["rule"][0].startswith("gc > ")
    assert answer["mutated"]["composition"]["value"] > 0.9, "a curve of GC is all but a straight line here"
    kinds = (".npz", ".bedgraph", "-genome.bedgraph", "-modisco.npz")
    assert set(answer["files"]) == {f"attributions{kind}" for kind in kinds}
    assert all((path.parent / name).stat().st_size == about["bytes"] for name, about in answer["files"].items())
    board = (out / "leaderboard.md").read_text()
    assert "What the models learned" in board
    [picture] = out.rglob("explain-*.svg")
    assert f"small/{picture.name}" in board
    # Again, with a variant that takes G away: nothing is fitted, and the board says the same.
    before = (path.parent / "predictions.parquet").stat().st_mtime_ns
    name, text = (small_task.parent / "small.tsv").read_text().splitlines()[1].split("\t")[:2]
    (out / "v.tsv").write_text(f"id\tpos\tref\talt\n{name}\t{text.index('G') + 1}\tG\tA\n")
    variants = ("--variants", out / "v.tsv", "--effects", out / "e.tsv")
    assert call("explain", small_task, *words, *variants)[0] == 0
    assert float((out / "e.tsv").read_text().splitlines()[1].split("\t")[5]) < 0
    assert (path.parent / "predictions.parquet").stat().st_mtime_ns == before
    assert call("report", "-o", out)[0] == 0


def test_an_explanation_goes_with_its_result(explained, small_task, tmp_path):
    out, *_ = explained
    assert call("merge", out, "-o", tmp_path / "both")[0] == 0
    [path] = (tmp_path / "both").rglob("explain.json")
    assert (path.parent / "attributions.npz").is_file()
    assert "What the models learned" in (tmp_path / "both" / "leaderboard.md").read_text()
    path.write_bytes(path.read_bytes().replace(b'"quick": true', b'"quick": null'))
    assert call("report", "-o", tmp_path / "both")[0] == 0
    assert "What the models learned" not in (tmp_path / "both" / "leaderboard.md").read_text()
    call("run", "-t", small_task, "-f", "gc", "-m", "gc-curve", "--cache", "refresh", "-o", out)
    assert list(out.rglob("explain.json")), "the same key: it still holds"


def test_predictions_made_elsewhere_are_asked_what_needs_no_model(explained, small_task, tmp_path):
    out, words, _ = explained
    table = tmp_path / "p.tsv"
    rows = (small_task.parent / "small.tsv").read_text().splitlines()[1:]
    lines = [f"{r.split()[0]}\t{sum(b in 'GC' for b in r.split()[1])}" for r in rows]
    table.write_text("\n".join(["id\tprediction", *lines]) + "\n")
    assert call("score", table, "-t", small_task, "--name", "theirs", "-o", out)[0] == 0
    status, printed, _ = call("explain", small_task, "-f", "external", "-m", "theirs", *words)
    assert status == 0
    assert "planted: n/a, the predictions were made elsewhere" in printed
    [path] = out.rglob("external+theirs/*/explain.json")
    answer = json.loads(path.read_text())
    assert answer["planted"] is None
    assert answer["ladder"]["rungs"][0]["r2"]["value"] > 0.99


def test_what_cannot_be_asked_is_refused(small_task, tmp_path):
    out = ("-o", tmp_path / "none")
    assert "--taxon" in refused("explain", small_task, "-f", "gc", "-m", "ridge", *out)
    assert "run it first" in refused("explain", small_task, "--taxon", "insects", *out)
    assert "both -f and -m" in refused("explain", small_task, "--taxon", "insects", "-f", "gc", *out)
    assert "Did you mean 'insects'" in refused("explain", small_task, "--taxon", "insect", *out)
    assert "no target 'x'" in refused("explain", small_task, "--target", "x", *out)
