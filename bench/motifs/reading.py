"""Motif files: MEME, JASPAR and HOCOMOCO.

====================  ==================================================================================================
MEME                  begins with ``MEME version``; ``MOTIF id name``, ``letter-probability matrix: w= 8 nsites= 40``,
                      one line per position. Counts are probabilities times nsites (20 where it is not given, as in the
                      MEME suite).
JASPAR                ``>ID name``, then ``A [ 1 2 3 ]`` and so on for C, G, T; or four lines of numbers alone.
HOCOMOCO              ``>ID``, then one line per position with the counts of A C G T.
====================  ==================================================================================================

Positions that sum to 1 are shares, not counts; they are taken as 20 sites too. Scores (negative values) are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.files.reading import open_text, readable
from bench.motifs.motif import Motif

#: Sites of a motif whose file gives shares and no number of sites: the default of the MEME suite.
SITES = 20.0
_RELATIVE = "Paths are relative to the working folder."
#: Line numbers from 1, with the line's text.
Lines = list[tuple[int, str]]


def read_motifs(path: Path) -> list[Motif]:
    """Every motif of a file, in its order; gzipped where its name ends in ``.gz``.

    Raises
    ------
    BenchError : for a missing file, another format, a position that is not four counts, an ID that comes twice.
    """
    with readable(path, "motif file", missing=_RELATIVE):
        with open_text(path) as stream:
            numbered = [(number, line.strip()) for number, line in enumerate(stream, 1)]
        lines = [(number, line) for number, line in numbered if line and not line.startswith("#")]
        if not lines:
            raise BenchError(f"{path}: holds no motif. Give a MEME, JASPAR or HOCOMOCO file.")
        if lines[0][1].startswith("MEME version"):
            motifs = list(_meme(path, numbered))
        elif lines[0][1].startswith(">"):
            motifs = list(_headed(path, lines))
        else:
            raise BenchError(
                f"{path}: line {lines[0][0]}: a motif file must begin with 'MEME version' or with '>' and the motif's"
                f" ID (JASPAR, HOCOMOCO). Got {lines[0][1][:40]!r}."
            )
        if not motifs:
            raise BenchError(f"{path}: holds no motif. Each needs a line 'letter-probability matrix:' and its rows.")
    seen: set[str] = set()
    for motif in motifs:
        if motif.title in seen:
            raise BenchError(f"{path}: the motif {motif.title!r} comes twice. Rename or remove one.")
        seen.add(motif.title)
    return motifs


def _meme(path: Path, lines: Lines) -> Iterator[Motif]:
    """Motifs of a MEME file, minimal or the program's full text output."""
    name, at = ("", ""), 0
    while at < len(lines):
        number, line = lines[at]
        at += 1
        words = line.split()
        if line.startswith("ALPHABET") and "=" in line:
            letters = line.partition("=")[2].strip().upper()
            if letters not in ("ACGT", "ACGU"):
                raise BenchError(f"{path}: line {number}: the alphabet must be ACGT. Got {letters[:30]!r}.")
        elif words[:1] == ["MOTIF"] and len(words) > 1:
            name = (words[1], words[2] if len(words) > 2 and words[2] != "width" else "")
        elif line.startswith("letter-probability matrix"):
            if not name[0]:
                raise BenchError(f"{path}: line {number}: a matrix without a line 'MOTIF id name' before it.")
            rows: Lines = []
            while at < len(lines) and _numbers(lines[at][1]) is not None:
                rows.append(lines[at])
                at += 1
            said = dict(re.findall(r"(\w+)\s*=\s*(\S+)", line))
            yield Motif(*name, _sited(_matrix(path, name[0], number, rows), _sites(path, number, said), said, path))
            name = ("", "")


def _sites(path: Path, number: int, said: dict[str, str]) -> float:
    sites = _numbers(said.get("nsites", "0"))
    if sites is None or sites[0] < 0:
        raise BenchError(f"{path}: line {number}: nsites must be a number. Got {said['nsites']!r}.")
    return sites[0] or SITES


