"""A child process: late and malformed messages, trees of processes, limits of time, the end of the run."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from calls import call, refused
from faulty_plugins import HEAD
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.fit.messages import Done, Failed, JobFailed, MalformedMessage, Said, decode, encode, encoded_answer
from bench.fit.worker import JobSpec, Prepare
from bench.plugins.registry import Registry
from bench.run.places.child import Child
from bench.run.places.frames import Frames, framed
from bench.run.places.outside import Outside
from bench.tasks.load import TaskSource, load_planned


# ---- messages --------------------------------------------------------------------------------------------------------
def test_a_message_holds_plain_values_and_records_alone() -> None:
    kept = decode(encode(Done(3, [np.arange(3), {"a": 1.5}])))
    np.testing.assert_array_equal(kept.answer[0], np.arange(3))
    for wrong in (os.system, subprocess.Popen, threading.Thread, JobSpec.of):
        with pytest.raises(MalformedMessage):
            decode(pickle.dumps(Done(1, wrong)))
    for wrong in (
        b"",
        b"\x80\x05",
        b"no message",
        pickle.dumps(7),
        pickle.dumps(Said("x", "line")),
        pickle.dumps(Said(1, 2)),
    ):
        with pytest.raises(MalformedMessage):
            decode(wrong)


def test_reading_a_message_runs_nothing() -> None:
    class Runs:
        def __reduce__(self) -> tuple:
            return os.mkdir, ("/tmp/never-made-by-a-message",)

    with pytest.raises(MalformedMessage):
        decode(pickle.dumps(Done(1, Runs())))
    assert not Path("/tmp/never-made-by-a-message").exists()


def test_an_answer_that_cannot_be_told_is_a_failure() -> None:
    for answer in (lambda: 1, threading.Lock(), Path):
        told = decode(encoded_answer(Done(4, answer)))
        assert isinstance(told, Failed)
        assert told.number == 4


def test_frames_of_any_pieces_give_the_messages() -> None:
    rng = np.random.default_rng(0)
    messages = [rng.bytes(int(size)) for size in (0, 1, 5, 70_000, 3)]
    stream = b"".join(map(framed, messages))
    cuts = [0, *sorted(rng.integers(0, len(stream), 40).tolist()), len(stream)]
    frames = Frames()
    got = [each for a, b in itertools.pairwise(cuts) for each in frames.feed(stream[a:b])]
    assert got == messages
    with pytest.raises(MalformedMessage):
        list(Frames().feed(b"x" * 20))


# ---- a child and what a plugin does in it ----------------------------------------------------------------------------
@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


def spec_of(tmp_path: Path, body: str, top: str = "") -> JobSpec:
    """A job of a featurizer that does something."""
    task = write_small_task(tmp_path / "data", rows=60)
    plugin = tmp_path / "mine.py"
    lines = body.replace("\n", "\n        ")
    plugin.write_text(
        f"{HEAD}{top}\nclass Mine(Careful):\n    name = 'mine'\n\n    def misdeed(self, sequences):\n        {lines}\n"
    )
    registry = Registry([plugin], dropped=False)
    planned = load_planned(TaskSource(str(task)), registry)
    return JobSpec.of(planned, registry, featurizer="mine", model="ridge", targets=("t0",))


def gone(pid: int, seconds: float = 60) -> bool:
    """Whether a process ends."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        with contextlib.suppress(psutil.Error):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
                continue
        return True
    return False


def noted(file: Path, seconds: float = 60) -> int:
    """The process number that a plugin writes down."""
    limit = time.monotonic() + seconds
    while not (file.exists() and file.read_text().endswith("\n")) and time.monotonic() < limit:
        time.sleep(0.05)
    return int(file.read_text())


def note(file: Path) -> str:
    """Code that writes the process's number down."""
    return f"open({str(file)!r}, 'w').write(f'{{os.getpid()}}\\n')"


def test_a_line_of_a_thread_that_outlived_its_job_is_dropped(tmp_path: Path, child: Child) -> None:
    top = "import threading, bench.fit.worker as w\n"
    body = (
        "import gc, bench.fit.worker as w\n"
        "say = next(each for each in gc.get_objects() if isinstance(each, w._Line))\n"
        "tell, number = say._tell, say._number\n"
        "def shout():\n    while True:\n        tell(w.Said(number, 'late'))\n        time.sleep(0.001)\n"
        "import threading\nthreading.Thread(target=shout, daemon=True).start()"
    )
    spec, said = spec_of(tmp_path, body, top), []
    child.ask(Prepare(spec), spec.outside, say=said.append)
    said.clear()
    time.sleep(0.5)
    child.ask(Prepare(spec), spec.outside, say=said.append)
    assert "late" not in said


def test_a_helper_that_holds_everything_open_keeps_nobody_waiting(tmp_path: Path, child: Child) -> None:
    helper = tmp_path / "helper"
    body = f"if os.fork() == 0:\n    {note(helper)}\n    time.sleep(600)\ntime.sleep(1)\nos.kill(os.getpid(), 11)"
    spec = spec_of(tmp_path, body)
    with pytest.raises(JobFailed, match="SIGSEGV"):
        child.ask(Prepare(spec), spec.outside, timeout=300)
    assert gone(noted(helper))


