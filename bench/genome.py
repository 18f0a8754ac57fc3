"""Intervals of a genome: whole chromosomes read once from a FASTA, rows as positions in them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.sequences import Sequences, encode


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
) -> Sequences:
    """Sequences of intervals (0-based half-open) on the chromosomes of a FASTA, plain or bgzipped.

    The buffer holds the chromosomes that are used, each once, in order of first use; no base is copied per row.

    Parameters
    ----------
    names : what messages call the rows, str (n,).
    source : what messages call the table.

    Raises
    ------
    BenchError : for an unreadable FASTA, a chromosome it does not have, an interval off its end. Names the row.
    """
    labels, first, code = np.unique(chrom, return_index=True, return_inverse=True)
    order = np.argsort(first)
    genome = _open(fasta)
    try:
        pieces: list[NDArray[np.uint8]] = []
        offset = np.zeros(len(labels), np.int64)
        total = 0
        for each in order:
            label = str(labels[each])
            if label not in genome:
                raise BenchError(_unknown(label, list(genome.keys()), str(names[first[each]]), fasta, source))
            rows = np.flatnonzero(code == each)
            length = len(genome[label])
            wrong = (start[rows] < 0) | (end[rows] > length) | (end[rows] <= start[rows])
            if wrong.any():
                row = rows[np.argmax(wrong)]
                raise BenchError(
                    f"{source}: row {str(names[row])!r}: {label}:{start[row]}-{end[row]} does not lie on {label}, which"
                    f" has {length:,} bases in {fasta}. Is it the right genome build, and is start 0-based?"
                )
            pieces.append(encode(genome[label][:]))
            offset[each] = total
            total += length
    finally:
        genome.close()
    buffer = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    shift = offset[code]
    return Sequences.from_intervals(buffer, start + shift, end + shift, reverse, covariates)


def _open(fasta: Path) -> Any:
    """A pyfaidx reader whose records are plain strings. The index is built beside the FASTA when missing, or in a
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
    mend = f" The FASTA calls it {other!r}: rename one." if other in there else nearest(label, there[:200])
    return f"{source}: row {name!r}: chromosome {label!r} is not in {fasta}.{mend}"
