"""Retinal enhancers with two promoters (Friedman et al. 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.dataset import Dataset, remote_files
from bench.files.fasta import read_fasta
from bench.files.tables import read_tsv
from bench.tasks.pair_spec import PairSpec
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

PROMOTERS = ("Rhodopsin", "Polylinker")
RNA = ("RNA1", "RNA2", "RNA3")
#: Fewest DNA reads of a barcode that is used.
MINIMUM_DNA = 10
#: Added to RNA/DNA before the logarithm. A thousandth of the ratio of an average barcode.
PSEUDO_RATIO = 1e-3


class Friedman2021(Dataset):
    """One target per promoter; an element, its mutants and its scramble are one locus by their coordinates."""

    name = "friedman2021"
    title = "4,844 mouse retinal elements (164 bp), their mutants and scrambles, with two promoters"
    files = remote_files(
        "friedman2021",
        "https://raw.githubusercontent.com/barakcohenlab/CRX-Information-Content"
        "/b4e1b41b22971d541a752fd328cffc74f15da1f8/Data",
        """
aaacf66480bb4754d06699cef9512edc6d873cffcdda8b6f50c370ac803e685f 2007679 library1And2.fasta
b011923bbf2175f65e6c9a32efa9a260b064d060dc7366fa4557c0cf486f2c62 975612 Rhodopsin/library1RawBarcodeCounts.txt
bcbbf6f8c906b82d45c65f65cf86adea123838baf351a721d5042998be4041d3 988881 Rhodopsin/library2RawBarcodeCounts.txt
437f9321dd18aa785753b5514f6a1fd42b0f72d26e3ebd4e55cc3ae96d86fa57 926084 Polylinker/library1RawBarcodeCounts.txt
cf697765d5b75f9172d5a8b6d237127ce92352d5545509b24fd318e6330c2131 902258 Polylinker/library2RawBarcodeCounts.txt
""",
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="CRX-bound elements and their mutants, mouse retina",
            assay="CRE-seq with the Rhodopsin promoter and without a promoter, three replicates",
            organism="mouse, newborn retina explants",
            genome="mm10",
            citation="Friedman et al. 2021, eLife",
            licence="BSD-3-Clause",
            orientation="stranded",
            note=(
                "The stratum WT are native elements, MUT the same with their CRX sites or their shape mutated,"
                " scrambled the same bases in another order. All three share the locus, and the latter two are"
                " compared with the first. Activity is the mean over"
                f" barcodes (DNA reads >= {MINIMUM_DNA}) of RNA/DNA, as its authors have it, then log2."
            ),
            columns=ColumnsSpec(
                id="label",
                covariates=named("dna_count", "barcodes"),
                strata=named("kind"),
                pair=PairSpec(column="element", kind="kind", reference="WT"),
            ),
            targets={name: TargetSpec(replicates=[f"{name} {rna}" for rna in RNA]) for name in PROMOTERS},
            split=Split.parse("chromosome-kfold[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        by_name = {path.removeprefix("friedman2021/"): local for path, local in files.items()}
        sequences = pd.Series(read_fasta(by_name["library1And2.fasta"]), name="sequence")
        measured = [
            self._activity(promoter, [by_name[f"{promoter}/library{i}RawBarcodeCounts.txt"] for i in (1, 2)], sequences)
            for promoter in PROMOTERS
        ]
        frame = pd.concat([sequences, *(each[[*each.columns[:3]]] for each in measured)], axis=1)
        for column in ("dna_count", "barcodes"):
            frame[column] = sum(each[column].reindex(frame.index).fillna(0) for each in measured)
        place = frame.index.str.extract(r"^(chr\w+)-(\d+)-(\d+)_[A-Z]+_(WT|MUT|scrambled)")
        place.index = frame.index
        frame[["chrom", "start", "end", "kind"]] = place
        frame["element"] = place[0] + ":" + place[1] + "-" + place[2]
        return frame.rename_axis("label").reset_index()

    @staticmethod
    def _activity(promoter: str, tables: list[Path], sequences: pd.Series) -> pd.DataFrame:
        """Mean over the barcodes of an element of RNA/DNA, both per million reads of their library, log2."""
        import numpy as np
        import pandas as pd

        kept = []
        for table in tables:
            counts = read_tsv(table, ["label", "DNA", *RNA])
            depth = counts[["DNA", *RNA]].sum()
            # BASAL, the promoter without an element, has no sequence.
            used = counts[(counts["DNA"] >= MINIMUM_DNA) & counts["label"].isin(sequences.index)]
            ratio = (used[list(RNA)] / depth[list(RNA)]).div(used["DNA"] / depth["DNA"], axis=0)
            kept.append(ratio.assign(label=used["label"], dna_count=used["DNA"]))
        barcodes = pd.concat(kept).groupby("label")
        activity = (barcodes[list(RNA)].mean() + PSEUDO_RATIO).transform(np.log2).add_prefix(f"{promoter} ")
        return activity.assign(dna_count=barcodes["dna_count"].sum(), barcodes=barcodes.size())
