"""AnnData files (.h5ad) as MPRAlib writes them: observations are replicates, variables barcodes or oligos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd

#: Layers that are counts, and what their columns are called by replicate.
LAYERS = {"dna": "dna_count_", "rna": "rna_count_"}


def read_h5ad(path: Path) -> pd.DataFrame:
    """An AnnData as a table of one row per variable.

    Columns: ``barcode`` and ``oligo_name`` where the variables are barcodes of oligos (``var["oligo"]``), else ``id``;
    ``dna_count_<replicate>`` and ``rna_count_<replicate>`` from the layers ``dna`` and ``rna``, missing where both are
    0 (never seen); and the other columns of ``var``.

    Raises
    ------
    BenchError : where the library is not installed, or a layer is missing.
    """
    import pandas as pd

    try:
        import anndata
    except ImportError:
        raise BenchError(
            f"{path}: reading .h5ad needs anndata: install the extra anndata (pip install 'bench-gc[anndata]'), or"
            " export the counts as a table."
        ) from None
    data = anndata.read_h5ad(path)
    missing = [layer for layer in LAYERS if layer not in data.layers]
    if missing:
        raise BenchError(
            f"{path}: layer {missing[0]!r} is missing. An .h5ad needs the layers dna and rna, raw counts, with"
            " replicates as observations and barcodes or oligos as variables."
        )
    counts = {layer: _dense(data.layers[layer]).astype(np.float64) for layer in LAYERS}
    unseen = (counts["dna"] == 0) & (counts["rna"] == 0)
    var = data.var.reset_index(drop=True).astype(object)
    names = [str(name) for name in data.var_names]
    barcodes = "oligo" in var.columns and list(map(str, var["oligo"])) != names
    head = {"barcode": names, "oligo_name": [str(name) for name in var["oligo"]]} if barcodes else {"id": names}
    columns: dict[str, Any] = {}
    for row, replicate in enumerate(map(str, data.obs_names)):
        for layer, prefix in LAYERS.items():
            columns[f"{prefix}{replicate}"] = np.where(unseen[row], np.nan, counts[layer][row])
    others = {str(name): var[name].to_numpy() for name in var.columns if name != "oligo"}
    plain = {name: values for name, values in others.items() if name not in head and _plain(values)}
    return pd.DataFrame({**head, **columns, **plain})


def _dense(layer: Any) -> Any:
    return layer.toarray() if hasattr(layer, "toarray") else np.asarray(layer)


def _plain(values: Any) -> bool:
    """Whether a column holds texts or numbers, not lists."""
    return all(value is None or isinstance(value, str | int | float | np.generic) for value in values)
