"""A random forest."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Features
from bench.model import Model, Part, Setting
from bench.models.xgboost import mean_target, predict_in_blocks, quantised, together, xgboost_device

#: Histograms of nodes kept at a time. XGBoost would keep all 8,191 of a tree of depth 12: 0.6 MB each at 5,460 count
#: columns (a bin a distinct count), up to 5.6 MB at as many continuous ones.
HISTOGRAMS = 1_024


class RandomForest(Model):
    """Trees on random rows and columns, averaged; by XGBoost, on CPU and GPU alike.

    The rows of a tree are drawn without replacement. Nothing is stopped early; the validation rows are not used.

    Parameters
    ----------
    trees, max_depth, min_child_weight : size of the forest and of its trees (``min_child_weight``: rows in a leaf).
    subsample : share of the rows a tree sees.
    columns : share of the columns a split may choose from.
    max_bin : bins of a column (xgboost).
    library : ``xgboost``, or ``sklearn`` for scikit-learn's (on the CPU; it bootstraps rows).
    """

    name = "random-forest"
    libraries = ("xgboost", "scikit-learn")
    devices = ("cpu", "cuda")
    spreads = True

    def __init__(
        self,
        trees: int = 100,
        max_depth: int = 12,
        min_child_weight: int = 5,
        subsample: float = 0.63,
        columns: float = 0.1,
        max_bin: int = 64,
        library: Literal["xgboost", "sklearn"] = "xgboost",
    ) -> None:
        self.trees = trees
        self.max_depth = max_depth
        self.min_child_weight = min_child_weight
        self.subsample = subsample
        self.columns = columns
        self.max_bin = max_bin
        self.library = library

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        self.history = []
        if self.library == "sklearn":
            self._fit_sklearn(train, setting)
            return
        import xgboost

        device = xgboost_device(setting.device)
        with together(setting.group):
            matrix, _ = quantised(train, valid, setting, self.max_bin, device)
            self.forest_ = xgboost.train(
                {
                    "tree_method": "hist",
                    "device": device,
                    "objective": "reg:squarederror",
                    "base_score": mean_target(train, setting.group),
                    "learning_rate": 1,
                    "num_parallel_tree": self.trees,
                    "max_depth": self.max_depth,
                    "min_child_weight": self.min_child_weight,
                    "subsample": self.subsample,
                    "colsample_bynode": max(self.columns, 1 / train.x.columns),
                    "reg_lambda": 0,
                    "max_bin": self.max_bin,
                    "max_cached_hist_node": HISTOGRAMS,
                    "nthread": setting.threads,
                    "seed": setting.row_seed,
                    "verbosity": 0,
                },
                matrix,
                num_boost_round=1,
                verbose_eval=False,
            )
        self.device_used = device

    def _fit_sklearn(self, train: Part, setting: Setting) -> None:
        from sklearn.ensemble import RandomForestRegressor

        if setting.group is not None:
            raise BenchError("random-forest: library=sklearn fits on one machine. Leave it or --spread out.")
        if setting.device == "cuda":
            raise BenchError(
                "random-forest: scikit-learn's runs on the CPU alone. Use --device cpu or library=xgboost."
            )
        self.forest_ = RandomForestRegressor(
            self.trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_child_weight,
            max_features=max(self.columns, 1 / train.x.columns),
            n_jobs=setting.threads,
            random_state=setting.seed,
        ).fit(train.x.table(), train.y)

    def predict(self, x: Features) -> NDArray[Any]:
        return self.forest_.predict(x.table()) if self.library == "sklearn" else predict_in_blocks(self.forest_, x)

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        return 0.3 + 5e-7 * rows * columns
