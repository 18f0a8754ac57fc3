"""Files as labs and tools leave them, in eight shapes, all of one small simulated assay whose activity follows GC."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Assay:
    """A small assay. names, sequences : of n elements. activity : float64 (n, 2), two replicates. dna, rna : counts,
    int64 (n, 2). places : (chromosome, start, end) on the genome."""

    names: list[str]
    sequences: list[str]
    activity: np.ndarray
    dna: np.ndarray
    rna: np.ndarray
    places: list[tuple[str, int, int]]
    genome: dict[str, str]


def assay(rows: int = 240, length: int = 60, seed: int = 0) -> Assay:
    """Elements on six chromosomes, apart from each other."""
    rng = np.random.default_rng(seed)
    gc = rng.uniform(0.25, 0.75, rows)
    sequences = ["".join(rng.choice(list("ACGT"), length, p=[(1 - g) / 2, g / 2, g / 2, (1 - g) / 2])) for g in gc]
    truth = 4 * (gc - 0.5)
    activity = truth[:, None] + rng.normal(0, 0.3, (rows, 2))
    dna = rng.poisson(rng.gamma(4, 25, (rows, 1)), (rows, 2)) + 5
    rna = rng.poisson(dna * 2**activity)
    genome: dict[str, str] = {}
    places = []
    for row, sequence in enumerate(sequences):
        chrom = f"chr{1 + row % 6}"
        before = genome.get(chrom, "") + "".join(rng.choice(list("ACGT"), 40))
        places.append((chrom, len(before), len(before) + length))
        genome[chrom] = before + sequence
    return Assay([f"oligo{row:04d}" for row in range(rows)], sequences, activity, dna, rna, places, genome)


def lines(*rows: object) -> str:
    return "".join(f"{row}\n" for row in rows)


def tab(*fields: object) -> str:
    return "\t".join(map(str, fields))


def fasta(records: dict[str, str]) -> str:
    return "".join(f">{name}\n{bases}\n" for name, bases in records.items())


def igvf_barcode(a: Assay, folder: Path) -> list[Path]:
    """Gzipped reporter_experiment_barcode, and the design."""
    return _barcodes(a, folder, ("barcode", "oligo_name"), [])


def mprasnakeflow(a: Assay, folder: Path) -> list[Path]:
    """The same by an older MPRAsnakeflow: other names, and barcodes of no oligo."""
    return _barcodes(a, folder, ("Barcode", "name"), [tab(f"{'T' * 14}{base}", "no_BC", 3, 2, 1, 9) for base in "ACGT"])


def _barcodes(a: Assay, folder: Path, head: tuple[str, str], more: list[str]) -> list[Path]:
    rng = np.random.default_rng(1)
    rows = [tab(*head, "dna_count_1", "rna_count_1", "dna_count_2", "rna_count_2")]
    for row, name in enumerate(a.names):
        parts = [rng.multinomial(counts[row, r], [0.25] * 4) for r in (0, 1) for counts in (a.dna, a.rna)]
        for barcode in range(4):
            bases = "".join(rng.choice(list("ACGT"), 15))
            rows.append(tab(bases, name, *(part[barcode] for part in parts)))
    (folder / "barcodes.tsv.gz").write_bytes(gzip.compress(lines(*rows, *more).encode()))
    (folder / "design.fa").write_text(fasta(dict(zip(a.names, a.sequences, strict=True))))
    return [folder / "barcodes.tsv.gz", folder / "design.fa"]


def supplement(a: Assay, folder: Path) -> list[Path]:
    """A CSV supplement with a title row and a byte order mark."""
    rows = ["Supplementary Table 3. Activity of every oligo,,,,,,,", "oligo,sequence,chr,start,stop,dna,rep1,rep2"]
    for row, name in enumerate(a.names):
        values = (f"{value:.4f}" for value in a.activity[row])
        rows.append(",".join(map(str, (name, a.sequences[row], *a.places[row], a.dna[row, 0], *values))))
    (folder / "supplement.csv").write_text(lines(*rows), encoding="utf-8-sig")
    return [folder / "supplement.csv"]


def bed_and_genome(a: Assay, folder: Path) -> list[Path]:
    """BED6 and two columns of activities, and the genome."""
    rows = [
        tab(*a.places[row], name, 0, "+", *(f"{value:.4f}" for value in a.activity[row]))
        for row, name in enumerate(a.names)
    ]
    (folder / "peaks.bed").write_text(lines(*rows))
    (folder / "genome.fa").write_text(fasta(a.genome))
    return [folder / "peaks.bed", folder / "genome.fa"]


def excel(a: Assay, folder: Path) -> list[Path]:
    """A workbook of counts: two RNA columns, one DNA column."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["name", "Sequence", "chromosome", "RNA_1", "RNA_2", "plasmid"])
    for row, name in enumerate(a.names):
        counts = (*map(int, a.rna[row]), int(a.dna[row, 0]))
        book.active.append([name, a.sequences[row], a.places[row][0], *counts])
    book.save(folder / "counts.xlsx")
    return [folder / "counts.xlsx"]


def long_table(a: Assay, folder: Path) -> list[Path]:
    """One row per element and replicate, as MPRAflow and ENCODE write them."""
    rows = [tab("condition", "replicate", "name", "dna_count", "rna_count", "ratio", "log2", "n_obs_bc", "sequence")]
    for row, name in enumerate(a.names):
        for r in (0, 1):
            log2 = a.activity[row, r]
            rows.append(tab("HepG2", r + 1, name, 1.5, 2.5, f"{2**log2:.3f}", f"{log2:.4f}", 20, a.sequences[row]))
    (folder / "allreps.tsv").write_text(lines(*rows))
    return [folder / "allreps.tsv"]


def fasta_and_activities(a: Assay, folder: Path) -> list[Path]:
    """Sequences in a FASTA, activities in a table without ids, in the same order."""
    records = {
        f"{chrom}_{start}_{end}": bases for (chrom, start, end), bases in zip(a.places, a.sequences, strict=True)
    }
    (folder / "sequences.fa").write_text(fasta(records))
    rows = ["Dev_log2_enrichment", *(f"{value:.4f}" for value in a.activity[:, 0])]
    (folder / "activities.txt").write_text(lines(*rows))
    return [folder / "activities.txt", folder / "sequences.fa"]


def headerless(a: Assay, folder: Path) -> list[Path]:
    """Sequence and expression, no header, as the yeast challenge wrote them."""
    rows = [tab(bases, f"{value:.4f}") for bases, value in zip(a.sequences, a.activity[:, 0], strict=True)]
    (folder / "expression.txt").write_text(lines(*rows))
    return [folder / "expression.txt"]


#: Shape -> what writes its files into a folder.
SHAPES: dict[str, Callable[[Assay, Path], list[Path]]] = {
    "igvf-barcode": igvf_barcode,
    "mprasnakeflow": mprasnakeflow,
    "supplement": supplement,
    "bed-and-genome": bed_and_genome,
    "excel": excel,
    "long-table": long_table,
    "fasta-and-activities": fasta_and_activities,
    "headerless": headerless,
}
