"""Tables in the layouts of the IGVF consortium (as MPRAsnakeflow and MPRAlib write them), made canonical.

``reporter_experiment`` has one row per oligo and replicate, ``reporter_experiment_barcode`` one row per barcode with
``dna_count_<replicate>`` and ``rna_count_<replicate>`` columns, empty where the barcode was not seen.
``reporter_element`` and ``reporter_genomic_element`` (BED6+5) have one row per oligo and no replicates. None holds
sequences: they come from the design, a FASTA or a ``reporter_sequence_design`` table (or, for genomic elements, from a
genome).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.tasks.columns import Columns
from bench.tasks.counts import of_barcodes, whole
from bench.tasks.long import check_labels
from bench.tasks.oligos import matched
from bench.tasks.problems import such
from bench.tasks.spec import BarcodesSpec, IgvfFormat

if TYPE_CHECKING:
    import pandas as pd

#: The target of such a table and the columns its replicates get.
TARGET, REPLICATE = "activity", "replicate "
EXPERIMENT = ("replicate", "oligo_name", "dna_counts", "log2FoldChange", "n_bc")
ELEMENT = ("oligo_name", "log2FoldChange", "inputCount")
#: The columns of a ``reporter_genomic_element`` file, which has no header.
GENOMIC_ELEMENT = (
    "chrom",
    "start",
    "end",
    "name",
    "score",
    "strand",
    "log2FoldChange",
    "inputCount",
    "outputCount",
    "minusLog10PValue",
    "minusLog10QValue",
)
#: What the consortium calls the file of a layout.
FILES: dict[IgvfFormat, str] = {
    "igvf-experiment": "reporter_experiment",
    "igvf-barcode": "reporter_experiment_barcode",
    "igvf-element": "reporter_element",
    "igvf-genomic-element": "reporter_genomic_element",
}
#: Names of columns in other versions of MPRAsnakeflow, and in MPRAflow -> the present ones. Case does not count.
OLDER = {
    "name": "oligo_name",
    "oligo": "oligo_name",
    "dna_count": "dna_counts",
    "rna_count": "rna_counts",
    "log2": "log2FoldChange",
    "n_obs_bc": "n_bc",
}
#: Columns of counts begin so.
_COUNTS = ("dna_count_", "rna_count_")
#: What barcodes that were assigned to no oligo are called.
NO_BARCODE = "no_BC"
#: What is made of barcodes where nothing else is said.
SUMMED = BarcodesSpec()


@dataclass(frozen=True, eq=False)
class Canonical:
    """A table made canonical.

    frame : one row per oligo: the columns of the design, ``replicate <name>`` with log2 RNA/DNA, and covariates.
    replicates : the columns of activities. covariates : ``dna_count`` (sum over replicates) and, where known,
    ``barcodes`` (mean over the replicates that saw the oligo). counts : what was left out, for people.
    """

    frame: pd.DataFrame
    replicates: list[str]
    covariates: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)


def canonical(
    layout: IgvfFormat, table: pd.DataFrame, design: pd.DataFrame | None, source: str, how: BarcodesSpec = SUMMED
) -> Canonical:
    """One row per oligo, in order of the design.

    Parameters
    ----------
    table : the measurements, as read.
    design : ``id``, ``sequence`` and, where known, coordinates; None where a genome has the bases.
    how : what is made of the barcodes of an oligo.

    Raises
    ------
    BenchError : for a missing column, an oligo twice in a replicate, or one that the design does not have.
    """
    counts: dict[str, int] = {}
    columns = _assigned(Columns.of(_present_names(layout, table), source), layout, counts)
    if layout == "igvf-barcode":
        long = _from_barcodes(columns, how, counts)
    elif layout == "igvf-experiment":
        long = _from_experiment(columns)
    else:
        long = _from_elements(columns, layout)
    if long.duplicated(["replicate", "oligo_name"]).any():
        twice = long[long.duplicated(["replicate", "oligo_name"])].iloc[0]
        raise BenchError(
            f"{source}: oligo {twice['oligo_name']!r} stands twice in replicate {twice['replicate']}. Give it one row."
        )
    if not long["replicate"].notna().any():
        raise BenchError(f"{source}: no oligo was measured in any replicate. Check the count columns.")
    wide = long.pivot(index="oligo_name", columns="replicate", values="log2FoldChange").add_prefix(REPLICATE)
    replicates = [*map(str, wide.columns)]
    by_oligo = long.groupby("oligo_name")
    wide["dna_count"] = by_oligo["dna_counts"].sum(min_count=1)
    covariates = ["dna_count"]
    if "n_bc" in long:
        wide["barcodes"] = by_oligo["n_bc"].mean()
        covariates.append("barcodes")
    if design is None:
        places = columns.frame[list(GENOMIC_ELEMENT[:6])].rename(columns={"name": "id"}).drop(columns="score")
        frame = places.merge(wide, left_on="id", right_index=True)
    else:
        design = matched(design, long["oligo_name"])
        unknown = ~long["oligo_name"].isin(design["id"])
        if unknown.any():
            name = str(long["oligo_name"][unknown].iloc[0])
            row = _texts(columns, column := "oligo_name" if "oligo_name" in columns else "name").index(name)
            said = f"oligo {name!r} is not in the design. Give the design that it was made of." if name else ""
            raise BenchError(f"{source}: {columns.where(row)} {said or f'has no {column!r}. Give every row one.'}")
        frame = _with_places(layout, columns, design).merge(wide, left_on="id", right_index=True)
    return Canonical(frame, replicates, tuple(covariates), counts)


def _present_names(layout: IgvfFormat, table: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are called as in the present version of its layout."""
    if layout == "igvf-genomic-element":
        return table
    there = {*map(str, table.columns)}
    names = {}
    for name in there:
        present = {"barcode": "barcode"}.get(name.lower(), OLDER.get(name.lower(), name))
        if layout == "igvf-barcode" and name.lower().startswith(_COUNTS):
            present = name[: len(_COUNTS[0])].lower() + name[len(_COUNTS[0]) :]
        if present not in there:
            names[name] = present
    return table.rename(columns=names)


