"""Plugins with faults and careless ones, one misdeed each, and the run that tries them.

`tests/run/test_faulty_plugins.py` runs a sample of each kind of fault; all of them are run by

    python tests/support/faulty_plugins.py [--places here child cluster]

What must hold: every innocent result equals that of a clean run in the same place to the last bit; a plugin whose own
fit fails is named, a merely careless one finishes; no process is left, and nothing is written but the store.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from small_tasks import write_small_task

from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.places.outside import Outside
from bench.run.plan import Plan, Selection, make_plan
from bench.run.queue import Options, Outcome
from bench.store.store import Store

PLACES = ("here", "child", "cluster")
#: The environment variable by which processes of a run are known.
MARK = "BENCH_TEST_MARK"


@dataclass(frozen=True)
class Faulty:
    """A plugin.

    fault : the kind of misdeed. body : of ``misdeed(self, ...)``, called whenever it makes features (a featurizer) or
    is fitted (a model). said : a piece of the reason of its failure; None where it finishes; "either" where it may do
    as it likes to itself. top : code of its module. sample : run by ``make test``.
    """

    fault: str
    name: str
    body: str
    said: str | None = None
    kind: Literal["featurizer", "model"] = "featurizer"
    top: str = ""
    sample: bool = False


HEAD = """
import os, sys, time
import numpy as np
from bench import Featurizer, Model

class Careful(Featurizer):
    role = "confounder"  # nothing is shuffled: a second less each

    def transform(self, sequences):
        # At planning the first two rows alone are asked for: misdeeds wait for the fit.
        if len(sequences) > 2:
            self.misdeed(sequences)
        return (sequences.lengths[:, None] + sequences.start[:, None] % 7).astype(np.float32)

class Learner(Model):
    stochastic = False

    def fit(self, train, valid, setting):
        self.mean_ = float(train.y.mean())
        self.misdeed(train, setting)

    def predict(self, x):
        return np.asarray(x.table()[:, 0], np.float64) - self.mean_
"""
FEATURIZER = """
class {cls}(Careful):
    name = "{name}"

    def misdeed(self, sequences):
        {body}
"""
MODEL = """
class {cls}(Learner):
    name = "{name}"

    def misdeed(self, train, setting):
        {body}
