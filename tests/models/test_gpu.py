"""On a CUDA device the learners give what they give on the CPU, and say where they ran: ``pytest -m gpu``."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
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
    """Counts have few values, so the bins are the same; sums are rounded otherwise, which may turn a tied split. In a
    forest of three trees one turned split moves the rows below it by a third of what its leaves differ: .035 of the
    spread on an H100. A tenth is what a rank correlation of .995 leaves room for (sqrt(1 - .995**2))."""
    cpu, gpu = on_both(make, *counts())
    assert spearmanr(cpu, gpu).statistic > 0.995
    assert np.abs(cpu - gpu).mean() < 0.1 * cpu.std()


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


def sequences(rows: int = 400, length: int = 60) -> tuple[Part, Part, Features]:
    """Training, validation and test rows as base codes; the target is GC content of a wide range with little noise."""
    rng = np.random.default_rng(1)
    strong = rng.random((3 * rows, length)) < rng.uniform(0.2, 0.8, (3 * rows, 1))
    codes = np.where(strong, rng.integers(1, 3, strong.shape), 3 * rng.integers(0, 2, strong.shape)).astype(np.uint8)
    y = strong.mean(axis=1) + rng.normal(0, 0.05, 3 * rows)
    y = ((y - y.mean()) / y.std()).astype(np.float32)
    parts = [Part(Features(codes[part], "codes"), y[part]) for part in np.split(np.arange(3 * rows), 3)]
    return parts[0], parts[1], parts[2].x


@pytest.fixture(scope="module")
def networks() -> Callable[[str], CNN]:
    """A network of an architecture, trained on the CPU: once for all tests."""

    @functools.cache
    def trained(arch: str) -> CNN:
        # Without dropout and augmentation both devices see the same batches from the same weights. Eight epochs of
        # eight steps take both architectures to Spearman .96 with the target; after two the predictions had hardly
        # left the start, and what the devices differed by was compared with a spread of nothing.
        model = CNN(arch=arch, epochs=8, batch=50, regularise=False)
        model.fit(*sequences()[:2], Setting(seed=3, device="cpu", threads=2))
        return model

    return trained


@pytest.mark.usefixtures("keras_with_gpu")
@pytest.mark.parametrize("arch", ["basset", "residual"])
def test_the_same_weights_predict_the_same(arch: str, networks: Callable[[str], CNN]) -> None:
    """A GPU may round the factors of a convolution to TF32 (10 bits of mantissa, 5e-4 of each). With bfloat16 (7 bits)
    on the CPU the mean difference was 5e-4 of the spread, so 2e-3 holds for any of them."""
    model, test = networks(arch), sequences()[2]
    cpu = model.predict(test)
    gpu = on_gpu(model).predict(test)
    assert cpu.std() > 0.5
    assert np.abs(cpu - gpu).mean() < 2e-3 * cpu.std()


@pytest.mark.usefixtures("keras_with_gpu")
@pytest.mark.parametrize("arch", ["basset", "residual"])
def test_a_trained_cnn_is_the_cpus(arch: str, networks: Callable[[str], CNN]) -> None:
    """Training adds up what rounding does: with bfloat16 in place of float32 on the CPU predictions agreed to Spearman
    .9997 and the scores to three digits."""
    train, valid, test = sequences()
    model = CNN(arch=arch, epochs=8, batch=50, regularise=False)
    model.fit(train, valid, Setting(seed=3, device="cuda", threads=2))
    assert model.device_used == "cuda"
    cpu, gpu = networks(arch).predict(test), model.predict(test)
    gc = np.isin(test.values, (1, 2)).mean(axis=1)
    assert spearmanr(cpu, gpu).statistic > 0.99
    assert min(spearmanr(prediction, gc).statistic for prediction in (cpu, gpu)) > 0.9


def on_gpu(model: CNN) -> CNN:
    """The same weights, in a network on the GPU."""
    moved = copy.copy(model)
    moved._device = "gpu:0"
    moved._key = ("gpu:0", *model._key[1:])
    return moved


@pytest.mark.usefixtures("xgboost_with_cuda")
def test_the_device_is_in_the_record(tmp_path: Path) -> None:
    from rich.console import Console

    from bench.plugins.registry import Registry
    from bench.run.execute import run_plan
    from bench.run.plan import Selection, make_plan
    from bench.run.queue import Options
    from bench.store.store import Store

    selection = Selection((str(write_small_task(tmp_path / "data")),), ("gc",), ("xgboost[rounds=5]", "ridge"))
    registry, store = Registry(), Store(tmp_path / "out")
    plan = make_plan(selection, registry, store)
    outcome = run_plan(plan, registry, store, Console(quiet=True), Options("auto"))
    assert not outcome.failed
    devices = {record.model.split("[")[0]: record.device for _, record in store.records()}
    assert devices == {"xgboost": "cuda", "ridge": "cpu"}
