"""The featurizer my-plugin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench import Featurizer, Sequences


class MyPlugin(Featurizer):
    """How often a motif occurs in the row, as read on its strand."""

    name = "my-plugin"

    def __init__(self, motif: str = "TATAA") -> None:
        self.motif = motif

    def transform(self, sequences: Sequences) -> NDArray[np.float32]:
        """float32 (n, 1): n rows, one column."""
        return np.array([[row.count(self.motif)] for row in sequences.to_strings()], np.float32)

    def names(self, sequences: Sequences) -> list[str]:
        return [f"count_{self.motif}"]
