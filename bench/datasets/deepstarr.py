"""Genome-wide STARR-seq windows of the fly with two core promoters (DeepSTARR; de Almeida et al. 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset, published_table
from bench.errors import BenchError
from bench.files.fasta import read_fasta
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

#: Part of the published split -> what its files are called.
PARTS = {"train": "Train", "valid": "Val", "test": "Test"}
TARGETS = {"Dev": "Dev_log2_enrichment", "Hk": "Hk_log2_enrichment"}


class DeepSTARR(BroughtDataset):
    """One target per core promoter; windows that overlap are one locus."""

    name = "deepstarr"
    title = "Windows (249 bp) of the fly genome, STARR-seq with two promoters, S2 cells (DeepSTARR); bring the files"
    in_all = False
    brought = tuple(
        Brought(f"deepstarr/{name}")
        for part in PARTS.values()
        for name in (f"Sequences_{part}.fa", f"Sequences_activity_{part}.txt")
    )
    bring = "the sequences and activities that were published with DeepSTARR"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Enhancer activity of the fly genome with a developmental and a housekeeping promoter",
            assay="STARR-seq, log2 of RNA over input, one value a window",
            organism="Drosophila melanogaster, S2 cells",
            genome="dm3",
            citation="de Almeida et al. 2022, Nature Genetics (DeepSTARR)",
            licence="that of the published files, which do not state one",
            orientation="free",
            note=(
                "The published split: validation and test are the two halves of chr2R. Neighbouring windows overlap and"
                " share a locus where their names have coordinates; a locus that reaches into both halves stays in the"
                " test half. One value a window, so that there is no noise ceiling."
            ),
            columns=ColumnsSpec(id="id"),
            targets={name: TargetSpec(replicates=[column]) for name, column in TARGETS.items()},
            split=Split.parse("column[name=part]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        parts = []
        for part, named in PARTS.items():
            fasta = files[f"deepstarr/Sequences_{named}.fa"]
            activity = files[f"deepstarr/Sequences_activity_{named}.txt"]
            sequences = pd.Series(read_fasta(fasta, fix=AS_PUBLISHED))
            values = published_table(activity, TARGETS.values())
            if len(values) != len(sequences):
                raise BenchError(
                    f"{activity}: has {len(values):,} rows for the {len(sequences):,} sequences of {fasta.name}, which"
                    f" are in one order. {AS_PUBLISHED}"
                )
            parts.append(values.assign(id=sequences.index, sequence=sequences.to_numpy(), part=part))
        frame = pd.concat(parts, ignore_index=True)
        place = frame["id"].str.extract(r"(chr\w+?)[_:](\d+)[_-](\d+)")
        if place[0].notna().all():  # else loci are those of like sequences
            frame["chrom"], frame["start"], frame["end"] = place[0], place[1].astype(int), place[2].astype(int)
        return frame