"""

FAULTY = (
    # ---- writes in place ----
    Faulty("writes", "clears-buffer", "sequences.buffer[:] = 0", "writes into sequences.buffer", sample=True),
    Faulty("writes", "centres", "x = train.x.values\nx -= x.mean(0).astype(x.dtype)", "read-only", "model",
           sample=True),
    Faulty("writes", "centres-y", "train.y[:] -= train.y.mean()", "read-only", "model"),
    Faulty("writes", "clears-shared", "setting.shared.clear()", None, "model"),
    Faulty("writes", "keeps-in-shared", "sequences.shared.clear(); sequences.shared['gc'] = np.zeros(3)"),
    # ---- forks, daemons, helpers ----
    Faulty("forks", "forks-and-both-return", "os.fork()", None, sample=True),
    Faulty("forks", "daemon", "if os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
           "    time.sleep(600)", None, sample=True),
    Faulty("forks", "leaves-a-helper", "import subprocess\nsubprocess.Popen(['sleep', '600'])"),
    Faulty("forks", "helper-then-crash", "if os.fork() == 0:\n    time.sleep(600)\nos.kill(os.getpid(), 11)",
           "SIGSEGV", sample=True),
    Faulty("forks", "pool", "import multiprocessing\nwith multiprocessing.Pool(2) as pool:\n"
           "    assert pool.map(abs, [-1, 2]) == [1, 2]", None, sample=True),
    Faulty("forks", "pool-left-open", "import multiprocessing\nself.__class__.pool = multiprocessing.Pool(1)"),
    Faulty("forks", "parent-leaves", "if os.fork():\n    os._exit(0)", "status 0"),
    Faulty("forks", "forked-copy-raises", "if os.fork() == 0:\n    raise RuntimeError('in the copy')"),
    # ---- exits ----
    Faulty("exits", "exits-0", "os._exit(0)", "status 0", sample=True),
    Faulty("exits", "sys-exit", "sys.exit()", "SystemExit", "model", sample=True),
    Faulty("exits", "thread-stays", "import threading\nthreading.Thread(target=time.sleep, args=(600,)).start()"),
    Faulty("exits", "base-exception", "class Odd(BaseException):\n    def __str__(self):\n        return 1 / 0\n"
           "raise Odd", "Odd", "model"),
    # ---- signals ----
    Faulty("signals", "kills-its-group", "os.killpg(os.getpgrp(), 9)", "SIGKILL", sample=True),
    Faulty("signals", "stops-its-parent", "import signal\nfor each in (2, 1, 15):\n    os.kill(os.getppid(), each)",
           sample=True),
    Faulty("signals", "kills-its-parent", "os.kill(os.getppid(), 9); time.sleep(600)", "its process"),
    Faulty("signals", "handlers", "import signal\nfor each in (2, 15, 17, 13):\n"
           "    signal.signal(each, signal.SIG_IGN)"),
    Faulty("signals", "alarm", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(600)", "SIGALRM"),
    Faulty("signals", "keyboard-interrupt", "raise KeyboardInterrupt", "KeyboardInterrupt", "model"),
    # ---- changes of folder ----
    Faulty("chdir", "chdir", "os.chdir('/')", None, sample=True),
    Faulty("chdir", "chdir-into-nothing", "import tempfile\nfolder = tempfile.mkdtemp()\nos.chdir(folder)\n"
           "os.rmdir(folder)", None, "model", sample=True),
    Faulty("chdir", "umask", "os.umask(0o777)"),
    # ---- monkeypatches ----
    Faulty("patches", "patches-numpy", "np.mean = np.dot = np.stack = np.isfinite = lambda *a, **k: 7",
           "either", top="np.mean = lambda *a, **k: 7", sample=True, kind="featurizer"),
    Faulty("patches", "patches-bench", "import bench.featurizers.gc as g, bench.models.ridge as r\n"
           "g.GC.transform = lambda self, s: np.ones((len(s), 1), np.float32)\n"
           "r.Ridge.predict = lambda self, x: np.zeros(len(x))", "either", sample=True),
    Faulty("patches", "patches-the-engine", "import bench.fit.fit as f\nf.scores = lambda *a: {}", "either", "model"),
    Faulty("patches", "patches-builtins", "import builtins\nbuiltins.sorted = lambda *a, **k: []", "either", "model"),
    # ---- floods ----
    Faulty("floods", "prints", "for _ in range(20_000):\n    print('word ' * 200)", None, sample=True),
    Faulty("floods", "prints-from-a-thread", "import threading\ndef shout():\n    while True:\n"
           "        os.write(2, b'word ' * 1000)\nthreading.Thread(target=shout, daemon=True).start()", None, "model",
           sample=True),
    Faulty("floods", "says-from-a-thread", "import threading\ndef shout(say=setting.say):\n    while True:\n"
           "        say('word')\n        time.sleep(0.001)\nthreading.Thread(target=shout, daemon=True).start()", None,
           "model", sample=True),
    Faulty("floods", "says-anything", "class Odd:\n    def __str__(self):\n        raise ValueError\n"
           "for each in (Odd(), None, 3, b'x', 'a' * 10**6, '\\x1b[2J'):\n    setting.say(each)", None, "model"),
    Faulty("floods", "closes-stdout", "sys.stdout.close()\nfor fd in (1, 2):\n    try:\n        os.close(fd)\n"
           "    except OSError:\n        pass"),
    # ---- memory ----
    Faulty("memory", "leaks", "KEPT.append(np.ones(25_000_000))", None, top="KEPT = []", sample=True),
    Faulty("memory", "asks-for-too-much", "np.ones(10**15)", "MemoryError", sample=True),
    Faulty("memory", "limits-itself", "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))\n"
           "KEPT.extend(open('/dev/null') for _ in range(9))", "Too many open files", "model", "KEPT = []"),
    Faulty("memory", "recursion", "sys.setrecursionlimit(10**6)\ndef deep():\n    return deep() + 1\ndeep()",
           "either", "model"),
    # ---- global random numbers and environment ----
    Faulty("globals", "seeds", "import random\nrandom.seed(0); np.random.seed(0); np.random.rand()", None,
           top="np.random.seed(1)", sample=True),
    Faulty("globals", "environment", "os.environ.clear(); os.environ.update(OMP_NUM_THREADS='1', PYTHONPATH='/')", None,
           sample=True),
    Faulty("globals", "warnings", "import warnings\nwarnings.simplefilter('error'); np.seterr(all='raise')"),
    Faulty("globals", "modules", "for name in list(sys.modules):\n"
           "    if name.startswith(('bench.kernels', 'random')):\n        del sys.modules[name]"),
    # ---- what it says of itself ----
    Faulty("values", "device-is-an-object", "self.device_used = object()", "device_used must be text", "model",
           sample=True),
    Faulty("values", "numpy-in-history", "self.history = [{'better': np.bool_(True), 3: np.float32(1.5)}]", None,
           "model", sample=True),
    Faulty("values", "text-in-history", "self.history = [{'loss': 'low'}]", "history must be", "model"),
    Faulty("values", "history-is-a-module", "self.history = sys", "history must be", "model"),
    # ---- the pipe ----
    Faulty("pipe", "closes-files", "os.closerange(3, 512)", "its process", sample=True),
    Faulty("pipe", "writes-into-files", "for fd in range(3, 1024):\n    try:\n        os.write(fd, b'x' * 64)\n"
           "    except OSError:\n        pass", "what is no answer", sample=True),
    # ---- edited, or importing helpers ----
    Faulty("edited", "edits-itself", "from pathlib import Path\nfile = Path(__file__)\n"
           "file.write_text(file.read_text() + '\\nX = 1\\n')", "the code of", sample=True),
    Faulty("edited", "writes-a-helper", "import tempfile\nfolder = tempfile.mkdtemp()\n"
           "open(os.path.join(folder, 'written_helper.py'), 'w').write('x = 1')\nsys.path.insert(0, folder)\n"
           "import written_helper, shutil\nshutil.rmtree(folder)", "the code of", "model"),
    Faulty("edited", "imports-a-helper", "assert plain_helper.x == 1", None, "model",
           "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'helpers'))\nimport plain_helper", sample=True),
    Faulty("edited", "shadows", "import types\nsys.modules['bench.models.ridge'] = types.ModuleType('ridge')", None,
           "model"),
)  # fmt: skip

#: Those that never end, but for a time limit. Run without innocent ones: what must finish is not timed.
HANGING = (
    Faulty("hangs", "sleeps", "time.sleep(600)", "past the limit of", sample=True),
    Faulty("hangs", "holds-the-interpreter", "import ctypes\nctypes.PyDLL(None).sleep(600)", "past the limit of",
           sample=True),
    Faulty("hangs", "waits-for-a-fork", "fork = os.fork()\nif fork == 0:\n    time.sleep(600)\nos.waitpid(fork, 0)",
           "past the limit of", "model"),
    Faulty("hangs", "locks-itself", "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
           "past the limit of", "model"),
    Faulty("hangs", "ignores-ends", "import signal\nfor each in (2, 15, 1):\n    signal.signal(each, signal.SIG_IGN)\n"
           "while True:\n    pass", "past the limit of"),
)  # fmt: skip

#: Files whose import misbehaves, by name; dropped into a plugin folder, where nobody named them.
AT_IMPORT = {
    "leaves": "os._exit(0)",
    "hangs": "time.sleep(600)",
    "crashes": "os.kill(os.getpid(), 11)",
    "forks": "os.fork() or os._exit(0)",
    "moves": "os.chdir('/')",
    "patches": "np.mean = np.dot = lambda *a, **k: 7",
    "floods": "print('word ' * 1_000_000)",
    "interrupts": "raise KeyboardInterrupt",
}
#: Those that can be used all the same.
USABLE = {"forks", "moves", "patches", "floods"}

#: What nobody else may change, and targets of it.
INNOCENT = ("gc", "kmers[k=2]", "kmers[k=3]", "dinucleotides")
TARGETS = 2


def write_plugins(folder: Path, faulty: tuple[Faulty, ...], per_file: int = 6) -> list[Path]:
    """Plugin files, several plugins in each; one that changes its file or patches at import has one of its own."""
    folder.mkdir(parents=True)
    alone = [[each] for each in faulty if each.top or each.fault == "edited"]
    rest = [each for each in faulty if [each] not in alone]
    groups = alone + [rest[i : i + per_file] for i in range(0, len(rest), per_file)]
    (folder / "helpers").mkdir()
    (folder / "helpers" / "plain_helper.py").write_text("x = 1\n")
    files = []
    for number, group in enumerate(groups):
        text = HEAD
        for each in group:
            pattern = FEATURIZER if each.kind == "featurizer" else MODEL
            cls = "Faulty" + "".join(word.title() for word in each.name.split("-"))
            text += f"\n{each.top}\n" + pattern.format(
                cls=cls, name=each.name, body=each.body.replace("\n", "\n        ")
            )
        files.append(folder / f"plugins_{number}.py")
        files[-1].write_text(text)
    return files


def write_dropped(folder: Path, names: tuple[str, ...]) -> None:
    """A plugin folder with files whose import misbehaves."""
    (folder / "featurizers").mkdir(parents=True)
    for name in names:
        body = FEATURIZER.format(cls="Dropped", name=f"dropped-{name}", body="pass")
        (folder / "featurizers" / f"{name}.py").write_text(f"{HEAD}{body}\n{AT_IMPORT[name]}\n")


@contextlib.contextmanager
def cluster_of(place: str, folder: Path) -> Iterator[str]:
    """The address of a scheduler with two workers; none where no cluster is asked for."""
    if place != "cluster":
        yield ""
        return
    import dask
    from distributed import LocalCluster

    with (
        dask.config.set(temporary_directory=str(folder)),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as local,
    ):
        yield local.scheduler_address


@contextlib.contextmanager
def places_of(place: str, address: str, timeout: float | None) -> Iterator[tuple[Options, list | None]]:
    """Options and places of one way to run."""
    if place != "cluster":
        yield Options("cpu", threads=1, workers=int(place == "child"), timeout=timeout), None
        return
    from bench.run.places.cluster import scheduler_places

    with scheduler_places(address, threads=1, timeout=timeout) as places:
        yield Options("cpu", threads=1), places


def plan_of(task: Path, faulty: tuple[Faulty, ...], registry: Registry, store: Store, outside: Outside) -> Plan:
    """Innocent jobs and those of faulty plugins, in turn."""
    featurizers = tuple(each.name for each in faulty if each.kind == "featurizer")
    models = tuple(each.name for each in faulty if each.kind == "model")

    def plan(featurizers: tuple[str, ...], models: tuple[str, ...]) -> Plan:
        selection = Selection((str(task),), featurizers, models)
        return make_plan(selection, registry, store, outside=outside)

    whole = plan(INNOCENT, ("ridge",))
    guilty = [
        *(plan(featurizers, ("ridge",)).jobs if featurizers else []),
        *(plan(("gc",), models).jobs if models else []),
    ]
    # A multitask learner has one job for both targets; so that there are more, one target each.
    every = max(len(guilty) // len(whole.jobs), 1)
    jobs = []
    for number, job in enumerate(whole.jobs):
        jobs += [*guilty[number * every : (number + 1) * every], job]
    whole.jobs = jobs + guilty[len(whole.jobs) * every :]
    return whole


def processes() -> dict[int, psutil.Process]:
    """Processes that have this run's mark in the environment that they were started with."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    found = {}
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if mark in Path(f"/proc/{pid}/environ").read_bytes():
                found[pid] = psutil.Process(pid)
    return found


