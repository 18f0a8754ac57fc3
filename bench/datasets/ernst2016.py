"""Sharpr-MPRA (Ernst et al. 2016): its pilot design, and its scale-up of two designs and two promoters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Dataset, remote_files
from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset, published_table
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


#: Designs of the scale-up, each with sequences of its own.
DESIGNS = (1, 2)
#: Bases of a tile; tile t of a region begins at its centre - 147 + 5 t (0-based).
TILE, FIRST, STEP = 145, -147, 5
#: Fewest plasmid reads of a tile: "above 20" of the study.
MINIMUM_DNA = 21


class Sharpr(BroughtDataset):
    """The minimal promoter. One target per cell line; tiles that overlap, as all of a region do, are one locus."""

    name = "ernst2016"
    title = "Tiles (145 bp) of regulatory regions, Sharpr-MPRA's scale-up, minimal promoter; bring the files"
    in_all = False
    #: As it is called in the names of the files.
    promoter: ClassVar[str] = "minP"
    brought = tuple(
        Brought(f"ernst2016/*{name}*.counts.txt.gz")
        for design in DESIGNS
        for name in (
            f"ScaleUpDesign{design}_minP_Plasmid",
            *(f"{cell}_ScaleUpDesign{design}_minP_mRNA_Rep{i}" for cell in CELLS for i in REPLICATES),
        )
    )
    bring = "counts of both designs, RNA and plasmid (GSM1831773 to GSM1831776), supplementary files of GSE71279 at GEO"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title=f"Tiles of regulatory regions, scale-up of Sharpr-MPRA, {self.promoter}",
            assay=f"MPRA, {self.promoter}, log2 RNA/DNA of one barcode a tile, two replicates, one plasmid library",
            organism="human, HepG2 and K562 cells",
            genome="hg19",
            citation="Ernst et al. 2016, Nature Biotechnology (GSE71279)",
            licence="public (GEO)",
            orientation="stranded",
            note=(
                "Tiles with more than 20 plasmid reads. A region's 31 tiles lie five bases apart and are one locus."
                " One barcode a tile: its effect is in both replicates, and both are divided by one plasmid library, so"
                " the noise ceiling is optimistic. Validation chr8, test chr18, as in the literature. RNA counts alone"
                " are no activity: they follow GC."
            ),
            columns=ColumnsSpec(id="ID", covariates=named("dna_count"), strata=named("state", "design")),
            targets={cell: TargetSpec(replicates=[f"{cell} {i}" for i in REPLICATES]) for cell in CELLS},
            minimum={"dna_count": MINIMUM_DNA},
            split=Split.parse("holdout[valid=chr8,test=chr18]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        return pd.concat([self._design(files, design) for design in DESIGNS], ignore_index=True)

    def _design(self, files: dict[str, Path], design: int) -> pd.DataFrame:
        """The tiles of a design; reads per library are of all its tiles."""

        def path(what: str) -> Path:
            return files[f"ernst2016/*{what.format(f'ScaleUpDesign{design}_{self.promoter}')}*.counts.txt.gz"]

        plasmid = path("{}_Plasmid")
        frame = published_table(plasmid, ["ID", "Sequence", "Tags", "Counts"])
        dna = _one_barcode(frame, plasmid)
        made = frame.rename(columns={"Sequence": "sequence"}).drop(columns=["Tags", "Counts"])
        for cell in CELLS:
            for i in REPLICATES:
                rna = path(f"{cell}_{{}}_mRNA_Rep{i}")
                made[f"{cell} {i}"] = _activity(_counts(rna, frame), dna)
        return made.assign(**places_of_tiles(frame["ID"], plasmid), dna_count=dna[:, 0], design=f"design {design}")


class SharprSV40(Sharpr):
    """The SV40 promoter. One target per cell line; tiles that overlap, as all of a region do, are one locus."""

    name = "ernst2016-sv40p"
    title = "Tiles (145 bp) of regulatory regions, Sharpr-MPRA's scale-up, SV40 promoter; bring the files"
    promoter = "SV40P"
    brought = tuple(Brought(each.name.replace("minP", "SV40P")) for each in Sharpr.brought)


def places_of_tiles(ids: pd.Series, path: Path) -> dict[str, pd.Series]:
    """Coordinates (hg19, 0-based half-open) and chromatin state of tiles, from names such as
    ``H1hesc_1_0_30_chr20_30310735``: cell, state, region, tile, chromosome and centre of the region.

    Raises
    ------
    BenchError : for a name that is none.
    """
    parts = ids.astype(str).str.extract(r"^([^_]+)_(\d+)_(\d+)_(\d+)_(chr\w+)_(\d+)$")
    if parts[0].isna().any():
        row = int(parts[0].isna().to_numpy().argmax())
        raise BenchError(
            f"{path}: row {row + 1}: the ID {ids.iloc[row]!r} is not CELL_STATE_REGION_TILE_CHR_CENTER. {AS_PUBLISHED}"
        )
    start = parts[5].astype(int) + FIRST + STEP * parts[3].astype(int)
    return {"chrom": parts[4], "start": start, "end": start + TILE, "state": "state " + parts[1]}


def _one_barcode(frame: pd.DataFrame, path: Path) -> NDArray[np.float64]:
    """Reads of every tile, (tiles, 1)."""
    if frame["Counts"].dtype.kind not in "iu":
        raise BenchError(f"{path}: its counts are not one whole number a tile. {AS_PUBLISHED}")
    return frame["Counts"].to_numpy(np.float64)[:, None]


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
