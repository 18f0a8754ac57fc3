"""Sequences: many stranded intervals over one shared buffer of bases.

The same class serves a table of oligos (the buffer is all oligos end to end) and fragments of a genome (the buffer is
the genome, memory-mapped). Slicing and reordering rows never copies a base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Code of every byte: A C G T = 0 1 2 3 (either case, U as T), anything else 4.
CODE_OF_BYTE = np.full(256, 4, np.uint8)
for _code, _letters in enumerate((b"Aa", b"Cc", b"Gg", b"TtUu")):
    CODE_OF_BYTE[list(_letters)] = _code
LETTERS = np.frombuffer(b"ACGTN", np.uint8)
COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def encode(text: str | bytes) -> NDArray[np.uint8]:
    """Codes of a sequence: A C G T N = 0 1 2 3 4; lower case is upper case, anything else is N. Shape (len(text),)."""
    raw = text.encode("latin-1", "replace") if isinstance(text, str) else text
    return CODE_OF_BYTE[np.frombuffer(raw, np.uint8)]


def read_only(values: Any) -> Any:
    """A view of an array that cannot be written through; what is no array is given back as it is.

    What one plugin is handed, others are handed too: whoever writes into it gets NumPy's ValueError, and copies it
    first.
    """
    if not isinstance(values, np.ndarray) or not values.flags.writeable:
        return values
    view = values.view()
    view.flags.writeable = False
    return view


def decode(codes: NDArray[np.uint8]) -> str:
    """The letters ACGTN of an array of codes."""
    return LETTERS[codes].tobytes().decode("ascii")


@dataclass(frozen=True, eq=False)
class Sequences:
    """Rows of bases: row i is ``buffer[start[i]:stop[i]]``, reverse-complemented where ``reverse[i]``. Every array is
    read-only: copy it to change it.

    Attributes
    ----------
    buffer : uint8 (n_bases,), codes A C G T N = 0 1 2 3 4. Shared by every slice.
    start, stop : int64 (n,), 0-based half-open positions in the buffer.
    reverse : bool (n,). Kernels honour it; the buffer is never rewritten.
    width : the longest row of the whole data set. Kept when rows are taken, so a featurizer that pads gives a row the
        same features alone and in any batch.
    covariates : name -> float64 (n,). What was measured about a row besides its bases (``dna_count``, ``barcodes``).
        Never the target.
    shared : a scratch dictionary that all slices of one buffer hold in common (prefix sums, for example).
    """

    buffer: NDArray[np.uint8]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    reverse: NDArray[np.bool_]
    width: int
    covariates: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for name in ("buffer", "start", "stop", "reverse"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        covariates = {name: read_only(values) for name, values in self.covariates.items()}
        object.__setattr__(self, "covariates", covariates)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # arrays from another process can be written

    # ---- making them ----------------------------------------------------------------------------------------------
    @classmethod
    def from_strings(
        cls, strings: Sequence[str], covariates: Mapping[str, NDArray[np.float64]] | None = None
    ) -> Sequences:
        """Sequences of a list of strings. Lower case counts as upper case; what is not A C G T U becomes N."""
        lengths = np.fromiter((len(s) for s in strings), np.int64, len(strings))
        stop = np.cumsum(lengths)
        return cls.from_intervals(encode("".join(strings)), stop - lengths, stop, covariates=covariates)

    @classmethod
    def from_intervals(
        cls,
        buffer: NDArray[np.uint8],
        start: NDArray[Any],
        stop: NDArray[Any],
        reverse: NDArray[np.bool_] | None = None,
        covariates: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> Sequences:
        """Intervals over a buffer of codes.

        Raises
        ------
        ValueError : where an interval is empty, reversed or runs off the buffer. The message names the first such row.
        """
        start = np.ascontiguousarray(start, np.int64)
        stop = np.ascontiguousarray(stop, np.int64)
        rev = np.zeros(len(start), np.bool_) if reverse is None else np.ascontiguousarray(reverse, np.bool_)
        if not len(start) == len(stop) == len(rev):
            raise ValueError(
                f"start, stop and reverse must have one length. Got {len(start)}, {len(stop)}, {len(rev)}."
            )
        wrong = (start < 0) | (stop < start) | (stop > len(buffer))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(
                f"row {row}: interval {start[row]}-{stop[row]} does not lie in a buffer of {len(buffer)} bases."
            )
        width = int((stop - start).max(initial=0))
        return cls(buffer, start, stop, rev, width, dict(covariates or {}))

    # ---- looking at them -------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return len(self.start)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of every row in bases, int64 (n,)."""
        return self.stop - self.start

    def codes(self, row: int) -> NDArray[np.uint8]:
        """Codes of one row as it is read 5' to 3' (reverse-complemented where the row is reversed). A copy."""
        piece = np.array(self.buffer[self.start[row] : self.stop[row]])
        return COMPLEMENT[piece[::-1]] if self.reverse[row] else piece

    def to_strings(self) -> list[str]:
        """The rows as strings of ACGTN. For tests, reports and small sets: it copies every base."""
        return [decode(self.codes(row)) for row in range(len(self))]

    # ---- taking rows -----------------------------------------------------------------------------------------------
    def take(self, rows: Any) -> Sequences:
        """The rows of an index array, a boolean mask or a slice. No base is copied; ``width`` stays."""
        return replace(
            self,
            start=self.start[rows],
            stop=self.stop[rows],
            reverse=self.reverse[rows],
            covariates={name: values[rows] for name, values in self.covariates.items()},
        )

    def reverse_complement(self) -> Sequences:
        """The other strand of every row. No base is copied."""
        return replace(self, reverse=~self.reverse)

    def blocks(self, rows: int) -> Iterator[tuple[slice, Sequences]]:
        """``(slice, Sequences)`` pairs of at most ``rows`` rows, in order."""
        for first in range(0, len(self), rows):
            piece = slice(first, min(first + rows, len(self)))
            yield piece, self.take(piece)
