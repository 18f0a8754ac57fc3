"""Boosted trees of the log odds: the model ``xgboost`` on binary targets."""

from __future__ import annotations

from bench.model import Model, Part, Setting
from bench.models.xgboost import XGBoost, mean_target, quantised, together, xgboost_device


class XGBoostClassifier(XGBoost):
    """``xgboost`` with ``binary:logistic``, stopped early by the log loss on the validation rows.

    ``min_child_weight`` and ``reg_lambda`` count p(1 − p) times, p the prevalence: so much is the curvature of the loss
    per row, which is 1 for the squares that they were chosen for.
    """

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        import xgboost

        device = xgboost_device("cuda" if self.tree_method == "gpu_hist" else setting.device)
        curves: dict[str, dict[str, list[float]]] = {}
        with together(setting.group):
            matrix, held_out = quantised(train, valid, setting, self.max_bin, device)
            rate = min(max(mean_target(train, setting.group), 1e-6), 1 - 1e-6)
            curve = rate * (1 - rate)
            self.booster_ = xgboost.train(
                {
                    "tree_method": "hist",
                    "device": device,
                    "objective": "binary:logistic",
                    "eval_metric": "logloss",
                    "base_score": rate,
                    "learning_rate": self.learning_rate,
                    "max_depth": self.max_depth,
                    "min_child_weight": self.min_child_weight * curve,
                    "subsample": self.subsample,
                    "colsample_bytree": self.colsample,
                    "reg_lambda": self.reg_lambda * curve,
                    "max_bin": self.max_bin,
                    "nthread": setting.threads,
                    "seed": setting.row_seed,
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
            {"round": i + 1, "train_log_loss": a, "valid_log_loss": b}
            for i, (a, b) in enumerate(zip(curves["train"]["logloss"], curves["valid"]["logloss"], strict=True))
        ]


def classifier(cls: type[Model]) -> type[Model]:
    """The class that fits binary targets."""
    return XGBoostClassifier
