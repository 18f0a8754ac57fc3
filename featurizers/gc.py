"""GC content: of the whole row, and in windows along it."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.sequences import Sequences


class GC(Featurizer):
    """GC content of the whole row: (G + C) / called bases; N is left out, 0.5 where no base is called."""

    name = "gc"
    gc_only = True
    strand = "same"

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, 1)."""
        from bench.kernels.gc import gc_fraction

        return gc_fraction(sequences)[:, None]

    def names(self, sequences: Sequences) -> list[str]:
        return ["gc"]


class GCWindows(Featurizer):
    """GC content in windows along the row, 5' to 3': its shape as well as its level, and still nothing but GC.

    Parameters
    ----------
    n : windows per row, scaled to each row's length. The default is the best of 5, 10, 20, 40 on validation folds
        (docs/hyperparameters.md).
    width, step : windows of ``width`` bases every ``step`` instead of ``n`` (side by side without ``step``), over the
        longest row of the data set, shorter rows centred.
    """

    name = "gc-windows"
    kind = "signal"
    gc_only = True
    shown = ("n",)

    def __init__(self, n: int = 20, width: int | None = None, step: int | None = None) -> None:
        for option, value in (("n", n), ("width", width), ("step", step)):
            if value is not None and value < 1:
                raise BenchError(f"gc-windows: '{option}' must be an int of at least 1. Got {value}.")
        if step is not None and width is None:
            raise BenchError(f"gc-windows: 'step' ({step}) needs a 'width': gc-windows[width=50,step={step}].")
        self.n = n
        self.width = width
        self.step = step

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        """float32 (n, windows, 1); 0.5 in a window without a called base."""
        from bench.kernels.gc import gc_windows

        return gc_windows(sequences, self.n, self.width or 0, self.step or self.width or 0)[:, :, None]
