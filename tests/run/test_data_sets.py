"""Third-party data sets, and third-party files that cannot be imported: neither keeps a verb from its work."""

from pathlib import Path

import pytest
from calls import call
from small_tasks import write_small_task

from bench.errors import BenchError, Unavailable
from bench.plugins.registry import Registry
from bench.run.places import outside as places
from bench.run.places.outside import Outside
from bench.run.plan import Selection, make_plan
from bench.store.store import Store
from bench.tasks.data_files import data_state
from bench.tasks.load import TaskSource, load_task

SETS = """
import os, time
import pandas as pd

from bench.dataset import Dataset, RemoteFile
from bench.tasks.spec import TargetSpec, TaskSpec


class Toy(Dataset):
    name = "toy"
    title = "Forty rows"

    def spec(self):
        return TaskSpec(name=self.name, title="Toy", assay="none", organism="none", citation="made up", licence="CC0",
                        targets={"y": TargetSpec(replicates=["one", "two"])}, split="chromosome-kfold[k=4]")

    def frame(self, files):
        self.misdeed()
        rows = range(40)
        return pd.DataFrame({
            "sequence": ["ACGT" * 5 + "GC" * row + "AT" * (40 - row) for row in rows],
            "chrom": [f"chr{row % 4 + 1}" for row in rows],
            "one": [float(row) for row in rows], "two": [row + 0.5 for row in rows],
        })

    def misdeed(self):
        pass


class Raises(Toy):
    name = "raises"

    def misdeed(self):
        raise RuntimeError("no data today")


class Leaves(Toy):
    name = "leaves"

    def misdeed(self):
        os._exit(0)


class Hangs(Toy):
    name = "hangs"

    def misdeed(self):
        time.sleep(600)


class Absent(Toy):
    name = "absent"
    files = (RemoteFile("absent/a.tsv", "https://example.org/a.tsv", "0" * 64, 1_000_000),)


class Odd(Toy):
    name = "odd"

    def problem(self, data_dir=None):
        raise RuntimeError("what problem?")
"""


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)
    file = tmp_path / "sets.py"
    file.write_text(SETS)
    return file


def test_a_data_set_of_a_plugin_file_is_run_and_a_faulty_one_costs_itself(sets: Path, monkeypatch) -> None:
    with Outside() as outside:
        registry = Registry([sets], dropped=False, describer=outside)
        task = load_task("toy", registry, None)
        assert (len(task), list(task.targets)) == (40, ["y"])
        for name, said in (
            ("raises", "no data today"),
            ("leaves", "status 0"),
            ("hangs", "hangs: loading it ran past the limit of 2 s (the default; --timeout sets another)"),
        ):
            monkeypatch.setattr(places, "LOAD_SECONDS", 2.0 if name == "hangs" else 3600.0)
            with pytest.raises(BenchError) as caught:
                load_task(name, registry, None)
            assert said in str(caught.value)
            assert caught.value.status == 1
        monkeypatch.setattr(places, "LOAD_SECONDS", 3600.0)
        with pytest.raises(Unavailable, match="bench data fetch absent"):
            load_task("absent", registry, None)
        # Asked as the command line does, named and not.
        names = ("toy", "raises")
        monkeypatch.setattr(registry, "names", lambda kind: names if kind == "dataset" else ["gc"])
        plan = make_plan(Selection(None, ("gc",), ("ridge",)), registry, Store(sets.parent / "out"), outside=outside)
        assert [planned.name for planned in plan.tasks] == ["toy"]
        assert "no data today" in plan.broken["dataset raises"]
        with pytest.raises(BenchError, match="no data today"):
            make_plan(Selection(("raises",), ("gc",), ("ridge",)), registry, Store(sets.parent / "out"))


def test_what_there_is_of_its_files_is_asked_elsewhere(sets: Path) -> None:
    with Outside() as outside:
        registry = Registry([sets], dropped=False, describer=outside)
        state = data_state("absent", registry, None)
        assert (state.files, state.here, state.bytes) == (1, 0, 1_000_000)
        assert "bench data fetch absent" in str(state.problem)
        with pytest.raises(BenchError, match="what problem"):
            data_state("odd", registry, None)
    status, printed, error = call("data", "list", "--plugin", sets)
    assert (status, error) == (0, None), printed
    assert "cannot be used: odd: RuntimeError: what problem?" in " ".join(printed.split())
    assert "fly-promoters" in printed


def test_the_time_limit_of_the_call_holds_for_loading_too(sets: Path) -> None:
    with Outside(300) as outside:
        outside.timeout = 2.0
        with pytest.raises(BenchError, match=r"loading it ran past the limit of 2 s \(--timeout\)"):
            outside.load(sets, TaskSource("hangs"))


@pytest.mark.parametrize(
    "words",
    [
        ("data", "list"),
        ("audit", "planted", "--fail-on", "fail"),
        ("new", "featurizer", "my-own"),
        ("check", "length"),
    ],
)
def test_a_dropped_file_that_cannot_be_imported_stops_no_verb(tmp_path: Path, monkeypatch, words) -> None:
    (tmp_path / "featurizers").mkdir()
    text = "from bench import Featurizer\nraise ValueError('not now')\n\n\nclass Mine(Featurizer):\n    name = 'mine'\n"
    (tmp_path / "featurizers/mine.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    status, printed, error = call(*words)
    assert error is None, printed
    assert status == 0 or words[0] == "audit", printed
    assert "not now" not in printed


def test_a_broken_file_that_nobody_asked_for_counts_where_all_were_asked_for(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "models").mkdir()
    text = "import no_such_module\nfrom bench import Model\n\n\nclass Mine(Model):\n    name = 'mine'\n"
    (tmp_path / "models/mine.py").write_text(text)
    task = write_small_task(tmp_path / "data", rows=60)
    monkeypatch.chdir(tmp_path)
    status, printed, _ = call("run", "-t", task, "-f", "gc", "-m", "ridge", "-o", "out")
    assert status == 0, printed
    assert "No module named 'no_such_module'. Install no_such_module, or leave it out." in printed
    status, printed, _ = call("run", "-t", task, "-f", "none-such", "-m", "ridge", "-o", "out")
    assert status != 0
    status, printed, _ = call("run", "-t", task, "-m", "mean", "-o", "out")
    assert status == 1, printed
    _, _, error = call("run", "-t", task, "-f", "gc", "-m", "mine", "-o", "out", "--plugin", "models/mine.py")
    assert isinstance(error, BenchError)
    assert error.status == 1
