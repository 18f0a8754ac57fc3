"""hashFrag's second opinion: its table is read as it is written, and nothing it does stops an audit."""

import os
import shutil
import subprocess

import numpy as np
import pytest
from audited import other_strand, subject

from bench.audit import hashfrag
from bench.tasks.task import TEST, TRAIN

#: What version 1.0.2 wrote of six 150-mers at 90 % identity (two reversed), one that shares a half, and unrelated ones.
TABLE = """\
id\tscore\tstratification
row0\t129\t[120,130)
row1\t130\torthogonal
row2\t128\t[120,130)
row3\t116\t[110,120)
row4\t114\t[110,120)
row5\t122\t[120,130)
row6\t75\t[70,80)
row13\t12\t[10,20)
row15\t13\t[10,20)
row16\t14\t[10,20)
"""
RNG = np.random.default_rng(11)


def works() -> bool:
    """Whether every command is there and hashFrag starts (the wheels up to 1.0.2 lack a file that it reads)."""
    if any(shutil.which(command) is None for command in hashfrag.COMMANDS):
        return False
    return subprocess.run([hashfrag.COMMANDS[0], "--help"], capture_output=True, check=False).returncode == 0


def changed(text: str, identity: float) -> str:
    return "".join(RNG.choice(list("ACGT")) if RNG.random() > (4 * identity - 1) / 3 else base for base in text)


def planted():
    """200 training 150-mers; test rows: 5 copies at 88 %, 5 reversed ones, 5 halves, 85 unrelated."""
    train = ["".join(RNG.choice(list("ACGT"), 150)) for _ in range(200)]
    other = ["".join(RNG.choice(list("ACGT"), 150)) for _ in range(90)]
    tests = [changed(text, 0.88) for text in train[:5]]
    tests += [other_strand(changed(text, 0.88)) for text in train[5:10]]
    tests += [text[70:] + other.pop()[:70] for text in train[10:15]] + other[:85]
    part = np.array([[TRAIN] * len(train) + [TEST] * len(tests)])
    return subject(train + tests, tiles=1, part=part)


def fake(tmp_path, monkeypatch, script: str) -> None:
    """Put commands of hashFrag's and BLAST's names on PATH that run a shell script."""
    for command in hashfrag.COMMANDS:
        path = tmp_path / command
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_its_table_is_read(tmp_path):
    path = tmp_path / "hashFrag.stratified_test_split.tsv"
    path.write_text(TABLE)
    found = hashfrag.read_scores(path)
    assert (len(found), found[1], found[6], found[16]) == (10, 130, 75, 14)


@pytest.mark.parametrize(
    ("text", "match"), [("a\tb\n1\t2\n", "id and score"), ("id\tscore\nrow1\n", "line 2"), ("", None)]
)
def test_a_table_of_another_form_is_named(tmp_path, text, match):
    path = tmp_path / "table.tsv"
    path.write_text(text)
    if match is None:
        assert hashfrag.read_scores(path) == {}
        return
    with pytest.raises(hashfrag.Absent, match=match):
        hashfrag.read_scores(path)


def test_rows_are_near_from_half_of_their_length_on(tmp_path, monkeypatch):
    # the row numbers of the test rows are 200 and on: one at half of 150 bases, one just below
    lines = r"id\tscore\tstratification\nrow200\t75\tx\nrow201\t74\tx\n"
    fake(tmp_path, monkeypatch, f"mkdir out; printf '{lines}' > out/hashFrag.stratified_test_split.tsv")
    found = next(hashfrag.check_hashfrag(planted()))
    assert (found.status, found.about) == ("WARN", "hashFrag")
    assert found.figures == {"near": 1, "test_rows": 100, "all_rows": 100}


def test_only_a_sample_of_many_test_rows_is_aligned(tmp_path, monkeypatch):
    monkeypatch.setattr(hashfrag, "MOST_TESTED", 40)
    fake(tmp_path, monkeypatch, r"mkdir out; printf 'id\tscore\n' > out/hashFrag.stratified_test_split.tsv")
    found = next(hashfrag.check_hashfrag(planted()))
    assert found.figures == {"near": 0, "test_rows": 40, "all_rows": 100}
    assert "a sample of 100" in found.reason
    monkeypatch.setattr(hashfrag, "MOST_SEEN", 50)
    found = next(hashfrag.check_hashfrag(planted()))
    assert found.status == "SKIPPED"
    assert "200 training and validation rows" in found.reason


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo first; echo KeyError: no such thing >&2; exit 1", "hashFrag failed: KeyError: no such thing"),
     ("exit 0", "hashFrag failed: exit status 0"),
     ("sleep 60 & wait", "took longer than")],
)  # fmt: skip
def test_what_it_does_wrong_is_a_reason_to_skip(tmp_path, monkeypatch, script, reason):
    monkeypatch.setattr(hashfrag, "LIMIT", 1.0)
    monkeypatch.setattr(hashfrag.aligned_across_split, "__defaults__", (1.0,))
    fake(tmp_path, monkeypatch, script)
    found = next(hashfrag.check_hashfrag(planted()))
    assert found.status == "SKIPPED"
    assert reason in found.reason


def test_no_alignment_at_all_is_no_duplicate(tmp_path, monkeypatch):
    fake(tmp_path, monkeypatch, "mkdir out; : > out/tested.blastn.out; exit 1")
    assert next(hashfrag.check_hashfrag(planted())).status == "PASS"


def test_without_its_commands_it_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = next(hashfrag.check_hashfrag(planted()))
    assert found.status == "SKIPPED"
    assert "not on PATH: hashFrag, makeblastdb, blastn" in found.reason


@pytest.mark.skipif(not works(), reason="hashFrag and BLAST+ are not installed, or hashFrag does not start")
def test_the_real_tool_finds_copies_reversed_ones_and_halves():
    found = next(hashfrag.check_hashfrag(planted()))
    assert (found.status, found.figures["near"]) == ("FAIL", 15)
