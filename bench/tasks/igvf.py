"""Tables in the layouts of the IGVF consortium (as MPRAsnakeflow and MPRAlib write them), made canonical.

``reporter_experiment`` has one row per oligo and replicate, ``reporter_experiment_barcode`` one row per barcode with
``dna_count_<replicate>`` and ``rna_count_<replicate>`` columns, empty where the barcode was not seen. Neither holds
sequences: they come from the design, a FASTA or a ``reporter_sequence_design`` table.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.errors import BenchError
from bench.files.fasta import is_fasta, read_fasta
from bench.files.reading import CHECK, RELATIVE
from bench.files.tables import read_tsv
from bench.tasks.columns import Columns

if TYPE_CHECKING:
    import pandas as pd

Layout = Literal["igvf-experiment", "igvf-barcode"]

#: The target of such a table and the columns its replicates get.
TARGET, REPLICATE = "activity", "replicate "
EXPERIMENT = ("replicate", "oligo_name", "dna_counts", "log2FoldChange", "n_bc")
DESIGN = ("name", "sequence", "chr", "start", "end", "strand", "class")


def canonical(layout: Layout, table: pd.DataFrame, design: pd.DataFrame, source: str) -> pd.DataFrame:
    """One row per oligo: the columns of the design, ``replicate <name>`` with log2 RNA/DNA, ``dna_count`` (sum over
    replicates) and ``barcodes`` (mean over the replicates that saw the oligo).

    Parameters
    ----------
    table : the measurements, as read.
    design : ``id``, ``sequence`` and, where known, coordinates.

    Raises
    ------
    BenchError : for a missing column, an oligo twice in a replicate, or one that the design does not have.
    """
    columns = Columns.of(table, source)
    long = _from_barcodes(columns) if layout == "igvf-barcode" else _from_experiment(columns)
    if long.duplicated(["replicate", "oligo_name"]).any():
        twice = long[long.duplicated(["replicate", "oligo_name"])].iloc[0]
        raise BenchError(
            f"{source}: oligo {twice['oligo_name']!r} stands twice in replicate {twice['replicate']}. Give it one row."
        )
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

    if not path.is_file():
        raise BenchError(f"{path}: no such design. {RELATIVE}")
    if is_fasta(path):
        records = read_fasta(path, fix=CHECK)
        return pd.DataFrame({"id": list(records), "sequence": list(records.values())})
    lacking = "The design is a FASTA (.fa, .fasta) or a reporter_sequence_design table."
    frame = read_tsv(path, DESIGN, fix=CHECK, lacking=lacking)
    return frame.rename(columns={"name": "id", "chr": "chrom"})


def _from_experiment(table: Columns) -> pd.DataFrame:
    """A ``reporter_experiment`` table, checked."""
    table.require(EXPERIMENT, "A reporter_experiment table has it.")
    return table.frame.assign(**{column: table.numbers(column) for column in ("dna_counts", "log2FoldChange", "n_bc")})


def _from_barcodes(table: Columns) -> pd.DataFrame:
    """The ``reporter_experiment`` table of a barcode table: counts of an oligo's barcodes are summed, and
    normalised = (count + 1) / (total + oligos) * 1e6."""
    import pandas as pd

    prefix = "dna_count_"
    replicates = [str(name).removeprefix(prefix) for name in table.frame if str(name).startswith(prefix)]
    counted = [f"rna_count_{name}" for name in replicates] or [f"{prefix}1"]
    table.require(["barcode", "oligo_name", *counted], "A reporter_experiment_barcode table has it.")
    pieces = []
    for name in replicates:
        counts = pd.DataFrame(
            {
                "oligo_name": table.frame["oligo_name"],
                "dna": table.counts(f"{prefix}{name}"),
                "rna": table.counts(f"rna_count_{name}"),
            }
        )
        seen = counts.dropna()
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
