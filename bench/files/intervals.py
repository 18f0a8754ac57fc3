"""Intervals of an annotation: BED, narrowPeak, GTF and GFF files, each line checked, all 0-based and half-open."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError, nearest
from bench.files.reading import open_text, readable
from bench.files.tables import BED_COLUMNS, NARROW_PEAK_COLUMNS, kind_of

_BED = re.compile(r"bed\d{0,2}")
#: Columns of the kinds of BED files by position; those beyond are called column7, column8 ...
_PEAKS = {"narrowpeak": NARROW_PEAK_COLUMNS, "broadpeak": NARROW_PEAK_COLUMNS[:-1]}
_GTF = ("gtf", "gff", "gff2", "gff3")
GTF_COLUMNS = ("chrom", "source", "feature", "start", "end", "score", "strand", "frame")
#: Largest position on a chromosome that is believed.
_FARTHEST = 2**40
_STRANDS = {"+": 1, "-": -1, ".": 0, "": 0, "?": 0}
#: Lines of a GTF whose attributes are named where one that is asked for is in none.
_LOOK = 200
_ATTRIBUTE = re.compile(r"(?:^|;)\s*([^\s=;]+)")


@dataclass(frozen=True, eq=False)
class Intervals:
    """m intervals in the order of their file, 0-based and half-open.

    path : of the file. chrom : names of chromosomes as the file writes them, str (m,). start, end : int64 (m,).
    strand : int8 (m,), 1, -1, or 0 where there is none. line : number in the file, from 1, int64 (m,).
    fields : the columns or attributes that were asked for, str (m,), "" where a line has none.
    """

    path: Path
    chrom: NDArray[Any]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    strand: NDArray[np.int8]
    line: NDArray[np.int64]
    fields: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.start)

    def keep(self, mask: NDArray[Any]) -> Intervals:
        """The intervals where ``mask``, bool (m,), is true; or those of numbers, int (k,), in their order."""
        arrays = {name: getattr(self, name)[mask] for name in ("chrom", "start", "end", "strand", "line")}
        return replace(self, **arrays, fields={name: values[mask] for name, values in self.fields.items()})

    def around_starts(self, first: int, last: int) -> Intervals:
        """Windows around the start sites: the bases ``first`` ... ``last - 1`` counted along the strand from the start
        site, which is 0. ``around_starts(-700, 200)`` are the 700 bases before it and 200 from it on. What would lie
        before the chromosome is cut off.

        Raises
        ------
        BenchError : for an interval without a strand, naming its line.
        """
        if not first < last:
            raise BenchError(f"window [{first}, {last}]: its first base must lie before its last, as in [-700, 200].")
        if (self.strand == 0).any():
            line = int(self.line[np.argmax(self.strand == 0)])
            raise BenchError(
                f"{self.path}:{line}: no strand, which says on which end a start site lies. Write + or -, or leave the"
                " window out."
            )
        ahead = self.strand > 0
        start = np.where(ahead, self.start + first, self.end - last)
        end = np.where(ahead, self.start + last, self.end - first)
        inside = end > 0
        return replace(self, start=np.maximum(start, 0), end=end).keep(inside)


def is_intervals(path: Path) -> bool:
    """Whether a file is one of intervals, by its name."""
    return bool(_BED.fullmatch(kind_of(path))) or kind_of(path) in (*_PEAKS, *_GTF)


def is_gtf(path: Path) -> bool:
    """Whether a file is a GTF or GFF, by its name: 1-based, with features and attributes."""
    return kind_of(path) in _GTF


def read_intervals(
    path: Path, fields: Sequence[str] = (), *, feature: Sequence[str] = (), optional: Sequence[str] = ()
) -> Intervals:
    """The intervals of a BED (three columns or more), narrowPeak, broadPeak, GTF or GFF file, plain, ``.gz`` or
    ``.bgz``. Comments, ``track`` and ``browser`` lines are passed over.

    Parameters
    ----------
    fields : columns to keep as text. Of a BED file by name (``name``, ``score``, ``column7`` ... or as a last comment
        above the rows calls them), of a GTF ``feature``, ``source`` or any attribute (``gene_id`` ...).
    feature : of a GTF, the features (third column) that are kept; all by default.
    optional : columns of a BED file that are kept where it has them.

    Raises
    ------
    BenchError : for a file of another kind, without such fields or features, and for a line that is no interval, with
        its number.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "states.bed"
    >>> _ = path.write_text("chr8\\t0\\t200\\tEnh\\n")
    >>> read_intervals(path, ["name"]).fields["name"].tolist()
    ['Enh']
    """
    if not is_intervals(path):
        other = " Turn bigBed into BED (bigBedToBed)." if kind_of(path) in ("bb", "bigbed") else ""
        raise BenchError(f"{path}: a file of intervals is a .bed, .narrowPeak, .broadPeak, .gtf or .gff (.gz).{other}")
    if feature and not is_gtf(path):
        raise BenchError(f"{path}: a BED file has no features. Leave feature out, or give a GTF.")
    reader = _Gtf(path, fields, feature) if is_gtf(path) else _Bed(path, fields, optional)
    with readable(path, "BED or GTF file"):
        with open_text(path) as stream:
            for number, line in enumerate(stream, 1):
                if line.startswith("##FASTA"):
                    break
                reader.add(number, line.rstrip("\n"))
        return reader.intervals()


class _Rows:
    """Lines read so far."""

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        self.path, self.names = path, list(dict.fromkeys(fields))
        self.chrom: list[str] = []
        self.start, self.end, self.line, self.strand = array("q"), array("q"), array("q"), array("b")
        self.fields: list[list[str]] = [[] for _ in self.names]
        self._text: dict[str, str] = {}  # one object for every word: a chromosome stands in many lines

    def add(self, number: int, line: str) -> None:
        """Take in a line, without its end."""
        raise NotImplementedError

    def refuse(self, number: int, problem: str) -> BenchError:
        """The error of a line."""
        return BenchError(f"{self.path}:{number}: {problem}")

    def put(self, number: int, chrom: str, start: int, end: int, strand: str) -> None:
        """Keep an interval; ``start`` and ``end`` 0-based and half-open."""
        if strand not in _STRANDS:
            raise self.refuse(number, f"the strand must be +, - or . (none). Got {strand!r}.")
        if not chrom:
            raise self.refuse(number, "the chromosome is empty. Fill it in, or delete the line.")
        self.chrom.append(self.word(chrom))
        self.start.append(start)
        self.end.append(end)
        self.strand.append(_STRANDS[strand])
        self.line.append(number)

    def word(self, text: str) -> str:
        return self._text.setdefault(text, text)

    def position(self, number: int, text: str, what: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) > _FARTHEST:
            header = " A header begins with #." if not self.line and not any(each.isdigit() for each in text) else ""
            raise self.refuse(number, f"{what} must be a whole number of bases. Got {text!r}.{header}")
        return int(text)

    def intervals(self) -> Intervals:
        """What was read."""
        if not self.line:
            raise BenchError(f"{self.path}: has no intervals. Each is a line of chrom, start and end.")
        return Intervals(
            self.path,
            np.array(self.chrom, object),
            np.array(self.start, np.int64),
            np.array(self.end, np.int64),
            np.array(self.strand, np.int8),
            np.array(self.line, np.int64),
            {name: np.array(values, object) for name, values in zip(self.names, self.fields, strict=True)},
        )


class _Bed(_Rows):
    """A BED file."""

    def __init__(self, path: Path, fields: Sequence[str], optional: Sequence[str]) -> None:
        super().__init__(path, fields)
        self.optional = optional
        self.known = _PEAKS.get(kind_of(path), BED_COLUMNS)
        self.comment: list[str] = []
        self.width = 0
        self.places: list[int] = []

    def add(self, number: int, line: str) -> None:
        if line.startswith("#"):
            self.comment = line.lstrip("#").split("\t")
            return
        if not line.strip() or line.split(None, 1)[0] in ("track", "browser"):
            return
        cells = [cell.strip() for cell in line.split("\t")]
        if not self.width:
            self._begin(number, cells)
        if len(cells) != self.width:
            raise self.refuse(number, f"has {_columns(len(cells))}, the lines above {self.width}. Write all alike.")
        start, end = self.position(number, cells[1], "start"), self.position(number, cells[2], "end")
        if start >= end:
            raise self.refuse(
                number, f"start must lie before end. Got {start}-{end}. BED is 0-based, with the end excluded."
            )
        self.put(number, cells[0], start, end, cells[5] if self.width > 5 else ".")
        for values, place in zip(self.fields, self.places, strict=True):
            values.append(self.word(cells[place]))

    def _begin(self, number: int, cells: list[str]) -> None:
        """What the first line says of the columns."""
        self.width = len(cells)
        if self.width < 3:
            raise self.refuse(
                number, f"a BED file has chrom, start and end, with tabs between them. Got {_columns(self.width)}."
            )
        names = [self.known[i] if i < len(self.known) else f"column{i + 1}" for i in range(self.width)]
        said = [name.strip() for name in self.comment] if len(self.comment) == self.width else names
        self.names += [name for name in self.optional if name in (*names, *said) and name not in self.names]
        self.fields = [[] for _ in self.names]
        for name in self.names:
            where = names if name in names else said
            if name not in where:
                raise BenchError(f"{self.path}: has no column {name!r}.{nearest(name, where)}")
            self.places.append(where.index(name))


class _Gtf(_Rows):
    """A GTF or GFF file."""

    def __init__(self, path: Path, fields: Sequence[str], feature: Sequence[str]) -> None:
        super().__init__(path, fields)
        self.feature = frozenset(feature)
        self.features: set[str] = set()
        self.attributes: set[str] = set()
        self.getters = [_getter(name) for name in self.names]

    def add(self, number: int, line: str) -> None:
        if line.startswith("#") or not line.strip():
            return
        cells = line.split("\t")
        if len(cells) < 8:
            raise self.refuse(
                number, f"has {_columns(len(cells))}, a GTF has nine (chrom, source, feature ...) with tabs between."
            )
        self.features.add(cells[2])
        if self.feature and cells[2] not in self.feature:
            return
        start, end = self.position(number, cells[3], "start"), self.position(number, cells[4], "end")
        if not 1 <= start <= end:
            raise self.refuse(
                number, f"start must be 1 or more and at most end. Got {start}-{end}. GTF is 1-based, the end included."
            )
        self.put(number, cells[0].strip(), start - 1, end, cells[6].strip())
        if len(self.line) <= _LOOK and len(cells) > 8:
            self.attributes.update(_ATTRIBUTE.findall(cells[8]))
        for values, get in zip(self.fields, self.getters, strict=True):
            values.append(self.word(get(cells)))

    def intervals(self) -> Intervals:
        unknown = sorted(self.feature - self.features)
        if unknown and self.features:
            raise BenchError(f"{self.path}: has no feature {unknown[0]!r}.{nearest(unknown[0], self.features)}")
        for name, values in zip(self.names, self.fields, strict=True):
            if self.line and not any(values):
                there = {*self.attributes, "feature", "source"}
                raise BenchError(f"{self.path}: no line has an attribute {name!r}.{nearest(name, there)}")
        return super().intervals()


def _getter(name: str) -> Callable[[list[str]], str]:
    """What finds a column or an attribute of a GTF line: ``gene_id "x";`` of a GTF, ``gene_id=x;`` of a GFF3."""
    if name in ("source", "feature"):
        place = GTF_COLUMNS.index(name)
        return lambda cells: cells[place].strip()
    pattern = re.compile(rf'(?:^|;)\s*{re.escape(name)}(?:\s*=\s*|\s+)(?:"([^"]*)"|([^;"]*))')

    def attribute(cells: list[str]) -> str:
        found = pattern.search(cells[8]) if len(cells) > 8 else None
        if found is None:
            return ""
        quoted, plain = found.groups()
        return str(quoted) if quoted is not None else unquote(plain.strip())

    return attribute


def _columns(count: int) -> str:
    return f"{count} column{'' if count == 1 else 's'}"
