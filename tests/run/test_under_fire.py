"""Nothing that a plugin or the machine does loses results: kills, two runs at once, strangers that misbehave."""

import contextlib
import html
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_tasks import write_small_task

KILLS = 20
#: Imports everything a run needs, says so, waits for a word, and runs: the kills then land in the run, not in imports.
DRIVER = """
import sys
import pandas, pyarrow.parquet
import bench.report.build, bench.report.terminal, bench.run.execute, bench.tasks.table
import bench.kernels.gc, bench.kernels.kmers
from bench.cli.main import main
print("ready", flush=True)
sys.stdin.readline()
main()
"""
PAIRS = ["-f", "gc", "-f", "dinucleotides", "-f", "length", "-m", "ridge", "-m", "gc-curve", "-m", "mean"]


def start(out: Path, task: Path, *arguments: str) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "run", "--task", str(task), "--out", str(out), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=task.parent,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen) -> str:
    printed, _ = process.communicate("\n", timeout=500)
    return printed


def run(out: Path, task: Path, *arguments: str) -> tuple[int, str]:
    process = start(out, task, *arguments)
    printed = go(process)
    return process.returncode, printed


def board(out: Path) -> str:
    """The board with its times masked."""
    text = (out / "leaderboard.md").read_text()
    return re.sub(r"\| [\d.,]+ (s|min|h) \|", "| TIME |", text)


