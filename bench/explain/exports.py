"""What was found in the forms that other programs read: motifs as MEME, sites as BED, contributions on the genome as
bedGraph, and arrays for TF-MoDISco."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.explain.mutated import Maps
from bench.explain.record import PlantedMotifs
from bench.explain.subject import Subject
from bench.motifs.motif import Motif

#: A window is a hit from this share of its motif's highest score on.
HIT = 0.8
#: Pseudo-counts of a position.
PSEUDO = 1.0


def found_motifs(subject: Subject, planted: PlantedMotifs) -> list[Motif]:
    """Motifs of the families that the model answers to, the first of each."""
    by_title = {motif.title: motif for motif in subject.motifs}
    return [by_title[family.motif] for family in planted.families if family.motif in by_title]


def exports(subject: Subject, maps: Maps | None, planted: PlantedMotifs | None) -> dict[str, Callable[[Path], None]]:
    """What writes each file that there is something for."""
    out: dict[str, Callable[[Path], None]] = {}
    motifs = [] if planted is None else found_motifs(subject, planted)
    if motifs:
        out["motifs.meme"] = partial(write_meme, motifs=motifs)
    if maps is None:
        return out
    out["attributions-modisco.npz"] = partial(write_modisco, maps=maps)
    if motifs:
        out["hits.bed"] = partial(write_hits, subject=subject, maps=maps, motifs=motifs)
    if (subject.task.position[subject.row[maps.place]] >= 0).any():
        out["attributions-genome.bedgraph"] = partial(write_genome, subject=subject, maps=maps)
    return out


def write_meme(path: Path, motifs: Sequence[Motif]) -> None:
    """Motifs as a MEME file: frequencies with pseudo-counts, and counts as ``nsites``."""
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", "A 0.25 C 0.25 G 0.25 T 0.25", ""]
    for motif in motifs:
        size = motif.counts.sum(axis=1, keepdims=True)
        shares = (motif.counts + PSEUDO / 4) / (size + PSEUDO)
        lines.append(f"MOTIF {motif.id} {motif.name}".rstrip())
        lines.append(
            f"letter-probability matrix: alength= 4 w= {len(motif)} nsites= {max(round(float(size.max())), 1)} E= 0"
        )
        lines += [" ".join(f"{value:.6f}" for value in row) for row in shares]
        lines.append("")
    path.write_text("\n".join(lines), encoding="utf-8")


def contributions(maps: Maps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bases and hypothetical contributions as TF-MoDISco takes them, float32 (rows, width, 4) both: one-hot, and the
    map less its mean over the four bases of each position; zeros beyond a row's end."""
    width = max(map(len, maps.codes))
    hot = np.zeros((len(maps.codes), width, 4), np.float32)
    score = np.zeros_like(hot)
    for i, (codes, delta) in enumerate(zip(maps.codes, maps.delta, strict=True)):
        hot[i, : len(codes)] = codes[:, None] == np.arange(4)
        score[i, : len(codes)] = delta - delta.mean(axis=1, keepdims=True)
    return hot, score


def write_modisco(path: Path, maps: Maps) -> None:
    """``sequences`` and ``contributions`` of ``contributions``, for other programs."""
    hot, score = contributions(maps)
    with path.open("wb") as stream:
        np.savez_compressed(stream, sequences=hot, contributions=score)


@dataclass(frozen=True)
class _Place:
    """Where a row lies: ``where`` and ``start`` on the genome (``reverse``: minus strand), or its name and 0."""

    where: str
    start: int
    reverse: bool
    name: str

    @classmethod
    def of(cls, subject: Subject, place: int) -> _Place:
        task, row = subject.task, int(subject.row[place])
        name, start = "_".join(str(task.row_id[row]).split()), int(task.position[row])
        if start < 0:
            return cls(name, 0, False, name)
        return cls(str(task.chrom[row]), start, task.reverse is not None and bool(task.reverse[row]), name)

    def first(self, at: int, width: int, length: int) -> int:
        """Where some bases of a row begin, those from ``at`` on."""
        return self.start + (length - at - width if self.reverse else at)


def write_hits(path: Path, subject: Subject, maps: Maps, motifs: Sequence[Motif]) -> None:
    """Windows that reach ``HIT`` of a motif's highest score in the rows whose bases were changed, as BED: where, the
    motif and the row, 1,000 times the share of the highest score, strand, and in a seventh column the sum of what its
    bases do. In genome coordinates for rows that have a place on it, else from the row's start."""
    lines: list[tuple[str, int, str]] = []
    for place, codes, contribution in zip(maps.place, maps.codes, maps.contributions(), strict=True):
        there = _Place.of(subject, int(place))
        for motif in motifs:
            label = f"{'_'.join(motif.title.split())}|{there.name}"
            for at, share, strand in _hits(codes, motif.log_odds()):
                does = float(contribution[at : at + len(motif)].sum())
                first = there.first(at, len(motif), len(codes))
                side = strand if not there.reverse else {"+": "-", "-": "+"}[strand]
                span = f"{there.where}\t{first}\t{first + len(motif)}"
                lines.append((there.where, first, f"{span}\t{label}\t{round(1000 * share)}\t{side}\t{does:.5g}"))
    lines.sort(key=lambda each: each[:2])
    path.write_text("".join(f"{said}\n" for *_, said in lines), encoding="utf-8")


def _hits(codes: NDArray[np.uint8], odds: NDArray[np.float64]) -> Iterator[tuple[int, float, str]]:
    """(first base, share of the highest score, strand) of each hit."""
    k = len(odds)
    if len(codes) < k:
        return
    highest = float(odds.max(axis=1).sum())
    windows = np.lib.stride_tricks.sliding_window_view(codes, k)
    for strand, read in (("+", odds), ("-", odds[::-1, ::-1])):
        wide = np.concatenate([read, np.full((k, 1), -1e4)], axis=1)
        score = wide[np.arange(k), windows].sum(axis=1)
        for at in np.flatnonzero(score >= HIT * highest):
            yield int(at), min(float(score[at]) / highest, 1.0), strand


def write_genome(path: Path, subject: Subject, maps: Maps) -> None:
    """Contributions of rows that have a place on the genome as bedGraph, sorted; the mean where rows overlap. A row on
    the minus strand is laid down the other way round."""
    total: dict[str, dict[int, tuple[float, int]]] = {}
    for place, contribution in zip(maps.place, maps.contributions(), strict=True):
        if int(subject.task.position[subject.row[place]]) < 0:
            continue
        there = _Place.of(subject, int(place))
        mine = total.setdefault(there.where, {})
        for i, value in enumerate(contribution):
            at = there.first(i, 1, len(contribution))
            before, count = mine.get(at, (0.0, 0))
            mine[at] = before + float(value), count + 1
    with path.open("w", encoding="utf-8") as stream:
        stream.write('track type=bedGraph name="contribution"\n')
        for where in sorted(total):
            for at in sorted(total[where]):
                value, count = total[where][at]
                stream.write(f"{where}\t{at}\t{at + 1}\t{value / count:.5g}\n")
