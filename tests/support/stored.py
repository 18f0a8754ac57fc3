"""Sound records, for tests that change one field of them."""

from __future__ import annotations

from typing import Any

from bench.store.record import Description, Fitted
from bench.store.result import ResultId

A_RESULT = ResultId("task", "y", "holdout", "gc", "ridge", 0)


def description(result: ResultId = A_RESULT, **changes: Any) -> Description:
    """What is known of a result before it is fitted."""
    known = {
        **{name: getattr(result, name) for name in ("task", "target", "split", "featurizer", "model", "seed")},
        "task_digest": "t", "folds_digest": "f", "role": "sequence", "gc_only": False, "kind": "table", "deep": False,
        "stochastic": True, "joint": [result.target],
    }  # fmt: skip
    return Description(**(known | changes))


def fitted(**changes: Any) -> Fitted:
    """What a fit leaves."""
    known = {
        "device": "cpu", "threads": 2, "seconds": {"features": 0.1, "fit": 2.0, "predict": 0.2},
        "rows": {"train": [20], "valid": [0], "test": [20]}, "fitted_rows": [20],
        "spearman": {"train": [0.7], "valid": [None], "test": [0.5]}, "history": [], "versions": {},
        "finished": "2026-01-01T00:00:00",
    }  # fmt: skip
    return Fitted(**(known | changes))