def _sited(shares: NDArray[np.float64], sites: float, said: dict[str, str], path: Path) -> NDArray[np.float64]:
    """Counts from the shares of a MEME matrix."""
    if said.get("w", str(len(shares))) != str(len(shares)):
        raise BenchError(f"{path}: a matrix with w= {said['w']} has {len(shares)} rows. Check the file.")
    if (abs(shares.sum(axis=1) - 1) > 0.05).any():
        raise BenchError(f"{path}: every row of a letter-probability matrix must sum to 1. Check the file.")
    return shares / shares.sum(axis=1, keepdims=True) * sites


def _headed(path: Path, lines: Lines) -> Iterator[Motif]:
    """Motifs of a file in which each begins with ``>``."""
    starts = [at for at, (_, line) in enumerate(lines) if line.startswith(">")]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        number, line = lines[start]
        # ID, name, family and class between tabs; the last may be empty. Names reach tables: no tab in them.
        fields = line[1:].split("\t", 3) if line.count("\t") > 1 else line[1:].split(maxsplit=1)
        fields = [" ".join(field.split()) for field in fields]
        if not fields or not fields[0]:
            raise BenchError(f"{path}: line {number}: a motif needs an ID behind '>'.")
        counts = _counts(path, fields[0], number, lines[start + 1 : stop])
        if (abs(counts.sum(axis=1) - 1) < 1e-2).all():
            counts = counts * SITES
        yield Motif(fields[0], fields[1] if len(fields) > 1 else "", counts, *fields[2:])


def _counts(path: Path, motif: str, number: int, rows: Lines) -> NDArray[np.float64]:
    """Counts of one motif, from lines by base (JASPAR) or by position (HOCOMOCO)."""
    if [line[:1].upper().replace("U", "T") for _, line in rows] == list("ACGT"):
        by_base = [_numbers(line[1:].strip(" \t[]:|")) for _, line in rows]
        if None in by_base or len({len(base or ()) for base in by_base}) != 1:
            raise BenchError(
                f"{path}: line {number}: the rows A C G T of {motif!r} must be equally many numbers. Check the file."
            )
        rows = [(number, " ".join(map(repr, counts))) for counts in zip(*by_base, strict=True)]
    elif len(rows) == 4:
        values = [_numbers(line) for _, line in rows]
        if all(value is not None and len(value) == 4 for value in values):
            raise BenchError(
                f"{path}: line {number}: four rows of four numbers of {motif!r} may be by base or by position. Put"
                " A, C, G, T before rows by base."
            )
        if all(value is not None and len(value) == len(values[0] or ()) for value in values):
            rows = [(number, " ".join(map(repr, counts))) for counts in zip(*values, strict=True)]
    return _matrix(path, motif, number, rows)


def _matrix(path: Path, motif: str, number: int, rows: Lines) -> NDArray[np.float64]:
    """Rows by position as float64 (length, 4), checked."""
    if not rows:
        raise BenchError(f"{path}: line {number}: the motif {motif!r} has no position. Check the file.")
    matrix = []
    for at, line in rows:
        values = _numbers(line)
        if values is None or len(values) != 4:
            raise BenchError(f"{path}: line {at}: a position of {motif!r} must be four numbers. Got {line[:40]!r}.")
        if min(values) < 0:
            raise BenchError(
                f"{path}: line {at}: {motif!r} has negative values: these are scores. Give the file of counts"
                " (HOCOMOCO: pcm) or of shares."
            )
        if not sum(values) > 0:
            raise BenchError(f"{path}: line {at}: a position of {motif!r} has no count. Remove or complete it.")
        matrix.append(values)
    return np.array(matrix, np.float64)


def _numbers(text: str) -> list[float] | None:
    """The finite numbers of a line; None where it holds none or something else."""
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        return None
    return values if values and all(map(math.isfinite, values)) else None
