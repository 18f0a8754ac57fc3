"""Gradient-boosted trees by XGBoost, and the quantised matrix that its boosters and forests share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Group, Model, Part, Setting

#: Rows handed to XGBoost at a time: it holds a float32 copy of them.
BLOCK = 50_000
#: Rows that the bins of a larger matrix are drawn from: with all of them, preparation and peak memory double.
SAMPLE = 5_000
#: Values of a matrix from which memory is freed for it first: a quantised one takes 2 bytes of each.
LARGE = 1_000_000_000
#: Seconds a process waits for the others of its group, who may still be preparing their rows.
PATIENCE = 1_800


class XGBoost(Model):
    """Boosted trees on quantised columns (``tree_method=hist``), stopped early on the validation rows.

    Parameters
    ----------
    rounds : at most so many trees.
    patience : stop after so many rounds without a better validation error; the best round is used.
    learning_rate, max_depth, min_child_weight, subsample, colsample, reg_lambda : as in XGBoost (``colsample`` is
        ``colsample_bytree``); chosen on validation folds, docs/hyperparameters.md.
    max_bin : bins of a column.
    tree_method : ``hist``; ``gpu_hist`` is accepted as the old name of ``hist`` on a GPU.
    """

    name = "xgboost"
    libraries = ("xgboost",)
    devices = ("cpu", "cuda")
    spreads = True

    def __init__(
        self,
        rounds: int = 3000,
        patience: int = 50,
        learning_rate: float = 0.05,
        max_depth: int = 3,
        min_child_weight: float = 20,
        subsample: float = 0.5,
        colsample: float = 0.2,
        reg_lambda: float = 1,
        max_bin: int = 64,
        tree_method: Literal["hist", "gpu_hist"] = "hist",
    ) -> None:
        self.rounds = rounds
        self.patience = patience
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.colsample = colsample
        self.reg_lambda = reg_lambda
        self.max_bin = max_bin
        self.tree_method = tree_method

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        import xgboost

        device = xgboost_device("cuda" if self.tree_method == "gpu_hist" else setting.device)
        curves: dict[str, dict[str, list[float]]] = {}
        with together(setting.group):
            matrix, held_out = quantised(train, valid, setting, self.max_bin, device)
            self.booster_ = xgboost.train(
                {
                    "tree_method": "hist",
                    "device": device,
                    "objective": "reg:squarederror",
                    "base_score": mean_target(train, setting.group),
                    "learning_rate": self.learning_rate,
                    "max_depth": self.max_depth,
                    "min_child_weight": self.min_child_weight,
                    "subsample": self.subsample,
                    "colsample_bytree": self.colsample,
                    "reg_lambda": self.reg_lambda,
                    "max_bin": self.max_bin,
                    "nthread": setting.threads,
                    "seed": setting.row_seed,  # columns of a group are drawn by its rank 0
                    "verbosity": 0,
                },
                matrix,
                num_boost_round=self.rounds,
                evals=[(matrix, "train"), (held_out, "valid")],
                early_stopping_rounds=self.patience,
                evals_result=curves,
                verbose_eval=False,
            )
        self.booster_ = self.booster_[: self.booster_.best_iteration + 1]
        self.device_used = device
        self.history = [
            {"round": i + 1, "train_rmse": a, "valid_rmse": b}
            for i, (a, b) in enumerate(zip(curves["train"]["rmse"], curves["valid"]["rmse"], strict=True))
        ]

    def predict(self, x: Features) -> NDArray[Any]:
        return predict_in_blocks(self.booster_, x)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.3 + 3.5e-7 * rows * columns


def xgboost_device(wanted: str) -> str:
    """``wanted``, or an error where this XGBoost cannot: it would otherwise fall back to the CPU without saying so."""
    import xgboost

    if wanted == "cuda" and not xgboost.build_info()["USE_CUDA"]:
        raise BenchError(
            "xgboost: this build has no CUDA (package xgboost-cpu). Install the package xgboost, or use --device cpu."
        )
    return wanted


@contextmanager
def together(group: Group | None) -> Iterator[None]:
    """XGBoost's collective communication within a group, for as long as the block runs; nothing for a lone process.

    Within it, the functions of XGBoost are called by all of the group in one order. The process of rank 0 runs the
    tracker that the others find each other by.
    """
    if group is None:
        yield
        return
    from xgboost.collective import CommunicatorContext
    from xgboost.tracker import RabitTracker

    host, port = group.addresses[0]
    tracker = None
    if group.rank == 0:
        tracker = RabitTracker(n_workers=len(group.addresses), host_ip=host, port=port, sortby="task", timeout=PATIENCE)
        tracker.start()
    else:
        time.sleep(0.2)  # before the tracker listens, XGBoost would wait for two seconds
    with CommunicatorContext(
        dmlc_communicator="rabit",
        dmlc_tracker_uri=host,
        dmlc_tracker_port=port,
        dmlc_task_id=f"{group.rank:06d}",
        dmlc_retry=10,
        dmlc_timeout=PATIENCE,
    ):
        yield
    if tracker is not None:
        tracker.wait_for(PATIENCE)


def mean_target(train: Part, group: Group | None) -> float:
    """Mean target of the training rows, of all of a group."""
    if group is None:
        return float(np.mean(train.y, dtype=np.float64))
    from xgboost import collective

    total = np.array([np.sum(train.y, dtype=np.float64), len(train.y)])
    total = collective.allreduce(total, collective.Op.SUM)
    return float(total[0] / total[1])


def quantised(train: Part, valid: Part, setting: Setting, max_bin: int, device: str) -> tuple[Any, Any]:
    """Training and validation rows as XGBoost's quantised matrices, labelled with this fit's targets.

    Quantising is expensive, so the pair is kept in ``setting.shared`` for other targets, seeds and models on the same
    rows.
    """
    key = f"xgboost-quantised-{max_bin}-{device}-{len(train.x)}"
    shared = setting.shared if setting.group is None else {}  # all of a group make it, or none
    if key not in shared:
        if len(train.x) * train.x.columns > LARGE:
            setting.shared.clear()  # another learner's matrix of these rows: both would not fit
        sample = None
        # All of a group in the same way: each matrix is made in communication.
        if len(train.x) > BLOCK or setting.group is not None:
            few = np.linspace(0, len(train.x) - 1, SAMPLE).astype(np.int64)
            sample = _matrix(train.x.take(few), max_bin, setting.threads, None)
        matrix = _matrix(train.x, max_bin, setting.threads, sample)
        shared[key] = matrix, _matrix(valid.x, max_bin, setting.threads, matrix)
    for part, quantised_part in zip((train, valid), shared[key], strict=True):
        quantised_part.set_info(label=part.y)
    pair: tuple[Any, Any] = shared[key]
    return pair


def _matrix(x: Features, max_bin: int, threads: int, ref: Any) -> Any:
    """Quantised rows, from blocks where they are many: a block alone is ever expanded or made float32."""
    import xgboost

    if len(x) <= BLOCK:
        return xgboost.QuantileDMatrix(x.table(), max_bin=max_bin, nthread=threads, ref=ref)

    class Blocks(xgboost.DataIter):
        first = 0

        def next(self, input_data: Any) -> bool:
            if self.first >= len(x):
                return False
            input_data(data=x.take(slice(self.first, self.first + BLOCK)).table())
            self.first += BLOCK
            return True

        def reset(self) -> None:
            self.first = 0

    return xgboost.QuantileDMatrix(Blocks(), max_bin=max_bin, nthread=threads, ref=ref)


def predict_in_blocks(booster: Any, x: Features) -> NDArray[np.float32]:
    """Predictions of every row, float32 (n,)."""
    booster.set_param({"device": "cpu"})  # where the rows are: a booster on the GPU would warn and copy
    out = np.empty(len(x), np.float32)
    for first in range(0, len(x), BLOCK):
        rows = slice(first, first + BLOCK)
        out[rows] = booster.inplace_predict(x.take(rows).table())
    return out
