"""Random fragments of the human genome before a reporter in K562 (SuRE; van Arensbergen et al. 2017).

The counts file is read as a stream, so that memory holds the rows that are kept and nothing of the other 150 million.
It and the genome are the user's to bring: neither has a published checksum.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.datasets.brought import Brought, BroughtDataset
from bench.errors import BenchError
from bench.files.folders import cache_folder
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split
from bench.tasks.table import build_task
from bench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

COUNTS = "sure2017/GSE78709_SuRE-counts-K562_B45_B55_LP170105.txt.gz"
GENOMES = ("genomes/hg19.fa", "genomes/hg19.fa.gz")
#: Columns of the file that are summed into one: PCR replicates are technical, never replicates of the measurement.
PLACE = ("chr", "start", "end", "strand")
SUMMED = {
    "ipcr": ("iPCR",),
    "rna1": tuple(f"SuRE K562 cDNA, Biorep1, PCRrep{i}" for i in (1, 2, 3, 4)),
    "rna2": tuple(f"SuRE K562 cDNA, Biorep2, PCRrep{i}" for i in (1, 2)),
    "dna": tuple(f"plasmid library, PCR rep{i}" for i in (1, 2)),
}
AUTOSOMES = tuple(f"chr{i}" for i in range(1, 23))
#: The split of the study that trained on these data in 2017.
SPLIT = Split("holdout", valid=("chr18",), test=("chr8",), drop=("chrX", "chrY"))
LONGEST = 2_000
#: Bytes of text parsed at a time: 300,000 rows, which pyarrow parses on all cores.
BLOCK = 16 << 20
#: Raised when what is kept of a file changes.
CACHE = 1


@dataclass(frozen=True)
class Rule:
    """Which rows of the counts file are kept: those on ``chroms``, of at most ``longest`` bases, with at least
    ``dna`` plasmid reads and at least ``rna`` reads in each biological replicate."""

    chroms: tuple[str, ...]
    longest: int = LONGEST
    dna: int = 0
    rna: int = 0


@dataclass(frozen=True, eq=False)
class Counts:
    """Rows of the counts file that a rule keeps (chrom, start, end, strand, ipcr, dna, rna1, rna2), the reads of
    ``dna``, ``rna1`` and ``rna2`` over all rows of the file, and how many rows were read and left out."""

    rows: pd.DataFrame
    reads: dict[str, int]
    counts: dict[str, int]


class SuRE2017(BroughtDataset):
    """Fragments chosen by their plasmid reads alone."""

    name = "sure2017"
    title = "Genome fragments of 0.2-2 kb in K562 with 10 plasmid reads or more (SuRE); bring the file and hg19"
    in_all = False  # gigabytes and hours: run when named
    brought = (Brought(COUNTS), Brought(GENOMES[0], GENOMES[1:]))
    bring = (
        "the counts from GEO (GSE78709, supplementary file, 1.1 GB), the genome from UCSC (hg19.fa, plain or bgzipped"
        " as hg19.fa.gz, 3.2 GB)"
    )

    rule: ClassVar[Rule] = Rule((*AUTOSOMES, "chrX", "chrY"), dna=10)
    note: ClassVar[str] = (
        "Fragments with 10 or more plasmid reads, never chosen by RNA: nine in ten have no RNA read, so scores and"
        " noise ceiling are low. Both replicates are divided by one plasmid library, which alone correlates them: read"
        " the noise ceiling given log DNA. Neighbouring fragments overlap; intervals are by merged overlaps."
    )

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title=type(self).title.partition(";")[0],
            assay="SuRE, log2 (RNA + 1) / (DNA + 1) of reads",
            organism="Homo sapiens, K562 cells",
            genome="hg19",
            citation="van Arensbergen et al. 2017, Nature Biotechnology 35:145 (GSE78709)",
            licence="public (GEO)",
            orientation="stranded",
            note=self.note,
            columns=ColumnsSpec(covariates={"dna_count": "dna", "ipcr_count": "ipcr"}),
            targets={"K562": TargetSpec(replicates=["rep1", "rep2"])},
            split=SPLIT,
        )

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        return self.table(cached_counts(files[COUNTS], self.rule))

    def table(self, kept: Counts) -> pd.DataFrame:
        """The canonical table of the kept rows: ``id, chrom, start, end, strand, rep1, rep2, dna, ipcr``."""
        rows = kept.rows
        rep1, rep2 = self.replicates(kept)
        return rows[["chrom", "start", "end", "strand", "dna", "ipcr"]].assign(id=row_names(rows), rep1=rep1, rep2=rep2)

    def replicates(self, kept: Counts) -> list[NDArray[np.float64]]:
        """log2((RNA + 1) / N_RNA) - log2((DNA + 1) / N_DNA) of both biological replicates, N over the whole file."""
        dna = np.log2((kept.rows["dna"].to_numpy() + 1) / kept.reads["dna"])
        return [np.log2((kept.rows[rna].to_numpy() + 1) / kept.reads[rna]) - dna for rna in ("rna1", "rna2")]

    def load(
        self, data_dir: Path | None = None, *, download: bool = False, rows: Mapping[str, list[str]] | None = None
    ) -> Task:
        files = self.locate(data_dir, download=download)
        kept = cached_counts(files[COUNTS], self.rule)
        frame = self.table(kept)
        # The plasmids are a woman's DNA: no fragment of chrY may be left for the split to drop.
        there = set(frame["chrom"].unique())
        spec = self.spec().of_rows(rows) if rows else self.spec()
        spec = spec.model_copy(
            update={"split": replace(SPLIT, drop=tuple(chrom for chrom in SPLIT.drop if chrom in there))}
        )
        task = build_task(spec, frame, source=self.name, genome=files[GENOMES[0]])
        return replace(task, counts={**kept.counts, **task.counts})


class SuRE2017Positives(SuRE2017):
    """The processing of the study that trained on these data in 2017, for comparison with its scores only."""

    name = "sure2017-positives"
    title = "As published in 2017: fragments with RNA in both replicates, chosen by the outcome; for comparison only"

    rule = Rule(AUTOSOMES, rna=1)
    note = (
        "CHOSEN BY THE OUTCOME: only fragments with RNA reads in both replicates are kept, 2.1 million of 153. That"
        " selection alone lifts the correlation of the replicates several times and hides most of GC's share. It"
        " reproduces the 2017 processing so that its published scores have a row to compare with; use sure2017 for"
        " every other question."
    )

    def spec(self) -> TaskSpec:
        changed = {"assay": "SuRE, RNA reads per plasmid read", "split": replace(SPLIT, drop=())}
        return super().spec().model_copy(update=changed)

    def replicates(self, kept: Counts) -> list[NDArray[np.float64]]:
        """RNA reads a billion over (1 + plasmid reads) a billion, with the totals that the 2017 study wrote down."""
        dna = (kept.rows["dna"].to_numpy() + 1) * (1e9 / 8e7)
        totals = {"rna1": 37_770_653, "rna2": 74_081_034}
        return [kept.rows[rna].to_numpy() * (1e9 / total) / dna for rna, total in totals.items()]


def row_names(rows: pd.DataFrame) -> NDArray[Any]:
    """``chr1:100-400:+``, str (n,); a fragment that is listed again is followed by #2, #3 ..."""
    names = (
        rows["chrom"].astype(str)
        + (":" + rows["start"].astype(str))
        + ("-" + rows["end"].astype(str))
        + (":" + rows["strand"].astype(str))
    )
    if names.duplicated().any():
        again = names.groupby(names).cumcount().to_numpy()
        names = names.where(again == 0, names + "#" + (again + 1).astype(str))
    return names.to_numpy(object)