def predictions(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


@pytest.mark.slow
def test_a_run_killed_at_twenty_random_moments_ends_with_the_same_board(tmp_path):
    task = write_small_task(tmp_path / "data", targets=4)
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    began = time.monotonic()
    status, printed = run(calm, task, *PAIRS)
    assert status == 0, printed
    whole = time.monotonic() - began
    rng = random.Random(7)
    finished_early = 0
    for _ in range(KILLS):
        process = start(stormy, task, *PAIRS)
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(rng.uniform(0, whole / 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        finished_early += process.returncode == 0
        process.stdout.close()
        process.stdin.close()
        for record in stormy.rglob("result.json"):
            json.loads(record.read_text())  # never half-written
    assert finished_early < KILLS
    status, printed = run(stormy, task, *PAIRS)
    assert status == 0, printed
    assert predictions(stormy) == predictions(calm)
    assert board(stormy) == board(calm)
    assert not list(stormy.rglob("*.tmp")) or all(p.name.startswith(".") for p in stormy.rglob("*.tmp"))


def test_two_runs_at_once_share_the_work(tmp_path):
    task = write_small_task(tmp_path / "data", targets=3)
    alone, together = tmp_path / "alone", tmp_path / "together"
    run(alone, task, *PAIRS)
    processes = [start(together, task, *PAIRS) for _ in range(2)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=500)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    fitted = [int(re.search(r"(\d+) fits? done", text)[1]) for text in said]
    assert sum(fitted) == len(list(alone.rglob("result.json")))
    assert predictions(together) == predictions(alone)
    assert board(together) == board(alone)


STRANGERS = """
import ctypes, os, sys, time
import numpy as np
from bench import Featurizer


class Fine(Featurizer):
    name = "fine"

    def transform(self, sequences):
        return (sequences.lengths[:, None] + sequences.start[:, None] % 7).astype(np.float32)


class Raises(Fine):
    name = "raises"

    def transform(self, sequences):
        raise RuntimeError("no such enhancer")


class WrongShape(Fine):
    name = "wrong-shape"

    def transform(self, sequences):
        return np.zeros((3, 1, 1, 1))


class IsNaN(Fine):
    name = "is-nan"

    def transform(self, sequences):
        return np.full((len(sequences), 1), np.nan)


class Exits(Fine):
    name = "exits"

    def transform(self, sequences):
        sys.exit(0)


class Chatty(Fine):
    name = "chatty"

    def transform(self, sequences):
        for _ in range(2000):
            print("word " * 200)
        return super().transform(sequences)


class Segfault(Fine):
    name = "segfault"

    def transform(self, sequences):
        if len(sequences) > 2:
            os.kill(os.getpid(), 11)
        return super().transform(sequences)


class Hangs(Fine):
    name = "hangs"

    def transform(self, sequences):
        if len(sequences) > 2:
            time.sleep(3600)
        return super().transform(sequences)
"""


@pytest.mark.slow
def test_strangers_that_misbehave_cost_only_their_own_cells(tmp_path):
    task = write_small_task(tmp_path / "data")
    plugin = tmp_path / "strangers.py"
    plugin.write_text(STRANGERS)
    bad = ["raises", "wrong-shape", "is-nan", "exits", "segfault"]
    names = [*bad, "fine", "chatty", "gc"]
    arguments = [word for name in names for word in ("-f", name)]
    out = tmp_path / "out"
    status, printed = run(out, task, *arguments, "-m", "ridge", "--plugin", str(plugin))
    assert status == 1, printed
    for name in bad:
        assert f"{name} + ridge" in printed
    assert "no such enhancer" in printed
    assert "SIGSEGV" in printed
    # Alone, so that nothing which must finish is timed.
    status, said = run(out, task, "-f", "hangs", "-m", "ridge", "--plugin", str(plugin), "--timeout", "3")
    assert status == 1, said
    assert "hangs + ridge" in said
    assert "--timeout" in said
    done = {json.loads(path.read_text())["featurizer"] for path in out.rglob("result.json")}
    assert done == {"fine", "chatty", "gc"}
    text = (out / "leaderboard.md").read_text()
    for name in (*bad, "hangs"):
        assert name in text
    assert "RuntimeError" in "".join(path.read_text() for path in out.rglob("failed.log"))
    assert len(printed) < 20_000
    # A failure is not cached: mended, it runs, and nothing else runs again.
    plugin.write_text(
        STRANGERS.replace('raise RuntimeError("no such enhancer")', "return super().transform(sequences)")
    )
    status, printed = run(out, task, "-f", "raises", "-f", "fine", "-m", "ridge", "--plugin", str(plugin))
    assert status == 0, printed
    assert not list(out.rglob("raises+ridge/seed-0/failed.json"))


def test_ctrl_c_keeps_what_is_finished_and_says_so(tmp_path):
    task = write_small_task(tmp_path / "data")
    plugin = tmp_path / "strangers.py"
    plugin.write_text(STRANGERS)
    out = tmp_path / "out"
    process = start(out, task, "-f", "gc", "-f", "hangs", "-m", "ridge", "--plugin", str(plugin))
    process.stdin.write("\n")
    process.stdin.flush()
    deadline = time.monotonic() + 300
    while not list(out.rglob("result.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=500)
    assert process.returncode == 130, printed
    assert "stopping the fit in flight" in printed
    assert "interrupted: 1 result kept; `bench report` makes the board" in printed
    assert not list(out.rglob("*.tmp"))
    assert [json.loads(path.read_text())["featurizer"] for path in out.rglob("result.json")] == ["gc"]


def test_damage_in_the_store_is_mended_by_the_next_run(tmp_path):
    task = write_small_task(tmp_path / "data", targets=2)
    calm, out = tmp_path / "calm", tmp_path / "out"
    for folder in (calm, out):
        status, printed = run(folder, task, *PAIRS)
        assert status == 0, printed
    records, parquet = sorted(out.rglob("result.json")), sorted(out.rglob("predictions.parquet"))
    records[0].write_text(records[0].read_text()[:100])
    records[1].write_text("{}")
    parquet[2].write_bytes(parquet[2].read_bytes()[:-20])
    flipped = bytearray(parquet[3].read_bytes())
    flipped[len(flipped) // 2] ^= 255
    parquet[3].write_bytes(flipped)
    (out / "small" / "rows.parquet").write_bytes(b"PAR1")
    (out / "small" / "summary.json").write_text('{"format": 1, "boards": [{')
    status, printed = run(out, task, "-f", "gc", "-m", "mean", "--cache", "only")  # fits nothing, so it can only tell
    assert status == 1, printed
    for file in (records[0], records[1]):
        assert f"not read {file.relative_to(out)}" in printed
        assert str(file.relative_to(out)) in html.unescape((out / "leaderboard.md").read_text())
    status, printed = run(out, task, *PAIRS)
    assert status == 0, printed
    assert 4 <= int(re.search(r"(\d+) fits? done", printed)[1]) < len(records)  # some are fitted two at a time
    assert "not read" not in printed
    assert predictions(out) == predictions(calm)
    assert board(out) == board(calm)


def test_a_killed_run_leaves_no_child_behind(tmp_path):
    task = write_small_task(tmp_path / "data")
    plugin = tmp_path / "strangers.py"
    noted = tmp_path / "child"
    note = f"open({str(noted)!r}, 'w').write(str(os.getpid()))"
    plugin.write_text(STRANGERS.replace("time.sleep(3600)", f"{note}; time.sleep(3600)"))
    process = start(tmp_path / "out", task, "-f", "hangs", "-m", "ridge", "--plugin", str(plugin))
    process.stdin.write("\n")
    process.stdin.flush()
    deadline = time.monotonic() + 300
    while not (noted.exists() and noted.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    child = int(noted.read_text())
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def mounted(folder: Path, options: str):
    """A small disk of its own."""
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a disk")
def test_a_read_only_folder_is_said_before_anything_is_fitted(tmp_path):
    task = write_small_task(tmp_path / "data")
    disk = tmp_path / "disk"
    with mounted(disk, "size=4m"):
        status, printed = run(disk / "out", task, "-f", "gc", "-m", "ridge")
        assert status == 0, printed
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for out in (disk / "out", disk / "new"):
            status, printed = run(out, task, "-f", "gc", "-m", "ridge")
            assert status == 2
            assert "cannot write there (Read-only file system). Give a writable folder with --out." in printed
            assert "Traceback" not in printed


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_said_and_loses_nothing(tmp_path):
    task = write_small_task(tmp_path / "data", rows=600, targets=4)
    disk = tmp_path / "disk"
    with mounted(disk, "size=160k"):
        status, printed = run(disk / "out", task, *PAIRS)
        assert status == 1, printed
        assert "the disk is full" in printed
        for record in disk.rglob("result.json"):
            json.loads(record.read_text())
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        status, printed = run(disk / "out", task, *PAIRS)
        assert status == 0, printed
