"""Random fragments of four people's genomes in K562 and HepG2 (SuRE; van Arensbergen et al. 2019).

The counts are read as a stream from the published zips, so that memory holds the rows that are kept.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.dataset import Unavailable
from bench.datasets.brought import AS_PUBLISHED, Brought, BroughtDataset
from bench.datasets.sure2017 import AUTOSOMES, GENOMES, row_names
from bench.errors import BenchError
from bench.files.downloads import data_folders
from bench.tasks.spec import ColumnsSpec, TargetSpec, TaskSpec
from bench.tasks.splits import Split
from bench.tasks.table import build_task
from bench.tasks.task import Task

if TYPE_CHECKING:
    import pandas as pd

PLACE = ("chr", "start", "end", "strand")
#: Fewest reads of a fragment in the library (iPCR).
MINIMUM_IPCR = 10
LONGEST = 2_000
#: Rows that are looked at together.
BLOCK = 500_000


class SuRE2019(BroughtDataset):
    """Fragments chosen by their library reads alone, in K562."""

    name = "sure2019"
    title = "Genome fragments of four people in K562 with 10 library reads or more (SuRE 2019); bring files and hg19"
    in_all = False
    brought = (Brought(GENOMES[0], GENOMES[1:]),)
    bring = "the genome from UCSC (hg19.fa, plain or bgzipped as hg19.fa.gz)"
    cell: ClassVar[str] = "K562"

    def spec(self) -> TaskSpec:
        return TaskSpec(
            name=self.name,
            title=f"Random genome fragments in {self.cell}, SuRE 2019",
            assay="SuRE, log2 (RNA + 1) / (library reads + 1)",
            organism=f"Homo sapiens, {self.cell} cells; genomes of four people",
            genome="hg19",
            citation="van Arensbergen et al. 2019, Nature Genetics (GSE128325; OSF h3m49)",
            licence="public (GEO)",
            orientation="stranded",
            note=(
                "THE COPY IN MPRA-MNIST IS GC-BALANCED: its rows were chosen so that GC does not differ between high"
                " and low activity, which makes GC's share 0 by design. Only the published files can measure it."
                " Fragments"
                f" with {MINIMUM_IPCR} or more library reads (iPCR) and at most {LONGEST:,} bp, never chosen by RNA."
                " Replicates are the columns of one biological replicate (B1, B2 ...) summed over genomes and technical"
                " repeats; all are divided by one library, so the noise ceiling is optimistic. Bases are the"
                " reference's: single-base variants are not written into them."
            ),
            columns=ColumnsSpec(covariates={"dna_count": "ipcr"}),
            targets={self.cell: TargetSpec(replicates=["rep1", "rep2"])},
            split=Split.parse("holdout[valid=chr18,test=chr8]"),
        )

    def locate(self, data_dir: Path | None = None, *, download: bool = False) -> dict[str, Path]:
        """Where the genome (key ``GENOMES[0]``) and the counts are (the other keys, one a zip or per-chromosome
        file of ``sure2019/``). Nothing is downloaded."""
        folders = data_folders(data_dir)
        counts = next((each for folder in folders if (each := _counts_in(folder / "sure2019"))), [])
        if not counts:
            raise Unavailable(
                f"no .zip or .txt.gz is in {folders[0] / 'sure2019'}.",
                "Bring the counts of one genome or more (GSE128325, or OSF h3m49: a zip of a .txt.gz per chromosome);"
                " name the folder above sure2019 with --data-dir or BENCH_DATA_DIR.",
            )
        return super().locate(data_dir) | {str(path): path for path in counts}

    def load(
        self, data_dir: Path | None = None, *, download: bool = False, rows: Mapping[str, list[str]] | None = None
    ) -> Task:
        files = self.locate(data_dir, download=download)
        spec = self.spec().of_rows(rows) if rows else self.spec()
        frame = self.frame(files)
        replicates = [name for name in frame.columns if re.fullmatch(r"rep\d+", name)]
        spec = spec.model_copy(update={"targets": {self.cell: TargetSpec(replicates=replicates)}})
        return build_task(spec, frame, source=self.name, genome=files[GENOMES[0]])

    def frame(self, files: dict[str, Path]) -> pd.DataFrame:
        import pandas as pd

        kept, reads = [], pd.Series(dtype=float)
        for path in (path for name, path in files.items() if name != GENOMES[0]):
            for block in _blocks(path):
                counts = _summed(block, self.cell, path)
                reads = reads.add(counts.sum(), fill_value=0)
                start = block["start"].astype(np.int64)
                end = block["end"].astype(np.int64) + 1  # inclusive in the file
                mask = (counts["ipcr"] >= MINIMUM_IPCR) & (end - start <= LONGEST) & block["chr"].isin(AUTOSOMES)
                place = pd.DataFrame({"chrom": block["chr"], "start": start, "end": end, "strand": block["strand"]})
                kept.append(place.join(counts)[mask])
        rows = pd.concat(kept, ignore_index=True)
        replicates = sorted(set(rows.columns) & {f"rep{i}" for i in range(1, 10)})
        library = np.log2((rows["ipcr"] + 1) / reads["ipcr"])
        # One replicate may be in the files of some genomes only: there it has no value.
        activity = {name: np.log2((rows[name] + 1) / reads[name]) - library for name in replicates}
        return rows.drop(columns=replicates).assign(**activity, id=row_names(rows))


class SuRE2019HepG2(SuRE2019):
    """Fragments chosen by their library reads alone, in HepG2."""

    name = "sure2019-hepg2"
    title = "Genome fragments of four people in HepG2 with 10 library reads or more (SuRE 2019); bring files and hg19"
    cell = "HepG2"


def _counts_in(folder: Path) -> list[Path]:
    return sorted(path for pattern in ("*.zip", "*.txt.gz") for path in folder.glob(pattern) if path.is_file())


def _blocks(path: Path) -> Iterator[pd.DataFrame]:
    """Rows of a zip's members, or of one ``txt.gz``, some at a time, all columns as text or numbers."""
    import pandas as pd

    try:
        if path.suffix != ".zip":
            yield from pd.read_csv(path, sep="\t", chunksize=BLOCK, dtype={"chr": str})
            return
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith((".txt.gz", ".txt"))]
            if not members:
                raise BenchError(f"{path}: holds no .txt.gz. {AS_PUBLISHED}")
            for name in members:
                with archive.open(name) as raw:
                    way: Any = "gzip" if name.endswith(".gz") else None
                    yield from pd.read_csv(raw, sep="\t", chunksize=BLOCK, dtype={"chr": str}, compression=way)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise BenchError(f"{path}: not readable to its end ({error}). {AS_PUBLISHED}") from None