def _assigned(table: Columns, layout: IgvfFormat, counts: dict[str, int]) -> Columns:
    """The rows of barcodes that belong to an oligo; the others are counted."""
    column = "name" if layout == "igvf-genomic-element" else "oligo_name"
    table.require([column], f"A {FILES[layout]} table has it.")
    none = table.text(column) == NO_BARCODE
    if none.any():
        counts[f"rows of {NO_BARCODE} (assigned to no oligo) left out"] = int(none.sum())
        return Columns.of(table.frame[~none], table.source)
    return table


def _from_experiment(table: Columns) -> pd.DataFrame:
    """A ``reporter_experiment`` table, checked."""
    table.require(EXPERIMENT, "A reporter_experiment table has it.")
    check_labels(table, "replicate")
    numbers = {column: table.numbers(column) for column in ("dna_counts", "log2FoldChange", "n_bc")}
    return table.frame.assign(**numbers, oligo_name=_texts(table, "oligo_name"), replicate=_texts(table, "replicate"))


def _from_elements(table: Columns, layout: IgvfFormat) -> pd.DataFrame:
    """A table of one row per oligo as that of one replicate, called ``all``: what it pools is not known."""
    import pandas as pd

    if layout == "igvf-element":
        table.require(ELEMENT, "A reporter_element table has it.")
        name = "oligo_name"
    else:
        table.require(GENOMIC_ELEMENT, "A reporter_genomic_element file is BED6+5.")
        name = "name"
    return pd.DataFrame(
        {
            "oligo_name": _texts(table, name),
            "replicate": "all",
            "dna_counts": table.numbers("inputCount"),
            "log2FoldChange": table.numbers("log2FoldChange"),
        }
    )


def _with_places(layout: IgvfFormat, table: Columns, design: pd.DataFrame) -> pd.DataFrame:
    """The design with the coordinates of a table of genomic elements, which are of the genome that the table is of."""
    if layout != "igvf-genomic-element":
        return design
    places = table.frame[["name", "chrom", "start", "end", "strand"]].rename(columns={"name": "id"})
    own = [column for column in design.columns if column not in places.columns or column == "id"]
    return design[own].merge(places, on="id")


def _from_barcodes(table: Columns, how: BarcodesSpec, left_out: dict[str, int]) -> pd.DataFrame:
    """The ``reporter_experiment`` table of a barcode table, by the formula of ``bench.tasks.counts``."""
    import pandas as pd

    prefix = _COUNTS[0]
    replicates = [str(name).removeprefix(prefix) for name in table.frame if str(name).startswith(prefix)]
    counted = [f"rna_count_{name}" for name in replicates] or [f"{prefix}1"]
    # A replicate of which only the RNA is there would be left out in silence.
    counted += [prefix + str(name)[len(prefix) :] for name in table.frame if str(name).startswith(_COUNTS[1])]
    table.require(["barcode", "oligo_name", *counted], "A reporter_experiment_barcode table has it.")
    oligo = np.array(_texts(table, "oligo_name"), object)
    _refuse_twice(table, oligo)
    pieces, outliers = [], 0
    for name in replicates:
        dna, rna = whole(table, f"{prefix}{name}"), whole(table, f"rna_count_{name}")
        seen = np.isfinite(dna) & np.isfinite(rna)
        found = of_barcodes(oligo[seen], rna[seen], dna[seen], how)
        outliers += found.outliers
        pieces.append(
            pd.DataFrame(
                {
                    "replicate": name,
                    "oligo_name": found.element,
                    "dna_counts": found.dna,
                    "log2FoldChange": found.activity,
                    "n_bc": found.barcodes,
                }
            )
        )
    if how.outliers is not None:
        left_out["outlier barcodes left out, over replicates"] = outliers
    return pd.concat(pieces, ignore_index=True)


def _refuse_twice(table: Columns, oligo: NDArray[np.object_]) -> None:
    """Refuse a barcode that stands twice for one oligo: its counts would count twice."""
    import pandas as pd

    twice = pd.DataFrame({"barcode": table.text("barcode"), "oligo": oligo}).duplicated().to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        raise BenchError(
            f"{table.source}: {table.where(row)}: barcode {str(table.text('barcode')[row])!r} of oligo {oligo[row]!r}"
            f" stands there before{such(int(twice.sum()))}. Give each barcode of an oligo one row."
        )


def _texts(table: Columns, column: str) -> list[str]:
    values: NDArray[np.str_] = table.text(column)
    listed: Sequence[str] = values.tolist()
    return list(listed)
