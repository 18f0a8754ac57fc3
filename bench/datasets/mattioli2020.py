"""Tiles of human and mouse transcription start sites in two stem cells (Mattioli et al. 2020)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Dataset, remote_files
from bench.files.tables import read_tsv
from bench.tasks.loci import codes_of, joined, overlapping
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

_URL = "https://raw.githubusercontent.com/kmattioli/2019__cis_trans_MPRA/55da814dee39f232b746deb6c8110cd15d77c3dd/data"
#: Cell -> transfections of a replicate. They are technical, so their counts are summed.
CELLS = {"HUES64": 3, "mESC": 1}
REPLICATES = (1, 2, 3)
#: Fewest DNA reads of a barcode, and fewest such barcodes of an element.
MINIMUM_DNA, MINIMUM_BARCODES = 5, 3


class Mattioli2020(Dataset):
    """One target per cell line; the tiles of orthologous start sites are one locus."""

    name = "mattioli2020"
    title = "13,410 tiles (144 bp) at human and mouse start sites, in human and in mouse stem cells"
    files = (
        *remote_files(
            "mattioli2020",
            f"{_URL}/02__mpra/01__counts",
            """
1bc42602e29b4930a821080099be4f63f2debcadd6495ee65cce55beb1679090 3767364 MPRA__DNA__rep1.BARCODES.txt
6f3d64ea23bd9d54defbc315163c2b4e120646fb1332289f8d266e39352bf33e 3638102 MPRA__HUES64__rep1__tfxn1.BARCODES.txt
c7772d85df1c1dfdf18bca762e5717a53190f9710f383911957984ab2cebb3bf 3647604 MPRA__HUES64__rep1__tfxn2.BARCODES.txt
75bd0bc61bb8b669d53e1dc6a4498868375719bcbb982dc22bf04bf9a6ca5a64 3643474 MPRA__HUES64__rep1__tfxn3.BARCODES.txt
55539164750f346b8302565510056ad9736d006550549672a2aec8e645d32a45 3648540 MPRA__HUES64__rep2__tfxn1.BARCODES.txt
d1d0bfb9c678f33cd4ad4f75538b1c9386da29523e41085590b3b4d87939fa12 3665796 MPRA__HUES64__rep2__tfxn2.BARCODES.txt
50d6987fc459d1efb7d462b1e7c5602c51d6ac87d4bca5e42bccafe69713c62e 3646266 MPRA__HUES64__rep2__tfxn3.BARCODES.txt
7434895f8f2298cfe4a057acec340e11ac8e3cdc16b4a56ba0726066392cd52b 3646203 MPRA__HUES64__rep3__tfxn1.BARCODES.txt
cf47996d9ab952c1c53af706670c4b6ec7026a4a97ee5f19b28d2b624c440107 3665168 MPRA__HUES64__rep3__tfxn2.BARCODES.txt
a8e93475107c086b08c1563e12939ff59d8a2536d64c1aecbbccc6a9bd91c239 3670633 MPRA__HUES64__rep3__tfxn3.BARCODES.txt
b768367bda281f95be03311e9ab8e54bddd3d4f21f68912a4c6e85f72d3c6755 3666269 MPRA__mESC__rep1__tfxn1.BARCODES.txt
fb1da3b43ff6e63726725c56b63c70b103d6f87e0ccf917aaee6b8a664c90e09 3703611 MPRA__mESC__rep2__tfxn1.BARCODES.txt
fd3a2cfa642fcf9a351c97923a610bf12c8abb159a37f5e1e77be1d1fca72574 3686024 MPRA__mESC__rep3__tfxn1.BARCODES.txt
""",
        ),
        *remote_files(
            "mattioli2020",
            f"{_URL}/01__design",
            """
