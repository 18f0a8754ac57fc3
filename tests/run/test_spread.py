"""One fit over the workers of a cluster: the model of a serial run, every row once, also after a worker was lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from calls import refused
from rich.console import Console
from small_tasks import write_small_task

from bench.plugins.registry import Registry
from bench.run.execute import run_plan
from bench.run.places import spread
from bench.run.places.cluster import scheduler_places
from bench.run.places.spread import Spread
from bench.run.plan import Selection, make_plan
from bench.run.queue import Options, Outcome
from bench.store.predictions import read_predictions
from bench.store.store import PREDICTIONS, Store

distributed = pytest.importorskip("distributed")

#: No random rows or columns, so that what is left to differ from a serial fit is the order of sums.
MODELS = (
    "xgboost[rounds=40,patience=5,subsample=1,colsample=1,learning_rate=.3]",
    "lightgbm[rounds=40,patience=5,bagging_fraction=1,feature_fraction=1,learning_rate=.3]",
    "random-forest[trees=1,subsample=1,columns=1]",
)

#: Few distinct values, so that bins do not depend on which rows a worker has.
FEW = """
import numpy as np
from bench.featurizer import Featurizer
from bench.featurizers.gc import GCWindows

class Few(Featurizer):
    name = "few"

    def transform(self, sequences):
        return np.round(GCWindows(n=4).transform(sequences)[:, :, 0] * 4).astype(np.uint8)
"""

#: A model of a stranger that can be one of a group; it says what its group was.
MEETS = """
import os, time
from pathlib import Path
import numpy as np
from bench.model import Model

class Meets(Model):
    name = "meets"
    stochastic, spreads = False, True

    def __init__(self, folder: str = "", hang: bool = False, fail: bool = False, die: bool = False) -> None:
        self.folder, self.hang, self.fail, self.die = folder, hang, fail, die

    def fit(self, train, valid, setting):
        group, folder = setting.group, Path(self.folder)
        if self.die and group.rank == 0:
            import psutil

            psutil.Process(psutil.Process().parent().ppid()).kill()  # the worker, above this child's guard
            time.sleep(300)
        if self.fail and group.rank == 1:
            raise ValueError("no such luck")
        if self.fail:
            time.sleep(300)  # as one that waits for rank 1
        if self.hang and not (folder / "killed").exists():
            if group.rank == 1:
                (folder / "partial").write_text(str(os.getpid()))
                (folder / "partial").rename(folder / "hung")
            time.sleep(300)
        ports = [port for _, port in group.addresses]
        (folder / f"{min(ports)}-{group.rank}").write_text(f"{len(train.y)} {len(valid.y)} {len(set(ports))}")
        self.size_ = len(group.addresses)

    def predict(self, x):
        return x.table()[:, 0] * self.size_
"""


#: Learners that draw rows and columns and note the trees that each process ends with.
AGREE = """
from pathlib import Path
from bench.models.lightgbm import LightGBM
from bench.models.random_forest import RandomForest
from bench.models.xgboost import XGBoost

def note(folder, group, trees):
    place = Path(folder) / str(group.addresses[0][1])
    place.mkdir(parents=True, exist_ok=True)
    (place / str(group.rank)).write_text(trees)

class Boosted(XGBoost):
    name = "boosted"

    def __init__(self, folder: str = "") -> None:
        super().__init__(rounds=30)
        self.folder = folder

    def fit(self, train, valid, setting):
        super().fit(train, valid, setting)
        note(self.folder, setting.group, "".join(self.booster_.get_dump()))

class Forest(RandomForest):
    name = "forest"

    def __init__(self, folder: str = "") -> None:
        super().__init__(trees=5)
        self.folder = folder

    def fit(self, train, valid, setting):
        super().fit(train, valid, setting)
        note(self.folder, setting.group, "".join(self.forest_.get_dump()))

class ByLeaf(LightGBM):
    name = "by-leaf"

    def __init__(self, folder: str = "") -> None:
        super().__init__(rounds=30)
        self.folder = folder

    def fit(self, train, valid, setting):
        super().fit(train, valid, setting)
        trees = self.booster_.model_to_string().partition("Tree=0")[2].partition("end of trees")[0]
        note(self.folder, setting.group, trees)
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with three single-threaded worker processes."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=":0") as local:
        yield local.scheduler_address


def run(selection: Selection, out: Path, places: Any = None, plugins: tuple[Path, ...] = ()) -> tuple[Store, Outcome]:
    registry, store = Registry(plugins), Store(out)
    plan = make_plan(selection, registry, store)
    with open(os.devnull, "w") as nowhere:
        return store, run_plan(plan, registry, store, Console(file=nowhere), Options("cpu", threads=1), places)


