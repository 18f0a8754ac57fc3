"""On a CUDA device the learners give what they give on the CPU, and say where they ran: ``pytest -m gpu``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from small_tasks import write_small_task

from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.cnn import CNN
from bench.models.random_forest import RandomForest
from bench.models.xgboost import XGBoost

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def xgboost_with_cuda() -> None:
    """Skips where the XGBoost that is installed has no CUDA (package xgboost-cpu)."""
    import xgboost

    if not xgboost.build_info()["USE_CUDA"]:
        pytest.skip("XGBoost is built without CUDA here (package xgboost-cpu): install bench-gc[gpu]")


@pytest.fixture(scope="module")
def keras_with_gpu() -> None:
    """Skips where the Keras backend that is installed sees no GPU."""
    from bench.models.cnn import _environment, _has_gpu

    _environment(2)
    if not _has_gpu():
        pytest.skip("the Keras backend sees no GPU: install bench-gc[gpu]")


def counts(rows: int = 4000, columns: int = 40) -> tuple[Part, Part, Features]:
    """Training, validation and test rows of small counts; the target follows two of the columns."""
    rng = np.random.default_rng(0)
    x = rng.poisson(2.0, (rows, columns)).astype(np.uint8)
    y = (np.sqrt(x[:, 0]) - 0.3 * x[:, 1] + rng.normal(size=rows)).astype(np.float32)
    train, valid, test = (slice(i * rows // 4, j * rows // 4) for i, j in ((0, 2), (2, 3), (3, 4)))
    parts = [Part(Features(x[rows], "table"), y[rows]) for rows in (train, valid)]
    return parts[0], parts[1], Features(x[test], "table")


def on_both(make: Any, train: Part, valid: Part, test: Features) -> tuple[Any, Any]:
    """Predictions on the CPU and on the GPU; each model says where it was."""
    found = []
    for device in ("cpu", "cuda"):
        model: Model = make()
        model.fit(train, valid, Setting(seed=3, device=device, threads=2))  # type: ignore[arg-type]
        assert model.device_used == device
        found.append(np.asarray(model.predict(test)))
    return found[0], found[1]


@pytest.mark.usefixtures("xgboost_with_cuda")
@pytest.mark.parametrize(
    "make",
    [
        lambda: XGBoost(rounds=60, subsample=1, colsample=1),
        lambda: RandomForest(trees=3, max_depth=6, subsample=1, columns=1),
    ],
    ids=["xgboost", "random-forest"],
)
def test_trees_without_sampling_are_the_cpus(make: Any) -> None:
    """Counts have few values, so the bins are the same; sums are rounded otherwise, which may turn a tied split."""
    cpu, gpu = on_both(make, *counts())
    assert spearmanr(cpu, gpu).statistic > 0.995
    assert np.abs(cpu - gpu).mean() < 0.02 * cpu.std()


@pytest.mark.usefixtures("xgboost_with_cuda")
@pytest.mark.parametrize("make", [lambda: XGBoost(rounds=200), RandomForest], ids=["xgboost", "random-forest"])
def test_trees_at_their_defaults_are_as_good(make: Any) -> None:
    """The devices draw other rows and columns from one seed, so trees differ and scores do not."""
    train, valid, test = counts()
    x = test.table().astype(float)
    truth = np.sqrt(x[:, 0]) - 0.3 * x[:, 1]
    cpu, gpu = (spearmanr(prediction, truth).statistic for prediction in on_both(make, train, valid, test))
    assert cpu > 0.8
    assert abs(cpu - gpu) < 0.03


@pytest.mark.usefixtures("xgboost_with_cuda")
def test_the_old_name_of_the_gpu_means_it() -> None:
    train, valid, _ = counts(400)
    model = XGBoost(rounds=5, tree_method="gpu_hist")
    model.fit(train, valid, Setting())
    assert model.device_used == "cuda"


@pytest.mark.usefixtures("keras_with_gpu")
@pytest.mark.parametrize("arch", ["basset", "residual"])
def test_the_cnn_is_the_cpus(arch: str) -> None:
    """Without dropout and augmentation both devices see the same batches from the same weights; convolutions are
    rounded otherwise (TF32 among them), so a few steps agree to two digits."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, (600, 60), dtype=np.uint8)
    y = ((codes == 1) | (codes == 2)).mean(axis=1) * 10 + rng.normal(0, 0.1, 600)
    parts = [Part(Features(codes[rows], "codes"), y[rows].astype(np.float32)) for rows in np.split(np.arange(600), 3)]
    cpu, gpu = on_both(lambda: CNN(arch=arch, epochs=2, batch=50, regularise=False), parts[0], parts[1], parts[2].x)
    assert spearmanr(cpu, gpu).statistic > 0.98
    assert np.abs(cpu - gpu).mean() < 0.1 * cpu.std()


@pytest.mark.usefixtures("xgboost_with_cuda")
def test_the_device_is_in_the_record(tmp_path: Path) -> None:
    from rich.console import Console

    from bench.plugins.registry import Registry
    from bench.run.execute import Options, run_plan
    from bench.run.plan import Selection, make_plan
    from bench.store.store import Store

    selection = Selection((str(write_small_task(tmp_path / "data")),), ("gc",), ("xgboost[rounds=5]", "ridge"))
    registry, store = Registry(), Store(tmp_path / "out")
    plan = make_plan(selection, registry, store)
    outcome = run_plan(plan, registry, store, Console(quiet=True), Options("auto"))
    assert not outcome.failed
    devices = {record.model.split("[")[0]: record.device for _, record in store.records()}
    assert devices == {"xgboost": "cuda", "ridge": "cpu"}