def _summed(block: pd.DataFrame, cell: str, path: Path) -> pd.DataFrame:
    """Library reads (``ipcr``) and RNA reads of each biological replicate of a cell line (``rep1`` ...)."""
    import pandas as pd

    for column in PLACE:
        if column not in block.columns:
            raise BenchError(f"{path}: column {column!r} is missing. {AS_PUBLISHED}")
    library = [name for name in block.columns if "ipcr" in name.lower()]
    if len(library) != 1:
        raise BenchError(f"{path}: needs one column of library reads (iPCR). It has {len(library)}. {AS_PUBLISHED}")
    sums: dict[str, NDArray[Any]] = {"ipcr": block[library[0]].to_numpy(np.float64)}
    for name in block.columns:
        mine = name.startswith("SuRE") and (("HEPG2" in name.upper()) == (cell == "HepG2"))
        if not mine or name in library:
            continue
        found = re.search(r"_B(\d)", name)
        key = f"rep{found[1] if found else 1}"
        sums[key] = sums.get(key, np.zeros(len(block))) + block[name].to_numpy(np.float64)
    if len(sums) == 1:
        raise BenchError(f"{path}: has no column of {cell} (SuRE...). {AS_PUBLISHED}")
    return pd.DataFrame(sums, index=block.index)