def contents(store: Store) -> dict[str, tuple[dict, bytes]]:
    """Every result: what its record says, times apart, and the bytes of its predictions."""
    return {
        str(folder.relative_to(store.root)): (
            {key: value for key, value in record.model_dump().items() if key not in ("seconds", "finished", "threads")},
            (folder / "predictions.parquet").read_bytes(),
        )
        for folder, record in store.records()
    }


@dataclass
class Ran:
    """What came of a run: its outcome, the results, processes that were left, files outside the store, and plugin files
    that could not be used."""

    outcome: Outcome
    results: dict[str, tuple[dict, bytes]]
    left: list[str]
    stray: list[str]
    broken: dict[str, str]


def run(
    folder: Path,
    place: str,
    faulty: tuple[Faulty, ...],
    dropped: tuple[str, ...] = (),
    timeout: float | None = None,
) -> Ran:
    """Innocent and faulty plugins in one run, in a folder of its own; under a time limit faulty ones alone."""
    plugins = write_plugins(folder / "plugins", faulty) if faulty else []
    write_dropped(folder / "dropped", dropped)
    task = write_small_task(folder / "data", rows=90, targets=TARGETS)
    (folder / "elsewhere").mkdir()
    (folder / "temporary").mkdir()
    known = set(folder.rglob("*"))
    before = {MARK: os.environ.get(MARK), "TMPDIR": os.environ.get("TMPDIR")}
    os.environ |= {MARK: uuid.uuid4().hex, "TMPDIR": str(folder / "temporary")}
    tempfile.tempdir = None
    where = os.getcwd()
    os.chdir(folder / "elsewhere")
    try:
        store = Store(folder / "out")
        with cluster_of(place, folder / "workers") as address, open(os.devnull, "w") as nowhere:
            there = processes().keys() | {os.getpid()}
            with Outside(60 if "hangs" not in dropped else 10) as outside:
                registry = Registry(plugins, folder=folder / "dropped", describer=outside)
                plan = plan_of(task, faulty, registry, store, outside)
            if timeout is not None:
                plan.jobs = [job for job in plan.jobs if not job.built_in]
            with places_of(place, address, timeout) as (options, places):
                outcome = run_plan(plan, registry, store, Console(file=nowhere), options, places)
            left = _left(there)
        assert os.getcwd() == str(folder / "elsewhere")
    finally:
        os.chdir(where)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
        tempfile.tempdir = None
    ours = (folder / "out", folder / "workers")
    stray = [str(p) for p in folder.rglob("*") if p not in known and not any(p == o or o in p.parents for o in ours)]
    return Ran(outcome, contents(store), left, stray, registry.broken)


