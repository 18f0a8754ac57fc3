"""Thirteen reporter designs on the same liver elements (Klein et al. 2020)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.dataset import Dataset, remote_files
from bench.errors import BenchError
from bench.files.fasta import read_fasta
from bench.files.tables import read_tsv
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

#: Target -> the design's name in the file. 5'/3', 5'/5', 3'/3' are lentiviral, WT and MT the integrase.
DESIGNS = {
    "pGL4": "pGL4",
    "HSS": "HSS",
    "ORI": "ORI",
    "5-3-WT": "5'/3' WT",
    "5-3-MT": "5'/3' MT",
    "5-5-WT": "5'/5' WT",
    "5-5-MT": "5'/5' MT",
    "3-3-WT": "3'/3' WT",
    "3-3-MT": "3'/3' MT",
    "HSS_full": "HSS_full",
    "ORI_full": "ORI_full",
    "HSS_b2": "HSS_b2",
    "ORI_b2": "ORI_b2",
}
#: Replicates that the authors left out of their averages (few barcodes, poor sample).
EXCLUDED = {("5-3-MT", 1), ("3-3-MT", 1)}
#: The last 14 bases are the same in all elements: a restriction site, not the element.
TAIL = "CCTGCAGGGAATTC"


def _replicates(target: str) -> list[str]:
    return [f"{DESIGNS[target]} replicate {i}, log2 RNA/DNA ratio" for i in (1, 2, 3) if (target, i) not in EXCLUDED]


class Klein2020(Dataset):
    """One target per reporter design."""

    name = "klein2020"
    title = "13 reporter designs on the same 2,429 liver elements (171 bp), HepG2"
    files = remote_files(
        "klein2020",
        "https://raw.githubusercontent.com/xp876/UniReg/79cfefe6178f81b8a618c8b62581e8710d38c102/Data/raw/GSE142696",
        """
2e2b76fc16d91b3ff9b938afca53de9bd53932eebb30a16b8afaf2b08be7fdd1 262975 GSE142696_9MPRA.ActivityRatios.IndividualReps.tsv.gz
4c94103306c01ffa5335adda174a9fd0f08ba2ebcd5db33c8130fde1b29e87bc 192857 GSM4237954_9MPRA_elements.fa.gz
""",  # noqa: E501
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Liver elements in 13 reporter designs, HepG2",
            assay="MPRA, STARR-seq and lentiMPRA designs, log2 RNA/DNA, three replicates each",
            organism="human, HepG2 cells",
            genome="hg19",
            citation="Klein et al. 2020, Nature Methods (GSE142696)",
            licence="public (GEO)",
            orientation="stranded",
            note=(
                "The same elements in every design: whatever differs between the targets is the assay. Replicate 1 of"
                " 5-3-MT and of 3-3-MT is left out, as its authors did. Controls are variants of a few templates: each"
                " template is one locus."
            ),
            columns=ColumnsSpec(id="name", strata=named("origin")),
            targets={target: TargetSpec(replicates=_replicates(target)) for target in DESIGNS},
            split=Split.parse("chromosome-kfold[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        ratios, elements = (files[file.path] for file in self.files)
        columns = [column for target in DESIGNS for column in _replicates(target)]
        frame = read_tsv(ratios, ["name", *columns]).dropna(subset="name").reset_index(drop=True)
        sequences = frame["name"].map(read_fasta(elements))
        bad = sequences.isna() | ~sequences.str.endswith(TAIL).fillna(False).astype(bool)
        if bad.any():
            raise BenchError(
                f"{elements}: the element {frame['name'][bad].iloc[0]!r} is missing or does not end in {TAIL}."
                " The file is not the published one."
            )
        frame["sequence"] = sequences.str.removesuffix(TAIL)
        # "[chr:start-end]" is the element; controls have only "chr:start-end", which all variants of one share.
        bracket = frame["name"].str.extract(r"\[(chr\w+):(\d+)-(\d+)\]")
        plain = frame["name"].str.extract(r"(chr\w+):(\d+)-(\d+)")
        place = bracket.fillna(plain)
        frame["chrom"], frame["start"], frame["end"] = place[0], place[1].astype(int), place[2].astype(int)
        frame["origin"] = frame["name"].str[0].map({"A": "genomic", "R": "genomic", "C": "control"})
        return frame
