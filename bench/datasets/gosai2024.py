"""Variants and elements in three cell lines (Gosai et al. 2024; Malinois was trained on it)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets.brought import Brought, BroughtDataset, published_table
from bench.tasks.loci import codes_of, overlapping
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

TABLE = "gosai2024/Table_S2__MPRA_dataset.txt"
CELLS = ("K562", "HepG2", "SKNSH")
#: A cell's value counts where its standard error is below this, as for Malinois.
MOST_ERROR = 1.0
#: Positions of two rows whose sequences (200 nt, the position anywhere in them) overlap are less than this apart.
REACH = 400


class Gosai2024(BroughtDataset):
    """One target per cell line; reference and alternative of a place share a locus."""

    name = "gosai2024"
    title = "Variants and elements (200 nt) in K562, HepG2 and SK-N-SH (Gosai 2024); bring the table"
    in_all = False
    brought = (Brought(TABLE, (f"{TABLE}.gz",)),)
    bring = "supplementary table S2 of the study (Table_S2__MPRA_dataset.txt)"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Reference and alternative alleles in three cell lines",
            assay="MPRA, log2 RNA/DNA, one value a cell line",
            organism="human, K562, HepG2 and SK-N-SH cells",
            citation="Gosai et al. 2024, Nature",
            licence="that of the published files, which do not state one",
            orientation="stranded",
            note=(
                f"A cell line's value counts where its lfcSE is below {MOST_ERROR:g}. The published split: chr19, chr21"
                " and chrX validate, chr7 and chr13 are tested. A row is at the position in its name, and rows within"
                f" {REACH} bases of one another are one locus, so reference and alternative are. Rows whose name has no"
                " position (designed sequences) are a locus of their own and are trained on. One value a row, so that"
                " there is no noise ceiling."
            ),
            columns=ColumnsSpec(id="IDs", strata=named("data_project", "class")),
            targets={cell: TargetSpec(replicates=[f"{cell}_log2FC"]) for cell in CELLS},
            split=Split.parse("holdout[valid=chr19+chr21+chrX,test=chr7+chr13]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        measured = [f"{cell}_{what}" for cell in CELLS for what in ("log2FC", "lfcSE")]
        columns = ["IDs", "chr", "data_project", "OL", "class", *measured, "sequence"]
        frame = published_table(files[TABLE], columns)
        for cell in CELLS:
            kept = frame[f"{cell}_lfcSE"].to_numpy(float) < MOST_ERROR
            frame[f"{cell}_log2FC"] = np.where(kept, frame[f"{cell}_log2FC"].to_numpy(float), np.nan)
        return frame.drop(columns=["chr", "OL"]).assign(**_places(frame))


def _places(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Chromosome as ``chr7`` ("" where the row has no position), and locus."""
    chrom = "chr" + frame["chr"].astype("string").str.replace(r"^chr", "", regex=True).str.replace(
        r"\.0$", "", regex=True
    )
    # 7:70038969:G:T:A:wC of a variant, chr7:100-300 of an element
    position = frame["IDs"].astype("string").str.extract(r"^(?:chr)?(?:\d{1,2}|X|Y)[:_](\d+)")[0]
    there = (chrom.str.fullmatch(r"chr(\d{1,2}|X|Y)").fillna(False) & position.notna()).to_numpy(bool)
    centre: NDArray[np.int64] = position.where(there, "0").to_numpy(str)[there].astype(np.int64)
    locus = np.empty(len(frame), object)
    found = overlapping(chrom[there], centre - REACH // 2, centre + REACH // 2)
    locus[there] = [f"at {code}" for code in found]
    locus[~there] = [f"like {code}" for code in codes_of(frame["sequence"][~there])]
    return {"chrom": chrom.where(there, "").to_numpy(object), "locus": locus}
