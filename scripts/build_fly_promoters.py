"""Build bench/datasets/fly_promoters.tsv.gz, the table of the task that comes with the package.

Sequences are the 2,000 bases upstream of every RefSeq transcript of the fly (UCSC dm3), as Debian ships them in
r-bioc-biostrings; RNA are the gene counts of four untreated samples of S2 cells (GSE18508), as the sdist of inmoose on
PyPI holds them, with the gene model they were counted on. The steps:

1. The start site (TSS) of a transcript is the base after its upstream sequence. A TSS belongs to the gene on its strand
   whose exon holds it, else to the gene that begins nearest, at most 1,000 bp away.
2. Of a gene's TSSs the one with the most transcripts is taken, and of its transcripts the first in the file.
3. Kept are genes with counts whose 2,000 bases hold no N. The element is the last 300 of them.
4. The value of a sample is log2(RPKM + 0.1): counts per kilobase of the gene's exonic parts and million counted reads.

Usage: build_fly_promoters.py [--deb FILE] [--sdist FILE] [--out FILE]
The packages are downloaded with apt-get and pip where they are not given.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

DEB, SDIST = "r-bioc-biostrings", "inmoose==0.9.1"
UPSTREAM = "usr/lib/R/site-library/Biostrings/extdata/dm3_upstream2000.fa.gz"
GENES = "inmoose/data/pasilla/Dmel.BDGP5.25.62.DEXSeq.chr.gff"
COUNTS = "inmoose/data/pasilla/pasilla_gene_counts.tsv"
SAMPLES = ["untreated1", "untreated2", "untreated3", "untreated4"]
OUT = Path(__file__).parent.parent / "bench" / "datasets" / "fly_promoters.tsv.gz"
#: SHA-256 of the uncompressed table. Another version of a package may give another: look before you change it.
SHA256 = "1ee61dfdd9db3121aec7add2d2829baa13a1a6868a809d512dea218ad6191380"

WINDOW, REACH, FLOOR = 300, 1000, 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deb", type=Path, help=f"package file of {DEB}")
    parser.add_argument("--sdist", type=Path, help=f"sdist of {SDIST}")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        deb = given.deb or download(["apt-get", "download", DEB], Path(folder), "*.deb")
        # Without isolation: pip wants the metadata of the sdist, and would first install a stack to build it with.
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
        pip += ["--no-binary", "inmoose", SDIST]
        sdist = given.sdist or download(pip, Path(folder), "*.tar.gz")
        unpacked = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
            upstream = read_upstream(gzip.decompress(member(tar, UPSTREAM)).decode())
        with tarfile.open(sdist) as tar:
            genes, exons = read_genes(member(tar, GENES))
            counts = pd.read_csv(io.BytesIO(member(tar, COUNTS)), sep="\t", index_col=0)[SAMPLES]
    frame = build(upstream, genes, exons, counts)
    table = frame.to_csv(sep="\t", index=False).encode()
    actual = hashlib.sha256(table).hexdigest()
    given.out.write_bytes(gzip.compress(table, compresslevel=9, mtime=0))
    print(f"{given.out}: {len(frame):,} promoters, SHA-256 of the table {actual}")
    if actual != SHA256:
        sys.exit(f"The table differs from the committed one (SHA-256 {SHA256}).")


def download(command: list[str], folder: Path, pattern: str) -> Path:
    subprocess.run(command, check=True, cwd=folder)
    return next(folder.glob(pattern))


def member(tar: tarfile.TarFile, end: str) -> bytes:
    """Content of the one member whose path ends so."""
    (found,) = [each for each in tar.getmembers() if each.name.endswith(end)]
    stream = tar.extractfile(found)
    assert stream is not None
    return stream.read()


def read_upstream(fasta: str) -> pd.DataFrame:
    """transcript, chrom, strand, tss (1-based), sequence of every record, in file order. Records that begin before the
    chromosome (their coordinate is negative) are left out."""
    header = re.compile(r"(?P<transcript>\w+)_up_2000_(?P<chrom>chr\w+)_\d+_[fr] chr\w+:(?P<first>\d+)-(?P<last>\d+)")
    rows = []
    for record in fasta.split(">")[1:]:
        head, _, bases = record.partition("\n")
        if match := header.fullmatch(head.strip()):
            forward = "_f " in head
            tss = int(match["last"]) + 1 if forward else int(match["first"]) - 1
            sequence = bases.replace("\n", "").upper()
            rows.append((match["transcript"], match["chrom"], "+" if forward else "-", tss, sequence))
    return pd.DataFrame(rows, columns=["transcript", "chrom", "strand", "tss", "sequence"])


def read_genes(gff: bytes) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Genes and their exonic parts: gene, chrom, start, end (1-based, inclusive), strand."""
    names = ["chrom", "source", "type", "start", "end", "score", "strand", "frame", "attributes"]
    frame = pd.read_csv(io.BytesIO(gff), sep="\t", header=None, names=names)
    frame["gene"] = frame["attributes"].str.extract('gene_id "([^"]+)"')
    columns = ["gene", "chrom", "start", "end", "strand"]
    return frame.loc[frame["type"] == "aggregate_gene", columns], frame.loc[frame["type"] == "exonic_part", columns]


