"""How much of a reporter assay is GC content? Featurizers, models, shared splits and an honest board."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Threads of OpenMP that wait for each other sleep rather than spin: read when XGBoost, LightGBM, scikit-learn or Numba
# are loaded, so before all of them. On a machine with other work spinning threads keep the core from the one they wait
# for: with two threads LightGBM and XGBoost took five times as long. Predictions are the same.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bench.featurizer import Features, Featurizer
    from bench.model import Model, Part, Setting
    from bench.sequences import Sequences

__all__ = ["Features", "Featurizer", "Model", "Part", "Sequences", "Setting", "__version__"]

_HOME = {
    "Featurizer": "bench.featurizer",
    "Features": "bench.featurizer",
    "Model": "bench.model",
    "Part": "bench.model",
    "Setting": "bench.model",
    "Sequences": "bench.sequences",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that ``bench --help`` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)