3d992d3522766095a50c22d13bef9b1274695084d9533511d21dee53362284aa 2123486 02__index/index.txt.gz
a5cb98c312eb2158c33ca47b4ba1ba35cd3a910c6d32109df23184969ba25456 1105586 01__mpra_list/mpra_tss.with_ids.RECLASSIFIED_WITH_MAX.txt
""",  # noqa: E501
        ),
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Start sites of human and mouse in HUES64 and mESC",
            assay="MPRA, log2 RNA/DNA of summed barcodes, three replicates, one DNA library",
            organism="human (HUES64) and mouse (mESC) stem cells; elements of both",
            genome="hg19 and mm9",
            citation="Mattioli et al. 2020, Genome Biology",
            licence="MIT",
            orientation="stranded",
            note=(
                f"Elements with at least {MINIMUM_BARCODES} barcodes of {MINIMUM_DNA} or more DNA reads. Human and"
                " mouse orthologs share a locus, and with it the chromosome of the human one. All replicates share one"
                " DNA library, so their correlation is optimistic; the barcode halves are not."
            ),
            columns=ColumnsSpec(
                id="name", covariates=named("dna_count", "barcodes"), strata=named("genome", "biotype", "tile")
            ),
            targets={
                cell: TargetSpec(
                    replicates=[f"{cell} {i}" for i in REPLICATES], halves=[f"{cell} half 1", f"{cell} half 2"]
                )
                for cell in CELLS
            },
            minimum={"barcodes": MINIMUM_BARCODES},
            split=Split.parse("chromosome-kfold[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        by_name = {Path(path).name: local for path, local in files.items()}
        index = read_tsv(
            by_name["index.txt.gz"], ["barcode", "element", "tile_type", "name", "chrom", "start", "end", "strand"]
        )
        counts = self._counts(by_name, index["barcode"])
        # Random sequences and the CMV control are no part of the task, but of the sequencing depth.
        used = ((index["tile_type"] == "WILDTYPE") & (counts["DNA"] >= MINIMUM_DNA)).to_numpy()
        depth = counts.sum()
        element, kept = index.loc[used, "name"], counts[used]
        activity = _activity(kept.groupby(element).sum(), depth)
        # Barcodes come in no order within an element: every second one makes a half, with all RNA of a cell. A half too
        # needs its barcodes: elements that cannot give both as many have none.
        rank, number = element.groupby(element).cumcount(), element.groupby(element).transform("size")
        for i in (1, 2):
            part = ((rank % 2 == i - 1) & (number >= 2 * MINIMUM_BARCODES)).to_numpy()
            half = _by_cell(kept[part].groupby(element[part]).sum())
            activity = activity.join(_activity(half, _by_cell(depth.to_frame().T).iloc[0]).add_suffix(f" half {i}"))
        activity["dna_count"] = kept["DNA"].groupby(element).sum()
        activity["barcodes"] = element.groupby(element).size()

        frame = index[index["tile_type"] == "WILDTYPE"].drop_duplicates("name").set_index("name")
        frame = frame.rename(columns={"element": "sequence"}).join(activity).reset_index()
        frame["barcodes"] = frame["barcodes"].fillna(0)
        parts = frame["name"].str.extract(r"^(HUMAN|MOUSE)_EVO_TSS__([hm]\.\d+)__(tile\d+)$")
        frame["genome"] = parts[0].map({"HUMAN": "hg19", "MOUSE": "mm9"})
        frame["tile"] = parts[2]
        pairs = read_tsv(
            by_name["mpra_tss.with_ids.RECLASSIFIED_WITH_MAX.txt"],
            ["hg19_id", "mm9_id", "minimal_biotype_hg19", "minimal_biotype_mm9"],
        )
        biotype = dict(zip(pairs["hg19_id"], pairs["minimal_biotype_hg19"], strict=True))
        biotype |= dict(zip(pairs["mm9_id"], pairs["minimal_biotype_mm9"], strict=True))
        frame["biotype"] = parts[1].map(biotype)
        frame["locus"] = _loci(frame, parts[1], pairs)
        frame["chrom"] = _label(frame)
        return pd.DataFrame(frame)

    @staticmethod
    def _counts(by_name: dict[str, Path], barcodes: pd.Series) -> pd.DataFrame:
        """Reads of every barcode of the index: DNA and each replicate, transfections summed."""
        import pandas as pd

        index = pd.Index(barcodes)

        def read(name: str) -> NDArray[np.int64]:
            table = read_tsv(by_name[name], ["barcode", "count"])
            place = index.get_indexer(pd.Index(table["barcode"]))
            reads = np.zeros(len(index), np.int64)
            reads[place[place >= 0]] = table["count"].to_numpy()[place >= 0]
            return reads

        counts = {"DNA": read("MPRA__DNA__rep1.BARCODES.txt")}
        for cell, transfections in CELLS.items():
            for i in REPLICATES:
                tables = [read(f"MPRA__{cell}__rep{i}__tfxn{t + 1}.BARCODES.txt") for t in range(transfections)]
                counts[f"{cell} {i}"] = np.sum(tables, axis=0)
        return pd.DataFrame(counts)


def _activity(counts: pd.DataFrame, depth: pd.Series) -> pd.DataFrame:
    """log2((RNA + 1) / N_RNA) - log2((DNA + 1) / N_DNA) of every RNA column."""
    scaled = ((counts + 1) / depth[counts.columns]).transform(np.log2)
    return scaled.drop(columns="DNA").sub(scaled["DNA"], axis=0)


def _by_cell(counts: pd.DataFrame) -> pd.DataFrame:
    """DNA and, of every cell, the RNA of all its replicates."""
    sums = {cell: counts[[f"{cell} {i}" for i in REPLICATES]].sum(axis=1) for cell in CELLS}
    return counts[["DNA"]].assign(**sums)


def _loci(frame: pd.DataFrame, site: pd.Series, pairs: pd.DataFrame) -> NDArray[np.int64]:
    """Tiles that overlap in their genome, tiles of one start site, and tiles of orthologous sites share a locus."""
    place = (frame["genome"] + ":" + frame["chrom"]).to_numpy()
    overlaps = overlapping(place, frame["start"].to_numpy(np.int64), frame["end"].to_numpy(np.int64))
    # Every pair is one more row, joined to the tiles of its human site and to those of its mouse site.
    sites = codes_of(np.concatenate([site, pairs["hg19_id"], pairs["mm9_id"]]))
    n, k = len(frame), len(pairs)
    return joined(
        [
            np.concatenate([overlaps, np.full(k, -1, np.int64)]),
            sites[: n + k],
            np.concatenate([sites[:n], sites[n + k :]]),
        ]
    )[:n]


def _label(frame: pd.DataFrame) -> NDArray[Any]:
    """What splits go by: the chromosome of most human tiles of a locus; ``mm9:chrN`` for a locus of mouse alone."""
    own = frame["chrom"].where(frame["genome"] == "hg19", "mm9:" + frame["chrom"])
    rank = frame["genome"].map({"hg19": 0, "mm9": 1})
    votes = frame.assign(own=own, rank=rank).groupby(["locus", "rank", "own"]).size().reset_index(name="votes")
    first = votes.sort_values(["locus", "rank", "votes", "own"], ascending=[True, True, False, True])
    chosen = first.drop_duplicates("locus").set_index("locus")["own"]
    return np.asarray(frame["locus"].map(chosen), object)
