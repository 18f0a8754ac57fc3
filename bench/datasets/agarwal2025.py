"""Elements in three cell lines by lentiMPRA (Agarwal et al. 2025)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset, published_table
from bench.errors import BenchError
from bench.files.tables import read_table
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

#: Cell line -> accession of its element quantifications.
CELLS = {"K562": "ENCFF252GNM", "HepG2": "ENCFF755BGY", "WTC11": "ENCFF949GFZ"}
SEQUENCES = "agarwal2025/TableS3.tsv"
REPLICATES = (1, 2, 3)
#: Fewest barcodes of an element in a replicate.
MINIMUM_BARCODES = 10
#: Bases of an ordered sequence, and of the adapter at each of its ends.
ORDERED, ADAPTER = 230, 15


class Agarwal2025(BroughtDataset):
    """One target per cell line, three replicates; both orientations of an element are one locus."""

    name = "agarwal2025"
    title = "Elements (200 nt) in K562, HepG2 and WTC11, lentiMPRA, three replicates (Agarwal 2025); bring the tables"
    in_all = False
    brought = (
        *(Brought(f"agarwal2025/{file}.tsv", (f"agarwal2025/{file}.tsv.gz",)) for file in CELLS.values()),
        Brought(SEQUENCES, (f"{SEQUENCES}.gz", "agarwal2025/TableS3.csv", "agarwal2025/TableS3.xlsx")),
    )
    bring = (
        "element quantifications from ENCODE (" + ", ".join(f"{cell} {file}" for cell, file in CELLS.items()) + ") and"
        " the sequences, the study's table S3, saved as TableS3.tsv, .csv or .xlsx"
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Promoters and enhancers in three cell lines, lentiMPRA",
            assay="lentiMPRA, log2 RNA/DNA, three replicates",
            organism="human, K562, HepG2 and WTC11 cells",
            citation="Agarwal et al. 2025, Nature",
            licence="that of the published files, which do not state one",
            orientation="stranded",
            note=(
                "The published files have a row per element and replicate; a replicate of an element with fewer than"
                f" {MINIMUM_BARCODES} barcodes counts as not measured. Their counts are normalised fractions, so that"
                " there is no DNA count to hold fixed. The adapters of 15 bases are cut off. An element and its"
                " reversed copy are two rows of one locus: loci are rows of like bases on either strand, and whole loci"
                " are dealt to folds."
            ),
            columns=ColumnsSpec(id="name", covariates=named("barcodes")),
            targets={cell: TargetSpec(replicates=[f"{cell} {i}" for i in REPLICATES]) for cell in CELLS},
            split=Split.parse("locus-kfold[k=10]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        measured, barcodes = [], []
        for cell, file in CELLS.items():
            values, seen = _wide(files[f"agarwal2025/{file}.tsv"])
            measured.append(values.add_prefix(f"{cell} "))
            barcodes.append(seen)
        frame = pd.concat(measured, axis=1)
        frame["barcodes"] = pd.concat(barcodes, axis=1).mean(axis=1)
        sequences = _sequences(files[SEQUENCES])
        frame["sequence"] = sequences.reindex(frame.index)
        lost = frame["sequence"].isna()
        if lost.all():
            raise BenchError(
                f"{files[SEQUENCES]}: has none of the elements, such as {frame.index[0]!r}. {AS_PUBLISHED}"
            )
        return frame[~lost].rename_axis("name").reset_index()


def _wide(path: Path) -> tuple[pd.DataFrame, pd.Series]:
    """log2 by element and replicate, and the mean number of barcodes of each element over replicates."""
    table = published_table(path, ["replicate", "name", "log2", "n_obs_bc"])
    if not set(table["replicate"].unique()) <= set(REPLICATES):
        raise BenchError(f"{path}: its replicates are not {', '.join(map(str, REPLICATES))}. {AS_PUBLISHED}")
    twice = table.duplicated(["name", "replicate"])
    if twice.any():
        row = int(twice.to_numpy().argmax())
        raise BenchError(f"{path}: row {row + 1} is a second one of {table['name'][row]!r} in its replicate.")
    few = table["n_obs_bc"].to_numpy(float) < MINIMUM_BARCODES
    kept = table.assign(log2=np.where(few, np.nan, table["log2"].to_numpy(float)))
    wide = kept.pivot(index="name", columns="replicate", values="log2").reindex(columns=list(REPLICATES))
    return wide.rename(columns=str), table.groupby("name")["n_obs_bc"].mean()


def _sequences(path: Path) -> pd.Series:
    """Name -> sequence without adapters."""
    frame = read_table(path).frame
    column = next((name for name in frame.columns if "sequence" in str(name).lower()), None)
    if "name" not in frame.columns or column is None:
        raise BenchError(f"{path}: needs a column 'name' and one of sequences. It has {', '.join(frame.columns)}.")
    sequence = frame[column].astype(str)
    bad = sequence.str.len() != ORDERED
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise BenchError(
            f"{path}: the sequence of {frame['name'].iloc[row]!r} has {len(sequence.iloc[row])} bases, not {ORDERED}"
            f" (with its adapters). {AS_PUBLISHED}"
        )
    return sequence.str.slice(ADAPTER, ORDERED - ADAPTER).set_axis(frame["name"]).groupby(level=0).first()
