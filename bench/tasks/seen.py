"""Rows of one task that models of another have seen: the same or nearly the same bases, places or loci."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from bench.sequences import Sequences
from bench.tasks.chromosomes import NO_CHROMOSOME, UNPLACED, alike_names
from bench.tasks.duplicates import NEAR, K, constant_kmers, digests
from bench.tasks.loci import overlapping
from bench.tasks.task import TRAIN, VALID, Folds, Task

#: What a card says of rows of no genome, besides ``NO_CHROMOSOME``.
_NO_GENOME = ("unknown", "synthetic", "simulated", "random", "designed")
#: Names of one assembly (lower case), as the Genome Reference Consortium and as UCSC call it.
_ASSEMBLIES = {
    "grch38": "hg38",
    "grch37": "hg19",
    "ncbi36": "hg18",
    "grcm39": "mm39",
    "grcm38": "mm10",
    "ncbim37": "mm9",
    "bdgp6": "dm6",
    "bdgp5": "dm3",
}


def seen_rows(task: Task, source: Task, folds: Folds, whole: Task | None = None) -> NDArray[np.bool_]:
    """Which rows of a task the model of each fold of another has seen, bool (rows, folds): where a training or
    validation row of the fold

    * is the same sequence or holds half of its 12-mers (``tasks.duplicates``), on either strand;
    * overlaps it, or is joined to it through rows that overlap, where both tasks are of one genome;
    * shares its locus in ``whole``, a task that both are rows of.
    """
    part = (folds.part == TRAIN) | (folds.part == VALID)
    seen = _same_bases(task.sequences, source.sequences, part)
    shared = [codes for codes in (_by_place(task, source), _by_locus(task, source, whole)) if codes is not None]
    for mine, theirs in shared:
        for fold, rows in enumerate(part):
            seen[:, fold] |= (mine >= 0) & np.isin(mine, theirs[rows])
    return seen


def _same_bases(sequences: Sequences, source: Sequences, part: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from bench.kernels.shared_kmers import different_kmers, index_kmers, search_shared

    n = len(sequences)
    forward, _ = digests(source)
    mine = digests(sequences)
    seen = np.zeros((n, len(part)), np.bool_)
    for fold, rows in enumerate(part):
        for strand in mine:
            seen[:, fold] |= np.isin(strand, forward[rows])
    both = _side_by_side(sequences, source)
    passed = constant_kmers(both)
    one = np.ones(len(both), np.uint64)

    def near(rows: NDArray[np.int64], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        found = np.zeros(len(rows), np.bool_)
        if len(rows) and among.any():
            index = index_kmers(both, n + np.flatnonzero(among), K, passed)
            search_shared(both, index, rows, one, one, NEAR, found, passed)
        return found

    # most rows are near to none: one search over all tells which are worth one for each fold
    rows = np.flatnonzero((different_kmers(both, K, passed)[:n] > 0) & ~seen.all(axis=1))
    rows = rows[near(rows, np.asarray(part.any(axis=0)))]
    for fold, among in enumerate(part):
        open_ = rows[~seen[rows, fold]]
        seen[open_, fold] = near(open_, among)
    return seen


def _side_by_side(first: Sequences, second: Sequences) -> Sequences:
    """The rows of both in one buffer, as they are read."""
    pieces = [each.codes(row) for each in (first, second) for row in range(len(each))]
    stop = np.cumsum([len(piece) for piece in pieces]).astype(np.int64)
    return Sequences.from_intervals(np.concatenate(pieces), np.concatenate([[0], stop[:-1]]), stop)


def assembly(genome: str) -> str:
    """One name for an assembly that is called by several (GRCh38.p14 and hg38), in lower case; "" where a card says
    that there is none: coordinates of no genome are of no common one."""
    name = genome.strip().casefold()
    if name in NO_CHROMOSOME or name in _NO_GENOME:
        return ""
    bare = re.sub(r"\.p\d+$", "", name)
    return _ASSEMBLIES.get(bare, bare)


def _by_place(task: Task, source: Task) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Blocks of overlapping rows of both, -1 where a row has no place; None where they are not of one genome."""
    genome = assembly(task.card.genome)
    if not genome or genome != assembly(source.card.genome):
        return None
    written = np.concatenate([task.chrom, source.chrom])
    names, codes = np.unique(written, return_inverse=True)
    alike = alike_names(names.tolist())  # one table may write 8, the other chr8
    chrom = np.array([alike[name] for name in names.tolist()])[codes]
    start = np.concatenate([task.position, source.position])
    end = start + np.concatenate([task.sequences.lengths, source.sequences.lengths])
    placed = (start >= 0) & (chrom != UNPLACED)
    code = np.full(len(chrom), -1, np.int64)
    code[placed] = overlapping(chrom[placed], start[placed], end[placed])
    return code[: len(task)], code[len(task) :]


def _by_locus(task: Task, source: Task, whole: Task | None) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    if whole is None:
        return None
    locus = dict(zip(whole.row_id.tolist(), whole.locus.tolist(), strict=True))
    mine, theirs = (np.array([locus.get(row, -1) for row in each.row_id.tolist()], np.int64) for each in (task, source))
    return mine, theirs
