"""Simulated rows as a table, a task file, and a small data set: what a board must find in them is known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.dataset import Dataset
from bench.files.atomic import atomic
from bench.sequences import LETTERS
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec, named
from bench.tasks.splits import Split

if TYPE_CHECKING:
    import pandas as pd

    from bench.datasets.simulate import Simulated

#: The target of every simulated task.
TARGET = "activity"
#: Rows with fewer DNA reads are left out: below some 20 the noise of the DNA count, which all replicates share, counts
#: as signal and lifts the noise ceiling.
MIN_DNA = 20
#: The split of a simulated task that names none.
SPLIT = Split("chromosome-kfold", k=5)
TABLE, TASK_FILE, TRUTH = "planted.tsv.gz", "planted.toml", "truth.json"


@dataclass(frozen=True)
class Truth:
    """What is true of a simulated data set, and what its counts look like.

    share_latent, motif_share_latent : of the variance of latent activity. share_board : GC's share on the scale of the
    board, among the rows of ``min_dna`` DNA reads. zeros : share of rows without RNA, by replicate.
    """

    share_latent: float
    share_board: float
    motif_share_latent: float
    rows: int
    rows_above_min_dna: int
    min_dna: int
    loci: int
    zeros: list[float]
    correlation_gc_hits: float


def table_of(data: Simulated) -> pd.DataFrame:
    """The table of a simulated data set: id, sequence, chrom, locus, dna_count, rep1 .. (the target), rna1 .. (reads,
    for the curious: no task reads them)."""
    import pandas as pd

    columns: dict[str, Any] = {
        "id": [f"locus{locus}.{row}" for row, locus in enumerate(data.locus.tolist())],
        "sequence": [letters.tobytes().decode("ascii") for letters in LETTERS[data.codes]],
        "chrom": [f"chr{code + 1}" for code in data.chrom.tolist()],
        "locus": data.locus,
        "dna_count": data.dna,
    }
    for what, values in (("rep", data.replicates.round(5)), ("rna", data.rna)):
        columns |= {f"{what}{r + 1}": values[:, r] for r in range(values.shape[1])}
    return pd.DataFrame(columns)


def spec_of(data: Simulated, *, name: str = "planted", min_dna: int = MIN_DNA, split: Split = SPLIT) -> TaskSpec:
    """The task of ``table_of(data)``; its card says what is true."""
    truth = truth_of(data, min_dna)
    return TaskSpec(
        name=name,
        title="Simulated, truth known",
        assay=f"simulated MPRA, {data.rna.shape[1]} replicates on one DNA library",
        organism="none",
        citation="Simulated: bench.datasets.simulate",
        licence="made by this package",
        note=(
            f"Simulated, to test the board itself. Truth: GC content explains {100 * truth.share_board:.0f} % of the"
            f" explainable variance on the board's scale ({100 * data.gc_share:.0f} % of the latent activity), motifs"
            f" {100 * data.motif_share:.0f} % of the latent activity; the rest is noise of the locus that no sequence"
            " tells. The interval of GC's share as found here must hold the true one on 19 of 20 boards."
        ),
        columns=ColumnsSpec(id="id", covariates=named("dna_count")),
        targets={TARGET: TargetSpec(replicates=[f"rep{r + 1}" for r in range(data.rna.shape[1])])},
        split=split,
        minimum={"dna_count": min_dna},
    )


def truth_of(data: Simulated, min_dna: int = MIN_DNA) -> Truth:
    """What is true of a simulated data set, where a task keeps the rows of ``min_dna`` DNA reads."""
    rows = data.dna >= min_dna
    return Truth(
        share_latent=data.gc_share,
        share_board=round(data.board_share(rows), 4),
        motif_share_latent=data.motif_share,
        rows=len(data.dna),
        rows_above_min_dna=int(rows.sum()),
        min_dna=min_dna,
        loci=len(np.unique(data.locus)),
        zeros=[round(float(share), 4) for share in (data.rna[rows] == 0).mean(axis=0)],
        correlation_gc_hits=round(float(np.corrcoef(data.gc, data.hits)[0, 1]), 4),
    )


def write_task(
    folder: Path, data: Simulated, spec: TaskSpec, parameters: Mapping[str, object] | None = None
) -> tuple[Path, Truth]:
    """Write ``planted.toml``, ``planted.tsv.gz`` and ``truth.json``; the task file's path and the truth.

    ``parameters`` of the simulation are written with the truth.
    """
    truth = truth_of(data, int(spec.minimum["dna_count"]))
    content = asdict(truth) | ({"parameters": dict(parameters)} if parameters else {})
    return write_files(folder, table_of(data), spec, content), truth


def write_files(folder: Path, table: pd.DataFrame, spec: TaskSpec, truth: Mapping[str, object]) -> Path:
    """Write ``planted.toml``, ``planted.tsv.gz`` and ``truth.json``; the task file's path. ``spec`` names its columns
    as the table does."""
    folder.mkdir(parents=True, exist_ok=True)
    # Neither time nor the temporary name goes into the file: the same simulation gives the same bytes.
    with (
        atomic(folder / TABLE) as path,
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
    ):
        table.to_csv(packed, sep="\t", index=False)
    card = {key: getattr(spec, key) for key in ("name", "title", "assay", "organism", "citation", "licence", "note")}
    said = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in card.items()]
    said += [f'table = "{TABLE}"', f'split = "{spec.split}"', ""]
    columns = spec.columns
    named_columns = {"covariates": list(columns.covariates), "strata": list(columns.strata)}
    lines = [f"{key} = {json.dumps(names)}" for key, names in named_columns.items() if names]
    lines += [f'control = "{column}"' for column in columns.control]
    said += ["[columns]", *lines, ""] if lines else []
    if spec.minimum:
        said += ["[minimum]", *(f"{name} = {least:g}" for name, least in spec.minimum.items()), ""]
    for name, target in spec.targets.items():
        said += [f"[targets.{name}]", f"replicates = {json.dumps(target.replicates)}"]
    (folder / TASK_FILE).write_text("\n".join(said) + "\n", encoding="utf-8")
    (folder / TRUTH).write_text(json.dumps(dict(truth), indent=1) + "\n", encoding="utf-8")
    return folder / TASK_FILE


@cache
def _simulated() -> Simulated:
    from bench.datasets.simulate import simulate

    # Four of ten chromosomes are tested, 1,100 rows or so: enough for an interval of +-.07 on the share, little enough
    # for the networks of a full run.
    return simulate(1000, 3, gc_share=0.3, motif_share=0.4, depths=(3.0, 3.0), dna_depth=50.0, seed=2017)


class Planted(Dataset):
    """Three thousand simulated rows under one split of ten chromosomes."""

    name = "planted"
    title = "3,000 simulated elements (150 bp) in which GC's share is known: the board's own calibration"

    def spec(self) -> TaskSpec:
        return spec_of(_simulated(), name=self.name, split=Split.parse("holdout[valid=chr6,test=chr7+chr8+chr9+chr10]"))

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        return table_of(_simulated())