def assign(sites: pd.DataFrame, genes: pd.DataFrame, exons: pd.DataFrame) -> pd.Series:
    """Gene of every site (chrom, strand, tss), missing where there is none."""
    assigned = pd.Series(pd.NA, index=sites.index, dtype=object)
    of_exons = dict(iter(exons.groupby(["chrom", "strand"])))
    of_genes = dict(iter(genes.groupby(["chrom", "strand"])))
    for place, group in sites.groupby(["chrom", "strand"]):
        if place not in of_genes:
            continue
        gene, exon = of_genes[place], of_exons[place]
        begins = gene["start" if place[1] == "+" else "end"].set_axis(gene["gene"])
        for site, tss in group["tss"].items():
            distance = (begins - tss).abs()
            inside = exon["gene"][(exon["start"] <= tss) & (tss <= exon["end"])]
            candidates = distance[distance.index.isin(inside)] if len(inside) else distance[distance <= REACH]
            if len(candidates):
                assigned[site] = candidates.idxmin()
    return assigned


def build(upstream: pd.DataFrame, genes: pd.DataFrame, exons: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """The table, sorted by chromosome and start."""
    place = ["chrom", "strand", "tss"]
    upstream["transcripts"] = upstream.groupby(place)["transcript"].transform("size")
    sites = upstream.drop_duplicates(place).reset_index(drop=True)
    sites["gene"] = assign(sites, genes, exons)
    sites = sites[sites["gene"].isin(counts.index)]
    # Genes whose TSSs tie in transcripts take whichever NumPy's introsort of the reversed table leaves in front. That
    # is arbitrary, but the same with and without vector instructions, and it is how the table was first made: keep it.
    order = np.argsort(sites["transcripts"].to_numpy()[::-1], kind="quicksort")[::-1]
    chosen = sites[::-1].iloc[order].drop_duplicates("gene")
    chosen = chosen[~chosen["sequence"].str.contains("N")]

    start = np.where(chosen["strand"] == "+", chosen["tss"] - 1 - WINDOW, chosen["tss"])
    length = (exons["end"] - exons["start"] + 1).groupby(exons["gene"]).sum()[chosen["gene"]].to_numpy()
    rpkm = counts.loc[chosen["gene"]].to_numpy() * 1e9 / length[:, None] / counts.sum().to_numpy()
    table = pd.DataFrame(
        {
            "chrom": chosen["chrom"].to_numpy(),
            "start": start,
            "end": start + WINDOW,
            "strand": chosen["strand"].to_numpy(),
            "gene": chosen["gene"].to_numpy(),
            "transcript": chosen["transcript"].to_numpy(),
            "sequence": chosen["sequence"].str[-WINDOW:].to_numpy(),
        }
    )
    table[["rep1", "rep2", "rep3", "rep4"]] = np.log2(rpkm + FLOOR).round(4)
    return table.sort_values(["chrom", "start", "gene"], kind="stable")


if __name__ == "__main__":
    main()