def _left(there: set[int], seconds: float = 20) -> list[str]:
    """Processes besides those that were there; ends are waited for."""
    limit = time.monotonic() + seconds
    while True:
        new = {pid: each for pid, each in processes().items() if pid not in there}
        alive = []
        for each in new.values():
            with contextlib.suppress(psutil.Error):
                if each.status() != psutil.STATUS_ZOMBIE:
                    alive.append(f"{each.pid} {' '.join(each.cmdline())[:200]}")
        if not alive or time.monotonic() > limit:
            return alive
        time.sleep(0.1)


def findings(clean: Ran | None, ran: Ran, faulty: tuple[Faulty, ...]) -> list[str]:
    """What does not hold."""
    expected = {} if clean is None else clean.results
    found = [f"left: {each}" for each in ran.left] + [f"written: {each}" for each in ran.stray]
    found += [f"not as in a clean run: {name}" for name, one in expected.items() if ran.results.get(name) != one]
    done = {result.featurizer for result in ran.outcome.fitted} | {result.model for result in ran.outcome.fitted}
    reasons: dict[str, str] = {}
    for result, reason, log in ran.outcome.failed:
        guilty = next((each.name for each in faulty if each.name in (result.featurizer, result.model)), str(result))
        reasons[guilty] = reason
        if not log.is_file():
            found.append(f"{guilty}: no log")
    for each in faulty:
        if each.said is None and (each.name not in done or each.name in reasons):
            found.append(f"{each.name} must finish. Got: {reasons.get(each.name)}")
        if each.said not in (None, "either") and (
            each.name in done or each.said not in reasons.get(each.name, "nothing")
        ):
            found.append(f"{each.name} must fail with {each.said!r}. Got: {reasons.get(each.name)}")
    innocent = set(reasons) - {each.name for each in faulty}
    return found + [f"failed, though innocent: {name}: {reasons[name]}" for name in innocent]


def main() -> None:
    """Run all of them, everywhere."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", nargs="+", choices=PLACES, default=PLACES)
    parser.add_argument("--only", nargs="+", help="names of plugins")
    parser.add_argument("--sample", action="store_true")
    asked = parser.parse_args()
    faulty = tuple(
        each for each in FAULTY if (not asked.only or each.name in asked.only) and (each.sample or not asked.sample)
    )
    wrong = 0
    for place in asked.places:
        with tempfile.TemporaryDirectory(prefix="faulty-") as folder:
            began = time.monotonic()
            clean = run(Path(folder) / "clean", place, ())
            ran = run(Path(folder) / "ran", place, faulty)
            found = findings(clean, ran, faulty)
            for line in found:
                print(f"  {line}")
            print(f"{place}: {len(faulty)} plugins, {len(clean.results)} innocent results, {len(found)} findings,"
                  f" {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
            wrong += len(found)
        with tempfile.TemporaryDirectory(prefix="faulty-") as folder:
            ran = run(Path(folder), place, HANGING, timeout=10)
            found = findings(None, ran, HANGING)
            for line in found:
                print(f"  {line}")
            print(f"{place}: {len(HANGING)} plugins that hang, {len(found)} findings", flush=True)
            wrong += len(found)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
