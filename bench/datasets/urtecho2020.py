"""Promoters of E. coli (Urtecho et al. 2020)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset, headerless_table, numbers_of
from bench.errors import BenchError
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

TABLE = "urtecho2020/tss_expression_model_format.txt"
COLUMNS = ["sequence", "expression", "start", "end", "tss"]


class Urtecho2020(BroughtDataset):
    """Native start sites along one chromosome; those that overlap are one locus."""

    name = "urtecho2020"
    title = "Start sites of E. coli (150 bp), genomically encoded reporter (Urtecho 2020); bring the table"
    brought = (Brought(TABLE, (f"{TABLE}.gz",)),)
    bring = "tss_expression_model_format.txt of the study's public code"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Native promoters of E. coli",
            assay="MPRA in the genome, RNA/DNA, one value a promoter",
            organism="Escherichia coli",
            citation="Urtecho et al. 2020",
            licence="that of the published files, which do not state one",
            orientation="stranded",
            note=(
                "One chromosome: folds are stretches of it. Expression has a heavy tail and is left as published;"
                " models fit its ranks, and scores are of ranks. One value a row, so that there is no noise ceiling."
            ),
            columns=ColumnsSpec(id="name"),
            targets={"expression": TargetSpec(replicates=["expression"])},
            split=Split.parse("genome-blocks[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        path = files[TABLE]
        frame = headerless_table(path, COLUMNS)
        parts = frame["tss"].str.rsplit(",", n=2, expand=True)
        bad = frame["tss"].str.count(",") < 2 if parts.shape[1] < 3 else parts[2].isna() | ~parts[2].isin(["+", "-"])
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise BenchError(
                f"{path}: row {row + 1} ends in {frame['tss'].iloc[row]!r}, not in name,position,strand. {AS_PUBLISHED}"
            )
        ends = numbers_of(frame, "start", path), numbers_of(frame, "end", path)
        start = ends[0].combine(ends[1], min)
        name = parts[0].where(~parts[0].duplicated(keep=False), frame["tss"])
        return frame[["sequence"]].assign(
            name=name,
            expression=numbers_of(frame, "expression", path),
            chrom="chromosome",
            start=start.astype(int),
            end=start.astype(int) + frame["sequence"].str.len(),
            strand=parts[2],
        )
