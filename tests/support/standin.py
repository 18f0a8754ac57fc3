"""A stand-in of the SuRE 2017 counts file and its genome, with a known truth, of any size.

``python tests/support/standin.py FOLDER --rows 1000000 --bases 50000000`` writes what ``sure2017`` reads. The
columns, chromosomes, lengths, strands and shares of empty RNA counts are those of the published file; its reads a row
are higher (5.6 plasmid reads instead of 0.5), so that a tenth of the rows gives as many fragments of 10 reads.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.datasets.sure2017 import AUTOSOMES, COUNTS, GENOMES, LONGEST, PLACE, SUMMED
from bench.kernels.gc import gc_fraction
from bench.sequences import LETTERS, Sequences, encode

#: Lengths of hg19's chromosomes in megabases, for their share of the stand-in's genome.
MEGABASES = (249, 243, 198, 191, 181, 171, 159, 146, 141, 136, 135, 134, 115, 107, 103, 90, 81, 78, 59, 63, 48, 51)
SIZES = dict(zip((*AUTOSOMES, "chrX", "chrY"), (*MEGABASES, 155, 59), strict=True))
#: The five families of human isochores: mean GC and share of the genome (Costantini et al. 2006).
ISOCHORES = ((0.36, 0.19), (0.39, 0.37), (0.43, 0.31), (0.48, 0.11), (0.54, 0.02))
#: Bases of an isochore, and of the stretches within it whose GC differs by ``STRETCH_SD``.
ISOCHORE, STRETCH, STRETCH_SD = 100_000, 500, 0.05
#: The site that is written in, its own reverse complement and half GC, once in ``SITE_EVERY`` bases on average.
SITE, SITE_EVERY = "TGACGTCA", 2_000
#: Shares of rows without RNA, and mean reads of a row that has some, by biological replicate, as published.
EMPTY = {"rna1": 0.968, "rna2": 0.878}
READS = {"rna1": 37_770_653 / (153e6 * (1 - 0.968)), "rna2": 74_081_034 / (153e6 * (1 - 0.878))}
#: Plasmids of a fragment: Gamma(shape, scale), which with the depths of the replicates gives SuRE's empty shares.
PLASMIDS = (0.7, 8.0)
#: Bases that share the part of activity that is neither GC nor site, so that overlapping fragments are alike.
NOISE_BIN = 1_000
#: Rows made at a time.
BLOCK = 200_000


@dataclass(frozen=True)
class Truth:
    """What was simulated. Latent activity T = sqrt(gc) z(GC) + sqrt(motif) z(sites) + sqrt(1 - gc - motif) noise, with
    GC and sites standardised by ``gc_scale`` and ``site_scale`` (mean, standard deviation); RNA of replicate r is
    ``depth[r]`` molecules a plasmid times e^T."""

    gc: float
    motif: float
    gc_scale: tuple[float, float]
    site_scale: tuple[float, float]
    depth: dict[str, float]


@dataclass(frozen=True)
class StandIn:
    """Paths of what was written, and the truth. ``latent`` is a Parquet file with one row per row of the counts file:
    ``dna`` (plasmid reads, int64) and ``gc, sites, activity`` (float32)."""

    counts: Path
    genome: Path
    latent: Path
    truth: Truth


def write_standin(
    folder: Path, *, rows: int, bases: int, seed: int = 0, gc: float = 0.15, motif: float = 0.1, level: int = 1
) -> StandIn:
    """Write a stand-in under ``folder``, as a data folder is laid out. Memory holds the genome (a byte a base).

    Parameters
    ----------
    rows, bases : size of the counts file and of the genome.
    gc, motif : shares of the variance of latent activity.
    level : of gzip.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    rng = np.random.default_rng(np.random.SeedSequence([seed, rows, bases]))
    lengths = {chrom: max(int(bases * size / sum(SIZES.values())), 3 * LONGEST) for chrom, size in SIZES.items()}
    pieces = {chrom: random_chromosome(rng, length) for chrom, length in lengths.items()}
    genome = folder / GENOMES[0]
    genome.parent.mkdir(parents=True, exist_ok=True)
    write_fasta(genome, pieces)
    buffer = np.concatenate(list(pieces.values()))
    offset = dict(zip(pieces, np.cumsum([0, *lengths.values()]), strict=False))
    del pieces
    sites = occurrences(buffer, encode(SITE))
    track = rng.standard_normal(len(buffer) // NOISE_BIN + 1).astype(np.float32)
    shares = np.array(list(lengths.values())) / sum(lengths.values())
    each = dict(zip(lengths, rng.multinomial(rows, shares).tolist(), strict=True))

    # A first draw over the whole genome gives the scales and depths.
    probe = fragments_of(rng, len(buffer), min(max(rows, 20_000), BLOCK))
    measured = _measure(buffer, sites, *probe[:2])
    gc_scale, site_scale = (_scale(values) for values in measured)
    truth = Truth(gc, motif, gc_scale, site_scale, {})
    activity = _activity(truth, *measured, track, *probe[:2])
    for name, share in EMPTY.items():
        truth.depth[name] = _depth(rng.gamma(*PLASMIDS, len(activity)) * np.exp(activity), share)

    counts, latent = folder / COUNTS, folder / "sure2017" / "standin_truth.parquet"
    counts.parent.mkdir(parents=True, exist_ok=True)
    columns = [*PLACE, *(column for names in SUMMED.values() for column in names)]
    schema = pa.schema({"dna": pa.int64()} | {name: pa.float32() for name in ("gc", "sites", "activity")})
    options = csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
    with gzip.open(counts, "wb", compresslevel=level) as text, pq.ParquetWriter(latent, schema) as known:
        text.write(("\t".join(columns) + "\n").encode())
        for chrom, first, last in _blocks(each):
            start, end, reverse = fragments_of(rng, lengths[chrom], last - first)
            near, far = start + offset[chrom], end + offset[chrom]
            measured = _measure(buffer, sites, near, far)
            activity = _activity(truth, *measured, track, near, far)
            table = {"chr": np.full(len(start), chrom), "start": start, "end": end}
            table |= {"strand": np.where(reverse, "-", "+")} | _counts(rng, truth, activity)
            csv.write_csv(pa.table({name: table[name] for name in columns}), text, options)
            plasmids = sum(table[name] for name in SUMMED["dna"])
            known.write_table(pa.table([plasmids, *measured, activity], schema=schema))
    return StandIn(counts, genome, latent, truth)


# ---- the genome ------------------------------------------------------------------------------------------------------
def random_chromosome(rng: np.random.Generator, length: int) -> NDArray[np.uint8]:
    """Codes of a chromosome of isochores with sites after unknown bases, uint8 (length,)."""
    means, shares = np.array(ISOCHORES).T
    isochores = rng.choice(means, length // ISOCHORE + 1, p=shares)
    level = np.repeat(isochores, ISOCHORE // STRETCH)[: length // STRETCH + 1]
    level = np.clip(level + rng.normal(0, STRETCH_SD, len(level)), 0.2, 0.8).astype(np.float32)
    codes = np.empty(length, np.uint8)
    step = 2_000 * STRETCH
    for first in range(0, length, step):
        size = min(step, length - first)
        here = np.repeat(level[first // STRETCH :][: step // STRETCH], STRETCH)[:size]
        strong = rng.random(size, np.float32) < here
        # C G = 1 2, A T = 0 3: one bit says strong or weak, another which of the two.
        which = rng.integers(0, 2, size, np.uint8)
        codes[first : first + size] = np.where(strong, 1 + which, 3 * which)
    site = encode(SITE)
    places = rng.integers(0, length - len(site), length // SITE_EVERY)
    codes[places[:, None] + np.arange(len(site))] = site
    codes[: telomere(length)] = 4
    return codes


def telomere(length: int) -> int:
    """Unknown bases at the beginning of a chromosome."""
    return min(10_000, length // 100)


def write_fasta(path: Path, chromosomes: dict[str, NDArray[np.uint8]], width: int = 60) -> None:
    """A FASTA of codes, in lines of ``width`` bases."""
    with path.open("wb") as out:
        for name, codes in chromosomes.items():
            out.write(f">{name}\n".encode())
            whole = len(codes) // width * width
            lines = np.full((len(codes) // width, width + 1), ord("\n"), np.uint8)
            lines[:, :width] = LETTERS[codes[:whole]].reshape(-1, width)
            out.write(lines.tobytes())
            if whole < len(codes):
                out.write(LETTERS[codes[whole:]].tobytes() + b"\n")


def occurrences(buffer: NDArray[np.uint8], word: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where a word starts in a buffer, written in or by chance, int64 ascending."""
    found = []
    step = 10_000_000
    for first in range(0, len(buffer) - len(word) + 1, step):
        last = min(first + step, len(buffer) - len(word) + 1)
        here = np.arange(first, last)
        for i, base in enumerate(word):
            here = here[buffer[here + i] == base]
        found.append(here)
    return np.concatenate(found) if found else np.zeros(0, np.int64)


# ---- the fragments ---------------------------------------------------------------------------------------------------
def _blocks(each: dict[str, int]) -> Iterator[tuple[str, int, int]]:
    for chrom, rows in each.items():
        for first in range(0, rows, BLOCK):
            yield chrom, first, min(first + BLOCK, rows)


def fragments_of(rng: np.random.Generator, length: int, rows: int) -> tuple[NDArray[Any], ...]:
    """start, end (int64, sorted by start), reverse: lengths as SuRE's size selection leaves them, 0.2-2 kb."""
    size = np.clip(rng.lognormal(np.log(600), 0.6, rows), 150, LONGEST).astype(np.int64)
    first = telomere(length)
    start = np.sort((first + rng.random(rows) * (length - LONGEST - first)).astype(np.int64))
    return start, start + size, rng.random(rows) < 0.5


def _measure(
    buffer: NDArray[np.uint8], sites: NDArray[np.int64], near: NDArray[np.int64], far: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """GC content and sites that lie wholly within, float32."""
    gc = gc_fraction(Sequences.from_intervals(buffer, near, far))
    within = np.searchsorted(sites, far - len(SITE), "right") - np.searchsorted(sites, near, "left")
    return gc, within.astype(np.float32)


def _scale(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))


def _activity(
    truth: Truth,
    gc: NDArray[np.float32],
    sites: NDArray[np.float32],
    track: NDArray[np.float32],
    near: NDArray[np.int64],
    far: NDArray[np.int64],
) -> NDArray[np.float32]:
    z_gc = (gc - truth.gc_scale[0]) / truth.gc_scale[1]
    z_sites = (sites - truth.site_scale[0]) / truth.site_scale[1]
    noise = track[(near + far) // (2 * NOISE_BIN)]
    rest = max(1 - truth.gc - truth.motif, 0.0)
    return (np.sqrt(truth.gc) * z_gc + np.sqrt(truth.motif) * z_sites + np.sqrt(rest) * noise).astype(np.float32)


def _depth(plasmids: NDArray[np.float64], empty: float) -> float:
    """Molecules a plasmid at which so large a share of fragments has none, by bisection on e^-(depth x plasmids)."""
    low, high = -20.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.exp(-np.exp(middle) * plasmids).mean() > empty:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def _counts(rng: np.random.Generator, truth: Truth, activity: NDArray[np.float32]) -> dict[str, NDArray[np.int64]]:
    """Every count column. A molecule is read 1 + geometric times; reads fall on PCR replicates at random."""
    plasmids = rng.gamma(*PLASMIDS, len(activity))
    summed = {"dna": rng.poisson(plasmids), "ipcr": 1 + rng.poisson(plasmids)}
    for name, mean in READS.items():
        molecules = rng.poisson(truth.depth[name] * plasmids * np.exp(activity))
        reads, some = molecules.copy(), molecules > 0
        reads[some] += rng.negative_binomial(molecules[some], 1 / mean)
        summed[name] = reads
    out: dict[str, NDArray[np.int64]] = {}
    for name, columns in SUMMED.items():
        left = summed[name]
        for place, column in enumerate(columns):
            last = place == len(columns) - 1
            out[column] = left if last else rng.binomial(left, 1 / (len(columns) - place))
            left = left - out[column]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a stand-in of the SuRE 2017 counts file and its genome.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--bases", type=int, default=50_000_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(write_standin(given.folder, rows=given.rows, bases=given.bases, seed=given.seed))


if __name__ == "__main__":
    main()