# ---- reading ---------------------------------------------------------------------------------------------------------
def read_counts(path: Path, rule: Rule) -> Counts:
    """The rows of a counts file that a rule keeps. Memory holds them and a few blocks of text.

    ``start`` and ``end`` are taken as 0-based and half-open, as public code that reads this file does.

    Raises
    ------
    BenchError : for a file without one of its 13 columns, cut short, or with something that is no count.
    """
    import pyarrow as pa

    header = _header(path)
    for column in (*PLACE, *(column for columns in SUMMED.values() for column in columns)):
        if column not in header:
            raise BenchError(
                f"{path}: column {column!r} is missing. The file must be GEO's, tab-separated, with its header."
            )
    reads = dict.fromkeys(("dna", "rna1", "rna2"), 0)
    counts = {"rows in the file": 0, "rows on other chromosomes": 0, f"fragments above {rule.longest:,} bp": 0}
    kept = []
    try:
        for block in _blocks(path, header):
            piece = _summed_block(block)
            for name in reads:
                reads[name] += int(piece[name].sum(dtype=np.int64))
            elsewhere = ~_is_in(block["chr"], rule.chroms)
            long = ~elsewhere & (piece["end"] - piece["start"] > rule.longest)
            counts["rows in the file"] += len(block)
            counts["rows on other chromosomes"] += int(elsewhere.sum())
            counts[f"fragments above {rule.longest:,} bp"] += int(long.sum())
            mask = ~elsewhere & ~long & (piece["dna"] >= rule.dna)
            mask &= (piece["rna1"] >= rule.rna) & (piece["rna2"] >= rule.rna)
            rows = np.flatnonzero(mask)
            chosen = {"chrom": block["chr"].take(pa.array(rows)), "strand": block["strand"].take(pa.array(rows))}
            chosen |= {name: pa.array(values[rows]) for name, values in piece.items()}
            kept.append(pa.table(chosen))
    except (pa.ArrowException, OSError, zlib.error) as error:
        raise BenchError(f"{path}: not readable to its end: {error}. Download it again.") from None
    if not kept or not reads["dna"]:
        raise BenchError(f"{path}: has no rows.")
    frame = pa.concat_tables(kept).to_pandas(split_blocks=True, self_destruct=True)
    lost = counts["rows in the file"] - sum(list(counts.values())[1:]) - len(frame)
    counts[f"fragments with fewer than {rule.dna} plasmid reads" if rule.dna else "fragments without RNA"] = lost
    return Counts(frame, reads, counts)


