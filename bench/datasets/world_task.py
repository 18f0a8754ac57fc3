"""The rows of a world as a table and a task file, to be run like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.datasets.planted import TARGET, write_files
from bench.datasets.worlds import LENGTH, Rows, World
from bench.sequences import LETTERS
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd


def write_world(
    folder: Path, world: World, seed: int, *, length: int = LENGTH, name: str = "", split: Split | None = None
) -> tuple[Path, dict[str, object]]:
    """Write one assay of a world: ``planted.toml``, ``planted.tsv.gz`` and ``truth.json``; the task file's path, and
    what is true."""
    rows = world.draw(seed, length)
    spec = spec_of_world(world, rows, name=name or world.name, split=split)
    truth: dict[str, object] = {
        "world": world.name,
        "says": world.says,
        "share": world.truth,
        "rows": len(rows),
        "loci": len(set(rows.locus.tolist())),
        "seed": seed,
        "length": length,
    }
    return write_files(folder, table_of_world(rows), spec, truth), truth


def table_of_world(rows: Rows) -> pd.DataFrame:
    """The table: id, sequence, chrom, locus, rep1 .. and, where the world has them, dna_count, control and stratum."""
    import pandas as pd

    columns: dict[str, Any] = {
        "id": [f"locus{locus}.{row}" for row, locus in enumerate(rows.locus.tolist())],
        "sequence": [letters.tobytes().decode("ascii") for letters in LETTERS[rows.codes]],
        "chrom": [f"chr{code + 1}" for code in rows.chrom.tolist()],
        "locus": rows.locus,
    }
    columns |= {f"rep{r + 1}": column.round(5) for r, column in enumerate(rows.replicates.T)}
    if rows.dna is not None:
        columns["dna_count"] = rows.dna
    if rows.control is not None:
        columns["control"] = rows.control.astype(int)
    if rows.stratum is not None:
        columns["stratum"] = rows.stratum
    return pd.DataFrame(columns)


def spec_of_world(world: World, rows: Rows, *, name: str, split: Split | None = None) -> TaskSpec:
    """The task of ``table_of_world(rows)``; its card says what is true."""
    replicates = [f"rep{r + 1}" for r in range(rows.replicates.shape[1])]
    return TaskSpec(
        name=name,
        title=f"Simulated, truth known: {world.says}",
        assay=f"simulated MPRA, {len(replicates)} replicates",
        organism="none",
        citation="Simulated: bench.datasets.worlds",
        licence="made by this package",
        note=f"Simulated, to test the board itself. GC content explains {100 * world.truth:.1f} % of the explainable"
        " variance: the squared rank correlation of activity expected from GC with noise-free activity, in the"
        " population that loci are drawn from.",
        columns=ColumnsSpec(
            id="id",
            covariates={} if rows.dna is None else named("dna_count"),
            control={} if rows.control is None else {"control": ["1"]},
            strata={} if rows.stratum is None else named("stratum"),
        ),
        targets={TARGET: TargetSpec(replicates=replicates)},
        split=split or Split("chromosome-kfold", k=world.folds),
        minimum={} if world.min_dna is None else {"dna_count": world.min_dna},
    )