def test_the_model_is_that_of_a_serial_run(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data", rows=901, targets=2))
    plugin = tmp_path / "few.py"
    plugin.write_text(FEW)
    selection = Selection((task,), ("few",), (*MODELS, "ridge"))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        assert len(places) == 1
        together, outcome = run(selection, tmp_path / "spread", places, (plugin,))
    assert not outcome.failed
    serial, _ = run(selection, tmp_path / "serial", plugins=(plugin,))
    records = {folder.relative_to(together.root): record for folder, record in together.records()}
    assert len(records) == 8
    for folder, record in serial.records():
        where = folder.relative_to(serial.root)
        mine, theirs = records[where], read_predictions(together.root / where / PREDICTIONS)
        ours = read_predictions(folder / PREDICTIONS)
        for name in ("row", "fold", "part"):
            np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name))
        # LightGBM's summed histograms break near-ties between splits in other ways.
        close = 0.2 if record.model.startswith("lightgbm") else 2e-5
        np.testing.assert_allclose(theirs.prediction, ours.prediction, atol=close)
        np.testing.assert_allclose(theirs.shuffled, ours.shuffled, atol=close)
        assert np.corrcoef(theirs.prediction, ours.prediction)[0, 1] > 0.999
        for name in ("rows", "fitted_rows"):
            assert getattr(mine, name) == getattr(record, name)
        for part in ("train", "valid", "test"):
            np.testing.assert_allclose(mine.spearman[part], record.spearman[part], atol=3e-3)
        alone = record.model.startswith("ridge")
        assert mine.device == ("cpu" if alone else "cpu × 3")
        if record.model.startswith(("xgboost", "lightgbm")):
            rounds = [[len(fold) for fold in each.history] for each in (mine, record)]
            assert any(n < 40 for n in rounds[0])  # stopped early
            assert rounds[0] == rounds[1] or record.model.startswith("lightgbm")


def test_all_end_with_the_same_trees(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data", rows=902))
    plugin = tmp_path / "agree.py"
    plugin.write_text(AGREE)
    models = [f"{name}[folder={tmp_path / name}]" for name in ("boosted", "forest", "by-leaf")]
    with scheduler_places(address, threads=1, kind=Spread) as places:
        _, outcome = run(Selection((task,), ("kmers[k=3]",), tuple(models)), tmp_path / "out", places, (plugin,))
    assert not outcome.failed
    for name in ("boosted", "forest", "by-leaf"):
        # On a busy machine a worker may be lost, and the fit begins again: what was begun is then there too.
        fits = [sorted(fit.iterdir()) for fit in (tmp_path / name).iterdir()]
        whole = [fit for fit in fits if len(fit) == 3]
        assert len(whole) >= 3  # folds
        for fit in whole:
            first, second, third = (path.read_text() for path in fit)
            assert len(first) > 1_000
            assert first == second == third


def test_each_worker_has_a_share(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data", rows=302))
    plugin = tmp_path / "meets.py"
    plugin.write_text(MEETS)
    seen = tmp_path / "seen"
    seen.mkdir()
    selection = Selection((task,), ("gc",), (f"meets[folder={seen}]",))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        store, outcome = run(selection, tmp_path / "out", places, (plugin,))
    assert not outcome.failed
    [(_, record)] = store.records()
    folds = {}
    for path in seen.iterdir():
        train, valid, ports = map(int, path.read_text().split())
        folds.setdefault(path.name.split("-")[0], []).append(train)
        assert valid in record.rows["valid"]
        assert ports == 3
    assert sorted(sum(shares) for shares in folds.values()) == sorted(record.rows["train"])
    assert all(max(shares) - min(shares) <= 1 and len(shares) == 3 for shares in folds.values())


def test_few_rows_are_not_spread(tmp_path: Path, address: str) -> None:
    task = str(write_small_task(tmp_path / "data", rows=48))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        store, outcome = run(Selection((task,), ("gc",), MODELS), tmp_path / "out", places)
    assert not outcome.failed
    assert {record.device for _, record in store.records()} == {"cpu"}


def test_a_lost_worker_costs_one_more_beginning(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "GRACE", 15)
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "meets.py"
    plugin.write_text(MEETS)
    hung = tmp_path / "seen" / "hung"
    hung.parent.mkdir()

    def kill() -> None:
        limit = time.monotonic() + 300
        while not hung.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        time.sleep(1)  # the others have begun to wait
        (hung.parent / "killed").touch()
        os.kill(psutil.Process(int(hung.read_text())).parent().ppid(), signal.SIGKILL)  # above the child's guard

    killer = threading.Thread(target=kill)
    selection = Selection((task,), ("gc",), (f"meets[folder={hung.parent},hang=true]", MODELS[0]))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        killer.start()
        _, outcome = run(selection, tmp_path / "out", places, (plugin,))
        killer.join()
    assert not outcome.failed
    assert len(outcome.fitted) == 2
    shares = [name for name in os.listdir(hung.parent) if name not in ("hung", "killed")]
    assert sum(name.endswith("-0") for name in shares) == 3  # every fold was fitted once from then on


def test_workers_that_die_each_time_are_given_up(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "GRACE", 60)
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "meets.py"
    plugin.write_text(MEETS)
    selection = Selection((task,), ("gc",), (f"meets[folder={tmp_path},die=true]", MODELS[1]))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        _, outcome = run(selection, tmp_path / "out", places, (plugin,))
    [(_, reason, _)] = outcome.failed
    assert reason.startswith("each of the 3 times this was begun a worker was lost, lastly tcp://")
    assert len(outcome.fitted) == 1


def test_what_one_worker_raises_is_the_reason(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "GRACE", 3)
    task = str(write_small_task(tmp_path / "data"))
    plugin = tmp_path / "meets.py"
    plugin.write_text(MEETS)
    selection = Selection((task,), ("gc",), (f"meets[folder={tmp_path},fail=true]", MODELS[1]))
    with scheduler_places(address, threads=1, kind=Spread) as places:
        _, outcome = run(selection, tmp_path / "out", places, (plugin,))
    assert [reason for _, reason, _ in outcome.failed] == ["ValueError: no such luck"]
    assert len(outcome.fitted) == 1


def test_spread_needs_a_cluster(tmp_path: Path) -> None:
    assert "--scheduler or --cluster" in refused("run", "--all", "--spread", "-o", tmp_path)