def _header(path: Path) -> list[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            names = lines.readline().rstrip("\r\n").split("\t")
    except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
        raise BenchError(f"{path}: not a readable gzip file: {error}. Download it again.") from None
    # Public code names every column but this one.
    return ["iPCR" if "ipcr" in name.lower() else name for name in names]


def _blocks(path: Path, header: list[str]) -> Iterable[Any]:
    """Record batches of the 13 columns."""
    import pyarrow as pa
    from pyarrow import csv

    places = {"chr": pa.string(), "strand": pa.string(), "start": pa.int64(), "end": pa.int64()}
    numbers = {column: pa.int32() for columns in SUMMED.values() for column in columns}
    with pa.input_stream(str(path), compression="gzip") as stream:
        yield from csv.open_csv(
            stream,
            csv.ReadOptions(block_size=BLOCK, column_names=header, skip_rows=1),
            csv.ParseOptions(delimiter="\t", quote_char=False),
            csv.ConvertOptions(column_types=places | numbers, include_columns=[*places, *numbers], null_values=[]),
        )


def _summed_block(block: Any) -> dict[str, NDArray[Any]]:
    piece: dict[str, NDArray[Any]] = {name: block[name].to_numpy() for name in ("start", "end")}
    for name, columns in SUMMED.items():
        piece[name] = sum(block[column].to_numpy() for column in columns)
    return piece


def _is_in(values: Any, choices: tuple[str, ...]) -> NDArray[np.bool_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    found: NDArray[np.bool_] = pc.is_in(values, value_set=pa.array(choices)).to_numpy(zero_copy_only=False)
    return found


def cached_counts(path: Path, rule: Rule) -> Counts:
    """``read_counts``, kept in the cache folder: 153 million rows take minutes, and every process needs the few kept.
    A file of another size or time of change is read again."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    status = path.stat()
    said = repr((CACHE, str(path.resolve()), status.st_size, status.st_mtime_ns, rule))
    place = cache_folder() / "sure2017" / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.parquet"
    try:
        table = pq.read_table(place)
        known = json.loads(table.schema.metadata[b"sure2017"])
        return Counts(table.to_pandas(split_blocks=True, self_destruct=True), known["reads"], known["counts"])
    except (OSError, pa.ArrowException):
        kept = read_counts(path, rule)
    table = pa.Table.from_pandas(kept.rows, preserve_index=False)
    about = json.dumps({"reads": kept.reads, "counts": kept.counts})
    temporary = place.with_suffix(f".{os.getpid()}.tmp")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.replace_schema_metadata({"sure2017": about}), temporary, compression="zstd")
        os.replace(temporary, place)
    except OSError:
        with contextlib.suppress(OSError):  # without a cache folder the next run reads the file again
            temporary.unlink(missing_ok=True)
    return kept