def test_a_time_limit_ends_the_whole_tree_daemons_too(tmp_path: Path, child: Child) -> None:
    helper, daemon = tmp_path / "helper", tmp_path / "daemon"
    body = (
        f"if os.fork() == 0:\n    {note(helper)}\n    time.sleep(600)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
        f"    {note(daemon)}\n    time.sleep(600)\ntime.sleep(600)"
    )
    spec = spec_of(tmp_path, body)
    with pytest.raises(JobFailed, match=r"ran past the limit of 8 s \(--timeout\)"):
        child.ask(Prepare(spec), spec.outside, timeout=8)
    assert gone(noted(helper))
    if sys.platform == "linux":
        assert gone(noted(daemon))


def test_what_a_plugin_prints_before_its_end_is_kept(tmp_path: Path, child: Child) -> None:
    spec = spec_of(tmp_path, "print('x' * 10**6); print('last words', flush=True); os._exit(3)")
    with pytest.raises(JobFailed, match="status 3") as caught:
        child.ask(Prepare(spec), spec.outside, timeout=300)
    assert "last words" in caught.value.trace
    assert len(caught.value.trace) < 30_000


def test_other_plugins_get_another_process_and_the_same_keep_theirs(tmp_path: Path, child: Child) -> None:
    file = tmp_path / "process"
    spec = spec_of(tmp_path, note(file))
    seen = []
    for serves in (spec.outside, spec.outside, ("featurizer other",)):
        file.unlink(missing_ok=True)
        (tmp_path / "mine.py").touch()
        with contextlib.suppress(JobFailed):
            child.ask(Prepare(spec), serves, timeout=300)
        seen.append(child._guard.pid)
    assert seen[0] == seen[1] != seen[2]


def test_a_child_is_closed_from_another_thread_in_the_middle_of_a_job(tmp_path: Path) -> None:
    child, file = Child(), tmp_path / "process"
    spec = spec_of(tmp_path, f"{note(file)}\ntime.sleep(600)")
    closer = threading.Thread(target=lambda: (noted(file), child.close()))
    closer.start()
    with pytest.raises(JobFailed):
        child.ask(Prepare(spec), spec.outside, timeout=300)
    closer.join(60)
    assert gone(noted(file))


HOLDS_THE_LOCK = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_child import spec_of
from bench.run.places.child import Child
from bench.fit.worker import Prepare

# A function of C that keeps the interpreter lock: no other thread of the process runs meanwhile.
body = {note!r} + "\\nimport ctypes\\nctypes.PyDLL(None).sleep(600)"
spec = spec_of(Path({folder!r}), body)
Child().ask(Prepare(spec), spec.outside)
"""


def test_a_child_that_holds_the_interpreter_lock_ends_with_the_run(tmp_path: Path) -> None:
    file = tmp_path / "process"
    path = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support"), *sys.path]
    code = HOLDS_THE_LOCK.format(path=path, note=note(file), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code]) as run:
        spinning = noted(file, 120)
        run.send_signal(signal.SIGKILL)
    assert gone(spinning)


# ---- planning --------------------------------------------------------------------------------------------------------
def test_the_limit_is_that_of_the_call_and_the_message_says_whose_it_is(tmp_path: Path) -> None:
    plugin = tmp_path / "hangs.py"
    plugin.write_text("import time\ntime.sleep(600)\n")
    with Outside(3) as outside, pytest.raises(BenchError) as caught:
        Registry([plugin], dropped=False, describer=outside)
    assert f"{plugin}: importing it ran past the limit of 3 s (--timeout)" in str(caught.value)
    with Outside() as outside:
        assert outside._limit == "the default; --timeout sets another"
    with Outside(settable=False) as outside:
        assert outside._limit == "the default"


def test_nothing_of_a_third_party_is_imported_by_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    plugin = tmp_path / "mine.py"
    top = f"open(os.path.join({str(seen)!r}, str(os.getpid())), 'w').close()"
    plugin.write_text(
        f"{HEAD}{top}\nclass Mine(Careful):\n    name = 'mine'\n\n    def misdeed(self, sequences):\n        pass\n"
    )
    task = write_small_task(tmp_path / "data", rows=60)
    monkeypatch.chdir(tmp_path)
    status, printed, error = call("run", "-t", task, "-f", "mine", "-m", "ridge", "-o", "out", "--plugin", plugin)
    assert (status, error) == (0, None), printed
    status, printed, _ = call("list", "--plugin", plugin)
    assert "mine" in printed
    assert list(seen.iterdir())
    assert not (seen / str(os.getpid())).exists()
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(("top", "said"), [("os._exit(0)", "status 0"), ("os.kill(os.getpid(), 9)", "SIGKILL")])
def test_a_named_file_that_ends_its_process_is_an_error_that_names_it(tmp_path: Path, top: str, said: str) -> None:
    plugin = tmp_path / "leaves.py"
    plugin.write_text(f"import os\n{top}\n")
    task = write_small_task(tmp_path / "data", rows=60)
    _, printed, error = call("run", "-t", task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out", "--plugin", plugin)
    assert isinstance(error, BenchError), printed
    assert error.status == 1
    assert str(plugin) in str(error)
    assert said in str(error)


def test_wrong_parameters_are_refused_as_those_of_built_in_plugins_are(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        f"{HEAD}\nclass Mine(Careful):\n    name = 'mine'\n\n    def __init__(self, k: int = 2) -> None:\n"
        "        if k > 5:\n            raise ValueError('k must be at most 5')\n        self.k = k\n"
    )
    task = write_small_task(tmp_path / "data", rows=60)
    for text, said in (
        ("mine[q=1]", "has no parameter 'q'"),
        ("mine[k=x]", "whole number"),
        ("mine[k=9]", "at most 5"),
    ):
        arguments = ("run", "-t", task, "-f", text, "-m", "ridge", "-o", tmp_path / "out", "--plugin", plugin)
        assert said in refused(*arguments)
