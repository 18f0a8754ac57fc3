"""Intervals of a genome: whole chromosomes read once from a FASTA, rows as positions in them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.files.folders import cache_folder
from bench.sequences import Sequences, encode

#: Bases from which codes are kept in the cache folder: these take 5 s to read and encode, a human genome a minute.
MAPPED = 200_000_000
#: Bytes that may stand in a sequence.
_LETTER = np.zeros(256, np.bool_)
_LETTER[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*-")] = True


def cut(
    fasta: Path,
    chrom: NDArray[Any],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    reverse: NDArray[np.bool_],
    *,
    names: NDArray[Any],
    source: str,
    covariates: Mapping[str, NDArray[np.float64]] | None = None,
    circular: bool = False,
) -> Sequences:
    """Sequences of intervals (0-based half-open) on the chromosomes of a FASTA, plain or bgzipped.

    The buffer holds the chromosomes that are used, each once, in order of first use; no base is copied per row. From
    ``MAPPED`` bases on it is a file in the cache folder, memory-mapped, which other processes and runs share.

    Parameters
    ----------
    names : what messages call the rows, str (n,).
    source : what messages call the table.
    circular : intervals may begin below 0 or end beyond the last base, and run over the origin.

    Raises
    ------
    BenchError : for an unreadable FASTA, a chromosome it does not have, an interval off its end. Names the row.
    """
    labels, first, code = np.unique(chrom, return_index=True, return_inverse=True)
    order = np.argsort(first)
    genome = _open(fasta)
    try:
        offset = np.zeros(len(labels), np.int64)
        total = 0
        tails: dict[str, int] = {}  # bases from the origin that follow the last one again
        start, end = start.copy(), end.copy()
        for each in order:
            label = str(labels[each])
            if label not in genome:
                raise BenchError(_unknown(label, list(genome.keys()), str(names[first[each]]), fasta, source))
            rows = np.flatnonzero(code == each)
            length = len(genome[label])
            if circular:
                span = end[rows] - start[rows]
                fits = (span > 0) & (span <= length)
                start[rows] = np.where(fits, start[rows] % length, start[rows])
                end[rows] = np.where(fits, start[rows] + span, end[rows])
                tails[label] = int(np.maximum(end[rows][fits] - length, 0).max(initial=0))
            length += tails.get(label, 0)
            wrong = (start[rows] < 0) | (end[rows] > length) | (end[rows] <= start[rows])
            if wrong.any():
                row = rows[np.argmax(wrong)]
                raise BenchError(
                    f"{source}: row {str(names[row])!r}: {label}:{start[row]}-{end[row]} does not lie on {label}, which"
                    f" has {len(genome[label]):,} bases in {fasta}. Is it the right genome build, and is start 0-based?"
                )
            offset[each] = total
            total += length
        buffer = _encoded(genome, [str(labels[each]) for each in order], tails, total, fasta)
    finally:
        genome.close()
    shift = offset[code]
    return Sequences.from_intervals(buffer, start + shift, end + shift, reverse, covariates)


def chromosome_lengths(fasta: Path) -> dict[str, int]:
    """Bases of every record of a FASTA. Errors as for ``cut``."""
    genome = _open(fasta)
    try:
        return {str(name): len(genome[name]) for name in genome.keys()}  # noqa: SIM118
    finally:
        genome.close()


def _encoded(genome: Any, labels: list[str], tails: Mapping[str, int], total: int, fasta: Path) -> NDArray[np.uint8]:
    """Codes of chromosomes end to end, uint8 (total,): memory-mapped from the cache folder where they are many."""
    if total >= MAPPED:
        status = fasta.stat()
        said = repr((str(fasta.resolve()), status.st_size, status.st_mtime_ns, labels, *sorted(tails.items())))
        place = cache_folder() / "genomes" / f"{hashlib.sha256(said.encode()).hexdigest()[:24]}.codes"
        temporary = place.with_suffix(f".{os.getpid()}.tmp")
        try:
            if not (place.is_file() and place.stat().st_size == total):
                place.parent.mkdir(parents=True, exist_ok=True)
                with temporary.open("wb") as out:
                    for label in labels:
                        codes = _codes(genome, label, fasta)
                        out.write(codes.data)
                        out.write(codes[: tails.get(label, 0)].data)
                os.replace(temporary, place)
            return np.memmap(place, np.uint8, "r")
        except OSError:
            with contextlib.suppress(OSError):  # no space, or no cache folder: hold it in memory
                temporary.unlink(missing_ok=True)
    buffer = np.empty(total, np.uint8)
    first = 0
    for label in labels:
        codes = _codes(genome, label, fasta)
        for piece in (codes, codes[: tails.get(label, 0)]):
            buffer[first : first + len(piece)] = piece
            first += len(piece)
    return buffer


def _codes(genome: Any, label: str, fasta: Path) -> NDArray[np.uint8]:
    """Codes of one chromosome, uint8. What the index promises must be there, and be letters: the index of another FASTA
    would otherwise give other bases in silence."""
    try:
        raw = np.frombuffer(genome[label][:].encode("latin-1", "replace"), np.uint8)
        good = len(raw) == len(genome[label]) and bool(_LETTER[raw].all())
    except (OSError, ValueError, LookupError):
        good = False
    if not good:
        raise BenchError(
            f"{fasta}: {label!r} is not what the index {fasta}.fai says, or has something other than letters in it."
            " Delete the index, it is made again; if that does not help, check the FASTA."
        )
    return encode(raw.tobytes())


def _open(fasta: Path) -> Any:
    """A pyfaidx reader whose records are plain strings. The index is built next to the FASTA when missing, or in a
    temporary place where that folder is read-only."""
    import pyfaidx

    if not fasta.is_file():
        raise BenchError(f"{fasta}: no such FASTA. Paths in a task file are relative to the file.")
    index = Path(f"{fasta}.fai")
    options: dict[str, Any] = {"as_raw": True, "sequence_always_upper": False}
    if not index.exists() and not os.access(fasta.parent, os.W_OK):
        folder = Path(tempfile.mkdtemp(prefix="bench-fai-"))
        options |= {"indexname": str(folder / index.name)}
    try:
        return pyfaidx.Fasta(str(fasta), **options)
    except (pyfaidx.FastaIndexingError, pyfaidx.UnsupportedCompressionFormat, OSError, ValueError) as error:
        raise BenchError(
            f"{fasta}: not a readable FASTA: {error}. It must be plain or bgzipped (not gzipped)."
        ) from None


def _unknown(label: str, there: list[str], name: str, fasta: Path, source: str) -> str:
    other = label.removeprefix("chr") if label.startswith("chr") else f"chr{label}"
    fix = f" The FASTA calls it {other!r}: rename one." if other in there else nearest(label, there[:200])
    return f"{source}: row {name!r}: chromosome {label!r} is not in {fasta}.{fix}"
