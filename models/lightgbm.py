"""Gradient-boosted trees by LightGBM."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting

#: Rows handed to LightGBM at a time: it holds a float copy of them.
BLOCK = 50_000
#: Values of a matrix from which memory is freed for it first: a binned one takes up to a byte of each.
LARGE = 1_000_000_000
#: Histograms are made column by column from so many columns on where rows are fewer than ``FEW``. Row by row costs
#: .33 CPU seconds per tree at 5,460 count columns whatever the rows (the columns that a tree may use are copied out for
#: each); column by column .13 and as much again with every 14,000 rows: even at 22,000 rows (docs/scale.md).
WIDE, FEW = 1_000, 20_000
#: Values that bins are found from where rows are handed over piece by piece: LightGBM holds 16 bytes of each meanwhile,
#: and of its own 200,000 rows at 5,460 columns that would be 17 GB.
SAMPLE_VALUES = 50_000_000
#: Minutes a process waits for the others of its group, who may still be preparing their rows.
PATIENCE_MINUTES = 30


class LightGBM(Model):
    """Boosted trees grown leaf by leaf, stopped early on the validation rows. On the CPU alone.

    Parameters
    ----------
    rounds : at most so many trees.
    patience : stop after so many rounds without a better validation error; the best round is used.
    learning_rate, num_leaves, min_data_in_leaf, bagging_fraction, feature_fraction, lambda_l2, max_bin : as in LightGBM
        (rows are drawn again every round); chosen on validation folds, docs/hyperparameters.md.
    """

    name = "lightgbm"
    libraries = ("lightgbm",)
    spreads = True

    def __init__(
        self,
        rounds: int = 3000,
        patience: int = 50,
        learning_rate: float = 0.05,
        num_leaves: int = 7,
        min_data_in_leaf: int = 20,
        bagging_fraction: float = 0.5,
        feature_fraction: float = 0.2,
        lambda_l2: float = 1,
        max_bin: int = 63,
    ) -> None:
        self.rounds = rounds
        self.patience = patience
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_data_in_leaf = min_data_in_leaf
        self.bagging_fraction = bagging_fraction
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.max_bin = max_bin

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        import lightgbm

        if setting.device == "cuda":
            raise BenchError("lightgbm: its wheel has no CUDA. Use --device cpu, or the model xgboost.")
        lightgbm.register_logger(_SILENT)
        matrix, held_out = self._matrices(train, valid, setting)
        curves: dict[str, dict[str, list[float]]] = {}
        parameters = {
            **self._data_parameters(setting, train.x),
            **_network(setting),
            "objective": "regression",
            "metric": "rmse" if setting.group is None else "None",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_data_in_leaf,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.lambda_l2,
            "seed": setting.seed,
        }
        try:
            self.booster_ = lightgbm.train(
                parameters,
                matrix,
                num_boost_round=self.rounds,
                valid_sets=[matrix, held_out],
                valid_names=["train", "valid"],
                feval=None if setting.group is None else _exact_rmse(held_out),
                callbacks=[
                    lightgbm.early_stopping(self.patience, verbose=False),
                    lightgbm.record_evaluation(curves),
                ],
            )
        except Exception as error:
            # The connection belongs to this process and lives as long as the booster, which the error holds: the next
            # fit, though it were alone, would wait for the others.
            traceback.clear_frames(error.__traceback__)
            raise
        if setting.group is not None:
            self.booster_.free_network()
        self.history = [
            {"round": i + 1, "train_rmse": a, "valid_rmse": b}
            for i, (a, b) in enumerate(zip(curves["train"]["rmse"], curves["valid"]["rmse"], strict=True))
        ]

    def _data_parameters(self, setting: Setting, x: Features) -> dict[str, Any]:
        by_column = x.columns >= WIDE and len(x) < FEW
        return {
            "max_bin": self.max_bin,
            "feature_pre_filter": False,  # the matrix is shared by settings that differ in min_data_in_leaf
            "deterministic": True,
            "force_row_wise": not by_column,
            "force_col_wise": by_column,
            "bin_construct_sample_cnt": max(min(SAMPLE_VALUES // x.columns, 200_000), 1) if len(x) > BLOCK else 200_000,
            "num_threads": setting.threads,
            "verbosity": -1,
        }

    def _matrices(self, train: Part, valid: Part, setting: Setting) -> tuple[Any, Any]:
        """Binned training and validation rows, kept for other fits on the same rows, with this fit's labels."""
        import lightgbm

        parameters = self._data_parameters(setting, train.x)
        key = f"lightgbm-{self.max_bin}-{len(train.x)}"
        shared = setting.shared if setting.group is None else {}  # all of a group make it, or none
        if key not in shared:
            if len(train.x) * train.x.columns > LARGE:
                setting.shared.clear()  # another learner's matrix of these rows: both would not fit
            matrix = lightgbm.Dataset(_rows(train.x), train.y, params=parameters)
            held_out = lightgbm.Dataset(_rows(valid.x), valid.y, reference=matrix, params=parameters)
            if setting.group is None:  # else `lightgbm.train` does, once it has joined the others: bins are theirs too
                held_out.construct()
            shared[key] = matrix, held_out
        pair: tuple[Any, Any] = shared[key]
        for part, matrix in zip((train, valid), pair, strict=True):
            matrix.set_label(part.y)
        return pair

    def predict(self, x: Features) -> NDArray[Any]:
        out = np.empty(len(x), np.float32)
        for first in range(0, len(x), BLOCK):
            rows = slice(first, first + BLOCK)
            out[rows] = self.booster_.predict(x.take(rows).table())
        return out

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.3 + 2.5e-7 * rows * columns


class _Silent:
    """Takes LightGBM's lines, which break those of progress; ``verbosity`` is read too late for some. Errors raise."""

    def info(self, line: str) -> None:
        pass

    warning = info


_SILENT = _Silent()


def _network(setting: Setting) -> dict[str, Any]:
    """Parameters of one of a group: `lightgbm.train` connects it to the others. Each has its rows already; columns are
    drawn by the seed that all share."""
    group = setting.group
    if group is None:
        return {}
    return {
        "machines": ",".join(f"{host}:{port}" for host, port in group.addresses),
        "local_listen_port": group.addresses[group.rank][1],
        "num_machines": len(group.addresses),
        "time_out": PATIENCE_MINUTES,
        "tree_learner": "data",
        "pre_partition": True,
        "bagging_seed": setting.row_seed,
    }


def _exact_rmse(exact: Any) -> Callable[[NDArray[np.float64], Any], tuple[str, float, bool]]:
    """RMSE, correctly rounded on the rows ``exact``, those that say when to stop. LightGBM's own is summed by threads
    and may differ in its last digit between machines: one of a group would then stop earlier than the others, and these
    wait for it without end (as LightGBM's Dask interface may: its issues 3712 and 7009)."""

    def rmse(predicted: NDArray[np.float64], rows: Any) -> tuple[str, float, bool]:
        squares = (predicted - rows.get_label()) ** 2
        return "rmse", math.sqrt((math.fsum(squares) if rows is exact else squares.sum()) / len(squares)), False

    return rmse


def _rows(x: Features) -> Any:
    """A table as LightGBM takes it; where rows are many, piece by piece."""
    if len(x) <= BLOCK:
        return x.table()
    import lightgbm

    class Rows(lightgbm.Sequence):
        batch_size = 4096

        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, rows: Any) -> NDArray[np.float64]:
            if isinstance(rows, (int, np.integer)):
                return x.take(slice(rows, rows + 1)).table()[0].astype(np.float64)
            return x.take(rows).table().astype(np.float64)

    return Rows()
