"""How much of a reporter assay is GC content? Featurizers, models, shared splits and an honest board."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# Threads of OpenMP that wait for each other spin for some microseconds and then sleep: read when XGBoost, LightGBM,
# scikit-learn or Numba are loaded, so before all of them. On a machine with other work threads that spin for long keep
# the core from the one they wait for (LightGBM and XGBoost took five times as long); on an idle one threads that sleep
# at once take longer to wake than a small tree to grow (docs/scale.md). Predictions are the same.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

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
