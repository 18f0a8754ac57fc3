"""Native promoters of the fly and the RNA of their genes: the task that comes with the package.

The table is made by ``scripts/build_fly_promoters.py`` from a Debian and a PyPI package.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from bench.dataset import Dataset
from bench.files.tables import read_tsv
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd


class FlyPromoters(Dataset):
    """The 300 bp upstream of each start site, with the gene's RNA as the target."""

    name = "fly-promoters"
    title = "11,497 fly promoters (300 bp) and the RNA of their genes in S2 cells; not an MPRA"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Fly promoters, RNA in S2 cells",
            assay="RNA-seq of native genes (log2 RPKM), four untreated replicates",
            organism="Drosophila melanogaster, S2 cells",
            genome="dm3",
            citation="RNA: Brooks et al. 2011, Genome Research (GSE18508). Sequences: UCSC dm3.",
            licence="Sequences in the public domain; counts public (GEO)",
            orientation="stranded",
            note=(
                "Native promoters and RNA, not an MPRA: RNA also depends on the transcript, its decay and the"
                " chromatin. GC's effect changes its sign with the window (rho -.22 at 200 bp, +.13 at 2 kb), hence"
                " the 300 bp upstream of the start site are fixed once and for all."
            ),
            columns=ColumnsSpec(id="gene"),
            targets={"S2": TargetSpec(replicates=["rep1", "rep2", "rep3", "rep4"])},
            split=Split.parse("holdout[valid=chrX,test=chr2L]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        with resources.as_file(resources.files("bench.datasets") / "fly_promoters.tsv.gz") as path:
            return read_tsv(path)
