"""Boosted trees of the log odds: the model ``lightgbm`` on binary targets."""

from __future__ import annotations

import numpy as np

from bench.errors import BenchError
from bench.model import Model, Part, Setting
from bench.models.lightgbm import _SILENT, LightGBM


class LightGBMClassifier(LightGBM):
    """``lightgbm`` with the cross-entropy of labels between 0 and 1, stopped early by it on the validation rows. In one
    process alone.

    ``lambda_l2`` counts p(1 − p) times, p the prevalence: the curvature of the loss per row.
    """

    spreads = False

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        import lightgbm

        if setting.device == "cuda":
            raise BenchError("lightgbm: its wheel has no CUDA. Use --device cpu, or the model xgboost.")
        lightgbm.register_logger(_SILENT)
        matrix, held_out = self._matrices(train, valid, setting)
        rate = float(np.mean(train.y, dtype=np.float64))
        curves: dict[str, dict[str, list[float]]] = {}
        parameters = {
            **self._data_parameters(setting, train.x),
            "objective": "cross_entropy",
            "metric": "cross_entropy",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_data_in_leaf": self.min_data_in_leaf,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.lambda_l2 * rate * (1 - rate),
            "seed": setting.seed,
        }
        self.booster_ = lightgbm.train(
            parameters,
            matrix,
            num_boost_round=self.rounds,
            valid_sets=[matrix, held_out],
            valid_names=["train", "valid"],
            callbacks=[lightgbm.early_stopping(self.patience, verbose=False), lightgbm.record_evaluation(curves)],
        )
        self.history = [
            {"round": i + 1, "train_log_loss": a, "valid_log_loss": b}
            for i, (a, b) in enumerate(
                zip(curves["train"]["cross_entropy"], curves["valid"]["cross_entropy"], strict=True)
            )
        ]


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return LightGBMClassifier
