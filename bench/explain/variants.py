"""What a user's variants do to a model's prediction: the row with the other allele less the row as it is.

Two forms are read: a table with the columns ``id, pos, ref, alt`` (the row's name, the position in it from 1), and a
VCF, whose variants are looked up in the rows that cover them (chromosome and start of the task's table, forward
strand).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.explain.subject import Subject
from bench.files.tables import read_table
from bench.sequences import decode, encode

COLUMNS = ("id", "pos", "ref", "alt")
_BASES = set("ACGT")


@dataclass(frozen=True)
class Variant:
    """A variant in a row: its row's number in the task, position in it from 0, and alleles."""

    row: int
    at: int
    ref: str
    alt: str


@dataclass(frozen=True)
class VariantEffect:
    """``effect`` : mean over folds of the change of the prediction, in standard deviations of the model's predictions.
    ``low``, ``high`` : the least and the most of a fold's model."""

    variant: Variant
    effect: float
    low: float
    high: float


def read_variants(path: Path, subject: Subject) -> list[Variant]:
    """Variants of a file, each in every row of the task that holds it.

    Raises
    ------
    BenchError : naming the file's line: an unknown row, a position outside it, a reference allele that the row does not
        have, letters other than A C G T, an indel (the row would change its length), or no row that covers it.
    """
    if path.name.endswith((".vcf", ".vcf.gz")):
        return _of_vcf(path, subject)
    frame = read_table(path, missing=f"Give a table with the columns {', '.join(COLUMNS)}, or a VCF.").frame
    missing = [each for each in COLUMNS if each not in frame]
    if missing:
        raise BenchError(f"{path}: column {missing[0]!r} is missing. It needs {', '.join(COLUMNS)}.")
    rows = {str(name): i for i, name in enumerate(subject.task.row_id)}
    out = []
    for line, (name, pos, ref, alt) in enumerate(zip(*(frame[c].astype(str) for c in COLUMNS), strict=True), 1):
        where = f"{path}: row {line}"
        if name not in rows:
            raise BenchError(f"{where} has the id {name!r}, which {subject.task.card.name} does not have.")
        if not pos.strip().isdigit():
            raise BenchError(f"{where} has the position {pos!r}: give a whole number, from 1.")
        out.append(_checked(where, subject, Variant(rows[name], int(pos) - 1, ref.upper(), alt.upper())))
    if not out:
        raise BenchError(f"{path}: has no rows. Give one variant a row.")
    return out


def _of_vcf(path: Path, subject: Subject) -> list[Variant]:
    import gzip

    task = subject.task
    if not (task.position >= 0).any():
        raise BenchError(
            f"{path}: the rows of {task.card.name} have no positions: give a table of {', '.join(COLUMNS)}."
        )
    opened = gzip.open if path.name.endswith(".gz") else open
    start, stop = task.position, task.position + task.sequences.lengths
    out = []
    try:
        with opened(path, "rt", encoding="utf-8") as stream:
            lines = stream.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{path}: cannot be read ({error}).") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path}: line {number}"
        fields = line.split("\t")
        if len(fields) < 5 or not fields[1].isdigit():
            raise BenchError(f"{where} is no line of a VCF: it needs CHROM, POS, ID, REF, ALT, parted by tabs.")
        at = int(fields[1]) - 1
        rows = np.flatnonzero((task.chrom == fields[0]) & (task.position >= 0) & (start <= at) & (at < stop))
        if not len(rows):
            raise BenchError(f"{where}: no row of {task.card.name} covers {fields[0]}:{fields[1]}. Leave it out.")
        for alt in fields[4].upper().split(","):
            for row in rows:
                out.append(_checked(where, subject, Variant(int(row), at - int(start[row]), fields[3].upper(), alt)))
    if not out:
        raise BenchError(f"{path}: has no variants.")
    return out


def _checked(where: str, subject: Subject, variant: Variant) -> Variant:
    name, codes = str(subject.task.row_id[variant.row]), subject.task.sequences.codes(variant.row)
    if not (variant.ref and variant.alt) or not set(variant.ref + variant.alt) <= _BASES:
        raise BenchError(f"{where}: alleles must be letters A, C, G, T. Got {variant.ref!r} and {variant.alt!r}.")
    if len(variant.ref) != len(variant.alt):
        raise BenchError(
            f"{where}: {variant.ref}>{variant.alt} changes the length of the row. Give substitutions alone."
        )
    if not 0 <= variant.at <= len(codes) - len(variant.ref):
        raise BenchError(f"{where}: position {variant.at + 1} is not in row {name!r} of {len(codes)} bases.")
    there = decode(codes[variant.at : variant.at + len(variant.ref)])
    if there != variant.ref:
        raise BenchError(
            f"{where}: row {name!r} has {there} at position {variant.at + 1}, not {variant.ref}. Positions count from 1"
            " on the row as it stands in the table; of a row on the other strand give id, pos, ref, alt."
        )
    return variant


def variant_effects(subject: Subject, variants: list[Variant]) -> list[VariantEffect]:
    """Effects of variants by every fold's model: the mean over folds, and their range. A fold may have trained on the
    row: the difference of two alleles is asked for, not the row's own value."""
    assert subject.predictor is not None
    row = np.array([each.row for each in variants], np.int64)
    plain = [subject.task.sequences.codes(int(each)) for each in row]
    other = [_put(codes, each) for codes, each in zip(plain, variants, strict=True)]
    both = subject.predictor.predict(subject.sequences([*plain, *other], np.concatenate([row, row])))
    gap = (both[len(row) :].astype(np.float64) - both[: len(row)]) / subject.spread
    return [
        VariantEffect(each, float(mine.mean()), float(mine.min()), float(mine.max()))
        for each, mine in zip(variants, gap, strict=True)
    ]


def _put(codes: NDArray[np.uint8], variant: Variant) -> NDArray[np.uint8]:
    out = codes.copy()
    out[variant.at : variant.at + len(variant.alt)] = encode(variant.alt)
    return out


def write_effects(path: Path, subject: Subject, effects: dict[str, list[VariantEffect]]) -> None:
    """A table of the effects by model: id, pos (from 1), ref, alt, model, effect, low, high."""
    from bench.files.atomic import atomic, disk_errors

    lines = ["id\tpos\tref\talt\tmodel\teffect\tlow\thigh"]
    for model, found in effects.items():
        for each in found:
            v = each.variant
            name = str(subject.task.row_id[v.row])
            figures = "\t".join(f"{value:.5g}" for value in (each.effect, each.low, each.high))
            lines.append(f"{name}\t{v.at + 1}\t{v.ref}\t{v.alt}\t{model}\t{figures}")
    with disk_errors(path.parent), atomic(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
