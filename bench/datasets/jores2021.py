"""Core promoters of three plants in tobacco leaves and maize protoplasts (Jores et al. 2021)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset, published_table
from bench.errors import BenchError
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

#: Target -> what its files are called.
SYSTEMS = {"leaf": "leaf", "protoplast": "proto"}
PARTS = ("train", "test")


class Jores2021(BroughtDataset):
    """One target per system; the promoters of a gene are one locus."""

    name = "jores2021"
    title = "Core promoters (170 bp) of three plants, in leaves and in protoplasts (Jores 2021); bring the tables"
    brought = tuple(Brought(f"jores2021/CNN_{part}_{system}.tsv") for system in SYSTEMS.values() for part in PARTS)
    bring = "the four tables CNN_train_leaf.tsv ... of the study's public code"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Core promoters of Arabidopsis, maize and sorghum in two systems",
            assay="STARR-seq of core promoters, log2 enrichment, one value a promoter and system",
            organism="plants: tobacco leaves and maize protoplasts; promoters of three species",
            citation="Jores et al. 2021, Nature Plants",
            licence="that of the published files, which do not state one",
            orientation="stranded",
            note=(
                "The published split: a promoter tested in either system is tested, and of the others one locus"
                " in five validates. The tables have no coordinates: promoters of one gene share a locus. One value"
                " a row, so that there is no noise ceiling."
            ),
            columns=ColumnsSpec(id="id", strata=named("sp")),
            targets={name: TargetSpec(replicates=[name]) for name in SYSTEMS},
            split=Split.parse("column[name=part]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        key = ["sp", "gene", "sequence"]
        systems = []
        for target, named_so in SYSTEMS.items():
            parts = []
            for part in PARTS:
                path = files[f"jores2021/CNN_{part}_{named_so}.tsv"]
                table = published_table(path, ["set", *key, "enrichment"])
                if table.duplicated(key).any():
                    row = int(table.duplicated(key).to_numpy().argmax())
                    raise BenchError(
                        f"{path}: row {row + 1} has the gene and sequence of an earlier one. {AS_PUBLISHED}"
                    )
                parts.append(table.assign(part=part))
            found = pd.concat(parts).groupby(key, sort=False).agg({"enrichment": "mean", "part": "min"})
            systems.append(found.rename(columns={"enrichment": target, "part": f"part {target}"}))
        frame = systems[0].join(systems[1], how="outer").reset_index()
        tested = (frame[[f"part {target}" for target in SYSTEMS]] == "test").any(axis=1)
        number = frame.groupby(["sp", "gene"], sort=False).cumcount()
        plain = frame["sp"].astype(str) + ":" + frame["gene"].astype(str)
        return frame[[*key, *SYSTEMS]].assign(
            id=plain.where(number == 0, plain + "#" + (number + 1).astype(str)),
            part=tested.map({True: "test", False: "train"}),
            locus=plain,
        )
