"""Random promoters in yeast (the DREAM challenge of 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets.brought import Brought, BroughtDataset, headerless_table, numbers_of
from bench.errors import BenchError
from bench.tasks.loci import codes_of
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

TABLE = "dream2022/train_sequences.txt"
#: Constant bases before and after the random ones.
BEFORE, RANDOM, AFTER = 17, 80, 13


class Dream2022(BroughtDataset):
    """Random DNA between constant ends; each sequence is a locus."""

    name = "dream2022"
    title = "Random promoters (80 bp) in yeast, millions of rows (DREAM 2022); bring the training file"
    in_all = False
    brought = (Brought(TABLE, (f"{TABLE}.gz",)),)
    bring = "the training sequences of the challenge, tab-separated, as train_sequences.txt (or .txt.gz)"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title="Expression from random promoters, yeast",
            assay="FACS of a reporter's expression, one value a promoter",
            organism="Saccharomyces cerevisiae",
            citation="DREAM challenge 2022, random promoters",
            licence="that of the published files, which do not state one",
            orientation="stranded",
            note=(
                f"Rows are {BEFORE} constant, {RANDOM} random and {AFTER} constant bases; the constant ones are cut"
                " off, and rows of another length are left out. Random DNA has no chromosome and no relatives: whole"
                " sequences are dealt to folds. One value a"
                " row, so that there is no noise ceiling."
            ),
            columns=ColumnsSpec(id="id"),
            targets={"expression": TargetSpec(replicates=["expression"])},
            split=Split.parse("locus-kfold[k=5]"),
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        path = files[TABLE]
        table = headerless_table(path, ["sequence", "expression"])
        values = numbers_of(table, "expression", path)
        whole = (table["sequence"].str.len() == BEFORE + RANDOM + AFTER).to_numpy(bool)
        if not whole.any():
            raise BenchError(f"{path}: no sequence has {BEFORE + RANDOM + AFTER} bases. Bring the file as published.")
        sequence = table["sequence"][whole].str.slice(BEFORE, BEFORE + RANDOM).reset_index(drop=True)
        return pd.DataFrame(
            {
                "id": [f"line{line + 1}" for line in table.index[whole]],
                "sequence": sequence,
                "expression": values[whole].to_numpy(),
                "locus": codes_of(sequence),
            }
        )
