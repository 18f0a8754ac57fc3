"""The pilot design of Sharpr-MPRA (Ernst et al. 2016)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Dataset, remote_files
from bench.errors import BenchError
from bench.files.tables import read_tsv
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

CELLS = ("HepG2", "K562")
REPLICATES = (1, 2)
#: Regions that are one place of the genome: their tiles share more than 200 20-mers. No other two regions
#: share more than 25 (repeats).
ONE_PLACE = {"high_15": "high_5", "high_35": "high_33"}


class SharprPilot(Dataset):
    """One target per cell line; the nine tiles of a region are one locus."""

    name = "sharpr-pilot"
    title = "2,250 tiles (145 bp) of 250 regions, Sharpr-MPRA's pilot, SV40 promoter, HepG2 and K562"
    files = remote_files(
        "ernst2016",
        "https://ftp.ncbi.nlm.nih.gov/geo/samples/GSM1831nnn",
        """
9538d0aadc051c1ad6f80ce00b82023d22b74ff3d102926a062d9e8e3d94d70e 363947 GSM1831777/suppl/GSM1831777_HepG2_PilotDesign_SV40P_mRNA_Rep1.counts.txt.gz
20e858abb73a50b26dcc0cbdb16e6dcb836dbd9fe59ef44c46e8c77b0dd5afcb 362464 GSM1831778/suppl/GSM1831778_HepG2_PilotDesign_SV40P_mRNA_Rep2.counts.txt.gz
a4170510dfe02ff8c26cc82e4d1160ccc5d84468eb68d7c1390193b8d7851b4f 350072 GSM1831779/suppl/GSM1831779_K562_PilotDesign_SV40P_mRNA_Rep1.counts.txt.gz
261e946f455ab35a772b932e202bbcc54006b70a2721ede93c27f0af6713d6b1 348433 GSM1831780/suppl/GSM1831780_K562_PilotDesign_SV40P_mRNA_Rep2.counts.txt.gz
6db9d3db5cf97aa45942c2c28f99d1708234c807950514abc5aad7aa0d0c3a12 371394 GSM1831781/suppl/GSM1831781_PilotDesign_SV40P_Plasmid_Rep1.counts.txt.gz
de090d92cdda2b0b7c3ed7a07ccc4903e344143607c332f962e22d3677459e64 370005 GSM1831782/suppl/GSM1831782_PilotDesign_SV40P_Plasmid_Rep2.counts.txt.gz
""",  # noqa: E501
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Tiles of regulatory regions, pilot of Sharpr-MPRA",
            assay="MPRA, SV40 promoter, log2 RNA/DNA of 24 summed barcodes, two replicates, one plasmid library",
            organism="human, HepG2 and K562 cells",
            genome="hg19 (the files have no coordinates)",
            citation="Ernst et al. 2016, Nature Biotechnology (GSE71279)",
            licence="public (GEO)",
            orientation="stranded",
            note=(
                "Nine tiles per region, 30 bases apart: the tiles of a region are one locus. The files have no"
                " coordinates, so whole regions, not chromosomes, are held out. Both replicates share one plasmid"
                " library, so their correlation is optimistic; the barcode halves are not."
            ),
            columns=ColumnsSpec(id="ID", covariates=named("dna_count", "barcodes"), strata=named("design")),
            targets={
                cell: TargetSpec(
                    replicates=[f"{cell} {i}" for i in REPLICATES], halves=[f"{cell} half 1", f"{cell} half 2"]
                )
                for cell in CELLS
            },
            split=Split.parse("locus-kfold[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        by_name = {Path(path).name.split("_", 1)[1]: local for path, local in files.items()}
        design = read_tsv(by_name["PilotDesign_SV40P_Plasmid_Rep1.counts.txt.gz"], ["ID", "Sequence", "Tags"])

        def reads(what: str) -> list[NDArray[np.float64]]:
            return [_counts(by_name[f"{what}_Rep{i}.counts.txt.gz"], design) for i in REPLICATES]

        dna = np.sum(reads("PilotDesign_SV40P_Plasmid"), axis=0)
        frame = design.rename(columns={"Sequence": "sequence"}).drop(columns="Tags")
        for cell in CELLS:
            rna = reads(f"{cell}_PilotDesign_SV40P_mRNA")
            for i, counts in zip(REPLICATES, rna, strict=True):
                frame[f"{cell} {i}"] = _activity(counts, dna)
            both = np.sum(rna, axis=0)
            for half in (0, 1):
                frame[f"{cell} half {half + 1}"] = _activity(both[:, half::2], dna[:, half::2])
        frame["dna_count"], frame["barcodes"] = dna.sum(axis=1), (dna > 0).sum(axis=1)
        frame["design"] = frame["ID"].str.split("_").str[0]
        region = frame["ID"].str.rpartition("_")[0]
        frame["locus"] = region.replace(ONE_PLACE)
        return frame


def _counts(path: Path, design: pd.DataFrame) -> NDArray[np.float64]:
    """Reads of every barcode of every tile, (tiles, barcodes); the rows must be those of the design."""
    table = read_tsv(path, ["ID", "Tags", "Counts"])
    if table["ID"].tolist() != design["ID"].tolist() or table["Tags"].tolist() != design["Tags"].tolist():
        raise BenchError(f"{path}: its tiles or barcodes are not those of the other files. Fetch all of them again.")
    return np.array([str(line).split(",") for line in table["Counts"]], np.float64)


def _activity(rna: NDArray[np.float64], dna: NDArray[np.float64]) -> NDArray[np.float64]:
    """log2((RNA + 1) / N_RNA) - log2((DNA + 1) / N_DNA) of the summed barcodes, (tiles,)."""
    return np.asarray(
        np.log2((rna.sum(axis=1) + 1) / rna.sum()) - np.log2((dna.sum(axis=1) + 1) / dna.sum()), np.float64
    )
