"""Tables in the layouts of the IGVF consortium (as MPRAsnakeflow and MPRAlib write them), made canonical.

``reporter_experiment`` has a row an oligo and replicate, ``reporter_experiment_barcode`` a row a barcode with
``dna_count_<replicate>`` and ``rna_count_<replicate>`` columns, empty where the barcode was not seen. Neither holds
sequences: they come from the design, a FASTA or a ``reporter_sequence_design`` table.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd

#: The target of such a table and the columns its replicates get.
TARGET, REPLICATE = "activity", "replicate "
EXPERIMENT = ("replicate", "oligo_name", "dna_counts", "log2FoldChange", "n_bc")
DESIGN = ("name", "sequence", "chr", "start", "end", "strand")


def canonical(kind: str, table: pd.DataFrame, design: pd.DataFrame, source: str) -> pd.DataFrame:
    """One row an oligo: the columns of the design, ``replicate <name>`` with log2 RNA/DNA, ``dna_count`` (sum over
    replicates) and ``barcodes`` (mean over the replicates that saw the oligo).

    Parameters
    ----------
    kind : "igvf-experiment" or "igvf-barcode".
    table : the measurements, as read.
    design : ``id``, ``sequence`` and, where known, coordinates.

    Raises
    ------
    BenchError : for a missing column, an oligo twice in a replicate, or one that the design does not have.
    """
    long = _from_barcodes(table, source) if kind == "igvf-barcode" else _checked(table, source)
    if long.duplicated(["replicate", "oligo_name"]).any():
        twice = long[long.duplicated(["replicate", "oligo_name"])].iloc[0]
        raise BenchError(f"{source}: oligo {twice['oligo_name']!r} stands twice in replicate {twice['replicate']}.")
    unknown = ~long["oligo_name"].isin(design["id"])
    if unknown.any():
        raise BenchError(
            f"{source}: oligo {long['oligo_name'][unknown].iloc[0]!r} is not in the design."
            " Give the design that it was made of."
        )
    if not long["replicate"].notna().any():
        raise BenchError(f"{source}: no oligo was measured in any replicate. Check the count columns.")
    wide = long.pivot(index="oligo_name", columns="replicate", values="log2FoldChange").add_prefix(REPLICATE)
    by_oligo = long.groupby("oligo_name")
    wide["dna_count"] = by_oligo["dna_counts"].sum()
    wide["barcodes"] = by_oligo["n_bc"].mean()
    return design.merge(wide, left_on="id", right_index=True)


def read_design(path: Path) -> pd.DataFrame:
    """``id``, ``sequence`` and, from a ``reporter_sequence_design`` table, chrom, start, end, strand and class.

    Raises
    ------
    BenchError : for an unreadable file or a missing column.
    """
    import pandas as pd

    from bench.files.reading import read_fasta, read_tsv

    if not path.is_file():
        raise BenchError(f"{path}: no such design. Paths in a task file are relative to the file.")
    if path.name.removesuffix(".gz").endswith((".fa", ".fasta")):
        records = read_fasta(path, broken="Check the file.")
        return pd.DataFrame({"id": list(records), "sequence": list(records.values())})
    lacking = "The design is a FASTA (.fa, .fasta) or a reporter_sequence_design table."
    frame = read_tsv(path, [*DESIGN, "class"], broken="Check the file.", lacking=lacking, na_values=["NA"])
    return frame.rename(columns={"name": "id", "chr": "chrom"})


def _checked(table: pd.DataFrame, source: str) -> pd.DataFrame:
    for column in EXPERIMENT:
        if column not in table.columns:
            raise BenchError(f"{source}: column {column!r} is missing. A reporter_experiment table has it.")
    return _with_numbers(table, ["dna_counts", "log2FoldChange", "n_bc"], source)


def _with_numbers(table: pd.DataFrame, columns: list[str], source: str) -> pd.DataFrame:
    """The table with columns as float64, NaN where empty; text and infinite values are errors."""
    import pandas as pd

    numbers = {}
    for column in columns:
        values = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
        wrong = (values.isna() & table[column].notna()) | np.isinf(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BenchError(
                f"{source}: row {row + 1}, column {column!r} must be a finite number or empty."
                f" Got {str(table[column].iloc[row])!r}."
            )
        numbers[column] = values
    return table.assign(**numbers)


def _from_barcodes(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The ``reporter_experiment`` table of a barcode table: counts of an oligo's barcodes are summed, and
    normalised = (count + 1) / (total + oligos) * 1e6."""
    import pandas as pd

    replicates = [str(column).removeprefix("dna_count_") for column in table if str(column).startswith("dna_count_")]
    needed = ["barcode", "oligo_name", *(f"rna_count_{name}" for name in replicates)]
    missing = [column for column in needed if column not in table.columns]
    if missing or not replicates:
        column = missing[0] if missing else "dna_count_1"
        raise BenchError(f"{source}: column {column!r} is missing. A reporter_experiment_barcode table has it.")
    counts = [f"{what}_count_{name}" for name in replicates for what in ("dna", "rna")]
    table = _with_numbers(table, counts, source)
    for column in counts:
        if (table[column] < 0).any():
            row = int(np.argmax(table[column] < 0))
            raise BenchError(f"{source}: row {row + 1}, column {column!r} must be a count, 0 or more.")
    pieces = []
    for name in replicates:
        seen = table[["oligo_name", f"dna_count_{name}", f"rna_count_{name}"]].dropna()
        seen.columns = pd.Index(["oligo_name", "dna", "rna"])
        sums = seen.groupby("oligo_name")[["dna", "rna"]].sum()
        scaled = (sums + 1) / (sums.sum() + len(sums)) * 1e6
        pieces.append(
            pd.DataFrame(
                {
                    "replicate": name,
                    "oligo_name": sums.index,
                    "dna_counts": sums["dna"].to_numpy(),
                    "log2FoldChange": np.log2((scaled["rna"] / scaled["dna"]).to_numpy()),
                    "n_bc": seen.groupby("oligo_name").size().to_numpy(),
                }
            )
        )
    return pd.concat(pieces, ignore_index=True)
